"""Sending photos in a real browser: what is not sent yet outlives pages and limits, and belongs to one person."""

import json
import re
from collections.abc import Iterator

import pytest
from playwright.sync_api import Browser, BrowserContext, Locator, Page, Request, Route, expect

from tests.e2e.product import PHOTOS, Product, drop, sign_out, sign_up, visitor

pytestmark = [pytest.mark.e2e, pytest.mark.slow]

FILES = [PHOTOS / name for name in ("denali.webp", "portrait.jpg", "prairie_falcon.jpg", "silver_fir.jpg")]
SEND = re.compile(r"/photos/$")
NO_ROOM = "IDBObjectStore.prototype.add = () => { throw new DOMException('full', 'QuotaExceededError'); };"
NO_STORE = "Object.defineProperty(window, 'indexedDB', { value: undefined });"

KEPT = """async () => {
    if (!(await indexedDB.databases()).some((each) => each.name === "uploads")) return 0;
    return new Promise((done) => {
        indexedDB.open("uploads").onsuccess = ({ target: { result: base } }) => {
            base.transaction("files").objectStore("files").count().onsuccess = (event) => {
                base.close();
                done(event.target.result);
            };
        };
    });
}"""


# What is said of the whole, as often as it changes and is seen.
SUMS = """() => {
    window.sums = [];
    const all = document.querySelector(".upload-all");
    new MutationObserver(() => {
        const said = all.firstElementChild.textContent;
        if (!all.hidden && said !== window.sums.at(-1)) window.sums.push(said);
    }).observe(all, { childList: true, subtree: true, attributes: true });
}"""


@pytest.fixture
def window(browser: Browser) -> Iterator[BrowserContext]:
    """The browser of somebody who was never here."""
    context = visitor(browser)
    yield context
    context.close()


def later(route: Route, request: Request) -> None:
    body = json.dumps({"text": "There is no room."})
    route.fulfill(status=503, headers={"Retry-After": "3600"}, content_type="application/json", body=body)


def posts(context: BrowserContext) -> list[str]:
    """Return a list that gets every file that is sent from now on."""
    sent: list[str] = []
    context.on(
        "request", lambda each: sent.append(each.url) if each.method == "POST" and SEND.search(each.url) else None
    )
    return sent


def rows(page: Page, state: str) -> Locator:
    return page.locator(f".upload-file[data-state={state}]")


def expect_kept(page: Page, count: int) -> None:
    """Wait until the browser keeps so many photos."""
    for _ in range(100):
        if page.evaluate(KEPT) == count:
            return
        page.wait_for_timeout(100)
    assert page.evaluate(KEPT) == count


def test_photos_that_wait_outlive_their_page_and_are_sent_once(window: BrowserContext, product: Product):
    page = window.new_page()
    sign_up(page, product.address, "wanda")
    window.route(SEND, later)
    page.locator(".upload-options summary").click()
    for style in ("pencil", "color-pencil", "watercolor"):
        page.locator(f".upload [value={style}]").uncheck()

    drop(page, FILES)
    expect(rows(page, "paused").first).to_contain_text("There is no room. This goes on by itself at")
    rows(page, "waiting").last.get_by_role("button", name="Cancel").click()
    expect(rows(page, "cancelled")).to_contain_text("Not sent")
    expect_kept(page, 3)

    other = window.new_page()
    other.goto(product.address)
    other.wait_for_function("() => document.querySelector('photo-upload').loading")
    other.wait_for_timeout(500)
    expect(other.locator(".upload-file")).to_have_count(0)
    page.close()
    expect(other.locator(".upload-file")).to_have_count(3)
    other.reload()
    expect(rows(other, "waiting")).to_have_count(1)
    expect(rows(other, "paused").first).to_contain_text("This goes on by itself at")

    window.unroute(SEND)
    sent = posts(window)
    for row in reversed(rows(other, "paused").all()):
        row.get_by_role("button", name="Try again").click()
    expect(other.locator(".card")).to_have_count(3)
    expect(other.locator(".card-paintings li")).to_have_count(3)
    expect(rows(other, "added")).to_have_count(0, timeout=12_000)
    expect_kept(other, 0)
    assert len(sent) == 3


def test_sum_counts_each_photo_once(window: BrowserContext, product: Product):
    page = window.new_page()
    sign_up(page, product.address, "sam")
    page.evaluate(SUMS)

    drop(page, FILES)
    expect(page.locator(".card")).to_have_count(4)
    expect(page.locator(".upload-all")).to_be_hidden()

    sums = page.evaluate("window.sums")
    assert sums == sorted(set(sums))
    assert sums[0].endswith("of 4 sent")
    assert len({each.partition(" of ")[2] for each in sums}) == 1


def test_lost_line_is_waited_for_and_nothing_is_sent_twice(window: BrowserContext, product: Product):
    page = window.new_page()
    sign_up(page, product.address, "nils")
    drop(page, FILES[:1])
    expect(page.locator(".card")).to_have_count(1)

    window.set_offline(True)
    drop(page, FILES)
    expect(rows(page, "lost").first).to_contain_text("Nothing is lost: this goes on by itself.")
    sent = posts(window)
    window.set_offline(False)

    known = rows(page, "known")
    expect(known).to_contain_text(re.compile("Painted before: here it is|In your album already"))
    expect(page.locator(".card")).to_have_count(4)
    assert len(sent) == 3
    known.get_by_role("link").click()
    expect(page.get_by_role("heading", level=1)).to_contain_text("denali")


def test_photos_of_whoever_signs_out_are_never_sent_by_the_next(window: BrowserContext, product: Product):
    page = window.new_page()
    sign_up(page, product.address, "petra")
    window.route(SEND, later)
    drop(page, FILES[:2])
    expect_kept(page, 2)

    sign_out(page)
    expect_kept(page, 0)

    sign_up(page, product.address, "quinn")
    drop(page, FILES[:2])
    expect(rows(page, "paused")).to_have_count(2)
    expect_kept(page, 2)
    left = window.new_page()  # as if the other had been away for longer than a session lasts
    window.clear_cookies()
    window.unroute(SEND)
    sent = posts(window)
    sign_up(left, product.address, "rosa")
    rows(page, "paused").first.get_by_role("button", name="Try again").click()
    expect(rows(page, "out")).to_contain_text("You are not signed in any more.")
    expect(left.locator(".upload-file")).to_have_count(0)
    page.close()
    left.reload()
    left.wait_for_load_state("networkidle")
    expect_kept(left, 0)
    expect(left.locator(".card")).to_have_count(0)
    assert len(sent) == 1


@pytest.mark.parametrize(("lack", "said"), [(NO_ROOM, "Leave this page open until they are sent."), (NO_STORE, "")])
def test_browser_that_keeps_nothing_sends_all_the_same(
    browser: Browser, window: BrowserContext, product: Product, lack: str, said: str
):
    page = window.new_page()
    page.add_init_script(lack)
    sign_up(page, product.address, f"tom{len(said)}")
    window.route(SEND, later)

    drop(page, FILES[:1])
    expect(rows(page, "paused")).to_have_count(1)
    expect(page.locator(".upload-note")).to_contain_text(said)
    page.locator("h1").click()  # a page that nobody has touched may not ask
    with page.expect_event("dialog") as question:
        page.close(run_before_unload=True)
    assert question.value.type == "beforeunload"
    question.value.dismiss()
    window.unroute(SEND)
    rows(page, "paused").get_by_role("button", name="Try again").click()
    expect(page.locator(".card")).to_have_count(1)
