"""BMP headers: the bitmap header in its two kinds, without run-length coding."""

import struct
from typing import BinaryIO

from rendering.imaging.containers.base import Shape, take, unsupported
from rendering.imaging.refusal import Refused

_HEADER_SIZES = {12, 40, 52, 56, 64, 108, 124}
_OLDEST_HEADER = 12
# Plain and bit fields. Pillow expands run-length coding in a Python loop, byte by byte: 40 MB would take minutes.
_COMPRESSIONS = {0, 3, 6}


def measure(file: BinaryIO) -> Shape:
    """Return the shape of a BMP file; raise Refused for compressed ones and for chance."""
    file.seek(14)
    size = struct.unpack("<L", take(file, 4))[0]
    if size not in _HEADER_SIZES:
        raise Refused("not_an_image", "This file is not a picture.")  # two letters prove little
    header = take(file, size - 4)
    if size == _OLDEST_HEADER:
        return Shape(*struct.unpack("<HH", header[:4]))
    width, height, compression = struct.unpack("<ll4xL", header[:16])
    if compression not in _COMPRESSIONS:
        raise unsupported("A compressed BMP")
    return Shape(width, abs(height))
