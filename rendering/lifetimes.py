"""How long paintings are kept: put away when nobody needs them, and painted again when somebody does."""

import operator
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import reduce
from itertools import islice
from typing import NamedTuple

from django.conf import settings
from django.db import transaction
from django.db.models import Exists, OuterRef, Q, QuerySet, Sum
from django.db.models.functions import Coalesce

from rendering import renditions, styles
from rendering.models import Commission, Export, Rendition, State

TOUCH_EVERY = timedelta(hours=1)
"""A visit is noted so often at most: the rows tell who was used least recently, not who was looked at how often."""

BATCH = 200
LAST_USE = Coalesce("used_at", "finished_at", "waiting_since")
HELD = Exists(Commission.objects.filter(rendition=OuterRef("pk")))


@dataclass(frozen=True)
class Tidied:
    """What was done, or would be: rows removed, paintings put away, and the bytes of both."""

    removed: int
    put_away: int
    bytes: int


class Chosen(NamedTuple):
    """A rendition that is to go; one that a history holds keeps its row."""

    pk: int
    bytes: int
    held: bool


def evict(*, now: datetime, dry_run: bool = False) -> Tidied:
    """Remove what no history holds, put away what nobody has looked at for long, and keep within the byte budget."""
    outlived = {each.pk: each for each in (*_unheld(now), *_unused(now))}
    over = _over_budget(outlived)
    return _tidy([*outlived.values(), *over], dry_run=dry_run)


def purge(these: QuerySet[Rendition], *, dry_run: bool = False) -> Tidied:
    """Remove the files of these renditions, whoever used them when; history stays, and a visit paints them again."""
    done = these.filter(Q(state=State.DONE) | ~HELD)
    return _tidy(list(_chosen(done)), dry_run=dry_run)


def visit(seen: Iterable[Rendition], *, now: datetime) -> None:
    """Note that somebody looks at these paintings, and have those painted again that were put away."""
    shown = list(seen)
    touch(shown, now=now)
    for rendition in shown:
        if rendition.state == State.EVICTED and renditions.paint_again(rendition, now=now):
            rendition.state = State.WAITING


def touch(seen: Iterable[Rendition], *, now: datetime) -> None:
    """Note that somebody looks at these paintings; it costs a query once an hour for each, otherwise nothing."""
    before = now - TOUCH_EVERY
    stale = [each.pk for each in seen if each.state == State.DONE and (not each.used_at or each.used_at <= before)]
    if stale:
        Rendition.objects.filter(pk__in=stale).update(used_at=now)


def _unheld(now: datetime) -> Iterator[Chosen]:
    before = now - timedelta(hours=settings.CACHE_HOURS)
    return _chosen(Rendition.objects.alias(last_use=LAST_USE).filter(~HELD, last_use__lte=before))


def _unused(now: datetime) -> Iterator[Chosen]:
    if not settings.KEEP_DAYS:
        return iter(())
    before = now - timedelta(days=settings.KEEP_DAYS)
    return _chosen(_replaceable().alias(last_use=LAST_USE).filter(last_use__lte=before))


def _over_budget(outlived: dict[int, Chosen]) -> Iterator[Chosen]:
    if not settings.CACHE_MEGABYTES:
        return
    kept = Rendition.objects.filter(state=State.DONE).aggregate(total=Sum("stored_bytes"))["total"] or 0
    excess = kept - sum(each.bytes for each in outlived.values()) - settings.CACHE_MEGABYTES * 1_000_000
    for each in _chosen(_replaceable().order_by(LAST_USE, "pk")):
        if excess <= 0:
            return
        if each.pk not in outlived:
            excess -= each.bytes
            yield each


def _replaceable() -> QuerySet[Rendition]:
    """Return the paintings that are here and that may go: held ones only if they can be painted again as they are."""
    current = (Q(style=style.name, style_version=style.version) for style in styles.CATALOG)
    return Rendition.objects.filter(state=State.DONE).filter(reduce(operator.or_, current) | ~HELD)


def _chosen(these: QuerySet[Rendition]) -> Iterator[Chosen]:
    rows = these.annotate(held=HELD).values_list("pk", "stored_bytes", "held")
    return (Chosen(*row) for row in rows.iterator())


def _tidy(chosen: Sequence[Chosen], *, dry_run: bool) -> Tidied:
    held = [each.pk for each in chosen if each.held]
    unheld = [each.pk for each in chosen if not each.held]
    count = Tidied(removed=len(unheld), put_away=len(held), bytes=sum(each.bytes for each in chosen))
    if not dry_run:
        for some in _batches(unheld):
            renditions.remove_orphans(Rendition.objects.filter(pk__in=some))
        for some in _batches(held):
            _put_away(some)
    return count


def _batches(pks: Iterable[int]) -> Iterator[list[int]]:
    rest = iter(pks)
    while some := list(islice(rest, BATCH)):
        yield some


def _put_away(pks: Sequence[int]) -> None:
    with transaction.atomic():
        rows = list(Rendition.objects.filter(pk__in=pks, state=State.DONE).select_for_update())
        made = Export.objects.filter(rendition__in=rows, state=State.DONE)
        exports = list(made.select_for_update())
        for row in rows:
            renditions.remove_files_after_commit(row, [each for each in exports if each.rendition_id == row.pk])
        made.delete()
        # Width and height stay: pages keep the painting's shape open.
        locked = Rendition.objects.filter(pk__in=[row.pk for row in rows])
        locked.update(state=State.EVICTED, folder="", widths=[], preview="", stored_bytes=0)
