"""Prints what it costs to look for twins in an album of 100,000 photos: as a request pays it, warm and cold.

Milliseconds of CPU of the thread that serves; what a database server of its own would use is not in it.

Usage: python -m tests.load.twins [--json] [--photos 100000]
"""

import argparse
import json
import secrets
import statistics
import sys
import time
from collections.abc import Callable, Iterator
from dataclasses import asdict, dataclass
from io import BytesIO
from pathlib import Path

import numpy as np
from django.conf import settings
from django.core.management import call_command
from django.urls import reverse
from django.utils import timezone
from PIL import Image

from gallery import twins
from gallery.models import Photo, TwinAnswer, User
from rendering import store
from rendering import twins as likenesses
from rendering.models import Source, State
from tests import makers

ROUNDS = 15
BOUND = 20.0  # for a look-up in 100,000 photos, and for all that is done for a newly read photo
COPIES = 500
NEIGHBORS = likenesses.CLOSER_LOOKS


@dataclass(frozen=True)
class Line:
    """One figure: the median and the worst of some rounds, in milliseconds, and what it may be (0: no bound)."""

    work: str
    median: float
    worst: float
    bound: float = 0

    @property
    def held(self) -> bool:
        """Whether the median is within its bound."""
        return not self.bound or self.median <= self.bound


def measure(count: int) -> Iterator[Line]:
    """Fill an album, then time everything that looks for likenesses."""
    owner = album(count)
    yield timed("index read from the database (a process's first time)", lambda: cold(owner), rounds=3)
    known = owner.photos.select_related("source").order_by("-pk")[0]
    yield timed("look-up: what is new, then who is near", lambda: look_up(owner, known), bound=BOUND)
    fresh = iter([newcomer(owner, number) for number in range(ROUNDS + 1)])
    yield timed(
        f"newly read photo: look-up, {NEIGHBORS} closer looks in vain, its row",
        lambda: twins.look([next(fresh)], owner=owner),
        bound=BOUND,
    )
    yield timed("similar photos", lambda: twins.similar(known, owner=owner), bound=BOUND)
    yield timed("first page of duplicates", lambda: twins.duplicates(owner), rounds=3)
    browser, address = makers.browser(owner), reverse("photo", args=[known.key])
    yield timed("the whole page of a photo", lambda: browser.get(address))


def cold(owner: User) -> None:
    """Read the index as a process does that has never seen this person."""
    likenesses.forget()
    likenesses.index(owner.lane, owner.photos.values_list("pk", "source__phash"))


def look_up(owner: User, photo: Photo) -> list[int]:
    """Find who is near a photo, as a request does."""
    index = likenesses.index(owner.lane, owner.photos.values_list("pk", "source__phash"))
    return index.near(photo.source.phash, within=likenesses.TWIN)


def album(count: int) -> User:
    """Return a person with so many photos, of which a few hundred are near others."""
    owner, now = makers.person("collector"), timezone.now()
    hashes = np.random.default_rng(1).bytes(32 * count).hex()
    texts = [hashes[64 * place : 64 * place + 64] for place in range(count - COPIES)]
    texts += [text[:-1] + "0" for text in texts[:COPIES]]
    read = {"original": "none", "size": 1, "format": "jpeg", "width": 64, "height": 48, "waiting_since": now}
    done = {"state": State.DONE, "folder": "photos/none", "signature": "20" * 18, **read}
    sources = [
        Source(bytes_key=secrets.token_hex(32), canvas_key=secrets.token_hex(32), phash=text, **done) for text in texts
    ]
    Source.objects.bulk_create(sources, batch_size=2_000)
    facts = {"owner": owner, "created_at": now, "twin_answer": TwinAnswer.ALONE}
    Photo.objects.bulk_create([Photo(source=source, **facts) for source in sources], batch_size=2_000)
    return owner


def newcomer(owner: User, number: int) -> Photo:
    """Return a photo that was read just now, with near neighbors whose files are other pictures."""
    phash = secrets.token_hex(32)
    made = [makers.photo(owner, of=makers.source(phash=phash)) for _ in range(NEIGHBORS + 1)]
    for place, photo in enumerate(made):
        makers.artwork(photo)
        keep_pages(photo.source, seed=10 * number + place)
    Photo.objects.filter(pk=made[-1].pk).update(twin_answer=TwinAnswer.NONE)
    return owner.photos.in_album().get(pk=made[-1].pk)


def keep_pages(source: Source, *, seed: int) -> None:
    """Give a source a page file of the usual size."""
    coarse = np.random.default_rng(seed).integers(0, 256, (30, 40, 3), dtype=np.uint8)
    file = BytesIO()
    Image.fromarray(coarse).resize((480, 360)).save(file, "JPEG", quality=75, subsampling=0)
    pages = store.put_pages("photos", {480: file.getvalue()})
    Source.objects.filter(pk=source.pk).update(folder=pages.folder, widths=pages.widths)


def timed(work: str, action: Callable[[], object], *, rounds: int = ROUNDS, bound: float = 0) -> Line:
    """Return what some rounds of an action take, after one that does not count."""
    action()
    took = []
    for _ in range(rounds):
        clock = time.thread_time()
        action()
        took.append(1000 * (time.thread_time() - clock))
    return Line(work, statistics.median(took), max(took), bound)


def main() -> None:
    """Print the table; fail if a bound is broken."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--json", action="store_true")
    parser.add_argument("--photos", type=int, default=100_000)
    options = parser.parse_args()
    Path(settings.STATIC_ROOT).mkdir(parents=True, exist_ok=True)
    call_command("migrate", verbosity=0)
    lines = [_told(line, as_json=options.json) for line in measure(options.photos)]
    sys.exit(not all(line.held for line in lines))


def _told(line: Line, *, as_json: bool) -> Line:
    bound = f" (bound {line.bound:g})" if line.bound else ""
    text = f"{line.work:62s} {line.median:7.1f} ms, at worst {line.worst:7.1f}{bound}"
    sys.stdout.write((json.dumps(asdict(line)) if as_json else text) + "\n")
    sys.stdout.flush()
    return line


if __name__ == "__main__":
    main()
