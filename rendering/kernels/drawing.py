"""The inner loops of drawing by hand: contours in straight strokes, and hatching over grainy paper.

Contours follow C. Lu, L. Xu and J. Jia, Combining Sketch and Tone for Pencil Drawing Production (2012): each pixel
of an edge belongs to the direction in which the edge runs on, and each direction is drawn with straight strokes.
Hatching is a stroke-shaped noise, softly cut off at the tone, after X. Mao, Y. Nagasaka and A. Imamiya, Automatic
Generation of Pencil Drawing Using LIC (2001).
"""

from typing import TypeAlias

import numpy as np
from numba import njit
from numpy.typing import NDArray

from rendering.kernels import hatching
from rendering.kernels.compilation import kernel, make_ready

Bytes: TypeAlias = NDArray[np.uint8]
Words: TypeAlias = NDArray[np.uint16]
Floats: TypeAlias = NDArray[np.float32]
Offsets: TypeAlias = NDArray[np.int64]
"""Shape (directions, reach, 2): the rows down and columns right of the pixels ahead, along each direction."""

CONTOURS, TONES, HATCHING, GRAIN, COLORS, HUES = 0, 1, 2, 5, 6, 9
"""Where a sheet of shape (planes, height, width) keeps them: three planes of hatching, and B, G and R of the colors."""

PAPER, GAIN, TONE, TOOTH, FINE_TOOTH, COVER = range(6)
"""What the hand holds, as an array of float32: see `draw_gray`."""

EDGE_UNIT = 1020  # an edge of 1/1020 of white is 1 in a byte
LONGEST_REACH = 15  # pixels; sums of strokes fit 16 bits

_BLOCK = 1024  # pixels drawn at a time: each plane's piece of a row, at a fixed place of one small array, so that
# LLVM need not ask whether arrays overlap, and vectorizes: 39 to 6 ns a pixel in color
_PLACES = 16
_FINE, _RESULT = 12, 13


def compile_kernels() -> None:
    """Make the compiled functions and the hatching ready: from the cache folder, or in a few seconds."""
    make_ready(__name__)
    hatching.sheet()
    hatching.fine_grain()


@kernel("void(float32[:,::1], float32[:,::1], float32[:,::1], float32[:,::1], float32[:,::1])")
def difference(fine: Floats, coarse: Floats, broad: Floats, edges: Floats, shadows: Floats) -> None:
    """Write how much darker the finely smoothed picture is than the coarsely and than the broadly smoothed one."""
    for i in range(fine.shape[0]):
        for j in range(fine.shape[1]):
            edges[i, j] = max(coarse[i, j] - fine[i, j], np.float32(0))
            shadows[i, j] = max(broad[i, j] - fine[i, j], np.float32(0))


@kernel("void(uint8[:,::1], int64[:,:,::1], uint16[:,::1], uint16[:,::1], uint8[:,::1])")
def trace(edges: Bytes, offsets: Offsets, strongest: Words, average: Words, best: Bytes) -> None:
    """Find for each pixel the direction in which its edge runs on, ahead and behind.

    Takes edges with a border of `reach` pixels. Writes the response of the best direction, the average of all
    (both 6 times the reach on a straight edge of 1), and the number of the best direction.
    """
    directions, reach, _ = offsets.shape
    ahead, behind = np.empty(best.shape[1], np.uint16), np.empty(best.shape[1], np.uint16)
    strongest[:] = 0
    average[:] = 0
    best[:] = 0
    for row in range(best.shape[0]):
        for direction in range(directions):
            ahead[:] = 0
            behind[:] = 0
            for tap in range(reach):
                down, right = offsets[direction, tap]
                _add(ahead, edges[reach + row + down, reach + right :], np.uint16(1))
                _add(behind, edges[reach + row - down, reach - right :], np.uint16(1))
            _compare(ahead, behind, np.uint8(direction), strongest[row], average[row], best[row])


@njit(nogil=True)
def _add(sums: Words, values: Bytes, weight: np.uint16) -> None:
    for j in range(sums.size):
        sums[j] = np.uint16(sums[j] + values[j] * weight)


@njit(nogil=True)
def _compare(ahead: Words, behind: Words, direction: np.uint8, strongest: Words, average: Words, best: Bytes) -> None:
    """Take this direction where it is stronger. An edge must run on both ways, or every dot would become a star."""
    for j in range(best.size):
        response = np.uint16(5 * min(ahead[j], behind[j]) + max(ahead[j], behind[j]))
        average[j] = np.uint16(average[j] + (response >> 3))
        best[j] = direction if response > strongest[j] else best[j]
        strongest[j] = max(strongest[j], response)


@kernel("void(float32[:,::1], uint16[:,::1], uint16[:,::1], float32[:,::1], float32, float32, float32[:,::1])")
def weigh(  # noqa: PLR0913 (one pass over four pictures)
    edges: Floats,
    strongest: Words,
    average: Words,
    around: Floats,
    unit: np.float32,
    general: np.float32,
    weights: Floats,
) -> None:
    """Weigh each edge: by its direction's response, its straightness, and against the edges around it and in general.

    In a texture every pixel has edges around it, so that only what stands out remains.
    """
    for i in range(edges.shape[0]):
        for j in range(edges.shape[1]):
            response = np.float32(strongest[i, j]) * unit
            straight = response / (np.float32(average[i, j]) * unit + np.float32(0.0003))
            straight = _unit((straight - np.float32(1.4)) * np.float32(1 / 1.2))
            weight = np.float32(0.4) * edges[i, j] + np.float32(0.8) * response
            weight *= np.float32(0.15) + np.float32(0.85) * straight
            weights[i, j] = weight / (np.float32(1.1) * around[i, j] + general)


@kernel("void(float32[:,::1], uint8[:,::1], float32, uint8[:,:,::1])")
def sort(weights: Floats, best: Bytes, least: np.float32, sorted_edges: Bytes) -> None:
    """Put the edges that weigh more than the least each on the plane of its direction, inside the border."""
    border = (sorted_edges.shape[1] - best.shape[0]) // 2
    levels = np.empty(best.shape[1], np.uint8)
    for i in range(best.shape[0]):
        for j in range(best.shape[1]):  # once, not for every direction
            levels[j] = np.int32(_unit((weights[i, j] / least - np.float32(1)) * np.float32(1 / 1.2)) * np.float32(255))
        for direction in range(sorted_edges.shape[0]):
            row = sorted_edges[direction, border + i, border:]
            for j in range(best.shape[1]):
                row[j] = levels[j] if best[i, j] == direction else np.uint8(0)


@kernel("void(uint8[:,:,::1], int64[:,:,::1], uint16[:,::1])")
def stroke(sorted_edges: Bytes, offsets: Offsets, ink: Words) -> None:
    """Draw the edges of each direction with strokes along it that taper off.

    Takes planes with a border of `reach` pixels; an edge of 255 with nothing around it becomes 255 (reach + 1).
    """
    directions, reach, _ = offsets.shape
    line = np.empty(ink.shape[1], np.uint16)
    ink[:] = 0
    for row in range(ink.shape[0]):
        for direction in range(directions):
            edges = sorted_edges[direction]
            line[:] = 0
            _add(line, edges[reach + row, reach:], np.uint16(reach + 1))
            for tap in range(reach):
                down, right = offsets[direction, tap]
                _add(line, edges[reach + row + down, reach + right :], np.uint16(reach - tap))
                _add(line, edges[reach + row - down, reach - right :], np.uint16(reach - tap))
            for j in range(line.size):
                ink[row, j] = min(ink[row, j], np.uint16(32000)) + min(line[j], np.uint16(32000))


@kernel("void(float32[:,::1], float32[:,::1], float32[:,::1], float32, float32[:,::1])")
def stand_out(edges: Floats, shadows: Floats, around: Floats, general: np.float32, details: Floats) -> None:
    """Write how far small dark things (eyes, letters) stand out against the shadows around them and in general."""
    for i in range(edges.shape[0]):
        for j in range(edges.shape[1]):
            dark = shadows[i, j] + np.float32(1.5) * edges[i, j]
            details[i, j] = dark / (np.float32(1.2) * around[i, j] + general)


@kernel("void(uint16[:,::1], float32, float32[:,::1], float32, float32[:,::1])")
def join(ink: Words, unit: np.float32, details: Floats, least: np.float32, contours: Floats) -> None:
    """Write the darker of the strokes and of the details that stand out more than the least, from 0 to 1."""
    for i in range(ink.shape[0]):
        for j in range(ink.shape[1]):
            detail = _soft((details[i, j] / least - np.float32(0.75)) * np.float32(1 / 1.1))
            contours[i, j] = _unit(max(np.float32(ink[i, j]) * unit, np.float32(0.75) * detail))


@kernel("void(float32[:,::1], float32[:,::1], uint8[:,::1])")
def thin_out(contours: Floats, around: Floats, thinned: Bytes) -> None:
    """Write the contours as bytes, lighter where many others are around."""
    for i in range(contours.shape[0]):
        for j in range(contours.shape[1]):
            crowd = max(around[i, j] - np.float32(0.08), np.float32(0))
            thinned[i, j] = np.int32(
                np.float32(255) * contours[i, j] / (np.float32(1) + crowd + crowd) + np.float32(0.5)
            )


@kernel("void(uint8[:,::1], uint8[:,::1], uint8[:,::1], float32, uint8[:,::1], uint8[:,::1], uint8[:,::1])")
def find_hues(  # noqa: PLR0913 (three planes in and out)
    blue: Bytes, green: Bytes, red: Bytes, saturation: np.float32, blue_hue: Bytes, green_hue: Bytes, red_hue: Bytes
) -> None:
    """Make the colors more saturated, and write their hues, lighter and purer: the pencils to draw them with."""
    for i in range(blue.shape[0]):
        for j in range(blue.shape[1]):
            b, g, r = np.float32(blue[i, j]), np.float32(green[i, j]), np.float32(red[i, j])
            luma = np.float32(0.114) * b + np.float32(0.587) * g + np.float32(0.299) * r
            b, g, r = (
                _byte(luma + saturation * (b - luma)),
                _byte(luma + saturation * (g - luma)),
                _byte(luma + saturation * (r - luma)),
            )
            lift = min(max(np.float32(204) / max(b, g, r, np.float32(1)), np.float32(1)), np.float32(1.8))
            pure = np.float32(1) + np.float32(0.4 / 255) * lift * min(b, g, r)
            blue[i, j], green[i, j], red[i, j] = np.int32(b), np.int32(g), np.int32(r)
            blue_hue[i, j] = np.int32(_byte(np.float32(255) - pure * (np.float32(255) - lift * b)))
            green_hue[i, j] = np.int32(_byte(np.float32(255) - pure * (np.float32(255) - lift * g)))
            red_hue[i, j] = np.int32(_byte(np.float32(255) - pure * (np.float32(255) - lift * r)))


@kernel("void(uint8[:,:,::1], uint8[:,::1], int64[::1], uint16[::1], float32[::1], uint8[:,::1])")
def draw_gray(sheet: Bytes, fine: Bytes, rows: Offsets, weights: Words, hand: Floats, gray: Bytes) -> None:
    """Draw rows of a graphite picture, the i-th between the sheet's row rows[i] and the next (weights of 256).

    The hand holds the tone that stays paper and the gain above it, the strength of the hatching, the tooth of the
    paper's grain and of the fine grain that the sheet is too small for, and how much color covers.
    """
    block = np.zeros(_PLACES * _BLOCK, np.uint8)
    for i in range(gray.shape[0]):
        for left in range(0, gray.shape[1], _BLOCK):
            size = min(_BLOCK, gray.shape[1] - left)
            _gather(sheet[:COLORS, :, left:], fine[i], rows[i], weights[i], size, block)
            _hatch(block, size, hand)
            gray[i, left : left + size] = block[_RESULT * _BLOCK : _RESULT * _BLOCK + size]


@kernel("void(uint8[:,:,::1], uint8[:,::1], int64[::1], uint16[::1], float32[::1], uint8[:,:,::1])")
def draw_colors(sheet: Bytes, fine: Bytes, rows: Offsets, weights: Words, hand: Floats, planes: Bytes) -> None:
    """Draw rows of a colored picture into three planes (B, G, R), as draw_gray does."""
    block = np.zeros(_PLACES * _BLOCK, np.uint8)
    for i in range(planes.shape[1]):
        for left in range(0, planes.shape[2], _BLOCK):
            size = min(_BLOCK, planes.shape[2] - left)
            _gather(sheet[:, :, left:], fine[i], rows[i], weights[i], size, block)
            _hatch_in_color(block, size, hand)
            for channel in range(3):
                start = (_RESULT + channel) * _BLOCK
                planes[channel, i, left : left + size] = block[start : start + size]


@njit(nogil=True)
def _gather(sheet: Bytes, fine: Bytes, row: np.int64, weight: np.uint16, size: int, block: Bytes) -> None:
    """Bring the start of a row of each plane into the block, between this row of the sheet and the next."""
    below = min(row + 1, sheet.shape[1] - 1)
    for plane in range(sheet.shape[0]):
        first, second = sheet[plane, row], sheet[plane, below]
        place = block[plane * _BLOCK :]
        for j in range(size):
            place[j] = np.uint8((first[j] * np.uint16(256 - weight) + second[j] * weight + np.uint16(128)) >> 8)
    block[_FINE * _BLOCK : _FINE * _BLOCK + size] = fine[:size]


@njit(nogil=True)
def _hatch(block: Bytes, size: int, hand: Floats) -> None:
    paper, gain, strength, tooth, fine_tooth = hand[PAPER], hand[GAIN], hand[TONE], hand[TOOTH], hand[FINE_TOOTH]
    for j in range(size):
        tone = _unit((_read(block, TONES, j) - paper) * gain)
        speck = _speck(block, j, tooth, fine_tooth)
        light = np.float32(1) - np.float32(0.36) * strength * _first(block, j, tone, speck)
        light *= np.float32(1) - np.float32(0.42) * strength * _second(block, j, tone, speck, np.float32(0.33))
        light *= np.float32(1) - np.float32(0.45) * strength * _third(block, j, tone, speck, np.float32(0.60))
        light *= np.float32(1) - np.float32(0.78) * _line(block, j, speck)
        block[_RESULT * _BLOCK + j] = np.int32(np.float32(255) * max(light, np.float32(0.165)) + np.float32(0.5))


@njit(nogil=True)
def _hatch_in_color(block: Bytes, size: int, hand: Floats) -> None:
    paper, gain, strength, tooth, fine_tooth = hand[PAPER], hand[GAIN], hand[TONE], hand[TOOTH], hand[FINE_TOOTH]
    cover = hand[COVER]
    for j in range(size):
        dark = _read(block, TONES, j)
        tone = _unit((dark - paper) * gain)
        blue, green, red = _read(block, COLORS, j), _read(block, COLORS + 1, j), _read(block, COLORS + 2, j)
        chroma = max(blue, green, red) - min(blue, green, red)
        colored = min(chroma * np.float32(3.2), np.float32(1))
        covered = min(chroma * np.float32(2.2), np.float32(1)) * (np.float32(0.42) + np.float32(0.36) * dark) * cover
        coat = min(max(tone * (np.float32(0.95) - np.float32(0.25) * colored), covered), np.float32(0.9))
        speck = _speck(block, j, tooth, fine_tooth)
        first = min(np.float32(0.92) * strength, np.float32(1)) * _first(block, j, coat, speck)
        second = np.float32(0.60) * strength * _second(block, j, coat, speck, np.float32(0.33))
        shadow = min(np.float32(0.70) * strength, np.float32(1)) * _second(block, j, tone, speck, np.float32(0.42))
        deep = np.float32(0.60) * strength * _third(block, j, tone, speck, np.float32(0.65))
        line = np.float32(0.85) * _line(block, j, speck)
        _lay(block, j, 0, blue, colored, first, second, shadow, deep, line)
        _lay(block, j, 1, green, colored, first, second, shadow, deep, line)
        _lay(block, j, 2, red, colored, first, second, shadow, deep, line)


@njit(nogil=True)
def _lay(  # noqa: PLR0913 (one pixel's coats)
    block: Bytes,
    j: int,
    channel: int,
    own: np.float32,
    colored: np.float32,
    first: np.float32,
    second: np.float32,
    shadow: np.float32,
    deep: np.float32,
    line: np.float32,
) -> None:
    """Lay a channel's coats: the hue (gray where there is no color), the hue again, two of the own color, the line."""
    one = np.float32(1)
    hue = _read(block, HUES + channel, j)
    light = one - first * (one - hue * colored - (np.float32(0.30) + np.float32(0.45) * own) * (one - colored))
    light *= one - second * np.float32(0.65) * (one - hue)
    light *= one - shadow * (np.float32(0.78) - np.float32(0.30) * own - np.float32(0.45) * hue)
    light *= one - deep * (np.float32(0.70) - np.float32(0.40) * own - np.float32(0.20) * hue)
    light *= one - line * (np.float32(0.88) - np.float32(0.50) * own)
    # crayons never get as dark as 40
    block[(_RESULT + channel) * _BLOCK + j] = np.int32(np.float32(41.5) + np.float32(214) * light)


@njit(nogil=True)
def _speck(block: Bytes, j: int, tooth: np.float32, fine_tooth: np.float32) -> np.float32:
    half = np.float32(0.5)
    return (_read(block, GRAIN, j) - half) * tooth + (_read(block, _FINE, j) - half) * fine_tooth


@njit(nogil=True)
def _first(block: Bytes, j: int, tone: np.float32, speck: np.float32) -> np.float32:
    noise = max(_read(block, HATCHING, j) + speck, np.float32(0))  # no mark without a tone
    return _soft((tone * np.float32(1.5) - noise * np.float32(0.85)) * np.float32(1 / 0.7))


@njit(nogil=True)
def _second(block: Bytes, j: int, tone: np.float32, speck: np.float32, start: np.float32) -> np.float32:
    noise = _read(block, HATCHING + 1, j) + speck
    return _soft((tone * np.float32(1.2) - start - noise * np.float32(0.5)) * np.float32(1 / 0.55))


@njit(nogil=True)
def _third(block: Bytes, j: int, tone: np.float32, speck: np.float32, start: np.float32) -> np.float32:
    noise = _read(block, HATCHING + 2, j) + speck
    return _soft((tone * np.float32(1.1) - start - noise * np.float32(0.4)) * np.float32(1 / 0.5))


@njit(nogil=True)
def _line(block: Bytes, j: int, speck: np.float32) -> np.float32:
    return _soft(_read(block, CONTOURS, j) * (np.float32(1.2) + np.float32(2.4) * speck) - np.float32(0.03))


@njit(nogil=True)
def _read(block: Bytes, place: int, j: int) -> np.float32:
    return np.float32(block[place * _BLOCK + j]) * np.float32(1 / 255)


@njit(nogil=True)
def _soft(value: np.float32) -> np.float32:
    x = _unit(value)
    return x * x * (np.float32(3) - x - x)


@njit(nogil=True)
def _unit(value: np.float32) -> np.float32:
    return min(max(value, np.float32(0)), np.float32(1))


@njit(nogil=True)
def _byte(value: np.float32) -> np.float32:
    return min(max(value, np.float32(0)), np.float32(255))
