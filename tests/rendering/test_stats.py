"""The dashboard's figures are counted from the rows, and the queue's absence is told."""

from datetime import timedelta

import pytest

from rendering import queue, stats
from rendering.models import Export, Reason, State
from tests.processes import wait_until
from tests.rendering.makers import NOON, ONE_KEY, admit, photo, rendition_row, source_row

pytestmark = pytest.mark.django_db(transaction=True)
HOUR = timedelta(hours=1)


def test_work_is_counted_by_state(valkey):
    source_row()
    source_row(state=State.WORKING)
    source_row(state=State.DONE, folder="photos/a", canvas_key=ONE_KEY, phash=ONE_KEY)
    for state in (State.WAITING, State.WAITING, State.WORKING, State.CANCELLED, State.EVICTED):
        rendition_row(state=state)
    Export.objects.create(
        rendition=rendition_row(state=State.CANCELLED), intensity=100, used_at=NOON, waiting_since=NOON
    )

    figures = stats.overview(NOON)

    assert (figures.sources_waiting, figures.waiting, figures.working) == (2, 2, 1)
    assert (figures.exports_waiting, figures.put_away) == (1, 1)


def test_today_is_the_last_24_hours(valkey):
    done = {"state": State.DONE, "folder": "renditions/a", "width": 10, "cpu_seconds": 1.5}
    failed = {"state": State.FAILED, "reason": Reason.DAMAGED}
    for ended in (done, done, failed):
        rendition_row(**ended, finished_at=NOON - 23 * HOUR)
        rendition_row(**ended, finished_at=NOON - 25 * HOUR)

    figures = stats.overview(NOON)

    assert (figures.done_today, figures.failed_today, figures.cpu_seconds_today) == (2, 1, 3.0)


def test_stored_bytes_are_originals_and_all_pages(valkey):
    source_row(size=1000, stored_bytes=200)
    source_row(size=500)
    rendition_row(stored_bytes=30)

    assert stats.overview(NOON).stored_bytes == 1730


def test_empty_site_has_figures(valkey):
    figures = stats.overview(NOON)

    assert (figures.stored_bytes, figures.cpu_seconds_today, figures.done_today) == (0, 0.0, 0)
    assert (figures.redis_ok, figures.workers, figures.put_away) == (True, [], 0)


def test_queue_that_is_away_is_told(valkey):
    valkey.stop()

    figures = stats.overview(NOON)

    assert (figures.redis_ok, figures.workers) == (False, [])


def test_figures_take_a_constant_number_of_queries(valkey, django_assert_num_queries):
    for number in range(3):
        source_row()
        rendition_row(waiting_since=NOON + number * HOUR)

    with django_assert_num_queries(11):
        stats.overview(NOON)


def test_workers_and_jobs_are_told(media, crew):
    crew.worker()
    admit(photo())
    wait_until(lambda: queue.workers()[0].state != "?", seconds=5)

    figures = stats.overview(NOON)

    [worker] = figures.workers
    assert figures.redis_ok
    assert worker.name.startswith("test-")
    assert worker.state in ("idle", "busy", "started")
    assert (worker.finished, worker.failed) in ((0, 0), (1, 0))
