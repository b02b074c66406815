"""The page of promises names tests that there are."""

import re

import pytest

from tests.processes import ROOT

PAGE = (ROOT / "docs" / "reliability.md").read_text()
NAMED = re.findall(r"(?:(tests/[\w/]+\.py|\w+\.py))?::(test_\w+)", PAGE)


def test_page_names_many():
    assert len(NAMED) > 20


@pytest.mark.parametrize("name", sorted({name for _, name in NAMED}))
def test_promise_is_held_by_a_test(name):
    found = [path for path in (ROOT / "tests").rglob("test_*.py") if f"def {name}(" in path.read_text()]

    assert len(found) == 1
