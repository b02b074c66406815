"""The tests of models, sources, renditions and the queue, once more on a real PostgreSQL."""

import os
import subprocess
import sys

import pytest

from tests.processes import ROOT, postgresql, postgresql_programs

FILES = ("models", "sources", "renditions", "queue", "jobs", "worker")
PROGRAMS = postgresql_programs()


@pytest.mark.slow
@pytest.mark.skipif(
    PROGRAMS is None, reason="no PostgreSQL server is installed (on Debian: apt-get install postgresql)"
)
def test_rendering_works_on_postgresql():
    files = [f"tests/rendering/test_{name}.py" for name in FILES]
    command = [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", "--no-cov", *files]

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
