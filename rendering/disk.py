"""Files on a disk: written under a hidden name, and given their own once they are whole."""

import errno
import os
import secrets
from collections.abc import Callable, Iterator
from contextlib import suppress
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

from django.core.files.base import File
from django.core.files.storage import FileSystemStorage
from django.utils.deconstruct import deconstructible

PART = ".part-"
"""What the name of a file begins with while it is written."""

TRIES = 20
"""How often a folder is made that vanishes again. Four writers beside two sweeps without a pause: with two tries 32 of
3,700 files could not be written, with these none of 8,000."""

LASTING = "originals/"
"""What must outlive a power cut: the photos, which nobody can make again.

Flushing costs 2.9 ms a photo of 4 MB (3.6 ms instead of 0.7), and 1.8 ms a painting's four page files (3.9 ms
instead of 2.1) on a fast disk; a slow one takes longer, for each file. A photo is stored once, while paintings
come by the thousand and can be painted again: only photos pay.
"""


@dataclass(frozen=True)
class Stored:
    """A file as the storage lists it."""

    name: str
    size: int
    modified_at: datetime

    @property
    def is_part(self) -> bool:
        """Whether it is half of a file, that somebody writes now or never finished."""
        return self.name.rpartition("/")[2].startswith(PART)


@deconstructible(path="rendering.disk.WholeFiles")
class WholeFiles(FileSystemStorage):
    """Django's storage on the file system, whose files appear whole or not at all."""

    def listdir(self, path: str) -> tuple[list[str], list[str]]:
        """Return a folder's folders and its finished files."""
        folders, files = super().listdir(path)
        return folders, [name for name in files if not name.startswith(PART)]

    def walk(self, start: str) -> Iterator[Stored]:
        """Yield all files whose names begin so, and the halves of files among them."""
        folder, _, begin = start.rpartition("/")
        yield from self._below(Path(self.path(folder)), begin)

    def discard(self, name: str) -> None:
        """Remove a file, and the folders that this leaves empty; who writes there meanwhile makes them anew."""
        self.delete(name)
        for folder in list(Path(name).parents)[:-2]:
            try:
                Path(self.path(str(folder))).rmdir()
            except OSError:
                return

    def prune(self, folder: str, *, before: datetime) -> int:
        """Remove empty folders inside a folder in which nothing has changed since then, and count them."""
        return sum(_prune(Path(path), before) for path in _folders(Path(self.path(folder))))

    def put(self, name: str, content: bytes) -> None:
        """Keep a file under a name that was never used, in half of the time that save() needs."""
        self._keep(Path(self.location, name), lambda part: _write(part, content))

    def _save(self, name: str, content: "File[bytes]") -> str:
        place = Path(self.path(name))
        self._keep(place, lambda part: _fill(part, content))
        return place.relative_to(self.location).as_posix()

    def _keep(self, place: Path, fill: Callable[[Path], None]) -> None:
        for tried in range(TRIES):
            try:
                self._put(place, fill)
                return
            except (FileNotFoundError, FileExistsError):
                # The sweep took a folder that was empty until now.
                if tried == TRIES - 1:
                    raise

    def _put(self, place: Path, fill: Callable[[Path], None]) -> None:
        lasting = place.is_relative_to(Path(self.location, LASTING))
        place.parent.mkdir(parents=True, exist_ok=True)
        part = place.with_name(f"{PART}{secrets.token_hex(8)}")
        try:
            fill(part)
            if self.file_permissions_mode is not None:
                part.chmod(self.file_permissions_mode)
            if lasting:
                _flush(part)
            part.rename(place)
        except BaseException:
            # Also when the time is up in the middle of it; and a full disk shall not stay full for it.
            part.unlink(missing_ok=True)
            raise
        if lasting:
            for folder in list(place.relative_to(self.location).parents):
                _flush(Path(self.location, folder))

    def _below(self, folder: Path, begin: str = "") -> Iterator[Stored]:
        try:
            found = sorted((entry for entry in os.scandir(folder) if entry.name.startswith(begin)), key=_name)
        except FileNotFoundError:
            return
        for entry in found:
            if entry.is_dir(follow_symlinks=False):
                yield from self._below(Path(entry.path))
                continue
            with suppress(FileNotFoundError):  # it was removed, or has got its own name, meanwhile
                facts = entry.stat(follow_symlinks=False)
                name = Path(entry.path).relative_to(self.location).as_posix()
                yield Stored(name, facts.st_size, _modified(facts))


def _fill(part: Path, content: "File[bytes]") -> None:
    spooled = getattr(content, "temporary_file_path", None)
    if spooled and _moved(spooled(), part):
        return
    with part.open("xb") as file:
        for chunk in content.chunks():
            file.write(chunk)


def _write(part: Path, content: bytes) -> None:
    with part.open("xb", buffering=0) as file:
        # A disk that is nearly full takes a part, and the next call fails.
        rest = memoryview(content)
        while rest:
            rest = rest[file.write(rest) :]


def _moved(spooled: str, part: Path) -> bool:
    try:
        Path(spooled).rename(part)
    except OSError as error:
        if error.errno != errno.EXDEV:
            raise
        return False  # it is on another disk, and will be copied
    os.utime(part)  # the sweep counts its age from here
    return True


def _flush(path: Path) -> None:
    descriptor = os.open(path, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def _folders(folder: Path) -> list[str]:
    with suppress(FileNotFoundError), os.scandir(folder) as entries:
        return [entry.path for entry in entries if entry.is_dir(follow_symlinks=False)]
    return []


def _prune(folder: Path, before: datetime) -> int:
    count = 0
    with suppress(OSError):  # it is not empty, or somebody else has removed it
        is_old = _modified(folder.stat()) <= before  # asked first: removing what is in it makes it young
        count = sum(_prune(Path(path), before) for path in _folders(folder))
        if is_old:
            folder.rmdir()
            count += 1
    return count


def _modified(facts: os.stat_result) -> datetime:
    return datetime.fromtimestamp(facts.st_mtime, tz=UTC)


def _name(entry: "os.DirEntry[str]") -> str:
    return entry.name
