"""Limits over HTTP: what bites is said with its time, what can be kept is kept, and nobody gets past in a crowd."""

from collections import Counter
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta

import pytest
from django.contrib.messages import get_messages
from django.test import Client
from django.urls import reverse
from django.utils import timezone
from pytest_django import Settings

from gallery import allowances
from gallery.models import Allowance, Artwork, Stage, User
from rendering.models import Source
from tests import makers
from tests.processes import Valkey
from tests.rendering.makers import photo as picture
from tests.rendering.makers import simultaneously

UPLOAD = "/photos/"
AS_JSON = {"Accept": "application/json"}
WISHES = {"styles": ["pencil", "oil"], "look": "fast"}
HOUR = 3600


@pytest.fixture(autouse=True)
def counts(rate_limits: Valkey) -> Iterator[Valkey]:
    """Forget that a server was away."""
    allowances._door.cache_clear()
    yield rate_limits
    allowances._door.cache_clear()


def send(client: Client, seed: int = 1, *, script: bool = True, name: str = "garden.jpg"):
    sent = {"photos": makers.upload(name, picture(seed)), **WISHES}
    return client.post(UPLOAD, sent, headers=AS_JSON if script else {})


def said(response) -> list[str]:
    return [str(message) for message in get_messages(response.wsgi_request)]


def in_an_hour() -> str:
    return allowances.clock(timezone.now() + timedelta(hours=1), now=timezone.now())


def about_an_hour(response) -> bool:
    return HOUR - 30 < int(response.headers["Retry-After"]) <= HOUR


def test_upload_over_the_hours_is_told_when_to_come_back(as_alice: Client, alice: User, settings: Settings):
    settings.UPLOADS_AN_HOUR = 1
    send(as_alice, 1)

    response = send(as_alice, 2)

    [result] = response.json()["results"]
    assert (response.status_code, about_an_hour(response)) == (429, True)
    assert (result["outcome"], result["card"]) == ("limited", None)
    assert result["text"].startswith("That makes more than 1 photos within an hour. The next can come at ")
    assert (alice.photos.count(), Source.objects.count()) == (1, 1)


def test_upload_over_the_hours_is_said_on_the_page_without_scripts(as_alice: Client, settings: Settings):
    settings.UPLOADS_AN_HOUR = 1
    send(as_alice, 1)

    response = send(as_alice, 2, script=False)

    assert (response.status_code, about_an_hour(response)) == (429, True)
    assert response.templates[0].name == "gallery/album.html"
    page = response.content.decode()
    assert "garden.jpg: That makes more than 1 photos within an hour." in page
    assert 'content="5; url=/"' in page


@pytest.mark.parametrize(
    ("zone", "hours"), [("Asia/Shanghai", 8), ("Asia/Atlantis", 0), ("../../etc/passwd", 0), ("", 0)]
)
def test_times_are_said_by_the_persons_clock(as_alice: Client, settings: Settings, zone: str, hours: int):
    settings.UPLOADS_AN_HOUR, as_alice.cookies["zone"] = 1, zone
    send(as_alice, 1)

    text = send(as_alice, 2).json()["results"][0]["text"]

    local = datetime.now(UTC) + timedelta(hours=1 + hours)
    assert text.endswith((f"{local:%H:%M}.", f"{local - timedelta(minutes=1):%H:%M}."))


def test_upload_over_the_paintings_is_kept_and_held(as_alice: Client, alice: User, settings: Settings):
    settings.PAINTINGS_AN_HOUR = 3
    send(as_alice, 1)

    response = send(as_alice, 2)

    [result] = response.json()["results"]
    assert (response.status_code, about_an_hour(response)) == (429, True)
    assert (result["outcome"], result["photo"]) == ("held", alice.photos.latest("pk").key)
    assert result["text"].startswith(
        "Added to your album. Your paintings of this hour are used up; it goes on by itself at"
    )
    stages = [artwork.stage for artwork in Artwork.objects.with_paintings().order_by("pk")]
    assert stages == [Stage.WAITING, Stage.WAITING, Stage.WAITING, Stage.HELD]


def test_upload_over_the_paintings_is_kept_without_scripts(as_alice: Client, alice: User, settings: Settings):
    settings.PAINTINGS_AN_HOUR = 1

    response = send(as_alice, script=False)

    assert (response.status_code, about_an_hour(response)) == (429, True)
    assert response.context["photos"] == [alice.photos.get()]
    assert "garden.jpg: Added to your album. Your paintings of this hour" in response.content.decode()


def test_held_photo_says_when_it_goes_on(as_alice: Client, alice: User, settings: Settings):
    settings.PAINTINGS_AN_HOUR = 1
    makers.artwork(makers.photo(alice))
    key = alice.photos.get().key
    as_alice.post(reverse("paint_again", args=[key]), {**WISHES, "styles": ["pencil"]})

    response = as_alice.post(reverse("paint_again", args=[key]), {**WISHES, "styles": ["watercolor"]})

    assert (response.status_code, about_an_hour(response)) == (429, True)
    assert said(response)[0].startswith("Your paintings of this hour are used up; it goes on by itself at ")
    Artwork.objects.filter(style="pencil").delete()
    assert f"Held: goes by itself at {in_an_hour()}" in as_alice.get("/").content.decode()
    held = Artwork.objects.get(style="watercolor")
    page = as_alice.get(reverse("photo", args=[key]), {"artwork": held.key}).content.decode()
    assert f"goes by itself at {in_an_hour()}" in page


def test_upload_of_what_is_painted_already_is_never_held(
    as_alice: Client, as_bob: Client, settings: Settings, alice: User
):
    send(as_alice)
    for artwork in Artwork.objects.all():
        artwork.commission.rendition = makers.rendition(style=artwork.style, look="fast")
        artwork.commission.save()
    settings.PAINTINGS_AN_HOUR = 1

    assert send(as_bob).status_code == 200


def test_upload_without_room_is_refused_and_leaves_nothing(as_alice: Client, alice: User, settings: Settings):
    settings.MEGABYTES_A_PERSON = 1
    makers.photo(alice, of=makers.source(size=999_900))

    response = send(as_alice)

    [result] = response.json()["results"]
    assert (response.status_code, result["outcome"]) == (413, "full")
    assert result["text"].startswith("There is no room for this photo: 1.0 of 1 MB are used.")
    assert alice.photos.count() == 1


def test_upload_with_too_many_in_work_comes_back_soon(as_alice: Client, settings: Settings):
    settings.PHOTOS_AT_ONCE = 1
    send(as_alice, 1)

    response = send(as_alice, 2)

    assert (response.status_code, response.headers["Retry-After"]) == (429, "15")
    assert response.json()["results"][0]["outcome"] == "limited"


def test_upload_is_taken_while_the_counts_are_away(as_alice: Client, rate_limits: Valkey, settings: Settings):
    settings.UPLOADS_AN_HOUR = settings.PAINTINGS_AN_HOUR = 1
    rate_limits.stop()

    assert [send(as_alice, seed).status_code for seed in (1, 2)] == [200, 200]


def test_use_is_shown_where_photos_are_chosen_and_comes_with_each_answer(
    as_alice: Client, alice: User, settings: Settings
):
    settings.PAINTINGS_AN_HOUR = 200
    assert "Paintings in the last hour" not in as_alice.get("/").content.decode()

    news = send(as_alice).json()["allowance"]

    for text in (news, as_alice.get("/").content.decode(), as_alice.get("/settings/").content.decode()):
        assert "2 of 200" in text
        assert "0.0 MB of 20 GB" in text


def test_use_that_is_near_its_limit_stands_out(as_alice: Client, settings: Settings):
    settings.UPLOADS_AN_HOUR = 5
    shown = [send(as_alice, seed).json()["allowance"] for seed in range(4)]

    assert ["near" in each for each in shown] == [False, False, False, True]
    assert "Photos sent in the last hour: 4 of 5" in shown[-1]


def test_person_without_limits_sees_none(as_alice: Client, alice: User):
    Allowance.objects.create(person=alice, unlimited=True)

    assert "hidden" in send(as_alice).json()["allowance"]


@pytest.mark.django_db(transaction=True)
def test_fifty_uploads_at_once_pass_no_more_than_the_hours(settings: Settings):
    settings.UPLOADS_AN_HOUR = 20
    alice, seeds = makers.person("alice"), iter(range(50))
    clients = iter([makers.browser(alice) for _ in range(50)])

    answers = simultaneously(50, lambda: send(next(clients), next(seeds)).status_code)

    assert Counter(answers) == {200: 20, 429: 30}
    assert alice.photos.count() == 20


@pytest.mark.django_db(transaction=True)
def test_uploads_at_once_do_not_share_the_last_room(settings: Settings):
    settings.MEGABYTES_A_PERSON = 1
    alice, seeds = makers.person("alice"), iter(range(20))
    size = max(len(picture(seed)) for seed in range(20))
    makers.photo(alice, of=makers.source(size=1_000_000 - 3 * size))
    clients = iter([makers.browser(alice) for _ in range(20)])

    answers = Counter(simultaneously(20, lambda: send(next(clients), next(seeds)).status_code))

    assert set(answers) == {200, 413}
    assert answers[200] in (3, 4)  # some pictures are smaller than the largest
    assert sum(Source.objects.values_list("size", flat=True)) <= 1_000_000


@pytest.mark.django_db(transaction=True)
def test_uploads_at_once_do_not_share_the_last_place_in_work(settings: Settings):
    settings.PHOTOS_AT_ONCE = 5
    alice, seeds = makers.person("alice"), iter(range(20))
    clients = iter([makers.browser(alice) for _ in range(20)])

    answers = Counter(simultaneously(20, lambda: send(next(clients), next(seeds)).status_code))

    assert answers == {200: 5, 429: 15}
    assert alice.photos.count() == 5
