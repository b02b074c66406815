"""Files over Django's storages: written whole, under random names that are never used twice."""

import logging
import secrets
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime
from typing import BinaryIO

from django.core.files.base import ContentFile, File
from django.core.files.storage import default_storage

from rendering.disk import Stored, WholeFiles

log = logging.getLogger(__name__)


class Unavailable(Exception):  # noqa: N818 - reads as what it says: store.Unavailable
    """The storage did not take or give a file: full, out of reach, or not allowed."""


class Missing(Unavailable):
    """There is no such file."""


@dataclass(frozen=True)
class Pages:
    """A folder of one picture in several widths."""

    folder: str
    widths: list[int]
    size: int
    largest: int
    """Bytes of the widest file, which a page would show that knows no others."""


def put_original(file: BinaryIO, *, extension: str) -> str:
    """Keep an uploaded file as it is and return its name; raise Unavailable."""
    name = f"{_random_folder('originals')}.{extension}"
    return _save(name, file if isinstance(file, File) else File(file))


def put_export(content: bytes, *, extension: str) -> str:
    """Keep a file that somebody asked for and return its name; raise Unavailable."""
    name = f"{_random_folder('exports')}.{extension}"
    return _save(name, ContentFile(content))


def put_pages(kind: str, files: Mapping[int, bytes]) -> Pages:
    """Keep one picture's page files (width to JPEG bytes) and return where; raise Unavailable."""
    folder = _random_folder(kind)
    size, largest = sum(len(content) for content in files.values()), len(files[max(files)])
    pages = Pages(folder, sorted(files), size, largest)
    try:
        for width, content in files.items():
            _put(page_file(folder, width), content)
    except BaseException:
        # Also when the time is up in the middle of it.
        remove_pages(folder, files)
        raise
    return pages


def page_file(folder: str, width: int) -> str:
    """Return the name of a folder's file of this width."""
    return f"{folder}/{width}.jpg"


def read(name: str) -> bytes:
    """Return a file's content; raise Missing or Unavailable."""
    with _told_as_unavailable(), default_storage.open(name, "rb") as file:
        content = bytes(file.read())
    if not content:
        # Nothing empty is ever stored: a power cut took what the disk had not yet written.
        raise Missing(name)
    return content


def pieces(name: str) -> Iterator[bytes]:
    """Yield a file's content piece by piece; raise Missing or Unavailable, perhaps in the middle of it."""
    with _told_as_unavailable(), default_storage.open(name, "rb") as file:
        yield from file.chunks()


def has_content(name: str) -> bool:
    """Return whether there is such a file, and something in it; raise Unavailable."""
    with _told_as_unavailable():
        return default_storage.exists(name) and default_storage.size(name) > 0


def remove(names: Iterable[str]) -> None:
    """Remove files; what cannot be removed now is left to the sweep."""
    for name in names:
        try:
            default_storage.delete(name)
        except Exception:
            log.exception("could not remove a file")


def remove_pages(folder: str, widths: Iterable[int]) -> None:
    """Remove a folder's page files, and the folder where the storage has such."""
    remove([page_file(folder, width) for width in widths])
    remove([folder])


def walk(start: str) -> Iterator[Stored]:
    """Yield all files whose names begin so, with those that are half written; raise Unavailable."""
    with _told_as_unavailable():
        disk = _disk()
        yield from disk.walk(start) if disk else _walk_bucket(start)


def discard(name: str) -> bool:
    """Remove a file, and the folders that this leaves empty; False if it cannot be removed now."""
    disk = _disk()
    try:
        disk.discard(name) if disk else default_storage.delete(name)
    except Exception:
        log.exception("could not remove a file")
        return False
    return True


def prune(kind: str, *, before: datetime) -> int:
    """Remove what is left of folders in which nothing has changed since then, and count them; buckets have none."""
    disk = _disk()
    return disk.prune(kind, before=before) if disk else 0


def abort_halves(*, before: datetime) -> int:
    """End uploads into a bucket that somebody began before then and never finished, and count them."""
    if _disk():
        return 0
    with _told_as_unavailable():
        begun = default_storage.bucket.multipart_uploads.all()  # type: ignore[attr-defined]  # S3Storage's
        halves = [each for each in begun if each.initiated <= before]
        for half in halves:
            half.abort()
    return len(halves)


def _disk() -> WholeFiles | None:
    # A lazy object, which says that it is of its storage's class.
    return default_storage if isinstance(default_storage, WholeFiles) else None


def _walk_bucket(start: str) -> Iterator[Stored]:
    for found in default_storage.bucket.objects.filter(Prefix=start):  # type: ignore[attr-defined]  # S3Storage's
        yield Stored(found.key, found.size, found.last_modified)


def _random_folder(kind: str) -> str:
    name = secrets.token_hex(16)
    return f"{kind}/{name[:2]}/{name}"


def _save(name: str, file: "File[bytes]") -> str:
    try:
        with _told_as_unavailable():
            return default_storage.save(name, file)
    except Unavailable:
        remove([name])  # a part of it may have been written
        raise


def _put(name: str, content: bytes) -> None:
    disk = _disk()
    if disk is None:
        _save(name, ContentFile(content))
        return
    with _told_as_unavailable():
        disk.put(name, content)


@contextmanager
def _told_as_unavailable() -> Iterator[None]:
    # Each storage has errors of its own, and botocore's take half a second to import.
    try:
        yield
    except FileNotFoundError as error:
        raise Missing(str(error)) from error
    except Exception as error:
        raise Unavailable(str(error)) from error
