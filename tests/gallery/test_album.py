"""Which photos a page of an album shows: filters, search, order, pages, and how long it takes for a large album."""

from datetime import date, timedelta
from functools import partial

import pytest
from django.test import Client
from pytest_django import DjangoAssertNumQueries

from gallery import album, traffic
from gallery.album import Order, Wish
from gallery.models import Artwork, Photo, User
from rendering.models import State
from tests import makers
from tests.copies import copies
from tests.makers import NOON
from tests.stopwatch import quickest

MANY = 50_000


def titles(owner: User, wish: Wish) -> list[str]:
    return [photo.title for photo in album.page(owner, wish).photos]


@pytest.fixture
def mixed(alice: User, bob: User) -> User:
    """Return alice with a few photos that differ in all that is filtered by."""
    falcon = makers.photo(alice, title="Prairie Falcon")
    makers.artwork(falcon, style="oil", look="classic")
    makers.artwork(falcon, style="pencil", state=State.FAILED)
    makers.artwork(makers.photo(alice, title="cactus", created_at=NOON - timedelta(days=2)), style="pencil")
    makers.photo(alice, title="雪山")
    Photo.objects.filter(title="cactus").update(favorite=True, description="A plant in a falcon's garden")
    makers.photo(alice, title="binned falcon")
    Photo.objects.filter(title="binned falcon").update(removed_at=NOON)
    makers.photo(bob, title="bob's falcon")
    return alice


@pytest.mark.parametrize(
    ("wish", "found"),
    [
        (Wish(), ["雪山", "cactus", "Prairie Falcon"]),
        (Wish(order=Order.OLDEST), ["Prairie Falcon", "cactus", "雪山"]),
        (Wish(order=Order.TITLE), ["cactus", "Prairie Falcon", "雪山"]),
        (Wish(words="falcon"), ["cactus", "Prairie Falcon"]),
        (Wish(words="falcon prairie"), ["Prairie Falcon"]),
        (Wish(words="100% _"), []),
        (Wish(words="雪"), ["雪山"]),
        (Wish(style="pencil"), ["cactus", "Prairie Falcon"]),
        (Wish(look="classic"), ["Prairie Falcon"]),
        (Wish(style="pencil", look="classic"), []),
        (Wish(stage="failed"), ["Prairie Falcon"]),
        (Wish(stage="failed", style="oil"), []),
        (Wish(stage="done", style="pencil"), ["cactus"]),
        (Wish(since=date(2026, 5, 3)), ["雪山", "Prairie Falcon"]),
        (Wish(until=date(2026, 5, 2)), ["cactus"]),
        (Wish(since=date(2026, 5, 1), until=date(2026, 5, 1)), ["cactus"]),
        (Wish(favorite=True), ["cactus"]),
        (Wish(favorite=True, words="falcon", style="pencil", order=Order.TITLE), ["cactus"]),
    ],
)
def test_page_shows_what_is_wished_and_nothing_of_the_bin_or_of_others(mixed: User, wish: Wish, found: list[str]):
    assert titles(mixed, wish) == found


@pytest.mark.parametrize("order", Order.values)
@pytest.mark.parametrize("words", ["", "photo"])
def test_pages_show_every_photo_once(alice: User, monkeypatch: pytest.MonkeyPatch, order: str, words: str):
    monkeypatch.setattr(album, "PAGE", 3)
    monkeypatch.setattr(album, "WINDOW", 4)
    made = [makers.photo(alice, title=title) for title in ("Photo b", "photo a", "Photo B", "", "photo c") * 3]
    expected = [photo for photo in made if photo.title or not words]
    wish, shown, after = Wish(words=words, order=order), [], ""

    while True:
        page = album.page(alice, wish, after=after)
        shown += page.photos
        after = page.after
        if not after:
            break

    if order == Order.TITLE:
        assert [photo.title.lower() for photo in shown] == sorted(photo.title.lower() for photo in expected)
    assert sorted(photo.pk for photo in shown) == [photo.pk for photo in expected]


def test_page_says_that_it_has_not_looked_at_everything(alice: User, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(album, "WINDOW", 4)
    rare = makers.photo(alice, title="rare")
    made = [makers.photo(alice, title="usual") for _ in range(6)]

    first = album.page(alice, Wish(words="rare"))
    second = album.page(alice, Wish(words="rare"), after=first.after)

    assert (first.photos, first.after, first.searching) == ([], made[2].key, True)
    assert (second.photos, second.after, second.searching) == ([rare], "", False)


def test_next_page_begins_where_it_did_after_its_neighbor_went_into_the_bin(
    alice: User, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.setattr(album, "PAGE", 2)
    made = [makers.photo(alice) for _ in range(4)]
    after = album.page(alice, Wish()).after
    Photo.objects.filter(key=after).update(removed_at=NOON)

    assert album.page(alice, Wish(), after=after).photos == [made[1], made[0]]


@pytest.mark.slow
@pytest.mark.no_cover
@pytest.mark.usefixtures("valkey")
def test_page_of_fifty_thousand_photos_takes_less_than_a_fifth_of_a_second(
    alice: User, as_alice: Client, django_assert_max_num_queries: DjangoAssertNumQueries
):
    _fill(alice)
    middle = alice.photos.order_by("pk")[MANY // 2].key
    first, last = "Photo 00024", "Photo 49999"
    questions: list[dict[str, str]] = [
        {},
        {"before": middle},
        {"order": "oldest", "before": middle},
        {"order": "title"},
        {"order": "title", "before": middle},
        {"favorite": "on"},
        {"style": "oil"},
        {"style": "oil", "stage": "failed", "look": "studio"},
        {"stage": "waiting"},
        {"words": first},
        {"words": "nothing is called so"},
        {"words": last, "order": "title", "stage": "done"},
        {"since": "2020-01-01", "until": "2020-01-02"},
    ]
    as_alice.get("/")

    took = {}
    for question in questions:
        traffic.tally.forget()  # it is written twice a minute, which are no queries of the page
        with django_assert_max_num_queries(13):
            assert as_alice.get("/", question).status_code == 200
        took[str(question)] = quickest(partial(as_alice.get, "/", question), within=0.2)

    print(took)  # noqa: T201 - figures for whoever runs it
    assert {question: seconds for question, seconds in took.items() if seconds > 0.2} == {}


def _fill(owner: User) -> None:
    """Give somebody 50,000 photos with two paintings each, of which none failed and few are favorites."""
    model = makers.photo(owner)
    files = copies([model.source], MANY, bytes_key="'file ' || n", original="'x' || n")
    title = "'Photo ' || substr(CAST(100000 + n AS text), 2)"
    photos = copies([model], MANY, source_id=f"{files} + n", key="'photo-' || n", title=title, favorite="n % 997 = 0")
    for style in ("oil", "pencil"):
        hung = makers.artwork(model, style=style)
        asked = copies([hung.commission], MANY, source_id=f"{files} + n")
        copies([hung], MANY, photo_id=f"{photos} + n", commission_id=f"{asked} + n", key=f"'{style}-' || n")
    model.delete()
    assert Artwork.objects.count() == 2 * MANY
