"""The only module that knows RQ: it wakes workers, which find in the database what is to be done.

A job in Redis is a turn at the easel and names no work. So nothing is lost with Redis, and whose work is next is
decided when a worker is free, not when the work came.
"""

import logging
import os
from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, dataclass, fields
from datetime import datetime
from functools import cache
from typing import Any, cast

import django_rq
from django.conf import settings
from django.db import transaction
from redis import Redis
from redis.backoff import NoBackoff
from redis.exceptions import ConnectionError as ConnectionLost
from redis.exceptions import RedisError
from redis.retry import Retry
from rq import Queue, Worker
from rq.job import Job

log = logging.getLogger(__name__)

TURN = "rendering.jobs.take_turn"
FOREVER = -1
"""A turn has no time limit of its own: each piece of work in it has one."""


class ForbiddenJobError(Exception):
    """A job in Redis that names a function which is not ours."""


class PaintingJob(Job):
    """A job that can only be one of ours: whoever writes to Redis must not choose what a worker runs."""

    @property
    def func(self) -> Callable[[], None]:
        """Return the function to call; raise ForbiddenJobError for any but ours."""
        if self.func_name != TURN:
            message = f"not a job of this product: {self.func_name!r}"
            raise ForbiddenJobError(message)
        return cast("Callable[[], None]", super().func)

    def restore(self, raw_data: Any) -> None:  # Any: RQ's own untyped mapping
        """Read a job from Redis without callbacks and webhooks: we use none."""
        super().restore(raw_data)
        self._success_callback_name = self._failure_callback_name = self._stopped_callback_name = None
        self.webhooks = []


@dataclass(frozen=True)
class Report:
    """What a worker says of itself: its place with the supervisor, how often and why that one had to start it again.

    Memory is in bytes, the worker's own and that of its child (0: it has none just now, or nobody knows).
    """

    place: str = ""
    restarts: int = 0
    ended: str = ""
    memory: int = 0
    child_memory: int = 0


@dataclass(frozen=True)
class WorkerLine:
    """One worker, as the dashboard shows it."""

    name: str
    state: str
    since: datetime | None
    finished: int
    failed: int
    report: Report = Report()


def wake(*, everybody: bool = False) -> None:
    """Have a worker (or every worker) look for work after the commit; they find it in the database."""
    transaction.on_commit(lambda: _push(everybody=everybody), robust=True)


def current_job() -> str:
    """Return the name of the job that this process does; empty outside of a worker."""
    return os.environ.get("RQ_JOB_ID", "")


def current_worker() -> str:
    """Return the name of the worker whose child this process is; empty outside of a worker."""
    return os.environ.get("RQ_WORKER_ID", "")


def length() -> int:
    """Return how many turns wait for a worker, which says nothing of the work; raise RedisError when Redis is away."""
    return int(_queue().count)


def workers() -> list[WorkerLine]:
    """Return the living workers; raise RedisError when Redis is away."""
    living = Worker.all(queue=_queue())
    return [
        WorkerLine(
            each.name,
            each.get_state(),
            each.birth_date,
            each.successful_job_count or 0,
            each.failed_job_count or 0,
            report,
        )
        for each, report in zip(living, _reports([each.key for each in living]), strict=True)
    ]


def report(key: str, told: Report, *, to: Redis) -> None:
    """Keep what a worker says of itself beside its name in Redis: it goes when the worker has gone."""
    to.hset(key, mapping={f"our_{name}": str(value) for name, value in asdict(told).items()})


def count_workers() -> int:
    """Return how many workers live; raise RedisError when Redis is away."""
    return int(Worker.count(queue=_queue()))


def is_reachable() -> bool:
    """Return whether Redis answers."""
    try:
        return bool(_queue().connection.ping())
    except RedisError:
        return False


def _queue() -> Queue:
    return _queue_at(settings.RQ_QUEUES[settings.QUEUE]["URL"])


@cache
def _queue_at(address: str) -> Queue:
    # Its pool keeps one connection for each thread that asks, and a forked child makes its own. One that was lost is
    # made again at once.
    connection = Redis.from_url(address, retry=Retry(NoBackoff(), 1, supported_errors=(ConnectionLost,)))
    return django_rq.get_queue(settings.QUEUE, commit_mode="auto", connection=connection)


def _reports(keys: Sequence[str]) -> list[Report]:
    names = [field.name for field in fields(Report)]
    with _queue().connection.pipeline(transaction=False) as pipeline:
        for key in keys:
            pipeline.hmget(key, [f"our_{name}" for name in names])
        found = pipeline.execute()
    return [_read(dict(zip(names, values, strict=True))) for values in found]


def _read(told: Mapping[str, bytes | None]) -> Report:
    words = {name: (value or b"").decode() for name, value in told.items()}
    numbers = {name: int(words[name] or 0) for name in ("restarts", "memory", "child_memory")}
    return Report(place=words["place"], ended=words["ended"], **numbers)


def _push(*, everybody: bool) -> None:
    # The rows are the truth: with Redis away, `tend` wakes the workers when Redis is back.
    try:
        paintings = _queue()
        waiting = paintings.count
        # An empty queue lacks a turn, however many workers there are.
        missing = max(1, count_workers()) - waiting if waiting or everybody else 1
        for _ in range(missing if everybody else min(1, missing)):
            paintings.enqueue(TURN, job_timeout=FOREVER, result_ttl=0, failure_ttl=60)
    except RedisError:
        log.warning("the queue is away; the work waits in the database")
