"""One product and one Chromium for each file of tests, and a picture of every page that was open when a test failed."""

import re
from collections.abc import Callable, Generator, Iterator

import pytest
from playwright.sync_api import Browser, BrowserContext, Page, sync_playwright

from tests.e2e import product as products
from tests.e2e.product import Product
from tests.processes import ROOT

FAILURES = ROOT / "tests" / "failures"
FAILED = pytest.StashKey[bool]()
Visit = Callable[[], Page]


@pytest.fixture(scope="module")
def product(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Product]:
    """The product, started as an admin starts it."""
    with products.product(tmp_path_factory.mktemp("e2e") / "var") as running:
        yield running


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    """Run a real Chromium, not longer than a file: while Playwright runs, Django takes everything for asynchronous."""
    with sync_playwright() as playwright, products.browser(playwright) as running:
        yield running


@pytest.fixture
def visit(browser: Browser, request: pytest.FixtureRequest) -> Iterator[Visit]:
    """Return a function that opens the window of somebody who was never here; no page may say an error in it."""
    windows: list[BrowserContext] = []
    errors: list[str] = []

    def visit() -> Page:
        windows.append(products.visitor(browser))
        page = windows[-1].new_page()
        page.on("pageerror", lambda error: errors.append(str(error)))
        page.on("console", lambda said: errors.append(said.text) if said.type == "error" else None)
        return page

    yield visit
    if request.node.stash.get(FAILED, False):
        _keep_pictures(request.node.name, windows)
    for window in windows:
        window.close()
    assert errors == []


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(item: pytest.Item) -> Generator[None, pytest.TestReport, pytest.TestReport]:
    """Note that a test has failed, for the fixtures that it leaves."""
    report = yield
    item.stash[FAILED] = item.stash.get(FAILED, False) or report.failed
    return report


def _keep_pictures(name: str, windows: list[BrowserContext]) -> None:
    FAILURES.mkdir(exist_ok=True)
    for number, page in enumerate([page for window in windows for page in window.pages], 1):
        stem = re.sub(r"[^\w-]", "_", f"{name}-{number}")
        page.screenshot(path=FAILURES / f"{stem}.png", full_page=True)
        (FAILURES / f"{stem}.html").write_text(page.content())
