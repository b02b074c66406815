"""Transparent washes on paper: how much pigment lies where, where it gathers, and what light comes back through it.

Pigment is measured in density: light falls to e^-density on its way through (Beer and Lambert). Clouds, edges and the
grain of the paper multiply the density, as in Bousseau et al. (Interactive watercolor rendering with temporal coherence
and abstraction, 2006).
"""

import numpy as np
from numba import njit
from numpy.typing import NDArray

from rendering.kernels.compilation import kernel, make_ready
from rendering.kernels.paper import TILE

Picture = NDArray[np.uint8]
Field = NDArray[np.float32]

_FIELDS = "float32[:, :, ::1]"  # the Numba type of fields of several numbers a pixel
_LEVELS = np.float32(6)  # of lightness: neighboring washes differ by one
_LAYERED = np.float32(0.5)  # how far lightness is drawn to its level
_SATURATION = np.float32(1.2)
_DEEPEST = 2.15  # density that no pigment passes: watercolor knows no black
_WARMTH = np.float32(0.055)  # how far clouds of warm and of cold pigment separate
_MIDDLE = np.float32(0.35)  # density from which on the same change of pigment shows less
_THIN = -np.log(np.maximum(np.arange(1024) / 1023, 0.004))
_DENSITIES = (_DEEPEST * (1 - np.exp(-_THIN / _DEEPEST))).astype(np.float32)  # of a color of 0 to 1023
_STEPS = np.float32(512)  # of a density of 1
_LIGHT = (255 * np.exp(-np.arange(4096) / 512)).astype(np.float32)  # that passes a density of 0 to 4095 steps
_PAPER = np.array([0.945, 0.972, 0.985], np.float32)  # of white, in B, G and R
_NONE, _ONE = np.float32(0), np.float32(1)


def compile_kernels() -> None:
    """Make the compiled functions ready: from the cache folder, or in a few seconds."""
    make_ready(__name__)


@kernel("float32[:, ::1](uint8[:, :, ::1], float32[::1])")
def lightness(picture: Picture, curve: Field) -> Field:
    """Return the curve's value at every pixel's luminance; the curve has 1025 entries, four for each level."""
    height, width, _ = picture.shape
    light = np.empty((height, width), np.float32)
    for y in range(height):
        for x in range(width):
            light[y, x] = curve[int(np.float32(4) * _luminance(picture[y, x, 0], picture[y, x, 1], picture[y, x, 2]))]
    return light


@kernel(f"{_FIELDS}(uint8[:, :, ::1], float32[:, ::1], float32[:, ::1], {_FIELDS}, float32, float32)")
def lay(
    picture: Picture, light: Field, soft_light: Field, clouds: Field, flow: np.float32, margin: np.float32
) -> Field:
    """Return the density of pigment in B, G and R, shape (height, width, 3), of a picture painted in washes.

    Takes the lightness (0 to 1) that each pixel shall get, and the same softened, which decides where one wash ends and
    the next begins. The clouds are, in order, of pigment and water, of warm and cold pigment, of the borders between
    washes, and of the border of the painting, which keeps about `margin` pixels from the border of the paper.
    """
    height, width, _ = picture.shape
    density = np.empty((height, width, 3), np.float32)
    for y in range(height):
        for x in range(width):
            water, warm, border, edge = clouds[y, x, 0], clouds[y, x, 1], clouds[y, x, 2], clouds[y, x, 3]
            tone = _layered(light[y, x], soft_light[y, x], np.float32(0.12) * water + np.float32(0.05) * border)
            blue, green, red = _pigment(picture[y, x, 0], picture[y, x, 1], picture[y, x, 2], tone)
            amount = _ONE + flow * water / (_MIDDLE + (blue + green + red) / np.float32(3))
            if margin > 0:
                room = np.float32(min(x, width - 1 - x, y, height - 1 - y))
                inside = room - margin * (_ONE + np.float32(0.25) * edge)
                amount *= _eased(np.float32(0.4) * inside - np.float32(0.3) * border)
            amount = max(amount, _NONE)
            density[y, x, 0] = blue * amount * (_ONE + _WARMTH * warm)
            density[y, x, 1] = green * amount
            density[y, x, 2] = red * amount * (_ONE - _WARMTH * warm)
    return density


@kernel(f"{_FIELDS}({_FIELDS}, {_FIELDS}, {_FIELDS}, float32[:, ::1], {_FIELDS})")
def split(density: Field, thinnest: Field, thickest: Field, spread: Field, clouds: Field) -> Field:
    """Return what settle needs of every pixel, shape (height, width, 8), in numbers that can be enlarged.

    Takes the density, the thinnest and the thickest density nearby, the mean density around, and the clouds of lay.
    Returns the thinnest density, by how much the thickest is more, where in between the pixel lies (about 0 to 1), and
    the density around.
    """
    height, width, _ = density.shape
    strokes = np.empty((height, width, 8), np.float32)
    for y in range(height):
        for x in range(width):
            here = density[y, x, 0] + density[y, x, 1] + density[y, x, 2]
            thin = thinnest[y, x, 0] + thinnest[y, x, 1] + thinnest[y, x, 2]
            thick = thickest[y, x, 0] + thickest[y, x, 1] + thickest[y, x, 2]
            for channel in range(3):
                strokes[y, x, channel] = thinnest[y, x, channel]
                strokes[y, x, 3 + channel] = thickest[y, x, channel] - thinnest[y, x, channel]
            strokes[y, x, 6] = (here - thin) / max(thick - thin, np.float32(1e-4)) + np.float32(0.05) * clouds[y, x, 2]
            strokes[y, x, 7] = spread[y, x]
    return strokes


@kernel(f"void({_FIELDS}, {_FIELDS}, float32, float32, uint8[:, :, ::1])")
def settle(strokes: Field, tile: Field, pooling: np.float32, grain: np.float32, painted: Picture) -> None:
    """Enlarge strokes to the painting, let pigment gather at edges and in the grain of the tile, and let light through.

    Every pixel goes to the thinner or the thicker side of the border that it is at, which makes borders as sharp as the
    painting is large; then pigment pools on the thicker side.
    """
    height, width, _ = strokes.shape
    scale = max(painted.shape[0] / height, painted.shape[1] / width, 1.0)
    crispness, fineness = np.float32(1.6 * scale**0.7), np.float32(0.5 - 0.5 / scale)
    places, parts = _places(painted.shape[1], width)
    row, stroke = np.empty((width + 1, 10), np.float32), np.empty(10, np.float32)
    for y in range(painted.shape[0]):
        _fill_row(strokes, tile, (y + 0.5) * height / painted.shape[0] - 0.5, row)
        for x in range(painted.shape[1]):
            for lane in range(10):
                stroke[lane] = row[places[x], lane] + (row[places[x] + 1, lane] - row[places[x], lane]) * parts[x]
            side = _side(stroke[6], crispness, stroke[3] + stroke[4] + stroke[5])
            for channel in range(3):
                stroke[channel] += stroke[3 + channel] * side
            mean = (stroke[0] + stroke[1] + stroke[2]) / np.float32(3)
            depth = stroke[8] + fineness * tile[y % TILE, x % TILE, 0]
            gathered = _gathered(np.float32(1.7) * mean - stroke[7], pooling) + grain * depth
            amount = _STEPS * _between(_ONE + gathered / (_MIDDLE + mean), np.float32(0.15), np.float32(3))
            relief = _ONE + np.float32(0.018) * stroke[9]
            for channel in range(3):
                light = _LIGHT[min(int(stroke[channel] * amount), 4095)] * _PAPER[channel] * relief
                painted[y, x, channel] = np.uint8(min(light, np.float32(255)))


@njit(nogil=True)
def _luminance(blue: int, green: int, red: int) -> np.float32:
    return np.float32(0.114) * blue + np.float32(0.587) * green + np.float32(0.299) * red


@njit(nogil=True)
def _layered(light: np.float32, soft_light: np.float32, chance: np.float32) -> np.float32:
    """Draw the lightness to that of its layer of paint; chance moves the borders between layers."""
    height = soft_light * _LEVELS + chance
    level = np.float32(np.floor(height))
    step = level + _eased((height - level - np.float32(0.5)) * np.float32(1.7) + np.float32(0.5))
    return _between(light + (step - height) / _LEVELS * _LAYERED, np.float32(0.02), _ONE)


@njit(nogil=True)
def _eased(part: np.float32) -> np.float32:
    kept = _between(part, _NONE, _ONE)
    return kept * kept * (np.float32(3) - np.float32(2) * kept)


@njit(nogil=True)
def _between(number: np.float32, low: np.float32, high: np.float32) -> np.float32:
    return min(max(number, low), high)


@njit(nogil=True)
def _pigment(blue: int, green: int, red: int, tone: np.float32) -> tuple[np.float32, np.float32, np.float32]:
    """Return the densities of a color whose luminance becomes the tone. Next to black, hues are chance, and fade."""
    luminance = _luminance(blue, green, red)
    strength = _SATURATION * tone / max(luminance, np.float32(10))
    gray = tone - strength * luminance
    return _density(strength * blue + gray), _density(strength * green + gray), _density(strength * red + gray)


@njit(nogil=True)
def _density(light: np.float32) -> np.float32:
    return np.float32(_DENSITIES[int(_between(light, _NONE, _ONE) * np.float32(1023))])


@njit(nogil=True)
def _places(count: int, width: int) -> tuple[NDArray[np.int64], Field]:
    """Return where so many pixels lie in a row of another width: the index of the pixel before, and how far past it."""
    places, parts = np.empty(count, np.int64), np.empty(count, np.float32)
    for x in range(count):
        place = min(max((x + 0.5) * width / count - 0.5, 0.0), width - 1.0)
        places[x] = int(place)
        parts[x] = place - places[x]
    return places, parts


@njit(nogil=True)
def _fill_row(strokes: Field, tile: Field, place: float, row: Field) -> None:
    """Interpolate a row of the strokes and of the paper under it, and repeat its last pixel."""
    height, width, _ = strokes.shape
    place = min(max(place, 0.0), height - 1.0)
    above = int(place)
    below, part = min(above + 1, height - 1), np.float32(place - above)
    for x in range(width):
        for lane in range(8):
            row[x, lane] = strokes[above, x, lane] + (strokes[below, x, lane] - strokes[above, x, lane]) * part
        for lane in range(2):
            upper = tile[above % TILE, x % TILE, lane]
            row[x, 8 + lane] = upper + (tile[(above + 1) % TILE, x % TILE, lane] - upper) * part
    row[width] = row[width - 1]


@njit(nogil=True)
def _side(place: np.float32, crispness: np.float32, contrast: np.float32) -> np.float32:
    """Return 0 for the thin and 1 for the thick side of a border, and in between where there is hardly any border."""
    soft = _between(place, _NONE, _ONE)
    side = _eased((soft - np.float32(0.5)) * crispness + np.float32(0.5))
    return soft + (side - soft) * min(contrast / np.float32(0.9), _ONE)


@njit(nogil=True)
def _gathered(excess: np.float32, pooling: np.float32) -> np.float32:
    """Return how much pigment comes to where there is more of it than around, and goes from where there is less."""
    if excess > 0:
        return pooling * min(excess, np.float32(0.5))
    return pooling / np.float32(3) * max(excess, np.float32(-0.5))
