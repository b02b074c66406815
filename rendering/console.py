"""The job console: finding work among much, and retrying, cancelling, hurrying and removing many pieces together."""

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

from django.db import models, transaction
from django.db.models import Q, QuerySet
from django.utils.translation import gettext_lazy as _

from rendering import events, queue, renditions, store
from rendering.models import (
    KINDS,
    WAITING,
    Commission,
    Export,
    Kind,
    Priority,
    Rendition,
    State,
    Work,
)

FAILED = Q(state__in=(State.FAILED, State.CANCELLED))
UNFINISHED = Q(state__in=(State.WAITING, State.WORKING))


class Action(models.TextChoices):
    """What can be done with one piece of work, or with all that were found."""

    RETRY = "retry", _("Try again")
    CANCEL = "cancel", _("Cancel")
    HURRY = "hurry", _("Move to the front")
    DELETE = "delete", _("Delete")


ENDED: Mapping[Kind, Q] = {
    Kind.READING: FAILED,
    # A painting that nobody asks for any more is not painted again.
    Kind.PAINTING: Q(state__in=(State.FAILED, State.CANCELLED, State.EVICTED), commissions__isnull=False),
    Kind.SAVING: FAILED,
}
FITTING = {Action.CANCEL: UNFINISHED, Action.HURRY: WAITING, Action.DELETE: Q()}
# A photo that was read is its owner's, with all its paintings: only what never became one is removed here.
READ = Q(state__in=(State.DONE, State.EVICTED))


class Step(models.TextChoices):
    """What happens to a piece of work, in this order."""

    ACCEPTED = "accepted", _("accepted")
    READ = "read", _("photo read")
    QUEUED = "queued", _("in line")
    STARTED = "started", _("begun")
    ENDED = "ended", _("ended")


@dataclass(frozen=True)
class Event:
    """One step of a work's way: when, and which worker if one did it."""

    step: Step
    at: datetime | None
    worker: str = ""


@dataclass(frozen=True)
class Wanted:
    """What is looked for among the rows; what is empty filters nothing."""

    style: str = ""
    state: str = ""
    reason: str = ""
    worker: str = ""
    since: datetime | None = None
    until: datetime | None = None


def find(wanted: Wanted, *, kind: Kind = Kind.PAINTING) -> QuerySet[Work]:
    """Return the work that is looked for, newest first; the time is when it came into the queue."""
    columns = {name: getattr(wanted, name) for name in ("state", "reason", "worker") if getattr(wanted, name)}
    if wanted.since:
        columns["waiting_since__gte"] = wanted.since
    if wanted.until:
        columns["waiting_since__lt"] = wanted.until
    rows: QuerySet[Work] = KINDS[kind].objects.filter(**columns)
    return (rows.filter(_of_style(kind, wanted.style)) if wanted.style else rows).order_by("-pk")


def fitting(found: QuerySet[Work], action: Action, *, kind: Kind = Kind.PAINTING, most: int) -> list[int]:
    """Return which of these an action fits, the newest so many of them."""
    rows = found.filter(ENDED[kind] if action == Action.RETRY else FITTING[action])
    if kind == Kind.READING and action == Action.DELETE:
        rows = rows.exclude(READ)
    return list(rows.distinct().values_list("pk", flat=True)[:most])


def act(action: Action, ids: Sequence[int], *, kind: Kind = Kind.PAINTING, now: datetime) -> int:
    """Do it with all of these, in a number of statements that does not depend on theirs; count those it was done to.

    All but removing what is read of photos: that is done with the photo, by who knows whose it is.
    """
    doing: Mapping[Action, Callable[[Kind, Sequence[int], datetime], int]] = {
        Action.RETRY: _retry,
        Action.CANCEL: _cancel,
        Action.HURRY: _hurry,
        Action.DELETE: _remove,
    }
    with transaction.atomic():
        # Asked first: what is deleted has no lanes afterwards.
        lanes = _lanes(kind, ids)
        count = doing[action](kind, ids, now)
        for lane in lanes:
            events.tell(lane)
    return count


def history(work: Work) -> list[Event]:
    """Return a work's way so far: when its photo came and was read, and when it was queued, begun and ended."""
    own = [
        Event(Step.QUEUED, work.waiting_since),
        Event(Step.STARTED, work.started_at, work.worker),
        Event(Step.ENDED, work.finished_at),
    ]
    before = _before(work) if isinstance(work, Rendition) else []
    return [event for event in (*before, *own) if event.at]


def _before(rendition: Rendition) -> list[Event]:
    asked = rendition.commissions.select_related("source").order_by("created_at", "pk").first()
    if asked is None:
        return []
    read = asked.source
    return [Event(Step.ACCEPTED, asked.created_at), Event(Step.READ, read.finished_at, read.worker)]


def _of_style(kind: Kind, style: str) -> Q:
    if kind == Kind.READING:
        return Q(pk__in=Commission.objects.filter(recipe__startswith=f"{style} ").values("source"))
    return Q(rendition__style=style) if kind == Kind.SAVING else Q(style=style)


def _lanes(kind: Kind, ids: Sequence[int]) -> set[str]:
    if kind == Kind.SAVING:
        return set(Export.objects.filter(pk__in=ids).values_list("lane", flat=True))
    # A photo that several people brought is read in the lane of the first.
    asked = Q(source__in=ids) if kind == Kind.READING else Q(rendition__in=ids)
    return set(Commission.objects.filter(asked).values_list("lane", flat=True))


def _retry(kind: Kind, ids: Sequence[int], now: datetime) -> int:
    model = KINDS[kind]
    ended = model.objects.filter(pk__in=ids).filter(ENDED[kind]).values("pk")
    fresh = {"state": State.WAITING, "reason": "", "tries": 0, "crashes": 0, "finished_at": None}
    count = model.objects.filter(pk__in=ended).update(**fresh, waiting_since=now)
    queue.wake(everybody=True)
    return count


def _cancel(kind: Kind, ids: Sequence[int], now: datetime) -> int:
    unfinished = KINDS[kind].objects.filter(UNFINISHED, pk__in=ids)
    return unfinished.update(state=State.CANCELLED, lease_until=None, finished_at=now)


def _hurry(kind: Kind, ids: Sequence[int], now: datetime) -> int:
    waiting = KINDS[kind].objects.filter(WAITING, pk__in=ids)
    count = waiting.count()
    if kind == Kind.SAVING:
        return waiting.update(priority=Priority.WATCHED)
    of_these = Commission.objects.filter(rendition__in=waiting.values("pk"))
    sources = of_these.values_list("source", flat=True).distinct() if kind == Kind.PAINTING else ids
    renditions.watch(sources)
    return count


def _remove(kind: Kind, ids: Sequence[int], now: datetime) -> int:
    if kind == Kind.READING:
        message = "a photo is removed by who knows whose it is"
        raise ValueError(message)
    return _remove_exports(ids) if kind == Kind.SAVING else _remove_renditions(ids)


def _remove_exports(ids: Sequence[int]) -> int:
    rows = list(Export.objects.filter(pk__in=ids).select_for_update())
    Export.objects.filter(pk__in=ids).delete()
    files = [row.file for row in rows if row.file]
    transaction.on_commit(lambda: store.remove(files))
    return len(rows)


def _remove_renditions(ids: Sequence[int]) -> int:
    """Remove renditions with their commissions and files; whoever's history held them has let go of them before."""
    # Locked and read here: a worker that finishes one just now finds its row gone, and removes its files itself.
    rows = list(Rendition.objects.filter(pk__in=ids).select_for_update())
    exported = list(Export.objects.filter(rendition__in=ids).exclude(file="").values_list("file", flat=True))
    Commission.objects.filter(rendition__in=ids).delete()
    Rendition.objects.filter(pk__in=ids).delete()
    pages = [(row.folder, row.widths) for row in rows if row.folder]
    previews = [(row.preview, [renditions.PREVIEW_WIDTH]) for row in rows if row.preview]
    transaction.on_commit(lambda: _remove_files(exported, [*pages, *previews]))
    return len(rows)


def _remove_files(exported: Sequence[str], pages: Iterable[tuple[str, list[int]]]) -> None:
    store.remove(exported)
    for folder, widths in pages:
        store.remove_pages(folder, widths)
