"""The installer that a fresh machine begins with: what it lacks is said in a sentence."""

import importlib.util
import sys
from pathlib import Path
from types import ModuleType

import pytest

SCRIPT = Path(__file__).parents[2] / "deploy" / "install.py"


@pytest.fixture
def install(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> ModuleType:
    spec = importlib.util.spec_from_file_location("install", SCRIPT)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    monkeypatch.setattr(module, "VENV", tmp_path / ".venv")
    monkeypatch.setattr(module, "PYTHON", tmp_path / ".venv" / "bin" / "python")
    return module


def test_old_python_is_refused_in_words(install: ModuleType, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "version_info", (3, 9, 2))

    with pytest.raises(SystemExit) as caught:
        install.refuse_unfit_python()

    assert caught.value.code == (
        f"{sys.executable} is Python 3.9.2, and 3.11 is needed: install it, then `make run PYTHON=python3.11`."
    )


def test_python_without_venv_is_refused_in_words(install: ModuleType, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(importlib.util, "find_spec", lambda name: None)

    with pytest.raises(SystemExit) as caught:
        install.refuse_unfit_python()

    assert caught.value.code == (
        "Python's venv is missing: install it first (Debian, Ubuntu: apt-get install python3-venv)."
    )


def test_lock_file_is_installed_once(
    install: ModuleType, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    commands: list[list[str]] = []
    monkeypatch.setattr(install, "run", lambda command, failure: commands.append(command))
    lock = tmp_path / "requirements.lock"
    lock.write_text("one==1 \\\n    --hash=sha256:0\ntwo==2\n")
    (tmp_path / ".venv").mkdir()

    before = install.is_installed(lock)
    install.install([lock])
    after = install.is_installed(lock)
    lock.write_text("one==2\n")

    assert (before, after, install.is_installed(lock)) == (False, True, False)
    assert len(commands) == 1
    assert "--require-hashes" in commands[0]
    assert "Installing 2 packages" in capsys.readouterr().out


def test_missing_environment_does_not_work(install: ModuleType) -> None:
    assert install.venv_works() is False
