"""Watercolor: washes on paper (our own), or smoothed colors with outlines as OpenCV's stylization paints them."""

import math

import cv2
import numpy as np
from numpy.typing import NDArray

from rendering.kernels import paper, washes
from rendering.kernels.watercolor import stylize
from rendering.styles.base import Bench, Parameter, Pixels, Style, Values, gettext_noop

Field = NDArray[np.float32]

_LARGEST_ENLARGEMENT = 4  # of a small canvas, before it is painted in washes
_KEY = 0.64  # the median lightness that a picture is drawn to
_WHITE = 0.94  # the lightness that becomes bare paper


def paint(bench: Bench, values: Values) -> Pixels:
    """Return the canvas as a watercolor of the same shape."""
    if values["washes"]:
        return _paint_in_washes(bench.canvas, values, most=1 if bench.draft else _LARGEST_ENLARGEMENT)
    return stylize(bench.canvas, sigma_s=values["sigma_s"], sigma_r=values["sigma_r"], outline=values["outline"])


def _paint_in_washes(canvas: Pixels, values: Values, *, most: float) -> Pixels:
    """Decide on a sheet of one working size what lies where, then enlarge it: a preview is the painting, smaller."""
    sketch = _simplified(_shaken(_on_sheet(canvas, most), 2 * values["looseness"]), values["detail"])
    smooth = stylize(sketch, sigma_s=values["sigma_s"], sigma_r=values["sigma_r"], outline=values["outline"])
    strokes = _strokes(smooth, values)
    pooling, grain = np.float32(2.4 * values["pooling"]), np.float32(0.16 * values["grain"])
    enlarged = canvas.shape[0] > smooth.shape[0] or canvas.shape[1] > smooth.shape[1]
    painted = np.empty(canvas.shape if enlarged else smooth.shape, np.uint8)
    washes.settle(*strokes, paper.wash(), paper.grain(), pooling, grain, painted)
    return painted if painted.shape == canvas.shape else _resized(painted, canvas.shape[0], canvas.shape[1])


def _on_sheet(canvas: Pixels, most: float) -> Pixels:
    """Return the canvas so large that its long edge is that of the sheet, but enlarged no more than so many times."""
    height, width = canvas.shape[:2]
    scale = min(paper.SHEET / max(height, width), most)
    return _resized(canvas, max(round(height * scale), 1), max(round(width * scale), 1))


def _resized(picture: Pixels, height: int, width: int) -> Pixels:
    if picture.shape[:2] == (height, width):
        return picture
    method = cv2.INTER_AREA if max(height, width) < max(picture.shape) else cv2.INTER_CUBIC
    return np.asarray(cv2.resize(picture, (width, height), interpolation=method), np.uint8)


def _shaken(picture: Pixels, amplitude: float) -> Pixels:
    """Move every pixel a little, as a hand that draws: by the amplitude (standard deviation, pixels) each way."""
    if not amplitude:
        return picture
    height, width = picture.shape[:2]
    across, down = (each[:height, :width] for each in paper.trembling(amplitude))
    moved = cv2.remap(picture, across, down, cv2.INTER_LINEAR, borderMode=cv2.BORDER_REFLECT_101)
    return np.asarray(moved, np.uint8)


def _simplified(picture: Pixels, detail: float) -> Pixels:
    """Fade what is thinner than a brush, whether darker or lighter than its surroundings, to this part."""
    brush = cv2.getStructuringElement(cv2.MORPH_ELLIPSE, (5, 5))
    without = cv2.morphologyEx(cv2.morphologyEx(picture, cv2.MORPH_OPEN, brush), cv2.MORPH_CLOSE, brush)
    return np.asarray(cv2.addWeighted(picture, detail, without, 1 - detail, 0), np.uint8)


def _strokes(smooth: Pixels, values: Values) -> tuple[Field, Field, Field, Field]:
    """Return the density of the washes, the thinnest and the thickest of it nearby, and the mean one around."""
    light = washes.lightness(smooth, _curve(smooth, values["lightness"]))
    flow, margin = np.float32(0.234 * values["flow"]), np.float32(values["margin"] / 100 * max(light.shape))
    density = washes.lay(smooth, light, _blurred(light, 1), paper.wash(), flow, margin)
    brush = cv2.getStructuringElement(cv2.MORPH_ELLIPSE, (5, 5))
    thinnest = _blurred(np.asarray(cv2.erode(density, brush), np.float32), 1.2)
    thickest = _blurred(np.asarray(cv2.dilate(density, brush), np.float32), 1.2)
    mean = np.asarray(cv2.transform(density, np.full((1, 3), 1 / 3)), np.float32)
    around = _blurred(mean, 1.4) + np.float32(0.7) * _blurred(mean, 4)
    return density, thinnest, thickest, around


def _curve(smooth: Pixels, strength: float) -> Field:
    """Return the lightness of every quarter level of luminance: a power that draws the median to a light middle."""
    power = math.log(_KEY) / math.log(min(max(_median(smooth) / 255, 0.05), 0.95))
    power = 1 + (min(max(power, 0.4), 1.2) - 1) * strength
    levels = np.maximum(np.arange(1025) / 1020, 1e-3)
    return np.clip(levels**power / _WHITE, 0, 1).astype(np.float32)


def _median(picture: Pixels) -> float:
    """Return the median luminance, from counts of the levels."""
    luminance = cv2.cvtColor(picture, cv2.COLOR_BGR2GRAY)
    below = np.cumsum(cv2.calcHist([luminance], [0], None, [256], [0, 256]).astype(np.int64))
    lower, upper = np.searchsorted(below, [(luminance.size - 1) // 2, luminance.size // 2], side="right")
    return float(lower + upper) / 2


def _blurred(field: Field, deviation: float) -> Field:
    return np.asarray(cv2.GaussianBlur(field, (0, 0), deviation), np.float32)


WATERCOLOR = Style(
    name="watercolor",
    version=1,
    label=gettext_noop("Watercolor"),
    summary=gettext_noop("Transparent washes on grained paper, with pigment gathered where a wash ends."),
    parameters=(
        Parameter(
            name="sigma_s",
            label=gettext_noop("Size of washes"),
            low=1,
            high=200,
            step=1,
            default=30,
            unit="px",
            effect=gettext_noop("Larger washes flow further over whatever has nearly their color."),
        ),
        Parameter(
            name="sigma_r",
            label=gettext_noop("Mixing of colors"),
            low=0.01,
            high=1,
            step=0.01,
            default=0.45,
            unit="",
            effect=gettext_noop("The higher, the more different colors may be and still flow into one wash."),
        ),
        Parameter(
            name="outline",
            label=gettext_noop("Outline"),
            low=0,
            high=1,
            step=0.05,
            default=0,
            unit="",
            effect=gettext_noop("Draws dark lines of ink where colors change."),
        ),
        Parameter(
            name="washes",
            label=gettext_noop("Washes on paper"),
            low=0,
            high=1,
            step=1,
            default=1,
            unit="",
            effect=gettext_noop(
                "On: washes on paper, with sizes that are meant for a picture of 1024 px and grow with it. "
                "Off: as OpenCV, with sizes in pixels; all that follows then does nothing."
            ),
        ),
        Parameter(
            name="detail",
            label=gettext_noop("Fine detail"),
            low=0,
            high=1,
            step=0.05,
            default=0.6,
            unit="",
            effect=gettext_noop("Keeps what is thinner than a brush, such as letters, twigs and lashes."),
        ),
        Parameter(
            name="lightness",
            label=gettext_noop("Lightness"),
            low=0,
            high=1,
            step=0.05,
            default=0.6,
            unit="",
            effect=gettext_noop("Thins the paint of dark pictures, so that more light comes back from the paper."),
        ),
        Parameter(
            name="pooling",
            label=gettext_noop("Pooling at edges"),
            low=0,
            high=1,
            step=0.05,
            default=0.5,
            unit="",
            effect=gettext_noop("Gathers pigment where a wash ends, as when it dries."),
        ),
        Parameter(
            name="flow",
            label=gettext_noop("Clouds of water"),
            low=0,
            high=1,
            step=0.05,
            default=0.5,
            unit="",
            effect=gettext_noop("Lets water carry pigment to and fro within a wash."),
        ),
        Parameter(
            name="grain",
            label=gettext_noop("Grain of the paper"),
            low=0,
            high=1,
            step=0.05,
            default=0.5,
            unit="",
            effect=gettext_noop("Lets more pigment settle in the hollows of rough paper."),
        ),
        Parameter(
            name="looseness",
            label=gettext_noop("Loose hand"),
            low=0,
            high=1,
            step=0.05,
            default=0.5,
            unit="",
            effect=gettext_noop("Lets the hand that paints tremble and stray from straight lines."),
        ),
        Parameter(
            name="margin",
            label=gettext_noop("Bare paper around"),
            low=0,
            high=5,
            step=0.1,
            default=1.6,
            unit="%",
            effect=gettext_noop("Leaves an uneven border of paper free, in percent of the long edge."),
        ),
    ),
    looks={
        "studio": {},
        "classic": {"sigma_s": 60, "sigma_r": 0.45, "outline": 1, "washes": 0},
        "fast": {"sigma_s": 30, "sigma_r": 0.15, "outline": 1, "washes": 0},
    },
    paint=paint,
)
