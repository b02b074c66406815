"""The oil vote: every pixel takes the mean color of the most frequent tone in the square around it.

It is `cv2.xphoto.oilPainting` (G. Holzmann, Beyond Photography, 1988) to the last bit, at a cost that hardly depends on
the size of the square. The picture is painted in strips of columns, row by row, with a histogram of each column's part
of the square. Going down a row, one pixel leaves a column's histogram and one enters. A tone is counted in all squares
of a row at once: for narrow squares as a sum of columns, else as differences of running sums over the columns.
"""

from typing import NamedTuple

import cv2
import numpy as np
from numba import njit
from numpy.typing import NDArray

from rendering.kernels import brush, strokes
from rendering.kernels.compilation import kernel, make_ready, read_only

Pixels = NDArray[np.uint8]
Row = NDArray[np.uint16]
Packed = NDArray[np.uint64]
Tallies = NDArray[np.int64]
Floats = NDArray[np.float32]

MAX_SIZE = 64
MAX_SOFT_SIZE = 31
MAX_DYN_RATIO = 127

_STRIP = 256  # columns at a time: their histograms stay in the second-level cache
_SOFT_STRIP = 512
_NARROW = 15  # squares up to this width have no more than 255 pixels
_SAFE_WIDTH = 63  # up to here no sum of a square's colors outgrows 20 bits
_TOGETHER = 4  # tones that stand at a time, so that winners are read and written once for four
_NOBODY = 65535

_EACH = np.uint64(0x0001000100010001)
_LAST = np.uint64(48)

_GREEN_PLACE = np.uint64(20)
_RED_PLACE = np.uint64(40)
_GREEN = np.uint64(0xFFFFF << 20)
_BLUE_AND_RED = np.uint64(0xFFFFFF00000FFFFF)
_FIELD = np.uint64(0xFFFFF)
_BLUE = np.uint64((1 << 40) - 1)  # nothing else is below red, once green is taken out

# Views of arrays without counting references (1.3 times as fast; Numba's types do not know the option), and divisions
# without a test for zero, which would keep loops from being vectorized.
_inner = njit(nogil=True, error_model="numpy", _nrt=False)  # type: ignore[call-overload]  # see above
_inlined = njit(nogil=True, error_model="numpy", forceinline=True, _nrt=False)  # type: ignore[call-overload]


class _Strip(NamedTuple):
    """What is known of a strip of columns."""

    counts: Packed
    """How many pixels of a tone each column has within the square's height, (tones, columns / 8 or columns / 4).

    For a narrow square a word has eight columns; else four running sums, each of its column and the ones before it in
    the same word. The first column stays empty.
    """
    colors: Packed
    """The sum of their colors, (tones, columns): blue from bit 0, green from bit 20, red from bit 40."""
    peak: Tallies
    """The highest count of a tone in any of the strip's squares, when it was last counted."""
    entered: Tallies
    """How many pixels of a tone entered the strip since then."""
    seen: Tallies
    """The last row in which a pixel of a tone entered the strip."""
    won: Tallies
    """The last row in which a tone won a pixel."""


class _Ballot(NamedTuple):
    """The winners of a row of the strip, with room for counting."""

    winner: Row
    most: Row
    blended: Packed
    """The sums of the winners' colors: blue and red in one row, green in the other."""
    levels: Pixels
    """The mean colors, (3, columns)."""
    candidates: Row
    sums: Packed
    """The candidates' running sums over all columns, (candidates, columns / 4), four in a word."""
    small: Pixels
    """For narrow squares: winners, their counts, and a tone's counts in three columns, (3, columns)."""


def compile_kernels() -> None:
    """Make the compiled functions of the oil painting ready: from the cache folder, or in some seconds."""
    make_ready(__name__)
    strokes.compile_kernels()
    brush.compile_kernels()


def oil_painting(pixels: Pixels, size: int, dyn_ratio: int) -> Pixels:
    """Return the picture with each pixel the mean color of the commonest tone within `size` rows and columns of it.

    Pixels are (height, width, 3), BGR; a tone is the luminance divided by dyn_ratio, rounded; of equally common tones
    the darkest wins. Size goes from 1 to 64 and dyn_ratio from 1 to 127, else ValueError.
    Equals `cv2.xphoto.oilPainting(pixels, size, dyn_ratio)`.
    """
    tones, tone_count = _tones(pixels, size, dyn_ratio)
    painted = np.empty_like(pixels)
    _paint(read_only(pixels), tones, tone_count, 2 * size + 1, painted)
    return painted


def soft_oil_painting(pixels: Pixels, size: int, dyn_ratio: int, exponent: float) -> Pixels:
    """Return the picture with each pixel a mean of all tones around it, the common ones weighing more.

    As `oil_painting`, but a tone weighs its count to the power of the exponent, from 1 (the plain mean) to 16 (hardly
    more than the winner): the soft vote of GEGL's oilify, without hard borders between two winners. Size goes to 31.
    """
    if size > MAX_SOFT_SIZE:
        message = f"size goes to {MAX_SOFT_SIZE} in a soft vote, not {size}"
        raise ValueError(message)
    tones, tone_count = _tones(pixels, size, dyn_ratio)
    height, width = tones.shape
    around = min(2 * size + 1, height) * min(2 * size + 1, width)
    weights = ((np.arange(around + 1) / around) ** (exponent - 1) * 2.0**60).astype(np.float32)  # far from denormal
    painted = np.empty_like(pixels)
    for left in range(0, width, _SOFT_STRIP):
        _paint_soft(read_only(pixels), tones, tone_count, size, left, weights, painted)
    return painted


def _tones(pixels: Pixels, size: int, dyn_ratio: int) -> tuple[Pixels, int]:
    """Return the tone of each pixel, (height, width), and how many tones there can be."""
    if not (1 <= size <= MAX_SIZE and 1 <= dyn_ratio <= MAX_DYN_RATIO):
        message = f"size goes from 1 to {MAX_SIZE} and dyn_ratio from 1 to {MAX_DYN_RATIO}, not {size} and {dyn_ratio}"
        raise ValueError(message)
    tone_of = np.rint(np.arange(256) * (1.0 / dyn_ratio)).astype(np.uint8)
    luminance = cv2.cvtColor(pixels, cv2.COLOR_BGR2GRAY)
    return np.asarray(cv2.LUT(luminance, tone_of, luminance), np.uint8), int(tone_of[255]) + 1


@kernel("void(Array(u1, 3, 'C', True), u1[:,::1], i8, i8, u1[:,:,::1])")
def _paint(pixels: Pixels, tones: Pixels, tone_count: int, width: int, painted: Pixels) -> None:
    columns = _STRIP + width + 1
    strip = _Strip(
        np.empty((tone_count, columns // 4 + 1), np.uint64),
        np.empty((tone_count, (columns // 16 + 1) * 16 + 8), np.uint64),  # odd cache lines: tones do not evict tones
        np.empty(tone_count, np.int64),
        np.empty(tone_count, np.int64),
        np.empty(tone_count, np.int64),
        np.empty(tone_count, np.int64),
    )
    ballot = _Ballot(
        np.empty(_STRIP, np.uint16),
        np.empty(_STRIP, np.uint16),
        np.zeros((2, _STRIP), np.uint64),
        np.empty((3, _STRIP), np.uint8),
        np.empty(_TOGETHER, np.uint16),
        np.zeros((_TOGETHER, columns // 4 + 1), np.uint64),
        np.zeros((3, _STRIP + _NARROW + 1), np.uint8),
    )
    for left in range(0, tones.shape[1], _STRIP):
        strip.counts[:] = 0
        strip.colors[:] = 0
        strip.peak[:] = 0
        strip.entered[:] = 0
        strip.seen[:] = -width
        strip.won[:] = -2
        _paint_strip(pixels, tones, left, width, strip, ballot, painted)


@_inner
def _paint_strip(  # noqa: PLR0913 (Numba is slower with objects)
    pixels: Pixels, tones: Pixels, left: int, width: int, strip: _Strip, ballot: _Ballot, painted: Pixels
) -> None:
    height, radius = tones.shape[0], width // 2
    first, last = max(left - radius, 0), min(left + _STRIP + radius, tones.shape[1])
    columns = min(_STRIP, tones.shape[1] - left)
    place = first - left + radius
    for y in range(-radius, height):
        enters, leaves = y + radius, y - radius - 1
        if enters < height:
            _enter(enters, pixels[enters, first:last], tones[enters, first:last], place, width, strip)
        if leaves >= 0:
            _leave(pixels[leaves, first:last], tones[leaves, first:last], place, width, strip)
        if y >= 0:
            if width <= _NARROW:
                _vote_narrow(y, width, strip, ballot)
            else:
                _vote(y, columns, width, strip, ballot)
            _blend(y, columns, width, strip, ballot)
            _divide(ballot, painted[y, left : left + columns])


@_inner
def _enter(y: int, pixels: Pixels, tones: Pixels, place: int, width: int, strip: _Strip) -> None:
    one, shift, bits, first = (np.uint64(1), 3, 3, 0) if width <= _NARROW else (_EACH, 2, 4, 1)
    for x in range(tones.size):
        tone, column = tones[x], place + x
        at = column + first
        strip.counts[tone, at >> shift] += one << np.uint64((at & ((1 << shift) - 1)) << bits)
        strip.colors[tone, column] += _packed(pixels, x)
        strip.entered[tone] += 1
        strip.seen[tone] = y


@_inner
def _leave(pixels: Pixels, tones: Pixels, place: int, width: int, strip: _Strip) -> None:
    one, shift, bits, first = (np.uint64(1), 3, 3, 0) if width <= _NARROW else (_EACH, 2, 4, 1)
    for x in range(tones.size):
        tone, column = tones[x], place + x
        at = column + first
        strip.counts[tone, at >> shift] -= one << np.uint64((at & ((1 << shift) - 1)) << bits)
        strip.colors[tone, column] -= _packed(pixels, x)


@_inner
def _packed(pixels: Pixels, x: int) -> np.uint64:
    return np.uint64(pixels[x, 0]) | (np.uint64(pixels[x, 1]) << _GREEN_PLACE) | (np.uint64(pixels[x, 2]) << _RED_PLACE)


@_inner
def _vote_narrow(y: int, width: int, strip: _Strip, ballot: _Ballot) -> None:
    """Find each pixel's winner among all tones that the strip has in this row."""
    winner, most, triples = ballot.small[0], ballot.small[1], ballot.small[2]
    winner[:] = 0
    most[:] = 0
    counts = strip.counts.view(np.uint8)
    for tone in range(strip.seen.size):
        if strip.seen[tone] >= y - width // 2:
            _stand(width, np.uint8(tone), counts[tone], triples, winner, most)
    for x in range(_STRIP):
        ballot.winner[x] = winner[x]
        ballot.most[x] = most[x]


@_inner
def _stand(  # noqa: C901 (a branch for each width)
    width: int, tone: int, counts: Pixels, triples: Pixels, winner: Pixels, most: Pixels
) -> None:
    """Let a tone stand in every square of the row, with the width as a constant in the loops."""
    if width == 3:
        _stand_constant(3, tone, counts, triples, winner, most)
    elif width == 5:
        _stand_constant(5, tone, counts, triples, winner, most)
    elif width == 7:
        _stand_constant(7, tone, counts, triples, winner, most)
    elif width == 9:
        _stand_constant(9, tone, counts, triples, winner, most)
    elif width == 11:
        _stand_constant(11, tone, counts, triples, winner, most)
    elif width == 13:
        _stand_constant(13, tone, counts, triples, winner, most)
    else:
        _stand_constant(15, tone, counts, triples, winner, most)


@_inlined
def _stand_constant(width: int, tone: int, counts: Pixels, triples: Pixels, winner: Pixels, most: Pixels) -> None:
    for x in range(_STRIP + _NARROW - 2):
        triples[x] = counts[x] + counts[x + 1] + counts[x + 2]
    for x in range(_STRIP):
        count = triples[x]
        for place in range(3, width - 2, 3):
            count = np.uint8(count + triples[x + place])
        for place in range(width - width % 3, width):
            count = np.uint8(count + counts[x + place])
        before, top = winner[x], most[x]  # read first: without a condition on it, the writing is vectorized
        winner[x] = tone if count > top else before
        most[x] = max(count, top)


@_inner
def _vote(y: int, columns: int, width: int, strip: _Strip, ballot: _Ballot) -> None:
    """Find each pixel's winner: last row's winners first, then who could have more than the weakest winner so far.

    What a tone can have is bounded by its last known peak and the pixels that entered since: at size 28 that leaves 11
    of 45 tones to count, 26 to 19 ns a pixel.
    """
    ballot.most[:] = 0
    ballot.winner[:] = _NOBODY
    needed = 1
    for again in range(2):
        standing = 0
        for tone in range(strip.won.size):
            returns = strip.won[tone] == y - 1
            if returns != again and (returns or strip.peak[tone] + strip.entered[tone] >= needed):
                ballot.candidates[standing] = tone
                _run(strip.counts[tone], ballot.sums[standing])
                standing += 1
                if standing == _TOGETHER:
                    _elect(width, standing, strip, ballot)
                    standing = 0
        if standing > 0:
            ballot.candidates[standing:] = _NOBODY
            ballot.sums[standing:] = 0
            _elect(width, standing, strip, ballot)
        needed = max(_lowest(ballot.most[:columns]), 1)


@_inner
def _run(counts: Packed, sums: Packed) -> None:
    """Add up running sums over all columns from the words' own."""
    before = np.uint64(0)
    for word in range(sums.size):
        sums[word] = counts[word] + before * _EACH
        before += counts[word] >> _LAST


@_inner
def _elect(width: int, standing: int, strip: _Strip, ballot: _Ballot) -> None:
    """Let the candidates stand against the winners so far in every square of the row, and note their peaks."""
    sums, winner, most = ballot.sums.view(np.uint16), ballot.winner, ballot.most
    before_a, before_b, before_c, before_d = sums[0], sums[1], sums[2], sums[3]
    until_a, until_b, until_c, until_d = sums[0, width:], sums[1, width:], sums[2, width:], sums[3, width:]
    a, b, c, d = ballot.candidates[0], ballot.candidates[1], ballot.candidates[2], ballot.candidates[3]
    peak_a, peak_b, peak_c, peak_d = np.uint16(0), np.uint16(0), np.uint16(0), np.uint16(0)
    for x in range(_STRIP):
        tone, top = winner[x], most[x]
        count = np.uint16(until_a[x] - before_a[x])
        tone = a if _wins(count, top, a, tone) else tone
        top, peak_a = max(count, top), max(count, peak_a)
        count = np.uint16(until_b[x] - before_b[x])
        tone = b if _wins(count, top, b, tone) else tone
        top, peak_b = max(count, top), max(count, peak_b)
        count = np.uint16(until_c[x] - before_c[x])
        tone = c if _wins(count, top, c, tone) else tone
        top, peak_c = max(count, top), max(count, peak_c)
        count = np.uint16(until_d[x] - before_d[x])
        tone = d if _wins(count, top, d, tone) else tone
        top, peak_d = max(count, top), max(count, peak_d)
        winner[x], most[x] = tone, top
    peaks = (peak_a, peak_b, peak_c, peak_d)
    for k in range(standing):
        strip.peak[ballot.candidates[k]] = peaks[k]
        strip.entered[ballot.candidates[k]] = 0


@_inner
def _wins(count: int, most: int, tone: int, winner: int) -> bool:
    return (count > most) | ((count == most) & (tone < winner))  # without branches, else nothing is vectorized


@_inner
def _lowest(counts: Row) -> np.uint16:
    lowest: np.uint16 = counts[0]
    for x in range(counts.size):
        lowest = min(lowest, counts[x])
    return lowest


@_inner
def _blend(y: int, columns: int, width: int, strip: _Strip, ballot: _Ballot) -> None:
    """Add up the winners' colors. While the winner stays, its sum slides along: 8 to 2 ns a pixel at size 7."""
    if width <= _SAFE_WIDTH:
        _blend_packed(y, columns, width, strip, ballot)
    else:
        _blend_apart(y, columns, width, strip, ballot)


@_inner
def _blend_packed(y: int, columns: int, width: int, strip: _Strip, ballot: _Ballot) -> None:
    before, total = -1, np.uint64(0)
    for x in range(columns):
        tone = ballot.winner[x]
        colors = strip.colors[tone]
        if tone == before:
            total += colors[x + width - 1] - colors[x - 1]
        else:
            total = np.uint64(0)
            for column in range(x, x + width):
                total += colors[column]
            strip.won[tone] = y
            before = tone
        ballot.blended[0, x] = total & _BLUE_AND_RED
        ballot.blended[1, x] = total & _GREEN


@_inner
def _blend_apart(y: int, columns: int, width: int, strip: _Strip, ballot: _Ballot) -> None:
    """Do the same where the sum of a color can outgrow 20 bits: without a neighbor above it, it has room."""
    before, both, green = -1, np.uint64(0), np.uint64(0)
    for x in range(columns):
        tone = ballot.winner[x]
        colors = strip.colors[tone]
        if tone == before:
            new, old = colors[x + width - 1], colors[x - 1]
            both += (new & _BLUE_AND_RED) - (old & _BLUE_AND_RED)
            green += (new & _GREEN) - (old & _GREEN)
        else:
            both, green = np.uint64(0), np.uint64(0)
            for column in range(x, x + width):
                both += colors[column] & _BLUE_AND_RED
                green += colors[column] & _GREEN
            strip.won[tone] = y
            before = tone
        ballot.blended[0, x] = both
        ballot.blended[1, x] = green


@_inner
def _divide(ballot: _Ballot, painted: Pixels) -> None:
    """Write the means, rounded as OpenCV rounds: a product in double precision, then in single, then half to even."""
    both, green, most = ballot.blended[0], ballot.blended[1], ballot.most
    blues, greens, reds = ballot.levels[0], ballot.levels[1], ballot.levels[2]
    for x in range(_STRIP):
        share = 1.0 / np.float64(most[x])
        blues[x] = _level(np.int32(both[x] & _BLUE), share)
        greens[x] = _level(np.int32(green[x] >> _GREEN_PLACE), share)
        reds[x] = _level(np.int32(both[x] >> _RED_PLACE), share)
    for x in range(painted.shape[0]):  # apart, so that the loop above is vectorized: 2.4 to 1.3 ns a pixel
        painted[x, 0], painted[x, 1], painted[x, 2] = blues[x], greens[x], reds[x]


@_inner
def _level(total: int, share: float) -> np.uint8:
    return np.uint8(np.int32(np.rint(np.float32(total * share))))


@kernel("void(Array(u1, 3, 'C', True), u1[:,::1], i8, i8, i8, f4[::1], u1[:,:,::1])")
def _paint_soft(  # noqa: PLR0913 (Numba is slower with objects)
    pixels: Pixels, tones: Pixels, tone_count: int, radius: int, left: int, weights: Floats, painted: Pixels
) -> None:
    height, right = tones.shape[0], min(left + _SOFT_STRIP, tones.shape[1])
    first, last = max(left - radius, 0), min(right + radius, tones.shape[1])
    columns = right - left + 2 * radius
    counts = np.zeros((tone_count, columns), np.int32)
    colors = np.zeros((tone_count, columns), np.uint64)
    seen = np.full(tone_count, -2 * radius - 1, np.int64)
    count_sums, color_sums = np.zeros(columns + 1, np.int32), np.zeros(columns + 1, np.uint64)
    means = np.empty((4, right - left), np.float32)
    place = first - left + radius
    for y in range(-radius, height):
        enters, leaves = y + radius, y - radius - 1
        if enters < height:
            _change(pixels[enters, first:last], tones[enters, first:last], 1, counts[:, place:], colors[:, place:])
            _see(enters, tones[enters, first:last], seen)
        if leaves >= 0:
            _change(pixels[leaves, first:last], tones[leaves, first:last], -1, counts[:, place:], colors[:, place:])
        if y >= 0:
            means[:] = 0
            for tone in np.flatnonzero(seen >= y - radius):
                _sum_up(counts[tone], colors[tone], count_sums, color_sums)
                _weigh(count_sums, color_sums, 2 * radius + 1, weights, means)
            _write(means, painted[y, left:right])


@_inner
def _see(y: int, tones: Pixels, seen: Tallies) -> None:
    for x in range(tones.size):
        seen[tones[x]] = y


@_inner
def _change(pixels: Pixels, tones: Pixels, sign: int, counts: NDArray[np.int32], colors: Packed) -> None:
    for x in range(tones.size):
        tone, color = tones[x], _packed(pixels, x)
        counts[tone, x] += sign
        colors[tone, x] += color if sign > 0 else np.uint64(0) - color


@_inner
def _sum_up(counts: NDArray[np.int32], colors: Packed, count_sums: NDArray[np.int32], color_sums: Packed) -> None:
    count, color = np.int32(0), np.uint64(0)
    for x in range(counts.size):
        count += counts[x]
        color += colors[x]
        count_sums[x + 1], color_sums[x + 1] = count, color


@_inner
def _weigh(count_sums: NDArray[np.int32], color_sums: Packed, width: int, weights: Floats, means: Floats) -> None:
    until_count, until_color = count_sums[width:], color_sums[width:]
    for x in range(means.shape[1]):
        count = until_count[x] - count_sums[x]
        color = until_color[x] - color_sums[x]
        weight = weights[count]
        means[0, x] += weight * np.float32(np.int32(color & _FIELD))
        means[1, x] += weight * np.float32(np.int32((color >> _GREEN_PLACE) & _FIELD))
        means[2, x] += weight * np.float32(np.int32(color >> _RED_PLACE))
        means[3, x] += weight * np.float32(count)


@_inner
def _write(means: Floats, painted: Pixels) -> None:
    for x in range(painted.shape[0]):
        for channel in range(3):
            painted[x, channel] = np.uint8(means[channel, x] / means[3, x] + np.float32(0.5))
