"""The dashboard's figures are counted from the rows, and the queue's absence is told."""

from collections import Counter
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from itertools import pairwise
from zoneinfo import ZoneInfo

import pytest
from django.utils import timezone

from rendering import queue, stats, sums
from rendering.models import Export, Halt, Kind, Reason, State
from rendering.queue import Report, WorkerLine
from rendering.stats import Quantiles, Span, Trouble, WorkerNow
from rendering.sums import Sums
from tests.processes import wait_until
from tests.rendering.makers import NOON, ONE_KEY, rendition_row, source_row

pytestmark = pytest.mark.django_db(transaction=True)
HOUR = timedelta(hours=1)


def test_queue_that_is_away_is_told(valkey):
    valkey.stop()

    assert stats.crew() == (False, [])


def test_workers_that_live_are_told(crew):
    crew.worker()
    wait_until(lambda: queue.workers()[0].state != "?", seconds=5)

    reachable, [worker] = stats.crew()

    assert reachable
    assert worker.name.startswith("test-")
    report = worker.line.report if worker.line else Report()
    assert report.memory > 50_000_000
    assert (report.place, report.restarts, report.child_memory) == ("", 0, 0)


def test_worker_that_was_started_again_takes_the_place_of_the_one_that_was_killed(monkeypatch):
    place = Report(place="atelier, worker 1", restarts=1, ended="signal SIGKILL")
    killed = WorkerLine("atelier-7-aa", "busy", NOON, 3, 0, Report(place="atelier, worker 1"))
    again = WorkerLine("atelier-9-bb", "idle", NOON + HOUR, 0, 0, place)
    other = WorkerLine("atelier-8-cc", "idle", NOON, 0, 0)
    monkeypatch.setattr(queue, "workers", lambda: [again, killed, other])

    _reachable, workers = stats.crew()

    assert [each.line for each in workers] == [other, again]


def painted(**facts: object):
    return rendition_row(**{"state": State.DONE, "folder": "renditions/a", "width": 10, **facts})


def read(**facts: object):
    made = {"state": State.DONE, "folder": "photos/a", "canvas_key": ONE_KEY, "phash": ONE_KEY}
    return source_row(**{**made, **facts})


def summed(edges) -> Sums:
    return sums.total(sums.sum_up(edges))


@pytest.mark.parametrize("span", Span)
def test_bars_count_what_was_finished_in_each_part_of_a_period(span):
    edges = span.edges(now=NOON)
    step = (edges[-1] - edges[0]) / span.bars
    for back in (0.5, 0.5, 1.5, span.bars - 0.5, span.bars + 0.5):
        painted(finished_at=edges[-1] - step * back)
    read(finished_at=edges[-1] - step * 1.5)
    rendition_row(state=State.FAILED, finished_at=edges[-1] - step * 0.5)

    bars = stats.bars(span, edges, sums.sum_up(edges))

    assert len(bars) == span.bars
    assert [(place, bar.photos, bar.paintings) for place, bar in enumerate(bars) if bar.photos or bar.paintings] == [
        (0, 0, 1),
        (span.bars - 2, 1, 1),
        (span.bars - 1, 0, 2),
    ]
    assert bars[-1].paintings_an_hour == 2 / (step / HOUR)
    assert bars[-2].photos_an_hour == 1 / (step / HOUR)
    assert bars[0].begins == edges[0]


def test_periods_end_with_the_running_hour_or_day():
    now = NOON + timedelta(minutes=20)

    assert (Span.DAY.edges(now=now)[0], Span.DAY.edges(now=now)[-1]) == (NOON - 23 * HOUR, NOON + HOUR)
    assert (Span.MONTH.edges(now=now)[0], Span.MONTH.edges(now=now)[-1]) == (
        NOON - 12 * HOUR - timedelta(days=29),
        NOON + 12 * HOUR,
    )


def test_days_are_as_long_as_the_sites_clock_makes_them():
    with timezone.override(ZoneInfo("Europe/Berlin")):
        edges = stats.days(3, now=datetime(2026, 3, 30, 12, tzinfo=UTC))

    assert [(end - begin) / HOUR for begin, end in pairwise(edges)] == [24, 23, 24]


@pytest.mark.parametrize("seconds", [0.0012, 0.08, 1.0, 7.3, 900.0, 86_000.0])
def test_percentiles_are_right_to_five_percent(seconds):
    counts = [0] * sums.BUCKETS
    counts[sums.bucket(seconds)] = 3

    told = stats.quantiles(counts)

    assert [told.p50, told.p95, told.p99] == pytest.approx([seconds] * 3, rel=0.05)


def test_percentiles_of_many_are_those_of_the_values():
    values = [0.01 * 1.01**number for number in range(1000)]
    counts = Counter(map(sums.bucket, values))

    told = stats.quantiles([counts[number] for number in range(sums.BUCKETS)])

    exact = [values[499], values[949], values[989]]
    assert [told.p50, told.p95, told.p99] == pytest.approx(exact, rel=0.05)
    assert stats.quantiles([]) == Quantiles(0.0, 0.0, 0.0)


def test_times_are_told_by_style_and_within_the_period():
    for waited, worked in ((1, 2), (3, 4), (50, 60)):
        begun = NOON - HOUR + timedelta(seconds=waited)
        facts = {"waiting_since": NOON - HOUR, "started_at": begun, "finished_at": begun + timedelta(seconds=worked)}
        painted(style="oil", **facts)
    long_ago = NOON - timedelta(days=2)
    painted(style="oil", waiting_since=long_ago, started_at=long_ago, finished_at=long_ago)

    [line] = stats.times(summed([NOON - 24 * HOUR, NOON]))

    assert (line.style, line.paintings) == ("oil", 3)
    assert [line.wait.p50, line.wait.p95, line.wait.p99] == pytest.approx([3, 50, 50], rel=0.05)
    assert [line.paint.p50, line.paint.p95, line.paint.p99] == pytest.approx([4, 60, 60], rel=0.05)


def test_lanes_are_told_with_their_oldest_and_what_is_in_work():
    source_row(lane="person-2", waiting_since=NOON - HOUR)
    rendition_row(lane="person-2", waiting_since=NOON - 2 * HOUR)
    rendition_row(lane="person-2", state=State.WORKING)
    rendition_row(lane="person-1", waiting_since=NOON - 3 * HOUR)
    rendition_row(lane="person-3", state=State.WORKING)
    painted(lane="person-4")

    lanes = stats.lanes()

    assert [(line.lane, line.waiting, line.working, line.oldest) for line in lanes] == [
        ("person-1", {Kind.PAINTING: 1}, 0, NOON - 3 * HOUR),
        ("person-2", {Kind.READING: 1, Kind.PAINTING: 1}, 1, NOON - 2 * HOUR),
        ("person-3", {}, 1, None),
    ]


def test_crew_tells_what_each_worker_has_in_hand_and_who_rests(valkey):
    busy = rendition_row(state=State.WORKING, worker="easel-1", started_at=NOON)
    Halt.objects.create(worker="easel-2", since=NOON)

    reachable, workers = stats.crew()

    assert reachable
    assert [(each.name, each.line, each.resting, each.resting_alone) for each in workers] == [
        ("easel-1", None, False, False),
        ("easel-2", None, True, True),
    ]
    assert [(doing.kind, doing.pk, doing.since) for doing in workers[0].doing] == [(Kind.PAINTING, busy.pk, NOON)]


def test_trouble_is_told_only_while_something_waits():
    alive = WorkerNow(
        "easel-1", WorkerLine("easel-1", "idle", NOON, 0, 0), resting=False, resting_alone=False, doing=[]
    )
    asleep = replace(alive, resting=True)
    gone = replace(alive, line=None)

    assert stats.trouble(reachable=True, workers=[asleep, alive], waiting=1) is None
    assert stats.trouble(reachable=True, workers=[asleep], waiting=1) == Trouble.ALL_REST
    assert stats.trouble(reachable=True, workers=[gone], waiting=1) == Trouble.NO_WORKER
    assert stats.trouble(reachable=True, workers=[], waiting=0) is None
    assert stats.trouble(reachable=False, workers=[], waiting=0) == Trouble.QUEUE_AWAY


def test_failures_are_counted_by_reason_and_kind():
    for reason in (Reason.CRASHED, Reason.CRASHED, Reason.DAMAGED):
        rendition_row(state=State.FAILED, reason=reason, finished_at=NOON)
    source_row(state=State.FAILED, reason=Reason.DAMAGED, finished_at=NOON)
    source_row(state=State.FAILED, reason=Reason.DAMAGED, finished_at=NOON)
    rendition_row(state=State.FAILED, reason=Reason.TOO_SLOW, finished_at=NOON - HOUR)

    lines = stats.failures(summed([NOON, NOON + HOUR]))

    assert [(line.reason, line.counts) for line in lines] == [
        (Reason.DAMAGED, {Kind.READING: 2, Kind.PAINTING: 1}),
        (Reason.CRASHED, {Kind.PAINTING: 2}),
    ]
    assert lines[1].label == "This photo cannot be painted: it stopped the painter each time."


def test_batches_are_counted_from_the_jobs_that_the_rows_name():
    recipe = iter("abcdefgh")
    for holder, canvas in (("turn-1", "c1"), ("turn-1", "c1"), ("turn-1", "c2"), ("turn-2", "c1"), ("", "c3")):
        painted(holder=holder, canvas_key=canvas, recipe_digest=next(recipe), finished_at=NOON)
    read(holder="turn-1", width=4000, height=3000, finished_at=NOON)

    batches = stats.batches(summed([NOON - HOUR, NOON + HOUR]))

    assert (batches.paintings, batches.decodings, batches.decodings_saved) == (4, 3, 1)
    assert (batches.units, batches.forks, batches.forks_saved) == (5, 2, 3)
    assert batches.megapixels == 12
    assert batches.cpu_seconds == pytest.approx(1 * (0.0055 + 12 * 0.0046) + 3 * 0.0096)


def test_stored_bytes_are_told_by_what_they_are():
    source_row(size=1000, stored_bytes=200)
    made = rendition_row(stored_bytes=30)
    Export.objects.create(rendition=made, intensity=100, used_at=NOON, waiting_since=NOON, size=4)

    stored = stats.stored()

    assert (stored.originals, stored.photo_pages, stored.paintings, stored.exports) == (1000, 200, 30, 4)
    assert stored.total == 1234
    assert 0 < stored.disk_free < stored.disk_total
