"""Estimates: how many photos come before one that waits, and in how many seconds it will be painted."""

import time
from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from statistics import fmean, median
from typing import Any, NamedTuple, TypeAlias

from django.conf import settings
from django.db.models import Count, OuterRef, Q, QuerySet, Subquery, Value
from django.db.models.functions import Coalesce
from redis.exceptions import RedisError

from rendering import queue
from rendering.models import WAITING, Commission, Lane, Priority, Rendition, Source, State

RECENT = 80
NEWEST = 10
"""So many photos tell how busy the machine is: it is another machine as soon as an album has come in."""
# For a site that has not painted anything yet: a photo of 12 megapixels, four paintings of the usual size.
READ_SECONDS = 0.15
PAINT_SECONDS = 0.15
FULL_SIZE_SECONDS = 1.5
USUAL_NUMBER = 4
SHORTEST_LOAD, LONGEST_LOAD = 1.0, 10.0
FULL_SIZE = "@full"
FRESH_SECONDS = 1.0
"""How fast the workers are hardly changes from one second to the next, and every page that waits asks for it."""

Wish: TypeAlias = tuple[Source, Sequence[Commission]]
Waiting: TypeAlias = Source | Rendition


@dataclass(frozen=True)
class Estimate:
    """A photo's place in line (1: it is the next to be painted), and in how many seconds it will be done."""

    place: int
    seconds: float


@dataclass(frozen=True)
class Line:
    """What waits in one lane: photos to be painted, of which some have to be read. A turn reads one and paints one."""

    reads: int = 0
    paints: int = 0
    read_seconds: float = 0
    paint_seconds: float = 0
    served_at: datetime | None = None
    photos_a_row: float = 1

    def seconds(self, turns: float) -> float:
        """Return how long one worker needs for so many of this lane's turns, or for all if there are fewer."""
        return min(turns, self.reads) * self.read_seconds + min(turns, self.paints) * self.paint_seconds

    def comes_before(self, other: "Line") -> bool:
        """Whether this lane's next turn is before the other's: it was never served, or longer ago."""
        if other.served_at is None:
            return False
        return self.served_at is None or self.served_at < other.served_at


class Past(NamedTuple):
    """A painting that was done, with the reading of its photo."""

    canvas: str
    holder: str
    recipe: str
    cpu_seconds: float
    started_at: datetime | None
    finished_at: datetime | None
    read_from: datetime | None
    read_until: datetime | None


@dataclass(frozen=True)
class Pace:
    """How long things took lately, in seconds; paintings are in CPU time and take `load` times as long."""

    read: float = READ_SECONDS
    recipes: Mapping[str, float] = field(default_factory=dict)
    number: float = USUAL_NUMBER
    load: float = SHORTEST_LOAD

    @property
    def photo(self) -> float:
        """How long it takes to paint all that is usually wanted of a photo."""
        return self.number * self.usual

    @property
    def usual(self) -> float:
        """How long a painting of the usual size takes."""
        known = [seconds for recipe, seconds in self.recipes.items() if not recipe.endswith(FULL_SIZE)]
        return self.load * (fmean(known) if known else PAINT_SECONDS)

    @property
    def full_size(self) -> float:
        """How long a painting of the photo's own size takes."""
        known = [seconds for recipe, seconds in self.recipes.items() if recipe.endswith(FULL_SIZE)]
        return self.load * (fmean(known) if known else FULL_SIZE_SECONDS)

    def paint(self, recipe: str) -> float:
        """Return how long this recipe takes; of one that is new here, how long such paintings take."""
        if recipe in self.recipes:
            return self.load * self.recipes[recipe]
        return self.full_size if recipe.endswith(FULL_SIZE) else self.usual


def estimate(own: Line, others: Iterable[Line], *, turns: float, seconds: float, workers: int) -> Estimate:
    """Foretell a photo that is painted after so many turns of its own lane, in so many seconds.

    Lanes take turns: until then each of the others has as many, and one more if it comes first.
    """
    had = [(line, turns + line.comes_before(own)) for line in others]
    had.append((own, turns))
    work = sum(line.seconds(count) for line, count in had)
    before = sum(min(count, line.paints) for line, count in had)
    # What is painted at this moment is half done on average.
    under_way = fmean(line.seconds(1) for line, _ in had) / 2
    return Estimate(place=1 + round(before), seconds=work / max(workers, 1) + under_way + seconds)


def foretell(wishes: Iterable[Wish]) -> dict[int, Estimate]:
    """Return estimates of those of these sources that wait, by their numbers: five queries at most, whatever waits."""
    waiting = [(source, asked, first) for source, asked in wishes if (first := _first(source, asked))]
    workers, pace = stopwatch.read() if waiting else (0, Pace())
    if not workers:
        # Nobody knows when somebody comes to paint.
        return {}
    lines = _lines(pace)
    ahead = _ahead([first for _, _, first in waiting])
    found = {}
    for source, asked, first in waiting:
        own = lines.get(first.lane, Line())
        others = [line for name, line in lines.items() if name != first.lane]
        seconds = sum(pace.paint(each.recipe) for each in asked if _is_to_come(each))
        turns = _turns(first, own, ahead.get((type(first).__name__, first.pk), 0))
        found[source.pk] = estimate(own, others, turns=turns, seconds=seconds, workers=workers)
    return found


def pace_of(past: Sequence[Past]) -> Pace:
    """Return how long things took lately; the usual where nothing is known."""
    paintings = defaultdict(list)
    for each in past:
        paintings[each.recipe].append(each.cpu_seconds)
    readings = [_passed(each.read_from, each.read_until) for each in past if each.read_from and each.read_until]
    return Pace(
        read=median(readings) if readings else READ_SECONDS,
        recipes={recipe: fmean(seconds) for recipe, seconds in paintings.items()},
        number=len(past) / len({each.canvas for each in past}) if past else USUAL_NUMBER,
        load=_load(past),
    )


class Stopwatch:
    """How many workers there are and how long things take them, asked anew in each process once a second at most."""

    def __init__(self) -> None:
        """Know nothing yet."""
        self.forget()

    def forget(self) -> None:
        """Ask anew next time."""
        self._known: tuple[int, Pace] = (0, Pace())
        self._until = 0.0

    def read(self) -> tuple[int, Pace]:
        """Return the number of workers, and their pace."""
        # Two threads may ask at the same time; both are right.
        if time.monotonic() >= self._until:
            workers = _workers()
            if not workers:
                return 0, Pace()  # not kept: the first one that comes is told of at once
            self._known = workers, pace_of(_past())
            self._until = time.monotonic() + FRESH_SECONDS
        return self._known


stopwatch = Stopwatch()


def _load(past: Sequence[Past]) -> float:
    """Return how much longer than its CPU time a painting takes: with its files, on a machine that has more to do."""
    # A turn begins all paintings of one canvas together.
    groups = defaultdict(list)
    for each in past:
        if each.started_at and each.finished_at:
            groups[each.canvas, each.holder].append(each)
    # The median: a worker's first painting waits for its kernels, and a machine that slept is no slow machine.
    newest = [_load_of(group) for group in groups.values()][:NEWEST]
    usual = median(newest) if newest else SHORTEST_LOAD
    return min(max(usual, SHORTEST_LOAD), LONGEST_LOAD)


def _load_of(group: Sequence[Past]) -> float:
    cpu = sum(each.cpu_seconds for each in group)
    begun = min(each.started_at for each in group if each.started_at)
    passed = max(_passed(begun, each.finished_at) for each in group)
    return passed / cpu if cpu else SHORTEST_LOAD


def _passed(start: datetime | None, end: datetime | None) -> float:
    # Never less than nothing: clocks are set back.
    return max((end - start).total_seconds(), 0) if start and end else 0


def _first(source: Source, asked: Sequence[Commission]) -> Waiting | None:
    """Return the row that is next of a source; None if nothing of it waits for its turn."""
    if source.state == State.WAITING:
        return source
    waiting = [each.rendition for each in asked if each.rendition and each.rendition.state == State.WAITING]
    return min(waiting, key=lambda each: (each.priority, each.waiting_since), default=None)


def _is_to_come(asked: Commission) -> bool:
    return asked.rendition is None or asked.rendition.state == State.WAITING


def _turns(first: Waiting, own: Line, rows_ahead: int) -> float:
    """Return how many turns of its lane come before a photo is painted."""
    if isinstance(first, Rendition):
        return rows_ahead * own.photos_a_row
    read_already = own.paints - own.reads if first.priority != Priority.WATCHED else 0
    return read_already + rows_ahead


def _past() -> list[Past]:
    done = Rendition.objects.filter(state=State.DONE, finished_at__isnull=False).order_by("-finished_at")[:RECENT]
    reading = ("commissions__source__started_at", "commissions__source__finished_at")
    rows = done.values_list("canvas_key", "holder", "recipe", "cpu_seconds", "started_at", "finished_at", *reading)
    return [Past(*row) for row in rows]


def _workers() -> int:
    try:
        return queue.count_workers()
    except RedisError:
        return settings.WORKERS


def _lines(pace: Pace) -> dict[str, Line]:
    """Return what waits in each lane; only counted, since every page that waits asks for it."""
    reads: dict[str, int] = defaultdict(int)
    paints: dict[str, list[tuple[int, int, float]]] = defaultdict(list)
    for lane, priority, rows, photos in _counts():
        if photos:
            each = pace.full_size if priority == Priority.LAST else pace.usual
            paints[lane].append((rows, photos, rows * each))
        else:
            reads[lane] += rows
    served = dict(Lane.objects.filter(name__in=[*reads, *paints]).values_list("name", "served_at"))
    return {lane: _line(reads[lane], paints[lane], pace, served.get(lane)) for lane in {*reads, *paints}}


def _counts() -> list[tuple[str, int, int, int]]:
    """Count what waits in each lane and priority: rows, and photos to be painted (0 for those to be read)."""
    unread = Source.objects.filter(WAITING).order_by().values("lane", "priority")
    waiting = Rendition.objects.filter(WAITING).order_by().values("lane", "priority")
    columns = ("lane", "priority", "rows", "photos")
    reads = unread.annotate(rows=Count("pk"), photos=Value(0)).values_list(*columns)
    paints = waiting.annotate(rows=Count("pk"), photos=Count("canvas_key", distinct=True)).values_list(*columns)
    return list(reads.union(paints, all=True))


def _line(reads: int, paints: Sequence[tuple[int, int, float]], pace: Pace, served_at: datetime | None) -> Line:
    rows, photos = sum(each[0] for each in paints), sum(each[1] for each in paints)
    seconds = reads * pace.photo + sum(each[2] for each in paints)
    return Line(
        reads=reads,
        paints=reads + photos,
        read_seconds=pace.read,
        paint_seconds=seconds / (reads + photos),
        served_at=served_at,
        photos_a_row=photos / rows if rows else 1,
    )


def _ahead(firsts: Sequence[Waiting]) -> dict[tuple[str, int], int]:
    """Return for each row how many rows of its lane come before it."""
    kinds: list[type[Source] | type[Rendition]] = [Source, Rendition]
    ids = {kind: [each.pk for each in firsts if isinstance(each, kind)] for kind in kinds}
    return {(kind.__name__, pk): count for kind in kinds if ids[kind] for pk, count in _counted(kind, ids[kind])}


def _counted(kind: type[Source] | type[Rendition], ids: Sequence[int]) -> QuerySet[Any]:  # Any: two kinds of rows
    earlier = Q(priority=OuterRef("priority"), waiting_since__lt=OuterRef("waiting_since"))
    before = kind.objects.filter(WAITING, Q(priority__lt=OuterRef("priority")) | earlier, lane=OuterRef("lane"))
    count = before.order_by().values("lane").annotate(count=Count("pk")).values("count")
    rows = kind.objects.filter(pk__in=ids).annotate(ahead=Coalesce(Subquery(count), 0))
    counted: QuerySet[Any] = rows.values_list("pk", "ahead")
    return counted
