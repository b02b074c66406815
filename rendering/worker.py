"""A worker: kernels compiled and styles loaded before it forks, its children bounded, mortal and watched."""

import ctypes
import gc
import logging
import os
import resource
import signal
import socket
import sys
import time
from contextlib import suppress
from datetime import timedelta
from pathlib import Path
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
    supervision,
)
from rendering.models import Reason, State

log = logging.getLogger(__name__)

PR_SET_PDEATHSIG = 1
LOOK_SECONDS, LOOK_AGAIN_SECONDS = 0.5, 0.2
"""Between two looks at the child, and after one that saw it at something which nobody wants."""
HEARTBEAT_SECONDS = 5.0
"""Between two signs of life in Redis, where a worker counts as dead after a minute without one."""
# glibc's names for what mallopt() sets, and what suits arrays of some megabytes that come and go.
M_TRIM_THRESHOLD, M_TOP_PAD, M_MMAP_THRESHOLD = -1, -2, -3
KEPT_MEMORY = {M_MMAP_THRESHOLD: 32 << 20, M_TRIM_THRESHOLD: 512 << 20, M_TOP_PAD: 64 << 20}


class TimeLimit(UnixSignalDeathPenalty):
    """RQ's alarm, for the parent alone: a child's pieces of work have limits of their own (`supervision.doing`)."""

    seconds = LOOK_SECONDS

    def setup_death_penalty(self) -> None:
        """Set the alarm by which the parent looks after its child; a turn has none."""
        if self._exception is not JobTimeoutException:
            signal.signal(signal.SIGALRM, self.handle_death_penalty)
            signal.setitimer(signal.ITIMER_REAL, self.seconds)

    def cancel_death_penalty(self) -> None:
        """Take the alarm back, if there is one."""
        if self._exception is not JobTimeoutException:
            super().cancel_death_penalty()  # type: ignore[no-untyped-call]  # RQ's


class PaintingWorker(Worker):
    """RQ's forking worker, with children that have limits, end with their parent, and whose death is noted in SQL."""

    death_penalty_class = TimeLimit
    _stopping_since = 0.0
    _unwanted_before = False
    _prolonged_at = 0.0
    _beaten_at = 0.0

    def fork_work_horse(self, job: Job, queue: Queue) -> None:
        """Fork a child, which must not have its parent's database connections."""
        connections.close_all()
        super().fork_work_horse(job, queue)

    def main_work_horse(self, job: Job, queue: Queue) -> None:
        """Do one turn in the child."""
        end_with_parent(signal.SIGKILL)
        _limit_memory()
        _keep_memory()
        supervision.listen()
        super().main_work_horse(job, queue)

    def handle_warm_shutdown_request(self) -> None:
        """Have the child end after the painting that it is at."""
        self._stopping_since = time.monotonic()
        if self.horse_pid:
            with suppress(ProcessLookupError):
                os.kill(self.horse_pid, signal.SIGUSR1)

    def heartbeat(self, timeout: int | None = None, pipeline: Any = None) -> None:  # Any: RQ's own pipeline of Redis
        """Tell that the worker lives, and how it is."""
        super().heartbeat(timeout, pipeline)
        queue.report(self.key, _report(self.horse_pid), to=self.connection if pipeline is None else pipeline)

    def maintain_heartbeats(self, job: Job, execution: Execution) -> None:
        """Look after the child: prolong what it holds while it lives, end it when it must not go on."""
        self._look_after(job.id)
        # What nobody wants is ended at the next look, which need not wait as long.
        TimeLimit.seconds = LOOK_AGAIN_SECONDS if self._unwanted_before else LOOK_SECONDS
        if time.monotonic() - self._beaten_at < HEARTBEAT_SECONDS:
            return
        self._beaten_at = time.monotonic()
        try:
            super().maintain_heartbeats(job, execution)
        except RedisError:
            log.warning("the queue is away; what is being painted goes on")

    def handle_work_horse_killed(self, job: Job, retpid: int, ret_val: int, rusage: Any) -> None:  # Any: struct_rusage
        """Give back at once what the dead child held; what it was at has ended it, and is set aside the second time."""
        crash(job.id, supervision.current())
        supervision.forget()
        self._unwanted_before = False
        queue.wake()
        connections.close_all()

    def _look_after(self, holder: str) -> None:
        try:
            self._prolong(holder)
            if self._must_end(holder, supervision.current()):
                self.kill_horse(signal.SIGKILL)
                give_back(holder, supervision.current())
                supervision.forget()
                self._unwanted_before = False
                queue.wake()
        except Error:
            log.exception("the database is away; trying again")
            connections.close_all()

    def _prolong(self, holder: str) -> None:
        # The parent lives and says so: when it dies the leases run out, and others take over.
        if time.monotonic() - self._prolonged_at > settings.LEASE_SECONDS / 4:
            until = timezone.now() + timedelta(seconds=settings.LEASE_SECONDS)
            for kind in supervision.KINDS:
                kind.objects.all().prolong(holder, until=until)
            self._prolonged_at = time.monotonic()

    def _must_end(self, holder: str, at: supervision.Doing | None) -> bool:
        if self._stopping_since and time.monotonic() - self._stopping_since > settings.GRACE_SECONDS:
            return True
        if at is None:
            self._unwanted_before = False
            return False
        # Twice: the child may be about to notice by itself, and its other paintings would be lost with it.
        before, self._unwanted_before = self._unwanted_before, not _is_wanted(holder, at)
        return at.is_overdue or (before and self._unwanted_before)


def crash(holder: str, at: supervision.Doing | None) -> None:
    """Note what ended a child (if it did not say, all that it held), and give back unharmed what else it held."""
    for kind in supervision.KINDS:
        for work in kind.objects.all().held_by(holder):
            if at is None or (at.kind is kind and at.row in (0, work.pk)):
                work.crash(now=timezone.now(), max_crashes=settings.MAX_CRASHES)
            else:
                work.release()


def give_back(holder: str, at: supervision.Doing | None) -> None:
    """Give back what a child held that was ended on purpose; what took too long has failed."""
    for kind in supervision.KINDS:
        for work in kind.objects.all().held_by(holder):
            if at is not None and at.is_overdue and at.kind is kind and at.row in (0, work.pk):
                work.fail(Reason.TOO_SLOW, now=timezone.now())
            else:
                work.release()


def run(name: str) -> None:
    """Work until a signal ends it; a second worker of the same name must not live."""
    _warm_up()
    # A child hears it from the moment on when it listens; until then it must not end of it.
    signal.signal(signal.SIGUSR1, signal.SIG_IGN)
    lanes = [django_rq.get_queue(settings.QUEUE)]
    worker = PaintingWorker(
        lanes,
        name=name,
        connection=lanes[0].connection,
        job_class=queue.PaintingJob,
        serializer=JSONSerializer,
        worker_ttl=30,
        maintenance_interval=20,
        job_monitoring_interval=1,
    )
    worker.work(logging_level="WARNING")


def end_with_parent(number: signal.Signals) -> None:
    """Have the kernel send this process a signal when its parent dies (Linux; elsewhere nothing)."""
    if sys.platform == "linux":
        parent = os.getppid()
        ctypes.CDLL(None).prctl(PR_SET_PDEATHSIG, number)
        if os.getppid() != parent:
            os.kill(os.getpid(), number)


def _is_wanted(holder: str, at: supervision.Doing) -> bool:
    if at.row == 0:
        return at.kind.objects.all().held_by(holder).exists()
    # What is done is wanted as well: the child is at what comes after it, such as previews.
    return at.kind.objects.filter(pk=at.row, holder=holder, state__in=(State.WORKING, State.DONE)).exists()


def _report(child: int) -> queue.Report:
    """Return how this worker and its child are; what the supervisor knows comes by the environment."""
    facts = {name: os.environ.get(name, "") for name in ("PROGRAM", "RESTARTS", "ENDED")}
    program, restarts, ended = facts.values()
    place = f"{socket.gethostname()}, {program}" if program else ""
    own, childs = _resident(os.getpid()), _resident(child) if child else 0
    return queue.Report(place, int(restarts or 0), ended, own, childs)


def _resident(process: int) -> int:
    """Return how much memory a process has now (Linux; elsewhere, and once it has ended, 0)."""
    try:
        pages = Path(f"/proc/{process}/statm").read_text().split()[1]
    except OSError:
        return 0
    return int(pages) * resource.getpagesize()


def _warm_up() -> None:
    # A pool's threads and sockets must not be shared with children; a worker needs one connection at a time anyway.
    for each in connections.all():
        each.settings_dict["OPTIONS"].pop("pool", None)
    # Before the fork: importing cv2 and loading the kernels in every child would cost half a second each.
    # One thread: a forked child that inherits OpenCV's used thread pool can hang.
    cv2.setNumThreads(1)
    kernels.compile_all()
    connections.close_all()
    # A collection in a child would write to all that it shares with its parent, and so copy it.
    gc.collect()
    gc.freeze()


def _limit_memory() -> None:
    limit = settings.MAX_MEMORY_MB * 1_000_000
    resource.setrlimit(resource.RLIMIT_AS, (limit, limit))
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))


def _keep_memory() -> None:
    """Have the child keep the memory that it frees: it takes the same again for the next painting.

    Giving it back cost 9,700 page faults and 33 of 55 ms of system time a photo of 12 megapixels in four styles.
    """
    with suppress(AttributeError):  # the C library of another system
        for parameter, size in KEPT_MEMORY.items():
            ctypes.CDLL(None).mallopt(parameter, size)
