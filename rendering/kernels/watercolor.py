"""Watercolor's inner loops: smoothed colors, darkened where they change, as cv2.stylization, and right at every size.

The smoothing takes nearly all of the time; the gradient is one pass over the picture, fused with painting it.
"""

import itertools
import math

import numpy as np
from numba import njit
from numpy.typing import NDArray

from rendering.kernels import domain_transform, paper, washes
from rendering.kernels.compilation import kernel, make_ready

Lanes = NDArray[np.uint16]
Field = NDArray[np.float32]

_STRIP_PIXELS = 1 << 24  # of the canvas are worked on at a time: the strip takes 8 bytes a pixel


def compile_kernels() -> None:
    """Make the compiled functions ready: from the cache folder, or in about ten seconds."""
    domain_transform.compile_kernels()
    washes.compile_kernels()
    paper.prepare()
    make_ready(__name__)


def stylize(canvas: NDArray[np.uint8], *, sigma_s: float, sigma_r: float, outline: float = 1) -> NDArray[np.uint8]:
    """Return the canvas smoothed and multiplied by 1 - outline times the sum of its channels' Sobel magnitudes.

    Takes a contiguous canvas of shape (height, width, 3), BGR, and sigmas as domain_transform.smooth. With an outline
    of 1 this is cv2.stylization, within one level; but that is wrong above 5.59 MP, where it loses count of pixels in
    32-bit floats. Works in strips, which come out as in the whole.
    """
    height, width = canvas.shape[:2]
    painted = np.empty_like(canvas)
    strips = math.ceil(height * width / _STRIP_PIXELS)
    for top, bottom in _strips(height, strips):
        around = range(max(top - 1, 0), min(bottom + 1, height))
        smooth = domain_transform.smooth(canvas, around, sigma_s=sigma_s, sigma_r=sigma_r)
        _draw_lines(domain_transform.lanes(smooth), top - around.start, np.float32(outline), painted[top:bottom])
    return painted


def _strips(height: int, count: int) -> list[tuple[int, int]]:
    """Return the first and last row (not included) of strips of about the same height, and of some rows each."""
    count = max(min(count, height // 64), 1)
    return list(itertools.pairwise(height * number // count for number in range(count + 1)))


@kernel("void(uint16[:, :, ::1], int64, float32, uint8[:, :, ::1])")
def _draw_lines(lanes: Lanes, first: int, outline: np.float32, painted: NDArray[np.uint8]) -> None:
    """Paint rows from the first on; the lanes hold one more row on each side, but at the borders of the picture."""
    row_size = 4 * painted.shape[1]
    down, across = np.zeros(row_size + 8, np.float32), np.zeros(row_size + 8, np.float32)
    gradient = np.zeros(row_size, np.float32)
    last = lanes.shape[0] - 1
    for y in range(painted.shape[0]):
        row = lanes[first + y].ravel()[:row_size]
        above = lanes[_reflected(first + y - 1, last)].ravel()
        below = lanes[_reflected(first + y + 1, last)].ravel()
        if outline > 0:  # else the gradient stays nothing
            _sum_rows(above, row, below, across, down)
            _measure_gradient(across, down, gradient)
        _darken(row, gradient, outline / np.float32(256 * 255), painted[y].ravel())


@njit(nogil=True)
def _reflected(index: int, last: int) -> int:
    """Return the index, turned back at the borders without repeating the border (cv2.BORDER_REFLECT_101)."""
    return max(last - abs(last - abs(index)), 0)


@njit(nogil=True)
def _sum_rows(above: Lanes, row: Lanes, below: Lanes, across: Field, down: Field) -> None:
    """Add up three rows for the Sobel filters, with one pixel more on each side."""
    size = row.size
    for i in range(size):
        across[i + 4] = np.float32(np.int32(above[i]) + 2 * np.int32(row[i]) + np.int32(below[i]))
        down[i + 4] = np.float32(np.int32(below[i]) - np.int32(above[i]))
    inner = 4 if size > 4 else 0
    for lane in range(4):
        for sums in (across, down):
            sums[lane] = sums[4 + inner + lane]
            sums[size + 4 + lane] = sums[size - inner + lane]


@njit(nogil=True)
def _measure_gradient(across: Field, down: Field, gradient: Field) -> None:
    for i in range(gradient.size):
        x = across[i + 8] - across[i]
        y = down[i] + np.float32(2) * down[i + 4] + down[i + 8]
        gradient[i] = np.sqrt(x * x + y * y)


@njit(nogil=True)
def _darken(row: Lanes, gradient: Field, outline: np.float32, painted: NDArray[np.uint8]) -> None:
    for x in range(row.size // 4):
        total = gradient[4 * x] + gradient[4 * x + 1] + gradient[4 * x + 2]
        light = max(np.float32(1) - outline * total, np.float32(0)) * np.float32(1 / 256)
        for lane in range(3):
            painted[3 * x + lane] = np.uint8(np.int32(np.float32(row[4 * x + lane]) * light + np.float32(0.5)))
