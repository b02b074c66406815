"""What pages may cost, measured in a real Chromium on real photos: requests, bytes, shifts, widths, the back button."""

from collections.abc import Iterator

import brotli  # type: ignore[import-untyped]  # it brings no types
import pytest
from playwright.sync_api import Browser, StorageState, expect, sync_playwright

from tests.e2e import measure, product
from tests.e2e.measure import Opened
from tests.load import pages
from tests.load.site import Site, running

pytestmark = [pytest.mark.e2e, pytest.mark.slow]

PHOTOS = 26  # more than a page of the album has
SCRIPT, STYLE, PAGE = 15_000, 8_000, 20_000  # bytes of a page as brotli has them
BEFORE_SCROLLING = 350_000
PICTURES = {"phone": 20, "desktop": 40}
SHIFT = 0.01
WIDTHS = (320, 390, 768, 1350, 1920)
PAGES = {"album": "/", "photo": "", "history": "/history/", "settings": "/settings/"}
DOORS = {"landing": "/", "sign-in": "/accounts/login/", "sign-up": "/accounts/signup/", "not found": "/nothing/"}
EVERYWHERE = [(name, device) for name in PAGES for device in measure.DEVICES]


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    """Run a Chromium that keeps pages for the back button, as people's own do and Playwright's does not."""
    kept = ["--disable-back-forward-cache"]
    with sync_playwright() as playwright:
        running = playwright.chromium.launch(
            executable_path=product.chromium(), args=product.OPTIONS, ignore_default_args=kept
        )
        yield running
        running.close()


@pytest.fixture(scope="module")
def site() -> Iterator[Site]:
    """The product with an album of real photos and their paintings."""
    with running(workers=2) as started:
        yield started


@pytest.fixture(scope="module")
def ann(site: Site) -> StorageState:
    """Somebody whose album is full; PAGES learns where one of the photos is."""
    person = pages.fill(site, PHOTOS)
    [key] = site.rows("SELECT key FROM gallery_photo ORDER BY id DESC")[0]
    PAGES["photo"] = f"/photos/{key}/"
    return pages.who(person)


@pytest.fixture
def opened(request: pytest.FixtureRequest, browser: Browser, site: Site, ann: StorageState) -> Iterator[Opened]:
    """A page on a device, as for the first time; nothing on it may be refused or fail."""
    name, device = request.param
    with measure.window(browser, device, ann) as context:
        errors: list[str] = []
        context.on("console", lambda said: errors.append(said.text) if said.type == "error" else None)
        context.on("weberror", lambda error: errors.append(str(error.error)))
        yield measure.open_page(context, site.address + PAGES[name])
        assert errors == []


@pytest.mark.parametrize("opened", EVERYWHERE, indirect=True, ids="-".join)
def test_page_keeps_to_its_budget_before_anybody_scrolls(opened: Opened, request: pytest.FixtureRequest):
    device = request.node.callspec.params["opened"][1]

    assert _brotli(opened, "script") <= SCRIPT
    assert _brotli(opened, "style") <= STYLE
    assert _brotli(opened, "page") <= PAGE
    assert opened.bytes_of("font") == 0
    assert opened.bytes <= BEFORE_SCROLLING
    assert len(opened.of("picture")) <= PICTURES[device]
    assert [each.address for each in opened.asked.values() if each.status >= 400] == []


@pytest.mark.parametrize("opened", EVERYWHERE, indirect=True, ids="-".join)
def test_nothing_moves_while_pictures_come_and_none_is_missing(opened: Opened):
    missing = opened.scroll()

    assert opened.seen("cls") <= SHIFT
    # 0 when the machine is quiet; without looking ahead it is more than half.
    assert missing <= 0.15


@pytest.mark.parametrize("opened", [("album", "phone"), ("album", "desktop")], indirect=True, ids="-".join)
def test_card_asks_for_its_paintings_once(opened: Opened):
    opened.scroll()

    asked = [each.address for each in opened.of("picture")]
    strips = [address for address in asked if "/strip-" in address]
    assert len(strips) == len(set(strips)) == 24
    assert [address for address in asked if "/media/artworks/" in address] == []


@pytest.mark.parametrize("opened", [("album", "phone")], indirect=True, ids="-".join)
def test_text_is_sent_compressed(opened: Opened):
    plain = [each.address for kind in ("page", "script", "style") for each in opened.of(kind) if not each.encoding]

    sizes = {each: len(opened.page.request.get(each).body()) for each in plain}

    assert [address for address, size in sizes.items() if size > 1000] == []


@pytest.mark.parametrize("name", PAGES)
def test_page_fits_every_width(browser: Browser, site: Site, ann: StorageState, name: str):
    with measure.window(browser, "desktop", ann) as context:
        opened = measure.open_page(context, site.address + PAGES[name])

        over = {width: _overflow_at(opened, width) for width in WIDTHS}

    assert over == dict.fromkeys(WIDTHS, 0)


@pytest.mark.parametrize("name", DOORS)
@pytest.mark.parametrize("device", measure.DEVICES)
def test_door_is_light_and_fits(browser: Browser, site: Site, name: str, device: str):
    with measure.window(browser, device) as context:
        opened = measure.open_page(context, site.address + DOORS[name])

        assert _brotli(opened, "script") <= SCRIPT
        assert _brotli(opened, "style") <= STYLE
        assert opened.bytes <= BEFORE_SCROLLING
        assert opened.seen("cls") <= SHIFT
        assert {width: _overflow_at(opened, width) for width in WIDTHS} == dict.fromkeys(WIDTHS, 0)


@pytest.mark.parametrize("name", PAGES)
def test_back_button_brings_the_page_back_as_it_was(browser: Browser, site: Site, ann: StorageState, name: str):
    with measure.window(browser, "desktop", ann) as context:
        opened = measure.open_page(context, site.address + PAGES[name])
        opened.page.evaluate("window.stayed = true")

        opened.page.goto("about:blank")
        opened.page.go_back(wait_until="commit")

        expect(opened.page.locator("main")).to_be_visible()
        assert opened.page.evaluate("[window.stayed, probe.restored]") == [True, True]


def test_more_photos_join_the_page_and_the_place_is_kept(browser: Browser, site: Site, ann: StorageState):
    with measure.window(browser, "desktop", ann) as context:
        page = measure.open_page(context, site.address).page
        cards, chosen = page.locator(".card"), page.locator(".chosen-count")

        page.get_by_role("link", name="More photos").click()
        expect(cards).to_have_count(PHOTOS, timeout=20_000)
        expect(cards.nth(24).locator(".plate-title a")).to_be_focused()
        expect(page.locator("#announcer")).to_have_text("2 more photos")
        expect(page.get_by_role("link", name="More photos")).to_have_count(0)
        for key in ("x", "j", "Shift+X"):
            page.keyboard.press(key)
        expect(chosen).to_have_text("2 photos chosen")
        page.keyboard.press("Escape")
        assert page.url == f"{site.address}/"

        cards.last.scroll_into_view_if_needed()
        place = page.evaluate("scrollY")
        cards.last.locator(".card-cover").click()
        expect(page.get_by_role("heading", level=1)).to_be_visible()
        page.go_back(wait_until="commit")
        for made_again in (False, True):
            if made_again:
                page.reload()
            expect(cards).to_have_count(PHOTOS, timeout=20_000)
            page.wait_for_function("(place) => Math.abs(scrollY - place) < 100", arg=place)
            assert page.evaluate("probe.restored") is not made_again


@pytest.mark.parametrize("name", PAGES)
def test_pictures_know_their_size_and_have_words(browser: Browser, site: Site, ann: StorageState, name: str):
    with measure.window(browser, "desktop", ann) as context:
        opened = measure.open_page(context, site.address + PAGES[name])

        lacking = opened.page.evaluate(
            """() => [...document.images].filter((each) => !(
                each.hasAttribute("width") && each.hasAttribute("height") && each.hasAttribute("alt")
                && each.decoding === "async")).map((each) => each.outerHTML.slice(0, 200))"""
        )

    assert lacking == []


def test_album_shows_every_picture_without_scripts(browser: Browser, site: Site, ann: StorageState):
    with measure.window(browser, "phone", ann, java_script_enabled=False) as context:
        page = context.new_page()
        page.goto(site.address)
        page.locator("footer").scroll_into_view_if_needed()
        text = page.content()

    assert text.count("/strip-") >= 4 * 24


def _brotli(opened: Opened, kind: str) -> int:
    """Return the bytes of a page's files of one kind as brotli has them, whatever they were sent as."""
    bodies = [opened.page.request.get(each.address).body() for each in opened.of(kind)]
    return sum(len(brotli.compress(body)) for body in bodies)


def _overflow_at(opened: Opened, width: int) -> int:
    opened.page.set_viewport_size({"width": width, "height": 900})
    return opened.overflow()
