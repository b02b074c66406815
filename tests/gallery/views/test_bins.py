"""The bin: what was removed can be brought back for 30 days, or erased at once."""

from datetime import timedelta

import pytest
from django.test import Client
from django.urls import reverse
from django.utils import timezone

from gallery import photos
from gallery.models import Photo, User
from gallery.views import bins
from tests import makers
from tests.gallery.views.test_photos import said

AS_JSON = {"Accept": "application/json"}
BIN = "/bin/"


@pytest.fixture
def binned(alice: User) -> Photo:
    """Return a photo of alice's that she has just removed."""
    photo = makers.finished_photo(alice, title="Binned falcon")
    photos.remove(photo, now=timezone.now())
    return photo


def test_bin_shows_only_the_persons_own(as_alice: Client, as_bob: Client, binned: Photo):
    hers, his = as_alice.get(BIN), as_bob.get(BIN)

    assert (hers.context["photos"], hers.context["total"]) == ([binned], 1)
    assert (his.context["photos"], his.context["total"]) == ([], 0)
    assert reverse("photo_file", args=[binned.key, 64]) in hers.content.decode()


def test_bin_goes_on_in_pages(as_alice: Client, alice: User, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(bins, "PAGE", 2)
    now = timezone.now()
    made = [makers.photo(alice) for _ in range(5)]
    for photo, minutes in zip(made, (5, 4, 4, 4, 1), strict=True):
        photos.remove(photo, now=now - timedelta(minutes=minutes))
    first = as_alice.get(BIN).context
    second = as_alice.get(BIN, {"before": first["older"]}).context
    third = as_alice.get(BIN, {"before": second["older"]}).context

    assert third["older"] is None
    assert first["photos"] + second["photos"] + third["photos"] == [made[4], made[3], made[2], made[1], made[0]]


def test_photo_in_the_bin_is_gone_everywhere_else(as_alice: Client, binned: Photo):
    artwork = binned.artworks.get(style="oil")
    addresses = [
        reverse("photo", args=[binned.key]),
        reverse("photo_original", args=[binned.key]),
        reverse("download", args=[artwork.key]),
    ]

    assert [as_alice.get(address).status_code for address in addresses] == [404] * 3
    assert as_alice.get(reverse("status"), {"photos": binned.key}).json() == {"photos": {}}
    assert as_alice.get(reverse("history")).context["artworks"] == []
    assert as_alice.post(reverse("retry_photo", args=[binned.key])).status_code == 404


def test_removal_offers_to_undo_it_without_scripts(as_alice: Client, alice: User):
    photo = makers.finished_photo(alice)
    other = makers.photo(alice)
    photos.remove(other, now=timezone.now() - timedelta(minutes=1))

    as_alice.post(reverse("remove_photo", args=[photo.key]))
    page = as_alice.get("/")
    answer = as_alice.post(reverse("undo"), {"at": as_alice.session["undo"]})

    assert f'name="at" value="{as_alice.session["undo"]}"' in page.content.decode()
    assert (answer.headers["Location"], said(answer)[-1]) == ("/", "1 photo is back in your album.")
    assert (alice.photos.kept().get(), alice.photos.in_bin().get()) == (photo, other)


def test_removal_for_scripts_answers_with_the_moment(as_alice: Client, alice: User):
    photo = makers.photo(alice)

    gone = as_alice.post(reverse("remove_photo", args=[photo.key]), headers=AS_JSON).json()
    back = as_alice.post(reverse("undo"), {"at": gone["undo"]}, headers=AS_JSON).json()

    assert (gone["text"], back) == ("Falcon was removed.", {"text": "1 photo is back in your album."})
    assert alice.photos.kept().get() == photo


@pytest.mark.parametrize("at", ["", "yesterday", "2026-05-03", "2026-13-45T99:00:00Z", "2026-05-03T12:00:00"])
def test_moment_that_is_none_brings_nothing_back(as_alice: Client, alice: User, binned: Photo, at: str):
    answer = as_alice.post(reverse("undo"), {"at": at}, headers=AS_JSON)

    assert answer.json() == {"text": "There was nothing to bring back."}
    assert alice.photos.in_bin().get() == binned


@pytest.mark.parametrize("name", ["bring_back", "erase", "undo", "empty_bin"])
def test_nobody_else_opens_the_bin(as_bob: Client, alice: User, binned: Photo, name: str):
    binned.refresh_from_db()
    assert binned.removed_at
    as_bob.post(reverse(name), {"photo": [binned.key], "at": binned.removed_at.isoformat()})

    assert alice.photos.in_bin().get() == binned


def test_chosen_photos_come_back_or_are_erased(as_alice: Client, alice: User):
    made = [makers.photo(alice) for _ in range(4)]
    photos.remove_many(alice.photos.filter(pk__in=[photo.pk for photo in made[:3]]), of=alice, now=timezone.now())

    back = as_alice.post(reverse("bring_back"), {"photo": [made[0].key]})
    erased = as_alice.post(reverse("erase"), {"photo": [made[1].key, made[3].key]})

    assert [said(back)[-1], said(erased)[-1]] == ["1 photo is back in your album.", "1 photo was erased for good."]
    assert (set(alice.photos.kept()), set(alice.photos.in_bin())) == ({made[0], made[3]}, {made[2]})


def test_bin_is_emptied(as_alice: Client, alice: User, binned: Photo):
    kept = makers.photo(alice)

    answer = as_alice.post(reverse("empty_bin"))

    assert (answer.headers["Location"], said(answer)) == (BIN, ["1 photo was erased for good."])
    assert alice.photos.get() == kept
