"""Files, for their owner alone."""

import io
from pathlib import Path

import pytest
from django.core.files.storage import Storage
from django.test import Client
from django.urls import reverse
from django.utils import timezone
from PIL import Image
from pytest_django import DjangoAssertNumQueries, Settings

from gallery import photos
from gallery.models import Artwork, User
from gallery.templatetags import words
from gallery.templatetags.pictures import strip_address
from rendering import store, strips
from rendering.models import Rendition, Source, State
from tests import makers
from tests.makers import NOON


@pytest.fixture
def artwork(alice: User) -> Artwork:
    return makers.artwork(makers.photo(alice))


def addresses(artwork: Artwork) -> list[str]:
    return [
        reverse("photo_original", args=[artwork.photo.key]),
        reverse("photo_file", args=[artwork.photo.key, 48]),
        reverse("photo_file", args=[artwork.photo.key, 64]),
        reverse("artwork_file", args=[artwork.key, 48]),
        reverse("artwork_file", args=[artwork.key, 64]),
    ]


def test_files_are_sent_as_they_are_stored(as_alice: Client, artwork: Artwork):
    got = [as_alice.get(path).content for path in addresses(artwork)]

    assert got == [
        makers.jpeg(),
        makers.jpeg(48, 36),
        makers.jpeg(),
        makers.jpeg(48, 36, "maroon"),
        makers.jpeg(64, 48, "maroon"),
    ]


def test_files_are_private_inert_and_kept_by_the_browser(as_alice: Client, artwork: Artwork):
    headers = [as_alice.get(path).headers for path in addresses(artwork)]

    for each in headers:
        assert each["Content-Type"] == "image/jpeg"
        assert each["Cache-Control"] == "private, max-age=31536000, immutable"
        assert each["Content-Security-Policy"] == "default-src 'none'; sandbox"
        assert each["X-Content-Type-Options"] == "nosniff"


@pytest.fixture
def previewed(alice: User) -> Artwork:
    """Return an artwork that waits, with a preview."""
    pages = store.put_pages("previews", {480: makers.jpeg(480, 360, "olive")})
    waiting = makers.artwork(makers.photo(alice), state=State.WAITING)
    Rendition.objects.update(preview=pages.folder)
    return waiting


def test_preview_is_sent_while_the_painting_waits(as_alice: Client, previewed: Artwork):
    response = as_alice.get(reverse("preview_file", args=[previewed.key]))

    assert response.content == makers.jpeg(480, 360, "olive")
    assert response.headers["Cache-Control"] == "private, max-age=31536000, immutable"


def test_preview_of_somebody_else_does_not_exist(as_bob: Client, previewed: Artwork):
    assert as_bob.get(reverse("preview_file", args=[previewed.key])).status_code == 404


@pytest.mark.parametrize("state", [State.FAILED, State.CANCELLED, State.EVICTED])
def test_preview_of_what_is_not_to_come_does_not_exist(as_alice: Client, previewed: Artwork, state: State):
    Rendition.objects.update(state=state, folder="renditions/aa", width=1, height=1)

    assert as_alice.get(reverse("preview_file", args=[previewed.key])).status_code == 404


def test_preview_of_what_was_finished_meanwhile_is_the_painting_for_this_once(as_alice: Client, previewed: Artwork):
    pages = store.put_pages("renditions", {64: makers.jpeg(64, 48, "maroon")})
    Rendition.objects.update(state=State.DONE, folder=pages.folder, widths=[64], width=64, height=48)

    response = as_alice.get(reverse("preview_file", args=[previewed.key]))

    assert response.content == makers.jpeg(64, 48, "maroon")
    assert response.headers["Cache-Control"] == "private, no-store"


def test_pictures_of_a_card_still_come_after_it_went_into_the_bin(
    as_alice: Client, as_bob: Client, artwork: Artwork, previewed: Artwork
):
    shown = [reverse("photo_file", args=[artwork.photo.key, 64]), reverse("artwork_file", args=[artwork.key, 64])]
    shown += [reverse("preview_file", args=[previewed.key]), strip_address(artwork.photo, [artwork])]
    for photo in (artwork.photo, previewed.photo):
        photos.remove(photo, now=timezone.now())

    assert [as_alice.get(path).status_code for path in shown] == [200] * 4
    assert [as_bob.get(path).status_code for path in shown] == [404] * 4
    assert as_alice.get(reverse("photo_original", args=[artwork.photo.key])).status_code == 404


def test_preview_that_was_never_painted_does_not_exist(as_alice: Client, alice: User):
    waiting = makers.artwork(makers.photo(alice), state=State.WAITING)

    assert as_alice.get(reverse("preview_file", args=[waiting.key])).status_code == 404


def test_original_is_only_to_be_saved(as_alice: Client, artwork: Artwork):
    original, page = (as_alice.get(path).headers["Content-Disposition"] for path in addresses(artwork)[:2])

    assert original == "attachment; filename=\"Falcon.jpg\"; filename*=UTF-8''Falcon.jpg"
    assert page == "inline"


def test_original_of_an_unknown_format_is_sent_as_bytes(as_alice: Client, artwork: Artwork):
    Source.objects.update(format="tiff")

    headers = as_alice.get(addresses(artwork)[0]).headers

    assert headers["Content-Type"] == "application/octet-stream"
    assert headers["Content-Disposition"] == "attachment; filename=\"Falcon.tiff\"; filename*=UTF-8''Falcon.tiff"


@pytest.mark.parametrize("browser", ["as_bob", "as_staff", "as_admin", "client"])
def test_files_of_others_do_not_exist(request: pytest.FixtureRequest, artwork: Artwork, browser: str):
    somebody: Client = request.getfixturevalue(browser)

    assert [somebody.get(path).status_code for path in addresses(artwork)] == [404] * 5


@pytest.mark.parametrize("width", [0, 1, 49, 4096, 10**30])
def test_widths_that_were_not_made_do_not_exist(as_alice: Client, artwork: Artwork, width: int):
    paths = [reverse("photo_file", args=[artwork.photo.key, width]), reverse("artwork_file", args=[artwork.key, width])]

    assert [as_alice.get(path).status_code for path in paths] == [404, 404]


@pytest.mark.parametrize("state", [State.WAITING, State.WORKING, State.FAILED])
def test_paintings_that_are_not_done_do_not_exist(as_alice: Client, alice: User, state: State):
    artwork = makers.artwork(makers.photo(alice), state=state)

    assert as_alice.get(reverse("artwork_file", args=[artwork.key, 64])).status_code == 404


def test_cancelled_painting_does_not_exist_though_another_person_has_it(as_alice: Client, artwork: Artwork):
    Artwork.objects.update(cancelled_at=NOON)

    assert as_alice.get(addresses(artwork)[4]).status_code == 404


def test_file_that_is_gone_does_not_exist(as_alice: Client, artwork: Artwork, media: Path):
    for path in [path for path in media.rglob("*") if path.is_file()]:
        path.unlink()

    assert [as_alice.get(path).status_code for path in addresses(artwork)] == [404] * 5


class BrokenStorage(Storage):
    """A storage that is out of reach."""

    def _open(self, name: str, mode: str = "rb") -> None:
        message = "no route to host"
        raise ConnectionError(message)


def test_storage_out_of_reach_is_for_later(as_alice: Client, artwork: Artwork, settings: Settings):
    broken = {"BACKEND": f"{__name__}.BrokenStorage"}
    settings.STORAGES = {**settings.STORAGES, "default": broken}

    response = as_alice.get(addresses(artwork)[1])

    assert (response.status_code, response.headers["Retry-After"]) == (503, "10")


def test_file_asks_the_database_three_times(
    as_alice: Client, artwork: Artwork, django_assert_num_queries: DjangoAssertNumQueries
):
    for path in addresses(artwork):
        with django_assert_num_queries(3):
            as_alice.get(path)


@pytest.fixture
def strip(alice: User) -> str:
    """Return the address of the strip on a card with four paintings."""
    shown = words.on_card(makers.finished_photo(alice))
    return strip_address(shown[0].photo, shown)


def test_strip_shows_the_four_paintings_of_a_card_in_one_file(as_alice: Client, strip: str):
    response = as_alice.get(strip)

    image = Image.open(io.BytesIO(response.content))
    assert response.headers["Content-Type"] == "image/webp"
    assert response.headers["Cache-Control"] == "private, max-age=31536000, immutable"
    assert image.size == (4 * strips.CELL, strips.CELL)


def test_strip_costs_the_same_few_queries_for_two_paintings_and_for_four(
    as_alice: Client, alice: User, strip: str, django_assert_num_queries: DjangoAssertNumQueries
):
    two = makers.photo(alice)
    both = [makers.artwork(two, style="oil"), makers.artwork(two, style="pencil")]
    Rendition.objects.update(used_at=timezone.now())

    for address in (strip, strip_address(two, both)):
        with django_assert_num_queries(4):
            as_alice.get(address)


def test_strip_of_paintings_that_were_replaced_is_not_kept(as_alice: Client, strip: str):
    Rendition.objects.filter(style="oil").update(folder="renditions/aa")

    response = as_alice.get(strip)

    assert response.status_code == 200
    assert response.headers["Cache-Control"] == "private, no-store"


@pytest.mark.parametrize("asked", ["", "nothing", "oil,"])
def test_strip_of_paintings_that_are_not_there_does_not_exist(as_alice: Client, strip: str, asked: str):
    Rendition.objects.filter(style="oil").update(state=State.EVICTED)

    assert as_alice.get(f"{strip.partition('?')[0]}?of={asked}").status_code == 404


def test_strip_of_somebody_else_does_not_exist(as_bob: Client, strip: str):
    assert as_bob.get(strip).status_code == 404
    assert Client().get(strip).status_code in (302, 404)
