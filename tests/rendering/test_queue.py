"""The queue on a real Valkey: ids as JSON, only our jobs, no callbacks; and it may be away."""

import json
import signal
import time
import zlib

import pytest
from django.db import transaction
from redis.exceptions import RedisError
from rq import Callback, Queue
from rq.exceptions import DeserializationError
from rq.job import Job
from rq.serializers import JSONSerializer, PickleSerializer
from rq.webhook import Webhook

from rendering import jobs, queue
from rendering.queue import PAINT, READ, ForbiddenJobError, PaintingJob

pytestmark = pytest.mark.django_db(transaction=True)


def raw_queue(valkey) -> Queue:
    """Return the queue as somebody sees it who can write to Redis."""
    return Queue("paintings", connection=valkey.client, serializer=JSONSerializer)


def fetched(valkey, job: Job) -> Job:
    """Return a job as our worker reads it."""
    return PaintingJob.fetch(job.id, connection=valkey.client, serializer=JSONSerializer)


def test_ids_go_in_as_json(valkey):
    queue.enqueue_paint(7, seconds=33)

    [name] = valkey.client.lrange("rq:queue:paintings", 0, -1)
    stored = valkey.client.hgetall(b"rq:job:" + name)
    assert json.loads(zlib.decompress(stored[b"data"])) == [PAINT, None, [7], {}]
    assert (stored[b"timeout"], stored[b"result_ttl"], stored[b"failure_ttl"]) == (b"33", b"0", b"3600")


def test_photos_are_read_before_any_painting(valkey):
    queue.enqueue_paint(1, seconds=10)
    queue.enqueue_read(2, seconds=10)

    waiting = [(job.func_name, job.args) for job in raw_queue(valkey).jobs]
    assert waiting == [(READ, [2]), (PAINT, [1])]


def test_waiting_tells_which_sources(valkey):
    for source_id in (5, 5, 12):
        queue.enqueue_paint(source_id, seconds=10)
    queue.enqueue_read(7, seconds=10)
    raw_queue(valkey).enqueue("os.system", "true", job_id="paint-by-numbers")

    assert (queue.waiting(PAINT), queue.waiting(READ), queue.length()) == ({5, 12}, {7}, 5)


def test_nothing_is_enqueued_before_the_commit(valkey):
    with transaction.atomic():
        queue.enqueue_read(1, seconds=10)
        during = queue.length()

    assert (during, queue.length()) == (0, 1)


def test_nothing_is_enqueued_after_a_roll_back(valkey):
    with transaction.atomic():
        queue.enqueue_read(1, seconds=10)
        transaction.set_rollback(True)

    assert queue.length() == 0


def test_our_jobs_are_those_of_the_door(valkey):
    queue.enqueue_paint(1, seconds=10)
    queue.enqueue_read(1, seconds=10)

    assert [fetched(valkey, job).func for job in raw_queue(valkey).jobs] == [jobs.read_source, jobs.paint]


@pytest.mark.parametrize("function", ["os.system", "rendering.jobs.renditions.paint", "rendering.store.remove", ""])
def test_forged_job_is_not_run(function, valkey):
    job = raw_queue(valkey).enqueue(function or "x", "touch /tmp/owned")
    if not function:
        job.data = b"[null, null, [], {}]"
        job.save()

    with pytest.raises((ForbiddenJobError, DeserializationError)):
        fetched(valkey, job).perform()


def test_forged_pickle_is_not_loaded(valkey):
    job = Queue("paintings", connection=valkey.client, serializer=PickleSerializer).enqueue(READ, 1)

    with pytest.raises(DeserializationError):
        fetched(valkey, job).perform()


def test_callbacks_and_webhooks_are_dropped(valkey):
    job = raw_queue(valkey).enqueue(
        READ,
        1,
        on_success=Callback("os.getcwd"),
        on_failure=Callback("os.getcwd"),
        on_stopped=Callback("os.getcwd"),
        webhooks=[Webhook("http://169.254.169.254/", job_status="finished")],
    )

    ours = fetched(valkey, job)

    assert (ours.success_callback, ours.failure_callback, ours.stopped_callback, ours.webhooks) == (
        None,
        None,
        None,
        [],
    )


def test_queue_that_is_away_is_no_error_for_who_enqueues(valkey):
    valkey.stop()

    started = time.monotonic()
    queue.enqueue_read(1, seconds=10)
    seconds = time.monotonic() - started

    assert not queue.is_reachable()
    assert seconds < 1


def test_queue_that_hangs_holds_nobody_up(valkey):
    queue.length()
    valkey.server.run.send_signal(signal.SIGSTOP)

    started = time.monotonic()
    queue.enqueue_read(1, seconds=10)
    seconds = time.monotonic() - started
    valkey.server.run.send_signal(signal.SIGCONT)

    assert seconds < 1.5


def test_questions_to_a_queue_that_is_away_fail(valkey):
    valkey.stop()

    for question in (queue.length, queue.workers, lambda: queue.waiting(READ)):
        with pytest.raises(RedisError):
            question()


def test_reachable_queue_without_workers(valkey):
    assert (queue.is_reachable(), queue.workers(), queue.length()) == (True, [], 0)
