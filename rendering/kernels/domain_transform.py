"""Smoothing that keeps edges: the domain transform's normalized convolution (Gastal and Oliveira 2011) in fixed point.

Along a row or a column a step is as long as 1 + sigma_s / sigma_r times the difference of the two colors, and a pixel
becomes the mean of all pixels within a radius in that metric. Rows and columns take turns, three times, with radii that
halve.

What makes it fast, and what it gained (CPU time of one core for a pixel and pass, on photos of 0.7 and 12 MP):

- Sums are integers. Prefix sums may run over, because their differences stay exact; nothing is rescaled, and a strip of
  a picture comes out the same as in the whole.
- Colors are kept in 16 bits, 8 of them fractions, beside the pixel's two differences in the fourth lane: a pass reads
  and writes 8 bytes a pixel, and no picture is transposed (columns at 12 MP: 11 to 6.6 ns).
- Both ends of all windows of a line come from one merge of the line with itself, without a branch that could be
  mispredicted (3.6 to 2.6 ns), and eight lines take turns in it, because each step waits nine cycles for the one before
  (2.6 to 1.6 ns).
"""

import math
from collections.abc import Callable
from typing import Any, TypeAlias, cast

import numpy as np
from llvmlite import ir
from numba import njit, types
from numba.extending import intrinsic
from numpy.typing import NDArray

from rendering.kernels.compilation import kernel, make_ready, read_only

Packed: TypeAlias = NDArray[np.uint64]
"""A picture of shape (height, width): B, G and R in 256ths of a level, then the differences to the left and above.

Rows begin at cache lines, as blocks of columns do then (columns at 12 MP: 5.9 to 4.4 ns); zeros fill them up.
"""

Bytes: TypeAlias = NDArray[np.uint8]
Counts: TypeAlias = NDArray[np.uint32]
Weights: TypeAlias = NDArray[np.float32]
Ends: TypeAlias = tuple[Counts, Counts, Counts]
"""Of the pixels of a block of lines: the distance from the start, the window's first pixel, and the one after it."""

Emitted: TypeAlias = tuple[Any, Callable[..., ir.Value]]
"""A Numba signature (Numba has no types), and the function that emits the code."""

LARGEST_SIGMA = 10_000  # pixels; beyond it the sum of a window would run over
_ROUNDS = 3
_UNIT = 1 << 16  # of distance along a line
_PAGE = 1024  # entries of four bytes
_LINES = np.uint64(8)  # lines of a block; the merge spells the eight out
_TO_LEFT, _TO_ABOVE = np.uint64(48), np.uint64(56)  # bits before the differences of a packed pixel
_COLORS = np.uint64((1 << 48) - 1)
_BYTE = np.uint64(255)
_MOST = np.int32(255)  # of what a byte holds
_ZERO, _ONE = np.uint64(0), np.uint64(1)

_WORD = ir.IntType(64)
_COUNTS = ir.VectorType(ir.IntType(32), 4)
_FLOATS = ir.VectorType(ir.FloatType(), 4)
_SHORTS = ir.VectorType(ir.IntType(16), 4)


def compile_kernels() -> None:
    """Make the compiled functions ready: from the cache folder, or in a few seconds."""
    make_ready(__name__)


def smooth(canvas: Bytes, rows: range, *, sigma_s: float, sigma_r: float) -> Packed:
    """Return these rows of the smoothed canvas, as cv2.edgePreservingFilter(flags=cv2.NORMCONV_FILTER) smooths it.

    The rows are longer than the canvas is wide, by up to seven pixels.

    Takes a contiguous canvas of shape (height, width, 3), BGR, and keeps it; sigma_s in pixels, up to LARGEST_SIGMA;
    sigma_r from 0.001 to 1, which is the difference of black and white in one channel. Raises ValueError for others.
    """
    reaches = _reaches(sigma_s, sigma_r)
    margin = sum(math.floor(reach) for reach in reaches)
    taken = _widened(rows, margin, canvas.shape[0])
    knee, steps = _steps(reaches[0], sigma_s / sigma_r / 255)
    packed = _room(len(taken), canvas.shape[1])
    _pack(read_only(canvas), taken.start, np.int32(knee), packed)
    weights = _weights(reaches[0])
    for reach in reaches:
        _smooth_rows(packed, canvas.shape[1], steps, np.uint32(_UNIT * reach), weights)
        _smooth_columns(packed, steps, np.uint32(_UNIT * reach), weights)
        margin -= math.floor(reach)
        left = _widened(rows, margin, canvas.shape[0])
        packed, taken = packed[left.start - taken.start : left.stop - taken.start], left
    return packed


def lanes(packed: Packed) -> NDArray[np.uint16]:
    """Return a view of shape (height, width, 4): B, G and R in 256ths of a level, and what belongs to the smoothing."""
    return packed.view(np.uint16).reshape(*packed.shape, 4)


def _reaches(sigma_s: float, sigma_r: float) -> list[float]:
    """Return the radius of every round in pixels (the paper's section 5.2: boxes of which the variances add up)."""
    if not (0 < sigma_s <= LARGEST_SIGMA and 0.001 <= sigma_r <= 1):
        message = f"sigma_s goes from over 0 to {LARGEST_SIGMA}, sigma_r from 0.001 to 1: not {sigma_s:g}, {sigma_r:g}"
        raise ValueError(message)
    last = 3 * sigma_s / math.sqrt(4**_ROUNDS - 1)
    return [last * 2**rounds_left for rounds_left in reversed(range(_ROUNDS))]


def _widened(rows: range, margin: int, height: int) -> range:
    return range(max(rows.start - margin, 0), min(rows.stop + margin, height))


def _steps(reach: float, ratio: float) -> tuple[int, Counts]:
    """Return the knee of a difference's byte, min(difference, knee + difference / 2, 255), and the step of each byte.

    Steps over the first reach, which is the longest, end a window in every round, however long they are: with a sigma_r
    up to 0.66 no difference that matters is halved, and up to 1 only those from 128 on.
    """
    exact = (reach - 1) / ratio < _MOST
    codes = np.arange(256)
    differences = codes if exact else np.maximum(codes, 2 * codes - 127.5)
    too_long = math.floor(_UNIT * reach) + 1
    steps = np.minimum(np.rint(_UNIT * (1 + ratio * differences)), too_long).astype(np.uint32)
    steps[_MOST] = too_long
    return 255 if exact else 64, steps


def _weights(reach: float) -> Weights:
    """Return what each pixel counts in a window of 0, 1, 2, ... pixels."""
    sizes = np.arange(2 * math.floor(reach) + 2, dtype=np.float32)
    return np.divide(1, sizes, out=np.zeros_like(sizes), where=sizes > 0)


def _room(height: int, width: int) -> Packed:
    """Return an unfilled picture of which every row begins at a cache line of 64 bytes."""
    width = -(-width // 8) * 8
    room = np.empty(height * width + 8, np.uint64)
    start = -(room.ctypes.data // 8) % 8
    return room[start : start + height * width].reshape(height, width)


@kernel("void(Array(uint8, 3, 'C', True), int64, int32, uint64[:, ::1])")
def _pack(canvas: Bytes, top: int, knee: np.int32, packed: Packed) -> None:
    for y in range(packed.shape[0]):
        row, above = canvas[top + y].ravel(), canvas[max(top + y - 1, 0)].ravel()
        _pack_pixels(row[:3], row[:3], above[:3], knee, packed[y, :1])
        _pack_pixels(row[3:], row[:-3], above[3:], knee, packed[y, 1 : canvas.shape[1]])
        packed[y, canvas.shape[1] :] = 0


@njit(nogil=True)
def _pack_pixels(row: Bytes, left: Bytes, above: Bytes, knee: np.int32, packed: Packed) -> None:
    for x in range(packed.size):
        to_left, to_above = _difference(row, left, 3 * x), _difference(row, above, 3 * x)
        to_left = min(to_left, knee + (to_left >> 1), _MOST)
        to_above = min(to_above, knee + (to_above >> 1), _MOST)
        blue, green, red = np.uint64(row[3 * x]), np.uint64(row[3 * x + 1]), np.uint64(row[3 * x + 2])
        colors = (blue << np.uint64(8)) | (green << np.uint64(24)) | (red << np.uint64(40))
        packed[x] = colors | (np.uint64(to_left) << _TO_LEFT) | (np.uint64(to_above) << _TO_ABOVE)


@njit(nogil=True)
def _difference(one: Bytes, other: Bytes, i: int) -> np.int32:
    blue = abs(np.int32(one[i]) - np.int32(other[i]))
    green = abs(np.int32(one[i + 1]) - np.int32(other[i + 1]))
    return blue + green + abs(np.int32(one[i + 2]) - np.int32(other[i + 2]))


@kernel("void(uint64[:, ::1], int64, uint32[::1], uint32, float32[::1])")
def _smooth_rows(packed: Packed, width: int, steps: Counts, reach: np.uint32, weights: Weights) -> None:
    scratch = _scratch(width)
    whole = packed.shape[0] // 8 * 8
    for y in range(0, whole, 8):
        _smooth_block(packed[y : y + 8].T[:width], _TO_LEFT, steps, reach, weights, scratch)
    if whole < packed.shape[0]:
        last = np.zeros((8, packed.shape[1]), np.uint64)
        last[: packed.shape[0] - whole] = packed[whole:]
        _smooth_block(last.T[:width], _TO_LEFT, steps, reach, weights, scratch)
        packed[whole:] = last[: packed.shape[0] - whole]


@kernel("void(uint64[:, ::1], uint32[::1], uint32, float32[::1])")
def _smooth_columns(packed: Packed, steps: Counts, reach: np.uint32, weights: Weights) -> None:
    scratch = _scratch(packed.shape[0])
    for x in range(0, packed.shape[1], 8):
        _smooth_block(packed[:, x : x + 8], _TO_ABOVE, steps, reach, weights, scratch)


@njit(nogil=True)
def _scratch(length: int) -> tuple[Counts, Ends]:
    """Return room for the sums and the ends of a block of eight lines.

    The merge stores and loads at two places of three arrays. Where such places are the same within a page of memory,
    processors take one for the other and wait (1.6 to 3 ns), so the arrays start at different places of a page.
    """
    entries = 8 * (length + 1)
    pages = (entries // _PAGE + 2) * _PAGE
    ends = np.empty(3 * pages, np.uint32)
    distances, firsts, lasts = ends[:entries], ends[pages + 150 :][:entries], ends[2 * pages + 875 :][:entries]
    return np.zeros(4 * entries, np.uint32), (distances, firsts, lasts)


@njit(nogil=True)
def _smooth_block(
    lines: Packed, lane: np.uint64, steps: Counts, reach: np.uint32, weights: Weights, scratch: tuple[Counts, Ends]
) -> None:
    """Smooth eight lines, an array of shape (length, 8)."""
    sums, ends = scratch
    _, firsts, lasts = ends
    _sum_up(lines, lane, steps, reach, sums, ends)
    _find_ends(np.uint64(lines.shape[0]), reach, ends)
    for i in range(np.uint64(lines.shape[0])):
        for line in range(_LINES):
            at = i * _LINES + line
            first = np.uint64(np.uint32(firsts[at] + np.uint32(line + line)))
            last = np.uint64(lasts[at])
            mean = _mean(sums, first, last, weights[(last - first) // _LINES])
            lines[i, line] = (mean & _COLORS) | (lines[i, line] & ~_COLORS)


@njit(nogil=True)
def _sum_up(lines: Packed, lane: np.uint64, steps: Counts, reach: np.uint32, sums: Counts, ends: Ends) -> None:
    """Fill in the sum of the colors before each pixel, and each pixel's distance from the first one."""
    length, distances = np.uint64(lines.shape[0]), ends[0]
    for line in range(_LINES):
        distances[line] = np.uint32(0)
        _add(sums, np.uint64(line), lines[_ZERO, line])
    for i in range(_ONE, length):
        for line in range(_LINES):
            at = i * _LINES + line
            step = steps[(lines[i, line] >> lane) & _BYTE]
            distances[at] = np.uint32(distances[at - _LINES] + step)
            _add(sums, at, lines[i, line])
    for line in range(_LINES):
        at = length * _LINES + line
        distances[at] = np.uint32(distances[at - _LINES] + reach + np.uint32(1))


@njit(nogil=True)
def _find_ends(length: np.uint64, reach: np.uint32, ends: Ends) -> None:
    """Merge every line with itself: of two places, the one ahead moves on while within reach, else the one behind.

    The pixel that the place ahead leaves has found the first pixel of its window; the pixel that the place behind
    leaves, the end of its window. Both are stored at every step, and the last store is the right one, so that no branch
    hangs on what cannot be predicted. The two places of a line add up to the same in all lines, `both`, but for twice
    the line's number; by that much the stored first pixels are too low.
    """
    k0, k1, k2, k3 = np.uint64(0), np.uint64(1), np.uint64(2), np.uint64(3)
    k4, k5, k6, k7 = np.uint64(4), np.uint64(5), np.uint64(6), np.uint64(7)
    both = _ZERO
    for _ in range(length + length):
        both = _opaque(both)
        k0 = _advance(both, k0, np.uint64(0), reach, ends)
        k1 = _advance(both, k1, np.uint64(2), reach, ends)
        k2 = _advance(both, k2, np.uint64(4), reach, ends)
        k3 = _advance(both, k3, np.uint64(6), reach, ends)
        k4 = _advance(both, k4, np.uint64(8), reach, ends)
        k5 = _advance(both, k5, np.uint64(10), reach, ends)
        k6 = _advance(both, k6, np.uint64(12), reach, ends)
        k7 = _advance(both, k7, np.uint64(14), reach, ends)
        both += _LINES


@njit(nogil=True)
def _advance(both: np.uint64, ahead: np.uint64, offset: np.uint64, reach: np.uint32, ends: Ends) -> np.uint64:
    distances, firsts, lasts = ends
    behind = both - ahead
    lasts[behind + offset] = ahead
    firsts[ahead] = behind
    within = np.uint32(distances[ahead] - distances[behind + offset]) <= reach
    return ahead + np.uint64(within) * _LINES


def _emit_opaque(_typing: object, number: types.Type) -> Emitted:
    """Return the number, without telling the compiler, which would keep six pointers a line in memory for it."""

    def emit(_context: Any, builder: ir.IRBuilder, _signature: object, arguments: list[ir.Value]) -> ir.Value:
        return builder.asm(ir.FunctionType(_WORD, [_WORD]), "", "=r,0", arguments, False)

    return number(number), emit


def _emit_add(_typing: object, sums: types.Type, at: types.Type, pixel: types.Type) -> Emitted:
    """Store the sum at this place plus the pixel's four lanes eight places on."""

    def emit(context: Any, builder: ir.IRBuilder, signature: Any, arguments: list[ir.Value]) -> ir.Value:
        here = builder.gep(_pointer(context, builder, signature, arguments), [arguments[1]])
        there = builder.gep(here, [ir.Constant(_WORD, 8)])
        pixel = builder.zext(builder.bitcast(arguments[2], _SHORTS), _COUNTS)
        builder.store(builder.add(builder.load(here, align=4), pixel), there, align=4)
        return context.get_dummy_value()

    return types.void(sums, at, pixel), emit


def _emit_mean(_typing: object, sums: types.Type, first: types.Type, last: types.Type, weight: types.Type) -> Emitted:
    """Return the difference of two sums, times the weight, rounded, as four lanes of 16 bits."""

    def emit(context: Any, builder: ir.IRBuilder, signature: Any, arguments: list[ir.Value]) -> ir.Value:
        start = _pointer(context, builder, signature, arguments)
        before, after = (builder.load(builder.gep(start, [place]), align=4) for place in arguments[1:3])
        total = builder.sitofp(builder.sub(after, before), _FLOATS)
        one = builder.insert_element(ir.Constant(_FLOATS, ir.Undefined), arguments[3], ir.Constant(ir.IntType(32), 0))
        weights = builder.shuffle_vector(one, one, ir.Constant(_COUNTS, [0, 0, 0, 0]))
        mean = builder.fadd(builder.fmul(total, weights), ir.Constant(_FLOATS, [0.5] * 4))
        return builder.bitcast(builder.trunc(builder.fptosi(mean, _COUNTS), _SHORTS), _WORD)

    return types.uint64(sums, first, last, weight), emit


def _pointer(context: Any, builder: ir.IRBuilder, signature: Any, arguments: list[ir.Value]) -> ir.Value:
    """Return the start of the first argument, an array, as a pointer to groups of four numbers."""
    start = context.make_array(signature.args[0])(context, builder, arguments[0]).data
    return builder.bitcast(start, _COUNTS.as_pointer())


_opaque = cast("Callable[[np.uint64], np.uint64]", intrinsic(_emit_opaque))
_add = cast("Callable[[Counts, np.uint64, np.uint64], None]", intrinsic(_emit_add))
_mean = cast("Callable[[Counts, np.uint64, np.uint64, np.float32], np.uint64]", intrinsic(_emit_mean))
