"""The pencil's inner loops: how far each pixel reaches along its row and column before the picture changes.

The idea is the domain transform of E. Gastal and M. Oliveira (Domain Transform for Edge-Aware Image and Video
Processing, 2011) as cv2.pencilSketch uses it: a pixel's tone is the number of pixels of its row, plus that of its
column, that lie within a radius when steps of color count as distance. White is reached after a few neighbors, so
nothing is searched: each neighbor is one saturating addition and one comparison, 32 or 64 pixels at a time.
"""

import math

import cv2
import numpy as np
from numba import njit
from numpy.typing import NDArray

from rendering.kernels.compilation import kernel, make_ready

Plane = NDArray[np.uint8]
"""A contiguous array of shape (height, width), values 0 to 255."""

_STRIP = 64  # rows at a time: the strip, its planes and its steps stay in the second-level cache
_WALL = 255  # a step that no bound lets pass: the border of the picture
_WHITE = 1 + 0.886  # the tone, in units of paper white, from which even the bluest pixel's blue is saturated


def compile_kernels() -> None:
    """Make the compiled functions ready: from the cache folder, or in about five seconds."""
    make_ready(__name__)


def neighbors(canvas: NDArray[np.uint8], *, sigma_s: float, sigma_r: float, shade_factor: float) -> Plane:
    """Count the pixels of each pixel's row and of its column within cv2.pencilSketch's radius, itself in both.

    Takes a canvas of shape (height, width, 3), BGR; sigma_s from 1 to 200 (pixels), sigma_r from 0.01 to 0.6 and
    shade_factor from 0.02 to 1, as cv2.pencilSketch. Each of the two counts stops where the color pencil is white.
    """
    height, width = canvas.shape[:2]
    most = math.ceil(_WHITE / shade_factor)
    bounds = _bounds(sigma_s, sigma_r, most)
    counts = np.empty((height, width), np.uint8)
    for top in range(0, height, _STRIP):
        bottom = min(top + _STRIP, height)
        first = max(top - bounds.size, 0)
        blue, green, red = _split(canvas[first : bottom + bounds.size])
        _count(blue, green, red, top - first, bounds, np.uint8(most), counts[top:bottom])
    _forget_first(canvas, counts, sigma_s=sigma_s, sigma_r=sigma_r, most=most)
    _forget_first(canvas.swapaxes(0, 1), counts.T, sigma_s=sigma_s, sigma_r=sigma_r, most=most)
    return counts


def gray(counts: Plane, *, shade_factor: float) -> NDArray[np.uint8]:
    """Return the gray picture, shape (height, width, 3), equal to cv2.pencilSketch's first result in every channel."""
    painted = np.empty((*counts.shape, 3), np.uint8)
    for top in range(0, counts.shape[0], _STRIP):
        strip = counts[top : top + _STRIP]
        tones = np.empty_like(strip)
        _shade(strip, np.float32(shade_factor), tones)
        cv2.merge([tones, tones, tones], painted[top : top + _STRIP])
    return painted


def color(canvas: NDArray[np.uint8], counts: Plane, *, shade_factor: float) -> NDArray[np.uint8]:
    """Return the canvas's colors at the tones of the gray picture: as cv2.pencilSketch, within one level."""
    painted = np.empty_like(canvas)
    for top in range(0, counts.shape[0], _STRIP):
        blue, green, red = _split(canvas[top : top + _STRIP])
        _tint(blue, green, red, counts[top : top + _STRIP], np.float32(shade_factor * 255))
        cv2.merge([blue, green, red], painted[top : top + _STRIP])
    return painted


def _bounds(sigma_s: float, sigma_r: float, most: int) -> Plane:
    """For each neighbor k = 1, 2, ...: it counts if the sum of the steps to it is less than this."""
    radius = _radius(sigma_s)
    bounds = [max(0, math.floor((radius - k) * 255 * sigma_r / sigma_s) + 1) for k in range(1, min(most, 255))]
    padding = [0] * (-len(bounds) % 6)  # six at a time; nothing is less than 0
    return np.array(bounds + padding, np.uint8)


def _split(strip: NDArray[np.uint8]) -> Plane:
    planes = np.empty((3, *strip.shape[:2]), np.uint8)
    cv2.split(strip, list(planes))
    return planes


def _radius(sigma_s: float) -> float:
    return sigma_s * 12 / math.sqrt(63)  # sqrt(3) times sigma_h of the first of three iterations


def _forget_first(canvas: NDArray[np.uint8], counts: Plane, *, sigma_s: float, sigma_r: float, most: int) -> None:
    """Take back the row's count of each row's first pixel if the whole row is within its radius, as OpenCV does.

    Its search for the end of the window gives up there; only pictures narrower than the radius can show it.
    """
    width = canvas.shape[1]
    left = math.floor((_radius(sigma_s) - width + 1) * 255 * sigma_r / sigma_s)
    if left >= 0:
        steps = np.abs(np.diff(canvas.astype(np.int16), axis=1)).sum(axis=(1, 2))
        counts[steps <= left, 0] -= min(width, most)


@kernel("void(uint8[:,::1], uint8[:,::1], uint8[:,::1], int64, uint8[::1], uint8, uint8[:,::1])")
def _count(  # noqa: PLR0913 (three planes; Numba is slower with lists of arrays)
    blue: Plane, green: Plane, red: Plane, top: int, bounds: Plane, most: np.uint8, counts: Plane
) -> None:
    """Count for the planes' rows from top on, with as many neighbors above and below as the planes have."""
    height, width = counts.shape
    most_steps = bounds.size
    down = np.full((height + 2 * most_steps, width), np.uint8(_WALL), np.uint8)
    for row in range(max(0, most_steps - top), min(down.shape[0], blue.shape[0] - 1 + most_steps - top)):
        y = row - most_steps + top
        _measure(blue[y], green[y], red[y], blue[y + 1], green[y + 1], red[y + 1], down[row])
    down_flat = down.ravel()
    across = np.full(width + 2 * most_steps, np.uint8(_WALL), np.uint8)
    sums, found = np.empty(width, np.uint8), np.empty(width, np.uint8)
    counts[:] = 0
    for row in range(height):
        b, g, r = blue[top + row], green[top + row], red[top + row]
        _measure(b[:-1], g[:-1], r[:-1], b[1:], g[1:], r[1:], across[most_steps : most_steps + width - 1])
        found[:] = 1
        _walk(across, most_steps, 1, bounds, sums, found)
        _walk(across, most_steps - 1, -1, bounds, sums, found)
        _keep(found, most, counts[row])
        found[:] = 1
        _walk(down_flat, (most_steps + row) * width, width, bounds, sums, found)
        _walk(down_flat, (most_steps + row - 1) * width, -width, bounds, sums, found)
        _keep(found, most, counts[row])


@njit(nogil=True)
def _measure(  # noqa: PLR0913 (two pixels of three channels)
    b: Plane, g: Plane, r: Plane, other_b: Plane, other_g: Plane, other_r: Plane, steps: Plane
) -> None:
    """Write the steps between the pixels and the other ones: the sum of the channels' differences, at most 255."""
    for j in range(steps.size):
        blue = np.uint8(max(b[j], other_b[j]) - min(b[j], other_b[j]))
        green = np.uint8(max(g[j], other_g[j]) - min(g[j], other_g[j]))
        red = np.uint8(max(r[j], other_r[j]) - min(r[j], other_r[j]))
        steps[j] = _add(_add(blue, green), red)


@njit(nogil=True)
def _walk(steps: Plane, start: int, stride: int, bounds: Plane, sums: Plane, found: Plane) -> None:
    """Add to `found` the neighbors in one direction: the k-th if the sum of the steps to it is below its bound."""
    sums[:] = 0
    for k in range(0, bounds.size, 6):  # six in registers at a time (12 MP: 26 ms by fours, 21 by sixes)
        bound_0, bound_1, bound_2 = bounds[k], bounds[k + 1], bounds[k + 2]
        bound_3, bound_4, bound_5 = bounds[k + 3], bounds[k + 4], bounds[k + 5]
        steps_0, steps_1, steps_2 = steps[start:], steps[start + stride :], steps[start + 2 * stride :]
        steps_3, steps_4 = steps[start + 3 * stride :], steps[start + 4 * stride :]
        steps_5 = steps[start + 5 * stride :]
        for j in range(found.size):
            total_0 = _add(sums[j], steps_0[j])
            total_1 = _add(total_0, steps_1[j])
            total_2 = _add(total_1, steps_2[j])
            total_3 = _add(total_2, steps_3[j])
            total_4 = _add(total_3, steps_4[j])
            total_5 = _add(total_4, steps_5[j])
            count = np.uint8(found[j] + (total_0 < bound_0))
            count = np.uint8(count + (total_1 < bound_1))
            count = np.uint8(count + (total_2 < bound_2))
            count = np.uint8(count + (total_3 < bound_3))
            count = np.uint8(count + (total_4 < bound_4))
            found[j] = np.uint8(count + (total_5 < bound_5))
            sums[j] = total_5
        start += 6 * stride


@njit(nogil=True)
def _keep(found: Plane, most: np.uint8, counts: Plane) -> None:
    for j in range(counts.size):
        counts[j] = np.uint8(counts[j] + min(found[j], most))


@njit(nogil=True)
def _add(a: np.uint8, b: np.uint8) -> np.uint8:
    """Add, at most 255; LLVM knows this form as one instruction."""
    total = np.uint8(a + b)
    return np.uint8(255) if total < b else total


@kernel("void(uint8[:,::1], float32, uint8[:,::1])")
def _shade(counts: Plane, shade_factor: np.float32, tones: Plane) -> None:
    """Write the gray level of each count, rounded as OpenCV rounds."""
    for i in range(counts.shape[0]):
        for j in range(counts.shape[1]):
            tone = np.float32(shade_factor * np.float32(counts[i, j])) * np.float32(255)
            tones[i, j] = np.int32(min(np.rint(tone), np.float32(255)))


@kernel("void(uint8[:,::1], uint8[:,::1], uint8[:,::1], uint8[:,::1], float32)")
def _tint(blue: Plane, green: Plane, red: Plane, counts: Plane, shade: np.float32) -> None:
    """Replace the luma of the planes by the tones; OpenCV's way to YCrCb and back in one matrix."""
    for i in range(counts.shape[0]):
        for j in range(counts.shape[1]):
            b, g, r = np.float32(blue[i, j]), np.float32(green[i, j]), np.float32(red[i, j])
            luma = np.float32(0.114) * b + np.float32(0.587) * g + np.float32(0.299) * r
            tone = shade * np.float32(counts[i, j])
            more_blue, more_red = b - luma, r - luma
            blue[i, j] = _level(tone + np.float32(1.773 * 0.564) * more_blue)
            green[i, j] = _level(tone - np.float32(0.344 * 0.564) * more_blue - np.float32(0.714 * 0.713) * more_red)
            red[i, j] = _level(tone + np.float32(1.403 * 0.713) * more_red)


@njit(nogil=True)
def _level(value: np.float32) -> np.uint8:
    return np.uint8(np.int32(min(max(np.rint(value), np.float32(0)), np.float32(255))))
