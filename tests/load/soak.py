"""Ten minutes of three people who upload at random while workers and the web server are killed; nothing may be lost.

Ends by waiting for quiet, and with status 1 unless every photo that the server took is done or has failed with a
reason, no row is in work, no file is without a row after the sweep and no row without its files, the counters are
right, and the memory of what was not killed has not grown.

Usage: python -m tests.load.soak [--seconds 600] [--seed 1]
"""

import argparse
import http.client
import os
import random
import signal
import statistics
import sys
import threading
import time
from collections import Counter
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass, field

from tests.load import pictures
from tests.load.site import Site, machine, memory, running
from tests.load.visitor import ALL_STYLES, Refused, Uploaded, Visitor

PEOPLE = ("anna", "bert", "cora")
WORKERS = 2
KILL_WORKER, KILL_WEB = 20.0, 90.0  # seconds between two
PAUSE = (0.4, 2.4)  # seconds between two uploads of one person
REPEATED, REMOVED, BROKEN = 0.15, 0.06, 0.03  # shares of what people do
QUIET = 60.0  # seconds after the end of the trouble in which everything must be done
GROWTH = 0.20  # of memory, from the first fifth to the end
WORKS = ("rendering_source", "rendering_rendition", "rendering_export")
UNENDED = "SELECT count(*) FROM {} WHERE state IN ('waiting', 'working')"
UNRESOLVED = """
SELECT count(*) FROM rendering_commission AS commission
JOIN rendering_source AS source ON source.id = commission.source_id
WHERE commission.rendition_id IS NULL AND commission.wanted AND source.state = 'done'
"""
ENDS = """
SELECT photo.key, source.state, source.reason, rendition.state, rendition.reason
FROM gallery_photo AS photo
JOIN rendering_source AS source ON source.id = photo.source_id
LEFT JOIN gallery_artwork AS artwork ON artwork.photo_id = photo.id
LEFT JOIN rendering_commission AS commission ON commission.id = artwork.commission_id
LEFT JOIN rendering_rendition AS rendition ON rendition.id = commission.rendition_id
WHERE photo.removed_at IS NULL
"""
PAGES = """
SELECT folder, widths, stored_bytes FROM rendering_rendition WHERE state = 'done'
UNION ALL SELECT folder, widths, stored_bytes FROM rendering_source WHERE state = 'done'
"""


@dataclass
class Diary:
    """What one person did, and what the server said."""

    accepted: set[str] = field(default_factory=set)
    removed: set[str] = field(default_factory=set)
    said: Counter[str] = field(default_factory=Counter)


@dataclass(frozen=True)
class End:
    """How one artwork stands at last."""

    source: str
    source_reason: str
    rendition: str | None
    rendition_reason: str | None

    @property
    def is_done(self) -> bool:
        """Whether it can be seen."""
        return self.rendition == "done"

    @property
    def reason(self) -> str:
        """Why it failed; empty if it did not, or has none."""
        failed = {self.source: self.source_reason, self.rendition: self.rendition_reason}
        return failed.get("failed") or ""


@dataclass
class Watch:
    """The memory of the product's processes, by kind and process, once a second."""

    seen: dict[tuple[str, int], list[int]] = field(default_factory=dict)

    def look(self, site: Site, supervisor: int) -> None:
        """Note how much each holds now."""
        pids = [(kind, pid) for kind in ("web", "caretaker") for pid in site.processes(kind)]
        for each in [*pids, ("supervisor", supervisor)]:
            if held := memory(each[1]):
                self.seen.setdefault(each, []).append(held)

    def growth(self) -> dict[str, float]:
        """Return by kind how much larger the longest-lived process was at its end than at a fifth of its life."""
        longest: dict[str, list[int]] = {}
        for (kind, _), held in self.seen.items():
            longest[kind] = max(longest.get(kind, []), held, key=len)
        return {kind: _late(held) / _early(held) - 1 for kind, held in longest.items()}


@dataclass
class Person:
    """Somebody who uploads, repeats, removes and sends rubbish, for as long as it is not over."""

    visitor: Visitor
    chance: random.Random
    photos: list[bytes]
    diary: Diary = field(default_factory=Diary)
    sent: list[bytes] = field(default_factory=list)

    def live(self, over: threading.Event) -> None:
        """Do something now and then; a server that is away is tried again, as a page does."""
        while not over.wait(self.chance.uniform(*PAUSE)):
            try:
                self._act()
            except (OSError, http.client.HTTPException):
                self.diary.said["no answer"] += 1
            except Refused as refusal:
                self.diary.said[f"status {refusal.args[0]}"] += 1

    def _act(self) -> None:
        chosen = self.chance.random()
        if chosen < REMOVED and self.diary.accepted:
            self._remove(self.chance.choice(sorted(self.diary.accepted)))
        elif chosen < REMOVED + BROKEN:
            self._note(self.visitor.upload(self.photos[0][:20] + b"broken", name="broken.jpg"))
        elif chosen < REMOVED + BROKEN + REPEATED and self.sent:
            self._note(self.visitor.upload(self.chance.choice(self.sent), name="again.jpg"))
        else:
            content = pictures.with_camera(self.chance.choice(self.photos), self.chance.randrange(10**6))
            self.sent.append(content)
            self._note(self.visitor.upload(content, name="photo.jpg"))

    def _note(self, told: Uploaded) -> None:
        self.diary.said[told.outcome] += 1
        if told.outcome in ("added", "known"):
            self.diary.accepted.add(told.photo)
            self.diary.removed.discard(told.photo)  # sent again, it has come back from the bin

    def _remove(self, key: str) -> None:
        # If no answer comes, nobody knows whether it is gone.
        self.diary.accepted.discard(key)
        if self.visitor.remove(key):
            self.diary.removed.add(key)
            self.diary.said["removed"] += 1


def trouble(site: Site, kind: str, pause: float, over: threading.Event, killed: Counter[str]) -> None:
    """Kill one process of a kind each so many seconds, as a power cut or the kernel's memory killer would."""
    while not over.wait(pause):
        # One that was killed before may not have been started again yet.
        with suppress(ProcessLookupError, IndexError):
            os.kill(random.choice(site.processes(kind)), signal.SIGKILL)  # noqa: S311 - no secret
            killed[kind] += 1


def soak(site: Site, seconds: float, seed: int) -> tuple[list[Person], Watch, Counter[str]]:
    """Let people and trouble loose for so long; return what they did."""
    over = threading.Event()
    killed: Counter[str] = Counter()
    people = list(_people(site, seed))
    site.let_everything()
    watch = Watch()
    killers = [(site, "worker", KILL_WORKER, over, killed), (site, "web", KILL_WEB, over, killed)]
    threads = [threading.Thread(target=trouble, args=each) for each in killers]
    threads += [threading.Thread(target=person.live, args=(over,)) for person in people]
    for thread in threads:
        thread.start()
    deadline = time.monotonic() + seconds
    while time.monotonic() < deadline:
        watch.look(site, site.supervisor)
        time.sleep(1)
    over.set()
    for thread in threads:
        thread.join()
    return people, watch, killed


def wait_for_quiet(site: Site) -> float:
    """Wait until nothing waits or is in work; return the seconds that took, at most the time allowed."""
    started = time.monotonic()
    while _unended(site) and time.monotonic() - started < QUIET:
        time.sleep(0.5)
    return time.monotonic() - started


def violations(site: Site, people: list[Person], watch: Watch) -> Iterator[str]:
    """Yield a sentence for each promise that was not kept."""
    if left := _unended(site):
        yield f"{left:.0f} pieces of work had not ended {QUIET:.0f} s after the trouble"
    yield from _lost(site, people)
    yield from _wrong_files(site)
    for kind, growth in watch.growth().items():
        if growth > GROWTH:
            yield f"the memory of the {kind} grew by {growth:.0%}"


def main() -> None:
    """Print what happened, and end with status 1 if a promise was not kept."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--seconds", type=float, default=600)
    parser.add_argument("--seed", type=int, default=1)
    options = parser.parse_args()
    with running(workers=WORKERS) as site:
        people, watch, killed = soak(site, options.seconds, options.seed)
        quiet = wait_for_quiet(site)
        broken = list(violations(site, people, watch))
        summary = list(_summary(site, people, watch, killed))
    for line in (machine(), *summary, f"quiet after {quiet:.1f} s", *(f"BROKEN: {each}" for each in broken)):
        sys.stdout.write(f"{line}\n")
    sys.stdout.write("nothing was lost\n" if not broken else f"{len(broken)} promises were not kept\n")
    sys.exit(int(bool(broken)))


def _people(site: Site, seed: int) -> Iterator[Person]:
    small = [pictures.jpeg(each) for each in pictures.scenes(100)]
    large = list(pictures.twelve_megapixels(6))
    for number, name in enumerate(PEOPLE):
        # Everybody has some photos of their own and some that others have too.
        own = small[number * 25 : number * 25 + 50] + large[number : number + 4]
        yield Person(site.visitor(name), random.Random(f"{seed} {name}"), own)  # noqa: S311 - the same each time


def _unended(site: Site) -> float:
    return sum(site.number(UNENDED.format(table)) for table in WORKS) + site.number(UNRESOLVED)


def _lost(site: Site, people: list[Person]) -> Iterator[str]:
    ends = _ends(site)
    for person in people:
        name, diary = person.visitor.name, person.diary
        if lost := diary.accepted - ends.keys():
            yield f"{len(lost)} photos that were accepted of {name} are not there"
        if back := diary.removed & ends.keys():
            yield f"{len(back)} photos that {name} removed are there again"
        if odd := [key for key in diary.accepted & ends.keys() if not _has_ended(ends[key])]:
            yield f"{len(odd)} photos of {name} are neither done nor failed with a reason: {ends[odd[0]]}"


def _ends(site: Site) -> dict[str, list[End]]:
    ends: dict[str, list[End]] = {}
    for key, *rest in site.rows(ENDS):
        ends.setdefault(key, []).append(End(*rest))
    return ends


def _has_ended(ends: list[End]) -> bool:
    return len(ends) == len(ALL_STYLES) and all(end.is_done or end.reason for end in ends)


def _wrong_files(site: Site) -> Iterator[str]:
    """Yield what is wrong with the stored files: none without a row after the sweep, no row without its files."""
    site.command("sweep", "--older-than", "0")
    media = site.product.folder / "media"
    there = {str(path.relative_to(media)): path.stat().st_size for path in media.rglob("*") if path.is_file()}
    named = dict(_named_files(site))
    if orphans := there.keys() - named.keys():
        yield f"{len(orphans)} files without a row after the sweep, such as {min(orphans)}"
    if missing := named.keys() - there.keys():
        yield f"{len(missing)} files that rows name are not there, such as {min(missing)}"
    for folder, _, stored in _pages(site):
        held = sum(there.get(name, 0) for name, inside in named.items() if inside == folder)
        if held != stored:
            yield f"{folder} holds {held} bytes, its row says {stored}"
    spooled = [path for path in (site.product.folder / "uploads").rglob("*") if path.is_file()]
    if spooled:
        yield f"{len(spooled)} spooled uploads were left behind"


def _named_files(site: Site) -> Iterator[tuple[str, str]]:
    """Yield each file that a row names, with its folder."""
    for (name,) in site.rows("SELECT original FROM rendering_source UNION SELECT file FROM rendering_export"):
        if name:
            yield name, ""
    for (preview,) in site.rows("SELECT preview FROM rendering_rendition WHERE preview != ''"):
        yield f"{preview}/480.jpg", preview
    for folder, widths, _ in _pages(site):
        yield from ((f"{folder}/{width}.jpg", folder) for width in widths)


def _pages(site: Site) -> Iterator[tuple[str, list[int], int]]:
    for folder, widths, stored in site.rows(PAGES):
        yield folder, [int(width) for width in widths.strip("[]").split(",") if width.strip()], stored


def _summary(site: Site, people: list[Person], watch: Watch, killed: Counter[str]) -> Iterator[str]:
    said = sum((person.diary.said for person in people), Counter())
    yield f"{len(people)} people: " + ", ".join(f"{count} {what}" for what, count in said.most_common())
    yield "killed: " + ", ".join(f"{count} times a {kind}" for kind, count in killed.items())
    done = site.number("SELECT count(*) FROM rendering_rendition WHERE state = 'done'")
    again = site.number("SELECT sum(tries - 1) FROM rendering_rendition WHERE tries > 1")
    yield f"{done:.0f} paintings; {again:.0f} were begun again"
    failed = Counter(end.reason for ends in _ends(site).values() for end in ends if end.reason)
    yield "failed: " + (", ".join(f"{count} {reason}" for reason, count in failed.items()) or "none")
    yield "memory grew: " + ", ".join(f"{kind} {growth:+.0%}" for kind, growth in watch.growth().items())


def _early(held: list[int]) -> float:
    at = len(held) // 5
    return statistics.median(held[at : at + 5])


def _late(held: list[int]) -> float:
    return statistics.median(held[-5:])


if __name__ == "__main__":
    main()
