"""Sums of what workers did in stretches of time, as figures that can be kept and added to each other."""

import math
import operator
from bisect import bisect_right
from collections import Counter, defaultdict
from collections.abc import Iterator, Mapping, Sequence
from datetime import datetime
from typing import Any, TypeAlias, TypeVar

from django.db.backends.base.base import BaseDatabaseWrapper
from django.db.models import Count, Func, IntegerField, Model, QuerySet
from django.db.models.expressions import Combinable
from django.db.models.sql.compiler import SQLCompiler

from rendering.models import KINDS, Rendition, Source, State

Row = TypeVar("Row", bound=Model)
Figures: TypeAlias = Sequence[float]
Sums: TypeAlias = dict[str, list[float]]
"""Figures by the words of what they are of; those of two stretches are added place by place."""

PAINTED = (State.DONE, State.EVICTED)
BATCH = 2000

SHORTEST = 0.001
RATIO = 1.1
"""Durations are counted in buckets, each a tenth wider than the one before: percentiles are right to five percent."""
BUCKETS = 200


def sum_up(edges: Sequence[datetime]) -> list[Sums]:
    """Count what workers did between each two edges: five queries, however many stretches there are."""
    stretches: list[Sums] = [{} for _ in edges[1:]]
    jobs: list[set[str]] = [set() for _ in stretches]
    _add_painted(stretches, edges, jobs)
    _add_read(stretches, edges, jobs)
    for sums, holders in zip(stretches, jobs, strict=True):
        add(sums, {"batches": [0, 0, 0, len(holders)]} if holders else {})
    for kind, model in KINDS.items():
        failed = within(model.objects.filter(state=State.FAILED), edges, "finished_at")
        groups = failed.annotate(place=place(edges, "finished_at")).order_by().values_list("place", "reason")
        for number, reason, count in groups.annotate(Count("pk")):
            add(stretches[number], {f"failed {kind.value} {reason}": [count]})
    return stretches


def add(sums: Sums, more: Mapping[str, Figures]) -> None:
    """Add figures to these."""
    for name, figures in more.items():
        known = sums.get(name)
        if known is None:
            sums[name] = list(figures)
        elif len(known) == len(figures):
            # Nearly all: a half-year's page adds forty thousand of them.
            sums[name] = list(map(operator.add, known, figures))
        else:
            shorter, longer = sorted((known, figures), key=len)
            sums[name] = [*map(operator.add, shorter, longer), *longer[len(shorter) :]]


def total(stretches: Sequence[Mapping[str, Figures]]) -> Sums:
    """Return the sums of several stretches together."""
    sums: Sums = {}
    for stretch in stretches:
        add(sums, stretch)
    return sums


def of(sums: Mapping[str, Figures], kind: str) -> Iterator[tuple[list[str], Figures]]:
    """Yield the figures whose first word is this one, with their further words."""
    for name, figures in sums.items():
        first, *words = name.split(" ")
        if first == kind:
            yield words, figures


def bucket(seconds: float) -> int:
    """Return the bucket in which a duration is counted."""
    return min(BUCKETS - 1, math.ceil(math.log(max(seconds, SHORTEST) / SHORTEST, RATIO)))


def quantile(counts: Figures, share: float) -> float:
    """Return how long this share of the durations took at most, in seconds: the middle of its bucket."""
    wanted, seen = share * sum(counts), 0.0
    for number, count in enumerate(counts):
        seen += count
        if count and seen >= wanted:
            return float(SHORTEST * RATIO ** (number - 0.5))
    return 0.0


def within(rows: QuerySet[Row], edges: Sequence[datetime], field: str) -> QuerySet[Row]:
    """Return the rows whose time lies between the first edge and the last."""
    return rows.filter(**{f"{field}__gte": edges[0], f"{field}__lt": edges[-1]})


def place(edges: Sequence[datetime], field: str) -> Func:
    """Return between which two edges a row's time lies, from 0; by halving, eight comparisons for 200 edges."""
    return _Place(field, edges=tuple(edges))


class _Place(Func):
    """One expression that writes all its comparisons: as Django's own, each in another, these take longer than rows."""

    arity = 1
    output_field = IntegerField()

    def __init__(self, time: str | Combinable, *, edges: Sequence[datetime]) -> None:
        super().__init__(time)
        self.edges = edges

    def as_sql(
        self, compiler: SQLCompiler, connection: BaseDatabaseWrapper, *_: Any, **__: Any
    ) -> tuple[str, tuple[str | int, ...]]:
        """Return the comparisons, and the edges in the order in which they stand there."""
        column, _none = compiler.compile(self.source_expressions[0])
        moments = [connection.ops.adapt_datetimefield_value(edge) for edge in self.edges]
        return _halve(column, moments, 0, len(moments) - 2)


def _halve(column: str, moments: Sequence[Any], first: int, last: int) -> tuple[str, tuple[Any, ...]]:
    if first == last:
        return str(first), ()
    middle = (first + last + 1) // 2
    later, its = _halve(column, moments, middle, last)
    earlier, others = _halve(column, moments, first, middle - 1)
    return f"CASE WHEN {column} >= %s THEN {later} ELSE {earlier} END", (moments[middle], *its, *others)


def _add_painted(stretches: Sequence[Sums], edges: Sequence[datetime], jobs: Sequence[set[str]]) -> None:
    times: dict[tuple[int, str], Counter[int]] = defaultdict(Counter)
    together: list[Counter[tuple[str, str]]] = [Counter() for _ in stretches]
    for ended, style, waited, begun, holder, canvas in _painted(edges):
        number = bisect_right(edges, ended) - 1
        times[number, "finished"][1] += 1
        if begun:
            times[number, f"wait {style}"][bucket((begun - waited).total_seconds())] += 1
            times[number, f"paint {style}"][bucket((ended - begun).total_seconds())] += 1
        if holder:
            together[number][holder, canvas] += 1
    for (number, name), counts in times.items():
        stretches[number][name] = [counts[each] for each in range(max(counts) + 1)]
    for sums, pairs, holders in zip(stretches, together, jobs, strict=True):
        holders.update(holder for holder, _canvas in pairs)
        add(sums, {"batches": [pairs.total(), len(pairs), pairs.total()]} if pairs else {})


def _painted(edges: Sequence[datetime]) -> Iterator[tuple[Any, ...]]:  # Any: a row of the query
    columns = ("finished_at", "style", "waiting_since", "started_at", "holder", "canvas_key")
    rows = within(Rendition.objects.filter(state__in=PAINTED), edges, "finished_at")
    return rows.order_by().values_list(*columns).iterator(BATCH)


def _add_read(stretches: Sequence[Sums], edges: Sequence[datetime], jobs: Sequence[set[str]]) -> None:
    rows = within(Source.objects.filter(state__in=PAINTED), edges, "finished_at").order_by()
    for ended, holder, width, height in rows.values_list("finished_at", "holder", "width", "height").iterator(BATCH):
        number = bisect_right(edges, ended) - 1
        add(stretches[number], {"finished": [1]})
        if holder:
            jobs[number].add(holder)
            add(stretches[number], {"batches": [0, 0, 1], "read": [1, width * height * 1e-6]})
