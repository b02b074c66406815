"""The whole way in a real browser, from sign-up to sign-out; and nobody else sees any of it."""

import io
import re
import sqlite3
from contextlib import closing
from pathlib import Path
from urllib.parse import urlsplit

import pytest
from PIL import Image, ImageChops
from playwright.sync_api import APIResponse, Page, expect

from rendering import styles
from tests.e2e.conftest import Visit
from tests.e2e.product import PHOTOS, Product, drop, sign_out, sign_up
from tests.processes import wait_until

pytestmark = [pytest.mark.e2e, pytest.mark.slow]
SIX = [
    PHOTOS / name
    for name in (
        "8bit-sRGB.avif",
        "denali.webp",
        "japanese-shop.jpg",
        "portrait-orientation-6.jpg",
        "prairie_falcon.jpg",
        "wood_anemones.jpg",
    )
]


@pytest.fixture(scope="module")
def addresses() -> dict[str, set[str]]:
    """Return what the first person saw, for the second to try."""
    return {"get": set(), "post": set()}


def note_addresses(page: Page, addresses: dict[str, set[str]]) -> None:
    """Remember every address of this page that leads to something of this person."""
    found = page.evaluate(
        """() => ({
            get: [...document.querySelectorAll('[href], [src], [srcset], [data-src], [data-sharp]')].flatMap(each =>
                [each.getAttribute('href'), each.getAttribute('src'), each.dataset.src, each.dataset.sharp,
                 ...(each.getAttribute('srcset') ?? each.dataset.srcset ?? '').split(',')
                     .map(part => part.trim().split(' ')[0])]),
            post: [...document.querySelectorAll('form[method=post]')].map(each => each.getAttribute('action')),
        })"""
    )
    for kind, seen in found.items():
        paths = {urlsplit(each).path for each in seen if each}
        addresses[kind] |= {path for path in paths if re.match(r"/(photos|artworks|media)/.*[\w-]{22}", path)}


def test_stranger_gets_six_photos_painted_in_four_styles(
    product: Product, visit: Visit, addresses: dict[str, set[str]], tmp_path: Path
):
    page = visit()
    sign_up(page, product.address, "ann")
    expect(page.get_by_role("search")).to_have_count(0)

    drop(page, SIX)
    expect(page.locator(".card")).to_have_count(6, timeout=60_000)
    expect(page.get_by_role("search")).to_be_visible()
    expect(page.locator(".card-paintings [data-stage=done]")).to_have_count(24, timeout=120_000)
    expect(page.locator("[data-unfinished]")).to_have_count(0)
    note_addresses(page, addresses)

    page.locator(".card", has_text="prairie").get_by_role("link").first.click()
    expect(page.get_by_role("heading", level=1)).to_contain_text("prairie")
    for style in styles.NAMES:
        tab = page.locator(f".tab[data-style={style}]")
        tab.click()
        expect(tab).to_have_attribute("aria-current", "page")
        expect(page.locator("#chosen-title")).to_have_text(tab.locator(".tab-name").inner_text())
        note_addresses(page, addresses)
    _compare(page)

    page.get_by_role("link", name="History").click()
    expect(page.locator(".ledger tbody tr:not(.ledger-day)")).to_have_count(24)
    expect(page.get_by_text("24 paintings")).to_be_visible()
    note_addresses(page, addresses)
    _download(page, tmp_path)

    sign_out(page)
    page.goto(f"{product.address}/history/")
    expect(page).to_have_url(re.compile("/accounts/login/"))


def test_second_person_sees_none_of_it(product: Product, visit: Visit, addresses: dict[str, set[str]]):
    page = visit()
    sign_up(page, product.address, "ben")

    assert page.locator(".card").count() == 0
    page.get_by_role("link", name="History").click()
    assert page.locator(".ledger tbody tr").count() == 0

    token = page.locator("[name=csrfmiddlewaretoken]").first.get_attribute("value") or ""
    got = {path: _get(page, product, path).status for path in addresses["get"]}
    posted = {path: _post(page, product, path, token).status for path in addresses["post"]}
    keys = {path.split("/")[2] for path in addresses["get"] if path.startswith("/photos/")}
    told = _get(page, product, f"/status/?photos={','.join(keys)}").json()
    assert len(keys) == 6
    assert told == {"photos": {}}
    assert len(addresses["get"]) > 50
    assert len(addresses["post"]) > 4
    assert {path: status for path, status in got.items() if status != 404} == {}
    assert {path: status for path, status in posted.items() if status != 404} == {}


def test_nobody_who_is_not_signed_in_sees_it(product: Product, visit: Visit, addresses: dict[str, set[str]]):
    page = visit()

    answers = [_get(page, product, path) for path in addresses["get"]]

    assert {answer.status for answer in answers} <= {302, 404}
    assert all("/accounts/login/" in answer.headers.get("location", "/accounts/login/") for answer in answers)


def _compare(page: Page) -> None:
    """Move the slider from photo to painting: what is seen changes with it."""
    slider = page.locator(".compare-slider")
    seen = []
    for key in ("1", "3"):
        page.keyboard.press(key)
        expect(slider).to_have_attribute("aria-valuetext", {"1": re.compile("^100"), "3": re.compile("^0")}[key])
        page.wait_for_timeout(400)
        seen.append(Image.open(io.BytesIO(page.locator("ba-compare").screenshot())).convert("RGB"))
    difference = ImageChops.difference(seen[0], seen[1]).convert("L")
    changed = sum(difference.histogram()[16:]) / (difference.width * difference.height)
    assert changed > 0.3


def test_nobody_waits_for_the_sample(product: Product, visit: Visit):
    page = visit()
    # A person takes longer to sign up on a fresh site than the workers to start.
    wait_until(lambda: _paintings_of_the_workshop(product) == 4, seconds=60)
    sign_up(page, product.address, "cyd")

    with page.expect_navigation() as arrival:
        page.get_by_role("button", name="Try it with this photo").click()

    # What the server sent, before any script has asked again.
    sent = arrival.value.text()
    assert 'data-stage="done"' in sent
    assert not re.search(r'data-stage="(waiting|reading|painting)"', sent)
    expect(page.locator(".compare-painting img").first).to_be_visible()


def _download(page: Page, folder: Path) -> None:
    """Save a painting: a whole picture with a name that tells what it is."""
    row = page.locator(".ledger tbody tr", has_text="prairie").filter(has=page.locator("[data-style=watercolor]"))
    with page.expect_download() as coming:
        row.get_by_role("link", name="Download").click()
    saved = folder / coming.value.suggested_filename
    coming.value.save_as(saved)
    image = Image.open(saved)
    image.load()
    assert (image.format, image.size) == ("JPEG", (800, 533))
    assert re.search("prairie.*watercolor", saved.name, re.IGNORECASE)


def _get(page: Page, product: Product, path: str) -> APIResponse:
    return page.context.request.get(product.address + path, max_redirects=0)


def _post(page: Page, product: Product, path: str, token: str) -> APIResponse:
    headers = {"Referer": product.address}
    form: dict[str, str | float | bool] = {
        "csrfmiddlewaretoken": token,
        "title": "stolen",
        "styles": "oil",
        "look": "fast",
    }
    return page.context.request.post(product.address + path, form=form, headers=headers, max_redirects=0)


def _paintings_of_the_workshop(product: Product) -> int:
    with closing(sqlite3.connect(f"file:{product.folder / 'artworkshop.sqlite3'}?mode=ro", uri=True)) as database:
        query = "SELECT count(*) FROM rendering_rendition WHERE lane = 'workshop' AND state = 'done'"
        return int(database.execute(query).fetchone()[0])
