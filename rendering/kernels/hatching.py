"""Strokes of hatching and the grain of the drawing paper, as noise of one sheet, the same for every picture.

Random numbers come from an integer hash, so that no library's next version draws other strokes.
"""

import math
from functools import lru_cache
from typing import TypeAlias

import cv2
import numpy as np
from cv2.typing import MatLike
from numpy.typing import NDArray

Plane: TypeAlias = NDArray[np.uint8]
Floats: TypeAlias = NDArray[np.float32]

SIDE = 1024  # pixels; the sheet is square
FINE_ROWS = 512
_SEA = 1664  # pixels of the noise that strokes are cut from, at any angle


@lru_cache(maxsize=1)
def sheet() -> tuple[Plane, Plane, Plane, Plane]:
    """Three hatchings, at 50, 14 and 100 degrees, and the grain; of each, every value from 0 to 255 is as frequent."""
    first = 0.5 * _strokes(1, angle=50, length=22, width=0.75) + 0.3 * _strokes(4, angle=57, length=30, width=1.7)
    second = _strokes(2, angle=14, length=20, width=0.8)
    third = _strokes(3, angle=100, length=18, width=0.8)
    return _even(first), _even(second), _even(third), _even(_grain(5, (SIDE, SIDE), 0.75))


@lru_cache(maxsize=1)
def fine_grain() -> Plane:
    """The grain of pictures larger than the sheet, in their own pixels: FINE_ROWS by SIDE, to be repeated."""
    return _even(_grain(6, (FINE_ROWS, SIDE), 0.7))


def _strokes(seed: int, *, angle: float, length: float, width: float) -> Floats:
    """Noise drawn out to strokes of a length and a width (standard deviations), that bend a little."""
    sea = cv2.GaussianBlur(_noise(seed, (_SEA, _SEA)), (0, 0), sigmaX=length, sigmaY=width)
    y, x = np.mgrid[0:SIDE, 0:SIDE].astype(np.float32) - SIDE / 2
    bend = 9 * cv2.resize(_noise(seed + 50, (12, 12)), (SIDE, SIDE), interpolation=cv2.INTER_CUBIC)
    cosine, sine = math.cos(math.radians(angle)), math.sin(math.radians(angle))
    along, across = x * cosine - y * sine, x * sine + y * cosine + bend
    half = np.float32(_SEA / 2)
    return _standardized(cv2.remap(sea, along + half, across + half, cv2.INTER_LINEAR, borderMode=cv2.BORDER_REFLECT))


def _grain(seed: int, shape: tuple[int, int], size: float) -> Floats:
    return _standardized(cv2.GaussianBlur(_noise(seed, shape), (0, 0), size))


def _noise(seed: int, shape: tuple[int, int]) -> Floats:
    """Independent numbers from -0.5 to 0.5: an integer hash (C. Wellons's lowbias32) of seed and place."""
    value = np.arange(shape[0] * shape[1], dtype=np.uint32) + np.uint32(seed << 24)
    value = (value ^ (value >> np.uint32(16))) * np.uint32(0x7FEB352D)
    value = (value ^ (value >> np.uint32(15))) * np.uint32(0x846CA68B)
    value ^= value >> np.uint32(16)
    return value.reshape(shape).astype(np.float32) / np.float32(2**32) - np.float32(0.5)


def _even(noise: Floats) -> Plane:
    """Spread normally distributed noise evenly over 0 to 255."""
    levels = np.clip(_standardized(noise) * 32 + 128, 0, 255).astype(np.uint8)
    normal = [255 * 0.5 * (1 + math.erf((level - 128) / 32 / math.sqrt(2))) for level in range(256)]
    even: Plane = cv2.LUT(levels, np.rint(normal).astype(np.uint8)).astype(np.uint8, copy=False)
    return even


def _standardized(noise: MatLike) -> Floats:
    standardized: Floats = ((noise - noise.mean()) / noise.std()).astype(np.float32)
    return standardized
