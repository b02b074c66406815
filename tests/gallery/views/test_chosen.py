"""What is done with several photos at once, and with the heart of one."""

import pytest
from django.test import Client
from django.urls import reverse

from gallery.models import Artwork, Photo, Stage, User
from gallery.views import chosen
from rendering.models import State
from tests import makers
from tests.gallery.views.test_photos import said

AS_JSON = {"Accept": "application/json"}
CHOSEN = "/chosen/"


def keys(*photos: Photo) -> list[str]:
    return [photo.key for photo in photos]


def test_chosen_photos_become_favorites_and_none_again(as_alice: Client, alice: User):
    made = [makers.photo(alice) for _ in range(3)]

    page = as_alice.post(CHOSEN, {"photo": keys(*made[:2]), "do": "favor", "next": "/?order=title"})
    script = as_alice.post(CHOSEN, {"photo": keys(made[0]), "do": "unfavor"}, headers=AS_JSON)

    assert (page.headers["Location"], said(page)) == ("/?order=title", ["2 photos are favorites."])
    assert script.json() == {"text": "1 photo is no favorite."}
    assert alice.photos.get(favorite=True) == made[1]


def test_chosen_photos_go_into_the_bin_and_can_come_back(as_alice: Client, alice: User):
    made = [makers.photo(alice) for _ in range(3)]

    gone = as_alice.post(CHOSEN, {"photo": keys(*made[:2]), "do": "remove"}, headers=AS_JSON).json()
    kept = list(alice.photos.kept())
    as_alice.post(reverse("undo"), {"at": gone["undo"]})

    assert (gone["text"], kept) == ("2 photos were removed.", [made[2]])
    assert alice.photos.kept().count() == 3


def test_what_failed_of_chosen_photos_is_tried_again(as_alice: Client, alice: User):
    failed, other = [makers.artwork(makers.photo(alice), state=State.FAILED) for _ in range(2)]

    answer = as_alice.post(CHOSEN, {"photo": keys(failed.photo), "do": "retry"})

    assert said(answer) == ["1 painting waits again."]
    assert Artwork.objects.at_stage(Stage.FAILED).get() == other


def test_chosen_photos_are_painted_in_other_styles(as_alice: Client, alice: User):
    made = [makers.photo(alice) for _ in range(2)]

    sent = {"photo": keys(*made), "do": "paint", "styles": ["oil", "pencil"], "look": "fast"}
    answer = as_alice.post(CHOSEN, sent)

    assert said(answer) == ["2 photos are being painted."]
    assert sorted(Artwork.objects.values_list("photo", "style", "look")) == sorted(
        (photo.pk, style, "fast") for photo in made for style in ("oil", "pencil")
    )


def test_chosen_photos_are_shared_by_one_link(as_alice: Client, alice: User):
    made = [makers.photo(alice) for _ in range(3)]

    page = as_alice.post(CHOSEN, {"photo": keys(*made[:2]), "do": "share"}, follow=True)

    assert page.redirect_chain == [(f"{reverse('new_share')}?photos={made[1].key}%2C{made[0].key}", 302)]
    assert page.context["chosen"] == set(keys(*made[:2]))


@pytest.mark.parametrize(
    ("sent", "sentence"),
    [
        ({"do": "favor"}, "Choose at least one photo."),
        ({"do": "unfavor"}, "Choose at least one photo."),
        ({"do": "remove"}, "Choose at least one photo."),
        ({"do": "retry"}, "There was nothing to try again."),
        ({"do": "paint", "look": "fast"}, "Choose at least one style."),
        ({"do": "paint", "look": "fast", "styles": "oil"}, "Choose at least one photo."),
    ],
)
def test_nothing_chosen_is_answered_in_words(as_alice: Client, sent: dict[str, str], sentence: str):
    assert said(as_alice.post(CHOSEN, sent)) == [sentence]


@pytest.mark.parametrize("act", [*chosen.ACTS, "burn", ""])
def test_nobody_does_anything_with_the_photos_of_others(as_bob: Client, alice: User, act: str):
    artwork = makers.artwork(makers.photo(alice), state=State.FAILED)

    as_bob.post(CHOSEN, {"photo": keys(artwork.photo), "do": act, "styles": "pencil", "look": "fast"})

    assert alice.photos.kept().get(favorite=False).artworks.at_stage(Stage.FAILED).get() == artwork


def test_heart_makes_a_favorite_and_leads_back_to_its_place(as_alice: Client, alice: User):
    photo = makers.photo(alice)
    address = reverse("favorite", args=[photo.key])

    page = as_alice.post(address, {"favorite": "1", "next": "/?before=x"})
    marked = alice.photos.get().favorite
    script = as_alice.post(address, {"favorite": ""}, headers=AS_JSON)

    assert (page.headers["Location"], marked) == (f"/?before=x#title-{photo.key}", True)
    assert (script.json()["favorite"], alice.photos.get().favorite) == (False, False)


def test_card_has_a_box_and_a_heart_and_says_what_the_photo_shows(as_alice: Client, alice: User):
    photo = makers.finished_photo(alice)
    Photo.objects.update(favorite=True, description="A bird on a post")

    page = as_alice.get("/").content.decode()

    assert f'name="photo" value="{photo.key}" form="chosen"' in page
    assert f'formaction="{reverse("favorite", args=[photo.key])}" name="favorite" value="" aria-pressed="true"' in page
    assert 'alt="A bird on a post"' in page
    assert "A bird on a post as " in page


def test_keys_are_left_out_for_whoever_has_switched_them_off(as_alice: Client, alice: User):
    makers.photo(alice)
    with_keys = as_alice.get("/").content.decode()
    User.objects.update(keys_off=True)

    assert ['id="keys"' in page for page in (with_keys, as_alice.get("/").content.decode())] == [True, False]


def test_nothing_of_others_is_shared(as_bob: Client, alice: User):
    answer = as_bob.post(CHOSEN, {"photo": [makers.photo(alice).key], "do": "share"})

    assert answer.headers["Location"] == "/"
