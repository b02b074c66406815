"""How long people wait: for four paintings of a phone's photo, and for an album of two hundred."""

import http.client
import time
from contextlib import closing
from pathlib import Path
from urllib.parse import urlsplit

import pytest
from playwright.sync_api import expect

from tests.e2e.conftest import Visit
from tests.e2e.product import PHOTOS, Product, drop, sign_up
from tests.processes import manage
from tests.stopwatch import slowness

pytestmark = [pytest.mark.e2e, pytest.mark.slow]

MORE = """
import os, secrets
from gallery.models import Artwork, Photo
from rendering.models import Commission, Source
first = Photo.objects.filter(owner__username='dan').first()
for number in range(int(os.environ['MORE'])):
    asked = list(first.source.commissions.all())
    source = Source.objects.get(pk=first.source_id)
    source.pk, source.bytes_key = None, secrets.token_hex(32)
    source.save()
    photo = Photo.objects.create(owner=first.owner, source=source, title=f"Photo {number}", created_at=first.created_at)
    for artwork in first.artworks.select_related("commission"):
        commission = artwork.commission
        commission.pk, commission.source = None, source
        commission.save()
        facts = {"style": artwork.style, "look": artwork.look, "created_at": artwork.created_at}
        Artwork.objects.create(photo=photo, commission=commission, **facts)
"""


def test_phone_photo_is_painted_four_times_within_six_seconds(product: Product, visit: Visit, tmp_path: Path):
    """From the upload to the fourth painting on the page; the best of three, as the machine may do other things too."""
    page = visit()
    sign_up(page, product.address, "cat")
    content = (PHOTOS / "book-beside-flowers.jpg").read_bytes()

    waited = []
    for number in range(3):
        # Another file of another picture for each try: the first bytes of a JPEG's pixels are not looked at twice.
        photo = tmp_path / f"book {number}.jpg"
        photo.write_bytes(_changed(content, number))
        started = time.monotonic()
        drop(page, [photo])
        expect(page.locator(".card-paintings [data-stage=done]")).to_have_count(4 * (number + 1), timeout=60_000)
        waited.append(time.monotonic() - started)

    assert min(waited) < 6 * slowness(), waited


def test_album_of_two_hundred_photos_answers_as_soon_as_one_of_a_page(product: Product, visit: Visit):
    """Against its own peer, as machines differ; the quickest answers, as other tests run beside this one."""
    page = visit()
    sign_up(page, product.address, "dan")
    drop(page, [PHOTOS / "silver_fir.jpg"])
    expect(page.locator(".card-paintings [data-stage=done]")).to_have_count(4, timeout=60_000)
    cookies = "; ".join(f"{each['name']}={each['value']}" for each in page.context.cookies())

    of_a_page = _quickest(product, cookies, more=23, within=0)
    within = min(1.5 * of_a_page, 0.5 * slowness())
    of_two_hundred = _quickest(product, cookies, more=176, within=within)
    page.reload()

    expect(page.get_by_text("200 photos")).to_be_visible()
    assert of_two_hundred < within


def _quickest(product: Product, cookies: str, *, more: int, within: float) -> float:
    """Add photos, and return the quickest answer of the first fifteen, or of more until one is within the bound."""
    made = manage("shell", "-c", MORE, environment={**product.environment, "MORE": str(more)})
    assert made.run.wait(120) == 0, made.said
    waited: list[float] = []
    while len(waited) < 15 or (min(waited) >= within > 0 and len(waited) < 90):
        text, seconds = _timed(product, cookies)
        assert text.count('class="card"') == 24
        waited.append(seconds)
    return min(waited)


def _timed(product: Product, cookies: str) -> tuple[str, float]:
    """Return the album's page, and the seconds until all of it was there."""
    started = time.perf_counter()
    with closing(http.client.HTTPConnection(urlsplit(product.address).netloc, timeout=20)) as connection:
        connection.request("GET", "/", headers={"Cookie": cookies})
        text = connection.getresponse().read().decode()
    return text, time.perf_counter() - started


def _changed(content: bytes, number: int) -> bytes:
    """Return the photo with one more byte of picture changed, so that nothing of it has been painted before."""
    middle = len(content) // 2 + number
    return content[:middle] + bytes([content[middle] ^ 1]) + content[middle + 1 :]
