"""Fixtures of the view tests."""

import pytest

from tests.processes import Valkey


@pytest.fixture(autouse=True)
def rate_limits(valkey: Valkey) -> Valkey:
    """Count attempts in a real server, from zero for each test."""
    return valkey
