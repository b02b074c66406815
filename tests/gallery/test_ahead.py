"""Pages ahead of time: offered to those who spare nothing, and given only where looking changes nothing."""

import json
from pathlib import Path

import pytest
from django.conf import settings
from django.test import Client
from django.urls import reverse

from gallery import traffic
from gallery.models import Photo, User
from rendering.models import Priority, Rendition, State
from tests import makers

AHEAD = {"Sec-Purpose": "prefetch"}


@pytest.fixture
def photo(alice: User) -> Photo:
    return makers.finished_photo(alice)


def asked(client: Client, photo: Photo, **headers: str) -> int:
    return client.get(reverse("photo", args=[photo.key]), headers={**AHEAD, **headers}).status_code


def test_pages_with_links_to_photos_name_the_rules(as_alice: Client, photo: Photo):
    pages = ["/", reverse("photo", args=[photo.key]), reverse("history")]

    offered = [as_alice.get(each).headers.get("Speculation-Rules") for each in pages]

    assert offered == ['"/static/photos.speculationrules"', '"/static/photos.speculationrules"', None]


def test_who_saves_bytes_is_offered_nothing(as_alice: Client, photo: Photo):
    page = as_alice.get("/", headers={"Save-Data": "on"})

    assert "Speculation-Rules" not in page.headers


def test_rules_are_of_photos_alone_and_known_as_rules():
    [rule] = json.loads((Path(settings.BASE_DIR) / "static/photos.speculationrules").read_text())["prefetch"]

    assert rule["where"]["and"][0] == {"href_matches": reverse("photo", args=["key"]).replace("key", ":key")}
    assert settings.WHITENOISE_MIMETYPES == {".speculationrules": "application/speculationrules+json"}


def test_finished_photo_is_given_ahead_and_counted_when_somebody_comes(as_alice: Client, photo: Photo, valkey):
    given = asked(as_alice, photo)
    before = traffic.tally._figures["pages"]
    as_alice.get(reverse("photo", args=[photo.key]))

    assert (given, before, traffic.tally._figures["pages"]) == (200, 0, 1)


def test_photo_that_is_being_painted_moves_forward_only_for_eyes(as_alice: Client, photo: Photo):
    waits = makers.artwork(photo, look="fast", state=State.WAITING)

    refused = asked(as_alice, photo)

    assert refused == 425
    assert Rendition.objects.get(commissions__artworks=waits).priority == Priority.USUAL


def test_what_was_put_away_is_painted_again_only_for_eyes(as_alice: Client, photo: Photo):
    Rendition.objects.filter(style="oil").update(state=State.EVICTED, folder="", widths=[])

    refused = asked(as_alice, photo)

    assert refused == 425
    assert Rendition.objects.get(style="oil").state == State.EVICTED


def test_message_is_said_to_eyes(as_alice: Client, photo: Photo):
    as_alice.post(reverse("cancel_all"))

    refused = asked(as_alice, photo)

    assert refused == 425
    assert "There was nothing to cancel." in as_alice.get(reverse("photo", args=[photo.key])).content.decode()


def test_nobody_elses_photo_is_given_ahead(as_bob: Client, photo: Photo):
    assert asked(as_bob, photo) == 404


@pytest.mark.parametrize(("headers", "forgotten"), [({"Sec-Fetch-Site": "same-origin"}, '"prefetchCache"'), ({}, None)])
def test_whatever_people_do_ends_what_was_fetched_ahead(
    as_alice: Client, photo: Photo, headers: dict[str, str], forgotten: str | None
):
    address = reverse("favorite", args=[photo.key])

    done = as_alice.post(address, {"favorite": "1"}, headers=headers)
    seen = as_alice.get("/", headers=headers)

    assert done.headers.get("Clear-Site-Data") == forgotten
    assert "Clear-Site-Data" not in seen.headers
