"""Prints how many times less CPU our styles take than OpenCV's own functions, in one process and run.

Then, what each part of a photo's way costs, from a JPEG of 12 megapixels to the files of four `studio` paintings.

Usage: python -m tests.load.engine [--json] [--rounds 5] [--size 1024] [--size 12mp] [--studio-only]
"""

import argparse
import json
import statistics
import sys
import time
from collections.abc import Callable
from dataclasses import asdict, dataclass
from pathlib import Path

import cv2
import numpy as np
from PIL import Image

from rendering import kernels, styles
from rendering.styles.base import Bench, Pixels
from tests.load import studio

PHOTOS = ("japanese-shop.jpg", "book-beside-flowers.jpg")
FOLDER = Path(__file__).resolve().parent.parent / "photos"
SIZES = {"1024": 1024, "12mp": 0}


@dataclass(frozen=True)
class Line:
    """One row of the table: CPU seconds of a core, medians over photos and rounds."""

    work: str
    size: str
    opencv: float
    ours: float
    floor: float
    aim: float

    @property
    def ratio(self) -> float:
        """How many times less CPU ours takes."""
        return self.opencv / self.ours


@dataclass(frozen=True)
class Race:
    """The same work done by OpenCV and by us, with the floor and the aim of the ratio by size."""

    work: str
    opencv: Callable[[Pixels], object]
    ours: Callable[[Pixels], object]
    goals: dict[str, tuple[float, float]]


def pencils(canvas: Pixels) -> None:
    """Paint both pencils from one computation, as the article's parameters have it."""
    bench = Bench(canvas)
    for name in ("pencil", "color-pencil"):
        _paint(bench, name)


def everything(canvas: Pixels) -> None:
    """Paint the four styles."""
    bench = Bench(canvas)
    for name in styles.NAMES:
        _paint(bench, name)


def one(name: str, **changes: float) -> Callable[[Pixels], None]:
    """Return a painter of one style."""
    return lambda canvas: _paint(Bench(canvas), name, **changes)


def opencv_everything(canvas: Pixels) -> None:
    """Paint the four pictures with OpenCV's functions."""
    cv2.pencilSketch(canvas, sigma_s=60, sigma_r=0.07, shade_factor=0.1)
    cv2.xphoto.oilPainting(canvas, 7, 3)
    cv2.stylization(canvas, sigma_s=60, sigma_r=0.45)


RACES = (
    Race(
        "pencil + color pencil",
        lambda canvas: cv2.pencilSketch(canvas, sigma_s=60, sigma_r=0.07, shade_factor=0.1),
        pencils,
        {"1024": (10, 20), "12mp": (15, 35)},
    ),
    Race(
        "oil, size 7",
        lambda canvas: cv2.xphoto.oilPainting(canvas, 7, 3),
        one("oil"),
        {"1024": (7, 12), "12mp": (7, 13)},
    ),
    Race("oil, size 28", lambda canvas: cv2.xphoto.oilPainting(canvas, 28, 3), one("oil", size=28), {"12mp": (15, 30)}),
    Race(
        "watercolor",
        lambda canvas: cv2.stylization(canvas, sigma_s=60, sigma_r=0.45),
        one("watercolor"),
        {"1024": (4.5, 12), "12mp": (10, 22)},
    ),
    Race("all four", opencv_everything, everything, {"1024": (7, 12), "12mp": (10, 20)}),
)


def measure(race: Race, size: str, *, rounds: int) -> Line:
    """Run both sides by turns on every photo and return the medians."""
    opencv: list[float] = []
    ours: list[float] = []
    for photo in PHOTOS:
        canvas = _canvas(photo, SIZES[size])
        opencv.append(_median(race.opencv, canvas, rounds))
        ours.append(_median(race.ours, canvas, rounds))
    return Line(race.work, size, sum(opencv), sum(ours), *race.goals[size])


def main() -> None:
    """Print the table."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--json", action="store_true")
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--size", action="append", choices=SIZES)
    parser.add_argument("--studio-only", action="store_true")
    options = parser.parse_args()
    cv2.setNumThreads(1)
    kernels.compile_all()
    for size in [] if options.studio_only else options.size or SIZES:
        for race in RACES:
            if size in race.goals:
                _tell(measure(race, size, rounds=options.rounds), as_json=options.json)
    for part in studio.parts(options.rounds):
        _tell_part(part, as_json=options.json)


def _tell(line: Line, *, as_json: bool) -> None:
    if as_json:
        sys.stdout.write(json.dumps({**asdict(line), "ratio": line.ratio}) + "\n")
    else:
        sys.stdout.write(
            f"{line.work:24s} {line.size:>5s}  OpenCV {line.opencv / 2:7.3f} s  ours {line.ours / 2:7.3f} s"
            f"  {line.ratio:5.1f} times less CPU (floor {line.floor:g}, aim {line.aim:g})\n"
        )
    sys.stdout.flush()


def _tell_part(part: studio.Part, *, as_json: bool) -> None:
    counted = "" if part.counted else "  (not in the sum)"
    line = json.dumps(asdict(part)) if as_json else f"{part.work:28s} {part.milliseconds:7.1f} CPU ms{counted}"
    sys.stdout.write(line + "\n")
    sys.stdout.flush()


def _paint(bench: Bench, name: str, **changes: float) -> None:
    style = styles.find(name)
    if style is None:
        message = f"no style {name}"
        raise LookupError(message)
    style.paint(bench, style.values("classic", changes))


def _canvas(photo: str, long_edge: int) -> Pixels:
    with Image.open(FOLDER / photo) as image:
        pixels = np.ascontiguousarray(np.asarray(image.convert("RGB"))[:, :, ::-1])
    if not long_edge:
        return pixels
    scale = long_edge / max(pixels.shape)
    return np.ascontiguousarray(cv2.resize(pixels, None, fx=scale, fy=scale, interpolation=cv2.INTER_AREA))


def _median(work: Callable[[Pixels], object], canvas: Pixels, rounds: int) -> float:
    seconds = []
    for _ in range(rounds):
        clock = time.process_time()
        work(canvas)
        seconds.append(time.process_time() - clock)
    return statistics.median(seconds)


if __name__ == "__main__":
    main()
