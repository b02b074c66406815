"""Files on a disk appear whole or not at all, and an uploaded one is moved, not copied."""

import io
import os
import threading
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from django.core.files.base import ContentFile, File

from gallery.uploads import HashedUpload
from rendering.disk import PART, WholeFiles

LONG_AGO = datetime(2026, 1, 1, tzinfo=UTC)
SOON = timedelta(minutes=1)


class Pausing(io.BytesIO):
    """A file that stops in its middle until it may go on."""

    def __init__(self, content: bytes) -> None:
        super().__init__(content)
        self.reached, self.go_on = threading.Event(), threading.Event()

    def read(self, size: int | None = -1) -> bytes:
        if self.tell():
            self.reached.set()
            self.go_on.wait(10)
        return super().read(100)


@pytest.fixture
def disk(tmp_path: Path) -> WholeFiles:
    """Return a storage of this test."""
    return WholeFiles(location=str(tmp_path / "media"), file_permissions_mode=0o600)


def uploaded(content: bytes, folder: Path, settings) -> HashedUpload:
    folder.mkdir(exist_ok=True)
    settings.FILE_UPLOAD_TEMP_DIR = str(folder)
    file = HashedUpload("a.jpg", "image/jpeg")
    file.add(content, limit=10**9)
    file.flush()
    file.seek(0)
    return file


def read(disk: WholeFiles, name: str) -> bytes:
    with disk.open(name) as file:
        return bytes(file.read())


def names(disk: WholeFiles) -> list[str]:
    return [file.name for file in disk.walk("")]


@pytest.mark.parametrize("folder", ["originals", "renditions"])
def test_file_is_not_there_until_it_is_whole(disk, folder):
    slow = Pausing(b"x" * 1000)
    writer = threading.Thread(target=disk.save, args=(f"{folder}/ab/one.jpg", File(slow)))
    writer.start()
    slow.reached.wait(10)

    [half] = disk.walk(folder)
    assert half.is_part
    assert not disk.exists(f"{folder}/ab/one.jpg")
    assert disk.listdir(f"{folder}/ab") == ([], [])

    slow.go_on.set()
    writer.join(10)
    assert names(disk) == [f"{folder}/ab/one.jpg"]
    assert disk.listdir(f"{folder}/ab") == ([], ["one.jpg"])


def test_name_that_is_taken_is_never_written_over(disk):
    first = disk.save("photos/ab/one.jpg", ContentFile(b"first"))
    second = disk.save("photos/ab/one.jpg", ContentFile(b"second"))

    assert first != second
    assert [read(disk, name) for name in (first, second)] == [b"first", b"second"]


def test_uploaded_file_is_moved(disk, tmp_path, settings):
    file = uploaded(b"a photo", tmp_path / "uploads", settings)
    number = Path(file.temporary_file_path()).stat().st_ino
    os.utime(file.temporary_file_path(), (0, 0))

    disk.save("originals/ab/one.jpeg", file)
    file.close()

    [stored] = disk.walk("originals")
    assert Path(disk.path(stored.name)).stat().st_ino == number
    assert datetime.now(UTC) - stored.modified_at < SOON  # the sweep counts from here
    assert list((tmp_path / "uploads").iterdir()) == []


@pytest.mark.skipif(not os.access("/dev/shm", os.W_OK), reason="there is no second disk")  # noqa: S108 - the disk
def test_uploaded_file_on_another_disk_is_copied(disk, tmp_path_factory, settings):
    folder = Path("/dev/shm") / tmp_path_factory.mktemp("uploads").parent.name  # noqa: S108 - a disk of its own
    file = uploaded(b"a photo", folder, settings)

    disk.save("originals/ab/one.jpeg", file)
    file.close()

    assert read(disk, "originals/ab/one.jpeg") == b"a photo"
    assert names(disk) == ["originals/ab/one.jpeg"]
    folder.rmdir()


def test_upload_that_is_gone_is_an_error(disk, tmp_path, settings):
    file = uploaded(b"a photo", tmp_path / "uploads", settings)
    Path(file.temporary_file_path()).unlink()

    with pytest.raises(FileNotFoundError):
        disk.save("originals/ab/one.jpeg", file)

    assert names(disk) == []
    file.close()


def test_photos_are_on_the_disk_before_they_have_their_name(disk, monkeypatch):
    """Which outlives a power cut: bytes first, then the name, then the folders that lead there."""
    steps = []
    real, rename = os.fsync, Path.rename

    def fsync(descriptor: int) -> None:
        steps.append(Path(f"/proc/self/fd/{descriptor}").readlink().name)
        real(descriptor)

    def renamed(path: Path, target: Path) -> Path:
        steps.append(f"rename to {target.name}")
        return rename(path, target)

    monkeypatch.setattr(os, "fsync", fsync)
    monkeypatch.setattr(Path, "rename", renamed)

    disk.save("originals/ab/one.jpeg", ContentFile(b"a photo"))
    disk.save("renditions/ab/cd/480.jpg", ContentFile(b"a painting"))

    assert steps[0].startswith(PART)
    assert steps[1:] == ["rename to one.jpeg", "ab", "originals", "media", "rename to 480.jpg"]


def test_folder_that_was_swept_meanwhile_is_made_again(disk, monkeypatch):
    real = Path.mkdir
    made: list[Path] = []

    def mkdir(path: Path, *mode: Any, **options: Any) -> None:
        real(path, *mode, **options)
        if path.name == "ab" and not made:
            made.append(path)
            path.rmdir()

    monkeypatch.setattr(Path, "mkdir", mkdir)

    disk.save("photos/ab/one.jpg", ContentFile(b"a photo"))

    assert (len(made), names(disk)) == (1, ["photos/ab/one.jpg"])


def test_discarded_file_takes_empty_folders_along(disk):
    disk.save("photos/ab/one/480.jpg", ContentFile(b"1"))
    disk.save("photos/ab/two/480.jpg", ContentFile(b"2"))

    disk.discard("photos/ab/one/480.jpg")

    assert disk.listdir("photos/ab") == (["two"], [])
    disk.discard("photos/ab/two/480.jpg")
    assert disk.listdir("photos") == ([], [])


def test_empty_folders_are_pruned_when_they_are_old(disk):
    for folder in ("photos/ab/old", "photos/cd/new"):
        Path(disk.path(folder)).mkdir(parents=True)
    for folder in ("photos/ab/old", "photos/ab"):
        os.utime(disk.path(folder), (0, 0))
    disk.save("photos/ef/one/480.jpg", ContentFile(b"1"))

    count = disk.prune("photos", before=LONG_AGO)

    assert count == 2
    assert sorted(disk.listdir("photos")[0]) == ["cd", "ef"]
    assert disk.prune("photos", before=datetime.now(UTC) + SOON) == 2
    assert disk.listdir("photos")[0] == ["ef"]


def test_walk_yields_what_begins_so(disk):
    for name in ("photos/ab/one/480.jpg", "photos/ab/one/800.jpg", "photos/b0/two/480.jpg", "other/ab.jpg"):
        disk.save(name, ContentFile(b"content"))

    assert [file.name for file in disk.walk("photos/a")] == ["photos/ab/one/480.jpg", "photos/ab/one/800.jpg"]
    assert [file.size for file in disk.walk("photos/")] == [7, 7, 7]
    assert list(disk.walk("nothing/a")) == []
