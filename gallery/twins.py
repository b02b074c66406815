"""Photos of one album that look alike: proposed while they are painted, shown as similar, merged when they are double.

Nothing is ever served because of a likeness: a person says "use those", or nothing happens.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import TypeAlias

from django.db import transaction
from django.db.models import Exists, OuterRef, Q

from gallery import artworks, looks, photos
from gallery.models import Artwork, ArtworkQuerySet, Photo, PhotoQuerySet, Stage, TwinAnswer, User
from rendering import events, twins
from rendering.models import State

Wish: TypeAlias = tuple[str, str, bool, tuple[tuple[str, float], ...]]
LOOKS = 6  # of one request: each costs up to 20 ms, once in the life of a photo
SIMILAR = 6
GROUPS = 10  # of one page of duplicates
IN_A_GROUP = 8
GROUPS_LOOKED_AT = 30
SHOWING = (Stage.WAITING, Stage.PAINTING, Stage.DONE)
# What makes a twin worth a question: something is painted, or will be soon.
WORTHWHILE = Artwork.objects.wanted().filter(
    photo=OuterRef("pk"), commission__rendition__state__in=(State.WAITING, State.WORKING, State.DONE)
)


@dataclass(frozen=True)
class Group:
    """Photos that look the same; the first is the one to keep, unless the person thinks otherwise."""

    kept: Photo
    others: Sequence[Photo]

    @property
    def photos(self) -> list[Photo]:
        """All of them, the one to keep first."""
        return [self.kept, *self.others]


@dataclass(frozen=True)
class Merger:
    """What becomes of the paintings when one photo is kept and others are removed."""

    kept: Photo
    others: Sequence[Photo]
    moved: Sequence[Artwork]
    lost: Sequence[Artwork]


def look(shown: Iterable[Photo], *, owner: User) -> None:
    """Look once at each photo that has been read: if it looks like another one, that one is proposed as its twin.

    Done where a page shows the photo and before the page is made. Photos beyond the first few wait for the next page.
    """
    fresh = [photo for photo in shown if _not_looked_at(photo)][:LOOKS]
    if not fresh:
        return
    index = _index(owner)
    found = {photo: _find(photo, index, owner) for photo in fresh}
    _keep_alone([photo for photo, twin in found.items() if twin is None])
    for photo, twin in found.items():
        if twin is not None:
            _propose(twin, to=photo)


def use(photo: Photo, *, by: User, now: datetime) -> bool:
    """Give a photo the paintings of its twin, and stop painting these styles; False if that was not proposed.

    What this photo has been painted in stays, a style that the twin lacks is painted on, and what was stopped can be
    painted after all.
    """
    with transaction.atomic():
        twin = photo.proposed
        if twin is None or not _answer(photo, TwinAnswer.USE, by=by):
            return False
        offered = _shown(twin.artworks.with_paintings())
        for artwork in photo.artworks.unfinished().filter(style__in={each.style for each in offered}):
            artworks.cancel(artwork, by=by, now=now)
        has = {_wish(artwork) for artwork in photo.artworks.wanted()}
        for artwork in offered:
            if _wish(artwork) not in has:
                _adopt(artwork, photo=photo, now=now)
    return True


def paint(photo: Photo, *, by: User, now: datetime) -> bool:
    """Paint a photo itself: the proposal is dismissed, or what was taken of the twin is given back.

    False if there was nothing to answer.
    """
    with transaction.atomic():
        using = photo.twin_answer == TwinAnswer.USE
        if not (using or photo.proposed) or not _answer(photo, TwinAnswer.PAINT, by=by):
            return False
        if using:
            for artwork in photo.artworks.filter(twin=False).at_stage(Stage.CANCELLED):
                artworks.retry(artwork, by=by, now=now)
            for artwork in photo.artworks.filter(twin=True):
                artworks.remove(artwork, by=by, now=now)
    return True


def hung(photo: Photo) -> list[Artwork]:
    """Return a photo's artworks, without those that were given up for the paintings of its twin."""
    everything = list(photo.artworks.all())
    if photo.twin_answer != TwinAnswer.USE:
        return everything
    return [artwork for artwork in everything if artwork.stage != Stage.CANCELLED]


def similar(photo: Photo, *, owner: User) -> list[Photo]:
    """Return a few of the owner's other photos that look like this one, the most alike first."""
    if not photo.source.phash:
        return []
    near = _index(owner).near(photo.source.phash, within=twins.SIMILAR)
    keys = [key for key in near if key != photo.pk][: 4 * SIMILAR]
    mine = owner.photos.kept().select_related("source")
    found = mine.in_bulk(keys) if keys else {}
    return [found[key] for key in keys if key in found][:SIMILAR]


def duplicates(owner: User, *, start: int = 0) -> tuple[list[Group], int | None]:
    """Return groups of photos that look the same, from this place of the list on, and where to go on (None: no more).

    Candidates are near by their perceptual hash; of these only those are shown that pass the closer look.
    """
    candidates = _index(owner).groups(within=twins.COPY)
    looked_at = [keys[-IN_A_GROUP:] for keys in candidates[start : start + GROUPS_LOOKED_AT]]
    found = owner.photos.kept().select_related("source").in_bulk([key for keys in looked_at for key in keys])
    groups: list[Group] = []
    for place, keys in enumerate(looked_at, start + 1):
        group = _group([found[key] for key in keys if key in found])
        if group:
            groups.append(group)
        if len(groups) == GROUPS:
            return groups, place if place < len(candidates) else None
    after = start + len(looked_at)
    return groups, after if after < len(candidates) else None


def plan(kept: Photo, others: Sequence[Photo]) -> Merger:
    """Say what would become of the paintings if one photo were kept and the others removed."""
    has = {_wish(artwork) for artwork in kept.artworks.wanted()}
    lacking: dict[Wish, Artwork] = {}
    for other in others:
        for artwork in other.artworks.with_paintings().at_stage(Stage.DONE):
            if _wish(artwork) not in has and (_wish(artwork) not in lacking or _moves(artwork, kept)):
                lacking[_wish(artwork)] = artwork
    moved = [artwork for artwork in lacking.values() if _moves(artwork, kept)]
    return Merger(kept, others, moved, [artwork for artwork in lacking.values() if artwork not in moved])


def merge(kept: Photo, others: Sequence[Photo], *, by: User, now: datetime) -> None:
    """Keep one photo and remove the others; paintings of the same picture that it lacks are its own from now on."""
    # Not in one transaction: a painting must be found for the photo that stays before it goes with the other.
    for artwork in plan(kept, others).moved:
        artworks.commission(
            kept,
            styles=[artwork.style],
            look=artwork.look,
            full_size=artwork.full_size,
            now=now,
            changes=looks.changed(artwork),
        )
    for other in others:
        if other.owner_id == by.pk and other.pk != kept.pk:
            photos.remove(other, now=now)


def _index(owner: User) -> twins.Index:
    # With what is in the bin: it may come back, and the index reads only rows that are new.
    return twins.index(owner.lane, owner.photos.values_list("pk", "source__phash"))


def _not_looked_at(photo: Photo) -> bool:
    read = photo.source.state == State.DONE and photo.source.phash
    return bool(read) and photo.twin_answer == TwinAnswer.NONE and photo.twin_of_id is None


def _find(photo: Photo, index: twins.Index, owner: User) -> Photo | None:
    near = [key for key in index.near(photo.source.phash, within=twins.TWIN) if key != photo.pk][:32]
    if not near:
        return None
    # Of two photos that nobody has looked at, the later one is proposed the earlier one; and no two each other. The
    # same picture in another file needs no question: its paintings are there anyway.
    settled = Q(pk__lt=photo.pk) | ~Q(twin_answer=TwinAnswer.NONE) | Q(twin_of__isnull=False)
    candidates = owner.photos.kept().filter(settled, Exists(WORTHWHILE), pk__in=near).exclude(twin_of=photo)
    by_key = candidates.exclude(source__canvas_key=photo.source.canvas_key).select_related("source").in_bulk()
    by_source = {by_key[key].source: by_key[key] for key in near if key in by_key}
    found = twins.first_alike(photo.source, by_source)
    return owner.photos.in_album().filter(pk=by_source[found].pk).first() if found else None


def _keep_alone(looked_at: Sequence[Photo]) -> None:
    if looked_at:
        _unanswered(looked_at).update(twin_answer=TwinAnswer.ALONE)
    for photo in looked_at:
        photo.twin_answer = TwinAnswer.ALONE


def _propose(twin: Photo, *, to: Photo) -> None:
    if _unanswered([to]).update(twin_of=twin):
        to.twin_of = twin


def _unanswered(asked: Sequence[Photo]) -> PhotoQuerySet:
    keys = [photo.pk for photo in asked]
    return Photo.objects.filter(pk__in=keys, twin_of=None, twin_answer=TwinAnswer.NONE)


def _answer(photo: Photo, answer: TwinAnswer, *, by: User) -> bool:
    asked = Photo.objects.filter(pk=photo.pk, owner=by, twin_answer=photo.twin_answer)
    given = asked.update(twin_answer=answer) == 1
    if given:
        photo.twin_answer = answer
        events.tell(by.lane)
    return given


def _adopt(artwork: Artwork, *, photo: Photo, now: datetime) -> None:
    names = ("style", "look", "full_size", "own_values")
    facts = {**{name: getattr(artwork, name) for name in names}, "created_at": now}
    Artwork.objects.get_or_create(photo=photo, commission=artwork.commission, defaults={**facts, "twin": True})


def _shown(all_artworks: ArtworkQuerySet) -> list[Artwork]:
    return [artwork for artwork in all_artworks if artwork.stage in SHOWING]


def _wish(artwork: Artwork) -> Wish:
    return artwork.style, artwork.look, artwork.full_size, tuple(looks.changed(artwork).items())


def _moves(artwork: Artwork, kept: Photo) -> bool:
    painted = artwork.rendition
    same_canvas = painted is not None and painted.canvas_key == kept.source.canvas_key
    return same_canvas or artwork.commission.source_id == kept.source_id


def _group(found: Sequence[Photo]) -> Group | None:
    if len(found) < 2:
        return None
    kept = max(found, key=lambda photo: (photo.source.width * photo.source.height, photo.source.size, -photo.pk))
    others = {photo.source: photo for photo in found if photo != kept}
    alike = twins.all_alike(kept.source, others)
    return Group(kept, [others[source] for source in alike]) if alike else None
