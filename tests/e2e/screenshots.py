"""Pictures of every page, to be looked at, and sheets that show many of them at once.

English, Chinese and the twin that is written from right to left; light and dark; a phone and a desktop. It says which
page is wider than its window.

Usage: python -m tests.e2e.screenshots FOLDER [--page album --page photo] [--language en] [--width 390]
"""

import argparse
import itertools
import os
import sys
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import NamedTuple

import django

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "tests.settings")
django.setup()

from PIL import Image, ImageDraw  # noqa: E402 - these need Django to be ready
from playwright.sync_api import Browser, Page, sync_playwright  # noqa: E402

from tests.e2e import everywhere, product, pseudo  # noqa: E402
from tests.e2e.everywhere import MORE, PAGES, Everything  # noqa: E402
from tests.load import pages  # noqa: E402

ALL = PAGES | MORE
HEIGHTS = {390: 844, 1350: 900}
THEMES = ("light", "dark")
LANGUAGES = ("en", "zh-Hans", pseudo.FROM_THE_RIGHT)
COLUMNS = {390: 8, 1350: 4}
SHOWN = {390: (300, 900), 1350: (560, 620)}  # of each page on a sheet
OVERFLOW = "document.documentElement.scrollWidth - document.documentElement.clientWidth"


class View(NamedTuple):
    """How pages are looked at."""

    width: int
    language: str
    theme: str


def main() -> None:
    """Run a product that shows everything, and shoot all of its pages."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("folder", type=Path)
    parser.add_argument("--page", action="append", choices=ALL)
    parser.add_argument("--language", action="append", choices=LANGUAGES)
    parser.add_argument("--theme", action="append", choices=THEMES)
    parser.add_argument("--width", action="append", type=int, choices=HEIGHTS)
    options = parser.parse_args()
    options.folder.mkdir(parents=True, exist_ok=True)
    views = itertools.product(options.width or HEIGHTS, options.language or LANGUAGES, options.theme or THEMES)
    with (
        everywhere.everything() as everything,
        sync_playwright() as playwright,
        product.browser(playwright) as browser,
    ):
        for view in map(View._make, views):
            shots = list(shoot(browser, everything, options.page or list(ALL), view, options.folder))
            _sheet(shots, view).save(options.folder / f"sheet-{_name(view)}.png")


def shoot(
    browser: Browser, everything: Everything, names: Sequence[str], view: View, folder: Path
) -> Iterator[tuple[str, Path]]:
    """Shoot pages in one view; yield the name and the file of each."""
    windows = {who: _window(browser, pages.who(person), view) for who, person in everything.people.items()}
    for name in names:
        window, file = windows[ALL[name].who], folder / f"{name}-{_name(view)}.png"
        window.goto(everything.address(name))
        _look_around(window)
        if window.evaluate(OVERFLOW) > 0:
            sys.stdout.write(f"{file.stem} is wider than its window\n")
        window.screenshot(path=file, full_page=True)
        yield name, file
    for window in windows.values():
        window.context.close()


def _window(browser: Browser, state: object, view: View) -> Page:
    return browser.new_context(
        viewport={"width": view.width, "height": HEIGHTS[view.width]},
        color_scheme="dark" if view.theme == "dark" else "light",
        extra_http_headers={"Accept-Language": view.language},
        storage_state=state,  # type: ignore[arg-type]  # built from parts
    ).new_page()


def _name(view: View) -> str:
    return f"{view.width}-{view.language}-{view.theme}"


def _look_around(page: Page) -> None:
    """Scroll through the page once, so that pictures that come late are there."""
    height = page.evaluate("document.documentElement.scrollHeight")
    for place in range(0, height, 600):
        page.mouse.wheel(0, 600)
        page.wait_for_timeout(40 if place < 6000 else 0)
    # A page that shows unfinished work keeps a stream of events open, and is never without requests.
    page.wait_for_function("() => [...document.images].every((each) => each.complete || !each.checkVisibility())")
    page.evaluate("scrollTo(0, 0)")
    page.wait_for_timeout(150)


def _sheet(shots: Sequence[tuple[str, Path]], view: View) -> Image.Image:
    """Return the tops of pages side by side, with their names."""
    columns, (width, height) = COLUMNS[view.width], SHOWN[view.width]
    rows = -(-len(shots) // columns)
    sheet = Image.new("RGB", (columns * (width + 8), rows * (height + 24)), "gray")
    draw = ImageDraw.Draw(sheet)
    for number, (name, file) in enumerate(shots):
        x, y = number % columns * (width + 8), number // columns * (height + 24)
        with Image.open(file) as shot:
            whole = shot.convert("RGB").resize((width, round(shot.height * width / shot.width)))
        sheet.paste(whole.crop((0, 0, width, min(height, whole.height))), (x, y + 16))
        draw.text((x + 4, y + 2), name, fill="white")
    return sheet


if __name__ == "__main__":
    main()
