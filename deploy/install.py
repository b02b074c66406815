"""Makes .venv from lock files: `python3 deploy/install.py requirements.lock ...`, again only when one changed.

Runs on whatever python3 a fresh machine has, with nothing installed, and says in a sentence what is missing.
"""

from __future__ import annotations

import importlib.util
import subprocess
import sys
import time
from pathlib import Path

NEEDED = (3, 11)
ROOT = Path(__file__).resolve().parent.parent
VENV = ROOT / ".venv"
PYTHON = VENV / "bin" / "python"


def main() -> None:
    """Bring .venv up to date with the lock files that are named on the command line."""
    refuse_unfit_python()
    if not venv_works():
        say(f"Making the environment {VENV.name} with Python {sys.version.split()[0]} ...")
        run([sys.executable, "-m", "venv", "--clear", str(VENV)], "The environment could not be made")
    changed = [lock for lock in map(Path, sys.argv[1:]) if not is_installed(lock)]
    if changed:
        install(changed)


def refuse_unfit_python() -> None:
    """End with a sentence when this Python is too old, or comes without venv."""
    if sys.version_info < NEEDED:
        found = ".".join(map(str, sys.version_info[:3]))
        refuse(
            f"{sys.executable} is Python {found}, and 3.11 is needed: install it, then `make run PYTHON=python3.11`."
        )
    if importlib.util.find_spec("venv") is None or importlib.util.find_spec("ensurepip") is None:
        refuse("Python's venv is missing: install it first (Debian, Ubuntu: apt-get install python3-venv).")


def venv_works() -> bool:
    """Whether .venv has a Python that is new enough, and pip."""
    # Its Python may be gone after an upgrade of the system, or the folder may have been moved.
    test = f"import sys, pip; sys.exit(sys.version_info < {NEEDED} or sys.prefix != {str(VENV)!r})"
    # S603: our own command line, without a shell.
    return PYTHON.exists() and not subprocess.run([str(PYTHON), "-c", test], check=False).returncode  # noqa: S603


def is_installed(lock: Path) -> bool:
    """Whether .venv holds what the lock file names: after each installation it keeps a copy of the file."""
    copy = VENV / lock.name
    return copy.exists() and copy.read_bytes() == lock.read_bytes()


def install(locks: list[Path]) -> None:
    """Install the lock files with pip, which checks every download against its hash."""
    started = time.monotonic()
    count = sum(line[:1].isalnum() for lock in locks for line in lock.read_text().splitlines())
    say(f"Installing {count} packages into {VENV.name}; the first time this takes a minute or two ...")
    files = [word for lock in locks for word in ("-r", str(lock))]
    # No dependencies: the files name every package. Older versions of pip look for the newest of a package that
    # another one wants with an extra, and then refuse it, as no hash is known of it.
    options = ["--require-hashes", "--no-deps", "--disable-pip-version-check", "--no-input"]
    run([str(PYTHON), "-m", "pip", "install", *options, *files], "The packages could not be installed")
    for lock in locks:
        (VENV / lock.name).write_bytes(lock.read_bytes())
    say(f"The packages are installed after {time.monotonic() - started:.0f} s.")


def run(command: list[str], failure: str) -> None:
    """Run a command with its output on the terminal; end with a sentence when it fails."""
    if subprocess.run(command, cwd=ROOT, check=False).returncode:  # noqa: S603 - our own command line, without a shell
        refuse(f"{failure}; the reason is above.")


def say(line: str) -> None:
    """Show a line at once."""
    sys.stdout.write(line + "\n")
    sys.stdout.flush()


def refuse(sentence: str) -> None:
    """End with a sentence and status 1."""
    sys.exit(sentence)


if __name__ == "__main__":
    main()
