"""Shared reads for the dashboard and the metrics: counted from the rows, in a bounded number of queries."""

import shutil
from collections import Counter, defaultdict
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, time, timedelta

from django.conf import settings
from django.db import models
from django.db.models import Count, Min, Sum
from django.utils import timezone
from django.utils.translation import gettext_lazy as _
from redis.exceptions import RedisError

from rendering import queue, sums
from rendering.models import KINDS, WAITING, WORKING, Export, Halt, Kind, Reason, Rendition, Source
from rendering.queue import WorkerLine
from rendering.sums import Figures, Sums

# CPU seconds of one core, measured: a JPEG decoded and shrunk to the usual size (0.8 and 12 megapixels), and a process
# of a worker with all styles loaded that is forked and ended.
DECODE_SECONDS = 0.0055
DECODE_SECONDS_A_MEGAPIXEL = 0.0046
FORK_SECONDS = 0.0096


class Span(models.TextChoices):
    """How far back the dashboard looks."""

    DAY = "24h", _("24 hours")
    WEEK = "7d", _("7 days")
    MONTH = "30d", _("30 days")
    HALF_YEAR = "180d", _("180 days")

    @property
    def bars(self) -> int:
        """How many bars a chart has."""
        return {Span.DAY: 24, Span.WEEK: 28, Span.MONTH: 30, Span.HALF_YEAR: 30}[self]

    @property
    def stretches(self) -> int:
        """How many hours or days one bar stands for."""
        return {Span.DAY: 1, Span.WEEK: 6, Span.MONTH: 1, Span.HALF_YEAR: 6}[self]

    def edges(self, *, now: datetime) -> list[datetime]:
        """Return where its hours (or days, by the site's midnights) begin, and where the last ends: the running one."""
        count = self.bars * self.stretches
        return hours(count, now=now) if self in (Span.DAY, Span.WEEK) else days(count, now=now)


class Trouble(models.TextChoices):
    """Why nothing is painted although something waits."""

    QUEUE_AWAY = "queue_away", _("The queue server cannot be reached. Nothing is lost: photos wait until it is back.")
    NO_WORKER = "no_worker", _("Work waits, and no painter lives. Photos wait until one is started.")
    ALL_REST = "all_rest", _("Work waits, and every painter has been told to rest.")


@dataclass(frozen=True)
class Bar:
    """What was finished in one stretch of time."""

    begins: datetime
    hours: float
    photos: int
    paintings: int

    @property
    def photos_an_hour(self) -> float:
        """Photos read in an hour of it."""
        return self.photos / self.hours

    @property
    def paintings_an_hour(self) -> float:
        """Paintings finished in an hour of it."""
        return self.paintings / self.hours


@dataclass(frozen=True)
class Quantiles:
    """Half, 95 and 99 of a hundred took no longer, in seconds."""

    p50: float
    p95: float
    p99: float


@dataclass(frozen=True)
class StyleTimes:
    """How long one style's paintings waited and were painted; of so many paintings."""

    style: str
    paintings: int
    wait: Quantiles
    paint: Quantiles


@dataclass(frozen=True)
class LaneLine:
    """What waits and is in work in one lane, and since when the oldest of it waits."""

    lane: str
    waiting: dict[Kind, int]
    working: int
    oldest: datetime | None


@dataclass(frozen=True)
class Doing:
    """What a worker has in hand."""

    kind: Kind
    pk: int
    since: datetime | None
    style: str = ""


@dataclass(frozen=True)
class WorkerNow:
    """A worker: whether it lives (RQ knows it), what it does, and whether it was told to rest, alone or with all."""

    name: str
    line: WorkerLine | None
    resting: bool
    resting_alone: bool
    doing: Sequence[Doing]


@dataclass(frozen=True)
class FailureLine:
    """How many readings, paintings and files failed for one reason."""

    reason: str
    counts: dict[Kind, int]

    @property
    def label(self) -> str:
        """The reason, in words."""
        return str(Reason(self.reason).label) if self.reason in Reason.values else self.reason

    @property
    def total(self) -> int:
        """All of them."""
        return sum(self.counts.values())


@dataclass(frozen=True)
class Batches:
    """What was done together: paintings of one canvas from one decoding, and units of work in one forked process."""

    paintings: int
    decodings: int
    units: int
    forks: int
    megapixels: float

    @property
    def decodings_saved(self) -> int:
        """How often a photo was not decoded once more."""
        return self.paintings - self.decodings

    @property
    def forks_saved(self) -> int:
        """How many processes were not begun."""
        return self.units - self.forks

    @property
    def cpu_seconds(self) -> float:
        """What both would have cost: the kernels' figures, for photos as large as the usual one of the period."""
        decoding = DECODE_SECONDS + DECODE_SECONDS_A_MEGAPIXEL * self.megapixels
        return self.decodings_saved * decoding + self.forks_saved * FORK_SECONDS


@dataclass(frozen=True)
class Stored:
    """Bytes by what they are, and the room on the disk that holds the site's files."""

    originals: int
    photo_pages: int
    paintings: int
    exports: int
    disk_total: int
    disk_free: int

    @property
    def total(self) -> int:
        """All files that rows know."""
        return self.originals + self.photo_pages + self.paintings + self.exports


def hours(count: int, *, now: datetime) -> list[datetime]:
    """Return where so many hours begin, the running one is the last; and where that ends."""
    end = timezone.localtime(now).replace(minute=0, second=0, microsecond=0).astimezone(UTC) + timedelta(hours=1)
    return [end - timedelta(hours=back) for back in range(count, -1, -1)]


def days(count: int, *, now: datetime) -> list[datetime]:
    """Return the midnights at which so many days begin, today is the last; and where that ends."""
    tomorrow = timezone.localdate(now) + timedelta(days=1)
    dates = [tomorrow - timedelta(days=back) for back in range(count, -1, -1)]
    return [timezone.make_aware(datetime.combine(date, time())).astimezone(UTC) for date in dates]


def bars(span: Span, edges: Sequence[datetime], stretches: Sequence[Sums]) -> list[Bar]:
    """Return how many photos and paintings were finished in each part of a period, the earliest first."""
    size = span.stretches
    found = []
    for first in range(0, len(stretches), size):
        ended = sums.total([{"": each.get("finished", ())} for each in stretches[first : first + size]])
        photos, paintings, *_ = (*map(int, ended[""]), 0, 0)
        length = (edges[first + size] - edges[first]).total_seconds() / 3600
        found.append(Bar(edges[first], length, photos, paintings))
    return found


def times(period: Sums) -> list[StyleTimes]:
    """Return how long paintings waited and were painted, by style."""
    waited = {style: counts for [style], counts in sums.of(period, "wait")}
    painted = {style: counts for [style], counts in sums.of(period, "paint")}
    return [
        StyleTimes(style, int(sum(counts)), quantiles(waited[style]), quantiles(counts))
        for style, counts in sorted(painted.items())
    ]


def quantiles(counts: Figures) -> Quantiles:
    """Return the percentiles of counted durations."""
    return Quantiles(*(sums.quantile(counts, share) for share in (0.5, 0.95, 0.99)))


def lanes() -> list[LaneLine]:
    """Return the lanes in which anything waits or is in work, the one that waits the longest first."""
    waiting: dict[str, dict[Kind, int]] = defaultdict(dict)
    oldest: dict[str, datetime] = {}
    working: Counter[str] = Counter()
    for kind, model in KINDS.items():
        groups = model.objects.filter(WAITING).order_by().values_list("lane")
        for lane, count, since in groups.annotate(Count("pk"), Min("waiting_since")):
            waiting[lane][kind] = count
            oldest[lane] = min(since, oldest.get(lane, since))
        working.update(model.objects.filter(WORKING).values_list("lane", flat=True))
    names = sorted(waiting, key=lambda lane: (oldest[lane], lane)) + sorted(working.keys() - waiting.keys())
    return [LaneLine(lane, waiting.get(lane, {}), working[lane], oldest.get(lane)) for lane in names]


def crew() -> tuple[bool, list[WorkerNow]]:
    """Return whether the queue server answers, and every worker that lives, has work in hand, or was told to rest."""
    reachable, lines = _workers()
    alive = {line.name: line for line in _latest(lines)}
    resting = set(Halt.objects.values_list("worker", flat=True))
    doing = _in_hand()
    names = sorted(alive.keys() | doing.keys() | (resting - {""}))
    return reachable, [
        WorkerNow(
            name, alive.get(name), bool(resting & {"", name}), bool(name) and name in resting, doing.get(name, [])
        )
        for name in names
    ]


def trouble(*, reachable: bool, workers: Sequence[WorkerNow], waiting: int) -> Trouble | None:
    """Return why what waits is not painted; None if nothing waits or somebody paints."""
    if not reachable:
        return Trouble.QUEUE_AWAY
    alive = [worker for worker in workers if worker.line]
    if not waiting or any(not worker.resting for worker in alive):
        return None
    return Trouble.ALL_REST if alive else Trouble.NO_WORKER


def failures(period: Sums) -> list[FailureLine]:
    """Return what has failed, by reason, the most frequent first."""
    counts: dict[str, dict[Kind, int]] = defaultdict(dict)
    for [kind, reason], [count] in sums.of(period, "failed"):
        counts[reason][Kind(kind)] = int(count)
    lines = [FailureLine(reason, of_reason) for reason, of_reason in counts.items()]
    return sorted(lines, key=lambda line: (-line.total, line.reason))


def batches(period: Sums) -> Batches:
    """Return what was done together: every row says which job did it, and a job is one forked process."""
    counts = [int(count) for count in period.get("batches", ())]
    paintings, decodings, units, forks = [*counts, 0, 0, 0, 0][:4]
    read, megapixels = period.get("read", (1, 0))
    return Batches(paintings, decodings, units, forks, megapixels / read)


def stored() -> Stored:
    """Return how many bytes the site's files take, and the room that there is."""
    sources = Source.objects.aggregate(originals=Sum("size"), photo_pages=Sum("stored_bytes"))
    others = {
        "paintings": Rendition.objects.filter(stored_bytes__gt=0).aggregate(total=Sum("stored_bytes"))["total"],
        "exports": Export.objects.aggregate(total=Sum("size"))["total"],
    }
    disk = shutil.disk_usage(settings.DATA_DIR)
    sums = {name: total or 0 for name, total in (sources | others).items()}
    return Stored(**sums, disk_total=disk.total, disk_free=disk.free)


def _in_hand() -> dict[str, list[Doing]]:
    found: dict[str, list[Doing]] = defaultdict(list)
    for kind, model in KINDS.items():
        columns = ("worker", "pk", "started_at", *(["style"] if model is Rendition else []))
        rows = model.objects.filter(WORKING).order_by("started_at", "pk").values_list(*columns)
        for worker, pk, since, *style in rows:
            found[worker].append(Doing(kind, pk, since, *style))
    return found


def _latest(lines: Sequence[WorkerLine]) -> list[WorkerLine]:
    """Leave out workers that have another in their place: Redis remembers for a minute who was killed."""
    ordered = sorted(lines, key=lambda line: (line.since is not None, line.since))
    places = {line.report.place or line.name: line for line in ordered}
    return list(places.values())


def _workers() -> tuple[bool, list[WorkerLine]]:
    try:
        return True, queue.workers()
    except RedisError:
        return False, []
