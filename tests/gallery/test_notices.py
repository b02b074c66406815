"""Notices: when they are shown, when they close uploads, and who put them up."""

import time
from datetime import timedelta

import pytest
from pytest_django import DjangoAssertNumQueries

from gallery import notices
from gallery.models import AuditEntry, Notice, User
from gallery.notices import Closed
from tests.makers import NOON

HOUR = timedelta(hours=1)


@pytest.fixture(autouse=True)
def board(empty_board: None) -> None:
    """Read the real notices, which other tests do not."""
    notices.board.forget()


def put_up(by: User, *, text: str = "Tea at five", begin=NOON, end=None, closes: bool = False) -> Notice:
    return notices.put_up(text=text, starts_at=begin, ends_at=end, closes_uploads=closes, by=by, now=NOON)


@pytest.mark.parametrize(
    ("begin", "end", "shown"),
    [
        (NOON, None, True),
        (NOON + HOUR, None, False),
        (NOON - HOUR, NOON + HOUR, True),
        (NOON - HOUR, NOON, False),
        (NOON - 2 * HOUR, NOON - HOUR, False),
    ],
)
def test_notice_is_shown_from_its_begin_to_its_end(admin: User, begin, end, shown: bool):
    put_up(admin, begin=begin, end=end)

    assert [str(notice) for notice in notices.standing(now=NOON)] == (["Tea at five"] if shown else [])


def test_what_closes_uploads_stands_first(admin: User):
    put_up(admin)
    put_up(admin, text="We move", closes=True)

    assert [str(notice) for notice in notices.standing(now=NOON)] == ["We move", "Tea at five"]


def test_uploads_are_open_without_a_notice_that_closes_them(admin: User):
    put_up(admin)
    put_up(admin, text="We move", closes=True, begin=NOON + HOUR)

    assert notices.closure(now=NOON) is None
    assert notices.closure(now=NOON + HOUR) == Closed("We move", None, NOON + HOUR)


@pytest.mark.parametrize(
    ("until", "seconds", "sentence"),
    [
        (None, 300, "No photos are taken just now: We move"),
        (NOON + timedelta(seconds=90), 90, "No photos are taken until 12:01: We move"),
        (NOON + 2 * HOUR, 300, "No photos are taken until 14:00: We move"),
    ],
)
def test_closed_uploads_say_why_and_when_to_come_back(until, seconds: int, sentence: str):
    closed = Closed("We move", until, NOON)

    assert (closed.seconds, closed.label) == (seconds, sentence)


def test_uploads_open_when_the_last_of_two_closures_ends(admin: User):
    put_up(admin, text="one", closes=True, end=NOON + HOUR)
    put_up(admin, text="two", closes=True, end=NOON + 2 * HOUR)

    assert notices.closure(now=NOON) == Closed("one", NOON + 2 * HOUR, NOON)


def test_notice_is_taken_down_once(admin: User):
    notice = put_up(admin)

    done = [notices.take_down(notice, by=admin, now=NOON + HOUR) for _ in range(2)]

    assert (done, notices.standing(now=NOON + HOUR)) == ([True, False], [])
    written = AuditEntry.objects.order_by("pk").values_list("actor_name", "action", "subject")
    assert list(written) == [("ada", "notice.put_up", "Tea at five"), ("ada", "notice.take_down", "Tea at five")]


def test_pages_ask_for_notices_once_in_a_while(admin: User, django_assert_num_queries: DjangoAssertNumQueries):
    put_up(admin, end=NOON + HOUR)

    with django_assert_num_queries(1):
        shown = [notices.standing(now=NOON + minutes * timedelta(minutes=1)) for minutes in (0, 1, 59, 60)]

    assert [len(each) for each in shown] == [1, 1, 1, 0]


def test_process_that_has_read_notices_learns_of_a_new_one(admin: User, monkeypatch: pytest.MonkeyPatch):
    notices.standing(now=NOON)
    Notice.objects.create(text="From another process", starts_at=NOON)
    before = len(notices.standing(now=NOON))

    later = time.monotonic() + notices.FRESH_SECONDS
    monkeypatch.setattr(time, "monotonic", lambda: later)

    assert (before, len(notices.standing(now=NOON))) == (0, 1)
