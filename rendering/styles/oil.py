"""Oil painting: strokes of a loaded brush along the shapes (our own), or the vote of tones as OpenCV paints it."""

import math
from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray

from rendering.imaging.scale import to_long_edge, to_size
from rendering.kernels import brush, oil, strokes
from rendering.styles.base import Bench, Parameter, Pixels, Style, Values, gettext_noop

Floats = NDArray[np.float32]

_EDGE = 1024  # brush sizes and widths are in pixels of a picture with this long edge
_DEFAULT_SIZE = 7

_BAND = 64  # rows that are painted at a time, so that a picture of any size needs little memory
_MOST_MAGNIFIED = 4  # a small canvas is painted larger, and reduced: thin strokes need pixels
_LUMA = np.array([0.114, 0.587, 0.299], np.float32)
_DRIFT = 0.15  # how strongly strokes take a direction of their own where the picture has none


@dataclass(frozen=True)
class Layer:
    """One of the passes over the picture, from broad to fine brushes; see rendering.kernels.strokes.plan."""

    width: float
    spacing: float
    length: float
    need: float
    tolerance: float
    wander: float
    marks: float


LAYERS = (
    Layer(width=45, spacing=1.7, length=4.5, need=0, tolerance=60, wander=0.5, marks=15),
    Layer(width=25, spacing=1.5, length=5, need=0, tolerance=40, wander=0.45, marks=13),
    Layer(width=14, spacing=1.3, length=5.5, need=14, tolerance=34, wander=0.3, marks=10),
    Layer(width=7, spacing=1.2, length=6, need=15, tolerance=36, wander=0.25, marks=8),
    Layer(width=4.2, spacing=1.15, length=6, need=18, tolerance=42, wander=0.2, marks=6),
)
_FINEST = 2.4  # the width below which a layer is left out: nobody would see it


@dataclass(frozen=True)
class Guide:
    """The photo as the painter sees it, at working sizes that do not depend on the canvas."""

    palettes: tuple[Pixels, ...]
    """For each layer, what decides where strokes go."""
    colors: tuple[Pixels, ...]
    """For each layer, the colors that it is painted with; the finer ones are sharper on larger canvases."""
    directions: Floats
    """Along which strokes go, in radians."""


def paint(bench: Bench, values: Values) -> Pixels:
    """Return the canvas of the bench as an oil painting, of the same shape."""
    edge = max(bench.canvas.shape[:2])
    size = values["size"] if values["relative"] else values["size"] * _EDGE / edge
    if values["brushwork"]:
        return _paint_strokes(bench, size, values)
    return _enriched(_vote(bench.canvas, size * edge / _EDGE, values), values["vividness"])


def _vote(canvas: Pixels, size: float, values: Values) -> Pixels:
    """Return the canvas in the tones that are common within `size` pixels; very big brushes see less of it."""
    most = oil.MAX_SOFT_SIZE if values["softness"] else oil.MAX_SIZE
    seen = to_long_edge(canvas, max(round(max(canvas.shape[:2]) * most / size), 1)) if size > most else canvas
    radius, dyn_ratio = min(max(round(size), 1), most), int(values["dyn_ratio"])
    if values["softness"]:
        voted = oil.soft_oil_painting(seen, radius, dyn_ratio, 16 * 0.125 ** (values["softness"] / 100))
    else:
        voted = oil.oil_painting(seen, radius, dyn_ratio)
    if seen is canvas:
        return voted
    return np.asarray(cv2.resize(voted, canvas.shape[1::-1], interpolation=cv2.INTER_LINEAR), np.uint8)


def _enriched(painted: Pixels, vividness: float) -> Pixels:
    """Move the colors away from gray, in place."""
    if vividness:
        for top in range(0, painted.shape[0], _BAND):
            rows = painted[top : top + _BAND]
            rows[:] = np.clip(np.rint(_pure(rows.astype(np.float32), _purity(vividness))), 0, 255)
    return painted


def _pure(colors: Floats, purity: float | Floats) -> Floats:
    """Return the colors (..., 3) with their distance from gray multiplied."""
    luma = (colors @ _LUMA)[..., np.newaxis]
    return np.asarray(luma + (colors - luma) * purity, np.float32)


def _purity(vividness: float) -> float:
    return 1 + vividness / 200


def _paint_strokes(bench: Bench, size: float, values: Values) -> Pixels:
    guide = _guide(bench.canvas, size, values)
    finest = _FINEST * (_EDGE / max(bench.canvas.shape[:2]) if bench.draft else 1)
    layers = [each for each in LAYERS if each.width * size / _DEFAULT_SIZE >= finest or each is LAYERS[0]]
    planned = _planned(guide, layers, size, values["brushwork"] / 50)
    purity = _purity(values["vividness"])
    for table in planned:
        colors = table[:, strokes.BLUE : strokes.RED + 1]
        colors[:] = _pure(colors, purity * (0.85 + 0.3 * table[:, strokes.PURITY, np.newaxis]))
    ground = _enriched(guide.palettes[0].copy(), values["vividness"])
    marks = [layer.marks * values["brushwork"] / 50 for layer in layers]
    magnified = min(max(round(_EDGE / max(bench.canvas.shape[:2])), 1), 1 if bench.draft else _MOST_MAGNIFIED)
    layers_of_paint = list(zip(planned, marks, strict=True))
    return _painted(bench.canvas, ground, layers_of_paint, values["relief"] / 60, magnified)


def _guide(canvas: Pixels, size: float, values: Values) -> Guide:
    edge = max(_EDGE * _DEFAULT_SIZE / size, 64)  # in proportion to the brush
    fine = to_long_edge(canvas, round(min(edge, _EDGE)))
    middle = to_long_edge(fine, round(min(edge / 2, _EDGE)))
    coarse = to_long_edge(middle, round(min(edge / 4, _EDGE)))
    voted = _vote(coarse, size * max(coarse.shape[:2]) / _EDGE, values)
    pixel = max(fine.shape[:2]) / edge
    palettes = (_blurred(voted, 2), _blurred(voted, 0.8), _blurred(middle, 1.2), _blurred(middle, 0.8), middle)
    colors = (
        *palettes[:3],
        _blurred(fine, 2 * pixel),
        _blurred(fine, pixel) if pixel > 0.6 else fine,  # a pixel of a small canvas is a mean already
    )
    return Guide(palettes, colors, _directions(middle))


def _blurred(picture: Pixels, sigma: float) -> Pixels:
    return np.asarray(cv2.GaussianBlur(picture, (0, 0), sigma), np.uint8)


def _directions(picture: Pixels) -> Floats:
    """Return the direction of the edges around each pixel, in radians: the structure tensor's, from near and far.

    Where there are none, a slow drift of directions shows through.
    """
    height, width = picture.shape[:2]
    luminance = cv2.cvtColor(_blurred(picture, 0.8), cv2.COLOR_BGR2GRAY)
    across = cv2.Sobel(luminance, cv2.CV_32F, 1, 0, scale=1 / 8)
    down = cv2.Sobel(luminance, cv2.CV_32F, 0, 1, scale=1 / 8)
    tensor = cv2.merge([across * across - down * down, 2 * across * down])
    far = cv2.resize(tensor, (max(width // 4, 1), max(height // 4, 1)), interpolation=cv2.INTER_AREA)
    far = 0.6 * cv2.GaussianBlur(far, (0, 0), 1.5) + 0.3 * cv2.GaussianBlur(far, (0, 0), 5)
    tensor = cv2.GaussianBlur(tensor, (0, 0), 1.6) + cv2.resize(far, (width, height), interpolation=cv2.INTER_LINEAR)
    x, y = (np.arange(length, dtype=np.float32) / max(height, width) for length in (width, height))
    drift = np.sin(3 * x + 2 * y[:, np.newaxis]) - 0.9  # twice the angle
    more, diagonal = tensor[..., 0] - _DRIFT * np.cos(drift), tensor[..., 1] - _DRIFT * np.sin(drift)
    return np.asarray(0.5 * np.arctan2(diagonal, more) + math.pi / 2, np.float32)


def _planned(guide: Guide, layers: list[Layer], size: float, boldness: float) -> list[Floats]:
    """Return the strokes of each layer; where one goes depends on what the layers before it have painted."""
    ground = guide.palettes[0]
    height, width = ground.shape[:2]
    sketch = brush.blank(height, width)
    brush.prime(sketch, brush.widened(ground, width), top=0, height=height)
    planned = []
    for number, layer in enumerate(layers):
        table = strokes.plan(
            guide.palettes[number],
            guide.colors[number],
            np.ascontiguousarray(sketch[:3, :, :width].transpose(1, 2, 0)),
            guide.directions,
            width=layer.width * size / _DEFAULT_SIZE / _EDGE,
            spacing=layer.spacing * layer.width * size / _DEFAULT_SIZE / _EDGE,
            length=layer.length,
            need=layer.need * boldness,
            tolerance=layer.tolerance,
            wander=layer.wander,
            layer=number,
        )
        planned.append(table)
        brush.draw(sketch, table, top=0, edge=max(height, width), marks=0)
    return planned


def _painted(
    canvas: Pixels, ground: Pixels, layers: list[tuple[Floats, float]], relief: float, magnified: int
) -> Pixels:
    """Paint the layers, tables of strokes with their marks, on the ground, and put it in the light, band by band."""
    height, width = canvas.shape[0] * magnified, canvas.shape[1] * magnified
    edge = max(height, width)
    planes = brush.widened(ground, width)
    reaches = [_reach(table) for table, _ in layers]
    painted = np.empty_like(canvas)
    for top in range(0, height, _BAND * magnified):
        bottom = min(top + _BAND * magnified, height)
        first, last = max(top - 1, 0), min(bottom + 1, height)  # light needs a row on both sides
        band = brush.blank(last - first, width)
        brush.prime(band, planes, top=first, height=height)
        for (table, marks), reach in zip(layers, reaches, strict=True):
            center = table[:, strokes.Y] * edge
            within = (center + reach * edge >= first - 1) & (center - reach * edge <= last)
            brush.draw(band, table[within], top=first, edge=edge, marks=marks)
        lit = np.empty((bottom - top, width, 3), np.uint8)
        brush.light(band, lit, first=top - first, edge=edge, relief=relief)
        rows = painted[top // magnified : bottom // magnified]
        rows[:] = to_size(lit, (rows.shape[1], rows.shape[0]))
    return painted


def _reach(table: Floats) -> Floats:
    """Return how far each stroke can be from its start, in long edges."""
    far = np.maximum(table[:, strokes.BACK], table[:, strokes.FRONT])
    reach: Floats = far + table[:, strokes.HALF] + np.abs(table[:, strokes.BEND]) * far**2
    return reach


OIL = Style(
    name="oil",
    version=1,
    label=gettext_noop("Oil painting"),
    summary=gettext_noop("Strokes of a loaded brush that follow the shapes, with ridges of paint and rich colors."),
    parameters=(
        Parameter(
            name="size",
            label=gettext_noop("Brush size"),
            low=1,
            high=64,
            step=1,
            default=7,
            unit="px",
            effect=gettext_noop("A bigger brush paints broader strokes and leaves out more of the detail."),
        ),
        Parameter(
            name="dyn_ratio",
            label=gettext_noop("Tone step"),
            low=1,
            high=127,
            step=1,
            default=6,
            unit="",
            effect=gettext_noop("Bigger steps melt neighboring tones into fewer, flatter areas of paint."),
        ),
        Parameter(
            name="relative",
            label=gettext_noop("Brush grows with the picture"),
            low=0,
            high=1,
            step=1,
            default=1,
            unit="",
            effect=gettext_noop("On: the brush size is for a picture of 1024 px and grows with it. Off: as in OpenCV."),
        ),
        Parameter(
            name="softness",
            label=gettext_noop("Soft borders"),
            low=0,
            high=100,
            step=5,
            default=35,
            unit="%",
            effect=gettext_noop("Lets areas of paint run into each other; 0 gives them the hard borders of OpenCV."),
        ),
        Parameter(
            name="brushwork",
            label=gettext_noop("Brushwork"),
            low=0,
            high=100,
            step=5,
            default=50,
            unit="%",
            effect=gettext_noop(
                "Little keeps the detail of the photo, much leaves bold strokes; 0 paints without any."
            ),
        ),
        Parameter(
            name="relief",
            label=gettext_noop("Thickness of the paint"),
            low=0,
            high=100,
            step=5,
            default=50,
            unit="%",
            effect=gettext_noop("Light from the upper left falls across the ridges that the bristles leave."),
        ),
        Parameter(
            name="vividness",
            label=gettext_noop("Vividness"),
            low=0,
            high=100,
            step=5,
            default=40,
            unit="%",
            effect=gettext_noop("Makes colors purer; 0 leaves them as they are in the photo."),
        ),
    ),
    looks={
        "studio": {},
        "classic": {
            "size": 7,
            "dyn_ratio": 3,
            "relative": 0,
            "softness": 0,
            "brushwork": 0,
            "relief": 0,
            "vividness": 0,
        },
        "fast": {"size": 5, "dyn_ratio": 2, "relative": 0, "softness": 0, "brushwork": 0, "relief": 0, "vividness": 0},
    },
    paint=paint,
)
