"""A worker's turn: whose work is next, and doing it, until the time is up.

Lanes take turns, a photo each: the lane that was served the longest ago is next. Within a lane files come first that
somebody waits to save, then reading, then painting; but paintings that have waited for a moment, or that somebody
looks at, do not wait for a whole album to be read.
"""

import time
from collections import defaultdict
from collections.abc import Callable, Mapping
from datetime import datetime, timedelta

from django.conf import settings
from django.db.models import Q, Value
from django.utils import timezone

from rendering import canvases, exports, queue, renditions, sources, supervision
from rendering.models import WAITING, Export, Halt, Lane, Priority, Rendition, Source
from rendering.renditions import Every

NEVER = datetime.min.replace(tzinfo=timezone.get_default_timezone())
READING_AHEAD = timedelta(seconds=1)
"""So long a lane's photos are read before the first of them is painted."""
REST_SECONDS = 1.0
"""So long a worker that rests leaves the turn to others, and so often one that works looks whether it is to rest."""
LONG = timedelta(seconds=10)
"""Who had no turn for so long is a newcomer."""


def take() -> None:
    """Do one unit of work after the other until the time is up; wake the next worker if there is more."""
    worker = queue.current_worker()
    if is_resting(worker):
        # Another worker may take the turn meanwhile.
        queue.wake()
        time.sleep(REST_SECONDS)
        return
    until, look = time.monotonic() + settings.TURN_SECONDS, Every(REST_SECONDS)
    while time.monotonic() < until and not supervision.told_to_end():
        if look.is_due() and is_resting(worker):
            break
        if not do_next(now=timezone.now()):
            return
    if _waiting(timezone.now()):
        queue.wake()


def do_next(*, now: datetime) -> bool:
    """Do one unit of the lane whose turn it is; False if nothing waits."""
    found = _next_lane(now)
    if found is None:
        return False
    _serve(*found, now=now)
    return True


def rest(worker: str = "", *, now: datetime) -> None:
    """Have a worker (or all of them) begin nothing new; what is being painted is finished."""
    Halt.objects.get_or_create(worker=worker, defaults={"since": now})


def go_on(worker: str = "") -> None:
    """Have a worker (or all of them) work again."""
    Halt.objects.filter(worker=worker).delete()
    queue.wake(everybody=True)


def is_resting(worker: str) -> bool:
    """Return whether a worker must begin nothing new."""
    return Halt.objects.filter(worker__in=["", worker]).exists()


def revive(*, now: datetime) -> int:
    """Bring back what a crash, a lost queue or a missed wake-up left behind; count what was given back."""
    lease = timedelta(seconds=settings.LEASE_SECONDS)
    kinds = supervision.KINDS
    count = sum(kind.objects.all().give_back(now=now, lease=lease, max_tries=settings.MAX_TRIES) for kind in kinds)
    renditions.request_due(now=now)
    if _waiting(now) and not is_resting(""):
        queue.wake(everybody=True)
    return count


def _next_lane(now: datetime) -> tuple[str, set[str]] | None:
    """Give the next lane its turn; return it, and the kinds of its work that waits."""
    waiting = _waiting(now)
    served = dict(Lane.objects.filter(name__in=waiting).values_list("name", "served_at"))
    order = sorted(sorted(waiting), key=lambda lane: _since(served, lane, now))
    for lane in order:
        if Lane.serve(lane, before=served.get(lane), now=now):
            return lane, waiting[lane]
    # Other workers have just served them all: claims on the work itself keep everybody apart.
    return next(((lane, waiting[lane]) for lane in order), None)


def _waiting(now: datetime) -> dict[str, set[str]]:
    """Return by lane the names of the kinds of work that waits."""
    found: dict[str, set[str]] = defaultdict(set)
    first, *others = (
        kind.objects.all().ready(now=now).order_by().values_list("lane", Value(kind.__name__)).distinct()
        for kind in supervision.KINDS
    )
    for lane, kind in first.union(*others, all=True):
        found[lane].add(kind)
    return found


def _since(served: Mapping[str, datetime], lane: str, now: datetime) -> datetime:
    since = served.get(lane, NEVER)
    # A time to come was written by a clock that has been set back since.
    return since if since <= now else NEVER


def _serve(lane: str, kinds: set[str], *, now: datetime) -> None:
    if Export.__name__ in kinds:
        export = Export.objects.all().ready(now=now).filter(lane=lane).order_by("priority", "waiting_since").first()
        if export is not None:
            exports.make(export.pk)
            return
    photo, more = _unread(lane, now) if Source.__name__ in kinds else (None, False)
    if photo is not None:
        sources.read(photo.pk)
        if more and not _is_overdue(lane, now):
            canvases.spill(photo)
            return
    _paint_next(lane, after=photo)


def _unread(lane: str, now: datetime) -> tuple[Source | None, bool]:
    """Return the photo that is to be read next, and whether there are more."""
    unread = Source.objects.all().ready(now=now).filter(lane=lane).order_by("priority", "waiting_since", "pk")
    found = list(unread.only("pk")[:2])
    return next(iter(found), None), len(found) > 1


def _is_overdue(lane: str, now: datetime) -> bool:
    long = Q(priority=Priority.USUAL, waiting_since__lt=now - READING_AHEAD)
    waiting = Rendition.objects.all().ready(now=now).filter(lane=lane)
    return waiting.filter(Q(priority=Priority.WATCHED) | long).exists()


def _paint_next(lane: str, *, after: Source | None) -> None:
    waiting = Rendition.objects.all().ready(now=timezone.now()).filter(lane=lane)
    first = waiting.order_by("priority", "waiting_since", "pk").first()
    source = renditions.source_of(first, prefer=after.pk if after else 0) if first else None
    if after is not None and source != after:
        # It is not this photo's turn to be painted.
        canvases.spill(after)
    if first is not None:
        renditions.paint(first, source, stop=_newcomers(lane))


def _newcomers(lane: str) -> Callable[[], bool]:
    """Return what tells whether somebody has come since now who has had no turn for long."""
    since, look = timezone.now(), Every(renditions.LOOK_SECONDS)
    return lambda: look.is_due() and _newcomer_waits(lane, since)


def _newcomer_waits(lane: str, since: datetime) -> bool:
    """Return whether somebody has come since then who has had no turn for long: they need not wait for all of this."""
    arrived = Source.objects.filter(WAITING, waiting_since__gte=since).exclude(lane=lane)
    return arrived.exclude(lane__in=Lane.objects.filter(served_at__gt=since - LONG).values("name")).exists()
