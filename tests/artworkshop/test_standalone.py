"""The parts of the one command: lines, pauses, the lock and the door."""

import os
import signal
import sys
from functools import partial
from pathlib import Path

import pytest
from pytest_django import Settings

from artworkshop.standalone import CannotStart, door, lock, product, supervisor, valkey
from artworkshop.standalone.supervisor import Child, Lines, Program, Supervisor
from tests.processes import processes, wait_until


def test_lines_are_passed_on_whole_and_named() -> None:
    lines = Lines(Program("web", ()), sys.stdin.buffer)

    said = [lines.add(b"one\ntw"), lines.add(b"o\n"), lines.add("drei ü".encode()), lines.add(b"")]

    assert said == [["[web] one"], ["[web] two"], [], ["[web] drei ü"]]


def test_lines_drop_what_is_muted_and_cut_what_never_ends() -> None:
    lines = Lines(Program("web", (), muted=("noise",)), sys.stdin.buffer)

    said = [lines.add(b"some noise here\nnews\n"), lines.add(b"x" * (supervisor.LONGEST_LINE + 1))]

    assert said == [["[web] news"], ["[web] " + "x" * (supervisor.LONGEST_LINE + 1)]]


def test_pauses_grow_up_to_half_a_minute_and_begin_anew_after_a_steady_run(monkeypatch: pytest.MonkeyPatch) -> None:
    child = Child(Program("short", ("true",)))
    child.run.communicate()

    pauses = [child.pause() for _ in range(9)]
    monkeypatch.setattr(child, "since", child.since - supervisor.STEADY - 1)

    assert pauses == [0.5, 1.0, 2.0, 4.0, 8.0, 16.0, 30.0, 30.0, 30.0]
    assert child.pause() == 0.5


def test_program_that_fails_while_it_is_waited_for_is_told_in_words() -> None:
    said: list[str] = []
    keeper = Supervisor(said.append)
    child = keeper.start(Program("web", ("sh", "-c", "echo the reason; exit 3")))

    with pytest.raises(CannotStart) as caught:
        keeper.wait(lambda: False, child=child, seconds=20)
    keeper.stop()

    assert str(caught.value) == "web ended before its time (status 3); what it said is above."
    assert said == ["[web] the reason"]


def test_program_that_will_not_end_is_killed_with_what_it_started(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(supervisor, "PATIENCE", 0.3)
    said: list[str] = []
    keeper = Supervisor(said.append)
    child = keeper.start(Program("deaf", ("sh", "-c", "trap '' TERM; echo ready; sleep 60; sleep 60")))
    keeper.wait(lambda: "[deaf] ready" in said and grandchildren(child), child=child, seconds=20)
    sleeping = grandchildren(child)

    keeper.stop()

    assert child.run.returncode == -signal.SIGKILL
    assert said == ["[deaf] ready", "deaf did not end in time and was stopped."]
    wait_until(lambda: not living(sleeping), seconds=5)


def test_needed_program_ends_last() -> None:
    said: list[str] = []
    keeper = Supervisor(said.append)
    script = "trap 'echo bye; exit 0' TERM; echo up; while :; do sleep 0.05; done"
    first = keeper.start(Program("queue", ("sh", "-c", script), needed=True))
    second = keeper.start(Program("worker", ("sh", "-c", script)))
    for child in (first, second):
        keeper.wait(partial(said.__contains__, f"[{child.program.name}] up"), child=child, seconds=20)

    keeper.stop()

    assert [line for line in said if line.endswith("bye")] == ["[worker] bye", "[queue] bye"]


def test_lock_names_its_holder_and_ends_with_it(tmp_path: Path) -> None:
    with lock.held(tmp_path, "http://here:1"), pytest.raises(CannotStart) as caught:
        lock.held(tmp_path, "http://here:2").__enter__()
    with lock.held(tmp_path, "http://here:3"):
        held_again = lock.holder(tmp_path / "up.lock")

    assert "http://here:1. Stop it, or choose another DATA_DIR." in str(caught.value)
    assert held_again.endswith("http://here:3")


@pytest.mark.parametrize("host", ["999.1.1.1", "192.0.2.1", "no-such-name.invalid"])
def test_address_that_is_not_ours_is_refused_in_words(settings: Settings, host: str) -> None:
    settings.HOST = host

    with pytest.raises(CannotStart, match=f"^Port {settings.PORT} on {host} cannot be used "), door.held_open():
        pass


def test_unanswered_door_is_told_apart(settings: Settings, monkeypatch: pytest.MonkeyPatch) -> None:
    settings.HOST, settings.PORT = "localhost", 0
    monkeypatch.setattr(door, "ANSWER", 0.2)

    with door.held_open() as listener:
        answered = door.is_answered(listener)

    assert answered is False


def test_redis_elsewhere_that_is_away_is_told_without_its_password(settings: Settings) -> None:
    settings.REDIS_URL = "redis://:secret@127.0.0.1:1/0"

    with pytest.raises(CannotStart) as caught:
        valkey.wait_for_other(0)

    assert str(caught.value) == "Redis cannot be reached at redis://127.0.0.1:1/0: check REDIS_URL."


def test_folder_of_somebody_else_is_refused_for_the_queue(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(os, "getuid", lambda: 12345)

    with pytest.raises(CannotStart, match="belongs to somebody else"):
        valkey.private(tmp_path)


def test_workers_alone_need_a_queue_that_others_reach(settings: Settings) -> None:
    settings.WEB, settings.EMBEDDED_VALKEY = False, True

    with pytest.raises(CannotStart, match=r"^WEB=no needs REDIS_URL"):
        product.run(lambda _: None)


def grandchildren(child: Child) -> list[int]:
    return [number for number, parent, _ in processes() if parent == child.run.pid]


def living(numbers: list[int]) -> list[int]:
    return [number for number, _, state in processes() if number in numbers and state != "Z"]
