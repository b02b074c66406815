"""Share links: what they show, until when, and what ends them at once."""

import io
from datetime import timedelta
from typing import Any

import numpy as np
import pytest
from PIL import Image
from pytest_django import DjangoAssertNumQueries

from gallery import accounts, photos, shares
from gallery.models import Artwork, Photo, Share, User
from gallery.shares import Terms
from rendering import labels, recipes
from rendering.models import Source, State
from tests import makers
from tests.makers import NOON
from tests.processes import Valkey

SECRETS = (b"alice", b"Falcon", b"falcon", b"GPS", b"Exif", b"2026")


def share(*shown: Photo, owner: User | None = None, now=NOON, **terms: Any) -> Share:
    return shares.create(owner=owner or shown[0].owner, photos=shown, terms=Terms(**terms), now=now)


def test_share_has_an_address_that_nobody_guesses(alice: User):
    photo = makers.photo(alice)

    made = {share(photo).key for _ in range(50)}

    assert len(made) == 50
    assert {len(key) for key in made} == {22}


def test_share_shows_its_photos_and_their_finished_paintings_newest_first(alice: User):
    first, second, _other = (makers.photo(alice) for _ in range(3))
    oil = makers.artwork(first)
    makers.artwork(first, style="pencil", state=State.WAITING)

    found = list(shares.photos_of(share(first, second)))

    assert found == [second, first]
    assert [list(photo.artworks.all()) for photo in found] == [[], [oil]]


@pytest.mark.parametrize("count", [1, 3])
def test_what_is_shown_is_asked_in_a_constant_number_of_queries(
    alice: User, count: int, django_assert_num_queries: DjangoAssertNumQueries
):
    made = share(*[makers.finished_photo(alice) for _ in range(count)])

    with django_assert_num_queries(2):
        shown = [[each.rendition for each in photo.artworks.all()] for photo in shares.photos_of(made)]

    assert [len(paintings) for paintings in shown] == [4] * count


def test_photos_of_others_are_never_shared(alice: User, bob: User):
    mine, theirs = makers.photo(alice), makers.photo(bob)

    made = share(mine, theirs, owner=alice)
    made.photos.add(theirs)

    assert list(shares.photos_of(made)) == [mine]
    assert shares.photo_in(made, theirs.key) is None


@pytest.mark.parametrize(
    ("change", "gone"),
    [
        (lambda photo: Photo.objects.filter(pk=photo.pk).update(removed_at=NOON), True),
        (lambda photo: Source.objects.filter(pk=photo.source_id).update(state=State.EVICTED), True),
        (lambda photo: photo.delete(), True),
        (lambda photo: Photo.objects.filter(pk=photo.pk).update(title="Kestrel"), False),
    ],
    ids=["binned", "put away", "deleted", "renamed"],
)
def test_photos_that_leave_the_album_leave_the_share_at_once(alice: User, change, gone: bool):
    photo = makers.photo(alice)
    artwork = makers.artwork(photo)
    made = share(photo)

    change(photo)

    shown = (shares.photos_of(made).count(), shares.photo_in(made, photo.key), shares.painting_in(made, artwork.key))
    assert shown == ((0, None, None) if gone else (1, photo, artwork))


def test_painting_that_is_cancelled_is_gone_at_once(alice: User):
    artwork = makers.artwork(makers.photo(alice))
    made = share(artwork.photo)

    Artwork.objects.update(cancelled_at=NOON)

    assert shares.painting_in(made, artwork.key) is None
    assert [list(photo.artworks.all()) for photo in shares.photos_of(made)] == [[]]


@pytest.mark.parametrize("state", [State.WAITING, State.WORKING, State.FAILED, State.EVICTED])
def test_painting_that_is_not_done_is_not_shown(alice: User, state: State):
    artwork = makers.artwork(makers.photo(alice), state=state)

    assert shares.painting_in(share(artwork.photo), artwork.key) is None


def test_share_is_found_until_it_ends(alice: User):
    made = share(makers.photo(alice), expires_at=NOON + timedelta(hours=1))

    found = [shares.find(made.key, now=NOON + timedelta(minutes=minutes)) for minutes in (0, 59, 60)]

    assert found == [made, made, None]


def test_revoked_share_is_not_found(alice: User):
    made = share(makers.photo(alice))

    shares.revoke(made, now=NOON)
    shares.revoke(made, now=NOON + timedelta(hours=1))

    made.refresh_from_db()
    assert (shares.find(made.key, now=NOON), made.revoked_at) == (None, NOON)


def test_unknown_share_is_not_found(db: None):
    assert shares.find("0" * 22, now=NOON) is None


def test_share_of_somebody_who_may_not_come_in_is_not_found(alice: User):
    made = share(makers.photo(alice))

    User.objects.update(is_active=False)

    assert shares.find(made.key, now=NOON) is None


def test_closing_an_account_ends_its_shares(alice: User):
    made = share(makers.photo(alice))

    accounts.close_account(alice)

    assert (shares.find(made.key, now=NOON), Share.objects.count()) == (None, 0)


def test_removing_a_photo_keeps_the_share_of_the_others(alice: User):
    kept, removed = makers.photo(alice), makers.photo(alice)
    made = share(kept, removed)

    photos.remove(removed, now=NOON)

    assert list(shares.photos_of(made)) == [kept]


def test_password_is_kept_hashed(alice: User):
    made = share(makers.photo(alice), password="open sesame")

    assert "sesame" not in made.password
    assert [shares.fits(made, said) for said in ("open sesame", "open Sesame", "")] == [True, False, False]


@pytest.mark.parametrize(("said", "locked"), [(None, True), ("", False), ("another", True)])
def test_password_is_kept_taken_away_or_changed(alice: User, said: str | None, locked: bool):
    made = share(makers.photo(alice), password="open sesame")
    lock = shares.lock_of(made)

    shares.change(made, photos=made.photos.all(), terms=Terms(password=said))

    assert bool(made.password) == locked
    assert (shares.lock_of(made) == lock) == (said is None)


def test_lock_of_one_share_does_not_open_another(alice: User):
    one, other = share(makers.photo(alice)), share(makers.photo(alice))
    other.password = one.password

    assert shares.lock_of(one) != shares.lock_of(other)


def test_change_shows_other_photos_on_other_terms(alice: User):
    first, second = makers.photo(alice), makers.photo(alice)
    made = share(first, title="Birds")
    terms = Terms(title="Falcons\u202e\n2", full_size=True, expires_at=NOON)

    shares.change(made, photos=[second], terms=terms)

    made.refresh_from_db()
    assert list(made.photos.all()) == [second]
    assert (made.title, made.full_size, made.expires_at) == ("Falcons 2", True, NOON)


@pytest.mark.parametrize(
    ("full_size", "widths"), [(False, [160, 480, 800]), (True, [160, 480, 800, 1024])], ids=["small", "largest"]
)
def test_largest_size_is_given_only_when_allowed(alice: User, full_size: bool, widths: list[int]):
    made = share(makers.photo(alice), full_size=full_size)

    assert shares.widths_in(made, [160, 480, 800, 1024]) == widths


def test_tries_are_counted_for_a_share_and_an_address(alice: User, valkey: Valkey):
    one, other = share(makers.photo(alice)), share(makers.photo(alice))

    tries = [shares.may_try(one, "192.0.2.1") for _ in range(11)]

    assert tries == [True] * 10 + [False]
    assert (shares.may_try(one, "192.0.2.2"), shares.may_try(other, "192.0.2.1")) == (True, True)


def test_tries_from_everywhere_are_bounded(alice: User, valkey: Valkey):
    made = share(makers.photo(alice))

    tries = [shares.may_try(made, f"192.0.2.{number}") for number in range(101)]

    assert tries == [True] * 100 + [False]


def test_tries_keep_no_address(alice: User, valkey: Valkey):
    shares.may_try(share(makers.photo(alice)), "192.0.2.1")

    assert [key for key in valkey.client.scan_iter() if b"192" in bytes(key)] == []


def test_nobody_tries_while_nobody_counts(alice: User, valkey: Valkey, monkeypatch: pytest.MonkeyPatch):
    made = share(makers.photo(alice))
    monkeypatch.setattr("django.conf.settings.REDIS_URL", "unix:///nowhere/valkey.sock")

    assert shares.may_try(made, "192.0.2.1") is False


def test_views_are_a_number_and_nothing_else(alice: User):
    made = share(makers.photo(alice))

    shares.count_view(made)
    shares.count_view(made)

    made.refresh_from_db()
    assert made.views == 2


def test_largest_painting_is_labelled_with_its_recipe_and_nothing_personal():
    pixels = small_photo()
    recipe = recipes.compose("oil", look="studio", long_edge=1024)

    content = labels.write(pixels, labels.of(recipe))

    assert labels.read(io.BytesIO(content)).recipe == recipe
    assert [word for word in SECRETS if word in content] == []
    with Image.open(io.BytesIO(content)) as picture:
        told = {name for name in picture.info if not str(name).startswith(("jfif", "progress"))}
    assert told == {"xmp", "icc_profile"}


def small_photo():
    with Image.open(makers.PHOTOS / "book-beside-flowers.jpg") as picture:
        return np.asarray(picture.convert("RGB").resize((96, 64)))
