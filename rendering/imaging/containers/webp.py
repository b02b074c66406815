"""WebP headers: the canvas of extended files, else the frame of the simple ones (RFC 9649)."""

import struct
from typing import BinaryIO

from rendering.imaging.containers import tiff
from rendering.imaging.containers.base import LARGEST_EXIF, UPRIGHT, Shape, damaged, take

_FIRST_CHUNK = 12
_SIDE_MASK = 0x3FFF
_HAS_EXIF = 0x08
_MOST_CHUNKS = 10_000


def measure(file: BinaryIO) -> Shape:
    """Return the shape of a WebP file; raise Refused for an unknown first chunk."""
    file.seek(_FIRST_CHUNK)
    kind, size = struct.unpack("<4sL", take(file, 8))
    if kind == b"VP8X":
        return _extended(file, size)
    if kind == b"VP8 ":
        width, height = struct.unpack("<HH", take(file, 10)[6:])
        return Shape(width & _SIDE_MASK, height & _SIDE_MASK)
    if kind == b"VP8L":
        bits = struct.unpack("<L", take(file, 5)[1:])[0]
        return Shape((bits & _SIDE_MASK) + 1, (bits >> 14 & _SIDE_MASK) + 1)
    raise damaged("it does not say how large it is")


def _extended(file: BinaryIO, size: int) -> Shape:
    header = take(file, 10)
    file.seek(max(size - 10, 0), 1)
    width, height = (int.from_bytes(header[at : at + 3], "little") + 1 for at in (4, 7))
    return Shape(width, height, _orientation(file) if header[0] & _HAS_EXIF else UPRIGHT)


def _orientation(file: BinaryIO) -> int:
    for _ in range(_MOST_CHUNKS):
        header = file.read(8)
        if len(header) < 8:
            return UPRIGHT
        kind, size = struct.unpack("<4sL", header)
        if kind == b"EXIF":
            return tiff.orientation(file.read(min(size, LARGEST_EXIF)))
        file.seek(size + size % 2, 1)
    raise damaged("it has too many chunks")
