"""The workshop's own photo, for an album that is still empty."""

import pytest
from django.test import Client
from django.urls import reverse

from gallery.models import Artwork, Stage, User
from rendering.models import Source
from tests import makers

pytestmark = pytest.mark.django_db


def test_sample_is_hung_and_painted_in_the_persons_styles(as_alice: Client, alice: User):
    response = as_alice.post(reverse("hang_sample"))

    photo = alice.photos.get()
    assert response.headers["Location"] == reverse("photo", args=[photo.key])
    assert photo.title == "A frozen river"
    assert {each.style for each in Artwork.objects.filter(photo=photo)} == set(alice.styles)


def test_sample_is_the_same_file_for_everybody(as_alice: Client, as_bob: Client, bob: User):
    as_alice.post(reverse("hang_sample"))
    as_bob.post(reverse("hang_sample"))
    as_bob.post(reverse("hang_sample"))

    assert Source.objects.count() == 1
    assert bob.photos.count() == 1
    assert {each.stage for each in Artwork.objects.filter(photo__owner=bob)} == {Stage.WAITING}


def test_empty_album_offers_the_sample(as_alice: Client, alice: User):
    empty = as_alice.get(reverse("album")).content.decode()
    makers.photo(alice)
    filled = as_alice.get(reverse("album")).content.decode()

    assert reverse("hang_sample") in empty
    assert reverse("hang_sample") not in filled
