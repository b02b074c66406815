"""The tests of models, sources, renditions, the queue and the desk, once more on a real PostgreSQL."""

import os
import subprocess
import sys

import pytest

from tests.processes import ROOT, postgresql, postgresql_programs

RENDERING = ("models", "sources", "renditions", "queue", "jobs", "worker")
FILES = (*(f"rendering/test_{name}.py" for name in RENDERING), "gallery/test_desk.py", "gallery/views/test_console.py")
PROGRAMS = postgresql_programs()


@pytest.mark.slow
@pytest.mark.skipif(
    PROGRAMS is None, reason="no PostgreSQL server is installed (on Debian: apt-get install postgresql)"
)
def test_rendering_and_the_desk_work_on_postgresql():
    files = [f"tests/{name}" for name in FILES]
    # Without the desk's bench in small, which counts only the CPU time of our own process.
    command = [
        sys.executable,
        "-m",
        "pytest",
        "-q",
        "-k",
        "not twenty_thousand",
        "-p",
        "no:cacheprovider",
        "--no-cov",
        *files,
    ]

    assert PROGRAMS is not None
    with postgresql(PROGRAMS) as address:
        environment = {key: value for key, value in os.environ.items() if key not in ("DATA_DIR", "TEST_DATA_DIR")}
        run = subprocess.run(
            command,
            cwd=ROOT,
            env={**environment, "DATABASE_URL": address},
            capture_output=True,
            text=True,
            timeout=600,
            check=False,
        )

    assert run.returncode == 0, run.stdout[-20_000:] + run.stderr[-2000:]
