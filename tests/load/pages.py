"""Prints what pages cost on a slow line, and the album beside two plain pages of the same photos.

The whole product runs with 50 photos and four paintings of each, and a real Chromium opens the album, a photo, the
history, a share with one of its photos, and the sign-in on Slow 4G (1.44 Mbit/s, 562 ms) with the processor slowed four
times, as a phone and as a desktop. Beside them are a naive page (all five pictures of every photo as JPEGs of 1280
pixels, at once), and a kinder one (the same as WebP of 640 pixels).

Usage: python -m tests.load.pages [--json] [--photos 50] [--rounds 3] [--device phone] [--page album]
"""

import argparse
import io
import json
import os
import statistics
import sys
import threading
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import asdict, dataclass, replace
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import NamedTuple
from urllib.parse import urlencode, urlsplit

import django

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "tests.settings")
django.setup()

from PIL import Image  # noqa: E402
from playwright.sync_api import Browser, StorageState, sync_playwright  # noqa: E402
from playwright.sync_api import Page as BrowserPage  # noqa: E402

from tests.e2e import measure, product  # noqa: E402 - these need Django to be ready
from tests.load import pictures  # noqa: E402
from tests.load.site import Site, machine, running  # noqa: E402
from tests.load.visitor import Visitor  # noqa: E402

NAIVE, KINDER = 0.10, 0.45  # of the time until the first screen is complete: so much the album may take at most
LARGEST_PAINT = 2.0  # seconds, as all that follow
FIRST_SCREEN = {"phone": 2.5, "desktop": 3.0}
BLOCKED, ANSWER = 0.150, 0.200
SHIFT = 0.01
PLAIN = ("naive", "kinder")
LARGEST = """
SELECT p.key, s.folder, s.widths, s.canvas_width FROM gallery_photo p JOIN rendering_source s ON s.id = p.source_id
ORDER BY p.id DESC
"""
PAINTED = """
SELECT p.key, r.folder, r.widths, r.width FROM gallery_photo p JOIN gallery_artwork a ON a.photo_id = p.id
JOIN rendering_commission c ON c.id = a.commission_id JOIN rendering_rendition r ON r.id = c.rendition_id
ORDER BY p.id DESC, a.id
"""


@dataclass(frozen=True)
class Line:
    """One page on one device: sizes in KB, times in seconds; medians of the rounds."""

    page: str
    device: str
    requests: float
    pictures: float
    kilobytes: float
    largest: float
    complete: float
    blocked: float
    shift: float
    answer: float  # to the slowest of some keys and clicks; 0 where there were none


class Page(NamedTuple):
    """A page to be measured; of a plain one the sizes of its files are known, its own first."""

    name: str
    address: str
    plain: Sequence[int] = ()
    act: Callable[[BrowserPage], None] | None = None
    signed_in: bool = True


class Plain(ThreadingHTTPServer):
    """Serves the plain pages, and their pictures from memory; its connections are kept as the product's are."""

    daemon_threads = True
    request_queue_size = 64
    files: dict[str, tuple[str, bytes]]


class _Answer(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    server: Plain

    def do_GET(self) -> None:
        kind, content = self.server.files.get(self.path, ("text/plain", b""))
        self.send_response(200)
        self.send_header("Content-Type", kind)
        self.send_header("Content-Length", str(len(content)))
        self.end_headers()
        self.wfile.write(content)

    def handle(self) -> None:
        """Answer until the browser has had enough: it closes what it no longer waits for."""
        with suppress(ConnectionError):
            super().handle()

    def log_message(self, *said: object) -> None:
        """Say nothing: the table is what is printed."""


def fill(site: Site, count: int) -> Visitor:
    """Return a person with so many photos, each painted four times."""
    person = site.visitor("ann")
    site.let_everything()
    files = (pictures.jpeg(each) for each in pictures.scenes(count))
    keys = [person.upload(content, name=f"Walk {number}.jpg").photo for number, content in enumerate(files, 1)]
    person.wait_for(keys, seconds=600)
    person.close()
    return person


def share(site: Site, person: Visitor, photos: Iterable[str]) -> str:
    """Return the key of a link under which a person shows these photos to everybody."""
    fields = [("csrfmiddlewaretoken", person.cookies["csrftoken"]), ("title", "A walk"), ("lasts", "open")]
    body = urlencode([*fields, *(("photos", photo) for photo in photos)]).encode()
    headers = {"Content-Type": "application/x-www-form-urlencoded"}
    person.request("POST", "/shares/new/", body=body, headers=headers)
    person.close()
    [[key]] = site.rows("SELECT key FROM gallery_share")
    return str(key)


def slide(page: BrowserPage) -> None:
    """Move the slider of a photo's page by keys and by hand, and go along its tabs."""
    slider = page.locator(".compare-slider")
    slider.focus()
    for key in ("ArrowRight", "ArrowRight", "ArrowLeft", "1", "3"):
        page.keyboard.press(key)
    slider.click()
    page.locator(".tab").first.focus()
    for _ in range(3):
        page.keyboard.press("ArrowRight")
    page.wait_for_timeout(300)  # what is slow is told after it is drawn


def choose(page: BrowserPage) -> None:
    """Choose how a photo is to be painted, and the photo, by the button."""
    page.locator(".upload-options > summary").click()
    with page.expect_file_chooser() as chooser:
        page.locator(".upload-choose").click()
    chooser.value.set_files(product.PHOTOS / "notocactus_minimus.jpg")
    page.locator(".upload-options > summary").click()
    page.wait_for_timeout(300)


def who(person: Visitor) -> StorageState:
    """Return what a browser needs to be this person."""
    host = urlsplit(person.address).hostname or ""
    facts = {"domain": host, "path": "/", "expires": -1.0, "httpOnly": False, "secure": False, "sameSite": "Lax"}
    cookies = [{"name": name, "value": value, **facts} for name, value in person.cookies.items()]
    return {"cookies": cookies, "origins": []}  # type: ignore[typeddict-item]  # the cookies are built from parts


def own_pages(site: Site, person: Visitor) -> list[Page]:
    """Return the product's pages, with what is done on them."""
    photos = [key for [key] in site.rows("SELECT key FROM gallery_photo ORDER BY id DESC")]
    shared = f"{site.address}/s/{share(site, person, photos)}/"
    return [
        Page("album", f"{site.address}/", act=choose),
        Page("photo", f"{site.address}/photos/{photos[0]}/", act=slide),
        Page("history", f"{site.address}/history/"),
        Page("share", shared, signed_in=False),
        Page("shared-photo", f"{shared}photos/{photos[0]}/", signed_in=False),
        Page("sign-in", f"{site.address}/accounts/login/", signed_in=False),
    ]


@contextmanager
def plain_pages(site: Site) -> Iterator[list[Page]]:
    """Serve both plain pages of all the photos until it is left."""
    server = Plain(("127.0.0.1", 0), _Answer)
    server.files = {}
    shown = [_largest(site, *row) for row in _rows(site)]
    _compose(server, "naive", shown, width=1280, form="JPEG")
    _compose(server, "kinder", shown, width=640, form="WEBP")
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    try:
        yield [_plain(server, name) for name in PLAIN]
    finally:
        server.shutdown()
        thread.join()
        server.server_close()


def _plain(server: Plain, name: str) -> Page:
    sizes = [len(content) for address, (_, content) in server.files.items() if address.startswith(f"/{name}/")]
    return Page(name, f"http://127.0.0.1:{server.server_port}/{name}", [len(server.files[f"/{name}"][1]), *sizes])


def _rows(site: Site) -> list[tuple[str, str]]:
    """Return the folder and the widths of every picture, each photo followed by its paintings."""
    paintings: dict[str, list[tuple[str, str]]] = {}
    for key, folder, widths, _ in site.rows(PAINTED):
        paintings.setdefault(key, []).append((folder, widths))
    return [row for key, folder, widths, _ in site.rows(LARGEST) for row in ((folder, widths), *paintings[key])]


def _largest(site: Site, folder: str, widths: str) -> Image.Image:
    file = site.product.folder / "media" / folder / f"{max(json.loads(widths))}.jpg"
    return Image.open(file).convert("RGB")


def _compose(server: Plain, name: str, shown: Iterable[Image.Image], *, width: int, form: str) -> None:
    lines = []
    for number, image in enumerate(shown):
        file = io.BytesIO()
        size = (width, round(width * image.height / image.width))
        image.resize(size, Image.Resampling.BICUBIC).save(file, form, quality=86 if form == "JPEG" else 80)
        address = f"/{name}/{number}"
        server.files[address] = (f"image/{form.lower()}", file.getvalue())
        lines.append(f'<img src="{address}" width="{"360" if number % 5 == 0 else "85"}" alt="">')
    style = "<style>body{max-width:1280px}img{height:auto}</style>"
    meta = '<!doctype html><meta charset="utf-8"><meta name="viewport" content="width=device-width">'
    server.files[f"/{name}"] = ("text/html", (meta + style + "\n".join(lines)).encode())


def measured(browser: Browser, page: Page, device: str, *, rounds: int, person: StorageState) -> Line:
    """Open a page so often, each time as for the first time, and return the medians."""
    found = [_once(browser, page, device, person) for _ in range(rounds)]
    names = [key for key, value in asdict(found[0]).items() if isinstance(value, float)]
    return Line(page.name, device, **{key: statistics.median(getattr(each, key) for each in found) for key in names})


def _once(browser: Browser, page: Page, device: str, person: StorageState) -> Line:
    plain = page.plain
    with measure.window(browser, device, person if page.signed_in else None) as context:
        # A plain page goes on loading for minutes after its first screen; its sizes are known without waiting.
        opened = measure.open_page(context, page.address, slow=True, whole=not plain)
        at_rest = Line(
            page=page.name,
            device=device,
            requests=float(len(plain) or len(opened.asked)),
            pictures=float(len(plain[1:]) or len(opened.of("picture"))),
            kilobytes=(sum(plain) or opened.bytes) / 1000,
            largest=opened.seen("lcp") / 1000,
            complete=opened.seen("complete") / 1000,
            blocked=opened.blocked() / 1000,
            shift=opened.seen("cls"),
            answer=0.0,
        )
        if page.act is None:
            return at_rest
        page.act(opened.page)
        return replace(at_rest, answer=opened.seen("slowest") / 1000)


def main() -> int:
    """Print the table; return 1 if a page takes more than it may."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--json", action="store_true")
    parser.add_argument("--photos", type=int, default=50)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--device", action="append", choices=sorted(measure.DEVICES))
    parser.add_argument("--page", action="append")
    options = parser.parse_args()
    with running(workers=2) as site, sync_playwright() as playwright, product.browser(playwright) as browser:
        person = fill(site, options.photos)
        with plain_pages(site) as plain:
            opened = [page for page in (*own_pages(site, person), *plain) if page.name in (options.page or [page.name])]
            lines = [
                measured(browser, page, device, rounds=options.rounds, person=who(person))
                for device in options.device or measure.DEVICES
                for page in opened
            ]
    _tell(lines, as_json=options.json)
    return int(any(figure > most for _, figure, most in gates(lines)))


def gates(lines: Sequence[Line]) -> Iterator[tuple[str, float, float]]:
    """Yield what a figure says, the figure, and how much it may be."""
    for line in lines:
        if line.page not in PLAIN:
            yield from _own(line)
    times = {(line.device, line.page): line.complete for line in lines}
    for device, page in times:
        if page in PLAIN and (device, "album") in times:
            part = times[device, "album"] / times[device, page]
            yield (
                f"{device} album, part of the {page} page's first screen",
                part,
                {"naive": NAIVE, "kinder": KINDER}[page],
            )


def _own(line: Line) -> Iterator[tuple[str, float, float]]:
    who = f"{line.device} {line.page}"
    yield f"{who}, largest paint in s", line.largest, LARGEST_PAINT
    # A page without a picture has no such moment.
    yield f"{who}, first screen in s", line.complete, FIRST_SCREEN[line.device]
    yield f"{who}, blocked in s", line.blocked, BLOCKED
    yield f"{who}, shift", line.shift, SHIFT
    yield f"{who}, slowest answer in s", line.answer, ANSWER


def _tell(lines: list[Line], *, as_json: bool) -> None:
    if as_json:
        sys.stdout.write("".join(json.dumps(asdict(line)) + "\n" for line in lines))
        return
    sys.stdout.write(f"{machine()}; Slow 4G, CPU / 4\n")
    for line in lines:
        sys.stdout.write(
            f"{line.device:8s} {line.page:12s} {line.requests:4.0f} requests ({line.pictures:.0f} pictures)"
            f"  {line.kilobytes:8.0f} KB  LCP {line.largest:5.1f} s  first screen {line.complete:5.1f} s"
            f"  blocked {1000 * line.blocked:4.0f} ms  CLS {line.shift:.3f}  answer {1000 * line.answer:4.0f} ms\n"
        )
    for said, figure, most in gates(lines):
        if figure > most or "part of" in said:
            sys.stdout.write(f"{said}: {figure:.2f} (at most {most:.2f}){' TOO MUCH' if figure > most else ''}\n")


if __name__ == "__main__":
    sys.exit(main())
