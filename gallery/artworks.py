"""Artworks: commissioned, cancelled, tried again, removed."""

from collections.abc import Collection, Iterable, Mapping, Sequence
from copy import copy
from datetime import datetime

from django.db import transaction
from django.db.models import Exists, OuterRef, Q

from gallery import allowances, looks
from gallery.models import Artwork, ArtworkQuerySet, Photo, PhotoQuerySet, Stage, User
from rendering import estimates, events, renditions, sources
from rendering.models import Commission, State

BATCH = 1000
"""So many are stopped by one statement at most: databases have a limit of their own."""
AT_ONCE = 20
"""So many are tried again one by one, so that they are painted at once; more of them in bulk."""
ENDED = (State.FAILED, State.CANCELLED, State.EVICTED)


def commission(
    photo: Photo,
    *,
    styles: Iterable[str],
    look: str,
    full_size: bool,
    now: datetime,
    changes: Mapping[str, float] | None = None,
) -> list[Artwork]:
    """Return the photo's artworks in these styles: new ones, and those that it has already, brought back to life.

    Changes are laid over the look. What is more than the owner's allowance is held until its time comes. Raises
    ParameterError for a style, look or parameter that does not exist.
    """
    with transaction.atomic():
        asked = renditions.commission(
            photo.source, styles=styles, look=look, full_size=full_size, lane=photo.owner.lane, now=now, changes=changes
        )
        # As they were: what is wished again is wanted again.
        asked_before = {each.pk: copy(each) for each, same_file in asked if same_file and each.rendition_id is None}
        made = _commission(photo, asked, look=look, full_size=full_size, now=now, changes=changes or {})
        _book(made, asked_before, by=photo.owner, now=now)
        return made


def held(made: Iterable[Artwork], *, now: datetime) -> list[datetime]:
    """Return when those that are held go on by themselves, the earliest first."""
    early = [each.commission.not_before for each in made if each.commission.rendition_id is None]
    return sorted(time for time in early if time and time > now)


def cancel(artwork: Artwork, *, by: User, now: datetime) -> None:
    """Stop what is not finished; a painting that somebody else waits for goes on."""
    with transaction.atomic():
        mine = Artwork.objects.filter(pk=artwork.pk, photo__owner=by)
        if mine.unfinished().update(cancelled_at=now):
            _stop_if_unwanted(artwork.commission_id, by=by, now=now)


def retry(artwork: Artwork, *, by: User, now: datetime) -> None:
    """Try again what failed, was cancelled or put away; the person waits from now on."""
    with transaction.atomic():
        mine = Artwork.objects.filter(pk=artwork.pk, photo__owner=by)
        ended = mine.at_stage(Stage.FAILED) | mine.at_stage(Stage.CANCELLED) | mine.at_stage(Stage.EVICTED)
        if ended.update(cancelled_at=None, created_at=now):
            _book_again(_fresh(artwork.commission_id), by=by, now=now)
            renditions.retry(_fresh(artwork.commission_id), now=now)


def remove(artwork: Artwork, *, by: User, now: datetime) -> None:
    """Take an artwork out of the history, with its painting unless somebody else has it."""
    with transaction.atomic():
        cancel(artwork, by=by, now=now)
        if Artwork.objects.filter(pk=artwork.pk, photo__owner=by).delete()[0]:
            renditions.release([artwork.commission_id], keep=True)
            if artwork.twin:
                # Its photo may have gone before: then this was the last that needed the file.
                sources.release([artwork.commission.source_id])


def cancel_photo(photo: Photo, *, by: User, now: datetime) -> int:
    """Stop what is not finished of a photo; count what was stopped."""
    return _cancel(Artwork.objects.filter(photo=photo, photo__owner=by), by=by, now=now)


def cancel_all(*, of: User, now: datetime) -> int:
    """Stop everything of a person that is not finished; count what was stopped."""
    return _cancel(Artwork.objects.filter(photo__owner=of), by=of, now=now)


def cancel_photos(these: PhotoQuerySet, *, by: User, now: datetime) -> int:
    """Stop what is not finished of many photos; count what was stopped."""
    return _cancel(Artwork.objects.filter(photo__in=these, photo__owner=by), by=by, now=now)


def cancel_everywhere(these: PhotoQuerySet, *, owners: Collection[User], now: datetime) -> int:
    """Stop what is not finished of photos, whosesoever they are; count what was stopped."""
    return _cancel_of(Artwork.objects.filter(photo__in=these), owners, now=now)


def retry_photos(these: PhotoQuerySet, stage: Stage, *, by: User, now: datetime) -> int:
    """Try again what failed, or what was cancelled, of many photos; count it."""
    return _retry(Artwork.objects.filter(photo__in=these, photo__owner=by).at_stage(stage), by=by, now=now)


def retry_these(keys: Collection[int], *, by: User, now: datetime) -> int:
    """Try these artworks of a person again; count them."""
    return _retry(Artwork.objects.filter(pk__in=keys, photo__owner=by), by=by, now=now)


def retry_photo(photo: Photo, stage: Stage, *, by: User, now: datetime) -> int:
    """Try again what failed, or what was cancelled, of a photo; count it."""
    return _retry(Artwork.objects.filter(photo=photo, photo__owner=by).at_stage(stage), by=by, now=now)


def retry_all(stage: Stage, *, of: User, now: datetime) -> int:
    """Try again everything of a person that failed, or that was cancelled; count it."""
    return _retry(Artwork.objects.filter(photo__owner=of, photo__removed_at=None).at_stage(stage), by=of, now=now)


def foretell(photos: Iterable[Photo]) -> None:
    """Give each of these photos that waits its estimate; the same few queries for one and for many."""
    asked = {photo: [each.commission for each in _waiting(photo)] for photo in photos}
    wishes = [(photo.source, commissions) for photo, commissions in asked.items() if commissions]
    found = estimates.foretell(wishes)
    for photo in asked:
        photo.estimate = found.get(photo.source_id)


def _commission(
    photo: Photo,
    asked: Sequence[tuple[Commission, bool]],
    *,
    look: str,
    full_size: bool,
    now: datetime,
    changes: Mapping[str, float],
) -> list[Artwork]:
    for each, same_file in asked:
        if photo.source.state == State.FAILED or (same_file and not _is_done(each)):
            # It failed, or somebody gave it up: a new wish is a new try.
            renditions.retry(each, now=now)
    facts = {"photo": photo, "look": look, "full_size": full_size, "created_at": now}
    own = {each.style: looks.own(each.style, look, changes) for each, _ in asked}
    new = [
        Artwork(commission=each, style=each.style, same_file=same, own_values=own[each.style], **facts)
        for each, same in asked
    ]
    return _hang(photo, new, now=now)


def _hang(photo: Photo, new: Sequence[Artwork], *, now: datetime) -> list[Artwork]:
    """Return these artworks as rows: those that the photo had already, back to life, and the new ones."""
    asked = {each.commission_id: each.commission for each in new}
    mine = photo.artworks.filter(commission__in=asked)
    known = set(mine.values_list("commission", flat=True))
    if known:
        mine.exclude(cancelled_at=None).update(cancelled_at=None, created_at=now)
    Artwork.objects.bulk_create([each for each in new if each.commission_id not in known], ignore_conflicts=True)
    made = {each.commission_id: each for each in mine.all()}
    for pk, each in made.items():
        each.photo, each.commission = photo, asked[pk]
    return [made[pk] for pk in asked]


def _book(made: Iterable[Artwork], asked_before: Mapping[int, Commission], *, by: User, now: datetime) -> None:
    costly = [each.commission for each in made if _costs(each.commission, asked_before, by=by, now=now)]
    slots = allowances.book_paintings(by, count=len(costly), now=now)
    for asked, slot in zip(costly, slots, strict=True):
        known = asked_before.get(asked.pk)
        # Another person waits for the same: whoever's time comes first, it comes for both.
        waited_for = known.not_before if known and known.wanted else None
        _hold(asked, until=min(slot, waited_for) if slot and waited_for else slot, by=by)


def _costs(asked: Commission, asked_before: Mapping[int, Commission], *, by: User, now: datetime) -> bool:
    if asked.rendition_id:
        return False
    known = asked_before.get(asked.pk)
    if known is None or not known.wanted:
        return True
    # What is held for this person has its slot already; what is not held is painted anyway.
    return known.lane != by.lane and known.not_before is not None and known.not_before > now


def _book_again(asked: Commission, *, by: User, now: datetime) -> None:
    if asked.rendition is None and asked.not_before is not None:
        # Its slot was given back when it was cancelled.
        [slot] = allowances.book_paintings(by, count=1, now=now)
        _hold(asked, until=slot, by=by)


def _hold(asked: Commission, *, until: datetime | None, by: User) -> None:
    if until != asked.not_before:
        asked.not_before, asked.lane = until, by.lane
        Commission.objects.filter(pk=asked.pk, rendition=None).update(not_before=until, lane=by.lane)


def _is_done(asked: Commission) -> bool:
    return asked.rendition is not None and asked.rendition.state == State.DONE


def _stop_if_unwanted(commission_id: int, *, by: User, now: datetime) -> None:
    given_up = _fresh(commission_id)
    same = Q(commission=given_up)
    if given_up.rendition is not None:
        # Two photos of one picture share a painting.
        same |= Q(commission__rendition=given_up.rendition)
    if not Artwork.objects.wanted().filter(same).exists():
        renditions.cancel(given_up, now=now)
        if given_up.rendition is None and given_up.not_before and given_up.lane == by.lane:
            allowances.give_back(by, [given_up.not_before], now=now)


def _cancel(mine: ArtworkQuerySet, *, by: User, now: datetime) -> int:
    return _cancel_of(mine, [by], now=now)


def _cancel_of(theirs: ArtworkQuerySet, owners: Collection[User], *, now: datetime) -> int:
    with transaction.atomic():
        stopped = theirs.unfinished().update(cancelled_at=now)
        if stopped:
            _stop_unwanted(theirs.filter(cancelled_at=now), owners, now=now)
            # A painting may go on for somebody else, and then nobody else tells these people's other pages.
            events.tell_all({owner.lane for owner in owners})
    return stopped


def _stop_unwanted(given_up: ArtworkQuerySet, owners: Collection[User], *, now: datetime) -> None:
    wanted = Artwork.objects.wanted()
    same, same_picture = (
        wanted.filter(commission=OuterRef("pk")),
        wanted.filter(commission__rendition=OuterRef("rendition")),
    )
    unwanted = Commission.objects.filter(~Exists(same), ~Exists(same_picture), artworks__in=given_up).order_by("pk")
    ids = list(unwanted.values_list("pk", flat=True))
    # Read before they are stopped: what was held gives its slot back.
    held = unwanted.filter(rendition=None, lane__in=[owner.lane for owner in owners], not_before__gt=now)
    slots = list(held.values_list("lane", "not_before"))
    for first in range(0, len(ids), BATCH):
        renditions.cancel_all(ids[first : first + BATCH], now=now)
    for owner in owners:
        allowances.give_back(owner, [slot for lane, slot in slots if slot and lane == owner.lane], now=now)


def _retry(ended: ArtworkQuerySet, *, by: User, now: datetime) -> int:
    again = list(ended.select_related("commission__rendition", "commission__source").order_by("pk"))
    for artwork in again[:AT_ONCE]:
        retry(artwork, by=by, now=now)
    for first in range(AT_ONCE, len(again), BATCH):
        _retry_many(again[first : first + BATCH], by=by, now=now)
    return len(again)


def _retry_many(again: Sequence[Artwork], *, by: User, now: datetime) -> None:
    """Let many wait again in few statements; the workers have come for the first ones, or `tend` wakes them."""
    asked = {artwork.commission_id: artwork.commission for artwork in again}
    with transaction.atomic():
        Artwork.objects.filter(pk__in=[each.pk for each in again]).update(cancelled_at=None, created_at=now)
        Commission.objects.filter(pk__in=asked).update(wanted=True)
        held = [each for each in asked.values() if each.rendition is None and each.not_before is not None]
        for each, slot in zip(held, allowances.book_paintings(by, count=len(held), now=now), strict=True):
            _hold(each, until=slot, by=by)
        work = {each.source for each in asked.values()} | {each.rendition for each in asked.values()}
        for one in work:
            if one and one.state in ENDED:
                one.renew(now=now)
        events.tell(by.lane)


def _waiting(photo: Photo) -> list[Artwork]:
    return [artwork for artwork in photo.artworks.all() if artwork.stage == Stage.WAITING]


def _fresh(commission_id: int) -> Commission:
    # Not the one that came with the page: a worker may have found its rendition meanwhile.
    return Commission.objects.select_related("source", "rendition").get(pk=commission_id)
