"""News of lanes: published once after the commit, on a real queue server; nothing of it stops anybody's work."""

import os
import time
from collections.abc import Callable, Iterator
from contextlib import suppress

import pytest
from django.db import transaction
from redis.client import PubSub

from rendering import events
from tests.processes import Valkey
from tests.rendering.makers import simultaneously

pytestmark = pytest.mark.django_db(transaction=True)

LANE = "person-7"
Heard = Callable[[], list[str]]


class RolledBackError(Exception):
    """Ends a transaction without a commit."""


@pytest.fixture(autouse=True)
def rested(monkeypatch: pytest.MonkeyPatch) -> None:
    """Forget that Redis was away in another test."""
    monkeypatch.setitem(events._rest, "until", 0.0)


@pytest.fixture
def heard(valkey: Valkey) -> Iterator[Heard]:
    """Return a function that returns which lanes there was news of since it was last called."""
    with valkey.client.pubsub() as subscription:
        subscription.subscribe(events.channel())
        subscription.get_message(timeout=5)
        yield lambda: [message.split(" ")[0] for message in _messages(subscription)]


def test_news_is_told_at_once_outside_of_a_transaction(heard: Heard):
    events.tell(LANE)

    assert heard() == [LANE]


def test_news_of_one_transaction_is_told_once_for_each_lane_after_the_commit(heard: Heard):
    with transaction.atomic():
        for _ in range(3):
            events.tell(LANE)
            events.tell("person-8")
        before = heard()

    assert (before, heard()) == ([], [LANE, "person-8"])


def test_news_of_a_transaction_that_was_rolled_back_is_not_told(heard: Heard):
    _tell_and_roll_back()

    assert heard() == []


def test_news_is_told_when_only_the_first_telling_was_rolled_back(heard: Heard):
    with transaction.atomic():
        _tell_and_roll_back()
        events.tell(LANE)

    assert heard() == [LANE]


def test_every_change_makes_another_version(valkey: Valkey):
    versions = [events.version(LANE)]
    for _ in range(3):
        events.tell(LANE)
        versions.append(events.version(LANE))

    assert len(set(versions)) == 4


def test_version_stays_while_nothing_changes_and_is_the_lanes_own(valkey: Valkey):
    before = events.version(LANE)

    events.tell("person-8")

    assert events.version(LANE) == before != events.version("person-8")


def test_version_never_comes_again_after_redis_has_lost_its_data(valkey: Valkey):
    events.tell(LANE)
    before = events.version(LANE)

    valkey.client.flushall()
    events.tell(LANE)

    assert events.version(LANE) != before


def test_news_and_names_in_redis_say_nothing_of_people(valkey: Valkey):
    events.keep_answer("sessionid=secret", '"etag"', lane=LANE, version="v1")

    names = [str(name) for name in valkey.client.keys()]  # noqa: SIM118 - a command of Redis

    assert [("secret" in name, "sessionid" in name) for name in names] == [(False, False)]
    assert valkey.client.get(events.answer_key("sessionid=secret")) == b'person-7 v1 "etag"'


def test_telling_while_redis_is_away_does_not_stop_the_work(valkey: Valkey):
    valkey.stop()
    started = time.monotonic()

    with transaction.atomic():
        events.tell(LANE)
    known = events.version(LANE)

    assert (known, time.monotonic() - started < 2) == ("", True)


def test_redis_is_asked_again_a_while_after_it_was_away(valkey: Valkey, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(events, "REST", 0.1)
    valkey.stop()
    events.tell(LANE)
    valkey.start()
    time.sleep(0.2)

    assert events.version(LANE)


def test_telling_to_a_redis_that_does_not_answer_takes_a_second_at_most_and_only_once(
    valkey: Valkey, heard: Heard, monkeypatch: pytest.MonkeyPatch
):
    valkey.client.client_pause(2500)
    started = time.monotonic()

    for _ in range(5):
        events.tell(LANE)

    assert time.monotonic() - started < 1.5
    valkey.client.client_unpause()


def test_forked_child_has_its_own_connection(heard: Heard):
    events.tell(LANE)
    child = os.fork()
    if not child:
        events.tell("person-8")
        os._exit(0)
    _, status = os.waitpid(child, 0)
    events.tell("person-9")

    assert (status, heard()) == (0, [LANE, "person-8", "person-9"])


def test_threads_tell_side_by_side(heard: Heard):
    simultaneously(8, lambda: events.tell(LANE))

    assert heard() == [LANE] * 8


def _tell_and_roll_back() -> None:
    with suppress(RolledBackError), transaction.atomic():
        events.tell(LANE)
        raise RolledBackError


def _messages(subscription: PubSub) -> Iterator[str]:
    while got := subscription.get_message(timeout=0.3):
        yield got["data"].decode()
