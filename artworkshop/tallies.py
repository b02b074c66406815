"""What the rows tell, as figures for Prometheus: workers are other processes, and rows are all they leave behind.

Counters begin at zero with this process, as Prometheus expects: it reads on from the rows that ended since. Several
web processes tell the same of the rows; take the largest, not the sum.
"""

import logging
import shutil
import threading
import time
from bisect import bisect_left
from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from datetime import datetime, timedelta
from itertools import accumulate
from typing import Any, TypeAlias

from django.conf import settings
from django.db import DatabaseError
from django.db.models import Count, Max, Min, Sum
from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily, HistogramMetricFamily, Metric
from redis.exceptions import RedisError

from gallery.ledger import STEPS
from gallery.models import Artwork, How
from rendering import queue, styles
from rendering.models import (
    WAITING,
    WORKING,
    Commission,
    Export,
    Found,
    Halt,
    Priority,
    Reason,
    Rendition,
    Source,
    State,
)

log = logging.getLogger(__name__)

LATE = timedelta(seconds=30)
"""A row may be committed so long after the time that it says it ended at."""
MOST = 20_000
"""So many rows are read at once; what is left waits for the next time."""
LATE_ROWS = 1000
"""So many rows may be committed in another order than they were numbered in."""
FRESH = 2.0
"""Seconds for which figures are given again, however many ask."""
STORED_FRESH = 60.0
"""The same for what takes a look at every row."""

PAINTING_SECONDS = (0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30)
WAITING_SECONDS = (0.5, 1, 2.5, 5, 10, 30, 60, 300, 900, 3600, 14400)
WORKER_STATES = ("started", "idle", "busy", "suspended")
KINDS = {Source: "source", Rendition: "rendition", Export: "export"}
ENDED = (State.DONE, State.FAILED, State.EVICTED)

Row: TypeAlias = tuple[Any, ...]
Labels: TypeAlias = tuple[str, ...]


class Buckets:
    """How many values are at most so large, for each set of labels, and their sum."""

    def __init__(self, bounds: Sequence[float], known: Iterable[Labels]) -> None:
        """Begin with nothing but what is known to come: a series that is there from the start has no gaps."""
        self.bounds = bounds
        self.counts: dict[Labels, list[int]] = {labels: [0] * (len(bounds) + 1) for labels in known}
        self.sums: dict[Labels, float] = defaultdict(float)

    def add(self, labels: Labels, value: float) -> None:
        """Count one value; a clock that was set back makes none negative."""
        counts = self.counts.setdefault(labels, [0] * (len(self.bounds) + 1))
        counts[bisect_left(self.bounds, max(0.0, value))] += 1
        self.sums[labels] += max(0.0, value)

    def family(self, name: str, words: str, names: Sequence[str]) -> Metric:
        """Return the histogram."""
        told = HistogramMetricFamily(name, words, labels=names)
        for labels, counts in self.counts.items():
            edges = [*map(str, map(float, self.bounds)), "+Inf"]
            told.add_metric(labels, list(zip(edges, map(float, accumulate(counts)), strict=True)), self.sums[labels])
        return told


class Ended:
    """Work that has ended since a moment, each piece counted once."""

    def __init__(self, *, since: datetime) -> None:
        """Count from then on."""
        self.marks: dict[Any, datetime] = dict.fromkeys(KINDS, since)
        self.begin = since
        self.seen: dict[Any, dict[tuple[int, datetime], None]] = {kind: {} for kind in KINDS}
        self.outcomes: Counter[Labels] = Counter(
            {(kind, state): 0 for kind in KINDS.values() for state in ("done", "failed")}
        )
        self.failures: Counter[Labels] = Counter({(kind, each): 0 for kind in KINDS.values() for each in Reason.values})
        known = [(name,) for name in styles.NAMES]
        self.painting = Buckets(PAINTING_SECONDS, known)
        self.waiting = Buckets(WAITING_SECONDS, known)
        self.reading = Buckets(PAINTING_SECONDS, [()])

    def read(self) -> None:
        """Count what has ended since the last time."""
        for kind, name in KINDS.items():
            for row in self._new(kind):
                self._count(name, row)

    def _new(self, kind: Any) -> Iterator[Row]:
        style = ("style",) if kind is Rendition else ()
        fields = ("pk", "finished_at", "state", "reason", "cpu_seconds", "waiting_since", *style)
        since = max(self.begin, self.marks[kind] - LATE)
        ended = kind.objects.filter(finished_at__gte=since, state__in=ENDED).order_by("finished_at")
        rows: list[Row] = list(ended.values_list(*fields)[:MOST])
        fresh = [row for row in rows if row[:2] not in self.seen[kind]]
        if rows:
            # A full page of old acquaintances would be read again and again.
            latest = rows[-1][1] + (LATE if len(rows) == MOST else timedelta(0))
            self.marks[kind] = max(self.marks[kind], latest)
            self.seen[kind] = dict.fromkeys(row[:2] for row in rows)
        yield from fresh

    def _count(self, kind: str, row: Row) -> None:
        _, finished_at, state, reason, cpu_seconds, waiting_since, *style = row
        self.outcomes[kind, "failed" if state == State.FAILED else "done"] += 1
        if state == State.FAILED:
            self.failures[kind, reason] += 1
        elif style:
            self.painting.add((style[0],), cpu_seconds)
            self.waiting.add((style[0],), (finished_at - waiting_since).total_seconds())
        elif kind == "source":
            self.reading.add((), cpu_seconds)

    def families(self) -> Iterator[Metric]:
        """Yield the counters and histograms."""
        yield _counter("artworkshop_ended", "Work that has ended.", ("kind", "outcome"), self.outcomes)
        yield _counter("artworkshop_failures", "Work that failed, by the reason.", ("kind", "reason"), self.failures)
        yield self.painting.family("artworkshop_render_seconds", "CPU time of a painting.", ("style",))
        words = "Time from being asked for to being painted."
        yield self.waiting.family("artworkshop_render_wait_seconds", words, ("style",))
        yield self.reading.family("artworkshop_read_seconds", "CPU time of reading a photo.", ())


class Steps:
    """In which way people got their artworks: painted for them, or spared by one of the cache's steps."""

    FIELDS = ("pk", "twin", "same_file", "commission__found")

    def __init__(self, *, after: int | None = None) -> None:
        """Count the artworks with larger numbers; those that come from now on if there is none."""
        self.begin = self.mark = after
        self.seen: set[int] = set()
        self.unknown: set[int] = set()
        self.counts: Counter[Labels] = Counter({(str(how),): 0 for how in STEPS})

    def read(self) -> None:
        """Count what has come since the last time, and what has been found out meanwhile about the rest."""
        if self.begin is None or self.mark is None:
            self.begin = self.mark = Artwork.objects.aggregate(last=Max("pk"))["last"] or 0
        window = Artwork.objects.filter(pk__gt=max(self.begin, self.mark - LATE_ROWS)).order_by("pk")
        rows = list(window.values_list(*self.FIELDS)[:MOST])
        waiting = sorted(self.unknown)[-MOST:]
        found = list(Artwork.objects.filter(pk__in=waiting).values_list(*self.FIELDS)) if waiting else []
        # Those that are gone, and those beyond what is looked at, are never found out about.
        self.unknown.clear()
        for row in (*found, *(row for row in rows if row[0] not in self.seen)):
            self._count(row)
        self.mark = max([self.mark, *(row[0] for row in rows)])
        self.seen = {row[0] for row in rows}

    def _count(self, row: Row) -> None:
        pk, twin, same_file, found = row
        hits = {How.TWIN: twin, How.SAME_FILE: same_file, How.SAME_PICTURE: found == Found.SAME_PICTURE}
        how = next((step for step, hit in hits.items() if hit), How.PAINTED)
        if how == How.PAINTED and not found:
            self.unknown.add(pk)
        else:
            self.counts[str(how),] += 1

    def families(self) -> Iterator[Metric]:
        """Yield the counter."""
        yield _counter("artworkshop_artworks", "Artworks, by how they were got.", ("how",), self.counts)


class Tallies:
    """All that the rows and the queue tell, gathered at most every few seconds, however many ask."""

    def __init__(self, *, since: datetime, after: int | None = None) -> None:
        """Count what ends from then on, and artworks with larger numbers."""
        self.ended = Ended(since=since)
        self.steps = Steps(after=after)
        self._lock = threading.Lock()
        self._told: list[Metric] = []
        self._told_at = self._stored_at = float("-inf")
        self._stored: list[Metric] = []

    def collect(self, *, now: datetime) -> list[Metric]:
        """Return the figures; without the database only what is known otherwise."""
        with self._lock:
            if time.monotonic() - self._told_at > FRESH:
                self._told = [*self._of_rows(now), *of_queue(), of_disks()]
                self._told_at = time.monotonic()
            return self._told

    def _of_rows(self, now: datetime) -> list[Metric]:
        up = GaugeMetricFamily("artworkshop_database_up", "Whether the database answers (1) or not (0).")
        try:
            told = [*of_work(now), *self._of_ended(), *self._of_store()]
        except DatabaseError:
            log.exception("the database is away; nothing is told of the rows")
            told = []
        up.add_metric([], float(bool(told)))
        return [up, *told]

    def _of_ended(self) -> Iterator[Metric]:
        for each in (self.ended, self.steps):
            each.read()
            yield from each.families()

    def _of_store(self) -> list[Metric]:
        if time.monotonic() - self._stored_at > STORED_FRESH:
            self._stored = list(of_store())
            self._stored_at = time.monotonic()
        return self._stored


def of_work(now: datetime) -> Iterator[Metric]:
    """Yield what waits and what is being done: by kind and priority, never by person."""
    waiting, oldest = {}, {}
    for kind, name in KINDS.items():
        for priority, count, since in _waiting(kind):
            waiting[name, priority] = count
            # What was put off for a moment waits from a time to come.
            oldest[name, priority] = max(0.0, (now - since).total_seconds()) if since else 0.0
    names = ("kind", "priority")
    yield _gauge("artworkshop_waiting", "Work that waits for a worker.", names, waiting)
    yield _gauge("artworkshop_oldest_waiting_seconds", "How long the oldest of it has waited.", names, oldest)
    working = {(name,): kind.objects.filter(WORKING).count() for kind, name in KINDS.items()}
    yield _gauge("artworkshop_working", "Work that is being done.", ("kind",), working)
    yield _one("artworkshop_lanes_waiting", "People for whom something waits.", len(_lanes()))
    held = Commission.objects.filter(rendition=None, wanted=True, not_before__gt=now).count()
    yield _one("artworkshop_held_paintings", "Paintings that wait for somebody's allowance.", held)
    yield _one("artworkshop_halts", "Workers that were told to rest; all of them count as one.", Halt.objects.count())


def of_queue() -> Iterator[Metric]:
    """Yield how Redis and the workers are; without Redis nobody knows who works."""
    try:
        states, turns = Counter(worker.state for worker in queue.workers()), queue.length()
    except RedisError:
        yield _one("artworkshop_redis_up", "Whether Redis answers (1) or not (0).", 0)
        return
    yield _one("artworkshop_redis_up", "Whether Redis answers (1) or not (0).", 1)
    known = dict.fromkeys((*WORKER_STATES, *states), 0) | states
    workers = {(state,): count for state, count in known.items()}
    yield _gauge("artworkshop_workers", "Living workers, by what they do.", ("state",), workers)
    yield _one("artworkshop_turns_waiting", "Turns that wait for a worker; they say nothing of the work.", turns)


def of_store() -> Iterator[Metric]:
    """Yield what is stored; this looks at every row."""
    sources = Source.objects.aggregate(originals=Sum("size"), pages=Sum("stored_bytes"))
    exports = Export.objects.aggregate(files=Sum("size"))
    by_state = {
        state: (count, size or 0)
        for state, count, size in Rendition.objects.order_by()
        .values_list("state")
        .annotate(Count("pk"), Sum("stored_bytes"))
    }
    stored = {
        ("originals",): sources["originals"] or 0,
        ("thumbnails",): sources["pages"] or 0,
        ("paintings",): sum(size for _, size in by_state.values()),
        ("exports",): exports["files"] or 0,
    }
    yield _gauge("artworkshop_stored_bytes", "Bytes in the storage, by what they are.", ("what",), stored)
    counts = {(str(state),): by_state.get(state, (0, 0))[0] for state in State}
    yield _gauge("artworkshop_renditions", "Paintings, by their state.", ("state",), counts)


def of_disks() -> Metric:
    """Return how much room the disks have."""
    folders = {"data": settings.DATA_DIR, "uploads": settings.FILE_UPLOAD_TEMP_DIR}
    free = {(disk,): shutil.disk_usage(str(folder)).free for disk, folder in folders.items()}
    return _gauge("artworkshop_disk_free_bytes", "Room on the disks of this host.", ("disk",), free)


def _waiting(kind: Any) -> Iterator[Row]:
    found = kind.objects.filter(WAITING).order_by().values_list("priority").annotate(Count("pk"), Min("waiting_since"))
    known = {priority: (count, since) for priority, count, since in found}
    for priority in Priority:
        yield (priority.name.lower(), *known.get(priority, (0, None)))


def _lanes() -> set[str]:
    waiting = (kind.objects.filter(WAITING).order_by().values_list("lane", flat=True).distinct() for kind in KINDS)
    return {lane for lanes in waiting for lane in lanes}


def _counter(name: str, words: str, names: Sequence[str], counts: Counter[Labels]) -> Metric:
    told = CounterMetricFamily(name, words, labels=names)
    for labels, count in counts.items():
        told.add_metric(labels, count)
    return told


def _gauge(name: str, words: str, names: Sequence[str], values: Mapping[Any, float]) -> Metric:  # Any: Labels
    told = GaugeMetricFamily(name, words, labels=names)
    for labels, value in values.items():
        told.add_metric(labels, value)
    return told


def _one(name: str, words: str, value: float) -> Metric:
    return GaugeMetricFamily(name, words, value=value)
