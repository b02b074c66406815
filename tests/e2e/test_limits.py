"""A limit in a real browser: what is over it waits in the page with its time, and is sent again by itself."""

from collections.abc import Iterator
from pathlib import Path

import pytest
import redis
from playwright.sync_api import Browser, Locator, Page, expect

from tests.e2e.product import PHOTOS, Product, drop, product, sign_up, visitor

pytestmark = [pytest.mark.e2e, pytest.mark.slow]

FILES = ["denali.webp", "portrait.jpg", "prairie_falcon.jpg", "silver_fir.jpg"]
HOUR = 3600


@pytest.fixture
def site(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Product]:
    """Run a product that allows little."""
    monkeypatch.setenv("UPLOADS_AN_HOUR", "2")
    monkeypatch.setenv("PAINTINGS_AN_HOUR", "6")
    with product(tmp_path / "var", workers=1) as running:
        yield running


def an_hour_passes(site: Product, page: Page) -> None:
    """Make what was counted an hour older, and turn the page's clock on."""
    [socket] = (site.folder / "valkey").glob("*.sock")
    with redis.Redis(unix_socket_path=str(socket)) as counts:
        for key in counts.keys("LIMITS:uploads/*"):
            times = [float(each) - HOUR - 1 for each in counts.lrange(key, 0, -1)]
            counts.delete(key)
            counts.rpush(key, *times)
    page.clock.fast_forward(1000 * HOUR)


def rows(page: Page, state: str) -> Locator:
    return page.locator(f".upload-file[data-state={state}]")


def test_photos_over_the_limit_wait_in_the_page_and_are_sent_by_themselves(browser: Browser, site: Product):
    page = visitor(browser, timezone_id="Asia/Shanghai").new_page()
    sign_up(page, site.address, "jonas")
    page.clock.install()
    page.reload()

    drop(page, [PHOTOS / name for name in FILES])

    expect(rows(page, "paused")).to_have_count(2)
    expect(rows(page, "paused").first).to_contain_text("The next can come at")
    expect(page.locator(".upload-allowance")).to_contain_text("Photos sent in the last hour: 2 of 2")
    expect(page.locator(".card")).to_have_count(2)
    expect(page.locator(".standing", has_text="Held: goes by itself at")).to_have_count(1, timeout=60_000)

    an_hour_passes(site, page)

    expect(page.locator(".card")).to_have_count(4)
    expect(rows(page, "paused")).to_have_count(0)
