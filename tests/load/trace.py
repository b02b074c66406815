"""Replays uploads of which 18 % are repeats, and prints what the cache found, what it got wrong and what it saved.

The repeats: the same file, the same picture with other metadata or losslessly saved again, a smaller copy, and the
next photo of a burst. Only the first three may be shared; a smaller copy or a neighbor may be proposed as a twin.

Usage: python -m tests.load.trace [--json] [--photos 100] [--people 12]
"""

import argparse
import json
import random
import statistics
import sys
from collections import Counter
from collections.abc import Iterator
from dataclasses import asdict, dataclass
from io import BytesIO
from typing import Any

import cv2
import numpy as np
from PIL import Image

from rendering.imaging import Pixels
from tests.load import pictures
from tests.load.site import Site, machine, running
from tests.load.visitor import ALL_STYLES, Uploaded, Visitor

REPEATS = 0.18
# The repeats are these by turns.
KINDS = ("same file", "metadata", "resized", "same file", "lossless", "burst")
SAME = ("new", "same file", "metadata", "lossless")
ALIKE = ("resized", "burst")
SLOWEST_HIT = 0.150  # seconds of the server for the response to an upload of 8 MB that is known, for 95 of 100
PHOTOS = """
SELECT photo.key, twin.key, artwork.same_file, commission.found, rendition.id, rendition.cpu_seconds
FROM gallery_photo AS photo
LEFT JOIN gallery_photo AS twin ON twin.id = photo.twin_of_id
JOIN gallery_artwork AS artwork ON artwork.photo_id = photo.id
JOIN rendering_commission AS commission ON commission.id = artwork.commission_id
JOIN rendering_rendition AS rendition ON rendition.id = commission.rendition_id
"""


@dataclass(frozen=True)
class Sending:
    """One upload of the trace: what it shows, how it came about, and who sends it."""

    kind: str
    scene: int
    content: bytes
    sender: int

    @property
    def picture(self) -> tuple[str, int]:
        """What it shares with those that are the same to the last bit, and with no other."""
        return ("same" if self.kind in SAME else self.kind), self.scene


@dataclass(frozen=True)
class Line:
    """One artwork as the database has it after the replay."""

    photo: str
    twin: str | None
    same_file: bool
    same_picture: bool
    rendition: int
    cpu_seconds: float


@dataclass(frozen=True)
class Found:
    """What the replay showed; counts are of photos, CPU is in seconds of a core."""

    uploads: int
    repeats: dict[str, int]
    same_file: int
    same_picture: int
    missed: int
    wrong: int
    proposals_right: int
    proposals_wrong: int
    proposals_missed: int
    cpu_spent: float
    cpu_saved: float
    hit_p50: float
    hit_p95: float
    hit_megabytes: float


def trace(count: int) -> list[Sending]:
    """Return so many uploads, the same for the same number: 18 % are repeats, each somewhere after its first."""
    chance = random.Random(count)  # noqa: S311 - the same trace each time
    repeats = round(count * REPEATS)
    scenes = list(pictures.scenes(count - repeats))
    sent = [Sending("new", number, pictures.jpeg(scene), number % 3 // 2) for number, scene in enumerate(scenes)]
    originals = list(sent)
    for number in range(repeats):
        kind = KINDS[number % len(KINDS)]
        first = originals[number * len(scenes) // repeats]
        # A copy of somebody else's photo may be shared, but is never proposed.
        sender = first.sender if kind in ALIKE or number % 2 else 1 - first.sender
        again = Sending(kind, first.scene, repeated(kind, scenes[first.scene], first.content), sender)
        sent.insert(chance.randint(sent.index(first) + 1, len(sent)), again)
    return sent


def repeated(kind: str, scene: Pixels, content: bytes) -> bytes:
    """Return another file of a scene."""
    if kind == "metadata":
        return pictures.with_camera(content, 7)
    if kind == "lossless":
        file = BytesIO()
        with Image.open(BytesIO(content)) as image:
            image.convert("RGB").save(file, "PNG", compress_level=1)
        return file.getvalue()
    if kind == "resized":
        return pictures.jpeg(cv2.resize(scene, None, fx=0.7, fy=0.7, interpolation=cv2.INTER_AREA))
    return pictures.jpeg(neighbor(scene)) if kind == "burst" else content


def neighbor(scene: Pixels) -> Pixels:
    """Return the same view a moment later: a hand that moved by some pixels, a little more light, other grain."""
    grain = np.random.default_rng(1).normal(2, 2, scene.shape)
    return np.clip(np.roll(scene, (2, 3), (0, 1)) + grain, 0, 255).astype(np.uint8)


def replay(sent: list[Sending], people: list[Visitor]) -> list[tuple[Sending, Uploaded]]:
    """Upload everything in order, as fast as the server takes it, and wait until all is painted."""
    told = [(each, people[each.sender].upload(each.content, name=f"{number}.jpg")) for number, each in enumerate(sent)]
    for index, person in enumerate(people):
        keys = {answer.photo for each, answer in told if each.sender == index}
        person.wait_for(keys, seconds=60 + 3 * len(sent))
    return told


def known_upload(site: Site, content: bytes, people: int) -> list[float]:
    """Have one file painted, then sent by others and by the same person; return the seconds of each answer."""
    first, *others = [site.visitor(f"hit{number}") for number in range(people)]
    site.let_everything()
    first.wait_for([first.upload(content, name="large.jpg").photo], seconds=60)
    told = [each.upload(content, name="copy.jpg") for each in (*others, *[first] * len(others))]
    if any(each.finished < 4 for each in told):
        message = "the answer to a known file did not show its finished paintings"
        raise RuntimeError(message)
    return [each.seconds for each in told]


def main() -> None:
    """Print the result, and end with status 1 if somebody was given another picture."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--json", action="store_true")
    parser.add_argument("--photos", type=int, default=100)
    parser.add_argument("--people", type=int, default=12)
    options = parser.parse_args()
    sent, large = trace(options.photos), _eight_megabytes()
    with running(workers=2) as site:
        people = [site.visitor(name) for name in ("anna", "bert")]
        site.let_everything()
        told = replay(sent, people)
        lines = [_line(row) for row in site.rows(PHOTOS)]
        read = site.number("SELECT sum(cpu_seconds) FROM rendering_source")
        hits = known_upload(site, large, options.people)
    found = _found(told, lines, read, hits, len(large) / 1e6)
    told_lines = [json.dumps(asdict(found))] if options.json else _as_text(found)
    sys.stdout.write("".join(f"{line}\n" for line in told_lines))
    sys.exit(int(found.wrong > 0 or found.missed > 0))


def _eight_megabytes() -> bytes:
    """Return a photo of 12 megapixels with the grain of a dark evening, in the least quality that takes 8 MB."""
    [whole] = pictures.twelve_megapixels(1)
    with Image.open(BytesIO(whole)) as image:
        pixels = cv2.add(np.asarray(image.convert("RGB"))[:, :, ::-1], _grain())
    made = (pictures.jpeg(pixels, quality=quality) for quality in range(90, 101))
    return next(content for content in made if len(content) > 8_000_000)


def _grain() -> Pixels:
    tile = np.random.default_rng(2).integers(0, 12, (300, 400, 3)).astype(np.uint8)
    return np.tile(tile, (10, 10, 1))


def _line(row: tuple[Any, ...]) -> Line:
    photo, twin, same_file, found, rendition, cpu_seconds = row
    return Line(photo, twin, bool(same_file), found == "same_picture", rendition, cpu_seconds)


def _found(
    told: list[tuple[Sending, Uploaded]], lines: list[Line], read: float, hits: list[float], megabytes: float
) -> Found:
    by_photo: dict[str, list[Line]] = {}
    for line in lines:
        by_photo.setdefault(line.photo, []).append(line)
    steps = [(each, _step(each, answer, by_photo[answer.photo])) for each, answer in told]
    counted = Counter(step for _, step in steps)
    shared = [by_photo[answer.photo] for (_, step), (_, answer) in zip(steps, told, strict=True) if step != "painted"]
    painted = sum({line.rendition: line.cpu_seconds for line in lines}.values())
    saved = sum(line.cpu_seconds for artworks in shared for line in artworks)
    saved += counted["same file"] * read / (len(told) - counted["same file"])
    right, wrong, missed = _proposals(told, by_photo)
    return Found(
        uploads=len(told),
        repeats=dict(Counter(each.kind for each, _ in told if each.kind != "new")),
        same_file=counted["same file"],
        same_picture=counted["same picture"],
        missed=_missed(told, by_photo),
        wrong=_wrong(told, by_photo),
        proposals_right=right,
        proposals_wrong=wrong,
        proposals_missed=missed,
        cpu_spent=painted + read,
        cpu_saved=saved,
        hit_p50=statistics.median(hits),
        hit_p95=sorted(hits)[round(0.95 * (len(hits) - 1))],
        hit_megabytes=megabytes,
    )


def _step(sending: Sending, answer: Uploaded, artworks: list[Line]) -> str:
    """Say by which step of the ladder a photo got its paintings."""
    if answer.outcome == "known" or all(line.same_file for line in artworks):
        # Whoever came first has it painted, though the same photo of theirs may be sent again later.
        return "painted" if sending.kind == "new" else "same file"
    return "same picture" if all(line.same_picture for line in artworks) else "painted"


def _missed(told: list[tuple[Sending, Uploaded]], by_photo: dict[str, list[Line]]) -> int:
    """Count how often the same picture was painted again; who came first does not matter, as two are read at once."""
    painted: dict[int, set[int]] = {}
    for each, answer in told:
        if each.kind in SAME:
            painted.setdefault(each.scene, set()).update(line.rendition for line in by_photo[answer.photo])
    return sum(len(renditions) // len(ALL_STYLES) - 1 for renditions in painted.values())


def _wrong(told: list[tuple[Sending, Uploaded]], by_photo: dict[str, list[Line]]) -> int:
    """Count the photos that share a painting with another picture."""
    shown: dict[int, set[tuple[str, int]]] = {}
    for each, answer in told:
        for line in by_photo[answer.photo]:
            shown.setdefault(line.rendition, set()).add(each.picture)
    mixed = {rendition for rendition, meanings in shown.items() if len(meanings) > 1}
    return sum(any(line.rendition in mixed for line in by_photo[answer.photo]) for _, answer in told)


def _proposals(told: list[tuple[Sending, Uploaded]], by_photo: dict[str, list[Line]]) -> tuple[int, int, int]:
    scenes = {answer.photo: each.scene for each, answer in told}
    twins = {answer.photo: by_photo[answer.photo][0].twin for _, answer in told}
    proposed = {photo: twin for photo, twin in twins.items() if twin}
    right = sum(scenes[photo] == scenes.get(twin) for photo, twin in proposed.items())
    missed = sum(each.kind in ALIKE and not twins[answer.photo] for each, answer in told)
    return right, len(proposed) - right, missed


def _as_text(found: Found) -> Iterator[str]:
    kinds = ", ".join(f"{count} {kind}" for kind, count in found.repeats.items())
    total = sum(found.repeats.values())
    yield f"{machine()}; {found.uploads} uploads by two people, {total} of them repeats: {kinds}"
    hits = found.same_file + found.same_picture
    yield (
        f"shared: {hits} of {found.uploads} ({hits / found.uploads:.0%}): same file {found.same_file},"
        f" same picture {found.same_picture}; missed {found.missed}; wrong {found.wrong} (must be 0)"
    )
    yield (
        f"twins proposed: {found.proposals_right} right, {found.proposals_wrong} wrong,"
        f" {found.proposals_missed} smaller copies or neighbors without a proposal"
    )
    spent, saved = found.cpu_spent, found.cpu_saved
    yield f"CPU: {spent:.1f} s spent, {saved:.1f} s saved ({saved / (spent + saved):.0%})"
    yield (
        f"a known file of {found.hit_megabytes:.1f} MB, answered with its finished paintings:"
        f" {1000 * found.hit_p50:.0f} ms (p50), {1000 * found.hit_p95:.0f} ms (p95; at most {1000 * SLOWEST_HIT:.0f})"
    )


if __name__ == "__main__":
    main()
