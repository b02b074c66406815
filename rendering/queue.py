"""The only module that knows RQ: ids go in, a worker takes them out."""

import logging
import os
import secrets
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from typing import Any, cast

import django_rq
from django.conf import settings
from django.db import transaction
from redis.exceptions import RedisError
from rq import Queue, Worker
from rq.job import Job

log = logging.getLogger(__name__)

READ = "rendering.jobs.read_source"
PAINT = "rendering.jobs.paint"
EXPORT = "rendering.jobs.make_export"


class TooSlow(BaseException):
    """A job's time is up. No Exception: nothing on the way that expects all kinds of errors may swallow it."""


class ForbiddenJobError(Exception):
    """A job in Redis that names a function which is not ours."""


class PaintingJob(Job):
    """A job that can only be one of ours: whoever writes to Redis must not choose what a worker runs."""

    @property
    def func(self) -> Callable[[int], None]:
        """Return the function to call; raise ForbiddenJobError for any but ours."""
        if self.func_name not in (READ, PAINT, EXPORT):
            message = f"not a job of this product: {self.func_name!r}"
            raise ForbiddenJobError(message)
        return cast("Callable[[int], None]", super().func)

    def restore(self, raw_data: Any) -> None:  # Any: RQ's own untyped mapping
        """Read a job from Redis without callbacks and webhooks: we use none."""
        super().restore(raw_data)
        self._success_callback_name = self._failure_callback_name = self._stopped_callback_name = None
        self.webhooks = []


@dataclass(frozen=True)
class WorkerLine:
    """One worker, as the dashboard shows it."""

    name: str
    state: str
    since: datetime | None
    finished: int
    failed: int


def enqueue_read(source_id: int, *, seconds: int) -> None:
    """Have a source read after the commit, before any painting."""
    _enqueue(READ, source_id, seconds=seconds, at_front=True)


def enqueue_paint(source_id: int, *, seconds: int) -> None:
    """Have everything painted after the commit that this source's canvas still needs."""
    _enqueue(PAINT, source_id, seconds=seconds, at_front=False)


def enqueue_export(export_id: int, *, seconds: int) -> None:
    """Have a file made after the commit, before any painting: somebody waits for it and looks at the page."""
    _enqueue(EXPORT, export_id, seconds=seconds, at_front=True)


def waiting(function: str) -> set[int]:
    """Return the sources (or exports) for which this function waits; raise RedisError when Redis is away."""
    beginning = f"{_short(function)}-"
    found = (job.removeprefix(beginning).split("-")[0] for job in _queue().job_ids if job.startswith(beginning))
    return {int(number) for number in found if number.isdigit()}


def current_job() -> str:
    """Return the name of the job that this process does; empty outside of a worker."""
    return os.environ.get("RQ_JOB_ID", "")


def length() -> int:
    """Return how many jobs wait; raise RedisError when Redis is away."""
    return int(_queue().count)


def workers() -> list[WorkerLine]:
    """Return the living workers; raise RedisError when Redis is away."""
    return [
        WorkerLine(
            each.name, each.get_state(), each.birth_date, each.successful_job_count or 0, each.failed_job_count or 0
        )
        for each in Worker.all(queue=_queue())
    ]


def is_reachable() -> bool:
    """Return whether Redis answers."""
    try:
        return bool(_queue().connection.ping())
    except RedisError:
        return False


def _queue() -> Queue:
    return django_rq.get_queue(settings.QUEUE, commit_mode="auto")


def _enqueue(function: str, argument: int, *, seconds: int, at_front: bool) -> None:
    def push() -> None:
        # The row is the truth: with Redis away, `tend` enqueues it again when Redis is back.
        try:
            _queue().enqueue(
                function,
                argument,
                # The name says what waits, so that `waiting` need not fetch every job.
                job_id=f"{_short(function)}-{argument}-{secrets.token_hex(4)}",
                job_timeout=seconds,
                at_front=at_front,
                result_ttl=0,
                failure_ttl=3600,
            )
        except RedisError:
            log.warning("the queue is away; the work waits in the database")

    transaction.on_commit(push)


def _short(function: str) -> str:
    return function.rpartition(".")[2]
