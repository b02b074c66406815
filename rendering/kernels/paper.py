"""Paper and water, generated: the grain of a sheet and the clouds in a wash, the same in every run, at every size."""

import cv2
import numpy as np
from numpy.typing import NDArray

Field = NDArray[np.float32]

TILE = 512  # pixels of a square of grain; its left fits its right, and its top its bottom
SHEET = 1024  # pixels of the square of paper that pictures are cut from
_COARSE = 256  # clouds are drawn at a quarter of the sheet, because nothing in them is fine
_BORDER = 32


def grain() -> Field:
    """Return a tile of grain, shape (TILE, TILE, 2): the depth of the paper, and its slope against the light.

    The depth has mean 0 and standard deviation 1.
    """
    depth = _normalized(0.6 * _band(1, fine=0.7, coarse=1.7) + 0.8 * _band(2, fine=1.6, coarse=5))
    slope = (np.roll(depth, -1, 0) - np.roll(depth, 1, 0) + np.roll(depth, -1, 1) - np.roll(depth, 1, 1)) / 2
    return np.ascontiguousarray(np.dstack([depth, slope]), np.float32)


def clouds(height: int, width: int, *recipes: tuple[int, dict[int, float]]) -> Field:
    """Return clouds of shape (height, width, number of recipes), up to SHEET pixels, each of mean 0 and deviation 1.

    A recipe is a seed, and how strong its cells of each size in pixels are.
    """
    layers = np.dstack([_normalized(_cells(seed, strengths)) for seed, strengths in recipes])
    scale = SHEET // _COARSE
    layers = layers[: height // scale + 2]
    drawn = cv2.resize(layers, (SHEET, scale * layers.shape[0]), interpolation=cv2.INTER_LINEAR)
    return np.ascontiguousarray(drawn.reshape(-1, SHEET, len(recipes))[:height, :width], np.float32)


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
