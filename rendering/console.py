"""The job console: finding renditions among many, and retrying, cancelling, hurrying and removing them together."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime

from django.db import models, transaction
from django.db.models import Q, QuerySet
from django.utils.translation import gettext_lazy as _

from rendering import events, queue, renditions, store
from rendering.models import WAITING, Commission, Export, Rendition, State

ENDED = Q(state__in=(State.FAILED, State.CANCELLED, State.EVICTED), commissions__isnull=False)
UNFINISHED = Q(state__in=(State.WAITING, State.WORKING))


class Action(models.TextChoices):
    """What can be done with one rendition, or with all that were found."""

    RETRY = "retry", _("Paint again")
    CANCEL = "cancel", _("Cancel")
    HURRY = "hurry", _("Move to the front")
    DELETE = "delete", _("Delete")


FITTING = {Action.RETRY: ENDED, Action.CANCEL: UNFINISHED, Action.HURRY: WAITING, Action.DELETE: Q()}


class Step(models.TextChoices):
    """What happens to a rendition, in this order."""

    ACCEPTED = "accepted", _("accepted")
    READ = "read", _("photo read")
    QUEUED = "queued", _("in line to be painted")
    STARTED = "started", _("begun")
    ENDED = "ended", _("ended")


@dataclass(frozen=True)
class Event:
    """One step of a rendition's way: when, and which worker if one did it."""

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


def find(wanted: Wanted) -> QuerySet[Rendition]:
    """Return the renditions that are looked for, newest first; the time is when they came into the queue."""
    columns = {name: getattr(wanted, name) for name in ("style", "state", "reason", "worker") if getattr(wanted, name)}
    if wanted.since:
        columns["waiting_since__gte"] = wanted.since
    if wanted.until:
        columns["waiting_since__lt"] = wanted.until
    return Rendition.objects.filter(**columns).order_by("-pk")


def fitting(found: QuerySet[Rendition], action: Action, *, most: int) -> list[int]:
    """Return which of these an action fits, the newest so many of them."""
    rows = found.filter(FITTING[action])
    return list(rows.distinct().values_list("pk", flat=True)[:most])


def act(action: Action, ids: Sequence[int], *, now: datetime) -> int:
    """Do it with all of these, in a number of statements that does not depend on theirs; count those it was done to."""
    doing = {Action.RETRY: _retry, Action.CANCEL: _cancel, Action.HURRY: _hurry, Action.DELETE: _remove}
    with transaction.atomic():
        # Asked first: what is deleted has no lanes afterwards.
        lanes = set(Commission.objects.filter(rendition__in=ids).values_list("lane", flat=True))
        count = doing[action](ids, now)
        for lane in lanes:
            events.tell(lane)
    return count


def history(rendition: Rendition) -> list[Event]:
    """Return a rendition's way so far: when its photo came, was read, and when it was queued, begun and ended."""
    asked = rendition.commissions.select_related("source").order_by("created_at", "pk").first()
    source = asked.source if asked else None
    way = [
        Event(Step.ACCEPTED, asked.created_at if asked else None),
        Event(Step.READ, source.finished_at if source else None, source.worker if source else ""),
        Event(Step.QUEUED, rendition.waiting_since),
        Event(Step.STARTED, rendition.started_at, rendition.worker),
        Event(Step.ENDED, rendition.finished_at),
    ]
    return [event for event in way if event.at]


def _retry(ids: Sequence[int], now: datetime) -> int:
    ended = Rendition.objects.filter(pk__in=ids).filter(ENDED).values("pk")
    fresh = {"state": State.WAITING, "reason": "", "tries": 0, "crashes": 0, "finished_at": None}
    count = Rendition.objects.filter(pk__in=ended).update(**fresh, waiting_since=now)
    queue.wake(everybody=True)
    return count


def _cancel(ids: Sequence[int], now: datetime) -> int:
    unfinished = Rendition.objects.filter(UNFINISHED, pk__in=ids)
    return unfinished.update(state=State.CANCELLED, lease_until=None, finished_at=now)


def _hurry(ids: Sequence[int], now: datetime) -> int:
    waiting = Rendition.objects.filter(WAITING, pk__in=ids)
    renditions.watch(Commission.objects.filter(rendition__in=waiting).values_list("source", flat=True).distinct())
    return waiting.count()


def _remove(ids: Sequence[int], now: datetime) -> int:
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
