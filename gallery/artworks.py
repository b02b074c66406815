"""Artworks: commissioned, cancelled, tried again, removed."""

from collections.abc import Iterable
from datetime import datetime

from django.db import transaction
from django.db.models import Q

from gallery.models import Artwork, Photo, Stage, User
from rendering import renditions
from rendering.models import Commission, State


def commission(photo: Photo, *, styles: Iterable[str], look: str, full_size: bool, now: datetime) -> list[Artwork]:
    """Return the photo's artworks in these styles: new ones, and those that it has already, brought back to life.

    Raises ParameterError for a style or look that does not exist.
    """
    with transaction.atomic():
        return [_commission(photo, style, look=look, full_size=full_size, now=now) for style in styles]


def cancel(artwork: Artwork, *, by: User, now: datetime) -> None:
    """Stop what is not finished; a painting that somebody else waits for goes on."""
    with transaction.atomic():
        mine = Artwork.objects.filter(pk=artwork.pk, photo__owner=by)
        if mine.unfinished().update(cancelled_at=now):
            _stop_if_unwanted(artwork.commission_id, now=now)


def retry(artwork: Artwork, *, by: User, now: datetime) -> None:
    """Try again what failed or was cancelled; the person waits from now on."""
    with transaction.atomic():
        mine = Artwork.objects.filter(pk=artwork.pk, photo__owner=by)
        ended = mine.at_stage(Stage.FAILED) | mine.at_stage(Stage.CANCELLED)
        if ended.update(cancelled_at=None, created_at=now):
            renditions.retry(_fresh(artwork.commission_id), now=now)


def remove(artwork: Artwork, *, by: User, now: datetime) -> None:
    """Take an artwork out of the history, with its painting unless somebody else has it."""
    with transaction.atomic():
        cancel(artwork, by=by, now=now)
        if Artwork.objects.filter(pk=artwork.pk, photo__owner=by).delete()[0]:
            renditions.release([artwork.commission_id])


def _commission(photo: Photo, style: str, *, look: str, full_size: bool, now: datetime) -> Artwork:
    asked, same_file = renditions.commission(
        photo.source, style=style, look=look, full_size=full_size, lane=photo.owner.lane, now=now
    )
    if photo.source.state == State.FAILED or (same_file and not _is_done(asked)):
        # It failed, or somebody gave it up: a new wish is a new try.
        renditions.retry(asked, now=now)
    facts = {"style": style, "look": look, "full_size": full_size, "same_file": same_file, "created_at": now}
    artwork, made = Artwork.objects.get_or_create(photo=photo, commission=asked, defaults=facts)
    if not made and artwork.stage in (Stage.FAILED, Stage.CANCELLED):
        Artwork.objects.filter(pk=artwork.pk).update(cancelled_at=None, created_at=now)
    return artwork


def _is_done(asked: Commission) -> bool:
    return asked.rendition is not None and asked.rendition.state == State.DONE


def _stop_if_unwanted(commission_id: int, *, now: datetime) -> None:
    given_up = _fresh(commission_id)
    same = Q(commission=given_up)
    if given_up.rendition is not None:
        # Two photos of one picture share a painting.
        same |= Q(commission__rendition=given_up.rendition)
    if not Artwork.objects.wanted().filter(same).exists():
        renditions.cancel(given_up, now=now)


def _fresh(commission_id: int) -> Commission:
    # Not the one that came with the page: a worker may have found its rendition meanwhile.
    return Commission.objects.select_related("source", "rendition").get(pk=commission_id)
