"""People, photos, artworks, invitations: what the database holds to, and what people are told."""

from datetime import timedelta
from itertools import product

import pytest
from django.db import IntegrityError
from django.utils import timezone

from gallery.models import Artwork, How, Invitation, Photo, Stage, User
from rendering.models import Found, Rendition, Source, State
from tests import makers
from tests.makers import NOON


@pytest.mark.parametrize("name", ["alice", "Alice", "ALICE"])
def test_names_differ_by_more_than_their_case(alice: User, name: str):
    with pytest.raises(IntegrityError):
        User.objects.create(username=name)


def test_file_is_in_an_album_once(alice: User):
    photo = makers.photo(alice)

    with pytest.raises(IntegrityError):
        makers.photo(alice, of=photo.source)


def test_photo_has_an_artwork_of_each_recipe_once(alice: User):
    artwork = makers.artwork(makers.photo(alice))

    with pytest.raises(IntegrityError):
        Artwork.objects.create(
            photo=artwork.photo, commission=artwork.commission, style="oil", look="studio", created_at=NOON
        )


def test_keys_cannot_be_guessed(alice: User):
    keys = {makers.photo(alice).key for _ in range(20)}

    assert ({len(key) for key in keys}, len(keys)) == ({22}, 20)


STATES: list[State | None] = [None, *State]


@pytest.mark.parametrize(("source", "painting", "cancelled"), list(product(State, STATES, [False, True])))
def test_stage_is_told_as_it_is_searched(alice: User, source: State, painting: State | None, cancelled: bool):
    photo = makers.photo(alice)
    Source.objects.update(state=source)
    rendition = makers.rendition(state=State.DONE) if painting else None
    Rendition.objects.update(state=painting or State.DONE)
    asked = makers.commission(photo.source, painting=rendition)
    Artwork.objects.create(
        photo=photo,
        commission=asked,
        style="oil",
        look="studio",
        created_at=NOON,
        cancelled_at=NOON if cancelled else None,
    )

    artwork = Artwork.objects.with_paintings().get()

    assert [stage for stage in Stage if Artwork.objects.at_stage(stage).exists()] == [artwork.stage]
    unfinished = (Stage.WAITING, Stage.READING, Stage.PAINTING)
    assert Artwork.objects.unfinished().exists() == (artwork.stage in unfinished)


HOURS: list[int | None] = [None, -1, 1]


@pytest.mark.parametrize(("source", "painted", "hours"), list(product(State, [False, True], HOURS)))
def test_stage_of_what_has_its_time_is_told_as_it_is_searched(
    alice: User, source: State, painted: bool, hours: int | None
):
    photo = makers.photo(alice)
    Source.objects.update(state=source)
    asked = makers.commission(photo.source, painting=makers.rendition(state=State.DONE) if painted else None)
    asked.not_before = None if hours is None else timezone.now() + timedelta(hours=hours)
    asked.save()
    Artwork.objects.create(photo=photo, commission=asked, style="oil", look="studio", created_at=NOON)

    artwork = Artwork.objects.with_paintings().get()

    assert [stage for stage in Stage if Artwork.objects.at_stage(stage).exists()] == [artwork.stage]
    held = hours == 1 and not painted and source in (State.WAITING, State.WORKING, State.DONE)
    assert (artwork.stage == Stage.HELD, artwork.held_until) == (held, asked.not_before if held else None)
    assert Artwork.objects.unfinished().exists() >= held


@pytest.mark.parametrize(("twin", "same_file", "found"), list(product([False, True], [False, True], ["", *Found])))
def test_how_it_was_got_is_told_as_it_is_searched(alice: User, twin: bool, same_file: bool, found: str):
    made = makers.artwork(makers.photo(alice), twin=twin, same_file=same_file)
    type(made.commission).objects.update(found=found)

    artwork = Artwork.objects.with_paintings().get()

    assert [how for how in How if Artwork.objects.got_by(how).exists()] == [artwork.how]


def test_seconds_are_what_the_person_waited(alice: User):
    artwork = makers.artwork(makers.photo(alice))
    Rendition.objects.update(finished_at=NOON + timedelta(seconds=2.5))

    assert Artwork.objects.with_paintings().get(pk=artwork.pk).seconds == 2.5


def test_seconds_are_none_at_all_when_it_was_painted_before(alice: User):
    artwork = makers.artwork(makers.photo(alice), created_at=NOON + timedelta(days=3))

    assert artwork.seconds == 0


@pytest.mark.parametrize("state", [State.WAITING, State.WORKING, State.FAILED, State.CANCELLED])
def test_seconds_are_unknown_until_it_is_done(alice: User, state: State):
    assert makers.artwork(makers.photo(alice), state=state).seconds is None


@pytest.mark.parametrize(
    ("source", "painting", "unfinished"),
    [
        (State.DONE, State.DONE, False),
        (State.DONE, State.WORKING, True),
        (State.DONE, State.FAILED, False),
        (State.WAITING, None, True),
        (State.FAILED, None, False),
    ],
)
def test_photo_knows_whether_it_still_changes(alice: User, source: State, painting: State | None, unfinished: bool):
    photo = makers.photo(alice)
    rendition = makers.rendition(state=painting) if painting else None
    asked = makers.commission(photo.source, painting=rendition)
    Artwork.objects.create(photo=photo, commission=asked, style="oil", look="studio", created_at=NOON)
    Source.objects.update(state=source)

    assert Photo.objects.in_album().get().unfinished is unfinished


@pytest.mark.parametrize(("hours", "used", "is_open"), [(-1, False, True), (0, False, False), (-1, True, False)])
def test_invitation_is_open_until_it_is_used_or_has_expired(admin: User, hours: int, used: bool, is_open: bool):
    invitation = Invitation.objects.create(invited_by=admin, expires_at=NOON, used_at=NOON if used else None)

    assert invitation.is_open(now=NOON + timedelta(hours=hours)) is is_open


def test_things_say_what_they_are(alice: User):
    photo = makers.photo(alice, title="")

    assert [str(photo), str(makers.artwork(photo)), str(Invitation(note="For Mum")), str(Invitation())] == [
        "Untitled",
        "oil, studio",
        "For Mum",
        "Invitation",
    ]
