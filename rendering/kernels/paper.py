"""Paper and water, generated: the grain of a sheet and the clouds in a wash, the same in every run, at every size.

All of it is the same for every picture, so it is made once, before workers fork.
"""

from functools import cache, lru_cache
from typing import Final

import cv2
import numpy as np
from numpy.typing import NDArray

Field = NDArray[np.float32]
Clouds = tuple[int, dict[int, float]]
"""A seed, and how strong the clouds' cells of each size in pixels are."""

Places = tuple[Field, Field]
"""The columns and the rows of a picture from which its pixels come."""

TILE = 512  # pixels of a square of grain; its left fits its right, and its top its bottom
SHEET = 1024  # pixels of the square of paper that pictures are cut from
WATER, WARMTH, BORDERS, MARGIN = range(4)
"""Clouds in a wash: of pigment and water, of warm and cold pigment, on the borders of washes and of the painting."""

_WASH: Final[tuple[Clouds, ...]] = (
    (3, {14: 0.35, 40: 0.6, 110: 1.0}),
    (4, {60: 0.7, 160: 1.0}),
    (5, {8: 1.0}),
    (33, {30: 0.35, 90: 1.0, 200: 1.0}),
)
_HAND: Final[tuple[Clouds, ...]] = ((21, {14: 0.35, 36: 0.65}), (22, {14: 0.35, 36: 0.65}))
_STUDIO = 1.0  # pixels by which the hand of the studio look trembles
_COARSE = 256  # clouds are drawn at a quarter of the sheet, because nothing in them is fine
_BORDER = 32


def prepare() -> None:
    """Make the paper and the water that the studio look needs."""
    grain()
    wash()
    trembling(_STUDIO)


@cache
def grain() -> Field:
    """Return a tile of grain, shape (2, TILE, TILE): the depth of the paper, and its slope against the light.

    The depth has mean 0 and standard deviation 1.
    """
    depth = _normalized(0.6 * _band(1, fine=0.7, coarse=1.7) + 0.8 * _band(2, fine=1.6, coarse=5))
    slope = (np.roll(depth, -1, 0) - np.roll(depth, 1, 0) + np.roll(depth, -1, 1) - np.roll(depth, 1, 1)) / 2
    return np.stack([depth, slope]).astype(np.float32)


@cache
def wash() -> Field:
    """Return the clouds in a wash, shape (4, SHEET, SHEET), for pictures of any size up to the sheet's."""
    return np.ascontiguousarray(_clouds(_WASH).transpose(2, 0, 1))


@lru_cache(maxsize=2)
def trembling(amplitude: float) -> Places:
    """Return from where each pixel of a sheet comes whose painter's hand trembles by so much (a standard deviation)."""
    moves = amplitude * _clouds(_HAND)
    line = np.arange(SHEET, dtype=np.float32)
    return moves[:, :, 0] + line, moves[:, :, 1] + line[:, None]


def _clouds(recipes: tuple[Clouds, ...]) -> Field:
    """Return clouds of shape (SHEET, SHEET, number of recipes), each of mean 0 and standard deviation 1."""
    layers = np.dstack([_normalized(_cells(seed, strengths)) for seed, strengths in recipes])
    drawn = cv2.resize(layers, (SHEET, SHEET), interpolation=cv2.INTER_LINEAR)
    return np.asarray(drawn, np.float32)


def _band(seed: int, *, fine: float, coarse: float) -> Field:
    """Return noise without what is finer or coarser than these standard deviations, in pixels."""
    noise = np.pad(_noise(TILE, seed), _BORDER, mode="wrap")  # so that the tile fits itself
    kept = cv2.GaussianBlur(noise, (0, 0), fine) - cv2.GaussianBlur(noise, (0, 0), coarse)
    return _normalized(np.asarray(kept, np.float32)[_BORDER:-_BORDER, _BORDER:-_BORDER])


def _cells(seed: int, strengths: dict[int, float]) -> Field:
    total = np.zeros((_COARSE, _COARSE), np.float32)
    for number, (size, strength) in enumerate(strengths.items()):
        noise = _noise(max(SHEET // size, 4), 10 * seed + number)
        total += np.float32(strength) * cv2.resize(noise, (_COARSE, _COARSE), interpolation=cv2.INTER_CUBIC)
    return total


def _noise(size: int, seed: int) -> Field:
    """Return a square of white noise: NumPy promises the same bits from PCG64 for ever, but not from distributions."""
    words = np.random.PCG64(seed).random_raw(-(-size * size // 4))
    return words.view(np.uint16)[: size * size].reshape(size, size).astype(np.float32) - np.float32(32767.5)


def _normalized(field: Field) -> Field:
    return np.asarray((field - field.mean()) / field.std(), np.float32)
