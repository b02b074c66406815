"""Where a painter puts brush strokes: on a jittered grid, along the shapes, where the paint below is still wrong.

After P. Litwinowicz (Processing Images and Video for an Impressionist Effect, 1997) and A. Hertzmann (Painterly
Rendering with Curved Brush Strokes of Multiple Sizes, 1998). Everything is measured in long edges of the picture, and
the dice are hashes of the grid's cells: the same photo gets the same strokes at every size.
"""

import math

import numpy as np
from numba import njit
from numpy.typing import NDArray

from rendering.kernels.compilation import kernel, make_ready, read_only

Pixels = NDArray[np.uint8]
Floats = NDArray[np.float32]

X, Y, COSINE, SINE, BACK, FRONT, HALF, BEND, BLUE, GREEN, RED, TONE, PURITY, KIND, ORDER = range(15)
"""The columns of a table of strokes, a stroke in each row.

Where it starts (X, Y) and its direction there; how far it goes back and to the front of that; half its width; how much
it bends (it leaves its direction by BEND times the square of the way), all in long edges; its color, 0 to 255; and dice
from 0 to 1 for its tone, purity and kind of brush, and for the order in which strokes are painted.
"""
COLUMNS = 15

_STEP = 0.4  # widths from one look at the color under the stroke to the next
_TURN = 0.6  # how much of the way to the direction there the stroke turns
_THINNER = 0.22  # how much narrower for a side that hangs over an edge
_ENDS = 0.42  # widths by which the brush goes on at both ends
_MOST_BEND = 0.8  # radians

# Views of arrays without counting references (Numba's types do not know the option), divisions without a test for zero.
_inner = njit(nogil=True, error_model="numpy", _nrt=False)  # type: ignore[call-overload]  # see above


def compile_kernels() -> None:
    """Make the compiled functions ready: from the cache folder, or in some seconds."""
    make_ready(__name__)


def plan(  # noqa: PLR0913 (what a layer of strokes is made of)
    palette: Pixels,
    colors: Pixels,
    below: Floats,
    directions: Floats,
    *,
    width: float,
    spacing: float,
    length: float,
    need: float,
    tolerance: float,
    wander: float,
    layer: int,
) -> Floats:
    """Return a layer's strokes, (strokes, COLUMNS), in the order in which they are painted.

    The palette decides on the strokes, colors gives them theirs, below is what is painted so far: (height, width, 3),
    BGR, 0 to 255. Directions are radians, (height, width). All four show the same picture, each at a size of its own.
    Width and spacing are in long edges, length in widths. A stroke is painted where a channel is off by about `need` or
    more, and ends where the palette leaves its color by more than the tolerance. Wander is how far, in radians, it may
    be off its direction.
    """
    high, wide = (side / max(palette.shape[:2]) for side in palette.shape[:2])
    cells = (math.ceil(wide / spacing) + 1) * (math.ceil(high / spacing) + 1)
    strokes = np.empty((cells, COLUMNS), np.float32)
    shape = np.array([width, spacing, length, need, tolerance, wander])
    found = _plan(read_only(palette), read_only(colors), below, directions, shape, layer, strokes)
    strokes = strokes[:found]
    return strokes[np.argsort(strokes[:, ORDER], kind="stable")]


@kernel("i8(Array(u1, 3, 'C', True), Array(u1, 3, 'C', True), f4[:,:,::1], f4[:,::1], f8[::1], i8, f4[:,::1])")
def _plan(  # noqa: PLR0913, PLR0915 (fifteen columns; Numba is slower with objects)
    palette: Pixels,
    colors: Pixels,
    below: Floats,
    directions: Floats,
    shape: NDArray[np.float64],
    layer: int,
    strokes: Floats,
) -> int:
    width, spacing, length, need, tolerance, wander = shape
    edge = max(palette.shape[0], palette.shape[1])
    columns = math.ceil(palette.shape[1] / edge / spacing) + 1
    found = 0
    for cell in range(strokes.shape[0]):
        column, row = cell % columns - 1, cell // columns - 1
        x = (column + _dice(column, row, layer, 1)) * spacing
        y = (row + _dice(column, row, layer, 2)) * spacing
        color = _color(palette, x, y)
        enough = need * (0.7 + 0.6 * _dice(column, row, layer, 3))
        if need == 0 or _difference(color, _paint(below, x, y)) >= enough:
            angle = _direction(directions, x, y) + (_dice(column, row, layer, 4) - 0.5) * wander
            reach = width * length * (0.35 + 0.3 * _dice(column, row, layer, 5))
            back, back_angle = _follow(palette, directions, x, y, angle, -1.0, width, reach, tolerance)
            front, front_angle = _follow(palette, directions, x, y, angle, 1.0, width, reach, tolerance)
            thin = _thinned(palette, x, y, angle, width, tolerance)
            turn = max(-_MOST_BEND, min(_MOST_BEND, front_angle - back_angle))
            back, front = back + _ENDS * width, front + _ENDS * width
            bend = turn / (2 * (back + front))
            if _dice(column, row, layer, 6) < 0.5:  # painted the other way round
                back, front, angle, bend = front, back, angle + math.pi, -bend
            stroke = strokes[found]
            stroke[X], stroke[Y] = x, y
            stroke[COSINE], stroke[SINE] = math.cos(angle), math.sin(angle)
            stroke[BACK], stroke[FRONT], stroke[BEND] = back, front, bend
            stroke[HALF] = 0.5 * width * thin * (0.8 + 0.4 * _dice(column, row, layer, 7))
            stroke[BLUE], stroke[GREEN], stroke[RED] = _color(colors, x, y)
            stroke[TONE], stroke[PURITY] = _dice(column, row, layer, 8), _dice(column, row, layer, 9)
            stroke[KIND], stroke[ORDER] = _dice(column, row, layer, 10), _dice(column, row, layer, 11)
            found += 1
    return found


@_inner
def _dice(column: int, row: int, layer: int, throw: int) -> float:
    """Return a number from 0 to 1 that looks random and is the same for the same cell: the finalizer of MurmurHash3."""
    seed = np.uint32(column) * np.uint64(0x9E3779B1) + np.uint32(row) * np.uint64(0x85EBCA77)
    seed += np.uint32(layer) * np.uint64(0xC2B2AE3D) + np.uint32(throw) * np.uint64(0x27D4EB2F)
    bits = np.uint64(np.uint32(seed))
    bits = np.uint64(np.uint32((bits ^ (bits >> np.uint64(16))) * np.uint64(0x85EBCA6B)))
    bits = np.uint64(np.uint32((bits ^ (bits >> np.uint64(13))) * np.uint64(0xC2B2AE35)))
    return np.float64(bits ^ (bits >> np.uint64(16))) / 4294967296.0


@_inner
def _place(height: int, width: int, x: float, y: float) -> tuple[int, int]:
    edge = max(height, width)
    return min(max(int(y * edge), 0), height - 1), min(max(int(x * edge), 0), width - 1)


@_inner
def _color(palette: Pixels, x: float, y: float) -> tuple[float, float, float]:
    i, j = _place(palette.shape[0], palette.shape[1], x, y)
    return float(palette[i, j, 0]), float(palette[i, j, 1]), float(palette[i, j, 2])


@_inner
def _paint(below: Floats, x: float, y: float) -> tuple[float, float, float]:
    i, j = _place(below.shape[0], below.shape[1], x, y)
    return float(below[i, j, 0]), float(below[i, j, 1]), float(below[i, j, 2])


@_inner
def _direction(directions: Floats, x: float, y: float) -> float:
    i, j = _place(directions.shape[0], directions.shape[1], x, y)
    return float(directions[i, j])


@_inner
def _difference(one: tuple[float, float, float], other: tuple[float, float, float]) -> float:
    return max(abs(one[0] - other[0]), abs(one[1] - other[1]), abs(one[2] - other[2]))


@_inner
def _follow(  # noqa: PLR0913 (Numba is slower with objects)
    palette: Pixels,
    directions: Floats,
    x: float,
    y: float,
    angle: float,
    sign: float,
    width: float,
    reach: float,
    tolerance: float,
) -> tuple[float, float]:
    """Walk from x, y along the directions while the color stays; return how far, and the direction at the end."""
    color = _color(palette, x, y)
    step = max(_STEP * width, 1.0 / max(directions.shape[0], directions.shape[1]))
    far = 0.0
    while far < reach:
        x += math.cos(angle) * sign * step
        y += math.sin(angle) * sign * step
        if _difference(color, _color(palette, x, y)) > tolerance:
            break
        far += step
        turn = _direction(directions, x, y) - angle
        angle += _TURN * (turn - math.pi * np.rint(turn / math.pi))  # a direction and its opposite are the same
    return min(far, reach), angle


@_inner
def _thinned(palette: Pixels, x: float, y: float, angle: float, width: float, tolerance: float) -> float:
    """Return the share of the width that is left where sides of the stroke would hang over an edge."""
    color = _color(palette, x, y)
    across, down = -math.sin(angle) * 0.5 * width, math.cos(angle) * 0.5 * width
    thin = 1.0
    for side in (-1.0, 1.0):
        if _difference(color, _color(palette, x + side * across, y + side * down)) > tolerance:
            thin -= _THINNER
    return thin
