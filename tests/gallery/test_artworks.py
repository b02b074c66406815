"""Artworks: commissioned, cancelled, tried again, removed."""

from datetime import timedelta
from pathlib import Path

import pytest
from pytest_django import DjangoCaptureOnCommitCallbacks as Committing

from gallery import artworks
from gallery.models import Artwork, How, Photo, Stage, User
from rendering.models import Commission, Reason, Rendition, State
from rendering.styles.base import ParameterError
from tests import makers
from tests.makers import NOON

LATER = NOON + timedelta(hours=1)


def fresh(artwork: Artwork) -> Artwork:
    return Artwork.objects.with_paintings().get(pk=artwork.pk)


def same_for(owner: User, artwork: Artwork) -> Artwork:
    """Return another person's artwork of the same commission."""
    photo, _ = Photo.objects.get_or_create(owner=owner, source=artwork.photo.source, defaults={"created_at": NOON})
    return Artwork.objects.create(
        photo=photo, commission=artwork.commission, style=artwork.style, look=artwork.look, created_at=NOON
    )


def commission(photo: Photo, *styles: str, look: str = "studio", full_size: bool = False) -> list[Artwork]:
    return artworks.commission(photo, styles=styles, look=look, full_size=full_size, now=LATER)


def test_commission_makes_an_artwork_of_each_style(alice: User):
    photo = makers.photo(alice)

    made = commission(photo, "pencil", "watercolor", look="classic")

    assert [(artwork.style, artwork.look, artwork.stage) for artwork in made] == [
        ("pencil", "classic", Stage.WAITING),
        ("watercolor", "classic", Stage.WAITING),
    ]
    assert [artwork.created_at for artwork in made] == [LATER, LATER]


def test_commission_asked_for_before_is_the_same_artwork(alice: User):
    photo = makers.photo(alice)
    made = commission(photo, "oil")

    again = commission(photo, "oil")

    assert again == made
    assert Artwork.objects.count() == 1


def test_commission_in_another_look_is_another_artwork(alice: User):
    photo = makers.photo(alice)

    made = commission(photo, "oil") + commission(photo, "oil", look="fast")

    assert len({artwork.pk for artwork in made}) == 2


def test_commission_of_what_another_person_had_painted_is_done_at_once(alice: User, bob: User):
    painted = makers.artwork(makers.photo(alice))
    photo = makers.photo(bob, of=painted.photo.source)

    [made] = commission(photo, "oil")

    assert (fresh(made).stage, fresh(made).how, fresh(made).seconds) == (Stage.DONE, How.SAME_FILE, 0)


@pytest.mark.parametrize("state", [State.FAILED, State.CANCELLED])
def test_commission_of_what_ended_badly_is_a_new_try(alice: User, bob: User, state: State):
    ended = makers.artwork(makers.photo(alice), state=state)
    photo = makers.photo(bob, of=ended.photo.source)

    [made] = commission(photo, "oil")

    assert fresh(made).stage == Stage.WAITING


def test_commission_of_a_photo_that_could_not_be_read_is_a_new_try(alice: User):
    photo = makers.photo(alice, of=makers.source(state=State.FAILED, reason=Reason.STORAGE))

    [made] = commission(photo, "oil")

    assert (fresh(made).stage, fresh(made).photo.source.state) == (Stage.WAITING, State.WAITING)


def test_commission_revives_what_the_person_had_cancelled(alice: User):
    cancelled = makers.artwork(makers.photo(alice), state=State.CANCELLED, cancelled_at=NOON)

    [made] = commission(cancelled.photo, "oil")

    assert (made.pk, fresh(made).stage, fresh(made).created_at) == (cancelled.pk, Stage.WAITING, LATER)


def test_commission_of_unknown_style_or_look_makes_nothing(alice: User):
    photo = makers.photo(alice)

    with pytest.raises(ParameterError):
        commission(photo, "pencil", "fresco")

    assert (Artwork.objects.count(), Commission.objects.count()) == (0, 0)


@pytest.mark.parametrize("state", [State.WAITING, State.WORKING])
def test_cancel_stops_the_painting(alice: User, state: State):
    artwork = makers.artwork(makers.photo(alice), state=state)

    artworks.cancel(artwork, by=alice, now=LATER)

    assert fresh(artwork).stage == Stage.CANCELLED
    assert Rendition.objects.get().state == State.CANCELLED


def test_cancel_before_the_photo_is_read_gives_the_commission_up(alice: User):
    photo = makers.photo(alice, of=makers.source(state=State.WAITING))
    [artwork] = commission(photo, "oil")

    artworks.cancel(artwork, by=alice, now=LATER)

    assert fresh(artwork).stage == Stage.CANCELLED
    assert Commission.objects.get().wanted is False


def test_cancel_leaves_what_another_person_waits_for(alice: User, bob: User):
    alices = makers.artwork(makers.photo(alice), state=State.WAITING)
    bobs = same_for(bob, alices)

    artworks.cancel(alices, by=alice, now=LATER)

    assert (fresh(alices).stage, fresh(bobs).stage) == (Stage.CANCELLED, Stage.WAITING)


def test_cancel_leaves_what_another_photo_of_the_same_picture_waits_for(alice: User, bob: User):
    alices = makers.artwork(makers.photo(alice), state=State.WORKING)
    photo = makers.photo(bob)
    shared = makers.commission(photo.source, painting=alices.rendition)
    bobs = Artwork.objects.create(photo=photo, commission=shared, style="oil", look="studio", created_at=NOON)

    artworks.cancel(alices, by=alice, now=LATER)

    assert (fresh(alices).stage, fresh(bobs).stage) == (Stage.CANCELLED, Stage.PAINTING)


def test_cancel_by_the_last_who_waits_stops_it(alice: User, bob: User):
    alices = makers.artwork(makers.photo(alice), state=State.WAITING)
    bobs = same_for(bob, alices)
    artworks.cancel(alices, by=alice, now=LATER)

    artworks.cancel(bobs, by=bob, now=LATER)

    assert Rendition.objects.get().state == State.CANCELLED


@pytest.mark.parametrize("state", [State.DONE, State.FAILED])
def test_cancel_changes_nothing_that_has_ended(alice: User, state: State):
    artwork = makers.artwork(makers.photo(alice), state=state)

    artworks.cancel(artwork, by=alice, now=LATER)

    assert (fresh(artwork).cancelled_at, Rendition.objects.get().state) == (None, state)


def test_nobody_changes_what_is_somebody_elses(alice: User, bob: User):
    waiting = makers.artwork(makers.photo(alice), state=State.WAITING)
    failed = makers.artwork(makers.photo(alice), state=State.FAILED)

    artworks.cancel(waiting, by=bob, now=LATER)
    artworks.retry(failed, by=bob, now=LATER)
    artworks.remove(waiting, by=bob, now=LATER)

    assert [fresh(artwork).stage for artwork in (waiting, failed)] == [Stage.WAITING, Stage.FAILED]


def test_retry_lets_a_failed_painting_wait_again(alice: User):
    artwork = makers.artwork(makers.photo(alice), state=State.FAILED)
    Rendition.objects.update(reason=Reason.TOO_SLOW)

    artworks.retry(artwork, by=alice, now=LATER)

    assert (fresh(artwork).stage, fresh(artwork).reason, fresh(artwork).created_at) == (Stage.WAITING, "", LATER)


def test_retry_reads_a_failed_photo_again(alice: User):
    photo = makers.photo(alice, of=makers.source(state=State.FAILED, reason=Reason.STORAGE))
    asked = makers.commission(photo.source)
    artwork = Artwork.objects.create(photo=photo, commission=asked, style="oil", look="studio", created_at=NOON)

    artworks.retry(artwork, by=alice, now=LATER)

    assert fresh(artwork).stage == Stage.WAITING
    assert fresh(artwork).photo.source.state == State.WAITING


def test_retry_of_what_another_person_finished_meanwhile_is_done_at_once(alice: User, bob: User):
    alices = makers.artwork(makers.photo(alice), state=State.WAITING)
    same_for(bob, alices)
    artworks.cancel(alices, by=alice, now=NOON)
    Rendition.objects.update(state=State.DONE, folder="renditions/done", width=64, height=48, finished_at=NOON)

    artworks.retry(alices, by=alice, now=LATER)

    assert (fresh(alices).stage, fresh(alices).seconds) == (Stage.DONE, 0)


def test_retry_changes_nothing_that_is_done(alice: User):
    artwork = makers.artwork(makers.photo(alice))

    artworks.retry(artwork, by=alice, now=LATER)

    assert (fresh(artwork).stage, fresh(artwork).created_at) == (Stage.DONE, NOON)


def test_removed_artwork_leaves_no_painting_behind(
    alice: User, media: Path, django_capture_on_commit_callbacks: Committing
):
    artwork = makers.artwork(makers.photo(alice))

    with django_capture_on_commit_callbacks(execute=True):
        artworks.remove(artwork, by=alice, now=LATER)

    assert (Artwork.objects.count(), Commission.objects.count(), Rendition.objects.count()) == (0, 0, 0)
    assert [path for path in (media / "renditions").rglob("*") if path.is_file()] == []


def test_removed_artwork_leaves_what_another_person_has(
    alice: User, bob: User, media: Path, django_capture_on_commit_callbacks: Committing
):
    alices = makers.artwork(makers.photo(alice))
    bobs = same_for(bob, alices)

    with django_capture_on_commit_callbacks(execute=True):
        artworks.remove(alices, by=alice, now=LATER)

    assert list(Artwork.objects.all()) == [bobs]
    assert len([path for path in (media / "renditions").rglob("*") if path.is_file()]) == 2


def test_removed_artwork_under_way_is_stopped_unless_somebody_else_waits(alice: User, bob: User):
    alices = makers.artwork(makers.photo(alice), state=State.WORKING)
    gave_up = same_for(bob, alices)
    Artwork.objects.filter(pk=gave_up.pk).update(cancelled_at=NOON)

    artworks.remove(alices, by=alice, now=LATER)

    assert list(Artwork.objects.all()) == [gave_up]
    assert Rendition.objects.get().state == State.CANCELLED
