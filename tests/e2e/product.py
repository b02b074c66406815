"""The whole product as a subprocess, and a real Chromium that visits it."""

import os
import re
import shutil
import signal
import sys
import tempfile
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path

from playwright.sync_api import Browser, BrowserContext, Page, Playwright, expect

from artworkshop.standalone import preparation
from tests.processes import ROOT, free_port, start, wait_until

PHOTOS = ROOT / "tests" / "photos"
# What an admin's own environment says must not change what is tested.
FOREIGN = ("DATABASE_URL", "REDIS_URL", "SECRET_KEY", "STORAGE", "UPLOAD_DIR", "WEB", "ALLOWED_HOSTS", "SIGN_UP")
CHROMIUM = ("chromium", "chromium-browser", "google-chrome", "chrome")
OPTIONS = ["--no-sandbox", "--headless=new", "--disable-gpu", "--disable-background-networking"]
KEPT = ROOT / "var" / "static-of-tests"
PASSWORD = "correct-horse-battery"


@dataclass(frozen=True)
class Product:
    """The product as it runs: where it is reached, where it keeps things, and how it becomes somebody's."""

    address: str
    folder: Path
    environment: dict[str, str]
    setup: str


@contextmanager
def product(folder: Path, *, workers: int = 2, more: Mapping[str, str] | None = None) -> Iterator[Product]:
    """Run `manage.py up` on a free port and a data folder of its own, until it is left; more is its environment."""
    port = free_port()
    environment = {
        **dict.fromkeys(FOREIGN, ""),
        "DATA_DIR": str(folder),
        "HOST": "127.0.0.1",
        "PORT": str(port),
        "SITE_URL": f"http://127.0.0.1:{port}",
        "WORKERS": str(workers),
        "KERNEL_CACHE": os.environ.get("KERNEL_CACHE", str(ROOT / "var" / "kernels")),
        "DJANGO_SETTINGS_MODULE": "artworkshop.settings",
        **(more or {}),
    }
    _lend_static_files(folder)
    running = start([sys.executable, str(ROOT / "manage.py"), "up"], environment=environment)
    try:
        wait_until(lambda: "Ctrl-C ends it." in running.said or running.run.poll() is not None, seconds=180, pause=0.1)
        setup = re.search(r"http\S+/setup/\S+", running.said)
        assert setup, running.said
        _keep_static_files(folder)
        yield Product(f"http://127.0.0.1:{port}", folder, environment, setup[0])
    finally:
        running.run.send_signal(signal.SIGTERM)
        running.stop()


def _lend_static_files(folder: Path) -> None:
    """Spare a product the nine CPU seconds in which another has compressed the same static files."""
    if _kept().exists():
        shutil.copytree(_kept(), folder, dirs_exist_ok=True)


def _keep_static_files(folder: Path) -> None:
    if _kept().exists():
        return
    KEPT.mkdir(parents=True, exist_ok=True)
    stale = [each for each in KEPT.iterdir() if not each.name.startswith("new-")]
    staged = Path(tempfile.mkdtemp(dir=KEPT, prefix="new-"))
    for part in ("static", "prepared"):
        shutil.copytree(folder / part, staged / part)
    with suppress(OSError):  # another process was faster
        staged.rename(_kept())
    for each in stale:
        shutil.rmtree(each, ignore_errors=True)


def _kept() -> Path:
    # The product's own mark of what it has collected: it looks at it as well, and collects anew what is stale.
    return KEPT / preparation._static_fingerprint()[:16]


def chromium() -> str | None:
    """Return the browser's program: CHROMIUM, the system's, or None where Playwright's own is to be used."""
    return os.environ.get("CHROMIUM") or next(filter(None, map(shutil.which, CHROMIUM)), None)


@contextmanager
def browser(playwright: Playwright) -> Iterator[Browser]:
    """Run a Chromium until it is left."""
    running = playwright.chromium.launch(executable_path=chromium(), args=OPTIONS)
    try:
        yield running
    finally:
        running.close()


def sign_up(page: Page, address: str, name: str) -> None:
    """Make an account as a stranger does who comes to the first page."""
    page.goto(address)
    page.get_by_role("link", name="Make an account").first.click()
    page.get_by_label("Username").fill(name)
    page.locator("input[name=password1]").fill(PASSWORD)
    page.locator("input[name=password2]").fill(PASSWORD)
    page.get_by_role("button", name="Make my account").click()
    expect(page.get_by_role("heading", name="Your album")).to_be_visible()


def drop(page: Page, files: list[Path]) -> None:
    """Drop files on the page, as from a folder on the desk."""
    # The page takes drops only once its scripts are there.
    page.wait_for_function("() => customElements.get('photo-upload') !== undefined")
    chooser = page.evaluate_handle(
        """() => document.body.appendChild(
            Object.assign(document.createElement('input'), {type: 'file', multiple: true, hidden: true}))"""
    )
    chooser.as_element().set_input_files(files)  # type: ignore[union-attr]  # it is an element
    page.evaluate(
        """chooser => {
            const dataTransfer = new DataTransfer();
            for (const file of chooser.files) dataTransfer.items.add(file);
            chooser.remove();
            for (const kind of ['dragenter', 'dragover', 'drop'])
                document.body.dispatchEvent(new DragEvent(kind, {dataTransfer, bubbles: true, cancelable: true}));
        }""",
        chooser,
    )


def sign_out(page: Page) -> None:
    """Sign out by the menu."""
    page.locator(".menu-button").click()
    page.get_by_role("button", name="Sign out").click()
    expect(page.get_by_role("heading", name="Sign in")).to_be_visible()


def visitor(running: Browser, **habits: object) -> BrowserContext:
    """Return a browser window of somebody who was never here."""
    return running.new_context(locale="en-US", viewport={"width": 1350, "height": 900}, **habits)  # type: ignore[arg-type]  # Playwright's own options
