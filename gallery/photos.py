"""Photos: added to an album, renamed, removed."""

import re
import unicodedata
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime
from typing import BinaryIO, Protocol, cast

from django.db import IntegrityError, models, transaction
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from gallery import allowances, artworks
from gallery.allowances import Exceeded, Kind
from gallery.models import Artwork, Photo, User
from gallery.scopes import scope_of
from rendering import events, sources
from rendering.models import Reason
from rendering.sources import RefusedFile, Staged

TITLE_LENGTH = 120
EXTENSION = re.compile(r"\.[A-Za-z0-9]{1,5}$")
# What turns the direction of writing could show one name and mean another.
BIDI = frozenset("\u061c\u200e\u200f\u202a\u202b\u202c\u202d\u202e\u2066\u2067\u2068\u2069")


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
    HELD = "held", gettext_lazy("Added; it is painted later.")
    LIMITED = "limited", gettext_lazy("Too many for now.")
    FULL = "full", gettext_lazy("No room.")
    REFUSED = "refused", gettext_lazy("Refused.")


@dataclass(frozen=True)
class Result:
    """What became of one file, in words; `frees_at` is when a limit that bit lets go."""

    name: str
    outcome: Outcome
    text: str
    photo: Photo | None = None
    frees_at: datetime | None = None


def add_photos(
    *, owner: User, files: Sequence[HashedFile], styles: Sequence[str], look: str, full_size: bool, now: datetime
) -> list[Result]:
    """Add files to an album one by one, and have each painted; say for each what became of it."""
    return [add_photo(owner=owner, file=file, styles=styles, look=look, full_size=full_size, now=now) for file in files]


def add_photo(
    *, owner: User, file: HashedFile, styles: Sequence[str], look: str, full_size: bool, now: datetime
) -> Result:
    """Add a file to an album and have it painted; a photo that is there already gets what it lacks.

    What is over the owner's allowance of paintings is kept, and painted by itself later; over the other limits the
    photo is not taken. Raises ParameterError for a style or look that does not exist.
    """
    name = clean_title(file.name or "")
    refusal = _refusal(file)
    if refusal:
        return Result(name, Outcome.REFUSED, refusal)
    try:
        allowed = _find_room(file, owner, now=now)
        with _staged(file, owner) as staged, transaction.atomic():
            photo, made = _hang(staged, name, owner=owner, now=now)
            if made:
                allowances.keep_to_room(owner, allowed, now=now)
            asked = artworks.commission(photo, styles=styles, look=look, full_size=full_size, now=now)
    except Exceeded as error:
        outcome = Outcome.FULL if error.use.kind == Kind.STORAGE else Outcome.LIMITED
        return Result(name, outcome, str(error), frees_at=error.use.frees_at)
    except RefusedFile as error:
        return Result(name, Outcome.REFUSED, str(error.reason.label))
    except IntegrityError:
        # The last other owner of the same file removed it at this very moment.
        return Result(name, Outcome.REFUSED, str(Reason.STORAGE.label))
    return _taken(name, photo, Outcome.ADDED if made else Outcome.KNOWN, asked, now=now)


def rename(photo: Photo, *, title: str) -> None:
    """Give a photo another title; none is allowed."""
    photo.title = clean_title(title)
    photo.save(update_fields=["title"])
    events.tell(photo.owner.lane)


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


def _find_room(file: HashedFile, owner: User, *, now: datetime) -> allowances.Allowed:
    # Asked twice: here before anything is stored, later where two uploads cannot take the same room.
    allowed = allowances.allowed_to(owner)
    allowances.find_room(owner, allowed, size=file.size or 0, now=now)
    allowances.take_upload(owner, allowed, now=now)
    return allowed


def _taken(name: str, photo: Photo, outcome: Outcome, asked: Iterable[Artwork], *, now: datetime) -> Result:
    held = artworks.held(asked, now=now)
    if not held:
        return Result(name, outcome, str(outcome.label), photo)
    text = f"{outcome.label} {allowances.held_sentence(held[0], now=now)}"
    return Result(name, Outcome.HELD, text, photo, held[0])


@contextmanager
def _staged(file: HashedFile, owner: User) -> Iterator[Staged]:
    content = cast("BinaryIO", file)
    staged = sources.stage(content, sha256=file.sha256, size=file.size or 0, scope=scope_of(owner))
    try:
        yield staged
    except BaseException:
        sources.discard(staged)
        raise


def _hang(staged: Staged, name: str, *, owner: User, now: datetime) -> tuple[Photo, bool]:
    source = sources.admit(staged, lane=owner.lane, now=now)
    facts = {"title": title_of(name), "created_at": now}
    return Photo.objects.get_or_create(owner=owner, source=source, defaults=facts)


def _remove(photos: Iterable[Photo], *, by: User, now: datetime) -> None:
    with transaction.atomic():
        source_ids = []
        for photo in photos:
            # Cancelled first: what a painting is made of may stay, if another person has the same file.
            for artwork in photo.artworks.unfinished():
                artworks.cancel(artwork, by=by, now=now)
            source_ids.append(photo.source_id)
            # Paintings of a twin keep the twin's file, also after the twin itself has gone.
            source_ids += photo.artworks.filter(twin=True).values_list("commission__source", flat=True)
            photo.delete()
        sources.release(source_ids)
        events.tell(by.lane)
