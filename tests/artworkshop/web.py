"""A real web server on the database, the files and the queue of the tests, and listeners to its streams."""

import http.client
import json
import re
import socket
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Self

from gallery.models import User
from tests import makers
from tests.processes import Running, free_port, same_site, start, wait_until

OPTIONS = ("--timeout-graceful-shutdown", "3", "--log-level", "warning", "--no-access-log", "--no-proxy-headers")


@dataclass
class Web:
    """The web process as `manage.py up` starts it; it comes back on the same port."""

    port: int = field(default_factory=free_port)
    environment: dict[str, str] = field(default_factory=dict)
    server: Running | None = None

    @property
    def address(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    @property
    def running(self) -> Running:
        assert self.server
        return self.server

    def start(self) -> None:
        """Start, and wait until it answers."""
        place = {"DJANGO_SETTINGS_MODULE": "tests.artworkshop.plain_static", "SITE_URL": self.address}
        command = [sys.executable, "-W", "ignore", "-m", "uvicorn", "artworkshop.asgi:application", *OPTIONS]
        environment = {**same_site(), **place, **self.environment}
        self.server = start([*command, "--port", str(self.port)], environment=environment)
        wait_until(lambda: self.get("/livez") == 200 or self.running.run.poll() is not None, seconds=30)
        assert self.running.run.poll() is None, self.running.said

    def get(self, path: str, **headers: str) -> int:
        """Return the status of an answer; 0 if there is none."""
        try:
            with self.connection() as connection:
                connection.request(
                    "GET", path, headers={name.replace("_", "-"): text for name, text in headers.items()}
                )
                return connection.getresponse().status
        except OSError:
            return 0

    @contextmanager
    def connection(self) -> Iterator[http.client.HTTPConnection]:
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=10)
        try:
            yield connection
        finally:
            connection.close()


@contextmanager
def web(**environment: str) -> Iterator[Web]:
    """Run a web process until it is left."""
    site = Web(environment=environment)
    site.start()
    try:
        yield site
    finally:
        site.running.kill()


def cookie_of(person: User) -> str:
    """Return the cookie header of somebody's signed-in browser."""
    cookies = makers.browser(person).cookies
    return "; ".join(f"{name}={morsel.value}" for name, morsel in cookies.items())


class Stream:
    """One open stream, read without a browser."""

    def __init__(self, site: Web, cookie: str = "", *, method: str = "GET") -> None:
        self.socket = socket.create_connection(("127.0.0.1", site.port), timeout=10)
        lines = [
            f"{method} /live/ HTTP/1.1",
            f"Host: 127.0.0.1:{site.port}",
            *([f"Cookie: {cookie}"] if cookie else []),
        ]
        self.socket.sendall("\r\n".join([*lines, "", ""]).encode())
        self.text = ""
        while "\r\n\r\n" not in self.text:
            self.text += self._piece()
        self.head, _, self.text = self.text.partition("\r\n\r\n")
        self.status = int(self.head.split()[1])

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.socket.close()

    @property
    def versions(self) -> list[str]:
        """The versions that have come so far."""
        return [json.loads(each)["version"] for each in re.findall(r"^data: (\{\"version.*)$", self.text, re.MULTILINE)]

    def hear(self, count: int, *, seconds: float = 5) -> list[str]:
        """Wait until so many versions have come, and return all; what has come when the time is up if they do not."""
        deadline = time.monotonic() + seconds
        while len(self.versions) < count and (left := deadline - time.monotonic()) > 0:
            self.socket.settimeout(left)
            try:
                piece = self._piece()
            except TimeoutError:
                break
            if not piece:
                break
            self.text += piece
        return self.versions

    def to_the_end(self, *, seconds: float = 5) -> str:
        """Return all that comes until the server ends the stream; fail when it does not."""
        self.socket.settimeout(seconds)
        while not self.text.endswith("0\r\n\r\n") and (piece := self._piece()):
            self.text += piece
        return self.text

    def _piece(self) -> str:
        return self.socket.recv(65536).decode()
