"""The album, one photo, and what is done with photos."""

import hashlib
from pathlib import Path

import pytest
from django.contrib.messages import get_messages
from django.test import Client, RequestFactory
from django.urls import reverse
from django.utils import timezone
from pytest_django import DjangoAssertNumQueries, Settings

from gallery import photos as use_cases
from gallery.models import Artwork, Photo, User
from gallery.views import photos as views
from rendering.models import State
from tests import makers

ALBUM = "/"
UPLOAD = "/photos/"
KNOWN = "/photos/known/"
AS_JSON = {"Accept": "application/json"}
WISHES = {"styles": ["pencil", "oil"], "look": "fast"}


def said(response) -> list[str]:
    return [str(message) for message in get_messages(response.wsgi_request)]


def test_album_shows_only_the_persons_own(as_bob: Client, alice: User, bob: User):
    makers.photo(alice, title="Alice's falcon")
    own = makers.photo(bob, title="Bob's cactus")

    response = as_bob.get(ALBUM)

    assert response.context["photos"] == [own]
    assert (response.context["total"], response.context["unfinished"]) == (1, False)
    assert "falcon" not in response.content.decode()


def test_album_goes_on_in_pages(as_alice: Client, alice: User):
    made = [makers.photo(alice, title=f"Photo {number}") for number in range(50)]
    newest_first = made[::-1]

    first = as_alice.get(ALBUM).context
    second = as_alice.get(ALBUM, {"before": first["older"]}).context
    third = as_alice.get(ALBUM, {"before": second["older"]}).context

    assert [first["photos"], second["photos"], third["photos"]] == [
        newest_first[:24],
        newest_first[24:48],
        newest_first[48:],
    ]
    assert [page["newer"] for page in (first, second, third)] == [False, True, True]
    assert (third["older"], third["total"]) == (None, 50)


def test_album_page_before_somebody_elses_photo_is_the_first(as_bob: Client, alice: User, bob: User):
    own = makers.photo(bob)
    later = makers.photo(alice)

    response = as_bob.get(ALBUM, {"before": later.key})

    assert response.context["photos"] == [own]


def test_album_knows_that_something_is_unfinished(as_alice: Client, alice: User):
    makers.artwork(makers.photo(alice), state=State.WORKING)

    response = as_alice.get(ALBUM)

    assert response.context["unfinished"] is True


@pytest.mark.parametrize("count", [1, 3])
def test_album_asks_the_database_nine_times(
    as_alice: Client, alice: User, count: int, django_assert_num_queries: DjangoAssertNumQueries
):
    for _ in range(count):
        makers.finished_photo(alice)

    with django_assert_num_queries(9):
        response = as_alice.get(ALBUM)

    assert len(response.context["photos"]) == count


@pytest.mark.no_cover  # tracing would slow what is measured
@pytest.mark.parametrize(("sign_up", "is_open"), [("open", True), ("closed", False), ("invitation", False)])
def test_visitors_see_what_this_place_is(db: None, settings: Settings, sign_up: str, is_open: bool):
    settings.SIGN_UP = sign_up

    response = Client().get(ALBUM)

    assert response.templates[0].name == "gallery/landing.html"
    assert response.context["sign_up_open"] is is_open


def test_upload_adds_photos_and_says_so(as_alice: Client, alice: User):
    files = [
        makers.upload("denali.webp"),
        makers.upload("prairie_falcon.jpg"),
        makers.upload("letter.jpg", b"Dear Sir"),
    ]

    response = as_alice.post(UPLOAD, {"photos": files, **WISHES})

    assert response.headers["Location"] == ALBUM
    assert said(response) == [
        "denali.webp: Added to your album.",
        "prairie_falcon.jpg: Added to your album.",
        "letter.jpg: This file is not a picture.",
    ]
    assert sorted(alice.photos.values_list("title", flat=True)) == ["denali", "prairie_falcon"]
    assert Artwork.objects.filter(photo__owner=alice, look="fast").count() == 4


def test_upload_for_scripts_answers_with_a_card_for_each(as_alice: Client, alice: User):
    files = [makers.upload("denali.webp"), makers.upload("letter.jpg", b"Dear Sir")]

    response = as_alice.post(UPLOAD, {"photos": files, **WISHES}, headers=AS_JSON)

    photo = alice.photos.get()
    added, refused = response.json()["results"]
    assert f'data-photo="{photo.key}"' in added.pop("card")
    # The page asks with it for what has changed since.
    asked = as_alice.get(reverse("status"), {"photos": photo.key, "have": added.pop("version")})
    assert [asked.json()["photos"][photo.key][part] for part in ("card", "standing")] == [None, None]
    assert added == {
        "name": "denali.webp",
        "outcome": "added",
        "text": "Added to your album.",
        "photo": photo.key,
        "address": reverse("photo", args=[photo.key]),
    }
    assert refused == {
        "name": "letter.jpg",
        "outcome": "refused",
        "text": "This file is not a picture.",
        "photo": None,
        "address": None,
        "card": None,
        "version": None,
    }


def test_upload_of_a_known_photo_shows_it(as_alice: Client, alice: User):
    as_alice.post(UPLOAD, {"photos": makers.upload("denali.webp"), **WISHES})

    response = as_alice.post(UPLOAD, {"photos": makers.upload("denali.webp"), **WISHES}, headers=AS_JSON)

    [result] = response.json()["results"]
    assert (result["outcome"], result["photo"]) == ("known", alice.photos.get().key)


@pytest.fixture
def asked(as_alice: Client, alice: User) -> dict[str, object]:
    """Return how a browser asks for a file that alice has brought before."""
    as_alice.post(UPLOAD, {"photos": makers.upload("denali.webp"), **WISHES})
    content = (makers.PHOTOS / "denali.webp").read_bytes()
    return {"sha256": hashlib.sha256(content).hexdigest(), "name": "again.webp", **WISHES}


def test_file_brought_before_is_known_without_being_sent(as_alice: Client, alice: User, asked: dict[str, object]):
    photo = alice.photos.get()
    use_cases.remove(photo, now=timezone.now())

    back = as_alice.post(KNOWN, asked).json()["results"][0]
    more = as_alice.post(KNOWN, asked | {"styles": ["watercolor"]}).json()["results"][0]

    assert (back["name"], back["outcome"], back["photo"]) == ("again.webp", "known", photo.key)
    assert back["text"] == "This photo was in the bin, and is back in your album."
    assert more["text"] == "In your album already; what it lacks is painted."
    assert set(photo.artworks.values_list("style", flat=True)) == {"pencil", "oil", "watercolor"}


def test_hash_of_somebody_elses_file_says_nothing(as_bob: Client, bob: User, asked: dict[str, object]):
    hers, nobodys = (as_bob.post(KNOWN, each) for each in (asked, asked | {"sha256": "0" * 64}))

    assert hers.json() == nobodys.json()
    assert hers.json()["results"] == []
    assert (hers.status_code, hers.headers.keys()) == (nobodys.status_code, nobodys.headers.keys())
    assert bob.photos.count() == 0


def test_what_somebody_else_chose_in_this_browser_is_refused(
    as_bob: Client, as_alice: Client, asked: dict[str, object]
):
    hers = {"person": as_alice.get(ALBUM).context["upload_form"].badge}

    answers = [
        as_bob.post(UPLOAD, {"photos": makers.upload("silver_fir.jpg"), **WISHES, **hers}, headers=AS_JSON),
        as_bob.post(KNOWN, asked | hers),
        as_alice.post(UPLOAD, {"photos": makers.upload("silver_fir.jpg"), **WISHES, **hers}, headers=AS_JSON),
    ]

    assert [answer.status_code for answer in answers] == [400, 400, 200]
    assert answers[0].json() == {"text": "Somebody else was signed in when this was chosen."}
    assert Photo.objects.filter(owner__username="bob").count() == 0


def test_upload_of_one_file_that_is_too_large_keeps_its_neighbors(as_alice: Client, settings: Settings):
    settings.MAX_MEGABYTES = 1
    files = [makers.upload("large.jpg", bytes(1_000_001)), makers.upload("denali.webp")]

    response = as_alice.post(UPLOAD, {"photos": files, **WISHES})

    assert said(response) == [
        "large.jpg: This file is larger than is allowed here.",
        "denali.webp: Added to your album.",
    ]


@pytest.mark.parametrize(
    ("sent", "sentence"),
    [
        ({**WISHES}, "Choose at least one photo."),
        ({"photos": "a text", **WISHES}, "Choose at least one photo."),
        ({"look": "fast"}, "Choose at least one style. Choose at least one photo."),
    ],
)
def test_upload_of_nothing_is_answered_in_words(as_alice: Client, sent: dict[str, object], sentence: str):
    page = as_alice.post(UPLOAD, sent)
    script = as_alice.post(UPLOAD, sent, headers=AS_JSON)

    assert (page.headers["Location"], said(page)) == (ALBUM, [sentence])
    assert (script.status_code, script.json()) == (400, {"text": sentence})


def test_upload_of_unknown_style_adds_nothing(as_alice: Client):
    response = as_alice.post(UPLOAD, {"photos": makers.upload("denali.webp"), "styles": "fresco", "look": "fast"})

    assert said(response) == ["Select a valid choice. fresco is not one of the available choices."]
    assert Photo.objects.count() == 0


def test_upload_that_is_too_large_as_a_whole_is_answered_in_words(alice: User, settings: Settings, uploads: Path):
    settings.MAX_MEGABYTES = 1
    browser = Client(enforce_csrf_checks=True)
    browser.force_login(alice)
    browser.get(ALBUM)  # for the cookie: what is refused must be refused for its size
    content = bytes(25_000_001)

    page = browser.post(UPLOAD, {"photos": makers.upload("large.jpg", content), **WISHES})
    script = browser.post(UPLOAD, {"photos": makers.upload("large.jpg", content), **WISHES}, headers=AS_JSON)

    assert (page.status_code, page.templates[0].name) == (413, "413.html")
    assert script.status_code == 413
    assert script.json() == {"text": "That was too much at once. Please send fewer or smaller photos."}
    assert list(uploads.iterdir()) == []


def test_upload_needs_the_token_of_the_page(alice: User):
    browser = Client(enforce_csrf_checks=True)
    browser.force_login(alice)

    response = browser.post(UPLOAD, {"photos": makers.upload("denali.webp"), **WISHES})

    assert response.status_code == 403
    assert Photo.objects.count() == 0


def test_photo_page_shows_the_first_that_is_done(as_alice: Client, alice: User):
    photo = makers.photo(alice)
    waiting = makers.artwork(photo, style="pencil", state=State.WAITING)
    done = makers.artwork(photo, style="oil")

    response = as_alice.get(reverse("photo", args=[photo.key]))

    assert response.context["artworks"] == [waiting, done]
    assert response.context["chosen"] == done


def test_photo_page_shows_the_chosen_one(as_alice: Client, alice: User):
    photo = makers.finished_photo(alice)
    chosen = photo.artworks.get(style="watercolor")

    response = as_alice.get(reverse("photo", args=[photo.key]), {"artwork": chosen.key})

    assert response.context["chosen"] == chosen


def test_photo_page_without_artworks_is_shown(as_alice: Client, alice: User):
    photo = makers.photo(alice)

    response = as_alice.get(reverse("photo", args=[photo.key]))

    assert (response.status_code, response.context["chosen"]) == (200, None)


def test_photo_page_leads_to_its_neighbors_in_the_album(as_alice: Client, alice: User, bob: User):
    older, middle = makers.photo(alice), makers.finished_photo(alice)
    makers.photo(bob)
    newer = makers.photo(alice)

    response = as_alice.get(reverse("photo", args=[middle.key]))

    assert (response.context["previous"], response.context["following"]) == (newer, older)


@pytest.mark.parametrize("count", [1, 3])
def test_photo_page_asks_the_database_seven_times(
    as_alice: Client, alice: User, count: int, django_assert_num_queries: DjangoAssertNumQueries
):
    photo = makers.photo(alice)
    for style in ("pencil", "oil", "watercolor")[:count]:
        makers.artwork(photo, style=style)

    with django_assert_num_queries(7):
        as_alice.get(reverse("photo", args=[photo.key]))


def test_photo_is_renamed(as_alice: Client, alice: User):
    photo = makers.photo(alice)

    wanted = {"title": " Kestrel\u202e ", "description": "A bird\non a post"}
    response = as_alice.post(reverse("rename_photo", args=[photo.key]), wanted)

    photo.refresh_from_db()
    assert response.headers["Location"] == reverse("photo", args=[photo.key])
    assert (photo.title, photo.description) == ("Kestrel", "A bird on a post")


def test_title_that_is_too_long_is_refused_in_words(as_alice: Client, alice: User):
    photo = makers.finished_photo(alice)

    response = as_alice.post(reverse("rename_photo", args=[photo.key]), {"title": "x" * 121})

    photo.refresh_from_db()
    assert photo.title == "Falcon"
    assert response.context["title_form"].errors == {
        "title": ["Ensure this value has at most 120 characters (it has 121)."]
    }


def test_photo_is_painted_again(as_alice: Client, alice: User):
    photo = makers.photo(alice)

    response = as_alice.post(
        reverse("paint_again", args=[photo.key]), {"styles": ["oil"], "look": "classic", "full_size": "on"}
    )

    artwork = photo.artworks.get()
    assert response.headers["Location"] == reverse("photo", args=[photo.key])
    assert (artwork.style, artwork.look, artwork.full_size) == ("oil", "classic", True)


def test_painting_again_in_no_style_is_answered_in_words(as_alice: Client, alice: User):
    photo = makers.finished_photo(alice)

    response = as_alice.post(reverse("paint_again", args=[photo.key]), {"look": "classic"})

    assert response.context["paint_form"].errors == {"styles": ["Choose at least one style."]}
    assert photo.artworks.count() == 4


def test_photo_is_removed_after_a_question(as_alice: Client, alice: User):
    photo = makers.finished_photo(alice)
    path = reverse("remove_photo", args=[photo.key])

    question = as_alice.get(path)
    answer = as_alice.post(path)

    assert question.templates[0].name == "gallery/remove_photo.html"
    assert (answer.headers["Location"], said(answer)) == (ALBUM, ["Falcon was removed."])
    assert (alice.photos.kept().count(), alice.photos.in_bin().get()) == (0, photo)
    assert as_alice.get(reverse("photo", args=[photo.key])).status_code == 404


def test_titles_are_text_and_never_markup(as_alice: Client, alice: User):
    photo = makers.finished_photo(alice, title="<script>alert(1)</script>")

    pages = [as_alice.get(path).content.decode() for path in (ALBUM, reverse("photo", args=[photo.key]))]

    assert ["<script>alert" in page for page in pages] == [False, False]


def test_forms_begin_with_what_the_person_likes(as_alice: Client, alice: User):
    User.objects.filter(pk=alice.pk).update(styles=["oil"], look="classic")

    form = as_alice.get(ALBUM).context["upload_form"]

    assert (form["styles"].value(), form["look"].value()) == (["oil"], "classic")


def test_bad_requests_of_other_kinds_have_djangos_answer(rf: RequestFactory):
    response = views.bad_request(rf.get("/"), ValueError("odd"))

    assert response.status_code == 400
