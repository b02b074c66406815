"""The doctor: each thing that may be wrong is said, with what to do; what is well is said to be well."""

import ast
import inspect
import io
import threading
import time
from datetime import timedelta
from pathlib import Path
from types import SimpleNamespace

import pytest
from django.core.files.storage import default_storage
from django.core.management import call_command
from django.db import DatabaseError
from django.utils import timezone
from pytest_django import Settings

from artworkshop import diagnosis
from artworkshop.diagnosis import Finding, Level
from rendering import turns
from rendering.models import State
from tests import makers
from tests.makers import NOON
from tests.processes import Valkey

EVERYWHERE = "0.0.0.0"  # noqa: S104 - nothing is bound to it here


@pytest.mark.parametrize(
    ("hosts", "host", "site", "level"),
    [
        (["*"], "127.0.0.1", "http://localhost:8000", Level.GOOD),
        (["*"], "::1", "http://[::1]:8000", Level.GOOD),
        (["*"], EVERYWHERE, "http://localhost:8000", Level.PROBLEM),
        (["*"], "127.0.0.1", "https://photos.example.org", Level.PROBLEM),
        (["photos.example.org"], EVERYWHERE, "https://photos.example.org", Level.GOOD),
    ],
)
def test_every_name_is_a_problem_where_others_reach_the_site(
    settings: Settings, hosts: list[str], host: str, site: str, level: Level
) -> None:
    settings.ALLOWED_HOSTS, settings.HOST, settings.SITE_URL = hosts, host, site

    assert diagnosis.check_hosts().level == level


@pytest.mark.parametrize(
    ("https", "host", "level"),
    [(True, EVERYWHERE, Level.GOOD), (False, "127.0.0.1", Level.GOOD), (False, "192.168.1.5", Level.PROBLEM)],
)
def test_http_is_a_problem_where_others_reach_the_site(
    settings: Settings, https: bool, host: str, level: Level
) -> None:
    settings.HTTPS, settings.HOST, settings.SITE_URL = https, host, "http://localhost:8000"

    assert diagnosis.check_https().level == level


def test_debug_is_a_problem(settings: Settings) -> None:
    settings.DEBUG = True

    assert diagnosis.check_debug().advice == "Set DEBUG=no."
    assert diagnosis.check_debug().command == "DEBUG=no"


@pytest.mark.parametrize(
    ("embedded", "key", "level"), [(True, "", Level.GOOD), (False, "", Level.HINT), (False, "x" * 40, Level.GOOD)]
)
def test_own_secret_key_is_a_hint_where_hosts_share_a_queue(
    settings: Settings, monkeypatch: pytest.MonkeyPatch, embedded: bool, key: str, level: Level
) -> None:
    settings.EMBEDDED_VALKEY = embedded
    monkeypatch.setenv("SECRET_KEY", key)

    assert diagnosis.check_sharing().level == level


@pytest.mark.django_db
def test_database_is_well() -> None:
    finding = diagnosis.check_database()

    assert (finding.level, finding.advice) == (Level.GOOD, "")


@pytest.mark.django_db
def test_missing_migrations_are_counted(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("artworkshop.standalone.preparation.pending_migrations", lambda: 3)

    finding = diagnosis.check_database()

    advice = "Run `manage.py migrate`."
    assert finding == Finding(Level.PROBLEM, "The database lacks 3 migrations.", advice, command="manage.py migrate")


def test_queue_that_is_away_is_a_problem(settings: Settings, tmp_path: Path) -> None:
    settings.REDIS_URL, settings.EMBEDDED_VALKEY = f"unix://{tmp_path}/none.sock", True

    finding = diagnosis.check_redis()

    assert (finding.level, finding.advice) == (Level.PROBLEM, "Start the product (`make run`).")


def test_queue_is_well(valkey: Valkey) -> None:
    finding = diagnosis.check_redis()

    assert finding == Finding(Level.GOOD, "The queue (Redis) is reachable, and outlives a restart.")


@pytest.mark.parametrize(
    ("name", "value", "level"), [("maxmemory-policy", "allkeys-lru", Level.PROBLEM), ("appendonly", "no", Level.HINT)]
)
def test_forgetful_queue_is_found_out(valkey: Valkey, name: str, value: str, level: Level) -> None:
    before = str(valkey.client.config_get(name)[name])
    valkey.client.config_set(name, value)

    try:
        finding = diagnosis.check_redis()
    finally:
        valkey.client.config_set(name, before)

    assert finding.level == level


def test_storage_is_tried_and_left_clean() -> None:
    finding = diagnosis.check_storage()

    assert finding == Finding(Level.GOOD, "Files can be written, read and removed (files).")
    assert default_storage.listdir("doctor")[1] == []


def test_storage_that_cannot_be_written_is_a_problem(settings: Settings, tmp_path: Path) -> None:
    (tmp_path / "media").touch()  # a file where the folder should be
    backend = "django.core.files.storage.FileSystemStorage"
    options = {"location": str(tmp_path / "media")}
    settings.STORAGES = {**settings.STORAGES, "default": {"BACKEND": backend, "OPTIONS": options}}

    finding = diagnosis.check_storage()

    assert finding.level == Level.PROBLEM
    assert finding.words.startswith("Files cannot be stored: ")
    assert finding.command.startswith("chown -R ")


def test_nobody_who_paints_is_a_problem(valkey: Valkey) -> None:
    finding = diagnosis.check_workers()

    assert finding.words == "No worker is alive: nothing will be painted."
    assert finding.command == "manage.py up"


@pytest.mark.parametrize(("free", "level"), [(0.5e9, Level.PROBLEM), (3e9, Level.HINT), (50e9, Level.GOOD)])
def test_full_disk_is_seen_in_time(monkeypatch: pytest.MonkeyPatch, free: float, level: Level) -> None:
    monkeypatch.setattr("shutil.disk_usage", lambda _: SimpleNamespace(free=free))

    assert diagnosis.check_disk().level == level


@pytest.mark.parametrize(
    ("levels", "status", "end"),
    [([Level.GOOD, Level.HINT], 0, "All is well.\n"), ([Level.GOOD, Level.PROBLEM], 1, "Problems: 1.\n")],
)
def test_doctor_ends_with_a_status(monkeypatch: pytest.MonkeyPatch, levels: list[Level], status: int, end: str) -> None:
    findings = [Finding(level, f"It is {level.value}.", "Do this.") for level in levels]
    monkeypatch.setattr("artworkshop.management.commands.doctor.examine", lambda: iter(findings))
    said = io.StringIO()

    with pytest.raises(SystemExit) as caught:
        call_command("doctor", stdout=said)

    assert caught.value.code == status
    assert said.getvalue().startswith("good     It is good.\n         Do this.\n")
    assert said.getvalue().endswith(end)
    assert "\x1b" not in said.getvalue()  # no colors in files and pipes


@pytest.mark.django_db
def test_rest_is_a_hint_with_a_button() -> None:
    before = diagnosis.check_halts()
    turns.rest("worker-1", now=NOON)
    one = diagnosis.check_halts()
    turns.rest(now=NOON)

    everybody = diagnosis.check_halts()

    assert before == Finding(Level.GOOD, "No worker was told to rest.")
    assert (one.level, one.words, one.mend) == (Level.HINT, "1 worker was told to rest.", "go_on")
    assert (everybody.words, everybody.mend) == ("Painting is paused: all workers rest.", "go_on")


@pytest.mark.django_db
def test_work_that_nobody_looks_after_is_a_problem() -> None:
    now = timezone.now()
    makers.rendition(state=State.WORKING, lease_until=now)
    fresh = diagnosis.check_lost_work()
    makers.rendition(state=State.WORKING, lease_until=now - timedelta(minutes=2))

    finding = diagnosis.check_lost_work()

    assert fresh.level == Level.GOOD
    assert finding.words == "1 piece of work was left behind by a worker that died."
    assert (finding.command, finding.mend) == ("manage.py tend", "revive")


@pytest.mark.django_db
def test_paintings_of_old_versions_are_a_hint_with_the_command_that_removes_them() -> None:
    makers.rendition(style="oil")
    before = diagnosis.check_old_versions()
    makers.rendition(style="oil", style_version=0)

    finding = diagnosis.check_old_versions()

    assert before.level == Level.GOOD
    assert finding.words == "Paintings of earlier versions of a style are kept: oil 0."
    assert finding.command == "manage.py purge --style oil --style-version 0 --dry-run"


def test_page_waits_for_nothing_that_hangs() -> None:
    release = threading.Event()

    def check_slow() -> Finding:
        release.wait(30)
        return Finding(Level.GOOD, "late")

    def check_quick() -> Finding:
        return Finding(Level.GOOD, "here")

    began = time.monotonic()
    slow, quick = diagnosis.examine_at_once([check_slow, check_quick], patience=0.2)
    took = time.monotonic() - began
    release.set()

    assert (slow.level, slow.words) == (Level.PROBLEM, "One of the checks did not answer in time: slow.")
    assert quick.words == "here"
    assert took < 1


def test_database_that_fails_is_a_finding() -> None:
    def check_rows() -> Finding:
        raise DatabaseError("disk I/O error\nand more")

    [finding] = diagnosis.examine_at_once([check_rows])

    assert (finding.level, finding.words) == (Level.PROBLEM, "The database cannot be asked: disk I/O error")


def test_whatever_is_not_well_has_a_command_or_a_button() -> None:
    calls = [
        call
        for call in ast.walk(ast.parse(inspect.getsource(diagnosis)))
        if isinstance(call, ast.Call) and ast.unparse(call.func) == "Finding"
    ]
    bad = [call for call in calls if ast.unparse(call.args[0]) != "Level.GOOD"]

    without = [ast.unparse(call) for call in bad if len(call.args) < 4 and not call.keywords]

    assert len(bad) > 15
    assert without == []
