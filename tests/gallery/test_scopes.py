"""Scopes: who shares paintings with whom under every switch, and that nobody ever sees another's."""

import hashlib
import io
import logging
from collections.abc import Iterator
from itertools import product
from pathlib import Path

import pytest
from django.test import Client
from django.urls import reverse
from django.utils import timezone
from PIL import Image

from gallery import accounts, artworks, photos
from gallery.models import How, Photo, Stage, User
from gallery.scopes import EVERYBODY, scope_of
from gallery.uploads import HashedUpload
from rendering import lifetimes, renditions, turns
from rendering.imaging import fingerprint
from rendering.models import Rendition, Source, State
from rendering.pipeline import open_canvas
from tests.makers import NOON
from tests.processes import Valkey
from tests.rendering.makers import encoded, picture

pytestmark = pytest.mark.django_db(transaction=True)
SWITCHES = list(product([True, False], repeat=3))
STYLES = ["pencil", "watercolor"]


@pytest.fixture(autouse=True)
def queue(valkey: Valkey) -> Valkey:
    return valkey


def add(owner: User, content: bytes, *, name: str = "secret-name.png", full_size: bool = False) -> Photo:
    """Add a file as an upload does."""
    with HashedUpload(name, "image/png") as file:
        file.add(content, limit=40_000_000)
        file.flush()
        file.seek(0)
        result = photos.add_photo(
            owner=owner, file=file, styles=STYLES, look="fast", full_size=full_size, now=timezone.now()
        )
    assert result.photo is not None, result.text
    return result.photo


def paint_everything() -> None:
    while turns.do_next(now=timezone.now()):
        pass


def same_picture_twice() -> tuple[bytes, bytes]:
    """Return two files of the same pixels."""
    image = picture(7, width=200, height=150)
    return encoded(image, form="PNG"), encoded(image, form="WEBP", lossless=True)


@pytest.mark.parametrize(
    ("shared", "private", "scope"), [(True, False, ""), (True, True, "own"), (False, False, "own")]
)
def test_scope_is_everybodys_or_the_persons_own(settings, alice: User, shared: bool, private: bool, scope: str):
    settings.SHARED_CACHE, alice.private = shared, private

    assert scope_of(alice) == (alice.lane if scope else EVERYBODY)


@pytest.mark.parametrize(("shared", "alice_is_private", "bob_is_private"), SWITCHES)
@pytest.mark.parametrize("full_size", [False, True])
@pytest.mark.parametrize("same_file", [False, True])
def test_two_people_with_one_picture(
    settings, alice: User, bob: User, *, shared, alice_is_private, bob_is_private, full_size, same_file
):
    """It is painted once if both share, else for each; a full-size canvas is known by its file alone."""
    settings.SHARED_CACHE, settings.LONG_EDGE = shared, 128
    accounts.keep_private(alice, private=alice_is_private)
    accounts.keep_private(bob, private=bob_is_private)
    first, second = same_picture_twice()

    hers = add(alice, first, full_size=full_size)
    paint_everything()
    his = add(bob, first if same_file else second, full_size=full_size)
    at_once = his.source.state == State.DONE
    paint_everything()

    share = shared and not alice_is_private and not bob_is_private
    share_files, share_paintings = share and same_file, share and (same_file or not full_size)
    assert at_once == share_files
    assert Source.objects.count() == (1 if share_files else 2)
    assert Rendition.objects.filter(state=State.DONE).count() == Rendition.objects.count()
    assert Rendition.objects.count() == len(STYLES) * (1 if share_paintings else 2)
    got = How.SAME_FILE if share_files else How.SAME_PICTURE if share_paintings else How.PAINTED
    assert {artwork.how for artwork in hers.artworks.all()} == {How.PAINTED}
    assert {artwork.how for artwork in his.artworks.all()} == {got}


@pytest.mark.parametrize(("shared", "alice_is_private", "bob_is_private"), SWITCHES)
def test_neither_sees_anything_of_the_other(settings, alice, bob, as_bob, *, shared, alice_is_private, bob_is_private):
    settings.SHARED_CACHE = shared
    accounts.keep_private(alice, private=alice_is_private)
    accounts.keep_private(bob, private=bob_is_private)
    content, _ = same_picture_twice()
    hers = add(alice, content, name="alices-only.png")
    paint_everything()
    his = add(bob, content, name="bobs-own.png")
    paint_everything()

    seen = "".join(body for _, body in pages(as_bob, his))

    painting = hers.artworks.get(style="pencil")
    assert "bobs-own" in seen
    assert all(word not in seen for word in ("alices-only", "alice", hers.key, painting.key))
    addresses = [reverse(name, args=[hers.key]) for name in ("photo", "photo_original", "remove_photo")]
    addresses += [reverse("artwork_file", args=[painting.key, 160]), reverse("download", args=[painting.key])]
    assert [as_bob.get(address).status_code for address in addresses] == [404] * 5


def test_private_person_still_shares_with_nobody_but_the_own_album(alice: User):
    accounts.keep_private(alice, private=True)
    first, second = same_picture_twice()

    add(alice, first)
    again = add(alice, first)
    other = add(alice, second)
    paint_everything()

    assert (alice.photos.count(), Rendition.objects.count()) == (2, len(STYLES))
    assert {artwork.how for artwork in other.artworks.all()} == {How.SAME_PICTURE}
    assert again == alice.photos.order_by("pk").first()


def test_switch_holds_for_photos_from_then_on(alice: User, bob: User):
    content, _ = same_picture_twice()
    before = add(alice, content)
    paint_everything()
    accounts.keep_private(alice, private=True)

    his = add(bob, content)
    assert his.source == before.source

    photos.erase(before, now=NOON)
    after = add(alice, content)
    assert (after.source.scope, his.source.scope) == (alice.lane, EVERYBODY)


def test_removed_photo_takes_its_files_along_and_leaves_those_of_others(alice: User, bob: User, media: Path):
    first, second = same_picture_twice()
    hers, his = add(alice, first), add(bob, second)
    paint_everything()
    both = files(media)

    photos.erase(hers, now=NOON)

    left = files(media)
    assert left < both
    assert {name.split("/")[0] for name in both - left} == {"originals", "photos"}
    photos.erase(his, now=NOON)
    assert files(media) == set()


def test_same_file_has_what_was_put_away_painted_again(alice: User, bob: User):
    content, _ = same_picture_twice()
    add(alice, content)
    paint_everything()
    lifetimes.purge(Rendition.objects.all())

    his = add(bob, content)
    assert {artwork.stage for artwork in his.artworks.all()} == {Stage.WAITING}
    paint_everything()

    assert {artwork.stage for artwork in his.artworks.all()} == {Stage.DONE}
    assert Rendition.objects.count() == len(STYLES)


def test_closed_private_account_leaves_nothing(alice: User, media: Path):
    accounts.keep_private(alice, private=True)
    add(alice, same_picture_twice()[0])
    paint_everything()

    accounts.close_account(alice)

    assert files(media) == set()
    assert (Source.objects.count(), Rendition.objects.count()) == (0, 0)


def test_settings_page_keeps_the_switch(alice: User, as_alice: Client):
    wishes = {"language": "", "theme": "auto", "styles": ["oil"], "look": "fast", "email": ""}

    as_alice.post(reverse("preferences"), {**wishes, "private": "on"})
    assert User.objects.get(pk=alice.pk).private

    as_alice.post(reverse("preferences"), wishes)
    assert not User.objects.get(pk=alice.pk).private


def test_there_is_no_switch_where_nothing_is_shared(settings, alice: User, as_alice: Client):
    accounts.keep_private(alice, private=True)
    settings.SHARED_CACHE = False

    page = as_alice.get(reverse("preferences"))
    wishes = {"language": "", "theme": "auto", "styles": ["oil"], "look": "fast", "email": ""}
    as_alice.post(reverse("preferences"), wishes)

    assert b"shared cache" not in page.content
    assert User.objects.get(pk=alice.pk).private


def test_digests_are_in_no_address_header_page_or_log(alice: User, as_alice, as_staff, as_admin, caplog):
    content, _ = same_picture_twice()
    with caplog.at_level(logging.DEBUG):
        photo = add(alice, content)
        paint_everything()
        artworks.commission(photo, styles=["oil"], look="fast", full_size=False, now=NOON)
        paint_everything()
        seen = [text for browser in (as_alice, as_staff, as_admin) for text in pages(browser, photo)]
        records = reverse("admin:index")
        for kind, row in (("source", photo.source), ("rendition", Rendition.objects.first())):
            assert row is not None
            seen += [page(as_admin, f"{records}rendering/{kind}/{rest}") for rest in ("", f"{row.pk}/change/")]

    source = Source.objects.get()
    canvas = open_canvas(io.BytesIO(content), long_edge=1024, limits=renditions.limits())
    plain = [hashlib.sha256(content).hexdigest(), fingerprint.digest(canvas).hex()]
    keyed = [source.bytes_key, source.canvas_key, source.phash]
    everything = caplog.text + "".join(head + body for head, body in seen)
    assert [each for each in plain if each in everything] == []
    assert [each for each in keyed if each in everything] == []


def pages(browser: Client, photo: Photo) -> Iterator[tuple[str, str]]:
    """Yield headers and body of everything that a person can ask for."""
    for name in ("album", "history", "status", "preferences", "close_account", "dashboard"):
        yield page(browser, reverse(name))
    yield page(browser, reverse("photo", args=[photo.key]))
    for artwork in photo.artworks.all():
        yield page(browser, reverse("artwork_file", args=[artwork.key, 160]))
        yield page(browser, reverse("download", args=[artwork.key]))


def page(browser: Client, address: str) -> tuple[str, str]:
    response = browser.get(address)
    head = "\n".join(f"{name}: {value}" for name, value in response.headers.items())
    return address + head, response.content.decode("latin-1")


def files(media: Path) -> set[str]:
    return {str(path.relative_to(media)) for path in media.rglob("*") if path.is_file()}


def test_maker_of_this_file_makes_two_files_of_one_picture():
    first, second = (Image.open(io.BytesIO(content)) for content in same_picture_twice())

    assert first.convert("RGB").tobytes() == second.convert("RGB").tobytes()
