"""Cards of photos, for pages that watch them."""

from typing import Any

import pytest
from django.test import Client
from pytest_django import DjangoAssertNumQueries

from gallery.models import Artwork, Photo, User
from rendering import queue
from rendering.models import Rendition, Source, State
from tests import makers
from tests.makers import NOON

STATUS = "/status/"


def ask(browser: Client, *photos: Photo, have: list[str] | None = None) -> dict[str, Any]:
    asked = {"photos": ",".join(photo.key for photo in photos), "have": ",".join(have or [])}
    answer: dict[str, Any] = browser.get(STATUS, asked).json()["photos"]
    return answer


def version(browser: Client, photo: Photo) -> str:
    return str(ask(browser, photo)[photo.key]["version"])


def test_status_gives_cards_of_the_asked_photos(as_alice: Client, alice: User):
    unfinished, finished = makers.photo(alice), makers.finished_photo(alice)
    makers.artwork(unfinished, state=State.WAITING)

    answer = ask(as_alice, unfinished, finished)

    assert [answer[photo.key]["unfinished"] for photo in (unfinished, finished)] == [True, False]
    assert [f'data-photo="{photo.key}"' in answer[photo.key]["card"] for photo in (unfinished, finished)] == [
        True,
        True,
    ]


def test_status_leaves_cards_out_that_the_page_has(as_alice: Client, alice: User):
    same, other = makers.finished_photo(alice), makers.finished_photo(alice)

    answer = ask(as_alice, same, other, have=[version(as_alice, same), "outdated"])

    assert answer[same.key]["card"] is None
    assert f'data-photo="{other.key}"' in answer[other.key]["card"]


def test_status_tells_how_a_photo_stands_without_its_card(
    as_alice: Client, alice: User, monkeypatch: pytest.MonkeyPatch
):
    """While many photos wait, the place of each changes all the time, and nothing else of it."""
    photo = makers.photo(alice)
    makers.artwork(photo, state=State.WAITING)
    before = version(as_alice, photo)
    monkeypatch.setattr(queue, "count_workers", lambda: 1)

    [answer] = ask(as_alice, photo, have=[before]).values()

    assert answer["card"] is None
    assert "Next in line, a few seconds" in answer["standing"]
    assert f'data-news="{photo}: Next in line' in answer["standing"]
    assert ask(as_alice, photo, have=[answer["version"]])[photo.key]["standing"] is None


def test_status_of_somebody_elses_photo_is_no_status(as_bob: Client, alice: User):
    photo = makers.finished_photo(alice)

    assert ask(as_bob, photo) == {}


@pytest.mark.parametrize("query", ["", "?photos=", "?photos=,,,", "?photos=nothing&have=1,2,3"])
def test_status_of_nothing_is_empty(as_alice: Client, query: str):
    response = as_alice.get(STATUS + query)

    assert response.json() == {"photos": {}}


def test_status_answers_for_a_hundred_photos_at_most(as_alice: Client, alice: User):
    photos = [makers.photo(alice) for _ in range(101)]

    assert len(ask(as_alice, *photos)) == 100


CHANGES = {
    "title": lambda: Photo.objects.update(title="Kestrel"),
    "reading": lambda: Source.objects.update(state=State.WORKING),
    "reading failed": lambda: Source.objects.update(state=State.FAILED, reason="damaged"),
    "painting": lambda: Rendition.objects.update(state=State.WORKING),
    "painting failed": lambda: Rendition.objects.update(state=State.FAILED, reason="too_slow"),
    "done": lambda: Rendition.objects.update(state=State.DONE, folder="renditions/done", width=1, height=1),
    "cancelled": lambda: Artwork.objects.update(cancelled_at=NOON),
    "preview": lambda: Rendition.objects.update(preview="previews/aa"),
    "removed": lambda: Artwork.objects.all().delete(),
}


@pytest.mark.parametrize("change", CHANGES)
def test_version_changes_with_what_the_card_shows(as_alice: Client, alice: User, change: str):
    photo = makers.photo(alice)
    makers.artwork(photo, state=State.WAITING)
    before = version(as_alice, photo)

    CHANGES[change]()

    assert version(as_alice, photo) != before


def test_version_stays_while_nothing_changes(as_alice: Client, alice: User):
    photo = makers.finished_photo(alice)

    assert version(as_alice, photo) == version(as_alice, photo)


def watch(browser: Client, photo: Photo, etag: str):
    return browser.get(STATUS, {"photos": photo.key}, headers={"If-None-Match": etag})


def test_status_is_not_sent_again_while_nothing_changes(as_alice: Client, alice: User):
    photo = makers.finished_photo(alice)
    etag = watch(as_alice, photo, "").headers["ETag"]

    unchanged = watch(as_alice, photo, etag)
    Photo.objects.update(title="Kestrel")
    changed = watch(as_alice, photo, etag)

    assert (unchanged.status_code, unchanged.content) == (304, b"")
    assert (changed.status_code, changed.headers["Cache-Control"]) == (200, "private, no-cache")


@pytest.mark.parametrize("count", [1, 3])
def test_status_asks_the_database_four_times(
    as_alice: Client, alice: User, count: int, django_assert_num_queries: DjangoAssertNumQueries
):
    photos = [makers.finished_photo(alice) for _ in range(count)]

    with django_assert_num_queries(4):
        answer = ask(as_alice, *photos)

    assert len(answer) == count
