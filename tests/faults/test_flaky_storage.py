"""A real S3 server that answers errors, is slow, hangs up, or is away: everything ends done or with its reason."""

import http.client
import io
import random
import threading
import time
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any, cast
from urllib.parse import urlsplit

import pytest
from django.core.files.storage import default_storage
from django.core.management import call_command
from storages.backends.s3 import S3Storage

from artworkshop import settings as site
from rendering import sources, store
from rendering.models import Commission, Reason, Rendition, Source, State
from tests.processes import Crew, Valkey, bucket, object_storage, same_site, wait_until
from tests.rendering.makers import admit, commission_all, photo

pytestmark = [pytest.mark.faults, pytest.mark.django_db(transaction=True)]
ERROR = b"<Error><Code>InternalError</Code><Message>We encountered an internal error.</Message></Error>"


class Proxy(ThreadingHTTPServer):
    """Stands before an S3 server: lets requests through, answers errors, hangs up, or is slow."""

    daemon_threads = True

    def __init__(self, server: str) -> None:
        super().__init__(("127.0.0.1", 0), _Passing)
        self.server = server
        self.bad = self.slow = 0.0
        self.requests = self.failures = 0
        self.dice = random.Random(4)  # noqa: S311 - the same faults each time

    @property
    def address(self) -> str:
        return f"http://127.0.0.1:{self.server_address[1]}"

    def fault(self) -> str:
        """Return what befalls the next request."""
        self.requests += 1
        time.sleep(2 if self.dice.random() < self.slow else 0)
        if self.dice.random() >= self.bad:
            return ""
        self.failures += 1
        return self.dice.choice(["error", "error", "hang up"])


class _Passing(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    server: Proxy

    def _pass(self) -> None:
        body = self.rfile.read(int(self.headers.get("Content-Length", 0)))
        fault = self.server.fault()
        if fault == "hang up":
            self.close_connection = True
        elif fault == "error":
            self._answer(500, {"Content-Type": "application/xml"}, ERROR)
        else:
            self._forward(body)

    do_GET = do_PUT = do_POST = do_HEAD = do_DELETE = _pass  # noqa: N815 - the names that http.server calls

    def _forward(self, body: bytes) -> None:
        upstream = http.client.HTTPConnection(urlsplit(self.server.server).netloc, timeout=30)
        upstream.putrequest(self.command, self.path, skip_host=True, skip_accept_encoding=True)
        for name, value in self.headers.items():
            if name.lower() not in ("connection", "expect"):
                upstream.putheader(name, value)
        upstream.endheaders(body)
        answer = upstream.getresponse()
        content = answer.read()
        self._answer(answer.status, dict(answer.getheaders()), content)
        upstream.close()

    def _answer(self, status: int, headers: dict[str, str], content: bytes) -> None:
        self.send_response_only(status)
        length = headers.get("Content-Length", "0") if self.command == "HEAD" else str(len(content))
        for name, value in headers.items():
            if name.lower() not in ("content-length", "transfer-encoding", "connection"):
                self.send_header(name, value)
        self.send_header("Content-Length", length)
        self.end_headers()
        self.wfile.write(b"" if self.command == "HEAD" else content)

    def log_message(self, *_: Any) -> None:  # Any: what it is given
        """Say nothing."""


@pytest.fixture(scope="module")
def server() -> Iterator[dict[str, str]]:
    """Keep one S3 server for this file."""
    with object_storage() as chosen:
        yield chosen


@pytest.fixture
def proxy(server: dict[str, str], settings, monkeypatch: pytest.MonkeyPatch) -> Iterator[Proxy]:
    """Use the S3 server through a proxy that is faultless until it is told otherwise."""
    with Proxy(server["S3_ENDPOINT"]) as proxy:
        threading.Thread(target=proxy.serve_forever, daemon=True).start()
        for name, value in {**server, "S3_ENDPOINT": proxy.address}.items():
            monkeypatch.setenv(name, value)
        monkeypatch.setattr(site, "STORAGE", "s3")
        settings.STORAGES = {**settings.STORAGES, "default": site._media_storage()}
        yield proxy
        proxy.bad = proxy.slow = 0
        for name in files(server):
            default_storage.delete(name)
        cast("S3Storage", default_storage).connection.meta.client.close()
        proxy.shutdown()


def files(server: dict[str, str]) -> list[str]:
    """Return what is in the bucket, asked past the proxy."""
    client = bucket(server)
    found = sorted(each["Key"] for each in client.list_objects_v2(Bucket="photographs").get("Contents", []))
    client.close()
    return found


def known_files() -> list[str]:
    kept = [each for model in (Source, Rendition) for each in model.objects.exclude(folder="")]
    pages = [f"{each.folder}/{width}.jpg" for each in kept for width in each.widths]
    return sorted([*pages, *Source.objects.values_list("original", flat=True)])


def everything_has_ended() -> bool:
    unfinished = [model.objects.all().unfinished() for model in (Source, Rendition)]
    unresolved = Commission.objects.filter(source__state=State.DONE, rendition=None)
    return not any(rows.exists() for rows in (*unfinished, unresolved))


def test_errors_now_and_then_are_not_noticed(proxy: Proxy, server: dict[str, str]):
    proxy.bad = 0.3
    contents = [bytes([number]) * 5000 for number in range(20)]

    names = [store.put_original(io.BytesIO(content), extension="jpeg") for content in contents]

    assert [store.read(name) for name in names] == contents
    assert files(server) == sorted(names)
    assert proxy.failures > 10


def test_storage_that_is_away_is_told_within_a_minute(proxy: Proxy, server: dict[str, str]):
    proxy.bad = 1
    begun = time.monotonic()

    with pytest.raises(sources.RefusedFile) as refusal:
        admit(photo())

    assert refusal.value.reason == Reason.STORAGE
    assert time.monotonic() - begun < 60
    assert Source.objects.count() == 0
    assert files(server) == []


@pytest.mark.slow
def test_everything_ends_though_the_storage_is_bad_and_slow(proxy: Proxy, server: dict[str, str], valkey: Valkey):
    with Crew({**same_site(), **server, "S3_ENDPOINT": proxy.address}) as crew:
        crew.worker()
        crew.caretaker()
        asked = [commission_all(admit(photo(seed))) for seed in (1, 2)]
        proxy.bad = proxy.slow = 0.3
        wait_until(everything_has_ended, seconds=240)

    proxy.bad = proxy.slow = 0
    ended = [*Source.objects.all(), *Rendition.objects.all()]
    assert len(asked) == 2
    assert proxy.failures > 4
    assert {each.state for each in ended} <= {State.DONE, State.FAILED}
    assert {each.reason for each in ended if each.state == State.FAILED} <= {Reason.STORAGE, Reason.TOO_SLOW}
    call_command("sweep", "--older-than", "0", stdout=io.StringIO())
    assert files(server) == known_files()


@pytest.mark.slow
def test_work_waits_for_a_storage_that_comes_back(proxy: Proxy, server: dict[str, str], valkey: Valkey):
    with Crew({**same_site(), **server, "S3_ENDPOINT": proxy.address}) as crew:
        commission_all(admit(photo()))
        proxy.bad = 1
        crew.worker()
        crew.caretaker()
        wait_until(lambda: Source.objects.filter(tries__gte=1).exists() and proxy.failures > 4, seconds=60)
        proxy.bad = 0
        done = Rendition.objects.filter(state=State.DONE)
        wait_until(lambda: done.count() == 4, seconds=120)

    assert Source.objects.get().state == State.DONE
    assert files(server) == known_files()
