"""What a browser asks for and shows when it opens a page: requests, bytes, times, shifts; on a slow line if wanted."""

import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any

from playwright.sync_api import Browser, BrowserContext, CDPSession, Page, StorageState

PHONE: dict[str, Any] = {
    "viewport": {"width": 412, "height": 823},
    "device_scale_factor": 1.75,
    "is_mobile": True,
    "has_touch": True,
}
DESKTOP: dict[str, Any] = {"viewport": {"width": 1350, "height": 940}}
DEVICES = {"phone": PHONE, "desktop": DESKTOP}
# Slow 4G as the developer tools know it: 1.44 Mbit/s down, 0.675 up, and 562 ms until an answer begins.
SLOW_LINE = {"offline": False, "latency": 562.5, "downloadThroughput": 180_000, "uploadThroughput": 84_375}
SLOW_PHONE = 4  # times slower than this machine
QUIET = 1.0  # seconds without a request after which a page is taken as loaded
KINDS = {"Image": "picture", "Script": "script", "Stylesheet": "style", "Font": "font", "Document": "page"}
PROBE = """
(() => {
  const probe = window.probe = {lcp: 0, cls: 0, long: [], slowest: 0, complete: 0, restored: false};
  const look = (type, note) => {
    const observer = new PerformanceObserver((list) => list.getEntries().forEach(note));
    observer.observe({type, buffered: true, durationThreshold: 16});
  };
  look("largest-contentful-paint", (entry) => { probe.lcp = entry.startTime; });
  look("layout-shift", (entry) => { if (!entry.hadRecentInput) probe.cls += entry.value; });
  look("longtask", (entry) => { probe.long.push([entry.startTime, entry.duration]); });
  look("event", (entry) => { if (entry.interactionId) probe.slowest = Math.max(probe.slowest, entry.duration); });
  addEventListener("pageshow", (event) => { probe.restored = event.persisted; });
  const shown = (picture) => {
    const {top, bottom, left, right, width, height} = picture.getBoundingClientRect();
    return width > 8 && height > 8 && bottom > 0 && right > 0 && top < innerHeight && left < innerWidth;
  };
  // A thumbnail in the place of a big picture is not the picture yet.
  const real = (picture) => picture.complete && picture.naturalWidth > 0 && !picture.currentSrc.startsWith("data:")
    && !picture.dataset.srcset;
  probe.missing = () => [...document.images].filter((each) => shown(each) && !real(each)).length;
  probe.shown = () => [...document.images].filter(shown).length;
  const look_again = () => {
    if (document.body && probe.shown() > 0 && probe.missing() === 0) probe.complete ||= performance.now();
    else probe.complete = 0;
    setTimeout(look_again, 50);
  };
  look_again();
})();
"""


@dataclass
class Sent:
    """One request and what came back; when it was asked for, and when all of it was there, in seconds."""

    address: str
    kind: str
    began: float
    ended: float = 0.0
    bytes: int = 0
    encoding: str = ""
    status: int = 0
    done: bool = False


@dataclass
class Opened:
    """A page as it stands, with everything that it has asked for; times are in milliseconds."""

    page: Page
    wire: CDPSession
    asked: dict[str, Sent] = field(default_factory=dict)

    def of(self, kind: str) -> list[Sent]:
        """Return the requests of one kind: page, script, style, picture, font or other."""
        return [each for each in self.asked.values() if each.kind == kind]

    def bytes_of(self, kind: str) -> int:
        """Return the bytes on the wire of one kind, with headers."""
        return sum(each.bytes for each in self.of(kind))

    def first_round(self) -> list[Sent]:
        """Return what is asked for before the first file has come: these share the line with the first picture."""
        parts = [each for each in self.asked.values() if each.kind != "page"]
        first = min(each.ended for each in parts if each.done)
        return [each for each in parts if each.began < first]

    @property
    def bytes(self) -> int:
        """All bytes on the wire so far."""
        return sum(each.bytes for each in self.asked.values())

    def seen(self, what: str) -> float:
        """Return a number of the probe: lcp, cls, complete, or slowest: how long a key or click waited at most."""
        return float(self.page.evaluate(f"probe.{what}"))

    def blocked(self) -> float:
        """Return for how long the page could not answer: what long tasks take over 50 ms each."""
        return float(self.page.evaluate("probe.long.reduce((sum, [, length]) => sum + Math.max(0, length - 50), 0)"))

    def overflow(self) -> int:
        """Return by how many pixels the page is wider than its window."""
        over = self.page.evaluate("document.documentElement.scrollWidth - document.documentElement.clientWidth")
        return max(0, int(over))

    def settle(self, *, quiet: float = QUIET, seconds: float = 120) -> None:
        """Wait until nothing has been asked for for a while; streams of events do not count."""
        deadline, since = time.monotonic() + seconds, time.monotonic()
        while time.monotonic() - since < quiet and time.monotonic() < deadline:
            self.page.wait_for_timeout(50)
            if any(not each.done for each in self.asked.values() if each.kind != "stream"):
                since = time.monotonic()

    def settle_screen(self, *, steady: int, seconds: float = 150) -> None:
        """Wait until all pictures of the first screen have been there for a while, whatever else is still coming."""
        steadily = f"() => probe.complete && performance.now() - probe.complete > {steady}"
        self.page.wait_for_function(steadily, timeout=seconds * 1000)

    def scroll(self, *, pause: int = 700) -> float:
        """Scroll to the end, a screen at a time; return which part of the pictures was not there when looked at."""
        missing = shown = 0
        for _ in range(60):
            self.page.evaluate("scrollBy(0, innerHeight * 0.9)")
            self.page.wait_for_timeout(pause)
            missing += self.page.evaluate("probe.missing()")
            shown += self.page.evaluate("probe.shown()")
            if self.page.evaluate("scrollY + innerHeight >= document.documentElement.scrollHeight - 2"):
                break
        self.settle()
        return missing / max(1, shown)


@contextmanager
def window(browser: Browser, device: str, who: StorageState | None = None, **habits: Any) -> Iterator[BrowserContext]:
    """Open a window of a phone or a desktop in which nothing has been loaded yet, as this person."""
    opened = browser.new_context(locale="en-US", storage_state=who, **{**DEVICES[device], **habits})
    opened.add_init_script(PROBE)
    try:
        yield opened
    finally:
        opened.close()


def open_page(
    context: BrowserContext, address: str, *, slow: bool = False, whole: bool = True, steady: int = 6000
) -> Opened:
    """Open a page and wait until it is at rest, or only until its first screen has been steady so many milliseconds."""
    page = context.new_page()
    wire = context.new_cdp_session(page)
    opened = Opened(page, wire)
    _listen(opened)
    if slow:
        wire.send("Network.emulateNetworkConditions", SLOW_LINE)
        wire.send("Emulation.setCPUThrottlingRate", {"rate": SLOW_PHONE})
    page.goto(address, wait_until="domcontentloaded", timeout=180_000)
    if whole:
        opened.settle()
    else:
        opened.settle_screen(steady=steady)
    return opened


def _listen(opened: Opened) -> None:
    wire, asked = opened.wire, opened.asked
    wire.send("Network.enable")
    wire.on("Network.requestWillBeSent", lambda told: _begin(asked, told))
    wire.on("Network.responseReceived", lambda told: _answer(asked, told))
    wire.on("Network.loadingFinished", lambda told: _end(asked, told, told["encodedDataLength"]))
    wire.on("Network.loadingFailed", lambda told: _end(asked, told, 0))


def _begin(asked: dict[str, Sent], told: dict[str, Any]) -> None:
    address = told["request"]["url"]
    if address.startswith("http"):
        kind = "stream" if told.get("type") == "EventSource" else KINDS.get(told.get("type", ""), "other")
        asked[told["requestId"]] = Sent(address, kind, began=told["timestamp"])


def _answer(asked: dict[str, Sent], told: dict[str, Any]) -> None:
    sent, answer = asked.get(told["requestId"]), told["response"]
    if sent is None:
        return
    if answer.get("fromDiskCache") or answer.get("fromServiceWorker") or answer.get("fromPrefetchCache"):
        del asked[told["requestId"]]
        return
    sent.status = answer["status"]
    sent.encoding = {name.lower(): value for name, value in answer["headers"].items()}.get("content-encoding", "")


def _end(asked: dict[str, Sent], told: dict[str, Any], size: float) -> None:
    sent = asked.get(told["requestId"])
    if sent is not None:
        sent.bytes, sent.ended, sent.done = round(size), told["timestamp"], True
