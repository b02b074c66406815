"""Compiled inner loops, one file a kernel; each keeps its plain reference in the tests."""

import importlib
import time

NAMES: tuple[str, ...] = ("pencil", "drawing", "oil", "watercolor", "reduction")


def compile_all() -> float:
    """Make every kernel ready, from the cache folder where it can be, and return the seconds that it took.

    Call it before workers fork. Numba keeps what it compiled in NUMBA_CACHE_DIR; without a folder to write to
    it compiles again in each process that calls this.
    """
    started = time.perf_counter()
    for name in NAMES:
        importlib.import_module(f"{__name__}.{name}").compile_kernels()
    return time.perf_counter() - started
