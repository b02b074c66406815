"""Probes are answered whatever the rest of the site thinks of them, and whatever one of the parts does."""

import json
import threading
import time
from collections.abc import Iterator

import pytest
from django.core.files.storage import default_storage
from django.db import connection
from django.test import Client
from pytest_django import Settings

from artworkshop import health
from artworkshop.health import Check, NotReady, Readiness
from tests.processes import Valkey

SECRET = "redis://user:hunter2@queue.example"


@pytest.fixture(autouse=True)
def forgotten() -> Iterator[None]:
    """Look at every part anew."""
    health.readiness.cache_clear()
    yield
    health.readiness.cache_clear()


def fine() -> None:
    """Be ready."""


def broken() -> None:
    """Fail as a library does, with an address in its words."""
    raise OSError(SECRET)


@pytest.mark.parametrize("host", ["10.0.0.7:8000", "photos.example.org"])
def test_probe_is_answered_by_any_name(settings: Settings, host: str) -> None:
    settings.ALLOWED_HOSTS = ["photos.example.org"]

    answer = Client(headers={"host": host}).get("/livez")

    assert (answer.status_code, answer.content, answer["Content-Type"]) == (200, b"alive\n", "text/plain")


def test_other_addresses_are_refused_under_another_name(settings: Settings) -> None:
    settings.ALLOWED_HOSTS = ["photos.example.org"]

    answer = Client(headers={"host": "evil.example.com"}).get("/accounts/login/")

    assert answer.status_code == 400


@pytest.mark.django_db(transaction=True)
def test_site_is_ready_part_by_part(settings: Settings, valkey: Valkey, monkeypatch: pytest.MonkeyPatch) -> None:
    settings.ALLOWED_HOSTS, settings.WORKERS = ["photos.example.org"], 0
    monkeypatch.setattr("artworkshop.standalone.preparation.static_files_are_ready", lambda: True)

    answer = Client(headers={"host": "10.0.0.7"}).get("/readyz")

    told = answer.json()
    assert (answer.status_code, answer["Cache-Control"], told["ready"]) == (200, "no-store", True)
    assert list(told["parts"]) == ["database", "migrations", "redis", "storage", "kernels", "static_files"]
    assert {part["ready"] for part in told["parts"].values()} == {True}
    assert default_storage.listdir("doctor")[1] == []


@pytest.mark.django_db(transaction=True)
def test_site_without_queue_is_not_ready(valkey: Valkey, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("artworkshop.standalone.preparation.static_files_are_ready", lambda: True)
    valkey.stop()

    answer = Client().get("/readyz")

    assert answer.status_code == 503
    assert answer.json()["parts"]["redis"]["words"] == "The queue server does not answer."
    assert answer.json()["parts"]["database"]["ready"]


@pytest.mark.django_db(transaction=True)
def test_site_that_lacks_migrations_is_not_ready(monkeypatch: pytest.MonkeyPatch) -> None:
    with connection.cursor() as cursor:
        cursor.execute("UPDATE django_migrations SET app = 'elsewhere' WHERE app = 'sessions'")
    try:
        with pytest.raises(NotReady, match="The database lacks 1 migrations"):
            health.look_at_migrations()
    finally:
        with connection.cursor() as cursor:
            cursor.execute("UPDATE django_migrations SET app = 'sessions' WHERE app = 'elsewhere'")


def test_hanging_part_holds_up_nobody_and_is_not_asked_twice() -> None:
    asked, release = [], threading.Event()

    def hang() -> None:
        asked.append(1)
        release.wait(30)

    parts = Readiness([Check("storage", hang), Check("redis", fine)], patience=0.2)

    began = time.monotonic()
    answers = [health.ready(parts) for _ in range(3)]
    took = time.monotonic() - began
    release.set()

    assert [answer.status_code for answer in answers] == [503, 503, 503]
    assert json.loads(answers[-1].content)["parts"]["redis"]["ready"]
    assert "It does not answer in time." in answers[-1].content.decode()
    assert asked == [1]
    assert took < 1


def test_failure_says_nothing_that_is_not_for_everybody(caplog: pytest.LogCaptureFixture) -> None:
    answer = health.ready(Readiness([Check("redis", broken)]))

    assert json.loads(answer.content)["parts"]["redis"]["words"] == "It cannot be used; the log says why."
    assert SECRET in caplog.text


def test_answer_holds_for_a_moment_and_a_bad_one_is_not_kept_long(monkeypatch: pytest.MonkeyPatch) -> None:
    asked: list[str] = []

    def bad() -> None:
        asked.append("bad")
        raise NotReady("away")

    parts = Readiness([Check("good", lambda: asked.append("good"), 30), Check("bad", bad, 30)])
    parts.look()
    parts.look()
    later = time.monotonic() + 5
    monkeypatch.setattr("artworkshop.health.time.monotonic", lambda: later)

    seen = parts.look()

    assert sorted(asked) == ["bad", "bad", "good"]
    assert (seen["good"].words, seen["bad"].words) == ("", "away")


def test_many_who_ask_at_once_are_answered_by_one_look() -> None:
    asked: list[int] = []

    def slow() -> None:
        asked.append(1)
        time.sleep(0.1)

    parts = Readiness([Check("database", slow)])
    threads = [threading.Thread(target=parts.look) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()

    assert asked == [1]
