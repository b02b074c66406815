"""What people do most, in the browsers of other makers: Firefox, and WebKit as it is in Safari and GNOME's browser."""

import io
import secrets
from collections.abc import Iterator
from pathlib import Path

import pytest
from PIL import Image, ImageChops

from tests.e2e import webdriver
from tests.e2e.conftest import FAILED, FAILURES
from tests.e2e.product import PASSWORD, PHOTOS, Product
from tests.e2e.webdriver import SECONDS, Window
from tests.processes import wait_until

pytestmark = [pytest.mark.e2e, pytest.mark.slow]

LEFT, RIGHT, ESCAPE = "\ue012", "\ue014", "\ue00c"
COUNT = "document.querySelectorAll(arguments[0]).length === arguments[1]"
TEXT = "document.querySelector(arguments[0])?.innerText.includes(arguments[1])"
VALUE = "document.querySelector('.compare-slider').getAttribute('aria-valuetext').startsWith(arguments[0])"
MODULES = """[...document.querySelectorAll('main *')].every(
    each => !each.localName.includes('-') || customElements.get(each.localName))"""
DESK = "document.body.append(Object.assign(document.createElement('input'), {type: 'file', id: 'desk'}))"
DROP = """
const dataTransfer = new DataTransfer();
for (const file of document.getElementById('desk').files) dataTransfer.items.add(file);
for (const kind of ['dragenter', 'dragover', 'drop'])
    document.body.dispatchEvent(new DragEvent(kind, {dataTransfer, bubbles: true, cancelable: true}));
"""


@pytest.fixture(params=["firefox", "webkit"])
def window(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Window]:
    """Return a window of this browser; skips in words where it is not installed."""
    if lacks := webdriver.lacks(request.param):
        pytest.skip(lacks)
    with webdriver.window(request.param, tmp_path) as window:
        yield window
        if request.node.stash.get(FAILED, False):
            FAILURES.mkdir(exist_ok=True)
            (FAILURES / f"other-{request.param}.png").write_bytes(window.picture("html"))


def test_visitor_does_what_people_do_most(product: Product, window: Window, tmp_path: Path):
    _sign_up(window, product.address)
    _have_two_photos_painted(window)
    _favor_and_delete(window, product.address)
    _look_at_one(window)
    _try_other_values(window)
    _save(window, tmp_path)
    _read_chinese(window)
    _share(window, product.address)


def _sign_up(window: Window, address: str) -> None:
    window.go(address)
    window.see(MODULES)
    window.press(".hero a.main")
    for field, text in {"username": secrets.token_hex(4), "password1": PASSWORD, "password2": PASSWORD}.items():
        window.type(f"input[name={field}]", text)
    window.press("main form .button.main")
    window.see(COUNT, "photo-upload", 1)


def _have_two_photos_painted(window: Window) -> None:
    """Choose one and drop one; both are painted while the page is looked at."""
    window.see(MODULES)
    window.run("window.stays = true")
    window.type("#upload-photos", str(PHOTOS / "denali.webp"))
    window.see(COUNT, ".card", 1)
    window.run(DESK)
    window.type("#desk", str(PHOTOS / "portrait.jpg"))
    window.run(DROP)
    window.see(COUNT, ".card", 2)
    window.see(COUNT, ".card-paintings [data-stage=done]", 8, seconds=60)
    window.see(COUNT, ".card[data-unfinished]", 0)
    window.see(
        "[...document.querySelectorAll('.card :not(noscript) > img')].every(each => each.complete && each.naturalWidth)"
    )
    assert window.run("return window.stays")


def _favor_and_delete(window: Window, address: str) -> None:
    titles = window.run("return [...document.querySelectorAll('.plate-title')].map(each => each.innerText)")
    window.press(".card .heart")
    window.see(COUNT, ".heart[aria-pressed=true]", 1)
    window.press(".card .card-choose")
    window.press("#chosen [value=remove]")
    window.see(COUNT, ".card", 1)
    window.press(".toast button")
    window.see(COUNT, ".card", 2)
    assert window.run("return [...document.querySelectorAll('.plate-title')].map(each => each.innerText)") == titles
    window.go(address)
    window.see(COUNT, ".heart[aria-pressed=true]", 1)


def _look_at_one(window: Window) -> None:
    window.press(".card .plate-title a")
    window.see(COUNT, ".tab[data-stage=done]", 4)
    window.see(MODULES)
    window.press(".tab[data-style=watercolor]")
    window.see(TEXT, "#chosen-title", "Watercolor")
    window.see(COUNT, ".tab[data-style=watercolor][aria-current=page]", 1)
    _move_the_slider(window)
    window.press("[data-view]")
    window.see(COUNT, ".viewer[open]", 1)
    window.type(".viewer-stage", LEFT)
    window.see("document.querySelector('.viewer-stage img').complete")
    window.see(TEXT, ".viewer-name", "(4/5)")
    window.type(".viewer-stage", ESCAPE)
    window.see(COUNT, ".viewer[open]", 0)


def _move_the_slider(window: Window) -> None:
    """By its own keys and by the page's; what is seen changes with it."""
    window.see(MODULES)
    window.type("body", "1")
    window.see(VALUE, "100")
    photo = window.picture("ba-compare")
    window.type("body", "3")
    window.see(VALUE, "0")
    assert _changed(photo, window.picture("ba-compare")) > 0.3
    window.type(".compare-slider", RIGHT * 3)
    window.see(f"!({VALUE})", "0")


def _changed(before: bytes, after: bytes) -> float:
    """Return how much of a picture is another than before."""
    one, other = (Image.open(io.BytesIO(each)).convert("RGB") for each in (before, after))
    difference = ImageChops.difference(one, other).convert("L")
    return sum(difference.histogram()[16:]) / (difference.width * difference.height)


def _try_other_values(window: Window) -> None:
    """Turn a knob: a sketch in this value takes the painting's place."""
    window.press("#chosen-title ~ .actions a")
    window.see(COUNT, "own-values", 1)
    window.see(MODULES)
    window.type(".knob input", LEFT * 3)
    window.see("document.querySelector('.sketch img').src.startsWith('blob:')")
    window.see("document.querySelector('.sketch img').naturalWidth > 0")
    window.press(".trail a")


def _save(window: Window, folder: Path) -> None:
    """Save a painting as a file that is only made then."""
    window.see(COUNT, "take-home", 1)
    window.see(MODULES)
    window.run("document.getElementById('format').value = 'webp'")
    window.press("take-home button")
    wait_until(
        lambda: any(path.stat().st_size for path in folder.rglob("* - Watercolor.webp")), seconds=SECONDS, pause=0.1
    )


def _read_chinese(window: Window) -> None:
    for language, word in {"zh-Hans": "历史", "en": "History"}.items():
        window.press(".menu-button")
        window.press(f"#menu [lang={language}]")
        window.see(COUNT, f"html[lang={language}]", 1)
        window.see(TEXT, ".places", word)


def _share(window: Window, address: str) -> None:
    """Make a link, and follow it as somebody who was never here."""
    window.press("a[href*='/shares/new/']")
    window.press("main form .button.main")
    window.see(COUNT, ".share-link input", 1)
    link = window.run("return document.querySelector('.share-link input').value")
    for _ in range(3):  # a page on its way out may bring its cookie back
        window.forget()
        window.go(address + "/history/")
        if window.run("return location.pathname === '/accounts/login/'"):
            break
    window.see("location.pathname === '/accounts/login/'")
    window.go(link)
    if window.run("return document.querySelectorAll('ba-compare').length === 0"):
        window.press(".card .plate-title a")
    _move_the_slider(window)
    window.press(".tab:last-of-type")
    window.see(COUNT, ".tab:last-of-type[aria-current=page]", 1)
    assert window.run("return document.querySelectorAll('.places').length") == 0
