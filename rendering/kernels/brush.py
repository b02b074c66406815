"""Brushes, and painting with them: bristles that leave ridges of paint, and light that falls across the ridges.

A stroke is a rectangle along a parabola, filled from a stamp: how much paint each place of the brush leaves, and how
high it stands. The relief is lit from above on the left, after A. Hertzmann (Fast Paint Texture, 2002).
"""

import math
from functools import cache
from typing import Any, NamedTuple

import cv2
import numpy as np
from numba import njit
from numpy.typing import NDArray

from rendering.kernels.compilation import kernel, make_ready
from rendering.kernels.strokes import BACK, BEND, BLUE, COSINE, FRONT, GREEN, HALF, KIND, RED, SINE, TONE, X, Y

Pixels = NDArray[np.uint8]
Floats = NDArray[np.float32]

_KINDS = 4
_WIDEST = 128  # rows of the largest stamp, across the brush; each next one has half of them
_STAMPS = 6
_LONG = 4  # a stamp is four times as long as wide; longer strokes stretch its middle
_THICKNESS = np.float32(
    256 / 255
)  # how high the paint of a stroke stands: a quarter of the width, in 1024ths of the edge
_SLOPE = np.float32(2 * 0.7 / 8)  # Sobel's sums to a slope, for light at 45 degrees
_SHADE = np.float32(0.27)
_GLOSS = np.float32(28)
_HALF = np.float32(0.5)
_ONE = np.float32(1)
_BLOCK = 16  # pixels at a time; a band has as many columns more than the picture
_THINNEST = np.float32(0.7)  # half a width, in pixels


# Views of arrays without counting references (Numba's types do not know the option), divisions without a test for zero.
_inner = njit(nogil=True, error_model="numpy", _nrt=False)  # type: ignore[call-overload]  # see above


class Brushes(NamedTuple):
    """The stamps of all kinds of brushes in all sizes."""

    stamps: NDArray[np.uint16]
    """The amount of paint (0 to 255) in the low byte, its height in the high one."""
    starts: NDArray[np.int64]
    """Where the stamp of a kind and size starts: (kinds, sizes)."""


def compile_kernels() -> None:
    """Make the compiled functions ready: from the cache folder, or in some seconds."""
    make_ready(__name__)
    brushes()


def blank(rows: int, columns: int) -> Floats:
    """Return room for a band of the picture: (4: blue, green, red, relief; rows; columns and some more)."""
    return np.empty((4, rows, columns + _BLOCK), np.float32)


def widened(ground: Pixels, columns: int) -> Pixels:
    """Return a ground (height, width, 3) as planes (3, height, columns) for bands of so many columns."""
    wide = cv2.resize(ground, (columns, ground.shape[0]), interpolation=cv2.INTER_LINEAR)
    return np.ascontiguousarray(wide.transpose(2, 0, 1), np.uint8)


def prime(band: Floats, ground: Pixels, *, top: int, height: int) -> None:
    """Cover a band with the ground, flat.

    The ground is planes (3, any height, columns) and shows the whole picture of this height, the band rows from top on.
    """
    _prime(band, ground, top, height)


def draw(band: Floats, strokes: Floats, *, top: int, edge: float, marks: float) -> None:
    """Paint the strokes, in their order, on a band (4, rows, columns) whose first row is row `top` of the picture.

    Edge is the picture's long edge in pixels; marks are the levels by which bristles and strokes differ in tone.
    """
    stamps, starts = brushes()
    _draw(band, strokes, top, float(edge), float(marks), stamps, starts)


def light(band: Floats, painted: Pixels, *, first: int, edge: float, relief: float) -> None:
    """Write the band's rows from `first` on to painted (rows, columns, 3), with light across the ridges.

    Relief from 0 to 1 is how steep they look; slopes count by the picture's long edge `edge`, not by its pixels.
    """
    _light(band, first, relief * edge / 1024, painted)


@cache
def brushes() -> Brushes:
    """Return the brushes; the same in every process, since their dice are seeded."""
    dice = np.random.default_rng(7)
    sizes = [_WIDEST >> size for size in range(_STAMPS)]
    parts, starts, filled = [], np.empty((_KINDS, _STAMPS), np.int64), 0
    for kind in range(_KINDS):
        paint, ridges = _stamp(dice)
        for size, rows in enumerate(sizes):
            amount, tall = (
                cv2.resize(part, (_LONG * rows, rows), interpolation=cv2.INTER_AREA) for part in (paint, ridges)
            )
            parts.append((np.rint(amount * 255) + np.rint(tall * 255) * 256).astype(np.uint16).ravel())
            starts[kind, size] = filled
            filled += parts[-1].size
    return Brushes(np.concatenate(parts), starts)


def _stamp(dice: np.random.Generator) -> tuple[Floats, Floats]:
    """Return how much paint a brush leaves, and how high it stands, both (128, 512), 0 to 1: full head, dry tail."""
    along, across = np.meshgrid(np.linspace(0, _LONG, _LONG * _WIDEST), np.linspace(-1, 1, _WIDEST))
    bristles = _stretched(0.55 * _noise(dice, 1.7, 60) + 0.45 * _noise(dice, 5, 150))
    off = np.abs(across + 0.1 * (_noise(dice, 40, 70) - 0.5))
    side = np.clip((1 - 1.06 * off - 0.1 * _noise(dice, 2, 25)) / 0.14, 0, 1)
    round_off = 1 - np.sqrt(1 - across**2)
    head = 0.08 + 0.3 * round_off + 0.12 * _ragged(dice, 4)
    tail = _LONG - (0.05 + 0.35 * round_off + 0.55 * _ragged(dice, 2.2) ** 1.5)
    paint = side * np.clip((along - head) / 0.1, 0, 1) * np.clip((tail - along) / 0.14, 0, 1)
    dry = np.clip((along - 2.6) / 1.4, 0, 1) * np.clip((0.62 - bristles) / 0.22, 0, 1)
    paint *= 1 - np.clip(1.25 * dry, 0, 1)
    ridges = 0.25 + 0.6 * bristles + 0.25 * np.exp(-(((off - 0.8) / 0.13) ** 2))
    piled = 0.35 * np.exp(-(((along - tail + 0.25) / 0.2) ** 2)) + 0.25 * np.exp(-(((along - head - 0.1) / 0.15) ** 2))
    return paint.astype(np.float32), np.clip(ridges * (0.8 + piled), 0, 1).astype(np.float32)


def _noise(dice: np.random.Generator, across: float, along: float) -> Floats:
    grains = dice.random((_WIDEST, _LONG * _WIDEST), np.float32)
    return _stretched(cv2.GaussianBlur(grains, (0, 0), sigmaX=along, sigmaY=across))


def _ragged(dice: np.random.Generator, across: float) -> Floats:
    return _stretched(cv2.GaussianBlur(dice.random((_WIDEST, 1), np.float32), (0, 0), sigmaX=1, sigmaY=across))


def _stretched(values: NDArray[Any]) -> Floats:
    """Return the values from 0 to 1."""
    return np.asarray((values - values.min()) / (values.max() - values.min()), np.float32)


@kernel("void(f4[:,:,::1], u1[:,:,::1], i8, i8)")
def _prime(band: Floats, ground: Pixels, top: int, height: int) -> None:
    lowest = ground.shape[1] - 1
    for i in range(band.shape[1]):
        y = max((top + i + 0.5) * ground.shape[1] / height - 0.5, 0.0)
        above = min(int(y), lowest)
        under = np.float32(y - above)
        for channel in range(3):
            one, other = ground[channel, above], ground[channel, min(above + 1, lowest)]
            row = band[channel, i]
            for j in range(one.size):
                row[j] = one[j] * (_ONE - under) + other[j] * under
        band[3, i] = 0


@kernel("void(f4[:,:,::1], f4[:,::1], i8, f8, f8, u2[::1], i8[:,::1])")
def _draw(  # noqa: PLR0913 (Numba is slower with objects)
    band: Floats,
    strokes: Floats,
    top: int,
    edge: float,
    marks: float,
    stamps: NDArray[np.uint16],
    starts: NDArray[np.int64],
) -> None:
    spans = np.empty((2, band.shape[1]), np.int64)
    places = np.empty(band.shape[1] * band.shape[2], np.int32)
    dabs = np.empty(places.size, np.uint16)
    for number in range(strokes.shape[0]):
        stroke = strokes[number]
        size = _size(stroke[HALF] * edge)
        kind = int(stroke[KIND] * (2 * _KINDS))
        stamp = stamps[starts[kind >> 1, size] :]
        first, last, count = _outline(band, stroke, top, edge, _WIDEST >> size, 1 - 2 * (kind & 1), spans, places)
        _look_up(stamp, places[:count], dabs)
        _lay(band, stroke, marks, first, last, spans, dabs)


@_inner
def _size(half: float) -> int:
    """Return the smallest stamp with one and a half times the stroke's pixels across, or the largest."""
    size = _STAMPS - 1
    while size > 0 and (_WIDEST >> size) < 3 * half:
        size -= 1
    return size


@_inner
def _outline(  # noqa: PLR0913, PLR0915 (Numba is slower with objects, and the geometry belongs together)
    band: Floats,
    stroke: Floats,
    top: int,
    edge: float,
    rows: int,
    mirror: int,
    spans: NDArray[np.int64],
    places: NDArray[np.int32],
) -> tuple[int, int, int]:
    """Find which rows of the band the stroke covers, from where to where, and the place in the stamp for each pixel.

    Returns the first row, the last one, and the number of pixels; outside of the stroke the place is -1.
    """
    x, y = stroke[X] * edge - _HALF, stroke[Y] * edge - _HALF - np.float32(top)
    cosine, sine, bend = stroke[COSINE], stroke[SINE], stroke[BEND] / edge
    back, front, half = stroke[BACK] * edge, stroke[FRONT] * edge, max(stroke[HALF] * edge, _THINNEST)
    far = max(back, front)
    side = half + abs(bend) * far * far  # the parabola stays within
    reach = abs(side * cosine)
    first = max(0, math.ceil(y + min(-back * sine, front * sine) - reach))
    last = min(band.shape[1] - 1, math.floor(y + max(-back * sine, front * sine) + reach))
    wide, long, flip = np.float32(rows), np.float32(_LONG * rows), np.float32(mirror)
    scale = _HALF * wide / half  # stamp rows to a pixel
    whole, behind = (back + front) * scale, back * scale
    end = min(wide, whole * _HALF)  # the ends keep their shape, the middle stretches
    stretch = (long - end - end) / max(whole - end - end, np.float32(0.001))
    step_along, step_across, curve = cosine * scale, sine * scale * flip, bend / scale * flip
    total = 0
    for i in range(first, last + 1):
        down = np.float32(i) - y
        begin, stop = _span(down, cosine, sine, back, front, side)
        left, right = max(0, math.ceil(x + begin)), min(band.shape[2] - _BLOCK - 1, math.floor(x + stop))
        count = max(right - left + _BLOCK, 0) // _BLOCK * _BLOCK  # what is too many is outside of the stroke
        spans[0, i], spans[1, i] = left, count
        along = ((np.float32(left) - x) * cosine + down * sine) * scale
        across = (down * cosine - (np.float32(left) - x) * sine) * scale * flip + wide * _HALF + _ONE
        row = places[total : total + count]
        for j in range(count):
            ahead = along + np.float32(j) * step_along
            place = ahead + behind
            stretched = end + (place - end) * stretch
            stretched = place if place < end else stretched
            stretched = long - (whole - place) if whole - place < end else stretched
            at = min(max(np.int32(stretched), np.int32(0)), np.int32(_LONG * rows - 1))
            bristle = np.int32(across - np.float32(j) * step_across - curve * ahead * ahead) - np.int32(1)
            inside = (bristle >= 0) & (bristle < rows)
            row[j] = bristle * np.int32(_LONG * rows) + at if inside else np.int32(-1)
        total += count
    return first, last, total


@_inner
def _span(
    down: np.float32, cosine: np.float32, sine: np.float32, back: np.float32, front: np.float32, side: np.float32
) -> tuple[np.float32, np.float32]:
    """Return from where to where a row runs through the stroke's rectangle, in pixels from its start."""
    begin, stop = np.float32(-1e6), np.float32(1e6)
    if abs(cosine) > np.float32(1e-4):
        one, other = (-back - down * sine) / cosine, (front - down * sine) / cosine
        begin, stop = max(begin, min(one, other)), min(stop, max(one, other))
    if abs(sine) > np.float32(1e-4):
        one, other = (down * cosine - side) / sine, (down * cosine + side) / sine
        begin, stop = max(begin, min(one, other)), min(stop, max(one, other))
    return begin, stop


@_inner
def _look_up(stamp: NDArray[np.uint16], places: NDArray[np.int32], dabs: NDArray[np.uint16]) -> None:
    """Fetch the dabs of a whole stroke: this loop alone is not vectorized, and its results are not needed at once."""
    for j in range(places.size):
        dabs[j] = stamp[places[j]] if places[j] >= 0 else np.uint16(0)


@_inner
def _lay(  # noqa: PLR0913 (Numba is slower with objects)
    band: Floats,
    stroke: Floats,
    marks: float,
    first: int,
    last: int,
    spans: NDArray[np.int64],
    dabs: NDArray[np.uint16],
) -> None:
    """Blend the stroke's paint into the band, and pile it up."""
    bristle = marks * np.float32(0.9 / 255)
    tone = marks * (stroke[TONE] - _HALF) - np.float32(128) * bristle
    blue, green, red = stroke[BLUE] + tone, stroke[GREEN] + tone, stroke[RED] + tone
    thick = stroke[HALF] * _THICKNESS
    done = 0
    for i in range(first, last + 1):
        left, count = spans[0, i], spans[1, i]
        row = dabs[done : done + count]
        blues, greens = band[0, i, left : left + count], band[1, i, left : left + count]
        reds, relief = band[2, i, left : left + count], band[3, i, left : left + count]
        for j in range(count):
            amount, tall = np.float32(row[j] & 255) * np.float32(1 / 255), np.float32(row[j] >> 8)
            blues[j] += (blue + tall * bristle - blues[j]) * amount
            greens[j] += (green + tall * bristle - greens[j]) * amount
            reds[j] += (red + tall * bristle - reds[j]) * amount
            relief[j] += (tall * thick - _HALF * relief[j]) * amount
        done += count


@kernel("void(f4[:,:,::1], i8, f8, u1[:,:,::1])")
def _light(band: Floats, first: int, relief: float, painted: Pixels) -> None:
    rows, columns = band.shape[1], painted.shape[1]
    for i in range(painted.shape[0]):
        at = first + i
        above, level, under = band[3, max(at - 1, 0)], band[3, at], band[3, min(at + 1, rows - 1)]
        for j in range(columns):
            left, right = max(j - 1, 0), min(j + 1, columns - 1)
            # what rises to the lower right faces the upper left, where the light comes from
            rise = under[right] - above[left] + level[right] - level[left] + under[j] - above[j]
            shade = min(max(rise * relief * _SLOPE, -_ONE), _ONE)
            gloss = max(shade, np.float32(0))
            for channel in range(3):
                value = band[channel, at, j] * (_ONE + _SHADE * shade) + _GLOSS * gloss * gloss
                painted[i, j, channel] = np.uint8(min(max(value + _HALF, np.float32(0)), np.float32(255)))
