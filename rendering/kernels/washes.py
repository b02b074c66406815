"""Transparent washes on paper: how much pigment lies where, where it gathers, and what light comes back through it.

Pigment is measured in density: light falls to e^-density on its way through (Beer and Lambert). Clouds, edges and the
grain of the paper multiply the density, as in Bousseau et al. (Interactive watercolor rendering with temporal coherence
and abstraction, 2006).
"""

import numpy as np
from numba import njit
from numpy.typing import NDArray

from rendering.kernels.compilation import kernel, make_ready
from rendering.kernels.paper import BORDERS, MARGIN, TILE, WARMTH, WATER

Picture = NDArray[np.uint8]
Field = NDArray[np.float32]

_FIELDS = "float32[:, :, ::1]"  # the Numba type of fields of several numbers a pixel
_LEVELS = np.float32(6)  # of lightness: neighboring washes differ by one
_LAYERED = np.float32(0.5)  # how far lightness is drawn to its level
_SATURATION = np.float32(1.2)
_DEEPEST = 2.15  # density that no pigment passes: watercolor knows no black
_WARM = np.float32(0.055)  # how far clouds of warm and of cold pigment separate
_MIDDLE = np.float32(0.35)  # density from which on the same change of pigment shows less
_THIN = -np.log(np.maximum(np.arange(1024) / 1023, 0.004))
_DENSITIES = (_DEEPEST * (1 - np.exp(-_THIN / _DEEPEST))).astype(np.float32)  # of a color of 0 to 1023
_STEPS = np.float32(512)  # of a density of 1
_LIGHT = (255 * np.exp(-np.arange(4096) / 512)).astype(np.float32)  # that passes a density of 0 to 4095 steps
_PAPER = np.array([0.945, 0.972, 0.985], np.float32)  # of white, in B, G and R
_NONE, _ONE = np.float32(0), np.float32(1)

# Views of arrays without counting references (Numba's types do not know the option), divisions without a test for zero.
_inner = njit(nogil=True, error_model="numpy", _nrt=False)  # type: ignore[call-overload]  # see above


def compile_kernels() -> None:
    """Make the compiled functions ready: from the cache folder, or in a few seconds."""
    make_ready(__name__)


@kernel("float32[:, ::1](uint8[:, :, ::1], float32[::1])")
def lightness(picture: Picture, curve: Field) -> Field:
    """Return the curve's value at every pixel's luminance; the curve has 1025 entries, four for each level."""
    height, width, _ = picture.shape
    light = np.empty((height, width), np.float32)
    colors, places = np.empty((3, width), np.float32), np.empty(width, np.int32)
    for y in range(height):
        _part(picture[y], colors)
        for x in range(width):
            places[x] = np.int32(np.float32(4) * _luminance(colors[0, x], colors[1, x], colors[2, x]))
        for x in range(width):
            light[y, x] = curve[places[x]]
    return light


@kernel(f"{_FIELDS}(uint8[:, :, ::1], float32[:, ::1], float32[:, ::1], {_FIELDS}, float32, float32)")
def lay(
    picture: Picture, light: Field, soft_light: Field, clouds: Field, flow: np.float32, margin: np.float32
) -> Field:
    """Return the density of pigment in B, G and R, shape (height, width, 3), of a picture painted in washes.

    Takes the lightness (0 to 1) that each pixel shall get, and the same softened, which decides where one wash ends and
    the next begins. The clouds are those of paper.wash. The painting keeps about `margin` pixels from the border of the
    paper.

    A row goes through in steps, so that all but two of them are vectorized: 29 to 8 ms at 0.8 MP.
    """
    height, width, _ = picture.shape
    density = np.empty((height, width, 3), np.float32)
    colors, places = np.empty((3, width), np.float32), np.empty((3, width), np.int32)
    for y in range(height):
        _part(picture[y], colors)
        _mix(colors, light[y], soft_light[y], clouds[WATER, y], clouds[BORDERS, y], places)
        for channel in range(3):
            for x in range(width):
                colors[channel, x] = _DENSITIES[places[channel, x]]
        _thin(colors, clouds[:, y], y, height, flow, margin)
        for x in range(width):
            density[y, x, 0], density[y, x, 1], density[y, x, 2] = colors[0, x], colors[1, x], colors[2, x]
    return density


@kernel(f"void({_FIELDS}, {_FIELDS}, {_FIELDS})")
def spread(density: Field, thinnest: Field, thickest: Field) -> None:
    """Write the least and the most density under a round brush of five pixels, as cv2.erode and cv2.dilate do.

    Both in one pass, rows of five first: 10 to 4 ms at 0.8 MP.
    """
    height, width, _ = density.shape
    least, most = np.empty((3, 3 * width), np.float32), np.empty((3, 3 * width), np.float32)
    rows = density.reshape(height, 3 * width)
    for y in range(-1, height):
        if y + 1 < height:
            _across(rows[y + 1], least[(y + 1) % 3], most[(y + 1) % 3])
        if y >= 0:
            above, below = max(y - 1, 0) % 3, min(y + 1, height - 1) % 3
            far_above, far_below = rows[max(y - 2, 0)], rows[min(y + 2, height - 1)]
            _least(least[above], least[y % 3], least[below], far_above, far_below, thinnest[y].reshape(3 * width))
            _most(most[above], most[y % 3], most[below], far_above, far_below, thickest[y].reshape(3 * width))


@kernel(
    f"void({_FIELDS}, {_FIELDS}, {_FIELDS}, float32[:, ::1], {_FIELDS}, {_FIELDS}, float32, float32, uint8[:, :, ::1])"
)
def settle(  # noqa: PLR0913 (Numba is slower with objects)
    density: Field,
    thinnest: Field,
    thickest: Field,
    around: Field,
    clouds: Field,
    tile: Field,
    pooling: np.float32,
    grain: np.float32,
    painted: Picture,
) -> None:
    """Enlarge washes to the painting, let pigment gather at edges and in the grain of the tile, and let light through.

    Takes the density, the thinnest and the thickest density nearby, the mean density around, and paper.wash. Every
    pixel goes to the thinner or the thicker side of the border that it is at, which makes borders as sharp as the
    painting is large; then pigment pools on the thicker side.

    Rows are made when they are needed, and go through in steps, of which all but one are vectorized; where the painting
    is as large as the washes, nothing is interpolated: 70 to 15 ms at 0.8 MP.
    """
    height, width, _ = density.shape
    scale = max(painted.shape[0] / height, painted.shape[1] / width, 1.0)
    crispness, fineness = np.float32(1.6 * scale**0.7), np.float32(0.5 - 0.5 / scale)
    places, parts = _places(painted.shape[1], width)
    same = painted.shape[0] == height and painted.shape[1] == width
    pair, held = np.empty((2, 10, width), np.float32), np.full(2, -1, np.int64)
    row = np.empty((10, width + 1), np.float32)
    strokes = np.empty((10, painted.shape[1]), np.float32)
    room = np.empty((3, painted.shape[1]), np.int32), np.empty((3, painted.shape[1]), np.float32)
    for y in range(painted.shape[0]):
        place = min(max((y + 0.5) * height / painted.shape[0] - 0.5, 0.0), height - 1.0)
        above = int(place)
        for number in range(above, above + (1 if same else 2)):
            at = min(number, height - 1)
            if held[number % 2] != number:
                _split(density[at], thinnest[at], thickest[at], around[at], clouds[BORDERS, at], pair[number % 2])
                _put_under(tile[:, number % TILE], pair[number % 2])
                held[number % 2] = number
        if same:
            _settle_row(pair[above % 2], tile[0, y % TILE], crispness, fineness, pooling, grain, room, painted[y])
        else:
            _between_rows(pair[above % 2], pair[(above + 1) % 2], np.float32(place - above), row)
            _between_columns(row, places, parts, strokes)
            _settle_row(strokes, tile[0, y % TILE], crispness, fineness, pooling, grain, room, painted[y])


@_inner
def _part(row: Picture, colors: Field) -> None:
    for x in range(row.shape[0]):
        colors[0, x], colors[1, x], colors[2, x] = row[x, 0], row[x, 1], row[x, 2]


@_inner
def _mix(  # noqa: PLR0913 (Numba is slower with objects)
    colors: Field, light: Field, soft_light: Field, water: Field, border: Field, places: NDArray[np.int32]
) -> None:
    """Find the place in the table of densities of every pixel's pigments."""
    blue, green, red = colors[0], colors[1], colors[2]
    blues, greens, reds = places[0], places[1], places[2]
    for x in range(light.size):
        tone = _layered(light[x], soft_light[x], np.float32(0.12) * water[x] + np.float32(0.05) * border[x])
        # Next to black, hues are chance, and fade.
        luminance = _luminance(blue[x], green[x], red[x])
        strength = _SATURATION * tone / max(luminance, np.float32(10))
        gray = tone - strength * luminance
        blues[x] = _thousandth(strength * blue[x] + gray)
        greens[x] = _thousandth(strength * green[x] + gray)
        reds[x] = _thousandth(strength * red[x] + gray)


@_inner
def _thin(  # noqa: PLR0913 (Numba is slower with objects)
    colors: Field, clouds: Field, y: int, height: int, flow: np.float32, margin: np.float32
) -> None:
    """Let water carry pigment to and fro, and none to the margin."""
    width = colors.shape[1]
    blue, green, red = colors[0], colors[1], colors[2]
    water, warm, border, edge = clouds[WATER], clouds[WARMTH], clouds[BORDERS], clouds[MARGIN]
    for x in range(width):
        amount = _ONE + flow * water[x] / (_MIDDLE + (blue[x] + green[x] + red[x]) / np.float32(3))
        if margin > 0:
            room = np.float32(min(np.int32(x), np.int32(width - 1 - x), np.int32(y), np.int32(height - 1 - y)))
            inside = room - margin * (_ONE + np.float32(0.25) * edge[x])
            amount *= _eased(np.float32(0.4) * inside - np.float32(0.3) * border[x])
        amount = max(amount, _NONE)
        blue[x] = blue[x] * amount * (_ONE + _WARM * warm[x])
        green[x] = green[x] * amount
        red[x] = red[x] * amount * (_ONE - _WARM * warm[x])


@_inner
def _across(row: Field, least: Field, most: Field) -> None:
    """Write the least and the most of five pixels of a row, fewer at its ends."""
    size = row.size
    for i in range(size):
        least[i] = most[i] = row[i]
    for step in (3, 6):
        for i in range(size - step):
            least[i], most[i] = min(least[i], row[i + step]), max(most[i], row[i + step])
        for i in range(step, size):
            least[i], most[i] = min(least[i], row[i - step]), max(most[i], row[i - step])


@_inner
def _least(  # noqa: PLR0913 (five rows)
    above: Field, here: Field, below: Field, far_above: Field, far_below: Field, result: Field
) -> None:
    for i in range(result.size):
        result[i] = min(min(min(above[i], here[i]), min(below[i], far_above[i])), far_below[i])


@_inner
def _most(  # noqa: PLR0913 (five rows)
    above: Field, here: Field, below: Field, far_above: Field, far_below: Field, result: Field
) -> None:
    for i in range(result.size):
        result[i] = max(max(max(above[i], here[i]), max(below[i], far_above[i])), far_below[i])


@_inner
def _split(  # noqa: PLR0913 (Numba is slower with objects)
    density: Field, thinnest: Field, thickest: Field, around: Field, border: Field, strokes: Field
) -> None:
    """Write what is needed of a row, in numbers that can be enlarged.

    The thinnest density, by how much the thickest is more, where in between the pixel lies (about 0 to 1), and the
    density around.
    """
    for x in range(around.size):
        here = density[x, 0] + density[x, 1] + density[x, 2]
        thin = thinnest[x, 0] + thinnest[x, 1] + thinnest[x, 2]
        thick = thickest[x, 0] + thickest[x, 1] + thickest[x, 2]
        strokes[0, x], strokes[1, x], strokes[2, x] = thinnest[x, 0], thinnest[x, 1], thinnest[x, 2]
        strokes[3, x] = thickest[x, 0] - thinnest[x, 0]
        strokes[4, x] = thickest[x, 1] - thinnest[x, 1]
        strokes[5, x] = thickest[x, 2] - thinnest[x, 2]
        strokes[6, x] = (here - thin) / max(thick - thin, np.float32(1e-4)) + np.float32(0.05) * border[x]
        strokes[7, x] = around[x]


@_inner
def _put_under(tile: Field, strokes: Field) -> None:
    """Repeat a row of the tile under a row of strokes."""
    for x in range(strokes.shape[1]):
        strokes[8, x], strokes[9, x] = tile[0, x % TILE], tile[1, x % TILE]


@_inner
def _between_rows(upper: Field, lower: Field, part: np.float32, row: Field) -> None:
    """Interpolate a row of strokes, and repeat its last pixel."""
    width = upper.shape[1]
    for lane in range(10):
        one, other, result = upper[lane], lower[lane], row[lane]
        for x in range(width):
            result[x] = one[x] + (other[x] - one[x]) * part
        result[width] = result[width - 1]


@_inner
def _between_columns(row: Field, places: NDArray[np.int64], parts: Field, strokes: Field) -> None:
    for lane in range(10):
        source, result = row[lane], strokes[lane]
        for x in range(result.size):
            place = places[x]
            result[x] = source[place] + (source[place + 1] - source[place]) * parts[x]


@_inner
def _settle_row(  # noqa: PLR0913 (Numba is slower with objects)
    strokes: Field,
    tile: Field,
    crispness: np.float32,
    fineness: np.float32,
    pooling: np.float32,
    grain: np.float32,
    room: tuple[NDArray[np.int32], Field],
    painted: Picture,
) -> None:
    size = painted.shape[0]
    places, light = room
    _gather(strokes, tile, crispness, fineness, pooling, grain, places)
    for channel in range(3):
        for x in range(size):
            light[channel, x] = _LIGHT[places[channel, x]]
    relief = strokes[9]
    for channel in range(3):
        for x in range(size):
            lit = light[channel, x] * _PAPER[channel] * (_ONE + np.float32(0.018) * relief[x])
            light[channel, x] = min(lit, np.float32(255))
    for x in range(size):
        painted[x, 0], painted[x, 1], painted[x, 2] = np.uint8(light[0, x]), np.uint8(light[1, x]), np.uint8(light[2, x])


@_inner
def _gather(  # noqa: PLR0913 (Numba is slower with objects)
    strokes: Field,
    tile: Field,
    crispness: np.float32,
    fineness: np.float32,
    pooling: np.float32,
    grain: np.float32,
    places: NDArray[np.int32],
) -> None:
    """Find the place in the table of light of every pixel's pigments, with what gathers there."""
    for x in range(places.shape[1]):
        side = _side(strokes[6, x], crispness, strokes[3, x] + strokes[4, x] + strokes[5, x])
        blue = strokes[0, x] + strokes[3, x] * side
        green = strokes[1, x] + strokes[4, x] * side
        red = strokes[2, x] + strokes[5, x] * side
        mean = (blue + green + red) / np.float32(3)
        depth = strokes[8, x] + fineness * tile[x & (TILE - 1)]
        gathered = _gathered(np.float32(1.7) * mean - strokes[7, x], pooling) + grain * depth
        amount = _STEPS * _between(_ONE + gathered / (_MIDDLE + mean), np.float32(0.15), np.float32(3))
        places[0, x] = min(np.int32(blue * amount), np.int32(4095))
        places[1, x] = min(np.int32(green * amount), np.int32(4095))
        places[2, x] = min(np.int32(red * amount), np.int32(4095))


@_inner
def _luminance(blue: np.float32, green: np.float32, red: np.float32) -> np.float32:
    return np.float32(0.114) * blue + np.float32(0.587) * green + np.float32(0.299) * red


@_inner
def _layered(light: np.float32, soft_light: np.float32, chance: np.float32) -> np.float32:
    """Draw the lightness to that of its layer of paint; chance moves the borders between layers."""
    height = soft_light * _LEVELS + chance
    level = np.float32(np.floor(height))
    step = level + _eased((height - level - np.float32(0.5)) * np.float32(1.7) + np.float32(0.5))
    return _between(light + (step - height) / _LEVELS * _LAYERED, np.float32(0.02), _ONE)


@_inner
def _eased(part: np.float32) -> np.float32:
    kept = _between(part, _NONE, _ONE)
    return kept * kept * (np.float32(3) - np.float32(2) * kept)


@_inner
def _between(number: np.float32, low: np.float32, high: np.float32) -> np.float32:
    return min(max(number, low), high)


@_inner
def _thousandth(light: np.float32) -> np.int32:
    """Return the place in the table of densities of a light from 0 to 1."""
    return np.int32(_between(light, _NONE, _ONE) * np.float32(1023))


@njit(nogil=True)
def _places(count: int, width: int) -> tuple[NDArray[np.int64], Field]:
    """Return where so many pixels lie in a row of another width: the index of the pixel before, and how far past it."""
    places, parts = np.empty(count, np.int64), np.empty(count, np.float32)
    for x in range(count):
        place = min(max((x + 0.5) * width / count - 0.5, 0.0), width - 1.0)
        places[x] = int(place)
        parts[x] = place - places[x]
    return places, parts


@_inner
def _side(place: np.float32, crispness: np.float32, contrast: np.float32) -> np.float32:
    """Return 0 for the thin and 1 for the thick side of a border, and in between where there is hardly any border."""
    soft = _between(place, _NONE, _ONE)
    side = _eased((soft - np.float32(0.5)) * crispness + np.float32(0.5))
    return soft + (side - soft) * min(contrast / np.float32(0.9), _ONE)


@_inner
def _gathered(excess: np.float32, pooling: np.float32) -> np.float32:
    """Return how much pigment comes to where there is more of it than around, and goes from where there is less."""
    if excess > 0:
        return pooling * min(excess, np.float32(0.5))
    return pooling / np.float32(3) * max(excess, np.float32(-0.5))
