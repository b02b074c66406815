"""Files over Django's storages: written whole, under random names that are never used twice."""

import logging
import secrets
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from typing import BinaryIO

from django.core.files.base import ContentFile, File
from django.core.files.storage import default_storage

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
    pages = Pages(folder, sorted(files), sum(len(content) for content in files.values()))
    try:
        for width, content in files.items():
            _save(page_file(folder, width), ContentFile(content))
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
        return bytes(file.read())


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


@contextmanager
def _told_as_unavailable() -> Iterator[None]:
    # Each storage has errors of its own, and botocore's take half a second to import.
    try:
        yield
    except FileNotFoundError as error:
        raise Missing(str(error)) from error
    except Exception as error:
        raise Unavailable(str(error)) from error
