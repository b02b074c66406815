"""Files are written whole, under names that are never used twice, and what fails leaves nothing behind."""

import io
import stat
from pathlib import Path

import pytest
from django.conf import settings
from django.core.files.storage import default_storage

from rendering import store


class BrokenFile(io.BytesIO):
    """A file whose second half cannot be read, as when a disk is full or a cable is pulled."""

    def read(self, size: int | None = -1) -> bytes:
        if self.tell():
            raise OSError("no space left on device")
        return super().read(100)


def test_original_comes_back_as_it_was(media):
    name = store.put_original(io.BytesIO(b"a photo"), extension="jpeg")

    assert store.read(name) == b"a photo"
    assert media() == [name]
    assert name.startswith("originals/")
    assert name.endswith(".jpeg")


def test_large_original_comes_back_in_pieces(media):
    content = b"a photo " * 20_000
    name = store.put_original(io.BytesIO(content), extension="jpeg")

    pieces = list(store.pieces(name))

    assert b"".join(pieces) == content
    assert max(map(len, pieces)) <= 65_536


def test_pieces_of_what_is_gone_are_missing(media):
    with pytest.raises(store.Missing):
        next(store.pieces("originals/gone.jpeg"))


def test_same_content_twice_gets_two_names(media):
    names = {store.put_original(io.BytesIO(b"a photo"), extension="png") for _ in range(2)}

    assert set(media()) == names
    assert len(names) == 2


def test_original_that_breaks_off_leaves_nothing(media):
    with pytest.raises(store.Unavailable):
        store.put_original(BrokenFile(b"x" * 1000), extension="jpeg")

    assert media() == []


def test_pages_are_files_by_width(media):
    pages = store.put_pages("photos", {480: b"small", 1024: b"larger"})

    assert (pages.widths, pages.size) == ([480, 1024], 11)
    assert media() == [f"{pages.folder}/1024.jpg", f"{pages.folder}/480.jpg"]
    assert store.read(store.page_file(pages.folder, 480)) == b"small"


def test_pages_that_break_off_leave_nothing(media, monkeypatch):
    real = default_storage.put  # type: ignore[attr-defined]  # our own storage's

    def full(name: str, content: bytes) -> None:
        if name.endswith("/1024.jpg"):
            raise OSError("no space left on device")
        real(name, content)

    monkeypatch.setattr(default_storage, "put", full)

    with pytest.raises(store.Unavailable):
        store.put_pages("photos", {480: b"small", 1024: b"larger"})

    assert media() == []


def test_removed_pages_take_their_folder_along(media):
    pages = store.put_pages("photos", {480: b"small", 1024: b"larger"})

    store.remove_pages(pages.folder, pages.widths)

    assert media() == []
    assert not default_storage.exists(pages.folder)


def test_removing_what_is_gone_is_no_error():
    store.remove(["photos/no/such.jpg"])


def test_missing_file_is_told_apart():
    with pytest.raises(store.Missing):
        store.read("photos/no/such.jpg")


def test_file_that_a_power_cut_emptied_is_missing(media):
    pages = store.put_pages("photos", {480: b"small"})
    name = store.page_file(pages.folder, 480)
    Path(default_storage.path(name)).write_bytes(b"")

    with pytest.raises(store.Missing):
        store.read(name)

    assert not store.has_content(name)


def test_unreadable_file_is_unavailable(media):
    pages = store.put_pages("photos", {480: b"small"})

    with pytest.raises(store.Unavailable) as caught:
        store.read(pages.folder)

    assert caught.type is store.Unavailable


def test_files_are_for_the_owner_of_the_process_alone(media):
    name = store.put_original(io.BytesIO(b"a photo"), extension="jpeg")

    mode = (Path(settings.DATA_DIR) / "media" / name).stat().st_mode

    assert stat.S_IMODE(mode) == 0o600
