"""What both pencils of the studio draw from: a canvas's contours, tones and colors at one size, and the paper.

Everything is found on the canvas scaled to one long edge, and drawn from there at the canvas's own size: so a preview
is the final picture, smaller.
"""

import math
from dataclasses import dataclass
from typing import TypeAlias

import cv2
import numpy as np
from cv2.typing import MatLike
from numpy.typing import NDArray

from rendering.kernels import drawing, hatching
from rendering.styles.base import Pixels

Plane: TypeAlias = NDArray[np.uint8]
Sheet: TypeAlias = NDArray[np.uint8]
"""What to draw from, shape (planes, height, width): see rendering.kernels.drawing."""

Floats: TypeAlias = NDArray[np.float32]

EDGE = 1024  # pixels of the long edge of every sketch
_DIRECTIONS = 8
_STRIP = 256  # rows drawn at a time
_SAMPLE = 30_000  # pixels of the sheet that the strength is tried on
_LIGHTEST = 0.2  # darkness that is never taken for the lightest: a black picture stays dark
_WHITE = 230  # paper is lighter than this


@dataclass(frozen=True)
class Sketch:
    """A canvas at the sketch's size, its contours (255: a line) and its tones (255: the darkest)."""

    picture: Pixels
    contours: Plane
    tones: Plane


@dataclass(frozen=True)
class Hand:
    """How to draw: the share of the paper to leave white, and the strength of the hatching and of the grain."""

    white: float
    tone: float
    grain: float


def sketch(canvas: Pixels, edge: int, reach: int, share: float) -> Sketch:
    """Sketch a canvas at a long edge: lines of strokes that reach so far each way, in pixels, on this share of it."""
    picture = _fitted(canvas, edge)
    light = _bytes(cv2.cvtColor(picture, cv2.COLOR_BGR2GRAY))
    return Sketch(picture, _contours(light, reach, share), _tones(light))


def draw_gray(canvas: Pixels, drawn: Sketch, hand: Hand) -> Pixels:
    """Draw a sketch in graphite, at the canvas's size."""
    sheet = np.stack([drawn.contours, drawn.tones, *_paper(drawn.tones)])
    return _draw(sheet, canvas.shape[:2], hand)


def draw_colors(canvas: Pixels, drawn: Sketch, hand: Hand, *, color: float) -> Pixels:
    """Draw a sketch in colored pencils, at the canvas's size."""
    colors = _bytes(cv2.GaussianBlur(cv2.medianBlur(drawn.picture, 5), (0, 0), 1))
    blue, green, red = (np.ascontiguousarray(colors[:, :, channel]) for channel in range(3))
    hues = np.empty((3, *blue.shape), np.uint8)
    drawing.find_hues(blue, green, red, np.float32(0.3 + color), hues[0], hues[1], hues[2])
    sheet = np.stack([drawn.contours, drawn.tones, *_paper(drawn.tones), blue, green, red, *hues])
    return _draw(sheet, canvas.shape[:2], hand)


def _bytes(array: MatLike) -> NDArray[np.uint8]:
    """Give an array of OpenCV's its type."""
    return array.astype(np.uint8, copy=False)


def _floats(array: MatLike) -> Floats:
    return array.astype(np.float32, copy=False)


def _paper(tones: Plane) -> list[Plane]:
    height, width = tones.shape
    return [plane[:height, :width] for plane in hatching.sheet()]


def _fitted(canvas: Pixels, edge: int) -> Pixels:
    """Scale to the sketch's long edge; halving first is six times faster, and may leave out an odd row or column."""
    height, width = canvas.shape[:2]
    scale = edge / max(height, width)
    size = max(round(width * scale), 1), max(round(height * scale), 1)
    while min(height, width) > 1 and max(height, width) >= 2 * edge:
        height, width = height // 2, width // 2
        canvas = _bytes(cv2.resize(canvas[: 2 * height, : 2 * width], (width, height), interpolation=cv2.INTER_AREA))
    return _bytes(cv2.resize(canvas, size, interpolation=cv2.INTER_AREA if scale < 1 else cv2.INTER_CUBIC))


def _contours(light: Plane, reach: int, share: float) -> Plane:
    unit = light.astype(np.float32) / np.float32(255)
    edges, shadows = np.empty_like(unit), np.empty_like(unit)
    fine, coarse = _floats(cv2.GaussianBlur(unit, (0, 0), 1.08)), _floats(cv2.GaussianBlur(unit, (0, 0), 1.56))
    drawing.difference(fine, coarse, _around(unit, 13), edges, shadows)
    ink = _strokes(edges, reach, share)
    details = np.empty_like(unit)
    around = _around(shadows, 81)
    drawing.stand_out(edges, shadows, around, np.float32(0.5 * around.mean() + 0.012), details)
    least = max(_quantile(details, 1 - 0.93 * share), 0.5)
    contours = np.empty_like(unit)
    drawing.join(ink, np.float32(1.9 / 255 / (reach + 1) ** 2), details, np.float32(least), contours)
    thinned = np.empty_like(light)
    drawing.thin_out(contours, _around(contours, 41), thinned)
    return thinned


def _strokes(edges: Floats, reach: int, share: float) -> NDArray[np.uint16]:
    strongest, average = np.empty(edges.shape, np.uint16), np.empty(edges.shape, np.uint16)
    best = np.empty(edges.shape, np.uint8)
    offsets = _offsets(reach)
    border = (reach,) * 4
    levels = cv2.convertScaleAbs(edges, alpha=drawing.EDGE_UNIT)
    bordered = _bytes(cv2.copyMakeBorder(levels, *border, cv2.BORDER_CONSTANT, value=0))
    drawing.trace(bordered, offsets, strongest, average, best)
    weights = np.empty_like(edges)
    around = _around(edges, 61)
    unit = np.float32(0.9 / 6 / reach / drawing.EDGE_UNIT)
    drawing.weigh(edges, strongest, average, around, unit, np.float32(0.45 * around.mean() + 0.006), weights)
    height, width = edges.shape
    sorted_edges = np.zeros((_DIRECTIONS, height + 2 * reach, width + 2 * reach), np.uint8)
    drawing.sort(weights, best, np.float32(max(_quantile(weights, 1 - share), 0.3)), sorted_edges)
    ink = np.empty(edges.shape, np.uint16)
    drawing.stroke(sorted_edges, offsets, ink)
    return ink


def _offsets(reach: int) -> NDArray[np.int64]:
    angles = np.arange(_DIRECTIONS)[:, None] * math.pi / _DIRECTIONS
    taps = np.arange(1, reach + 1)[None, :]
    return np.rint(np.stack([-taps * np.sin(angles), taps * np.cos(angles)], axis=2)).astype(np.int64)


def _around(values: Floats, size: int) -> Floats:
    """The mean of about this many pixels around, twice over: found at a quarter of the size."""
    height, width = values.shape
    small = cv2.resize(values, (max(width // 4, 1), max(height // 4, 1)), interpolation=cv2.INTER_AREA)
    window = (round(size / 4) | 1,) * 2
    smooth = cv2.blur(cv2.blur(small, window), window)
    return _floats(cv2.resize(smooth, (width, height), interpolation=cv2.INTER_LINEAR))


def _quantile(values: Floats, share: float) -> float:
    step = 3 if min(values.shape) > 3 else 1
    return float(np.quantile(values[::step, ::step], share))


def _tones(light: Plane) -> Plane:
    """Darkness by luminance and by rank, less where everything around is dark too: from 0 to 255."""
    smooth = _bytes(cv2.GaussianBlur(light, (0, 0), 1.4))
    tones = _floats(cv2.LUT(smooth, _darkness(smooth)))
    height, width = light.shape
    small = cv2.resize(tones, (max(width // 8, 1), max(height // 8, 1)), interpolation=cv2.INTER_AREA)
    around = cv2.resize(cv2.GaussianBlur(small, (0, 0), 11), (width, height), interpolation=cv2.INTER_LINEAR)
    tones = _floats(cv2.scaleAdd(around, -0.45, tones))
    lightest, darkest = min(_quantile(tones, 0.01), _LIGHTEST), _quantile(tones, 0.997)
    gain = 255 / max(darkest - lightest, 0.25)
    stretched: Plane = np.clip((tones - np.float32(lightest)) * np.float32(gain), 0, 255).astype(np.uint8)
    return stretched


def _darkness(light: Plane) -> Floats:
    """For each level of light its darkness: half by itself, half by its rank, no rank steeper than three to one."""
    counts = cv2.calcHist([light], [0], None, [256], [0, 256]).ravel() * (256 / light.size)
    for _ in range(4):
        surplus = np.maximum(counts - 3, 0).sum()
        counts = np.minimum(counts, 3) + surplus / 256
    rank = np.cumsum(counts) / 256
    return (1 - 0.45 * rank - 0.55 * np.arange(256) / 255).astype(np.float32)


def _draw(sheet: Sheet, size: tuple[int, int], hand: Hand) -> Pixels:
    """Draw a sheet at a size; what is smaller than a sketch is drawn at the sketch's size and scaled down."""
    strength = _fitting_strength(sheet, hand)
    height, width = size
    if max(height, width) < EDGE:
        painted = _drawn(sheet, sheet.shape[1:], strength, hand)
        return _bytes(cv2.resize(painted, (width, height), interpolation=cv2.INTER_AREA))
    return _drawn(sheet, size, strength, hand)


def _fitting_strength(sheet: Sheet, hand: Hand) -> float:
    """Find by halving how much of the tones to draw so that the hand's share of the paper stays white."""
    step = max(round(math.sqrt(sheet[0].size / _SAMPLE)), 1)
    sample = np.ascontiguousarray(sheet[:, step // 2 :: step, step // 2 :: step])
    low, high = 0.0, 1.0
    for _ in range(8):
        strength = (low + high) / 2
        if _white_share(_drawn(sample, sample.shape[1:], strength, hand)) > hand.white:
            low = strength
        else:
            high = strength
    return (low + high) / 2


def _white_share(painted: Pixels) -> float:
    return float(np.mean(cv2.cvtColor(painted, cv2.COLOR_BGR2GRAY) > _WHITE))


def _drawn(sheet: Sheet, size: tuple[int, ...], strength: float, hand: Hand) -> Pixels:
    height, width = size
    sheet = _widened(sheet, width)
    rows, weights = _between(sheet.shape[1], height)
    numbers = _numbers(strength, hand, scale=max(size) / EDGE)
    painted = np.empty((height, width, 3), np.uint8)
    for top in range(0, height, _STRIP):
        strip = slice(top, min(top + _STRIP, height))
        fine = hatching.fine_grain()[top % hatching.FINE_ROWS :]
        cv2.merge(_strip(sheet, fine, rows[strip], weights[strip], numbers), painted[strip])
    return painted


def _widened(sheet: Sheet, width: int) -> Sheet:
    """Stretch each plane to a width; the rows between are found while drawing, so that no plane is ever full size."""
    if width == sheet.shape[2]:
        return sheet
    wide = np.empty((*sheet.shape[:2], width), np.uint8)
    for plane, stretched in zip(sheet, wide, strict=True):
        cv2.resize(plane, (width, plane.shape[0]), dst=stretched, interpolation=cv2.INTER_LINEAR)
    return wide


def _between(source: int, target: int) -> tuple[NDArray[np.int64], NDArray[np.uint16]]:
    """For each target row the source row above its middle, and the weight of the one below, of 256."""
    middles = np.clip((np.arange(target) + 0.5) * source / target - 0.5, 0, source - 1)
    rows = middles.astype(np.int64)
    return rows, np.rint((middles - rows) * 256).astype(np.uint16)


def _numbers(strength: float, hand: Hand, *, scale: float) -> Floats:
    numbers = np.zeros(6, np.float32)
    numbers[drawing.PAPER] = 1 - strength
    numbers[drawing.GAIN] = 1 / max(strength, 0.62)
    numbers[drawing.TONE] = hand.tone
    numbers[drawing.TOOTH] = 0.43 * hand.grain
    numbers[drawing.FINE_TOOTH] = 0.35 * hand.grain * min(max(scale - 1, 0), 1)
    numbers[drawing.COVER] = min(2.5 * strength, 1)
    return numbers


def _strip(
    sheet: Sheet, fine: Plane, rows: NDArray[np.int64], weights: NDArray[np.uint16], numbers: Floats
) -> list[Plane]:
    if sheet.shape[0] == drawing.COLORS:
        gray = np.empty((rows.size, sheet.shape[2]), np.uint8)
        drawing.draw_gray(sheet, fine, rows, weights, numbers, gray)
        return [gray, gray, gray]
    planes = np.empty((3, rows.size, sheet.shape[2]), np.uint8)
    drawing.draw_colors(sheet, fine, rows, weights, numbers, planes)
    return list(planes)
