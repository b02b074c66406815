"""Every page at two widths, light and dark, in both languages: `python -m tests.e2e.screenshots FOLDER`."""

import itertools
import os
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import django

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "tests.settings")
django.setup()

from playwright.sync_api import Browser, BrowserContext, Page, StorageState, expect, sync_playwright  # noqa: E402

from tests.e2e import product as products  # noqa: E402 - these need Django to be ready
from tests.e2e.product import PASSWORD, PHOTOS, Product, drop, sign_up  # noqa: E402

WIDTHS = (390, 1350)
THEMES = ("light", "dark")
LANGUAGES = ("en-US", "zh-CN")
SIGNED_OUT = {
    "landing": "/",
    "sign-up": "/accounts/signup/",
    "sign-in": "/accounts/login/",
    "password-reset": "/accounts/password/reset/",
    "not-found": "/photos/nobody-has-this-photo/",
}
SIGNED_IN = {
    "album": "/",
    "history": "/history/",
    "settings": "/settings/",
    "delete-account": "/settings/close/",
    "password-change": "/accounts/password/change/",
    "email": "/accounts/email/",
    "sign-out": "/accounts/logout/",
    "workshop": "/staff/",
    "savings": "/staff/savings/",
    "jobs": "/staff/jobs/",
    "readings": "/staff/jobs/?kind=reading",
    "audit": "/staff/audit/",
    "people": "/staff/people/",
    "notices": "/staff/notices/",
    "doctor": "/staff/doctor/",
    "invitations": "/staff/invitations/",
    "not-found-here": "/photos/nobody-has-this-photo/",
    "admin": "/admin/",
    "admin-renditions": "/admin/rendering/rendition/",
}


def main(folder: Path) -> None:
    """Run a product, fill it, and shoot all of its pages."""
    folder.mkdir(parents=True, exist_ok=True)
    with (
        tempfile.TemporaryDirectory(prefix="shots-") as name,
        products.product(Path(name) / "var") as product,
        sync_playwright() as playwright,
        products.browser(playwright) as browser,
    ):
        shoot_all(browser, product, {"set-up": product.setup.removeprefix(product.address)}, folder)
        admin = _first_admin(browser, product)
        shoot_all(browser, product, SIGNED_OUT, folder)
        shoot_all(browser, product, {"album-empty": "/", "history-empty": "/history/"}, folder, admin)
        pages = _filled(browser, product, admin)
        shoot_all(browser, product, SIGNED_IN | pages, folder, admin)


def shoot_all(
    browser: Browser, product: Product, pages: dict[str, str], folder: Path, who: StorageState | None = None
) -> None:
    """Shoot pages in every width, appearance and language."""
    for width, theme, language in itertools.product(WIDTHS, THEMES, LANGUAGES):
        with _window(browser, width, theme, language, who) as window:
            for name, path in pages.items():
                page = window.new_page()
                page.goto(product.address + path)
                _look_around(page)
                page.screenshot(path=folder / f"{name}-{width}-{theme}-{language[:2]}.png", full_page=True)
                page.close()


@contextmanager
def _window(
    browser: Browser, width: int, theme: str, language: str, who: StorageState | None
) -> Iterator[BrowserContext]:
    window = browser.new_context(
        viewport={"width": width, "height": 844 if width < 600 else 900},
        color_scheme="dark" if theme == "dark" else "light",
        locale=language,
        storage_state=who,
    )
    yield window
    window.close()


def _look_around(page: Page) -> None:
    """Scroll through the page once, so that pictures that come late are there."""
    height = page.evaluate("document.documentElement.scrollHeight")
    for place in range(0, height, 600):
        page.mouse.wheel(0, 600)
        page.wait_for_timeout(40 if place < 6000 else 0)
    page.wait_for_load_state("networkidle")
    page.evaluate("scrollTo(0, 0)")
    page.wait_for_timeout(150)


def _first_admin(browser: Browser, product: Product) -> StorageState:
    page = products.visitor(browser).new_page()
    page.goto(product.setup)
    page.locator("input[name=username]").fill("mira")
    page.locator("input[name=email]").fill("mira@example.org")
    for field in page.locator("input[type=password]").all():
        field.fill(PASSWORD)
    page.get_by_role("button", name="Open the workshop").click()
    expect(page.get_by_role("heading", name="Your album")).to_be_visible()
    return page.context.storage_state()


def _filled(browser: Browser, product: Product, who: StorageState) -> dict[str, str]:
    """Have photos painted for the admin and another person; return the pages that this makes."""
    other = products.visitor(browser).new_page()
    sign_up(other, product.address, "jonas")
    drop(other, [PHOTOS / "portrait.jpg"])
    page = browser.new_context(storage_state=who, locale="en-US").new_page()
    page.goto(product.address)
    photos = [path for path in sorted(PHOTOS.iterdir()) if path.suffix != ".md"]
    drop(page, photos)
    paintings = page.locator(".card-paintings [data-stage=done]")
    expect(paintings).to_have_count(4 * len(photos), timeout=180_000)
    card = page.locator(".card", has_text="falcon")
    photo = card.get_by_role("link").first.get_attribute("href") or ""
    oil = card.locator("[data-style=oil]").first.get_attribute("href") or ""
    return {"photo": photo, "photo-oil": oil, "remove-photo": f"{photo}remove/"}


if __name__ == "__main__":
    main(Path(sys.argv[1]))
