"""Making pictures smaller by area interpolation; nothing here ever makes one larger."""

from typing import TypeVar

import cv2

from rendering.imaging import Samples

Picture = TypeVar("Picture", bound=Samples)


def fitted(width: int, height: int, long_edge: int | None) -> tuple[int, int]:
    """Return width and height whose longer side is at most long_edge (None: as they are), each at least 1."""
    longest = max(width, height)
    if long_edge is None or longest <= long_edge:
        return width, height
    return max(1, round(width * long_edge / longest)), max(1, round(height * long_edge / longest))


def to_long_edge(pixels: Picture, long_edge: int | None) -> Picture:
    """Return the picture, of shape (height, width[, channels]), with its longer side at most long_edge pixels."""
    return to_size(pixels, fitted(pixels.shape[1], pixels.shape[0], long_edge))


def to_size(pixels: Picture, size: tuple[int, int]) -> Picture:
    """Return the picture at this width and height, neither larger than its own; the same array if nothing changes."""
    if (pixels.shape[1], pixels.shape[0]) == size:
        return pixels
    return cv2.resize(pixels, size, interpolation=cv2.INTER_AREA)  # type: ignore[return-value]  # keeps the type
