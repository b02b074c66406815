"""Whether two pictures that are near by their perceptual hash look the same: by their worst place, not on average."""

from typing import Final

import cv2
import numpy as np

from rendering.imaging import Pixels
from rendering.imaging.scale import to_size

# Measured on 11 photos as page files of 480 pixels, share that passes a bound of 7: saved again as JPEG 95, 75 or 50 or
# as WebP, at half size, shifted by half a pixel or a whole one 95 to 100 %; in grey, with other colors, with a caption,
# with the lowest frequencies of another photo 0 % (but for photos that are grey anyway); another number plate a
# quarter; small pixelated places a third. That is good enough for a question, and for nothing else.
BOUND: Final = 7
WIDTH: Final = 480
_BLOCK: Final = 8
_BLUR: Final = 0.7  # takes the ringing of small JPEG files away, and leaves what a redaction changes
_STRETCH: Final = 0.02  # how much the proportions may differ
_NEIGHBORS: Final = np.ones((3, 3), np.uint8)


def alike(one: Pixels, other: Pixels) -> bool:
    """Say whether two pictures have the same shape, and no place in which they differ for the eye."""
    return _same_shape(one, other) and worst_block(one, other) <= BOUND


def worst_block(one: Pixels, other: Pixels) -> int:
    """Return how far the pictures are apart, in levels of a channel, in the block of 8 by 8 where it is most.

    Both are compared at the same size, at most 480 pixels wide. Each pixel may lie anywhere between its neighbors in
    the other picture: hands shake, and edges of a burst's frames are never at the same place.
    """
    width = min(WIDTH, one.shape[1], other.shape[1])
    size = (width, max(1, round(one.shape[0] * width / one.shape[1])))
    first, second = _softened(one, size), _softened(other, size)
    apart = cv2.max(_beyond(first, second), _beyond(second, first))
    blocks = (max(1, size[0] // _BLOCK), max(1, size[1] // _BLOCK))
    return int(cv2.resize(apart, blocks, interpolation=cv2.INTER_AREA).max())


def _same_shape(one: Pixels, other: Pixels) -> bool:
    ratio = one.shape[1] * other.shape[0] / (one.shape[0] * other.shape[1])
    return bool(abs(ratio - 1) <= _STRETCH)


def _softened(pixels: Pixels, size: tuple[int, int]) -> Pixels:
    larger = pixels.shape[1] >= size[0] and pixels.shape[0] >= size[1]
    fitted = to_size(pixels, size) if larger else cv2.resize(pixels, size, interpolation=cv2.INTER_LINEAR)
    return cv2.GaussianBlur(fitted, (0, 0), _BLUR)  # type: ignore[return-value]  # of bytes


def _beyond(one: Pixels, other: Pixels) -> Pixels:
    """Return by how much each pixel lies outside what its neighbors in the other picture span."""
    above = cv2.subtract(one, cv2.dilate(other, _NEIGHBORS))
    below = cv2.subtract(cv2.erode(other, _NEIGHBORS), one)
    return cv2.add(above, below)  # type: ignore[return-value]  # of bytes
