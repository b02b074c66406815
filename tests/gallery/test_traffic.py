"""Bytes of pictures: what was sent, and what a naive page would have sent."""

from datetime import timedelta

import pytest
from django.test import Client
from django.utils import timezone
from pytest_django import Settings

from gallery import traffic
from gallery.models import Photo, Traffic, User
from gallery.templatetags.pictures import photo_picture, strip_address
from gallery.templatetags.words import on_card
from gallery.traffic import Spared
from rendering.models import State
from tests import makers
from tests.processes import Valkey

ALBUM = "/"


def so_far() -> Spared:
    return traffic.spared(timezone.now() - timedelta(hours=1), timezone.now() + timedelta(hours=1))


def cover(photo: Photo) -> str:
    """Return where the album's picture of a photo is."""
    picture = photo_picture(photo, 40)
    assert picture
    return picture.src


def test_naive_pages_bytes_and_those_that_were_sent_are_counted(
    as_alice: Client, as_bob: Client, alice: User, valkey: Valkey
):
    photos = [makers.finished_photo(alice) for _ in range(3)]
    naive = 3 * (len(makers.jpeg()) + 4 * len(makers.jpeg(64, 48, "maroon")))

    as_alice.get(ALBUM)
    seen = photos[0]  # nobody scrolls to the others
    addresses = [cover(seen), strip_address(seen, on_card(seen))]
    bodies = [as_alice.get(each).content for each in addresses]
    as_bob.get(addresses[0])
    spared = so_far()

    assert spared == Spared(pages=1, pictures=2, naive_bytes=naive, sent_bytes=sum(map(len, bodies)))
    assert spared.bytes == naive - sum(map(len, bodies))
    assert Traffic.objects.count() == 1


def test_what_a_browser_would_have_kept_is_counted_once(as_alice: Client, alice: User, valkey: Valkey):
    photo = makers.photo(alice)
    makers.artwork(photo, style="oil")
    [one, more] = [len(makers.jpeg()) + count * len(makers.jpeg(64, 48, "maroon")) for count in (1, 2)]
    other = makers.browser(alice)

    counted = []
    for browser, painted in ((as_alice, 0), (as_alice, 0), (other, 0), (as_alice, 1), (as_alice, 0)):
        if painted:
            makers.artwork(photo, style="pencil")
            makers.artwork(photo, style="watercolor", state=State.WAITING)
        browser.get(ALBUM)
        counted.append(so_far().naive_bytes)

    assert counted == [one, one, 2 * one, one + more, one + more]
    assert str(as_alice.session.session_key) not in str(valkey.client.keys())


def test_without_redis_nothing_naive_is_counted(as_alice: Client, alice: User, settings: Settings):
    settings.REDIS_URL = "redis://127.0.0.1:1/0"
    photo = makers.finished_photo(alice)

    as_alice.get(ALBUM)
    as_alice.get(cover(photo))

    spared = so_far()
    assert (spared.naive_bytes, spared.pictures) == (0, 1)
    assert spared.bytes < 0


def test_figures_are_written_now_and_then(as_alice: Client, alice: User, monkeypatch: pytest.MonkeyPatch):
    address = cover(makers.photo(alice))
    as_alice.get(address)
    before = Traffic.objects.count()
    monkeypatch.setattr(traffic.tally, "_due", 0.0)

    as_alice.get(address)
    as_alice.get(address)

    assert (before, Traffic.objects.get().pictures) == (0, 2)
