"""Who is killed: workers and caretakers, with the product's own waits or with short ones."""

from collections.abc import Iterator

import pytest

from tests.processes import Crew, Valkey, same_site
from tests.rendering.conftest import crew, media

__all__ = ["crew", "hasty", "media"]


@pytest.fixture
def hasty(valkey: Valkey, transactional_db: None) -> Iterator[Crew]:
    """Return who starts workers and caretakers that do not wait as long as the product's."""
    with Crew({**same_site(), "DJANGO_SETTINGS_MODULE": "tests.faults.hasty"}) as crew:
        yield crew
