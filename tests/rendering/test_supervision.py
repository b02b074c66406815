"""What a child says of its work is read by its parent; time that is up is heard in Python code, and never swallowed."""

import os
import signal
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager

import pytest

from rendering import supervision
from rendering.models import Export, Rendition, Source
from rendering.supervision import Doing, TooSlow


@pytest.fixture(autouse=True)
def clean() -> Iterator[None]:
    """Leave signals and the note as they were."""
    outer = signal.getsignal(signal.SIGUSR1)
    yield
    signal.signal(signal.SIGUSR1, outer)
    supervision._told.clear()
    supervision.forget()


@contextmanager
def forked(work: Callable[[], object]) -> Iterator[int]:
    """Do something in a child process, as a worker does; end it afterwards."""
    child = os.fork()
    if child == 0:
        try:
            work()
        finally:
            os._exit(0)
    try:
        yield child
    finally:
        os.kill(child, signal.SIGKILL)
        os.waitpid(child, 0)


def seen(within: float = 10) -> Doing | None:
    """Return what the child says that it is at, as soon as it says something."""
    deadline = time.monotonic() + within
    while supervision.current() is None and time.monotonic() < deadline:
        time.sleep(0.005)
    return supervision.current()


def at() -> tuple[type, int] | None:
    doing = supervision.current()
    return (doing.kind, doing.row) if doing else None


def test_nothing_is_done_between_two_pieces_of_work():
    with supervision.doing(Source(pk=3), seconds=60):
        pass

    assert supervision.current() is None


@pytest.mark.parametrize("kind", [Source, Rendition, Export])
def test_parent_reads_what_its_child_is_at(kind):
    def work() -> None:
        with supervision.doing(kind(pk=2**40), seconds=60):
            time.sleep(60)

    begun = time.monotonic()
    with forked(work):
        doing = seen()

    assert doing is not None
    assert (doing.kind, doing.row, doing.is_overdue) == (kind, 2**40, False)
    assert begun + 60 <= doing.until <= time.monotonic() + 60


def test_parent_knows_what_a_killed_child_was_at_until_it_forgets():
    def work() -> None:
        with supervision.doing(Rendition(pk=7), seconds=60):
            time.sleep(60)

    with forked(work):
        seen()
    after = at()
    supervision.forget()

    assert (after, at()) == ((Rendition, 7), None)


def test_child_that_holds_several_may_be_at_all_of_them():
    with supervision.doing(Rendition(pk=7), seconds=60, everything=True):
        assert at() == (Rendition, 0)


def test_time_that_is_up_is_heard_in_python_code():
    started = time.monotonic()

    with pytest.raises(TooSlow), supervision.doing(Source(pk=1), seconds=0.1):
        time.sleep(30)

    assert time.monotonic() - started < 5
    assert at() is None


def test_time_that_is_up_is_swallowed_by_nobody_who_expects_errors():
    def decode() -> None:
        try:
            time.sleep(30)
        except Exception:  # noqa: BLE001 - as decoders do
            pytest.fail("a decoder took it for a damaged picture")

    with pytest.raises(TooSlow), supervision.doing(Source(pk=1), seconds=0.1):
        decode()


def test_alarm_is_taken_back():
    before = signal.getsignal(signal.SIGALRM)

    with supervision.doing(Source(pk=1), seconds=0.05):
        pass
    time.sleep(0.1)

    assert signal.getitimer(signal.ITIMER_REAL) == (0, 0)
    assert signal.getsignal(signal.SIGALRM) == before


def test_error_in_the_work_goes_through_and_is_forgotten():
    with pytest.raises(ZeroDivisionError), supervision.doing(Source(pk=1), seconds=60):
        _ = 1 / 0

    assert (at(), signal.getitimer(signal.ITIMER_REAL)) == (None, (0, 0))


def test_work_within_work_is_told_and_then_the_outer_again():
    with supervision.doing(Rendition(pk=1), seconds=60, everything=True):
        with supervision.doing(Rendition(pk=5), seconds=60):
            inner = at()
        outer = at()

    assert (inner, outer, at()) == ((Rendition, 5), (Rendition, 0), None)


def test_child_has_a_moment_to_notice_that_its_time_is_up():
    now = time.monotonic()

    lateness = [Doing(Source, 1, now - seconds).is_overdue for seconds in (-1, 1, supervision.GRACE - 1)]

    assert lateness == [False, False, False]
    assert Doing(Source, 1, now - supervision.GRACE - 0.1).is_overdue


def test_child_hears_that_it_shall_end():
    supervision.listen()
    before = supervision.told_to_end()

    os.kill(os.getpid(), signal.SIGUSR1)

    assert (before, supervision.told_to_end()) == (False, True)


def test_next_child_has_not_heard_what_the_one_before_was_told():
    supervision.listen()
    os.kill(os.getpid(), signal.SIGUSR1)

    supervision.listen()

    assert not supervision.told_to_end()
