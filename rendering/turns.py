"""A worker's turn: whose work is next, and doing it, until the time is up.

Lanes take turns, a photo each: the lane that was served the longest ago is next. Within a lane files come first that
somebody waits to save, then reading, then painting; but paintings that have waited for a moment, or that somebody
looks at, do not wait for a whole album to be read.
"""

import time
from collections.abc import Mapping
from datetime import datetime, timedelta

from django.conf import settings
from django.utils import timezone

from rendering import canvases, exports, queue, renditions, sources, supervision
from rendering.models import WAITING, Export, Halt, Lane, Priority, Rendition, Source

NEVER = datetime.min.replace(tzinfo=timezone.get_default_timezone())
READING_AHEAD = timedelta(seconds=1)
"""So long a lane's photos are read before the first of them is painted."""
REST_SECONDS = 1.0
"""So long a worker that rests leaves the turn to others."""
LONG = timedelta(seconds=10)
"""Who had no turn for so long is a newcomer."""


def take() -> None:
    """Do one unit of work after the other until the time is up; wake the next worker if there is more."""
    if is_resting(queue.current_worker()):
        # Another worker may take the turn meanwhile.
        queue.wake()
        time.sleep(REST_SECONDS)
        return
    until = time.monotonic() + settings.TURN_SECONDS
    while time.monotonic() < until and not supervision.told_to_end():
        if not do_next(now=timezone.now()):
            return
    if _waiting(timezone.now()):
        queue.wake()


def do_next(*, now: datetime) -> bool:
    """Do one unit of the lane whose turn it is; False if nothing waits."""
    lane = _next_lane(now)
    if lane is None:
        return False
    _serve(lane, now=now)
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


def _next_lane(now: datetime) -> str | None:
    waiting = _waiting(now)
    served = dict(Lane.objects.filter(name__in=waiting).values_list("name", "served_at"))
    order = sorted(sorted(waiting), key=lambda lane: _since(served, lane, now))
    for lane in order:
        if Lane.serve(lane, before=served.get(lane), now=now):
            return lane
    # Other workers have just served them all: claims on the work itself keep everybody apart.
    return next(iter(order), None)


def _waiting(now: datetime) -> set[str]:
    ready = (kind.objects.all().ready(now=now) for kind in supervision.KINDS)
    return {lane for kind in ready for lane in kind.order_by().values_list("lane", flat=True).distinct()}


def _since(served: Mapping[str, datetime], lane: str, now: datetime) -> datetime:
    since = served.get(lane, NEVER)
    # A time to come was written by a clock that has been set back since.
    return since if since <= now else NEVER


def _serve(lane: str, *, now: datetime) -> None:
    export = Export.objects.all().ready(now=now).filter(lane=lane).order_by("priority", "waiting_since").first()
    if export is not None:
        exports.make(export.pk)
        return
    unread = Source.objects.all().ready(now=now).filter(lane=lane).order_by("priority", "waiting_since", "pk")
    photo = unread.first()
    if photo is not None:
        sources.read(photo.pk)
        if unread.exists() and not _is_overdue(lane, now):
            canvases.spill(photo)
            return
    _paint_next(lane, after=photo)


def _is_overdue(lane: str, now: datetime) -> bool:
    waiting = Rendition.objects.all().ready(now=now).filter(lane=lane)
    looked_at = waiting.filter(priority=Priority.WATCHED)
    long = waiting.filter(priority=Priority.USUAL, waiting_since__lt=now - READING_AHEAD)
    return looked_at.exists() or long.exists()


def _paint_next(lane: str, *, after: Source | None) -> None:
    waiting = Rendition.objects.all().ready(now=timezone.now()).filter(lane=lane)
    first = waiting.order_by("priority", "waiting_since", "pk").first()
    if after is not None and (first is None or not first.commissions.filter(source=after).exists()):
        # It is not this photo's turn to be painted.
        canvases.spill(after)
    if first is not None:
        since = timezone.now()
        renditions.paint(first, stop=lambda: _newcomer_waits(lane, since))


def _newcomer_waits(lane: str, since: datetime) -> bool:
    """Return whether somebody has come since then who has had no turn for long: they need not wait for all of this."""
    arrived = Source.objects.filter(WAITING, waiting_since__gte=since).exclude(lane=lane)
    return arrived.exclude(lane__in=Lane.objects.filter(served_at__gt=since - LONG).values("name")).exists()
