"""Photos: added to an album, described, favored, put into the bin, brought back, erased."""

import re
import unicodedata
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import BinaryIO, Protocol, cast

from django.db import IntegrityError, models, transaction
from django.db.models import F, Min
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from gallery import allowances, artworks
from gallery.allowances import Exceeded, Kind
from gallery.models import Artwork, Photo, PhotoQuerySet, Stage, TwinAnswer, User
from gallery.scopes import scope_of
from rendering import cache, events, sources
from rendering.models import Reason
from rendering.sources import RefusedFile, Staged

TITLE_LENGTH = 120
DESCRIPTION_LENGTH = 300
IN_BIN = timedelta(days=30)
BATCH = 50
"""So many photos are erased in one transaction; a page that finds old ones in the bin erases no more than these."""
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


@dataclass(frozen=True)
class Claim:
    """What a browser says of a file that it has not sent: nobody has seen the bytes."""

    name: str
    sha256: str


class Outcome(models.TextChoices):
    """What became of one file."""

    ADDED = "added", gettext_lazy("Added to your album.")
    KNOWN = "known", gettext_lazy("Painted before: here it is.")
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


def add_photo(  # noqa: PLR0913 - all of them say what is asked for
    *,
    owner: User,
    file: HashedFile,
    styles: Sequence[str],
    look: str,
    full_size: bool,
    now: datetime,
    scope: str | None = None,
) -> Result:
    """Add a file to an album and have it painted; a photo that is there already gets what it lacks.

    What is over the owner's allowance of paintings is kept, and painted by itself later; over the other limits the
    photo is not taken. The scope is the owner's unless it is given. Raises ParameterError for a style or look that does
    not exist.
    """
    name = clean_title(file.name or "")
    refusal = _refusal(file)
    if refusal:
        return Result(name, Outcome.REFUSED, refusal)
    try:
        allowed = _find_room(file, owner, now=now)
        with _staged(file, scope_of(owner) if scope is None else scope) as staged, transaction.atomic():
            photo, made = _hang(staged, name, owner=owner, now=now)
            returned = 0 if made else bring_back(owner.photos.filter(pk=photo.pk), of=owner, now=now)
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
    text = str(Outcome.ADDED.label) if made else _recognized(asked, returned=bool(returned))
    result = Result(name, Outcome.ADDED if made else Outcome.KNOWN, text, photo)
    return _taken(result, asked, now=now)


def add_known(
    *, owner: User, claim: Claim, styles: Sequence[str], look: str, full_size: bool, now: datetime
) -> Result | None:
    """Give a photo what it lacks, if this very person has brought its bytes before; None if they must be sent.

    The hash is only a browser's word, so it finds nothing but what is the person's own already.
    """
    key = cache.bytes_key(claim.sha256, scope=scope_of(owner))
    photo = owner.photos.select_related("source").filter(source__bytes_key=key).first()
    if photo is None:
        return None
    with transaction.atomic():
        returned = bring_back(owner.photos.filter(pk=photo.pk), of=owner, now=now)
        asked = artworks.commission(photo, styles=styles, look=look, full_size=full_size, now=now)
    text = _recognized(asked, returned=bool(returned))
    return _taken(Result(clean_title(claim.name), Outcome.KNOWN, text, photo), asked, now=now)


def describe(photo: Photo, *, title: str, description: str) -> None:
    """Give a photo another title, and say what it shows; both may be empty."""
    photo.title = clean_title(title)
    photo.description = clean_title(description, length=DESCRIPTION_LENGTH)
    photo.save(update_fields=["title", "description"])
    events.tell(photo.owner.lane)


def favor(chosen: PhotoQuerySet, *, of: User, favorite: bool) -> int:
    """Make these photos favorites of their owner, or no favorites any more; count them."""
    count = of.photos.kept().filter(pk__in=chosen.values("pk")).update(favorite=favorite)
    events.tell(of.lane)
    return count


def remove(photo: Photo, *, now: datetime) -> None:
    """Put a photo into the bin, with its artworks; what is not finished is stopped."""
    remove_many(Photo.objects.filter(pk=photo.pk), of=photo.owner, now=now)


def remove_many(chosen: PhotoQuerySet, *, of: User, now: datetime) -> int:
    """Put photos into the bin; count them. All that went at one moment can be brought back together."""
    with transaction.atomic():
        # Named first: once they are in the bin, a question for what is in the album finds them no more.
        keys = list(of.photos.kept().filter(pk__in=chosen.values("pk")).values_list("pk", flat=True))
        count = of.photos.kept().filter(pk__in=keys).update(removed_at=now)
        artworks.cancel_photos(of.photos.filter(pk__in=keys), by=of, now=now)
        # Nobody is asked about a photo that has gone; another one may be found that looks like them.
        of.photos.filter(twin_of__in=keys, twin_answer=TwinAnswer.NONE).update(twin_of=None)
        events.tell(of.lane)
    return count


def bring_back(chosen: PhotoQuerySet, *, of: User, now: datetime) -> int:
    """Bring photos back from the bin, and go on with what was stopped when they went there; count them."""
    with transaction.atomic():
        keys = list(of.photos.in_bin().filter(pk__in=chosen.values("pk")).values_list("pk", flat=True))
        if not keys:
            return 0
        stopped = Artwork.objects.filter(photo__in=keys, cancelled_at=F("photo__removed_at"))
        again = list(stopped.values_list("pk", flat=True))
        count = of.photos.in_bin().filter(pk__in=keys).update(removed_at=None)
        artworks.retry_these(again, by=of, now=now)
        events.tell(of.lane)
    return count


def erase(photo: Photo, *, now: datetime) -> None:
    """Erase a photo at once, also if it is not in the bin, with every file that nobody else needs."""
    _erase(Photo.objects.filter(pk=photo.pk), by=photo.owner, now=now)


def erase_many(chosen: PhotoQuerySet, *, of: User, now: datetime) -> int:
    """Erase photos that are in the bin, with their artworks and every file that nobody else needs; count them."""
    return _erase(of.photos.in_bin().filter(pk__in=chosen.values("pk")), by=of, now=now)


def erase_all(*, of: User, now: datetime) -> None:
    """Erase everything of a person's album and bin at once."""
    _erase(of.photos.all(), by=of, now=now)


def erase_everywhere(chosen: PhotoQuerySet, *, now: datetime) -> int:
    """Erase photos at once, whosesoever they are, with every file that nobody else needs; count them."""
    return _erase_some(chosen, owners=list(User.objects.filter(photos__in=chosen).distinct()), now=now)


def empty_bin(*, of: User, now: datetime, longer_than: timedelta = IN_BIN, most: int | None = None) -> int:
    """Erase what has been in a person's bin for longer than 30 days, the oldest first; count it."""
    old = of.photos.in_bin().filter(removed_at__lte=now - longer_than).reverse()
    return _erase(old, by=of, now=now, most=most)


def empty_bins(*, now: datetime) -> int:
    """Erase what has been in anybody's bin for 30 days; count it."""
    old = Photo.objects.filter(removed_at__lte=now - IN_BIN)
    return sum(empty_bin(of=person, now=now) for person in User.objects.filter(pk__in=old.values("owner")))


def in_bin(*, of: User, now: datetime) -> int:
    """Count what is in a person's bin; some of what is there for too long is erased on the way."""
    counted = of.photos.in_bin().aggregate(count=models.Count("pk"), first=Min("removed_at"))
    count: int = counted["count"]
    if not counted["first"] or counted["first"] > now - IN_BIN:
        return count
    return count - empty_bin(of=of, now=now, most=BATCH)


def title_of(file_name: str) -> str:
    """Return the title that a file's name gives: without the extension."""
    return clean_title(EXTENSION.sub("", file_name))


def clean_title(text: str, *, length: int = TITLE_LENGTH) -> str:
    """Return a text as one line of at most so many characters, without control and direction characters."""
    composed = unicodedata.normalize("NFC", text)
    spaced = "".join(" " if unicodedata.category(sign) in ("Cc", "Zl", "Zp") else sign for sign in composed)
    visible = (sign for sign in spaced if sign not in BIDI and unicodedata.category(sign) != "Cs")
    return " ".join("".join(visible).split())[:length].strip()


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


def _recognized(asked: Sequence[Artwork], *, returned: bool) -> str:
    if returned:
        return _("This photo was in the bin, and is back in your album.")
    if all(artwork.stage == Stage.DONE for artwork in asked):
        return str(Outcome.KNOWN.label)
    return _("In your album already; what it lacks is painted.")


def _taken(result: Result, asked: Iterable[Artwork], *, now: datetime) -> Result:
    held = artworks.held(asked, now=now)
    if not held:
        return result
    text = f"{result.text} {allowances.held_sentence(held[0], now=now)}"
    return replace(result, outcome=Outcome.HELD, text=text, frees_at=held[0])


@contextmanager
def _staged(file: HashedFile, scope: str) -> Iterator[Staged]:
    content = cast("BinaryIO", file)
    staged = sources.stage(content, sha256=file.sha256, size=file.size or 0, scope=scope)
    try:
        yield staged
    except BaseException:
        sources.discard(staged)
        raise


def _hang(staged: Staged, name: str, *, owner: User, now: datetime) -> tuple[Photo, bool]:
    source = sources.admit(staged, lane=owner.lane, now=now)
    facts = {"title": title_of(name), "created_at": now}
    return Photo.objects.get_or_create(owner=owner, source=source, defaults=facts)


def _erase(chosen: PhotoQuerySet, *, by: User, now: datetime, most: int | None = None) -> int:
    keys = list(chosen.values_list("pk", flat=True)[:most])
    batches = (keys[first : first + BATCH] for first in range(0, len(keys), BATCH))
    return sum(_erase_some(chosen.filter(pk__in=batch), owners=[by], now=now) for batch in batches)


def _erase_some(chosen: PhotoQuerySet, *, owners: Sequence[User], now: datetime) -> int:
    with transaction.atomic():
        # Locked and asked again: what has just been brought back from the bin stays.
        keys = list(chosen.select_related(None).select_for_update().values_list("pk", flat=True))
        photos = Photo.objects.filter(pk__in=keys, owner__in=owners)
        # Cancelled first: what a painting is made of may stay, if another person has the same file.
        artworks.cancel_everywhere(photos, owners=owners, now=now)
        source_ids = list(photos.values_list("source", flat=True))
        # Paintings of a twin keep the twin's file, also after the twin itself has gone.
        taken = Artwork.objects.filter(photo__in=photos, twin=True)
        source_ids += taken.values_list("commission__source", flat=True)
        photos.delete()
        sources.release(source_ids)
        events.tell_all({owner.lane for owner in owners})
    return len(keys)
