"""Prints how many photos a minute the whole product paints, with one worker and with two, and where the CPU goes.

Photos of 12 megapixels come in by HTTP, two at a time, while the workers paint; each is painted in four styles.
The load generator runs on the same machine. No two photos look alike; with --burst all do, and each has to be
compared with others and is proposed a twin.

Usage: python -m tests.load.throughput [--json] [--photos 60] [--burst] [--workers 1 --workers 2]
"""

import argparse
import io
import json
import statistics
import sys
import threading
import time
from collections.abc import Iterable, Iterator
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from queue import Empty, SimpleQueue

from django.conf import settings

from rendering import easel, labels, pipeline, recipes, styles
from rendering.imaging.header import Limits
from rendering.styles.base import Bench
from tests.load import pictures
from tests.load.site import Site, machine, running
from tests.load.visitor import Foretold, Visitor
from tests.processes import wait_until

AT_ONCE = 2
FLOOR, AIM = 150, 250  # photos a minute with two workers on two cores
SCALING = 1.7  # from one worker to two
BOOKKEEPING = 10  # percent of the work, at most
WRONG = 30  # percent that half of what people are told may be wrong by, at most
ENDS = """
SELECT photo.key, max(rendition.finished_at) FROM gallery_photo AS photo
JOIN gallery_artwork AS artwork ON artwork.photo_id = photo.id
JOIN rendering_commission AS commission ON commission.id = artwork.commission_id
JOIN rendering_rendition AS rendition ON rendition.id = commission.rendition_id
GROUP BY photo.key
"""
RECORDED = "SELECT (SELECT sum(cpu_seconds) FROM rendering_source) + (SELECT sum(cpu_seconds) FROM rendering_rendition)"


@dataclass(frozen=True)
class Round:
    """One run of the product, by photo where it says so; CPU in seconds of a core."""

    workers: int
    photos: int
    seconds: float
    worker: float
    web: float
    valkey: float
    caretaker: float
    generator: float
    recorded: float
    encoding: float
    slowest_upload: float
    foretold: int
    wrong_by: float
    too_long_by: float

    @property
    def photos_a_minute(self) -> float:
        """How many photos a minute were painted."""
        return self.photos / self.seconds * 60

    @property
    def overhead(self) -> float:
        """How much the workers took beyond reading, painting and encoding, in percent of these."""
        work = self.recorded + self.encoding
        return (self.worker - work) / work * 100


def measure(workers: int, photos: list[bytes], encoding: float) -> Round:
    """Start the product, have all photos painted, and return what it took."""
    with running(workers=workers) as site:
        person = site.visitor("bench")
        site.let_everything()
        _warm_up(site, person)
        person.foretold.clear()
        before, recorded = _spent(site), site.number(RECORDED)
        started = datetime.now(UTC)
        keys, waited = upload_all(person, photos)
        person.wait_for(keys, seconds=60 + 5 * len(photos), pause=1)
        seconds = (_last_finished(site) - started).total_seconds()
        wait_until(lambda: _is_quiet(site), seconds=30)
        spent = {kind: (after - before[kind]) / len(photos) for kind, after in _spent(site).items()}
        _check(site, len(photos))
        recorded = (site.number(RECORDED) - recorded) / len(photos)
        told = list(errors(site, person.foretold)) or [0.0]
    facts = {"recorded": recorded, "encoding": encoding, "slowest_upload": max(waited)}
    facts |= {"wrong_by": statistics.median(map(abs, told)), "too_long_by": statistics.median(told)}
    return Round(workers=workers, photos=len(photos), seconds=seconds, foretold=len(told), **spent, **facts)


def errors(site: Site, foretold: Iterable[Foretold]) -> Iterator[float]:
    """Yield by which share each time that a card told was too long (or, below 0, too short)."""
    ends = {key: datetime.fromisoformat(end).replace(tzinfo=UTC) for key, end in site.rows(ENDS)}
    for each in foretold:
        waited = (ends[each.photo] - each.at).total_seconds()
        if waited > 0:
            yield each.seconds / waited - 1


def upload_all(person: Visitor, photos: list[bytes], *, at_once: int = AT_ONCE) -> tuple[list[str], list[float]]:
    """Send all photos, so many at a time; return their keys and how long each upload took."""
    waiting: SimpleQueue[tuple[int, bytes]] = SimpleQueue()
    for item in enumerate(photos):
        waiting.put(item)
    keys: list[str] = []
    seconds: list[float] = []

    def send(sender: Visitor) -> None:
        while True:
            try:
                number, content = waiting.get_nowait()
            except Empty:
                return
            told = sender.upload(content, name=f"photo {number}.jpg")
            keys.append(told.photo)
            seconds.append(told.seconds)

    threads = [threading.Thread(target=send, args=(person.again(),)) for _ in range(at_once)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    if len(keys) != len(photos):
        message = f"only {len(keys)} of {len(photos)} uploads were answered"
        raise RuntimeError(message)
    return keys, seconds


def encoding_seconds(photo: bytes) -> float:
    """Return the CPU seconds that the files of a photo's four paintings take; the rows hold the painting alone."""
    easel.prepare()
    canvas = pipeline.open_canvas(io.BytesIO(photo), long_edge=settings.LONG_EDGE, limits=Limits())
    bench = Bench(canvas)
    total = 0.0
    for name in styles.NAMES:
        painting = pipeline.paint_on(bench, recipes.compose(name, look="studio", long_edge=settings.LONG_EDGE))
        total += statistics.median(_encoding(painting) for _ in range(5))
    return total


def main() -> None:
    """Print a line for each number of workers, and end with status 1 under the floor."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--json", action="store_true")
    parser.add_argument("--photos", type=int, default=60)
    parser.add_argument("--burst", action="store_true")
    parser.add_argument("--workers", type=int, action="append")
    options = parser.parse_args()
    photos = list((pictures.burst if options.burst else pictures.twelve_megapixels)(options.photos))
    encoding = encoding_seconds(photos[0])
    rounds = [measure(workers, photos, encoding) for workers in options.workers or (1, 2)]
    lines = _as_json(rounds) if options.json else _as_text(rounds, photos)
    sys.stdout.write("".join(f"{line}\n" for line in lines))
    sys.exit(int(rounds[-1].workers > 1 and rounds[-1].photos_a_minute < FLOOR))


def _encoding(painting: pipeline.Painting) -> float:
    clock = time.process_time()
    pipeline.smaller(painting.pixels, settings.PAGE_WIDTHS)
    labels.write(painting.pixels, labels.of(painting.recipe))
    return time.process_time() - clock


def _warm_up(site: Site, person: Visitor) -> None:
    """Have other photos painted first: what a process does once in its life is not measured."""
    small = [pictures.jpeg(each) for each in pictures.scenes(2 * len(site.processes("worker")))]
    keys, _ = upload_all(person, small)
    person.wait_for(keys, seconds=120)
    wait_until(lambda: _is_quiet(site), seconds=60)


def _is_quiet(site: Site) -> bool:
    """Say whether the workers do nothing: what a finished child took is in its parent's account only then."""
    before = site.cpu_seconds("worker")
    time.sleep(0.5)
    return site.cpu_seconds("worker") - before < 0.03


def _last_finished(site: Site) -> datetime:
    """Return when the last painting was there; a page sees it a moment later."""
    [[last]] = site.rows("SELECT max(finished_at) FROM rendering_rendition")
    return datetime.fromisoformat(last).replace(tzinfo=UTC)


def _spent(site: Site) -> dict[str, float]:
    kinds = ("worker", "web", "valkey", "caretaker")
    return {**{kind: site.cpu_seconds(kind) for kind in kinds}, "generator": time.process_time()}


def _check(site: Site, photos: int) -> None:
    """Refuse figures of a run that did not paint everything."""
    done = site.number("SELECT count(*) FROM rendering_rendition WHERE state = 'done'")
    failed = site.number("SELECT count(*) FROM rendering_rendition WHERE state != 'done'")
    if failed or done < 4 * photos:
        message = f"{done:.0f} paintings of {photos} photos, and {failed:.0f} that were not painted"
        raise RuntimeError(message)


def _as_json(rounds: list[Round]) -> Iterator[str]:
    for each in rounds:
        yield json.dumps({**asdict(each), "photos_a_minute": each.photos_a_minute, "overhead_percent": each.overhead})


def _as_text(rounds: list[Round], photos: list[bytes]) -> Iterator[str]:
    size = statistics.mean(map(len, photos)) / 1e6
    yield f"{machine()}; {len(photos)} JPEGs of 12 megapixels and {size:.1f} MB, four styles, {AT_ONCE} uploads at once"
    yield f"floor {FLOOR}, aim {AIM} photos a minute with 2 workers; bookkeeping at most {BOOKKEEPING} %"
    for each in rounds:
        yield from _told(each)
    if len(rounds) > 1:
        ratio = rounds[-1].photos_a_minute / rounds[0].photos_a_minute
        yield f"{rounds[-1].workers} workers against {rounds[0].workers}: {ratio:.2f} times as fast (floor {SCALING})"


def _told(each: Round) -> Iterator[str]:
    rate = each.photos_a_minute
    yield f"{each.workers} worker{'s' * (each.workers > 1)}: {rate:.0f} photos, {4 * rate:.0f} paintings a minute"
    kinds = {"workers": each.worker, "web": each.web, "Valkey": each.valkey, "caretaker": each.caretaker}
    parts = {**kinds, "load generator": each.generator}
    yield "  CPU ms a photo: " + ", ".join(f"{name} {1000 * seconds:.0f}" for name, seconds in parts.items())
    yield (
        f"  of the workers': reading and painting {1000 * each.recorded:.0f}, encoding {1000 * each.encoding:.0f},"
        f" bookkeeping {each.overhead:.0f} % of both; slowest upload {each.slowest_upload:.2f} s"
    )
    yield (
        f"  of {each.foretold} times told on cards half were wrong by {100 * each.wrong_by:.0f} % at most"
        f" (at most {WRONG}), and by {100 * each.too_long_by:+.0f} % in the middle"
    )


if __name__ == "__main__":
    main()
