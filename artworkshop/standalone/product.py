"""The whole product: what is made ready and started, in which order, and how it is told."""

import contextlib
import os
import socket
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path

from django.conf import settings
from django.db import DatabaseError, connection
from django.utils import timezone

from artworkshop.standalone import CannotStart, door, lock, preparation, valkey
from artworkshop.standalone.supervisor import Child, Program, Supervisor
from gallery import accounts, sample
from rendering.sources import RefusedFile

Say = Callable[[str], None]
OTHERS = 30.0  # seconds that a database or Redis on another host may take to come up


def run(say: Say) -> None:
    """Run the product until KeyboardInterrupt; raise CannotStart when it cannot."""
    os.umask(0o077)  # photos are private: nobody else on this machine reads the data folder
    _refuse_nonsense()
    with lock.held(settings.DATA_DIR, settings.SITE_URL), contextlib.ExitStack() as resources:
        listener = resources.enter_context(door.held_open()) if settings.WEB else None
        supervisor = Supervisor(say)
        try:
            _prepare(supervisor, say)
            _start(supervisor, listener, say)
            supervisor.keep_running()
        finally:
            resources.close()  # nobody new comes in
            supervisor.stop()


def _refuse_nonsense() -> None:
    if not settings.WEB and not settings.WORKERS:
        message = "WEB=no and WORKERS=0 leave nothing to run."
        raise CannotStart(message)
    if not settings.WEB and settings.EMBEDDED_VALKEY:
        message = "WEB=no needs REDIS_URL: workers alone would wait at a queue that nobody fills."
        raise CannotStart(message)


def _prepare(supervisor: Supervisor, say: Say) -> None:
    compiling = _begin_to_compile(supervisor, say)
    _ready_queue(supervisor, say)
    _ready_database(say)
    if languages := preparation.translate():
        say(f"Translations: {languages} compiled.")
    if settings.WEB and not preparation.static_files_are_ready():
        with _step(say, "Static files", "compressing, about ten seconds, only after a change"):
            preparation.collect_static_files()
    if settings.WEB:
        _ready_sample()
    if compiling:
        with _step(say, "Kernels", "still compiling"):
            supervisor.finish(compiling, seconds=600)


def _begin_to_compile(supervisor: Supervisor, say: Say) -> Child | None:
    if not settings.WORKERS or preparation.kernels_are_ready():
        return None
    say("Kernels: compiling for this processor beside the other steps, up to a minute, only after a change ...")
    return supervisor.start(Program("kernels", _manage("compilekernels", "--verbosity", "0"), lasting=False))


def _ready_queue(supervisor: Supervisor, say: Say) -> None:
    if settings.EMBEDDED_VALKEY:
        with _step(say, "Queue", f"starting the embedded Valkey in {settings.VALKEY_DIR}"):
            child = supervisor.start(valkey.program())
            supervisor.wait(valkey.answers, child=child, seconds=60)
    else:
        with _step(say, "Queue", f"connecting to {valkey.public_address()}"):
            valkey.wait_for_other(OTHERS)


def _ready_database(say: Say) -> None:
    with _step(say, "Database", f"connecting to {connection.vendor} and bringing it up to date"):
        preparation.wait_for_database(OTHERS)
        migrations = preparation.migrate()
        connection.close()
    if migrations:
        say(f"  {migrations} migrations were made")


def _ready_sample() -> None:
    # Without it the first person who asks for it brings it, as before.
    with contextlib.suppress(RefusedFile, DatabaseError):
        sample.prepare(now=timezone.now())
    connection.close()


def _start(supervisor: Supervisor, listener: socket.socket | None, say: Say) -> None:
    if listener:
        # Before the workers, whose start takes all cores for a while: now people can come in.
        with _step(say, "Web server", "starting"):
            web = supervisor.start(_web(listener))
            supervisor.wait(lambda: door.is_answered(listener), child=web, seconds=60)
    for number in range(1, settings.WORKERS + 1):
        supervisor.start(Program(f"worker {number}", _manage("work")))
    if settings.WORKERS:
        supervisor.start(Program("caretaker", _manage("tend")))
    say(f"Workers: {settings.WORKERS} are starting.")
    if listener:
        _welcome(say)
    say("Ctrl-C ends it.\n")


def _web(listener: socket.socket) -> Program:
    options = {
        "--app-dir": str(settings.BASE_DIR),
        "--fd": str(listener.fileno()),
        "--timeout-graceful-shutdown": "3",
        "--log-level": "warning",
    }
    # The web server trusts no proxy headers: Django and allauth read them from the right, as many as PROXIES says.
    flags = ("--no-access-log", "--no-proxy-headers", "--no-server-header")
    words = [word for option in options.items() for word in option]
    command = (sys.executable, "-m", "uvicorn", "artworkshop.asgi:application", *flags, *words)
    return Program("web", command, files=(listener.fileno(),))


def _manage(*words: str) -> tuple[str, ...]:
    return (sys.executable, str(Path(settings.BASE_DIR) / "manage.py"), *words)


def _welcome(say: Say) -> None:
    say(f"\nThe Art Workshop is open at {settings.SITE_URL} (listening on {settings.HOST}, port {settings.PORT}).")
    token = accounts.setup_token()
    connection.close()
    if token:
        say(f"Nobody looks after it yet. Become its first admin here, once: {settings.SITE_URL}/setup/{token}/")


@contextlib.contextmanager
def _step(say: Say, name: str, words: str) -> Iterator[None]:
    started = time.monotonic()
    say(f"{name}: {words} ...")
    yield
    seconds = time.monotonic() - started
    if seconds >= 0.5:
        say(f"{name}: ready after {seconds:.1f} s.")
