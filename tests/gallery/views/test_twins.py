"""Pages of photos that look alike."""

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.urls import reverse
from django.utils import timezone, translation
from django.utils.html import escape
from pytest_django import DjangoAssertNumQueries

from gallery.models import Photo, TwinAnswer, User
from gallery.templatetags import twinned
from gallery.templatetags.pictures import strip_address
from gallery.templatetags.words import on_card
from rendering.models import State
from tests import makers
from tests.gallery.likenesses import photo, picture
from tests.makers import NOON
from tests.rendering.imaging import copies

ALBUM = "/"
STATUS = "/status/"
DUPLICATES = "/duplicates/"


def pair(owner: User, *, paintings: State = State.WAITING) -> tuple[Photo, Photo]:
    return photo(owner, picture(), title="First"), photo(owner, copies.burst(picture()), paintings=paintings)


def page(browser: Client, of: Photo) -> str:
    return browser.get(reverse("photo", args=[of.key])).content.decode()


def card(browser: Client, of: Photo) -> str:
    return str(browser.get(STATUS, {"photos": of.key}).json()["photos"][of.key]["card"])


@pytest.mark.parametrize("show", [card, page, lambda browser, _: browser.get(ALBUM).content.decode()])
def test_every_page_that_shows_the_photo_asks(as_alice: Client, alice: User, show):
    first, second = pair(alice)

    shown = show(as_alice, second)

    assert "Looks like your photo of " in shown
    assert reverse("use_twin", args=[second.key]) in shown
    assert reverse("paint_itself", args=[second.key]) in shown
    # In the file in which its own card shows them.
    paintings = strip_address(first, on_card(first))
    assert shown.count(escape(paintings)) >= 2


def test_version_of_a_card_changes_with_the_answer(as_alice: Client, alice: User):
    _, second = pair(alice)
    before = as_alice.get(STATUS, {"photos": second.key}).json()["photos"][second.key]["version"]

    as_alice.post(reverse("paint_itself", args=[second.key]))

    after = as_alice.get(STATUS, {"photos": second.key}).json()["photos"][second.key]
    assert after["version"] != before
    assert "Looks like" not in after["card"]


def test_answer_without_scripts_leads_back_to_the_album(as_alice: Client, alice: User):
    _, second = pair(alice)
    as_alice.get(ALBUM)

    response = as_alice.post(reverse("use_twin", args=[second.key]), {"next": ALBUM})

    second.refresh_from_db()
    assert (response.headers["Location"], second.twin_answer) == (ALBUM, TwinAnswer.USE)
    assert second.artworks.filter(twin=True).count() == 2


def test_used_twin_is_named_and_can_be_undone(as_alice: Client, alice: User):
    _, second = pair(alice)
    as_alice.get(ALBUM)
    as_alice.post(reverse("use_twin", args=[second.key]))

    used = page(as_alice, second)
    as_alice.post(reverse("paint_itself", args=[second.key]))
    undone = page(as_alice, second)

    assert "Shows the paintings of your photo of May 3" in used
    assert "twin of your photo of May 3" in used
    assert "Paint this one after all" in used
    assert "Shows the paintings" not in undone
    assert second.artworks.filter(twin=True).count() == 0


def test_history_names_the_twin(as_alice: Client, alice: User):
    _, second = pair(alice)
    as_alice.get(ALBUM)
    as_alice.post(reverse("use_twin", args=[second.key]))

    response = as_alice.get("/history/", {"how": "twin"})

    assert {artwork.photo for artwork in response.context["artworks"]} == {second}
    assert response.content.decode().count("twin of your photo of May 3") == 2


def test_finished_photo_is_asked_about_keeping(as_alice: Client, alice: User):
    first, second = pair(alice, paintings=State.DONE)

    shown = page(as_alice, second)

    assert reverse("use_twin", args=[second.key]) not in shown
    assert f"{reverse('merge_photos')}?keep={first.key}&amp;photo={second.key}" in shown
    assert "Keep both" in shown


def test_somebody_elses_photo_is_on_no_page(as_alice: Client, alice: User, bob: User):
    bobs = photo(bob, picture(), title="Bob's falcon")
    own = photo(alice, copies.burst(picture()), paintings=State.WAITING)

    pages = [page(as_alice, own), card(as_alice, own), as_alice.get(DUPLICATES).content.decode()]

    assert [bobs.key in shown or "Bob" in shown or "Looks like" in shown for shown in pages] == [False] * 3


def test_similar_photos_are_on_the_photos_page(as_alice: Client, alice: User):
    first, second = pair(alice)

    response = as_alice.get(reverse("photo", args=[second.key]))

    assert response.context["similar"] == [first]
    assert "Similar photos" in response.content.decode()


@pytest.mark.parametrize("count", [1, 3])
def test_album_with_questions_asks_the_database_once_more(
    as_alice: Client, alice: User, count: int, django_assert_num_queries: DjangoAssertNumQueries
):
    first = photo(alice, picture())
    Photo.objects.update(twin_answer=TwinAnswer.ALONE)
    with CaptureQueriesContext(connection) as without:
        as_alice.get(ALBUM)
    for _ in range(count):
        made = photo(alice, copies.burst(picture()), paintings=State.WAITING)
        Photo.objects.filter(pk=made.pk).update(twin_of=first)

    with django_assert_num_queries(len(without) + 1):
        as_alice.get(ALBUM)


def test_duplicates_are_shown_and_merged_after_a_question(as_alice: Client, alice: User):
    small = photo(alice, copies.half_size(picture()), title="Small")
    large = photo(alice, picture(), title="Large")
    lost = makers.artwork(small, style="watercolor")
    wish = {"keep": large.key, "photo": [small.key, large.key]}

    shown = as_alice.get(DUPLICATES)
    question = as_alice.get(reverse("merge_photos"), wish)
    before = Photo.objects.count()
    answer = as_alice.post(reverse("merge_photos"), wish)

    assert [group.photos for group in shown.context["groups"]] == [[large, small]]
    assert [list(question.context["plan"].lost), before] == [[lost], 2]
    assert "Watercolor, Studio" in question.content.decode()
    assert answer.headers["Location"] == DUPLICATES
    assert list(alice.photos.in_album()) == [large]


@pytest.mark.parametrize("method", ["get", "post"])
def test_merge_of_somebody_elses_photo_is_refused(as_bob: Client, alice: User, bob: User, method: str):
    own, alices = photo(bob, picture()), photo(alice, picture())

    for wish in ({"keep": own.key, "photo": alices.key}, {"keep": alices.key, "photo": own.key}, {"keep": own.key}):
        response = getattr(as_bob, method)(reverse("merge_photos"), wish)

        assert response.headers["Location"] == DUPLICATES
    assert set(Photo.objects.all()) == {own, alices}


def test_merge_of_a_photo_with_itself_is_refused(as_alice: Client, alice: User):
    own = photo(alice, picture())

    response = as_alice.post(reverse("merge_photos"), {"keep": own.key, "photo": own.key})

    assert response.headers["Location"] == DUPLICATES
    assert alice.photos.get() == own


@pytest.mark.parametrize("start", ["", "x", "-1", "99999999999", "5"])
def test_page_of_duplicates_without_any_says_so(as_alice: Client, start: str):
    response = as_alice.get(DUPLICATES, {"from": start})

    assert response.context["groups"] == []
    assert "No photos of your album look the same." in response.content.decode()


@pytest.mark.parametrize(("year", "expected"), [(2026, "May 3"), (2024, "May 3, 2024")])
def test_days_are_said_without_this_years_number(year: int, expected: str, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(timezone, "now", lambda: NOON)

    with translation.override("en"):
        assert twinned.day(NOON.replace(year=year)) == expected


def test_twin_that_was_removed_is_named_without_a_day(alice: User):
    _, second = pair(alice)
    artwork = second.artworks.all()[0]
    artwork.twin = True

    assert twinned.how_got(artwork) == "twin"
