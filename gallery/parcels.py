"""Parcels: photos with their paintings and recipes in one ZIP file, packed while it is being sent.

Nothing of it is kept on a disk of the server, and no more than one piece of one file is in memory. Pictures are stored
as they are: they are compressed already.
"""

import json
import re
import tempfile
import unicodedata
import zipfile
from collections import Counter
from collections.abc import Generator, Iterator
from dataclasses import dataclass, field
from datetime import datetime
from io import RawIOBase
from typing import IO, Any

from django.conf import settings
from django.db.models import Prefetch
from django.utils import timezone, translation
from django.utils.translation import gettext as _

from gallery.models import Artwork, Photo, PhotoQuerySet, Stage
from rendering import store

MOST = 500
"""So many photos are chosen at once at most; everything has no such limit."""
BATCH = 100
PIECE = 256 * 1024
NAME_BYTES = 120
"""Of a title in a name: with the folder and the style it stays under what any system takes."""
FORBIDDEN = re.compile(r'[<>:"/\\|?*]')
RESERVED = re.compile(r"(con|prn|aux|nul|com[0-9¹²³]|lpt[0-9¹²³])(\..*)?", re.IGNORECASE)
RECIPES, MISSING = "recipes.json", "missing.txt"


def pack(photos: PhotoQuerySet) -> Generator[bytes]:
    """Yield a ZIP file with these photos: originals, paintings at their largest, and what they were painted by."""
    parcel = _Parcel()
    try:
        for photo in _in_batches(photos):
            yield from parcel.add(photo)
        yield from parcel.close()
    finally:
        parcel.recipes.close()


def safe_name(title: str) -> str:
    """Return a title as a name that every system takes; empty if nothing of it is left."""
    composed = unicodedata.normalize("NFC", title)
    visible = "".join(sign for sign in composed if not unicodedata.category(sign).startswith("C"))
    name = FORBIDDEN.sub("-", visible).strip(" .-")
    cut = name.encode()[:NAME_BYTES].decode(errors="ignore").rstrip(" .")
    return f"_{cut}" if RESERVED.fullmatch(cut) else cut


class _Sink(RawIOBase):
    """Takes what the ZIP file writes until it is sent; it cannot be wound back."""

    def __init__(self) -> None:
        """Begin empty."""
        super().__init__()
        self.held = bytearray()

    def writable(self) -> bool:
        return True

    def write(self, content: Any) -> int:  # Any: anything like bytes
        self.held += content
        return len(content)

    def taken(self) -> bytes:
        """Return what was written since, and forget it."""
        content = bytes(self.held)
        self.held.clear()
        return content


@dataclass
class _Parcel:
    """The file that is being packed, and what is to be said at its end."""

    sink: _Sink = field(default_factory=_Sink)
    names: Counter[str] = field(default_factory=Counter)
    missing: list[str] = field(default_factory=list)
    language: str = field(default_factory=lambda: translation.get_language() or settings.LANGUAGE_CODE)
    # As long as the history: on the disk, once it is longer than a piece.
    recipes: IO[bytes] = field(
        default_factory=lambda: tempfile.SpooledTemporaryFile(PIECE, dir=settings.FILE_UPLOAD_TEMP_DIR)  # noqa: SIM115 - closed by pack
    )

    def __post_init__(self) -> None:
        self.zip = zipfile.ZipFile(self.sink, "w", zipfile.ZIP_STORED)

    def add(self, photo: Photo) -> Iterator[bytes]:
        """Pack one photo into a folder of its own."""
        with translation.override(self.language):
            folder = self.unique(safe_name(str(photo)) or _("Untitled"))
        original = f"{folder}/{folder}.{photo.source.format}"
        yield from self.file(original, photo.source.original, at=photo.created_at)
        paintings = []
        for artwork in photo.artworks.all():
            name = self.unique(f"{folder}/{folder} - {_kind(artwork)}") + ".jpg"
            yield from self.file(name, _largest(artwork), at=artwork.finished_at or artwork.created_at)
            paintings.append(_painting(artwork, name))
        self.note({**_photo(photo, original), "paintings": paintings})

    def unique(self, name: str) -> str:
        """Return the name, with a number if there is one like it, in whatever case."""
        self.names[name.casefold()] += 1
        count = self.names[name.casefold()]
        return name if count == 1 else self.unique(f"{name} ({count})")

    def file(self, name: str, stored: str, *, at: datetime) -> Iterator[bytes]:
        """Pack a file of the storage, or note that it is missing."""
        pieces = store.pieces(stored)
        try:
            first = next(pieces)
            with self.zip.open(_entry(name, at), "w") as entry:
                entry.write(first)
                for piece in pieces:
                    entry.write(piece)
                    if len(self.sink.held) >= PIECE:
                        yield self.sink.taken()
        except (StopIteration, store.Unavailable):
            # Also in the middle of it: then what came is in the parcel.
            self.missing.append(name)
        if len(self.sink.held) >= PIECE:
            yield self.sink.taken()

    def note(self, facts: dict[str, object]) -> None:
        """Write down how a photo was painted."""
        text = json.dumps(facts, ensure_ascii=False, indent=1)
        self.recipes.write((b",\n" if self.recipes.tell() else b"[\n") + text.encode())

    def close(self) -> Iterator[bytes]:
        """Pack the recipes and what is missing, and end the file."""
        yield from self.text(RECIPES, self._all_recipes())
        if self.missing:
            with translation.override(self.language):
                said = _("These files could not be read. Please try again later.")
            yield from self.text(MISSING, iter([f"{said}\n\n{chr(10).join(self.missing)}\n".encode()]))
        self.zip.close()
        yield self.sink.taken()

    def text(self, name: str, pieces: Iterator[bytes]) -> Iterator[bytes]:
        """Pack a text, compressed."""
        entry = _entry(name, timezone.now())
        entry.compress_type = zipfile.ZIP_DEFLATED
        with self.zip.open(entry, "w", force_zip64=True) as file:
            for piece in pieces:
                file.write(piece)
                if len(self.sink.held) >= PIECE:
                    yield self.sink.taken()

    def _all_recipes(self) -> Iterator[bytes]:
        self.recipes.write(b"\n]\n" if self.recipes.tell() else b"[]\n")
        self.recipes.seek(0)
        while piece := self.recipes.read(PIECE):
            yield piece


def _in_batches(photos: PhotoQuerySet) -> Iterator[Photo]:
    done = Artwork.objects.at_stage(Stage.DONE).select_related("commission__rendition").order_by("pk")
    found = photos.select_related("source").prefetch_related(None).order_by("pk")
    found = found.prefetch_related(Prefetch("artworks", queryset=done))
    batch = list(found[:BATCH])
    while batch:
        yield from batch
        batch = list(found.filter(pk__gt=batch[-1].pk)[:BATCH])


def _entry(name: str, at: datetime) -> zipfile.ZipInfo:
    entry = zipfile.ZipInfo(name, timezone.localtime(at).timetuple()[:6])
    entry.external_attr = 0o600 << 16
    return entry


def _kind(artwork: Artwork) -> str:
    size = ", full size" if artwork.full_size else ""
    return f"{artwork.style}, {artwork.look}{size}"


def _largest(artwork: Artwork) -> str:
    painting = artwork.rendition
    return store.page_file(painting.folder, max(painting.widths)) if painting else ""


def _photo(photo: Photo, file: str) -> dict[str, object]:
    facts = {"title": photo.title, "description": photo.description, "favorite": photo.favorite, "file": file}
    size = {"width": photo.source.width, "height": photo.source.height}
    return {**facts, **size, "added": photo.created_at.isoformat()}


def _painting(artwork: Artwork, file: str) -> dict[str, object]:
    facts = {"file": file, "style": artwork.style, "look": artwork.look, "full_size": artwork.full_size}
    return {**facts, "recipe": artwork.commission.recipe, "got": str(artwork.how.value)}
