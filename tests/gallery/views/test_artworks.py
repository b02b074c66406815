"""The history, and what is done with single artworks."""

import re
from datetime import timedelta

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.urls import reverse
from pytest_django import DjangoAssertNumQueries

from gallery import artworks
from gallery.models import Artwork, Photo, User
from rendering import estimates
from rendering.models import Commission, Found, Priority, Rendition, State
from tests import makers
from tests.makers import NOON

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


def test_history_is_put_under_days_with_what_each_saved(as_alice: Client, alice: User):
    photo = makers.photo(alice, of=makers.source(cpu_seconds=2.0))
    makers.artwork(photo)
    makers.artwork(photo, style="pencil", same_file=True, created_at=NOON + timedelta(days=1))

    response = as_alice.get(HISTORY)

    days = [(day.day.day, [each.style for each in day.artworks], day.saved) for day in response.context["days"]]
    assert days == [(4, ["pencil"], 2.1), (3, ["oil"], 0.0)]
    assert (response.context["saved"], response.context["saved_here"]) == (2.1, 2.1)
    assert response.content.decode().count("2.1 s of computing time saved") == 3


def test_history_is_filtered_by_date(as_alice: Client, alice: User):
    for day in range(3):
        makers.artwork(makers.photo(alice), created_at=NOON + timedelta(days=day))

    found = [
        as_alice.get(HISTORY, wanted).context["total"]
        for wanted in ({"since": "2026-05-04"}, {"until": "2026-05-03"}, {"since": "9999-12-31"}, {"until": "x"})
    ]

    assert found == [2, 1, 3, 3]


def test_lines_of_photos_in_the_bin_are_put_away_with_them(as_alice: Client, alice: User):
    makers.artwork(makers.photo(alice))
    Photo.objects.update(removed_at=NOON)

    assert as_alice.get(HISTORY).context["total"] == 0


def test_any_line_can_be_painted_again(as_alice: Client, alice: User):
    failed, done = makers.artwork(makers.photo(alice), state=State.FAILED), makers.artwork(makers.photo(alice))

    pages = [
        as_alice.post(reverse("repeat_artwork", args=[each.key]), {"next": HISTORY}, follow=True)
        for each in (failed, done)
    ]

    told = [[str(message) for message in page.context["messages"]] for page in pages]
    assert told == [["1 painting waits again."], ["This painting is as it would be painted today."]]
    assert stage(failed) == "waiting"


def test_line_of_a_look_that_is_gone_says_so(as_alice: Client, alice: User):
    artwork = makers.artwork(makers.photo(alice))
    Artwork.objects.update(look="baroque")
    Commission.objects.update(recipe="oil 0 size=7 @1024", recipe_digest="0" * 64)

    page = as_alice.post(reverse("repeat_artwork", args=[artwork.key]), follow=True)

    told = [str(message) for message in page.context["messages"]]
    assert told == ["The workshop does not paint in this style or look any more."]


@pytest.mark.parametrize("count", [1, 3])
def test_history_asks_the_database_five_times(
    as_alice: Client, alice: User, count: int, django_assert_num_queries: DjangoAssertNumQueries
):
    for _ in range(count):
        makers.artwork(makers.photo(alice))

    with django_assert_num_queries(5):
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


def post(browser: Client, name: str, photo: Photo | None = None, **sent: str) -> str:
    """Press a button of the album or of a photo, and return where it leads."""
    return str(browser.post(reverse(name, args=[photo.key] if photo else []), sent).headers["Location"])


def stages(owner: User) -> list[str]:
    return [str(each.stage) for each in Artwork.objects.history_of(owner).order_by("pk")]


def three_photos(owner: User) -> list[Photo]:
    """Return photos with a painting that waits, one that failed, and one that was cancelled, of each."""
    made = []
    for _ in range(3):
        photo = makers.photo(owner)
        makers.artwork(photo, style="oil", state=State.WAITING)
        makers.artwork(photo, style="pencil", state=State.FAILED)
        makers.artwork(photo, style="watercolor", state=State.CANCELLED, cancelled_at=NOON)
        made.append(photo)
    return made


def test_photo_is_cancelled_and_its_failed_ones_are_tried_again(as_alice: Client, alice: User):
    photo = three_photos(alice)[0]

    led_to = post(as_alice, "cancel_photo", photo), post(as_alice, "retry_photo", photo)

    untouched = ["waiting", "failed", "cancelled"] * 2
    assert led_to == (reverse("photo", args=[photo.key]),) * 2
    assert stages(alice) == ["cancelled", "waiting", "cancelled", *untouched]


def test_cancelled_paintings_of_a_photo_are_painted_after_all(as_alice: Client, alice: User):
    photo = three_photos(alice)[0]

    post(as_alice, "retry_photo", photo, stage="cancelled")

    assert stages(alice)[:3] == ["waiting", "failed", "waiting"]


def test_everything_is_cancelled_and_painted_after_all(as_alice: Client, alice: User):
    three_photos(alice)

    led_to, cancelled = post(as_alice, "cancel_all"), stages(alice)
    post(as_alice, "retry_all", stage="cancelled")
    post(as_alice, "retry_all")

    assert (led_to, cancelled) == ("/", ["cancelled", "failed", "cancelled"] * 3)
    assert stages(alice) == ["waiting"] * 9


def test_what_was_done_is_said_on_the_next_page(as_alice: Client, alice: User):
    three_photos(alice)

    pages = [as_alice.post(reverse("cancel_all"), follow=True) for _ in range(2)]

    told = [[str(message) for message in page.context["messages"]] for page in pages]
    assert told == [["3 paintings were cancelled."], ["There was nothing to cancel."]]


def test_scripts_are_told_in_words(as_alice: Client, alice: User):
    three_photos(alice)

    answers = [
        as_alice.post(reverse(name), headers={"Accept": "application/json"}).json()
        for name in ("cancel_all", "retry_all", "retry_all")
    ]

    assert answers == [
        {"text": "3 paintings were cancelled."},
        {"text": "3 paintings wait again."},
        {"text": "There was nothing to try again."},
    ]


@pytest.mark.parametrize("name", ["cancel_photo", "retry_photo"])
@pytest.mark.parametrize("sent", [{}, {"stage": "cancelled"}])
def test_photos_of_others_cannot_be_cancelled_or_tried_again(
    as_bob: Client, alice: User, name: str, sent: dict[str, str]
):
    photo = three_photos(alice)[0]

    answer = as_bob.post(reverse(name, args=[photo.key]), sent)

    assert (answer.status_code, stages(alice)) == (404, ["waiting", "failed", "cancelled"] * 3)


def test_cancelling_everything_is_the_person_s_own_affair(as_bob: Client, alice: User, bob: User):
    three_photos(alice), three_photos(bob)

    post(as_bob, "cancel_all")
    post(as_bob, "retry_all")

    assert stages(alice) == ["waiting", "failed", "cancelled"] * 3


def test_cancelled_wish_of_one_leaves_the_painting_of_another_going(as_bob: Client, alice: User, bob: User):
    alices = makers.artwork(makers.photo(alice), state=State.WORKING)
    photo = makers.photo(bob, of=alices.photo.source)
    Artwork.objects.create(photo=photo, commission=alices.commission, style="oil", look="studio", created_at=NOON)

    post(as_bob, "cancel_all")

    assert (stages(bob), stages(alice)) == (["cancelled"], ["painting"])


def test_put_away_painting_is_painted_again(as_alice: Client, alice: User):
    artwork = makers.artwork(makers.photo(alice), state=State.EVICTED)

    act(as_alice, "retry_artwork", artwork)

    assert stage(artwork) == "waiting"


@pytest.mark.parametrize(
    ("state", "buttons"),
    [
        (State.WAITING, {"cancel_photo"}),
        (State.WORKING, {"cancel_photo"}),
        (State.FAILED, {"retry_photo"}),
        (State.DONE, set()),
        (State.CANCELLED, set()),
    ],
)
def test_card_offers_what_may_be_done(as_alice: Client, alice: User, state: State, buttons: set[str]):
    photo = makers.photo(alice)
    makers.artwork(photo, state=state)

    page = as_alice.get("/").content.decode()

    names = ("cancel_photo", "retry_photo")
    assert {name for name in names if f'formaction="{reverse(name, args=[photo.key])}"' in page} == buttons


@pytest.mark.parametrize(
    ("state", "button"),
    [
        (State.WAITING, "Cancel"),
        (State.WORKING, "Cancel"),
        (State.FAILED, "Try again"),
        (State.CANCELLED, "Paint after all"),
    ],
)
def test_photo_page_offers_what_may_be_done(as_alice: Client, alice: User, state: State, button: str):
    artwork = makers.artwork(makers.photo(alice), state=state)

    page = as_alice.get(reverse("photo", args=[artwork.photo.key])).content.decode()

    actions = re.search(rf'action="/artworks/{artwork.key}/(?:cancel|retry)/".*?</svg>(.*?)</button>', page, re.DOTALL)
    assert actions
    assert actions[1] == button


@pytest.mark.parametrize(("shown", "offered"), [("failed", True), ("cancelled", True), ("done", False), ("", False)])
def test_history_offers_to_try_all_of_a_kind_again(as_alice: Client, alice: User, shown: str, offered: bool):
    three_photos(alice)
    makers.artwork(makers.photo(alice))

    page = as_alice.get(HISTORY, {"stage": shown}).content.decode()

    assert (f'action="{reverse("retry_all")}"' in page) is offered


def test_opened_photo_comes_first(as_alice: Client, alice: User):
    watched, other = three_photos(alice)[:2]

    as_alice.get(reverse("photo", args=[watched.key]))

    waiting = Rendition.objects.filter(state=State.WAITING)
    assert waiting.get(commissions__source=watched.source).priority == Priority.WATCHED
    assert waiting.get(commissions__source=other.source).priority == Priority.USUAL


@pytest.fixture
def one_worker(monkeypatch: pytest.MonkeyPatch) -> None:
    """Have one worker, without starting one."""
    monkeypatch.setattr(estimates, "_workers", lambda: 1)


def standing_of(page: str) -> list[str]:
    return re.findall(r'data-slot="standing" data-state="([^"]*)"', page)


@pytest.mark.usefixtures("one_worker")
def test_people_are_told_their_place_and_about_how_long(as_alice: Client, alice: User):
    sources = [
        makers.source(state=State.WAITING, lane=alice.lane, waiting_since=NOON + timedelta(seconds=number))
        for number in range(3)
    ]
    photos = [makers.photo(alice, of=source) for source in sources]
    for photo in photos:
        artworks.commission(photo, styles=["oil"], look="studio", full_size=False, now=NOON)

    album = standing_of(as_alice.get("/").content.decode())
    page = standing_of(as_alice.get(reverse("photo", args=[photos[-1].key])).content.decode())

    assert album == [
        "Number 3 in line, a few seconds",
        "Number 2 in line, a few seconds",
        "Next in line, a few seconds",
    ]
    assert page == ["Next in line, a few seconds"]


def unfinished(owner: User, count: int) -> list[Photo]:
    photos = [makers.photo(owner) for _ in range(count)]
    for photo in photos:
        makers.artwork(photo, state=State.WAITING)
    return photos


def queries_of(browser: Client, address: str) -> int:
    with CaptureQueriesContext(connection) as queries:
        browser.get(address)
    return len(queries)


@pytest.mark.usefixtures("one_worker")
def test_estimates_of_many_photos_cost_as_many_queries_as_of_one(as_alice: Client, alice: User, bob: User):
    asked = []
    for count in (1, 3):
        keys = ",".join(photo.key for photo in unfinished(alice, count))
        unfinished(bob, count)
        as_alice.get("/")  # the first page that shows a photo looks for its twin
        asked.append([queries_of(as_alice, address) for address in ("/", f"/status/?photos={keys}")])

    assert asked[0] == asked[1]


@pytest.mark.usefixtures("one_worker")
def test_photo_with_many_paintings_costs_as_many_queries_as_with_one(as_alice: Client, alice: User):
    one, three = makers.photo(alice), makers.photo(alice)
    for photo, styles_of_it in ((one, ["oil"]), (three, ["oil", "pencil", "watercolor"])):
        for style in styles_of_it:
            makers.artwork(photo, style=style, state=State.WAITING)
    as_alice.get("/")

    asked = [queries_of(as_alice, reverse("photo", args=[photo.key])) for photo in (one, three)]

    assert asked[0] == asked[1]
