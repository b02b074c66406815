"""A worker: kernels compiled and styles loaded before it forks, its children bounded, mortal and watched."""

import ctypes
import logging
import os
import resource
import signal
import sys
from datetime import timedelta
from types import FrameType
from typing import Any

import cv2
import django_rq
from django.conf import settings
from django.db import Error, connections
from django.utils import timezone
from redis.exceptions import RedisError
from rq import Queue, Worker
from rq.executions import Execution
from rq.job import Job
from rq.serializers import JSONSerializer
from rq.timeouts import JobTimeoutException, UnixSignalDeathPenalty

from rendering import (
    jobs,  # noqa: F401 - the import is the point: what jobs need is loaded before the fork
    kernels,
    queue,
)
from rendering.models import Export, Rendition, Source

log = logging.getLogger(__name__)

PR_SET_PDEATHSIG = 1
WORKS = (Source, Rendition, Export)


class TimeLimit(UnixSignalDeathPenalty):
    """RQ's alarm, with an exception for jobs that no decoder and no storage swallows."""

    def handle_death_penalty(self, number: int, frame: FrameType | None) -> None:
        """Interrupt what goes on."""
        if self._exception is JobTimeoutException:
            raise queue.TooSlow
        super().handle_death_penalty(number, frame)  # type: ignore[no-untyped-call]  # RQ's


class PaintingWorker(Worker):
    """RQ's forking worker, with children that have limits, end with their parent, and whose death is noted in SQL."""

    death_penalty_class = TimeLimit

    def main_work_horse(self, job: Job, queue: Queue) -> None:
        """Do one job in the child."""
        end_with_parent(signal.SIGKILL)
        _limit_memory()
        connections.close_all()
        super().main_work_horse(job, queue)

    def maintain_heartbeats(self, job: Job, execution: Execution) -> None:
        """Keep the leases of a child that lives; when this worker dies they run out, and others take over."""
        _tell_alive(job.id)
        try:
            super().maintain_heartbeats(job, execution)
        except RedisError:
            log.warning("the queue is away; what is being painted goes on")

    def handle_work_horse_killed(self, job: Job, retpid: int, ret_val: int, rusage: Any) -> None:  # Any: struct_rusage
        """Give back at once what the dead child was working on, or set it aside after so many deaths."""
        for kind in WORKS:
            for work in kind.objects.all().held_by(job.id):
                work.crash(now=timezone.now(), max_crashes=settings.MAX_CRASHES)
        connections.close_all()


def run(name: str) -> None:
    """Work until a signal ends it; a second worker of the same name must not live."""
    _warm_up()
    lanes = [django_rq.get_queue(settings.QUEUE)]
    worker = PaintingWorker(
        lanes,
        name=name,
        connection=lanes[0].connection,
        job_class=queue.PaintingJob,
        serializer=JSONSerializer,
        worker_ttl=30,
        maintenance_interval=20,
        job_monitoring_interval=5,
    )
    worker.work(logging_level="WARNING")


def end_with_parent(number: signal.Signals) -> None:
    """Have the kernel send this process a signal when its parent dies (Linux; elsewhere nothing)."""
    if sys.platform == "linux":
        parent = os.getppid()
        ctypes.CDLL(None).prctl(PR_SET_PDEATHSIG, number)
        if os.getppid() != parent:
            os.kill(os.getpid(), number)


def _tell_alive(job: str) -> None:
    until = timezone.now() + timedelta(seconds=settings.LEASE_SECONDS)
    try:
        for kind in WORKS:
            kind.objects.all().prolong(job, until=until)
    except Error:
        log.exception("the database is away; trying again")
    finally:
        connections.close_all()


def _warm_up() -> None:
    # A pool's threads and sockets must not be shared with children; a worker needs one connection at a time anyway.
    for each in connections.all():
        each.settings_dict["OPTIONS"].pop("pool", None)
    # Before the fork: importing cv2 and loading the kernels in every child would cost half a second each.
    # One thread: a forked child that inherits OpenCV's used thread pool can hang.
    cv2.setNumThreads(1)
    kernels.compile_all()
    connections.close_all()


def _limit_memory() -> None:
    limit = settings.MAX_MEMORY_MB * 1_000_000
    resource.setrlimit(resource.RLIMIT_AS, (limit, limit))
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
