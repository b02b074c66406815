"""How kernels are compiled: ahead of the first job, and from a cache folder that may be read-only or missing."""

import os
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from rendering import styles
from rendering.kernels import compilation, compile_all, drawing, pencil
from rendering.styles.base import Bench
from rendering.styles.color_pencil import COLOR_PENCIL
from rendering.styles.pencil import PENCIL

SCRIPT = """
import errno, os, tempfile
from rendering.kernels import compilation

def refuse(**folder):
    raise OSError(errno.EROFS, "Read-only file system")

if "READ_ONLY" in os.environ:
    tempfile.TemporaryFile = refuse  # permissions would not stop root, who may run the tests

@compilation.kernel("int64(int64)")
def twice(number):
    return 2 * number

if "ONLY_CALL" not in os.environ:
    compilation.make_ready(__name__)
print(twice(21), sum(twice.stats.cache_hits.values()))
"""


def _run(folder, text, **environment):
    script = folder / "script.py"
    script.write_text(text)
    environment = {**os.environ, "PYTHONPATH": str(Path(__file__).parents[3]), **environment}
    command = [sys.executable, str(script)]
    return subprocess.run(command, env=environment, capture_output=True, text=True, timeout=60, check=True).stdout


def test_no_painting_has_a_kernel_compiled_for_other_numbers():
    compile_all()
    canvas = np.random.default_rng(1).integers(0, 256, (20, 30, 3), dtype=np.uint8)
    locked = canvas.copy()
    locked.flags.writeable = False

    for style in styles.CATALOG:
        for look in style.looks:
            style.paint(Bench(canvas), style.values(look))
            style.paint(Bench(locked), style.values(look))

    kernels = [kernel for declared in compilation._declared.values() for kernel, _ in declared]
    assert [kernel.__name__ for kernel in kernels if len(kernel.signatures) != 1] == []


def test_kernel_comes_from_the_cache_folder(tmp_path):
    cache = str(tmp_path / "cache")

    first = _run(tmp_path, SCRIPT, NUMBA_CACHE_DIR=cache)
    second = _run(tmp_path, SCRIPT, NUMBA_CACHE_DIR=cache)

    assert (first, second) == ("42 0\n", "42 1\n")


def test_kernel_that_was_made_ready_is_there_for_a_process_that_only_calls_it(tmp_path):
    cache = str(tmp_path / "cache")
    _run(tmp_path, SCRIPT, NUMBA_CACHE_DIR=cache)

    # The cache belongs to a file as it was: the same one has to leave the step out.
    called = _run(tmp_path, SCRIPT, NUMBA_CACHE_DIR=cache, ONLY_CALL="yes")

    assert called == "42 1\n"


def test_kernel_comes_from_a_read_only_cache_folder(tmp_path):
    cache = str(tmp_path / "cache")
    _run(tmp_path, SCRIPT, NUMBA_CACHE_DIR=cache)

    again = _run(tmp_path, SCRIPT, NUMBA_CACHE_DIR=cache, READ_ONLY="yes")

    assert again == "42 1\n"


def test_kernel_works_without_any_cache_folder(tmp_path):
    (tmp_path / "__pycache__").touch()
    nowhere = str(tmp_path / "__pycache__" / "below")

    printed = _run(tmp_path, SCRIPT, NUMBA_CACHE_DIR=nowhere, HOME=nowhere, XDG_CACHE_HOME=nowhere)

    assert printed == "42 0\n"


@pytest.mark.parametrize("look", ["studio", "classic"])
def test_no_painting_compiles(look):
    pencil.compile_kernels()
    drawing.compile_kernels()
    dispatchers = [dispatcher for module in ("pencil", "drawing") for dispatcher in _dispatchers(module)]

    for shape in [(1, 1, 3), (30, 1100, 3), (1300, 40, 3)]:
        bench = Bench(np.random.default_rng(1).integers(0, 256, shape, np.uint8))
        PENCIL.paint(bench, PENCIL.values(look))
        COLOR_PENCIL.paint(bench, COLOR_PENCIL.values(look))

    assert {len(dispatcher.signatures) for dispatcher in dispatchers} == {1}


def _dispatchers(module):
    return [dispatcher for dispatcher, _ in compilation._declared[f"rendering.kernels.{module}"]]
