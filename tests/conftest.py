"""Fixtures of all tests: people, and a real queue server."""

from collections import Counter
from collections.abc import Iterator
from itertools import groupby
from pathlib import Path

import pytest
from django.conf import settings
from django.core.cache import caches  # noqa: TID251 - where allauth counts failed sign-ins
from django.test import Client

from gallery import notices, traffic
from gallery.models import User
from rendering import estimates, twins
from tests import makers
from tests.processes import Valkey

TESTS = Path(__file__).parent
UNTRACED = ("artworkshop", "e2e", "faults", "gallery/views")
"""Tests of pages and of the whole product count for no coverage: being traced makes them take half as long again, and
the floor is for what the tests of the measured modules themselves reach.
"""


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Run the files with slow tests first, so that at the end no core waits for one of them.

    Browsers by turns with the others: these wait for leases and time limits while a browser takes all it can get.
    """
    for item in items:
        if any(item.path.is_relative_to(TESTS / folder) for folder in UNTRACED):
            item.add_marker("no_cover")
    places: dict[Path, tuple[bool, int]] = {}
    counts: Counter[tuple[bool, bool]] = Counter()
    for path, kept in groupby(items, key=lambda item: item.path):
        marks = {mark.name for item in kept for mark in item.iter_markers()}
        kind = (not marks & {"slow", "faults"}, "e2e" in marks)
        counts[kind] += 1
        places.setdefault(path, (kind[0], counts[kind]))
    items.sort(key=lambda item: places[item.path])


@pytest.fixture(scope="session", autouse=True)
def static_folder() -> None:
    """Make the folder of the static files, which whitenoise looks for; nothing is collected for tests."""
    Path(settings.STATIC_ROOT).mkdir(exist_ok=True)


@pytest.fixture(autouse=True)
def fresh_counts() -> None:
    """Forget failed sign-ins of earlier tests."""
    caches["default"].clear()


@pytest.fixture(autouse=True)
def fresh_likenesses() -> None:
    """Forget which photos look alike: rows of earlier tests had the same numbers."""
    twins.forget()


@pytest.fixture(autouse=True)
def nothing_sent() -> None:
    """Forget what earlier tests have sent: pages' queries are counted."""
    traffic.tally.forget()


@pytest.fixture(autouse=True)
def empty_board() -> Iterator[None]:
    """Have no notices, and ask for none: pages' queries are counted."""
    notices.board.keep_empty()
    yield
    notices.board.forget()


@pytest.fixture(autouse=True)
def stopped_watch(monkeypatch: pytest.MonkeyPatch) -> None:
    """Know the workers' pace from the rows as they are now."""
    monkeypatch.setattr(estimates, "FRESH_SECONDS", 0.0)
    estimates.stopwatch.forget()


@pytest.fixture
def alice(db: None) -> User:
    """Return a person."""
    return makers.person("alice")


@pytest.fixture
def bob(db: None) -> User:
    """Return another person."""
    return makers.person("bob")


@pytest.fixture
def staff(db: None) -> User:
    """Return a person who sees the dashboard."""
    return makers.person("stella", is_staff=True)


@pytest.fixture
def admin(db: None) -> User:
    """Return a person who may do everything."""
    return makers.person("ada", is_staff=True, is_superuser=True)


@pytest.fixture
def as_alice(alice: User) -> Client:
    """Return alice's browser."""
    return makers.browser(alice)


@pytest.fixture
def as_bob(bob: User) -> Client:
    """Return bob's browser."""
    return makers.browser(bob)


@pytest.fixture
def as_staff(staff: User) -> Client:
    """Return a staff member's browser."""
    return makers.browser(staff)


@pytest.fixture
def as_admin(admin: User) -> Client:
    """Return an admin's browser."""
    return makers.browser(admin)


@pytest.fixture(scope="session")
def valkey_server() -> Iterator[Valkey]:
    """Keep one real Valkey for all tests."""
    server = Valkey(folder=settings.VALKEY_DIR, path=settings.VALKEY_SOCKET)
    server.start()
    yield server
    server.stop()


@pytest.fixture
def valkey(valkey_server: Valkey) -> Valkey:
    """Return the running queue server, emptied."""
    if valkey_server.server is None:
        valkey_server.start()
    valkey_server.client.flushall()
    return valkey_server
