"""Prints what the album costs on a slow line, beside two plain pages of the same photos.

The whole product runs with 50 photos and four paintings of each, and a real Chromium opens the album's first page on
Slow 4G (1.44 Mbit/s, 562 ms) with the processor slowed four times, as a phone and as a desktop. Beside it are a naive
page (all five pictures of every photo as JPEGs of 1280 pixels, at once), and a kinder one (the same as WebP of 640
pixels).

Usage: python -m tests.load.pages [--json] [--photos 50] [--rounds 3] [--device phone]
"""

import argparse
import io
import json
import os
import statistics
import sys
import threading
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import asdict, dataclass
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import NamedTuple
from urllib.parse import urlsplit

import django

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "tests.settings")
django.setup()

from PIL import Image  # noqa: E402
from playwright.sync_api import Browser, StorageState, sync_playwright  # noqa: E402

from tests.e2e import measure, product  # noqa: E402 - these need Django to be ready
from tests.load import pictures  # noqa: E402
from tests.load.site import Site, machine, running  # noqa: E402
from tests.load.visitor import Visitor  # noqa: E402

NAIVE, KINDER = 0.10, 0.45  # of the time until the first screen is complete: so much the album may take at most
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


class Page(NamedTuple):
    """A page to be measured; of a plain one the sizes of its files are known, its own first."""

    name: str
    address: str
    plain: Sequence[int] = ()


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
    if person.wire:
        person.wire.close()
    return person


def who(person: Visitor) -> StorageState:
    """Return what a browser needs to be this person."""
    host = urlsplit(person.address).hostname or ""
    facts = {"domain": host, "path": "/", "expires": -1.0, "httpOnly": False, "secure": False, "sameSite": "Lax"}
    cookies = [{"name": name, "value": value, **facts} for name, value in person.cookies.items()]
    return {"cookies": cookies, "origins": []}  # type: ignore[typeddict-item]  # the cookies are built from parts


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
        yield [_plain(server, name) for name in ("naive", "kinder")]
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
    name, address, plain = page
    with measure.window(browser, device, person) as context:
        # A plain page goes on loading for minutes after its first screen; its sizes are known without waiting.
        opened = measure.open_page(context, address, slow=True, whole=not plain)
        return Line(
            page=name,
            device=device,
            requests=float(len(plain) or len(opened.asked)),
            pictures=float(len(plain[1:]) or len(opened.of("picture"))),
            kilobytes=(sum(plain) or opened.bytes) / 1000,
            largest=opened.seen("lcp") / 1000,
            complete=opened.seen("complete") / 1000,
            blocked=opened.blocked() / 1000,
            shift=opened.seen("cls"),
        )


def main() -> int:
    """Print the table; return 1 if the album takes more of the time than it may."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--json", action="store_true")
    parser.add_argument("--photos", type=int, default=50)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--device", action="append", choices=sorted(measure.DEVICES))
    options = parser.parse_args()
    with running(workers=2) as site, sync_playwright() as playwright, product.browser(playwright) as browser:
        person = who(fill(site, options.photos))
        with plain_pages(site) as plain:
            lines = [
                measured(browser, page, device, rounds=options.rounds, person=person)
                for device in options.device or measure.DEVICES
                for page in (Page("album", f"{site.address}/"), *plain)
            ]
    _tell(lines, as_json=options.json)
    return int(any(part > most for _, _, part, most in parts(lines)))


def parts(lines: Iterable[Line]) -> Iterator[tuple[str, str, float, float]]:
    """Yield device, other page, which part of its time the album takes for the first screen, and which it may."""
    times = {(line.device, line.page): line.complete for line in lines}
    for device in dict.fromkeys(device for device, _ in times):
        for page, most in (("naive", NAIVE), ("kinder", KINDER)):
            yield device, page, times[device, "album"] / times[device, page], most


def _tell(lines: list[Line], *, as_json: bool) -> None:
    if as_json:
        sys.stdout.write("".join(json.dumps(asdict(line)) + "\n" for line in lines))
        return
    sys.stdout.write(f"{machine()}; Slow 4G, CPU / 4\n")
    for line in lines:
        sys.stdout.write(
            f"{line.device:8s} {line.page:7s} {line.requests:4.0f} requests ({line.pictures:.0f} pictures)"
            f"  {line.kilobytes:8.0f} KB  LCP {line.largest:5.1f} s  first screen {line.complete:5.1f} s"
            f"  blocked {1000 * line.blocked:4.0f} ms  CLS {line.shift:.3f}\n"
        )
    for device, page, part, most in parts(lines):
        sys.stdout.write(f"{device:8s} first screen: {part:.2f} of the {page} page's time (at most {most:.2f})\n")


if __name__ == "__main__":
    sys.exit(main())
