"""Three fingerprints of a canvas: what it is exactly, what it looks like, and its colors at a glance."""

import hashlib
import struct

import cv2
import numpy as np
from numpy.typing import NDArray
from PIL import Image

from rendering.imaging import Pixels
from rendering.imaging.scale import to_size

_VERSION = 1  # of the way from file to canvas: raise it when the same file gives other pixels
_HASH_SIZE = 16
_FREQUENCIES = 4 * _HASH_SIZE
_GRID = (3, 2)


def digest(pixels: Pixels) -> bytes:
    """Return the SHA-256 of version, height, width and pixels: equal only for the same picture (32 bytes)."""
    content = hashlib.sha256(struct.pack(">LLL", _VERSION, *pixels.shape[:2]))
    content.update(np.ascontiguousarray(pixels).data)
    return content.digest()


def perceptual_hash(pixels: Pixels) -> bytes:
    """Return the 256 bits of imagehash.phash(hash_size=16) of this picture, row by row (32 bytes).

    It proposes and never decides: it is blind to color and to small edits.
    """
    frequencies = _lowest_frequencies(_grey(pixels))
    return np.packbits(frequencies > np.median(frequencies)).tobytes()


def signature(pixels: Pixels) -> bytes:
    """Return the mean colors of a grid of 3 columns and 2 rows, row by row, red first (18 bytes)."""
    return _averaged(pixels)[:, :, ::-1].tobytes()


def _grey(pixels: Pixels) -> NDArray[np.float64]:
    """Return the picture as 64 by 64 greys, by the same steps as imagehash takes."""
    height, width = pixels.shape[:2]
    image = Image.frombuffer("RGB", (width, height), np.ascontiguousarray(pixels), "raw", "BGR", 0, 1)
    small = image.convert("L").resize((_FREQUENCIES, _FREQUENCIES), Image.Resampling.LANCZOS)
    return np.asarray(small).astype(np.float64)


def _lowest_frequencies(grey: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return the 16 by 16 lowest frequencies as scipy.fftpack.dct gives them, but for a common factor.

    scipy takes 4 ms and 113 MB. cv2.dct is orthonormal: its first row and column are smaller by the square root of
    two. Frequencies that vanish by symmetry (stripes, centered squares) are rounding noise in both, so their bits may
    differ; those of photos and of flat pictures do not.
    """
    frequencies = cv2.dct(grey)[:_HASH_SIZE, :_HASH_SIZE].astype(np.float64, copy=False)
    frequencies[0] *= np.sqrt(2)
    frequencies[:, 0] *= np.sqrt(2)
    return frequencies


def _averaged(pixels: Pixels) -> Pixels:
    if pixels.shape[1] >= _GRID[0] and pixels.shape[0] >= _GRID[1]:
        return to_size(pixels, _GRID)
    return cv2.resize(pixels, _GRID, interpolation=cv2.INTER_LINEAR)  # type: ignore[return-value]  # of bytes
