"""The queue on a real Valkey: turns that name no work, only our job, no callbacks; and it may be away."""

import json
import signal
import time
import zlib

import pytest
from django.db import transaction
from redis.exceptions import RedisError
from rq import Callback, Queue, Worker
from rq.exceptions import DeserializationError
from rq.job import Job
from rq.serializers import JSONSerializer, PickleSerializer
from rq.webhook import Webhook

from rendering import jobs, queue
from rendering.queue import TURN, ForbiddenJobError, PaintingJob

pytestmark = pytest.mark.django_db(transaction=True)


def raw_queue(valkey) -> Queue:
    """Return the queue as somebody sees it who can write to Redis."""
    return Queue("paintings", connection=valkey.client, serializer=JSONSerializer)


def fetched(valkey, job: Job) -> Job:
    """Return a job as our worker reads it."""
    return PaintingJob.fetch(job.id, connection=valkey.client, serializer=JSONSerializer)


def register_workers(valkey, count: int) -> None:
    """Have so many workers listen to the queue, as far as Redis knows."""
    for number in range(count):
        Worker([raw_queue(valkey)], name=f"listener-{number}", connection=valkey.client).register_birth()


def test_turn_goes_in_as_json_and_names_no_work(valkey):
    queue.wake()

    [name] = valkey.client.lrange("rq:queue:paintings", 0, -1)
    stored = valkey.client.hgetall(b"rq:job:" + name)
    assert json.loads(zlib.decompress(stored[b"data"])) == [TURN, None, [], {}]
    assert (stored[b"timeout"], stored[b"result_ttl"], stored[b"failure_ttl"]) == (b"-1", b"0", b"60")


def test_turns_are_never_more_than_workers(valkey):
    register_workers(valkey, 3)

    lengths = []
    for _ in range(6):
        queue.wake()
        lengths.append(queue.length())
    queue.wake(everybody=True)

    assert lengths == [1, 2, 3, 3, 3, 3]
    assert queue.length() == 3


def test_one_turn_waits_for_the_first_worker_to_come(valkey):
    for everybody in (False, True, True):
        queue.wake(everybody=everybody)

    assert queue.length() == 1


def test_everybody_is_woken(valkey):
    register_workers(valkey, 4)
    queue.wake()

    queue.wake(everybody=True)

    assert queue.length() == 4


def test_more_turns_than_workers_are_not_taken_back(valkey):
    """Workers have gone meanwhile: those that stay find nothing to do, which harms nobody."""
    register_workers(valkey, 2)
    queue.wake(everybody=True)
    valkey.client.delete("rq:workers:paintings")

    queue.wake()
    queue.wake(everybody=True)

    assert queue.length() == 2


def test_nobody_is_woken_before_the_commit(valkey):
    with transaction.atomic():
        queue.wake()
        during = queue.length()

    assert (during, queue.length()) == (0, 1)


def test_nobody_is_woken_after_a_roll_back(valkey):
    with transaction.atomic():
        queue.wake()
        transaction.set_rollback(True)

    assert queue.length() == 0


def test_our_job_is_that_of_the_door(valkey):
    queue.wake()

    assert [fetched(valkey, job).func for job in raw_queue(valkey).jobs] == [jobs.take_turn]


@pytest.mark.parametrize(
    "function", ["os.system", "rendering.jobs.turns.take", "rendering.jobs.take_turn.x", "rendering.store.remove", ""]
)
def test_forged_job_is_not_run(function, valkey):
    job = raw_queue(valkey).enqueue(function or "x", "touch /tmp/owned")
    if not function:
        job.data = b"[null, null, [], {}]"
        job.save()

    with pytest.raises((ForbiddenJobError, DeserializationError)):
        fetched(valkey, job).perform()


def test_forged_pickle_is_not_loaded(valkey):
    job = Queue("paintings", connection=valkey.client, serializer=PickleSerializer).enqueue(TURN)

    with pytest.raises(DeserializationError):
        fetched(valkey, job).perform()


def test_callbacks_and_webhooks_are_dropped(valkey):
    job = raw_queue(valkey).enqueue(
        TURN,
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


def test_queue_that_is_away_is_no_error_for_who_wakes(valkey):
    valkey.stop()

    started = time.monotonic()
    queue.wake()
    queue.wake(everybody=True)
    seconds = time.monotonic() - started

    assert not queue.is_reachable()
    assert seconds < 1


def test_queue_that_hangs_holds_nobody_up(valkey):
    queue.length()
    valkey.server.run.send_signal(signal.SIGSTOP)

    started = time.monotonic()
    queue.wake()
    seconds = time.monotonic() - started
    valkey.server.run.send_signal(signal.SIGCONT)

    assert seconds < 1.5


def test_questions_to_a_queue_that_is_away_fail(valkey):
    valkey.stop()

    for question in (queue.length, queue.workers):
        with pytest.raises(RedisError):
            question()


def test_reachable_queue_without_workers(valkey):
    assert (queue.is_reachable(), queue.workers(), queue.length()) == (True, [], 0)


def test_workers_are_told_by_name(valkey):
    register_workers(valkey, 2)

    assert [
        (line.name, line.finished, line.failed) for line in sorted(queue.workers(), key=lambda line: line.name)
    ] == [
        ("listener-0", 0, 0),
        ("listener-1", 0, 0),
    ]


def test_outside_of_a_worker_there_is_no_job():
    assert queue.current_job() == ""
