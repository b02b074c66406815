"""Artworks: commissioned, cancelled, tried again, removed."""

from datetime import timedelta
from functools import partial
from pathlib import Path

import pytest
from django.utils import timezone
from pytest_django import DjangoCaptureOnCommitCallbacks as Committing

from gallery import artworks
from gallery.models import Artwork, How, Photo, Stage, User
from rendering import lifetimes, recipes, styles
from rendering.models import Commission, Reason, Rendition, Source, State
from rendering.styles.base import ParameterError
from tests import makers
from tests.makers import NOON
from tests.stopwatch import quickest

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


def test_removed_artwork_leaves_its_painting_for_an_hour_and_nothing_after_that(
    alice: User, media: Path, django_capture_on_commit_callbacks: Committing
):
    artwork = makers.artwork(makers.photo(alice))

    with django_capture_on_commit_callbacks(execute=True):
        artworks.remove(artwork, by=alice, now=LATER)
    assert (Artwork.objects.count(), Commission.objects.count(), Rendition.objects.count()) == (0, 0, 1)
    with django_capture_on_commit_callbacks(execute=True):
        lifetimes.evict(now=timezone.now() + timedelta(hours=2))

    assert not Rendition.objects.exists()
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


STOPPABLE = (State.WAITING, State.WORKING)


def in_all_states(owner: User) -> Photo:
    """Return a photo with a painting in each state."""
    photo = makers.photo(owner)
    looks = ((style, look) for look in ("studio", "fast") for style in ("oil", "pencil", "watercolor"))
    for (style, look), state in zip(looks, State, strict=True):
        facts = {"cancelled_at": NOON} if state == State.CANCELLED else {}
        makers.artwork(photo, style=style, look=look, state=state, **facts)
    return photo


def states(owner: User) -> list[str]:
    return list(
        Rendition.objects.filter(commissions__artworks__photo__owner=owner)
        .order_by("pk")
        .values_list("state", flat=True)
    )


def test_cancel_photo_stops_what_is_not_finished_of_it_alone(alice: User):
    photo, other = in_all_states(alice), in_all_states(alice)

    count = artworks.cancel_photo(photo, by=alice, now=LATER)

    ended = [State.CANCELLED if state in STOPPABLE else state for state in State]
    assert (count, states(alice)) == (2, [*ended, *State])
    assert [fresh(each).stage for each in photo.artworks.order_by("pk")[:2]] == [Stage.CANCELLED, Stage.CANCELLED]
    assert other.artworks.unfinished().count() == 2


def test_cancel_all_stops_everything_of_the_person_and_nothing_of_others(alice: User, bob: User):
    in_all_states(alice), in_all_states(alice), in_all_states(bob)

    count = artworks.cancel_all(of=alice, now=LATER)

    ended = [State.CANCELLED if state in STOPPABLE else state for state in State]
    assert (count, states(alice), states(bob)) == (4, ended * 2, list(State))


def test_cancel_all_leaves_what_another_person_waits_for(alice: User, bob: User):
    shared = makers.artwork(makers.photo(alice), state=State.WORKING)
    bobs = same_for(bob, shared)
    twin = makers.artwork(makers.photo(alice), state=State.WAITING)
    same_picture = makers.commission(makers.photo(bob).source, painting=twin.rendition)
    photo = Photo.objects.get(source=same_picture.source)
    bobs_picture = Artwork.objects.create(
        photo=photo, commission=same_picture, style="oil", look="studio", created_at=NOON
    )
    makers.artwork(makers.photo(alice), style="pencil", state=State.WAITING)

    artworks.cancel_all(of=alice, now=LATER)

    assert [fresh(each).stage for each in (shared, twin)] == [Stage.CANCELLED] * 2
    assert [fresh(each).stage for each in (bobs, bobs_picture)] == [Stage.PAINTING, Stage.WAITING]
    assert Rendition.objects.get(style="pencil").state == State.CANCELLED


def test_cancel_all_by_the_last_who_waits_stops_what_is_shared(alice: User, bob: User):
    shared = makers.artwork(makers.photo(alice), state=State.WORKING)
    same_for(bob, shared)

    artworks.cancel_all(of=alice, now=LATER)
    artworks.cancel_all(of=bob, now=LATER)

    assert Rendition.objects.get().state == State.CANCELLED


def test_cancel_all_gives_unread_photos_up(alice: User):
    photo = makers.photo(alice, of=makers.source(state=State.WAITING))
    made = commission(photo, "oil", "pencil")

    count = artworks.cancel_all(of=alice, now=LATER)

    assert (count, [fresh(each).stage for each in made]) == (2, [Stage.CANCELLED] * 2)
    assert set(Commission.objects.values_list("wanted", flat=True)) == {False}


def test_cancel_all_of_nothing_changes_nothing(alice: User):
    makers.finished_photo(alice)

    assert artworks.cancel_all(of=alice, now=LATER) == 0
    assert Artwork.objects.filter(cancelled_at=None).count() == 4


def album_of_five_hundred(owner: User) -> None:
    """Make 500 photos with four paintings each that wait; every other one has been read."""
    recipe = recipes.compose("oil", look="studio", long_edge=1024)
    facts = {"recipe": recipe.text, "recipe_digest": recipe.digest}
    source = makers.source()
    common = {"original": source.original, "size": 1, "format": "jpeg", "width": 9, "height": 9, "waiting_since": NOON}
    sources = Source.objects.bulk_create(
        Source(bytes_key=f"{number:064}", state=State.WAITING, **common) for number in range(500)
    )
    pictures = Photo.objects.bulk_create(Photo(owner=owner, source=each, created_at=NOON) for each in sources)
    asked = Commission.objects.bulk_create(
        Commission(source=each, recipe=recipe.text, recipe_digest=f"{style}", created_at=NOON, rendition=painting)
        for number, each in enumerate(sources)
        for style, painting in zip(styles.NAMES, paintings_of(number, facts), strict=True)
    )
    Artwork.objects.bulk_create(
        Artwork(photo=picture, commission=each, style="oil", look="studio", created_at=NOON)
        for picture, each in zip((picture for picture in pictures for _ in styles.NAMES), asked, strict=True)
    )


@pytest.mark.no_cover
def test_cancelling_an_album_and_taking_that_back_is_quick(alice: User):
    album_of_five_hundred(alice)
    cancel = partial(artworks.cancel_all, of=alice, now=NOON)
    ask_again = partial(artworks.retry_all, Stage.CANCELLED, of=alice, now=LATER)

    assert cancel() == 2000
    assert Rendition.objects.filter(state=State.CANCELLED).count() == 1000
    assert ask_again() == 2000
    assert Rendition.objects.filter(state=State.WAITING).count() == 1000
    assert (Commission.objects.filter(wanted=True).count(), Artwork.objects.wanted().count()) == (2000, 2000)
    assert quickest(cancel, within=2, undo=ask_again) <= 2
    assert quickest(ask_again, within=5, undo=cancel) <= 5


def paintings_of(number: int, facts: dict[str, str]) -> list[Rendition | None]:
    """Return waiting renditions of a photo of an even number; the others have not been read."""
    if number % 2:
        return [None] * 4
    rows = [
        Rendition(canvas_key=f"{number:060}{style}"[-64:], style="oil", style_version=1, waiting_since=NOON, **facts)
        for style in styles.NAMES
    ]
    return list(Rendition.objects.bulk_create(rows))


@pytest.mark.parametrize(("stage", "count"), [(Stage.FAILED, 1), (Stage.CANCELLED, 1)])
def test_retry_photo_tries_that_stage_of_it_alone(alice: User, stage: Stage, count: int):
    photo, other = in_all_states(alice), in_all_states(alice)
    others = [fresh(each).stage for each in other.artworks.order_by("pk")]

    tried = artworks.retry_photo(photo, stage, by=alice, now=LATER)

    assert (tried, photo.artworks.at_stage(stage).count()) == (count, 0)
    assert photo.artworks.at_stage(Stage.WAITING).count() == 2
    assert [fresh(each).stage for each in other.artworks.order_by("pk")] == others


def test_retry_all_is_the_undo_of_cancel_all(alice: User, bob: User):
    for owner in (alice, alice, bob):
        makers.artwork(makers.photo(owner), state=State.WAITING)
    artworks.cancel_all(of=alice, now=NOON)
    artworks.cancel_all(of=bob, now=NOON)

    count = artworks.retry_all(Stage.CANCELLED, of=alice, now=LATER)

    assert (count, states(alice), states(bob)) == (2, [State.WAITING] * 2, [State.CANCELLED])


def test_retry_paints_again_what_was_put_away(alice: User):
    artwork = makers.artwork(makers.photo(alice), state=State.EVICTED)

    artworks.retry(artwork, by=alice, now=LATER)

    assert (fresh(artwork).stage, fresh(artwork).created_at) == (Stage.WAITING, LATER)


def test_photos_of_others_are_not_cancelled_or_tried_again(alice: User, bob: User):
    photo = in_all_states(alice)

    counts = (
        artworks.cancel_photo(photo, by=bob, now=LATER),
        artworks.retry_photo(photo, Stage.FAILED, by=bob, now=LATER),
        artworks.cancel_all(of=bob, now=LATER),
        artworks.retry_all(Stage.FAILED, of=bob, now=LATER),
    )

    assert (counts, states(alice)) == ((0, 0, 0, 0), list(State))
