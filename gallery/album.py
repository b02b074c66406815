"""Which photos a page of an album shows: filters, search and order, a page at a time, however large the album is."""

from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import date, datetime, time, timedelta
from functools import reduce
from operator import and_

from django.db.models import Exists, OuterRef, Q, TextChoices
from django.db.models.functions import Lower
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from gallery.models import STAGE_CONDITIONS, Artwork, Photo, PhotoQuerySet, Stage, User

PAGE = 24
WINDOW = 5000
"""So many photos are looked through for one page: what is rare is searched for step by step, each as fast."""
WORDS = 8


class Order(TextChoices):
    """What comes first."""

    NEWEST = "newest", _("newest first")
    OLDEST = "oldest", _("oldest first")
    TITLE = "title", _("by title")


@dataclass(frozen=True)
class Wish:
    """Which photos a person wants to see; what is empty does not matter."""

    words: str = ""
    style: str = ""
    look: str = ""
    stage: str = ""
    since: date | None = None
    until: date | None = None
    favorite: bool = False
    order: str = Order.NEWEST

    @property
    def filters(self) -> bool:
        """Whether some photos may be left out."""
        return self != Wish(order=self.order)

    @property
    def narrows(self) -> bool:
        """Whether more is set than the words and the hearts."""
        return any((self.style, self.look, self.stage, self.since, self.until))


@dataclass(frozen=True)
class Page:
    """Some photos, and the keys where the next page begins: `after` is the last one that was looked at."""

    photos: list[Photo] = field(default_factory=list)
    after: str = ""
    searching: bool = False
    """Whether there is room for more on this page, but not everything has been looked through."""


def page(owner: User, wish: Wish, *, after: str = "") -> Page:
    """Return the photos that come after this key, or the first ones for a key that is not the owner's."""
    rows = _ordered(owner.photos.in_album(), wish.order)
    marker = owner.photos.annotate(lower=Lower("title")).filter(key=after).first() if after else None
    if marker:
        rows = rows.filter(_beyond(marker, wish.order))
    last = _last_of_window(rows) if wish.filters else None
    if last:
        rows = rows.exclude(_beyond(last, wish.order))
    found = list(_wanted(rows, wish)[: PAGE + 1])
    if len(found) > PAGE:
        return Page(found[:PAGE], found[PAGE - 1].key)
    return Page(found, last.key if last else "", searching=last is not None)


def _ordered(photos: PhotoQuerySet, order: str) -> PhotoQuerySet:
    by_title = photos.annotate(lower=Lower("title"))
    return by_title.order_by(*{Order.OLDEST: ["pk"], Order.TITLE: ["lower", "pk"]}.get(Order(order), ["-pk"]))


def _beyond(marker: Photo, order: str) -> Q:
    if order == Order.TITLE:
        lower = vars(marker)["lower"]
        # Said twice, so that an index is gone through from there on.
        return Q(lower__gte=lower) & (Q(lower__gt=lower) | Q(pk__gt=marker.pk))
    return Q(pk__gt=marker.pk) if order == Order.OLDEST else Q(pk__lt=marker.pk)


def _last_of_window(rows: PhotoQuerySet) -> Photo | None:
    """Return the last photo that this page looks at; None if there are no more than it looks through."""
    bare = rows.select_related(None).prefetch_related(None)
    found = list(bare.only("pk", "key")[WINDOW - 1 : WINDOW + 1])
    return found[0] if len(found) > 1 else None


def _wanted(photos: PhotoQuerySet, wish: Wish) -> PhotoQuerySet:
    conditions = [condition for ask in CONDITIONS if (condition := ask(wish)) is not None]
    return photos.filter(reduce(and_, conditions, Q()))


def _with_words(wish: Wish) -> Q | None:
    words = wish.words.split()[:WORDS]
    each = [Q(title__icontains=word) | Q(description__icontains=word) for word in words]
    return reduce(and_, each) if each else None


def _with_artwork(wish: Wish) -> Q | None:
    facts = {name: value for name, value in (("style", wish.style), ("look", wish.look)) if value}
    if not facts and not wish.stage:
        return None
    at_stage = STAGE_CONDITIONS[Stage(wish.stage)] if wish.stage else Q()
    # One painting has it all: in this style, in this look, and failed.
    return Q(Exists(Artwork.objects.filter(at_stage, photo=OuterRef("pk"), **facts)))


def _since(wish: Wish) -> Q | None:
    return Q(created_at__gte=_midnight(wish.since)) if wish.since else None


def _until(wish: Wish) -> Q | None:
    return Q(created_at__lt=_midnight(wish.until + timedelta(days=1))) if wish.until else None


def _favored(wish: Wish) -> Q | None:
    return Q(favorite=True) if wish.favorite else None


def _midnight(day: date) -> datetime:
    return timezone.make_aware(datetime.combine(day, time.min))


CONDITIONS: list[Callable[[Wish], Q | None]] = [_favored, _since, _until, _with_words, _with_artwork]
