"""The history, and what is done with single artworks."""

import pytest
from django.test import Client
from django.urls import reverse
from pytest_django import DjangoAssertNumQueries

from gallery.models import Artwork, User
from rendering.models import Found, State
from tests import makers

HISTORY = "/history/"


def styles(response) -> list[str]:
    return [artwork.style for artwork in response.context["artworks"]]


def test_history_shows_everything_of_the_person_newest_first(as_alice: Client, alice: User, bob: User):
    photo = makers.photo(alice)
    makers.artwork(makers.photo(bob), style="watercolor")
    for style in ("pencil", "oil"):
        makers.artwork(photo, style=style)

    response = as_alice.get(HISTORY)

    assert (styles(response), response.context["total"]) == (["oil", "pencil"], 2)


@pytest.mark.parametrize(
    ("filters", "found"),
    [
        ({"style": "oil"}, ["oil", "oil"]),
        ({"look": "fast"}, ["watercolor"]),
        ({"stage": "done"}, ["watercolor", "color-pencil", "oil", "oil"]),
        ({"stage": "waiting"}, ["pencil"]),
        ({"stage": "cancelled"}, []),
        ({"how": "same_file"}, ["color-pencil"]),
        ({"how": "same_picture"}, ["watercolor"]),
        ({"how": "painted"}, ["pencil", "oil", "oil"]),
        ({"how": "painted", "stage": "done", "style": "oil"}, ["oil", "oil"]),
        ({"style": "fresco", "stage": "odd"}, ["watercolor", "color-pencil", "pencil", "oil", "oil"]),
        ({"style": "", "look": ""}, ["watercolor", "color-pencil", "pencil", "oil", "oil"]),
    ],
)
def test_history_is_filtered(as_alice: Client, alice: User, filters: dict[str, str], found: list[str]):
    photo = makers.photo(alice)
    makers.artwork(photo)
    makers.artwork(makers.photo(alice))
    makers.artwork(photo, style="pencil", state=State.WAITING)
    makers.artwork(photo, style="color-pencil", same_file=True)
    twin = makers.artwork(photo, style="watercolor", look="fast")
    type(twin.commission).objects.filter(pk=twin.commission.pk).update(found=Found.SAME_PICTURE)

    response = as_alice.get(HISTORY, filters)

    assert (styles(response), response.context["total"]) == (found, len(found))


def test_history_goes_on_in_pages_even_when_filtered(as_alice: Client, alice: User):
    made = [makers.artwork(makers.photo(alice), style=style) for style in ("oil", "pencil") * 51]
    oils = [artwork for artwork in made[::-1] if artwork.style == "oil"]

    first = as_alice.get(HISTORY, {"style": "oil"}).context
    second = as_alice.get(HISTORY, {"style": "oil", "before": first["older"]}).context

    assert (first["artworks"], second["artworks"]) == (oils[:50], oils[50:])
    assert (second["older"], second["total"]) == (None, 51)


def test_history_goes_on_after_an_artwork_that_no_longer_matches(as_alice: Client, alice: User):
    waiting = makers.artwork(makers.photo(alice), state=State.WAITING)
    since_done = makers.artwork(makers.photo(alice), style="pencil")

    response = as_alice.get(HISTORY, {"stage": "waiting", "before": since_done.key})

    assert response.context["artworks"] == [waiting]


@pytest.mark.parametrize("count", [1, 3])
def test_history_asks_the_database_four_times(
    as_alice: Client, alice: User, count: int, django_assert_num_queries: DjangoAssertNumQueries
):
    for _ in range(count):
        makers.artwork(makers.photo(alice))

    with django_assert_num_queries(4):
        response = as_alice.get(HISTORY, {"stage": "done", "how": "painted"})

    assert len(response.context["artworks"]) == count


def act(browser: Client, name: str, artwork: Artwork, **sent: str) -> str:
    return str(browser.post(reverse(name, args=[artwork.key]), sent).headers["Location"])


def stage(artwork: Artwork) -> str:
    return str(Artwork.objects.with_paintings().get(pk=artwork.pk).stage)


def test_artwork_is_cancelled_and_tried_again(as_alice: Client, alice: User):
    artwork = makers.artwork(makers.photo(alice), state=State.WAITING)
    page = f"{reverse('photo', args=[artwork.photo.key])}?artwork={artwork.key}"

    cancelled = act(as_alice, "cancel_artwork", artwork), stage(artwork)
    again = act(as_alice, "retry_artwork", artwork), stage(artwork)

    assert (cancelled, again) == ((page, "cancelled"), (page, "waiting"))


def test_artwork_is_removed(as_alice: Client, alice: User):
    artwork = makers.artwork(makers.photo(alice))

    led_to = act(as_alice, "remove_artwork", artwork)

    assert led_to == reverse("photo", args=[artwork.photo.key])
    assert Artwork.objects.count() == 0


@pytest.mark.parametrize(
    ("wanted", "led_to"),
    [
        ("/history/?stage=failed", "/history/?stage=failed"),
        ("https://evil.example/", "photo"),
        ("//evil.example/", "photo"),
        ("javascript:alert(1)", "photo"),
        ("", "photo"),
    ],
)
def test_actions_lead_back_to_pages_of_this_site_alone(as_alice: Client, alice: User, wanted: str, led_to: str):
    artwork = makers.artwork(makers.photo(alice), state=State.FAILED)
    page = f"{reverse('photo', args=[artwork.photo.key])}?artwork={artwork.key}"

    got = act(as_alice, "retry_artwork", artwork, next=wanted)

    assert got == (page if led_to == "photo" else led_to)


@pytest.mark.parametrize(
    ("title", "plain", "full"),
    [
        ("Prairie falcon", "Prairie falcon - Oil painting.jpg", "Prairie%20falcon%20-%20Oil%20painting.jpg"),
        ("雪山", "Oil painting.jpg", "%E9%9B%AA%E5%B1%B1%20-%20Oil%20painting.jpg"),
        ("Café", "Cafe - Oil painting.jpg", "Caf%C3%A9%20-%20Oil%20painting.jpg"),
        ('a"b/c\\d;e', "a-b-c-d-e - Oil painting.jpg", "a%22b-c%5Cd%3Be%20-%20Oil%20painting.jpg"),
    ],
)
def test_download_is_named_by_title_and_style(as_alice: Client, alice: User, title: str, plain: str, full: str):
    artwork = makers.artwork(makers.photo(alice, title=title))

    response = as_alice.get(reverse("download", args=[artwork.key]))

    disposition = f"attachment; filename=\"{plain}\"; filename*=UTF-8''{full}"
    assert response.headers["Content-Disposition"] == disposition
    assert (response.headers["Content-Type"], response.content) == ("image/jpeg", makers.jpeg(64, 48, "maroon"))


@pytest.mark.parametrize("state", [State.WAITING, State.WORKING, State.FAILED, State.CANCELLED])
def test_download_of_what_is_not_done_does_not_exist(as_alice: Client, alice: User, state: State):
    artwork = makers.artwork(makers.photo(alice), state=state)

    assert as_alice.get(reverse("download", args=[artwork.key])).status_code == 404
