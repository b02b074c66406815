"""A photo's page in a real browser: tabs, slider, keys, full screen, own values with sketches, and what is saved."""

import io
import re
from pathlib import Path
from typing import Literal
from urllib.parse import urljoin

import pytest
from PIL import Image
from playwright.sync_api import Browser, Page, expect

from tests.e2e.product import PHOTOS, Product, drop, sign_up

pytestmark = [pytest.mark.e2e, pytest.mark.slow]


@pytest.fixture(scope="module")
def opened(product: Product, browser: Browser) -> Page:
    """Return the page of a photo that is painted in all styles."""
    page = browser.new_context(locale="en-US", viewport={"width": 1350, "height": 900}).new_page()
    sign_up(page, product.address, "iris")
    drop(page, [PHOTOS / "denali.webp"])
    expect(page.locator(".card-paintings [data-stage=done]")).to_have_count(4, timeout=120_000)
    page.locator(".card").get_by_role("link").first.click()
    expect(page.locator(".tab")).to_have_count(4)
    return page


@pytest.fixture
def page(opened: Page) -> Page:
    """Return that page with nothing chosen."""
    opened.goto(opened.url.split("?")[0].split("#")[0])
    opened.wait_for_function("() => customElements.get('take-home') !== undefined")
    return opened


def chosen(page: Page) -> str:
    return page.locator(".tab[aria-current=page] .tab-name").inner_text()


def test_keys_go_from_painting_to_painting_and_show_the_photo(page: Page):
    names = page.locator(".tab-name").all_inner_texts()
    slider = page.locator(".compare-slider")

    seen = [chosen(page)]
    for key in ("]", "]", "["):
        before = page.url
        # Keys are heard once the page's scripts have come, after its pictures.
        while page.url == before:
            page.keyboard.press(key)
            page.wait_for_timeout(500)
        page.wait_for_load_state()
        page.wait_for_function("() => customElements.get('ba-compare') !== undefined")
        seen.append(chosen(page))
    page.keyboard.press("3")
    expect(slider).to_have_attribute("aria-valuetext", re.compile("^0 % photo"))
    page.keyboard.down(" ")
    held = page.evaluate("() => getComputedStyle(document.querySelector('ba-compare')).getPropertyValue('--photo')")
    page.keyboard.up(" ")
    let_go = page.evaluate("() => getComputedStyle(document.querySelector('ba-compare')).getPropertyValue('--photo')")

    assert seen == [names[0], names[1], names[2], names[1]]
    assert (held, let_go) == ("100%", "0%")
    assert page.evaluate("scrollY") == 0


def test_words_below_the_picture_stand_on_one_line(page: Page):
    feet = page.evaluate(
        """() => [...document.querySelectorAll(".wall-ways :is(a, button)")].map((each) => {
            const words = document.createRange();
            words.selectNodeContents(each.lastChild);
            return Math.round(words.getBoundingClientRect().bottom);
        })"""
    )

    assert len(feet) == 2
    assert len(set(feet)) == 1


def test_d_saves_and_typing_is_no_command(page: Page):
    with page.expect_download() as coming:
        page.keyboard.press("d")
    assert re.search(r"denali.*\.jpg", coming.value.suggested_filename, re.IGNORECASE)

    page.locator("summary", has_text="Title and description").click()
    field = page.get_by_label("Title", exact=True)
    field.press("End")
    field.type("d]1")
    expect(field).to_have_value(re.compile(r"d\]1$"))
    assert "artwork=" not in page.url


def test_full_screen_shows_all_paintings_larger_by_keys_and_pointer(page: Page):
    page.locator("[data-view]").click()
    viewer = page.locator(".viewer")
    name = viewer.locator(".viewer-name")
    expect(viewer).to_be_visible()
    expect(name).to_have_text(re.compile(r"\(2/5\)"))

    page.keyboard.press("ArrowRight")
    expect(name).to_have_text(re.compile(r"\(3/5\)"))
    for _ in range(2):
        page.keyboard.press("ArrowLeft")
    expect(name).to_have_text(re.compile(r"Photo \(1/5\)"))

    image = viewer.locator("img")
    before = image.bounding_box()
    page.keyboard.press("+")
    page.mouse.move(400, 300)
    page.mouse.wheel(0, -300)
    larger = image.bounding_box()
    page.mouse.down()
    page.mouse.move(460, 330)
    page.mouse.up()
    moved = image.bounding_box()
    assert before
    assert larger
    assert moved
    assert larger["width"] == pytest.approx(1.8 * before["width"], rel=0.01)
    assert (moved["x"] - larger["x"], moved["y"] - larger["y"]) == pytest.approx((60, 30), abs=1)

    page.keyboard.press("Escape")
    expect(viewer).to_be_hidden()
    assert page.evaluate("document.activeElement.matches('[data-view]')")


def test_fingers_turn_the_page_and_pinch(page: Page):
    """Two fingers that go apart enlarge what is between them, and take it along."""
    touch = page.context.new_cdp_session(page)
    page.locator("[data-view]").click()
    name, image = page.locator(".viewer-name"), page.locator(".viewer img")
    expect(name).to_have_text(re.compile(r"\(2/5\)"))

    def drag(*ways: list[tuple[int, int]]) -> None:
        for kind, at in (("touchStart", 0), ("touchMove", 1), ("touchMove", -1)):
            points = [{"x": way[at][0], "y": way[at][1], "id": finger} for finger, way in enumerate(ways)]
            touch.send("Input.dispatchTouchEvent", {"type": kind, "touchPoints": points})
        touch.send("Input.dispatchTouchEvent", {"type": "touchEnd", "touchPoints": []})

    drag([(800, 400), (600, 405), (500, 405)])
    expect(name).to_have_text(re.compile(r"\(3/5\)"))
    drag([(500, 400), (600, 400), (700, 410)])
    expect(name).to_have_text(re.compile(r"\(2/5\)"))
    drag([(500, 400), (510, 500), (510, 700)])
    expect(name).to_have_text(re.compile(r"\(2/5\)"))

    before = image.bounding_box()
    drag([(600, 400), (550, 400), (520, 420)], [(700, 400), (750, 400), (820, 420)])
    after = image.bounding_box()
    assert before
    assert after
    assert after["width"] == pytest.approx(3 * before["width"], rel=0.01)
    middle = [(650 - box["x"], 400 - box["y"]) for box in (before, after)]
    assert middle[1] == pytest.approx((3 * middle[0][0] - 20, 3 * middle[0][1] - 20), abs=2)
    drag([(800, 400), (600, 405), (500, 405)])
    expect(name).to_have_text(re.compile(r"\(2/5\)"))
    page.keyboard.press("Escape")


def test_keys_are_listed_and_lead_to_sharing_and_to_the_bin(page: Page):
    page.keyboard.press("?")
    expect(page.locator("#keys")).to_contain_text("the photo, for as long as it is held")
    page.keyboard.press("Escape")
    expect(page.locator("#keys")).to_be_hidden()

    page.keyboard.press("s")
    expect(page.get_by_role("heading", level=1)).to_have_text("Share by a link")
    page.go_back()
    page.wait_for_function("() => customElements.get('take-home') !== undefined")
    page.keyboard.press("Delete")
    page.locator(".message").get_by_role("button", name="Undo").click()
    expect(page.locator(".card")).to_have_count(1)
    page.locator(".card").get_by_role("link").first.click()
    expect(page.locator(".tab")).to_have_count(4)


def test_own_values_are_sketched_painted_and_compared(page: Page):
    page.locator(".tab[data-style=oil]").click()
    page.get_by_role("link", name="Paint again with").click()
    words = page.locator("figcaption [role=status]")
    before = page.locator(".sketch img").screenshot()

    knob = page.get_by_label("Brush size")
    knob.fill("30")
    expect(page.locator(".knob", has=knob).locator("output")).to_have_text("30 px")
    expect(words).to_contain_text("A quick sketch", timeout=30_000)
    assert page.locator(".sketch img").screenshot() != before
    assert page.evaluate("document.querySelector('.sketch img').decode().then(() => true)")

    switch = page.get_by_label("Brush grows with the picture")
    expect(page.locator(".knob", has=switch).locator("output")).to_have_text("on")

    page.get_by_role("button", name="Paint").click()
    changed = page.locator(".tab[aria-current=page]")
    expect(changed.locator(".tab-look")).to_have_text("Studio, changed")
    expect(changed).to_have_attribute("data-stage", "done", timeout=60_000)
    expect(page.locator("[data-slot=chosen]")).to_contain_text("Brush size")
    expect(page.locator(".version")).to_have_count(2)
    page.locator(".version").last.scroll_into_view_if_needed()
    expect(page.locator(".version img[data-src]")).to_have_count(0)

    page.locator(".version-ways").get_by_role("link", name="Compare").click()
    expect(page.locator(".compare-photo figcaption")).to_have_text("Studio")
    expect(page.locator(".compare-painting figcaption")).to_have_text("Studio, changed")
    page.keyboard.press("1")
    expect(page.locator(".compare-slider")).to_have_attribute("aria-valuetext", "100 % of the first, 0 % of the second")
    page.get_by_role("link", name="Compare with the photo").click()
    expect(page.locator(".compare-photo figcaption")).to_have_text("Photo")


def test_print_is_saved_for_its_sheet_without_the_recipe(page: Page, tmp_path: Path):
    page.get_by_label("Format").select_option("png")
    page.get_by_label("Size", exact=True).select_option("10x15")
    page.get_by_label("Without the recipe inside").check()
    with page.expect_download(timeout=60_000) as coming:
        page.get_by_role("button", name="Download").click()

    coming.value.save_as(tmp_path / "print.png")
    content = (tmp_path / "print.png").read_bytes()
    image = Image.open(io.BytesIO(content))
    assert b"Recipe" not in content
    assert b"Parameters" not in content
    assert max(image.size) / image.info["dpi"][0] == pytest.approx(150 / 25.4, abs=0.2)


def test_page_works_without_scripts(page: Page, browser: Browser):
    state = page.context.storage_state()
    plain = browser.new_context(java_script_enabled=False, storage_state=state, locale="en-US").new_page()
    plain.goto(page.url)

    plain.locator(".tab[data-style=watercolor]").click()
    plain.get_by_role("link", name="Paint again with").click()
    plain.locator(".knob input").first.fill("44")
    plain.get_by_role("button", name="Paint").click()

    expect(plain.locator(".tab[aria-current=page] .tab-look")).to_have_text("Studio, changed")
    expect(plain.locator(".version")).to_have_count(2)
    plain.context.close()


@pytest.mark.parametrize("width", [390, 1350])
@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_page_has_room_at_every_width(page: Page, width: int, scheme: Literal["light", "dark"], tmp_path_factory):
    page.set_viewport_size({"width": width, "height": 844})
    page.emulate_media(color_scheme=scheme)
    page.locator(".tab[data-style=oil]").first.click()
    values = page.get_by_role("link", name="Paint again with").get_attribute("href") or ""

    for name, address in {"photo": page.url, "values": values}.items():
        page.goto(urljoin(page.url, address))
        page.wait_for_timeout(500)
        overflow = page.evaluate("document.documentElement.scrollWidth - document.documentElement.clientWidth")
        shots = tmp_path_factory.getbasetemp() / f"{name}-{width}-{scheme}.png"
        page.screenshot(path=shots, full_page=True)
        assert overflow <= 0
    page.go_back()
    page.set_viewport_size({"width": 1350, "height": 900})
