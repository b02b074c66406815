"""The album in a real browser: keys, choosing several, deleting and undoing it, and all of that without scripts."""

import re

import pytest
from playwright.sync_api import Browser, Page, expect

from tests.e2e.conftest import Visit
from tests.e2e.product import PHOTOS, Product, drop, sign_up, visitor

pytestmark = [pytest.mark.e2e, pytest.mark.slow]

FILES = ["denali.webp", "portrait.jpg", "prairie_falcon.jpg", "silver_fir.jpg", "tanners_ridge.jpg"]


def fill(page: Page, address: str, name: str) -> None:
    sign_up(page, address, name)
    drop(page, [PHOTOS / file for file in FILES])
    # No reload: cards that have just come must do what all others do.
    expect(page.locator(".card")).to_have_count(len(FILES), timeout=60_000)


def test_album_by_keys(product: Product, visit: Visit):
    page = visit()
    fill(page, product.address, "keys")
    keys, hearts = page.keyboard, page.locator(".heart[aria-pressed=true]")

    keys.press("j")
    keys.press("f")
    expect(hearts).to_have_count(1)
    keys.press("x")
    for key in ("j", "j", "Shift+X"):
        keys.press(key)
    expect(page.locator(".chosen-count")).to_have_text("3 photos chosen")
    keys.press("Escape")
    expect(page.locator(".card-choose:checked")).to_have_count(0)

    keys.press("Delete")
    expect(page.locator(".toast")).to_contain_text("1 photo was removed.")
    expect(page.locator(".card")).to_have_count(4)
    page.locator(".toast").get_by_role("button", name="Undo").click()
    expect(page.locator(".card")).to_have_count(5)

    keys.press("?")
    expect(page.locator("#keys")).to_be_visible()
    keys.press("Escape")
    keys.press("j")
    with page.expect_download() as coming:
        keys.press("d")
    assert coming.value.suggested_filename.endswith(".zip")
    keys.press("s")
    expect(page).to_have_url(re.compile(r"/shares/new/\?photos=[\w-]+$"))
    page.go_back()
    page.reload()
    page.wait_for_function("() => document.documentElement.classList.contains('choosing')")
    page.wait_for_timeout(500)  # for the module of the keys, which comes after this one
    keys.press("/")
    keys.type("denali")
    keys.press("Enter")
    expect(page.locator(".card")).to_have_count(1)
    expect(page).to_have_url(re.compile("words=denali"))


def test_range_is_deleted_and_comes_back_in_its_place(product: Product, visit: Visit):
    page = visit()
    fill(page, product.address, "range")
    titles = page.locator(".plate-title").all_inner_texts()
    boxes = page.locator(".card-choose")

    boxes.nth(1).click()
    boxes.nth(3).click(modifiers=["Shift"])
    page.locator("#chosen").get_by_role("button", name="Delete").click()
    expect(page.locator(".card")).to_have_count(2)
    page.locator(".toast button").click()

    expect(page.locator(".plate-title")).to_have_text(titles)
    expect(page.locator(".card-choose:checked")).to_have_count(0)


def test_album_without_scripts(browser: Browser, product: Product, visit: Visit):
    page = visit()
    fill(page, product.address, "plain")
    window = visitor(browser, java_script_enabled=False, storage_state=page.context.storage_state())
    plain = window.new_page()
    plain.goto(product.address)

    for number in (0, 2):
        plain.locator(".card-choose").nth(number).check()
    plain.locator("#chosen").get_by_role("button", name="Delete").click()
    expect(plain.locator(".card")).to_have_count(3)
    plain.locator(".message").get_by_role("button", name="Undo").click()
    expect(plain.locator(".card")).to_have_count(5)

    plain.locator(".card-choose").nth(4).check()
    plain.locator("#chosen").get_by_role("button", name="Delete").click()
    plain.get_by_role("link", name="Bin (1)").click()
    expect(plain.locator("#chosen")).to_be_hidden()
    plain.locator(".card-choose").check()
    plain.locator("#chosen").get_by_role("button", name="Bring the chosen ones back").click()
    expect(plain.locator(".empty")).to_have_text("The bin is empty.")
    window.close()
