"""Share links: some photos and their paintings for whoever has the address, until the owner or a date ends it.

What a visitor gets is asked of the rows each time, so that what is removed, cancelled, binned or closed is gone from
every share at once. Of the owner nothing is shown: no name, no date, and no photo's title, since a title that nobody
has changed is the name of a file. Of the visitor nothing is kept: a view is counted, not who viewed.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from django.contrib.auth.hashers import check_password, make_password
from django.db import transaction
from django.db.models import F, Prefetch, Q, QuerySet
from django.utils.crypto import salted_hmac

from gallery import allowances
from gallery.models import Artwork, Photo, Share, Stage, User
from gallery.photos import clean_title
from rendering.models import State

PHOTOS_A_SHARE = 200
LARGEST = 800  # px wide, unless the largest size is allowed
TRIES_HERE = (10, timedelta(minutes=15))  # of one share's password from one address
TRIES = (100, timedelta(hours=1))  # from everywhere


@dataclass(frozen=True)
class Terms:
    """What a share allows, and until when; a password of None stays as it is, an empty one is none."""

    title: str = ""
    password: str | None = None
    full_size: bool = False
    expires_at: datetime | None = None


def create(*, owner: User, photos: Iterable[Photo], terms: Terms, now: datetime) -> Share:
    """Return a new share of these photos."""
    with transaction.atomic():
        share = Share(owner=owner, created_at=now)
        _set(share, terms)
        share.save()
        share.photos.set(_own(photos, owner))
    return share


def change(share: Share, *, photos: Iterable[Photo], terms: Terms) -> None:
    """Show other photos, or on other terms; the address stays."""
    with transaction.atomic():
        _set(share, terms)
        share.save(update_fields=["title", "password", "full_size", "expires_at"])
        share.photos.set(_own(photos, share.owner))


def revoke(share: Share, *, now: datetime) -> None:
    """End a share for good."""
    Share.objects.filter(pk=share.pk, revoked_at=None).update(revoked_at=now)


def find(key: str, *, now: datetime) -> Share | None:
    """Return a share that is open now; None if it never was, has ended, or its owner may not come in any more."""
    lasts = Q(expires_at=None) | Q(expires_at__gt=now)
    return Share.objects.filter(lasts, key=key, revoked_at=None, owner__is_active=True).first()


def photos_of(share: Share) -> QuerySet[Photo]:
    """Return what a share shows, the newest first: photos that can be seen, each with its finished paintings."""
    done = Artwork.objects.at_stage(Stage.DONE).select_related("commission__rendition").order_by("pk")
    return _seen(share).select_related("source").prefetch_related(Prefetch("artworks", done)).order_by("-pk")


def photo_in(share: Share, key: str) -> Photo | None:
    """Return one photo of a share; None if the share does not show it."""
    return _seen(share).select_related("source").filter(key=key).first()


def painting_in(share: Share, key: str) -> Artwork | None:
    """Return one finished painting of a share; None if the share does not show it."""
    done = Artwork.objects.at_stage(Stage.DONE).filter(photo__in=_seen(share), key=key)
    return done.select_related("commission__rendition").first()


def widths_in(share: Share, widths: Sequence[int]) -> list[int]:
    """Return the widths of a picture that a share gives."""
    return [width for width in widths if share.full_size or width <= LARGEST]


def lock_of(share: Share) -> str:
    """Return what somebody keeps who has said the password; another password makes it worthless."""
    return salted_hmac("gallery.shares.lock", f"{share.key} {share.password}").hexdigest()


def may_try(share: Share, address: str) -> bool:
    """Count a try of the password from this network address; False if there were too many, there or everywhere."""
    # Which address it was cannot be read from the count.
    place = salted_hmac("gallery.shares.tries", f"{share.key} {address}").hexdigest()
    return allowances.take_try(f"share/{place}", *TRIES_HERE) and allowances.take_try(f"share/{share.pk}", *TRIES)


def fits(share: Share, password: str) -> bool:
    """Return whether this is the share's password."""
    return check_password(password, share.password)


def count_view(share: Share) -> None:
    """Count that somebody looked; nothing else about it is kept."""
    Share.objects.filter(pk=share.pk).update(views=F("views") + 1)


def _set(share: Share, terms: Terms) -> None:
    share.title, share.full_size, share.expires_at = clean_title(terms.title), terms.full_size, terms.expires_at
    if terms.password is not None:
        share.password = make_password(terms.password) if terms.password else ""


def _own(photos: Iterable[Photo], owner: User) -> list[Photo]:
    return [photo for photo in photos if photo.owner_id == owner.pk]


def _seen(share: Share) -> QuerySet[Photo]:
    return share.photos.filter(owner=share.owner_id, removed_at=None, source__state=State.DONE)
