"""What a worker's child is at, and until when: written by the child, read by its parent, which ends it if it must."""

import mmap
import signal
import struct
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from types import FrameType

from rendering.models import Export, Rendition, Source, Work

KINDS: tuple[type[Work], ...] = (Source, Rendition, Export)
GRACE = 5.0
"""Seconds that a child has to notice that its time is up; C code hears no signal until it returns."""

# The number of the kind from 1 (0: nothing), the row's number (0: all that the child holds), and the time limit.
_NOTE = struct.Struct("=qqd")
# Anonymous shared memory, made before the fork: the parent reads what the child writes.
_shared = mmap.mmap(-1, _NOTE.size)
_told: list[int] = []


class TooSlow(BaseException):
    """The time of a piece of work is up. No Exception: nothing that expects all kinds of errors may swallow it."""


@dataclass(frozen=True)
class Doing:
    """What a child is at: one row, or all that it holds; `until` on the clock time.monotonic()."""

    kind: type[Work]
    row: int
    until: float

    @property
    def is_overdue(self) -> bool:
        """Whether the child has not noticed that its time is up."""
        return time.monotonic() > self.until + GRACE


@contextmanager
def doing(work: Work, *, seconds: float, everything: bool = False) -> Iterator[None]:
    """Say that this work (or everything that the child holds) is being done; raise TooSlow when its time is up."""
    before = _shared[:]
    _note(Doing(type(work), 0 if everything else work.pk, time.monotonic() + seconds))
    try:
        with _alarm(seconds):
            yield
    finally:
        _shared[:] = before


def current() -> Doing | None:
    """Return what the child is at; None between two pieces of work."""
    kind, row, until = _NOTE.unpack(_shared[:])
    return Doing(KINDS[kind - 1], row, until) if kind else None


def forget() -> None:
    """Forget what a child was at that has ended."""
    _shared[:] = bytes(_NOTE.size)


def listen() -> None:
    """Have the child hear that it shall end soon."""
    _told.clear()
    signal.signal(signal.SIGUSR1, _tell)


def told_to_end() -> bool:
    """Return whether the child was told to end: nothing new may be begun."""
    return bool(_told)


def _note(at: Doing) -> None:
    _shared[:] = _NOTE.pack(KINDS.index(at.kind) + 1, at.row, at.until)


@contextmanager
def _alarm(seconds: float) -> Iterator[None]:
    # A worker's child has one thread; signals come to no other.
    if threading.current_thread() is not threading.main_thread():
        yield
        return
    outer = signal.signal(signal.SIGALRM, _time_is_up)
    signal.setitimer(signal.ITIMER_REAL, seconds)
    try:
        yield
    finally:
        signal.setitimer(signal.ITIMER_REAL, 0)
        signal.signal(signal.SIGALRM, outer)


def _tell(number: int, _: FrameType | None) -> None:
    _told.append(number)


def _time_is_up(_: int, __: FrameType | None) -> None:
    raise TooSlow
