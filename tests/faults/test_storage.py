"""Disks that are full and storages that fail: refused in words, tried again, nothing half, nothing left over."""

import io
import os
import subprocess
import tempfile
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import cast

import pytest
from asgiref.sync import async_to_sync
from asgiref.testing import ApplicationCommunicator
from django.core.asgi import get_asgi_application
from django.core.management import call_command
from django.test.client import BOUNDARY, MULTIPART_CONTENT, Client, encode_multipart
from django.urls import reverse

from gallery.models import Photo, User
from gallery.uploads import Application, bounded
from rendering import room as rooms
from rendering import store
from rendering.disk import PART
from rendering.models import Source
from rendering.room import Full, room
from tests import makers
from tests.processes import Valkey

pytestmark = [pytest.mark.faults, pytest.mark.django_db(transaction=True)]
MEGABYTE = 1_000_000
WISHES = {"styles": "oil", "look": "fast"}


@dataclass
class Disk:
    """A small disk with the folders of the storage and of the uploads."""

    folder: Path

    @property
    def free(self) -> int:
        return os.statvfs(self.folder).f_bavail * os.statvfs(self.folder).f_bsize

    def fill(self, *, leaving: int) -> None:
        """Let somebody else fill it but for so many bytes."""
        with (self.folder / "filler").open("wb") as file:
            file.write(bytes(max(0, self.free - leaving)))

    def clear(self) -> None:
        """Make room again."""
        (self.folder / "filler").unlink()

    def files(self) -> list[str]:
        """Return what is on it, but for what fills it."""
        found = (path for path in self.folder.rglob("*") if path.is_file() and path.name != "filler")
        return sorted(str(path.relative_to(self.folder)) for path in found)


@pytest.fixture
def disk(tmp_path: Path, settings, monkeypatch: pytest.MonkeyPatch, valkey: Valkey) -> Iterator[Disk]:
    """Mount a disk of 20 MB, on which everything is kept; its last bytes may be used as well."""
    folder = tmp_path / "disk"
    folder.mkdir()
    made = subprocess.run(["mount", "-t", "tmpfs", "-o", "size=20m", "disk", folder], capture_output=True, check=False)
    if made.returncode:
        pytest.skip(f"only root may mount a small disk: {made.stderr.decode().strip()}")
    try:
        (folder / "uploads").mkdir()
        options = {"location": str(folder / "media"), "file_permissions_mode": 0o600}
        files = {"BACKEND": "rendering.disk.WholeFiles", "OPTIONS": options}
        settings.STORAGES = {**settings.STORAGES, "default": files}
        settings.FILE_UPLOAD_TEMP_DIR = str(folder / "uploads")
        monkeypatch.setattr(tempfile, "tempdir", str(folder / "uploads"))
        settings.FREE_MEGABYTES = 0
        room.forget()
        yield Disk(folder)
    finally:
        room.forget()
        subprocess.run(["umount", "--lazy", folder], check=True)


@dataclass
class Answer:
    """What the site answered."""

    status: int
    headers: dict[str, str]
    text: str


def send(person: User, content: bytes, *, accept: str = "application/json") -> Answer:
    """Send a photo as a browser does, through the whole site: in pieces, each of which may be one too many."""
    body = encode_multipart(BOUNDARY, {"photos": makers.upload("photo.jpg", content), **WISHES})
    return async_to_sync(_send)(_headers(person, len(body), accept), body)


async def _send(headers: list[tuple[bytes, bytes]], body: bytes) -> Answer:
    scope = {"type": "http", "http_version": "1.1", "method": "POST", "path": reverse("upload"), "query_string": b""}
    site = ApplicationCommunicator(bounded(cast("Application", get_asgi_application())), {**scope, "headers": headers})
    pieces = [body[index : index + 65_536] for index in range(0, len(body), 65_536)]
    for piece in pieces:
        await site.send_input({"type": "http.request", "body": piece, "more_body": piece is not pieces[-1]})
    begin = await site.receive_output(30)
    rest = await site.receive_output(30)
    await site.wait(30)
    found = {name.decode().lower(): value.decode() for name, value in begin["headers"]}
    return Answer(begin["status"], found, rest["body"].decode())


def _headers(person: User, length: int, accept: str) -> list[tuple[bytes, bytes]]:
    browser = Client()
    browser.force_login(person)
    token = "t" * 32
    cookies = f"sessionid={browser.cookies['sessionid'].value}; csrftoken={token}"
    usual = {"host": "testserver", "content-type": MULTIPART_CONTENT, "content-length": str(length)}
    own = {"accept": accept, "cookie": cookies, "x-csrftoken": token}
    return [(name.encode(), value.encode()) for name, value in {**usual, **own}.items()]


def noise(megabytes: float) -> bytes:
    """Return a photo with so many bytes after its end."""
    return makers.jpeg() + bytes(int(megabytes * MEGABYTE))


def refused_for_room(answer: Answer) -> bool:
    assert str(Full.DISK.label) in answer.text
    return (answer.status, answer.headers["retry-after"]) == (503, "120")


def test_upload_that_would_fill_the_disk_is_refused_before_it_is_stored(disk: Disk, alice: User, settings):
    settings.FREE_MEGABYTES = 5

    fitting = send(alice, noise(4))
    room.forget()
    refused = send(alice, noise(6.5))

    assert (fitting.status, refused_for_room(refused)) == (200, True)
    assert disk.files() == [f"media/{Source.objects.get().original}"]


@pytest.mark.parametrize(
    ("megabytes", "leaving"),
    [
        pytest.param(8, 6, id="while the request comes"),
        pytest.param(6, 9, id="while the file is taken out of the request"),
        pytest.param(6, 5.98, id="at the very end of the request"),
    ],
)
@pytest.mark.filterwarnings("ignore:Unclosed file <tempfile.SpooledTemporaryFile:ResourceWarning")  # Django's
def test_disk_that_fills_during_an_upload(
    disk: Disk, alice: User, megabytes: float, leaving: float, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.setattr(rooms, "FRESH_SECONDS", 60)
    assert room.refusal() is None  # the site believes for a while that there is room
    disk.fill(leaving=int(leaving * MEGABYTE))
    before = disk.free

    refused = send(alice, noise(megabytes))

    assert refused_for_room(refused)
    assert (disk.files(), disk.free) == ([], before)
    assert Photo.objects.count() == 0

    disk.clear()
    room.forget()
    assert send(alice, noise(megabytes)).status == 200
    assert disk.files() == [f"media/{Source.objects.get().original}"]


def test_refusal_is_a_page_for_a_browser_without_scripts(disk: Disk, alice: User):
    disk.fill(leaving=MEGABYTE)

    refused = send(alice, noise(3), accept="text/html")

    assert refused_for_room(refused)
    assert "<h1>No room just now</h1>" in refused.text


def test_disk_that_is_full_when_the_photo_is_put_away(disk: Disk, alice: User, settings, tmp_path: Path):
    """The uploads have a disk of their own: the photo is copied, and does not fit."""
    settings.FILE_UPLOAD_TEMP_DIR = str(tmp_path)
    tempfile.tempdir = str(tmp_path)
    disk.fill(leaving=MEGABYTE)
    settings.DATA_DIR = tmp_path  # the site is told nothing of the small disk

    refused = send(alice, noise(3))

    assert refused.status == 200
    assert "The file could not be stored or fetched. Please try again." in refused.text
    assert (disk.files(), Photo.objects.count()) == ([], 0)

    disk.clear()
    send(alice, noise(3))
    assert disk.files() == [f"media/{Source.objects.get().original}"]


def test_painting_that_does_not_fit_leaves_nothing(disk: Disk):
    disk.fill(leaving=MEGABYTE)
    before = disk.free

    with pytest.raises(store.Unavailable):
        store.put_pages("renditions", {160: bytes(1000), 480: bytes(2 * MEGABYTE)})

    assert (disk.files(), disk.free // 10_000) == ([], before // 10_000)
    disk.clear()
    assert len(store.put_pages("renditions", {160: bytes(1000), 480: bytes(2 * MEGABYTE)}).widths) == 2


def test_half_of_a_file_is_neither_served_nor_kept_for_ever(disk: Disk, as_alice: Client, alice: User):
    """As a killed process leaves it."""
    photo = makers.photo(alice)
    whole = disk.files()
    folder = disk.folder / "media" / "originals" / "ab"
    folder.mkdir(parents=True, exist_ok=True)
    (folder / f"{PART}0123").write_bytes(b"half")

    assert as_alice.get(reverse("photo_original", args=[photo.key])).content == makers.jpeg()
    call_command("sweep", "--older-than", "0", stdout=io.StringIO())

    assert disk.files() == whole
