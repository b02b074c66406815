"""Fixtures of the rendering tests: an empty storage, workers."""

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from django.conf import settings

from tests.processes import Crew, Valkey, same_site


@pytest.fixture
def media() -> Iterator[Callable[[], list[str]]]:
    """Return a function that lists all files in the storage; they are removed afterwards."""
    folder = Path(settings.DATA_DIR) / "media"

    def files() -> list[str]:
        return sorted(str(path.relative_to(folder)) for path in folder.rglob("*") if path.is_file())

    _empty(folder)
    yield files
    _empty(folder)


@pytest.fixture
def crew(valkey: Valkey, transactional_db: None) -> Iterator[Crew]:
    """Return who starts workers and caretakers on this test's database and queue; they end with the test."""
    with Crew(same_site()) as crew:
        yield crew


def _empty(folder: Path) -> None:
    for path in sorted(folder.rglob("*"), reverse=True):
        path.unlink() if path.is_file() else path.rmdir()
