"""How much computing something takes, measured so that only its own slowness fails a test."""

import time
from collections.abc import Callable
from functools import cache

COUNT = 300_000
COUNTED = 0.023
"""CPU seconds in which the machine that bounds were set on counts so far, one digit string after the other."""


def quickest(
    action: Callable[[], object], *, within: float = 0, tries: int = 7, undo: Callable[[], object] | None = None
) -> float:
    """Return the CPU seconds of the first try that keeps within the bound, or else of the best of all tries.

    CPU time, as other programs take turns with this one; several tries, as they also share its core's caches and units:
    a busy neighbor slows down some of them, what has become slow itself all. On a slower machine than the one that
    bounds were set on, they are that one's seconds. Tests that ask this are marked `no_cover`: being traced can
    double what Python takes.
    """
    took: list[float] = []
    while not took or (took[-1] > within and len(took) < tries):
        if took and undo:
            undo()
        began = time.process_time()
        action()
        took.append((time.process_time() - began) / slowness())
    return min(took)


@cache
def slowness() -> float:
    """Return how many times longer plain Python takes here than where bounds were set; never less than 1."""
    return max(1.0, min(_counting() for _ in range(7)) / COUNTED)


def _counting() -> float:
    began = time.process_time()
    for number in range(COUNT):
        str(number)
    return time.process_time() - began
