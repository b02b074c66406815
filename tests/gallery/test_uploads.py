"""Uploads: hashed, cut, bounded, cleaned away."""

import hashlib
from collections.abc import Iterator, MutableMapping
from pathlib import Path
from typing import Any, cast

import pytest
from asgiref.sync import async_to_sync
from django.contrib.auth.models import AnonymousUser
from django.core.exceptions import RequestDataTooBig
from django.test import Client, RequestFactory
from django.urls import reverse
from pytest_django import Settings

from gallery import notices
from gallery.models import Notice
from gallery.uploads import NO_ROOM, HashedUpload, NoRoom, bounded, largest_body
from gallery.views.photos import bad_request
from rendering.models import State
from rendering.room import Full, room
from tests import makers
from tests.makers import PHOTOS

MEGABYTE = 1_000_000


@pytest.fixture(autouse=True)
def forgetful() -> Iterator[None]:
    """Let no other test believe in the room of this one."""
    yield
    room.forget()


def received(*files: tuple[str, bytes]) -> list[HashedUpload]:
    """Return what a view gets when these files are posted."""
    posted = [makers.upload(name, content) for name, content in files]
    request = RequestFactory().post("/", {"photos": posted})
    return cast("list[HashedUpload]", request.FILES.getlist("photos"))


def test_handler_hashes_and_keeps_the_bytes():
    content = (PHOTOS / "prairie_falcon.jpg").read_bytes()

    [file] = received(("falcon.jpg", content))

    assert (file.name, file.size, file.too_large) == ("falcon.jpg", len(content), False)
    assert file.sha256 == hashlib.sha256(content).hexdigest()
    assert file.read() == content
    file.close()


def test_handler_cuts_a_large_file_and_keeps_its_neighbors(settings: Settings, uploads: Path):
    settings.MAX_MEGABYTES = 1

    before, large, after = received(("a.jpg", b"a"), ("b.jpg", b"b" * (MEGABYTE + 1)), ("c.jpg", b"c" * MEGABYTE))

    assert [file.too_large for file in (before, large, after)] == [False, True, False]
    assert [len(file.read()) for file in (before, large, after)] == [1, 0, MEGABYTE]
    for file in (before, large, after):
        file.close()
    assert list(uploads.iterdir()) == []


def test_handler_refuses_a_body_that_is_too_large_as_a_whole(settings: Settings, uploads: Path):
    settings.MAX_MEGABYTES = 1
    request = RequestFactory().post("/", {"photos": makers.upload("a.jpg", b"a")})
    request.META["CONTENT_LENGTH"] = str(25 * MEGABYTE + 1)

    with pytest.raises(RequestDataTooBig):
        request.FILES  # noqa: B018 - reading it is what parses the request

    assert list(uploads.iterdir()) == []


def test_spooled_file_has_nothing_of_the_name(uploads: Path):
    name = "x" * 300 + ".jpg" + "y" * 300

    [file] = received((name, b"content"))

    [spooled] = uploads.iterdir()
    assert spooled.name.rstrip("abcdefghijklmnopqrstuvwxyz0123456789_") == "upload-"
    file.close()


def test_upload_leaves_no_file_in_the_folder(as_alice: Client, uploads: Path):
    as_alice.post(reverse("upload"), {"photos": makers.upload("denali.webp"), "styles": "oil", "look": "fast"})

    assert list(uploads.iterdir()) == []


def spool(*, chunks: list[bytes], declared: int | None) -> bytes:
    """Return what an ASGI application gets of a body behind the bound."""
    spooled = b""
    rest = list(chunks)

    async def application(scope: Any, receive: Any, send: Any) -> None:
        nonlocal spooled
        more = True
        while more:
            message = await receive()
            spooled += message["body"]
            more = message["more_body"]

    async def receive() -> MutableMapping[str, Any]:
        return {"type": "http.request", "body": rest.pop(0), "more_body": bool(rest)}

    async def send(message: MutableMapping[str, Any]) -> None:
        """Nothing is sent."""

    headers = [] if declared is None else [(b"content-length", str(declared).encode())]
    scope = {"type": "http", "method": "POST", "path": "/elsewhere/", "headers": headers}
    async_to_sync(bounded(application))(scope, receive, send)
    assert rest == []
    return spooled


@pytest.mark.parametrize(
    ("declared", "megabytes", "spooled"),
    [(24 * MEGABYTE, 24, 24), (25 * MEGABYTE + 1, 26, 0), (None, 24, 24), (None, 40, 25), (3, 40, 25)],
)
def test_bound_empties_bodies_before_they_are_spooled(
    settings: Settings, declared: int | None, megabytes: int, spooled: int
):
    settings.MAX_MEGABYTES = 1

    got = spool(chunks=[bytes(MEGABYTE)] * megabytes, declared=declared)

    assert len(got) == spooled * MEGABYTE


def test_bound_follows_the_setting(settings: Settings):
    settings.MAX_MEGABYTES = 40

    assert largest_body() == 1_000_000_000


def passed(path: str, *, declared: int = MEGABYTE) -> tuple[Any, bytes]:
    """Return what was told and what came of a posted body behind the bound."""
    told, body = None, b""

    async def application(scope: Any, receive: Any, send: Any) -> None:
        nonlocal told, body
        told, body = scope[NO_ROOM], (await receive())["body"]

    async def receive() -> MutableMapping[str, Any]:
        return {"type": "http.request", "body": bytes(declared), "more_body": False}

    async def send(message: MutableMapping[str, Any]) -> None:
        """Nothing is sent."""

    headers = [(b"content-length", str(declared).encode())]
    scope = {"type": "http", "method": "POST", "path": path, "headers": headers}
    async_to_sync(bounded(application))(scope, receive, send)
    return told, body


@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize(("waiting", "full"), [(1, None), (2, Full.QUEUE)])
def test_upload_is_dropped_when_too_much_waits(settings: Settings, waiting: int, full: Full | None):
    settings.WAITING_PHOTOS, settings.FREE_MEGABYTES = 2, 0
    for _ in range(waiting):
        makers.source(state=State.WAITING)
    room.forget()

    assert passed("/photos/") == (full, b"" if full else bytes(MEGABYTE))
    assert passed("/artworks/a/cancel/") == (None, bytes(MEGABYTE))


@pytest.mark.django_db(transaction=True)
def test_upload_is_dropped_while_a_notice_closes_uploads():
    Notice.objects.create(text="We move", starts_at=makers.NOON, closes_uploads=True)
    notices.board.forget()

    closed, body = passed("/photos/")

    assert (closed.text, body) == ("We move", b"")
    assert passed("/artworks/a/cancel/") == (None, bytes(MEGABYTE))


@pytest.mark.django_db(transaction=True)
def test_upload_is_dropped_when_the_disk_would_be_full(settings: Settings):
    settings.FREE_MEGABYTES = 1_000_000_000
    room.forget()

    assert passed("/photos/") == (Full.DISK, b"")


def test_dropped_upload_is_not_parsed(uploads: Path):
    request = RequestFactory().post("/photos/", {"photos": makers.upload("a.jpg", b"a")})
    request.scope = {NO_ROOM: Full.QUEUE}  # type: ignore[attr-defined]  # as an ASGI request has it

    with pytest.raises(NoRoom) as refusal:
        request.FILES  # noqa: B018 - reading it is what parses the request

    assert refusal.value.full == Full.QUEUE
    assert list(uploads.iterdir()) == []


@pytest.mark.parametrize(("accept", "kind"), [("application/json", "application/json"), ("text/html", "text/html")])
def test_refusal_is_said_in_words_with_a_time(accept: str, kind: str):
    request = RequestFactory().post("/photos/", headers={"Accept": accept})
    request.user = AnonymousUser()

    answer = bad_request(request, NoRoom(Full.QUEUE))

    assert (answer.status_code, answer.headers["Retry-After"]) == (503, "20")
    assert answer.headers["Content-Type"].startswith(kind)
    assert str(Full.QUEUE.label) in answer.content.decode()
