"""Downloads: at once what is filed, else made by a worker; meanwhile, and when it fails, words."""

import io
import zipfile
from contextlib import aclosing
from datetime import timedelta
from typing import Any

import pytest
from asgiref.sync import async_to_sync
from django.contrib.messages import get_messages
from django.test import AsyncClient, Client
from django.urls import reverse
from django.utils import timezone
from pytest_django import DjangoAssertNumQueries

from gallery import parcels
from gallery.models import Artwork, Photo, User
from rendering import store
from rendering.models import Export, Reason, State
from tests import makers
from tests.makers import NOON

JSON = {"Accept": "application/json"}


@pytest.fixture
def artwork(alice: User) -> Artwork:
    return makers.artwork(makers.photo(alice))


def address(artwork: Artwork, **wanted: object) -> str:
    return reverse("download", args=[artwork.key], query=wanted) if wanted else reverse("download", args=[artwork.key])


def made(content: bytes = b"the file") -> None:
    """Make what is asked for, as a worker does."""
    for export in Export.objects.all():
        file = store.put_export(content, extension=export.format)
        Export.objects.filter(pk=export.pk).update(state=State.DONE, file=file, size=len(content))


def failed(reason: Reason = Reason.STORAGE) -> None:
    Export.objects.update(state=State.FAILED, reason=reason)


@pytest.mark.parametrize("wanted", [{}, {"format": "jpeg"}, {"intensity": 100}, {"format": "jpeg", "intensity": 100}])
def test_plain_painting_is_sent_at_once(as_alice: Client, artwork: Artwork, wanted: dict[str, object]):
    response = as_alice.get(address(artwork, **wanted))

    assert response.content == makers.jpeg(64, 48, "maroon")
    assert response.headers["Content-Disposition"].startswith('attachment; filename="Falcon - Oil painting.jpg"')
    assert Export.objects.count() == 0


@pytest.mark.parametrize("state", [State.WAITING, State.WORKING])
def test_page_waits_for_the_file_and_asks_again_by_itself(as_alice: Client, artwork: Artwork, state: State):
    as_alice.get(address(artwork, format="png"))
    Export.objects.update(state=state)

    response = as_alice.get(address(artwork, format="png"))

    assert (response.status_code, response.headers["Cache-Control"]) == (202, "private, no-store")
    assert response.templates[0].name == "gallery/download_wait.html"
    assert '<meta http-equiv="refresh" content="3">' in response.content.decode()
    assert Export.objects.count() == 1


@pytest.mark.parametrize("form", ["png", "webp", "avif", "jpeg"])
def test_file_is_sent_when_it_is_made(as_alice: Client, artwork: Artwork, form: str):
    wanted = address(artwork, format=form, intensity=40)
    as_alice.get(wanted)
    made()

    response = as_alice.get(wanted)

    assert (response.status_code, response.content) == (200, b"the file")
    assert response.headers["Content-Type"] == f"image/{form}"
    assert response.headers["Content-Disposition"].startswith(f'attachment; filename="Falcon - Oil painting.{form}"')
    assert response.headers["Cache-Control"] == "private, no-store"
    assert response.headers["Content-Security-Policy"] == "default-src 'none'; sandbox"


def test_asking_again_keeps_the_file(as_alice: Client, artwork: Artwork):
    as_alice.get(address(artwork, format="png"))
    Export.objects.update(used_at=NOON)

    as_alice.get(address(artwork, format="png"))

    assert timezone.now() - Export.objects.get().used_at < timedelta(minutes=1)


def test_failure_is_told_in_words_and_can_be_tried_again(as_alice: Client, artwork: Artwork):
    wanted = address(artwork, format="png")
    as_alice.get(wanted)
    failed()

    response = as_alice.get(wanted)
    again = as_alice.post(wanted)

    assert (response.status_code, response.templates[0].name) == (409, "gallery/download_failed.html")
    assert "The file could not be stored or fetched." in response.content.decode()
    assert f'action="{wanted}"' in response.content.decode()
    assert (again.status_code, again.headers["Location"]) == (302, wanted)
    assert Export.objects.get().state == State.WAITING


@pytest.mark.parametrize(
    ("wanted", "words"),
    [
        ({"format": "gif"}, "Paintings are saved as JPEG, PNG, WebP or AVIF."),
        ({"format": ""}, "Paintings are saved as JPEG, PNG, WebP or AVIF."),
        ({"intensity": "101"}, "The intensity is a whole number from 0 to 100."),
        ({"intensity": "-1"}, "The intensity is a whole number from 0 to 100."),
        ({"intensity": "1e2"}, "The intensity is a whole number from 0 to 100."),
        ({"intensity": ""}, "The intensity is a whole number from 0 to 100."),
        ({"intensity": "9" * 5000}, "The intensity is a whole number from 0 to 100."),
        ({"intensity": "\x00"}, "The intensity is a whole number from 0 to 100."),
    ],
)
def test_wrong_wishes_are_refused_in_words(as_alice: Client, artwork: Artwork, wanted: dict[str, str], words: str):
    page, answer = as_alice.get(address(artwork, **wanted)), as_alice.get(address(artwork, **wanted), headers=JSON)

    assert (page.status_code, page.templates[0].name) == (400, "gallery/download_failed.html")
    assert words in page.content.decode()
    assert (answer.status_code, answer.json()) == (400, {"text": words})
    assert Export.objects.count() == 0


def test_script_is_told_how_it_stands(as_alice: Client, artwork: Artwork):
    wanted = address(artwork, format="webp", intensity=7)

    told = [as_alice.get(wanted, headers=JSON)]
    Export.objects.update(state=State.WORKING)
    told.append(as_alice.get(wanted, headers=JSON))
    failed(Reason.TOO_LARGE_SIDE)
    told.append(as_alice.get(wanted, headers=JSON))
    made()
    told.append(as_alice.get(wanted, headers=JSON))

    assert [(each.status_code, each.json()["text"]) for each in told] == [
        (202, "The file waits for its turn."),
        (202, "The file is being made."),
        (409, "This picture is too long or too wide."),
        (200, "The file is ready."),
    ]
    assert {each.headers["Cache-Control"] for each in told} == {"private, no-store"}


@pytest.mark.parametrize("browser", ["as_bob", "as_staff", "as_admin"])
@pytest.mark.parametrize("wanted", [{"format": "png"}, {"format": "gif"}, {"intensity": 1}])
def test_downloads_of_others_do_not_exist(
    request: pytest.FixtureRequest, as_alice: Client, artwork: Artwork, browser: str, wanted: dict[str, object]
):
    as_alice.get(address(artwork, format="png"))
    made()
    somebody: Client = request.getfixturevalue(browser)

    answers = [somebody.get(address(artwork, **wanted)), somebody.post(address(artwork, **wanted))]

    assert [each.status_code for each in answers] == [404, 404]
    assert Export.objects.count() == 1


@pytest.mark.parametrize("state", [State.WAITING, State.WORKING, State.FAILED, State.CANCELLED])
def test_download_of_what_is_not_done_does_not_exist(as_alice: Client, alice: User, state: State):
    artwork = makers.artwork(makers.photo(alice), state=state)

    assert as_alice.get(address(artwork, format="png")).status_code == 404
    assert Export.objects.count() == 0


def test_file_that_is_gone_does_not_exist(as_alice: Client, artwork: Artwork):
    as_alice.get(address(artwork, format="png"))
    made()
    store.remove([Export.objects.get().file])

    assert as_alice.get(address(artwork, format="png")).status_code == 404


def test_page_of_a_photo_offers_every_format_of_a_painting_that_is_done(as_alice: Client, artwork: Artwork):
    page = as_alice.get(reverse("photo", args=[artwork.photo.key])).content.decode()
    Artwork.objects.update(cancelled_at=NOON)
    without = as_alice.get(reverse("photo", args=[artwork.photo.key])).content.decode()

    assert f'action="{address(artwork)}"' in page
    assert [form for form in ("jpeg", "png", "webp", "avif") if f'<option value="{form}">' in page] == [
        "jpeg",
        "png",
        "webp",
        "avif",
    ]
    assert address(artwork) not in without


def test_file_asks_the_database_seven_times(
    as_alice: Client, artwork: Artwork, django_assert_num_queries: DjangoAssertNumQueries
):
    as_alice.get(address(artwork, format="png"))
    made()

    with django_assert_num_queries(7):
        as_alice.get(address(artwork, format="png"))


def parcel(response) -> zipfile.ZipFile:
    return zipfile.ZipFile(io.BytesIO(response.getvalue()))


def test_everything_comes_in_one_file(as_alice: Client, alice: User, bob: User):
    makers.finished_photo(alice, title="Falcon")
    makers.finished_photo(bob, title="Secret")
    Photo.objects.create(owner=alice, source=makers.source(), title="In the bin", created_at=NOON, removed_at=NOON)

    history = as_alice.get(reverse("history")).content.decode()
    response = as_alice.post(reverse("download_everything"))

    assert f'<form id="everything" action="{reverse("download_everything")}" method="post"' in history
    assert '<button type="submit" class="button quiet" form="everything">' in history
    names = parcel(response).namelist()
    assert {name.partition("/")[0] for name in names} == {"Falcon", "recipes.json"}
    assert len(names) == 6
    assert response.headers["Content-Type"] == "application/zip"
    assert response.headers["Content-Disposition"].startswith('attachment; filename="Art Workshop 20')
    assert response.headers["Cache-Control"] == "private, no-store"


def test_chosen_photos_come_in_one_file_and_those_of_others_do_not(as_alice: Client, alice: User, bob: User):
    mine, other, secret = makers.photo(alice, title="A"), makers.photo(alice, title="B"), makers.photo(bob, title="C")

    response = as_alice.post(reverse("download_photos"), {"photo": [mine.key, secret.key, mine.key, "odd"]})

    assert parcel(response).namelist() == ["A/A.jpeg", "recipes.json"]
    assert other.key != mine.key


@pytest.mark.parametrize(
    ("keys", "words"),
    [
        ([], "Choose at least one photo."),
        (["nobody"], "Choose at least one photo."),
        ([str(number) for number in range(501)], "Choose at most 500 photos at once."),
    ],
)
def test_too_many_or_no_photos_lead_back(as_alice: Client, alice: User, keys: list[str], words: str):
    response = as_alice.post(reverse("download_photos"), {"photo": keys, "next": "/history/"})

    assert response.headers["Location"] == "/history/"
    assert [str(message) for message in get_messages(response.wsgi_request)] == [words]


@async_to_sync
async def sent_over_asgi(person: User, *, most: int) -> list[bytes]:
    """Take so many pieces of everything, as a server does, and leave."""
    taken: list[bytes] = []
    browser = AsyncClient()
    await browser.aforce_login(person)
    response: Any = await browser.post(reverse("download_everything"))
    async with aclosing(aiter(response)) as pieces:
        async for piece in pieces:
            taken.append(piece)
            if len(taken) == most:
                break
    return taken


def test_parcel_is_sent_piece_by_piece_by_an_asynchronous_server(alice: User, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(parcels, "PIECE", 100)
    for _ in range(2):
        makers.finished_photo(alice)

    taken = sent_over_asgi(alice, most=1000)

    assert len(taken) > 10
    assert len(zipfile.ZipFile(io.BytesIO(b"".join(taken))).namelist()) == 11


def test_parcel_that_is_left_is_not_packed_on(alice: User, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(parcels, "PIECE", 100)
    for _ in range(2):
        makers.finished_photo(alice)
    pieces: Any = parcels.pack(alice.photos.filter(removed_at=None))
    monkeypatch.setattr(parcels, "pack", lambda photos: pieces)

    taken = sent_over_asgi(alice, most=2)

    assert (len(taken), pieces.gi_frame) == (2, None)
