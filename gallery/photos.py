"""Photos: added to an album, renamed, removed."""

import re
import unicodedata
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import BinaryIO, Protocol, cast

from django.db import IntegrityError, models, transaction
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from gallery import artworks
from gallery.models import Photo, User
from rendering import sources
from rendering.models import Reason
from rendering.sources import RefusedFile

TITLE_LENGTH = 120
EXTENSION = re.compile(r"\.[A-Za-z0-9]{1,5}$")
# What turns the direction of writing could show one name and mean another.
BIDI = frozenset("\u061c\u200e\u200f\u202a\u202b\u202c\u202d\u202e\u2066\u2067\u2068\u2069")
EVERYBODY = ""


class HashedFile(Protocol):
    """A file that was hashed on its way in; `too_large` ones have no content."""

    @property
    def name(self) -> str | None:
        """The name that the browser gave."""

    @property
    def size(self) -> int | None:
        """How many bytes came."""

    @property
    def sha256(self) -> str:
        """The SHA-256 of the bytes, as 64 hexadecimal digits."""

    @property
    def too_large(self) -> bool:
        """Whether it was cut."""


class Outcome(models.TextChoices):
    """What became of one file."""

    ADDED = "added", gettext_lazy("Added to your album.")
    KNOWN = "known", gettext_lazy("This photo is in your album already.")
    REFUSED = "refused", gettext_lazy("Refused.")


@dataclass(frozen=True)
class Result:
    """What became of one file, in words."""

    name: str
    outcome: Outcome
    text: str
    photo: Photo | None = None


def add_photos(
    *, owner: User, files: Sequence[HashedFile], styles: Sequence[str], look: str, full_size: bool, now: datetime
) -> list[Result]:
    """Add files to an album one by one, and have each painted; say for each what became of it."""
    return [add_photo(owner=owner, file=file, styles=styles, look=look, full_size=full_size, now=now) for file in files]


def add_photo(
    *, owner: User, file: HashedFile, styles: Sequence[str], look: str, full_size: bool, now: datetime
) -> Result:
    """Add a file to an album and have it painted; a photo that is there already gets what it lacks.

    Raises ParameterError for a style or look that does not exist.
    """
    name = clean_title(file.name or "")
    refusal = _refusal(file)
    if refusal:
        return Result(name, Outcome.REFUSED, refusal)
    try:
        with transaction.atomic():
            photo, made = _hang(file, owner=owner, now=now)
            artworks.commission(photo, styles=styles, look=look, full_size=full_size, now=now)
    except RefusedFile as error:
        return Result(name, Outcome.REFUSED, str(error.reason.label))
    except IntegrityError:
        # The last other owner of the same file removed it at this very moment.
        return Result(name, Outcome.REFUSED, str(Reason.STORAGE.label))
    outcome = Outcome.ADDED if made else Outcome.KNOWN
    return Result(name, outcome, str(outcome.label), photo)


def rename(photo: Photo, *, title: str) -> None:
    """Give a photo another title; none is allowed."""
    photo.title = clean_title(title)
    photo.save(update_fields=["title"])


def remove(photo: Photo, *, now: datetime) -> None:
    """Take a photo out of its album, with its artworks, and with every file that nobody else needs."""
    _remove([photo], by=photo.owner, now=now)


def remove_all(*, of: User, now: datetime) -> None:
    """Empty a person's album."""
    _remove(of.photos.all(), by=of, now=now)


def title_of(file_name: str) -> str:
    """Return the title that a file's name gives: without the extension."""
    return clean_title(EXTENSION.sub("", file_name))


def clean_title(text: str) -> str:
    """Return a text as one line of at most 120 characters, without control and direction characters."""
    composed = unicodedata.normalize("NFC", text)
    spaced = "".join(" " if unicodedata.category(sign) in ("Cc", "Zl", "Zp") else sign for sign in composed)
    visible = (sign for sign in spaced if sign not in BIDI and unicodedata.category(sign) != "Cs")
    return " ".join("".join(visible).split())[:TITLE_LENGTH].strip()


def _refusal(file: HashedFile) -> str:
    if file.too_large:
        return str(Reason.TOO_MANY_BYTES.label)
    return "" if file.size else _("This file is empty.")


def _hang(file: HashedFile, *, owner: User, now: datetime) -> tuple[Photo, bool]:
    content = cast("BinaryIO", file)
    source = sources.admit(content, sha256=file.sha256, size=file.size or 0, scope=EVERYBODY, lane=owner.lane, now=now)
    facts = {"title": title_of(file.name or ""), "created_at": now}
    return Photo.objects.get_or_create(owner=owner, source=source, defaults=facts)


def _remove(photos: Iterable[Photo], *, by: User, now: datetime) -> None:
    with transaction.atomic():
        source_ids = []
        for photo in photos:
            # Cancelled first: what a painting is made of may stay, if another person has the same file.
            for artwork in photo.artworks.unfinished():
                artworks.cancel(artwork, by=by, now=now)
            source_ids.append(photo.source_id)
            photo.delete()
        sources.release(source_ids)
