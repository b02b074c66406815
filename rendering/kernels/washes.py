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
_BLUE_PAPER, _GREEN_PAPER, _RED_PAPER = np.float32(0.945), np.float32(0.972), np.float32(0.985)  # of white
_MOST = np.float32(4095)
_BLOCK = 1024  # pixels at a time: each number of a pixel at a fixed place of one small array, so that LLVM need not ask
# whether arrays overlap, and vectorizes
_CLOUDS = 5  # from here on such an array has the clouds
_LANES = 10  # numbers that are enlarged
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
    room = np.zeros(3 * _BLOCK, np.float32)
    for y in range(height):
        for left in range(0, width, _BLOCK):
            size = min(_BLOCK, width - left)
            _part(picture[y, left:], size, room)
            for x in range(size):
                room[x] = np.float32(4) * _luminance(room[x], room[_BLOCK + x], room[2 * _BLOCK + x])
            for x in range(size):
                light[y, left + x] = curve[np.int32(room[x])]
    return light


@kernel(f"{_FIELDS}(uint8[:, :, ::1], float32[:, ::1], float32[:, ::1], {_FIELDS}, float32, float32)")
def lay(
    picture: Picture, light: Field, soft_light: Field, clouds: Field, flow: np.float32, margin: np.float32
) -> Field:
    """Return the density of pigment in B, G and R, shape (height, width, 3), of a picture painted in washes.

    Takes the lightness (0 to 1) that each pixel shall get, and the same softened, which decides where one wash ends and
    the next begins. The clouds are those of paper.wash. The painting keeps about `margin` pixels from the border of the
    paper.

    A row goes through in steps, so that all but two of them are vectorized: 27 to 10 ms at 0.8 MP.
    """
    height, width, _ = picture.shape
    density = np.empty((height, width, 3), np.float32)
    room = np.zeros(9 * _BLOCK, np.float32)
    for y in range(height):
        for left in range(0, width, _BLOCK):
            size = min(_BLOCK, width - left)
            _part(picture[y, left:], size, room)
            _fill(light[y, left:], size, room, 3)
            _fill(soft_light[y, left:], size, room, 4)
            for number in range(4):
                _fill(clouds[number, y, left:], size, room, _CLOUDS + number)
            _mix(size, room)
            for i in range(3 * _BLOCK):
                room[i] = _DENSITIES[np.int32(room[i])]
            if margin > 0:
                _keep_off(size, left, width, min(y, height - 1 - y), margin, room)
            _carry(size, flow, margin, room)
            _join(size, room, density[y, left:])
    return density


@kernel(
    f"void({_FIELDS}, {_FIELDS}, {_FIELDS}, float32[:, ::1], {_FIELDS}, {_FIELDS}, float32, float32, uint8[:, :, ::1])"
)
def settle(  # noqa: C901, PLR0913, PLR0915 (Numba is slower with objects; a row goes through in one place)
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
    is as large as the washes, nothing is interpolated: 69 to 21 ms at 0.8 MP.
    """
    height, width, _ = density.shape
    scale = max(painted.shape[0] / height, painted.shape[1] / width, 1.0)
    crispness, fineness = np.float32(1.6 * scale**0.7), np.float32(0.5 - 0.5 / scale)
    places, parts = _places(painted.shape[1], width)
    same = painted.shape[0] == height and painted.shape[1] == width
    pair, held = np.empty((2, _LANES, width), np.float32), np.full(2, -1, np.int64)
    row = np.empty((_LANES, width + 1), np.float32)
    room = np.zeros(16 * _BLOCK, np.float32)
    for y in range(painted.shape[0]):
        place = min(max((y + 0.5) * height / painted.shape[0] - 0.5, 0.0), height - 1.0)
        above = int(place)
        for number in range(above, above + (1 if same else 2)):
            if held[number % 2] != number:
                at = min(number, height - 1)
                strokes = pair[number % 2]
                _split(density[at], thinnest[at], thickest[at], around[at], clouds[BORDERS, at], strokes, room)
                _put_under(tile[:, number % TILE], strokes)
                held[number % 2] = number
        if not same:
            _between_rows(pair[above % 2], pair[(above + 1) % 2], np.float32(place - above), row)
        for left in range(0, painted.shape[1], _BLOCK):
            size = min(_BLOCK, painted.shape[1] - left)
            if same:
                for lane in range(_LANES):
                    _fill(pair[above % 2, lane, left:], size, room, lane)
            else:
                _between_columns(row, places[left:], parts[left:], size, room)
            _put_fine_grain(tile[0, y % TILE], left, fineness, size, room)
            _gather(size, crispness, pooling, grain, room)
            for i in range(3 * _BLOCK):
                room[i] = _LIGHT[np.int32(room[i])]
            _shine(size, room)
            _write(size, room, painted[y, left:])


@_inner
def _part(row: Picture, size: int, room: Field) -> None:
    for x in range(size):
        room[x] = row[x, 0]
        room[_BLOCK + x] = row[x, 1]
        room[2 * _BLOCK + x] = row[x, 2]


@_inner
def _fill(row: Field, size: int, room: Field, place: int) -> None:
    for x in range(size):
        room[place * _BLOCK + x] = row[x]


@_inner
def _mix(size: int, room: Field) -> None:
    """Put every pixel's pigments in the place of its colors, as places in the table of densities."""
    for x in range(size):
        blue, green, red = room[x], room[_BLOCK + x], room[2 * _BLOCK + x]
        water, border = room[(_CLOUDS + WATER) * _BLOCK + x], room[(_CLOUDS + BORDERS) * _BLOCK + x]
        chance = np.float32(0.12) * water + np.float32(0.05) * border
        tone = _layered(room[3 * _BLOCK + x], room[4 * _BLOCK + x], chance)
        # Next to black, hues are chance, and fade.
        luminance = _luminance(blue, green, red)
        strength = _SATURATION * tone / max(luminance, np.float32(10))
        gray = tone - strength * luminance
        room[x] = _thousandth(strength * blue + gray)
        room[_BLOCK + x] = _thousandth(strength * green + gray)
        room[2 * _BLOCK + x] = _thousandth(strength * red + gray)


@_inner
def _keep_off(size: int, left: int, width: int, above: int, margin: np.float32, room: Field) -> None:
    """Put in place of the light how much of the pigment is not in the margin of the paper."""
    for x in range(size):
        at = np.int32(left + x)
        free = np.float32(min(at, np.int32(width - 1) - at, np.int32(above)))
        inside = free - margin * (_ONE + np.float32(0.25) * room[(_CLOUDS + MARGIN) * _BLOCK + x])
        border = room[(_CLOUDS + BORDERS) * _BLOCK + x]
        room[3 * _BLOCK + x] = _eased(np.float32(0.4) * inside - np.float32(0.3) * border)


@_inner
def _carry(size: int, flow: np.float32, margin: np.float32, room: Field) -> None:
    """Let water carry pigment to and fro, and none to the margin."""
    for x in range(size):
        blue, green, red = room[x], room[_BLOCK + x], room[2 * _BLOCK + x]
        water, warm = room[(_CLOUDS + WATER) * _BLOCK + x], room[(_CLOUDS + WARMTH) * _BLOCK + x]
        amount = _ONE + flow * water / (_MIDDLE + (blue + green + red) / np.float32(3))
        if margin > 0:
            amount *= room[3 * _BLOCK + x]
        amount = max(amount, _NONE)
        room[x] = blue * amount * (_ONE + _WARM * warm)
        room[_BLOCK + x] = green * amount
        room[2 * _BLOCK + x] = red * amount * (_ONE - _WARM * warm)


@_inner
def _join(size: int, room: Field, row: Field) -> None:
    for x in range(size):
        row[x, 0], row[x, 1], row[x, 2] = room[x], room[_BLOCK + x], room[2 * _BLOCK + x]


@_inner
def _split(  # noqa: PLR0913 (Numba is slower with objects)
    density: Field, thinnest: Field, thickest: Field, around: Field, border: Field, strokes: Field, room: Field
) -> None:
    """Write what is needed of a row, in numbers that can be enlarged.

    The thinnest density, by how much the thickest is more, where in between the pixel lies (about 0 to 1), and the
    density around.
    """
    for left in range(0, around.size, _BLOCK):
        size = min(_BLOCK, around.size - left)
        _take_apart(density[left:], size, room, 0)
        _take_apart(thinnest[left:], size, room, 3)
        _take_apart(thickest[left:], size, room, 6)
        _fill(border[left:], size, room, 9)
        _compare(size, room)
        _fill(around[left:], size, room, 10)
        for lane in range(8):
            for x in range(size):
                strokes[lane, left + x] = room[(3 + lane) * _BLOCK + x]


@_inner
def _take_apart(row: Field, size: int, room: Field, place: int) -> None:
    for x in range(size):
        room[place * _BLOCK + x] = row[x, 0]
        room[(place + 1) * _BLOCK + x] = row[x, 1]
        room[(place + 2) * _BLOCK + x] = row[x, 2]


@_inner
def _compare(size: int, room: Field) -> None:
    """Put differences in the place of the thickest densities, and after them where in between the pixel lies."""
    for x in range(size):
        here = room[x] + room[_BLOCK + x] + room[2 * _BLOCK + x]
        blue, green, red = room[3 * _BLOCK + x], room[4 * _BLOCK + x], room[5 * _BLOCK + x]
        thin = blue + green + red
        thick = room[6 * _BLOCK + x] + room[7 * _BLOCK + x] + room[8 * _BLOCK + x]
        room[6 * _BLOCK + x] -= blue
        room[7 * _BLOCK + x] -= green
        room[8 * _BLOCK + x] -= red
        between = (here - thin) / max(thick - thin, np.float32(1e-4))
        room[9 * _BLOCK + x] = between + np.float32(0.05) * room[9 * _BLOCK + x]


@_inner
def _put_under(tile: Field, strokes: Field) -> None:
    """Repeat a row of the tile under a row of strokes."""
    for left in range(0, strokes.shape[1], TILE):
        for x in range(min(TILE, strokes.shape[1] - left)):
            strokes[8, left + x], strokes[9, left + x] = tile[0, x], tile[1, x]


@_inner
def _put_fine_grain(tile: Field, left: int, fineness: np.float32, size: int, room: Field) -> None:
    """Add the grain in the painting's own pixels, which the enlarged one is too coarse for."""
    for x in range(size):
        room[8 * _BLOCK + x] += fineness * tile[(left + x) & (TILE - 1)]


@_inner
def _between_rows(upper: Field, lower: Field, part: np.float32, row: Field) -> None:
    """Interpolate a row of strokes, and repeat its last pixel."""
    width = upper.shape[1]
    for lane in range(_LANES):
        one, other, result = upper[lane], lower[lane], row[lane]
        for x in range(width):
            result[x] = one[x] + (other[x] - one[x]) * part
        result[width] = result[width - 1]


@_inner
def _between_columns(row: Field, places: NDArray[np.int64], parts: Field, size: int, room: Field) -> None:
    for lane in range(_LANES):
        source = row[lane]
        for x in range(size):
            place = places[x]
            room[lane * _BLOCK + x] = source[place] + (source[place + 1] - source[place]) * parts[x]


@_inner
def _gather(size: int, crispness: np.float32, pooling: np.float32, grain: np.float32, room: Field) -> None:
    """Put every pixel's pigments, with what gathers there, in the first places, as places in the table of light."""
    for x in range(size):
        more_blue, more_green, more_red = room[3 * _BLOCK + x], room[4 * _BLOCK + x], room[5 * _BLOCK + x]
        side = _side(room[6 * _BLOCK + x], crispness, more_blue + more_green + more_red)
        blue = room[x] + more_blue * side
        green = room[_BLOCK + x] + more_green * side
        red = room[2 * _BLOCK + x] + more_red * side
        mean = (blue + green + red) / np.float32(3)
        gathered = _gathered(np.float32(1.7) * mean - room[7 * _BLOCK + x], pooling) + grain * room[8 * _BLOCK + x]
        amount = _STEPS * _between(_ONE + gathered / (_MIDDLE + mean), np.float32(0.15), np.float32(3))
        room[x] = min(blue * amount, _MOST)
        room[_BLOCK + x] = min(green * amount, _MOST)
        room[2 * _BLOCK + x] = min(red * amount, _MOST)


@_inner
def _shine(size: int, room: Field) -> None:
    """Let light fall through the pigment on the paper, and across its relief."""
    for x in range(size):
        relief = _ONE + np.float32(0.018) * room[9 * _BLOCK + x]
        room[x] = min(room[x] * _BLUE_PAPER * relief, np.float32(255))
        room[_BLOCK + x] = min(room[_BLOCK + x] * _GREEN_PAPER * relief, np.float32(255))
        room[2 * _BLOCK + x] = min(room[2 * _BLOCK + x] * _RED_PAPER * relief, np.float32(255))


@_inner
def _write(size: int, room: Field, row: Picture) -> None:
    for x in range(size):
        row[x, 0] = np.uint8(np.int32(room[x]))
        row[x, 1] = np.uint8(np.int32(room[_BLOCK + x]))
        row[x, 2] = np.uint8(np.int32(room[2 * _BLOCK + x]))


@_inner
def _luminance(blue: np.float32, green: np.float32, red: np.float32) -> np.float32:
    return np.float32(0.114) * blue + np.float32(0.587) * green + np.float32(0.299) * red


@_inner
def _layered(light: np.float32, soft_light: np.float32, chance: np.float32) -> np.float32:
    """Draw the lightness to that of its layer of paint; chance moves the borders between layers."""
    height = soft_light * _LEVELS + chance
    level = np.float32(np.floor(height))
    step = level + _eased((height - level - np.float32(0.5)) * np.float32(1.7) + np.float32(0.5))
    layered: np.float32 = _between(light + (step - height) / _LEVELS * _LAYERED, np.float32(0.02), _ONE)
    return layered


@_inner
def _eased(part: np.float32) -> np.float32:
    kept: np.float32 = _between(part, _NONE, _ONE)
    return kept * kept * (np.float32(3) - np.float32(2) * kept)


@_inner
def _between(number: np.float32, low: np.float32, high: np.float32) -> np.float32:
    return min(max(number, low), high)


@_inner
def _thousandth(light: np.float32) -> np.float32:
    """Return the place in the table of densities of a light from 0 to 1, with fractions."""
    kept: np.float32 = _between(light, _NONE, _ONE)
    return kept * np.float32(1023)


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
    soft: np.float32 = _between(place, _NONE, _ONE)
    side: np.float32 = _eased((soft - np.float32(0.5)) * crispness + np.float32(0.5))
    return soft + (side - soft) * min(contrast / np.float32(0.9), _ONE)


@_inner
def _gathered(excess: np.float32, pooling: np.float32) -> np.float32:
    """Return how much pigment comes to where there is more of it than around, and goes from where there is less."""
    if excess > 0:
        return pooling * min(excess, np.float32(0.5))
    return pooling / np.float32(3) * max(excess, np.float32(-0.5))
