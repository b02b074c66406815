"""PNG headers: the first chunk, and an orientation that stands before the pixels (PNG, third edition, section 5)."""

import struct
from typing import BinaryIO

from rendering.imaging.containers import tiff
from rendering.imaging.containers.base import LARGEST_EXIF, UPRIGHT, Shape, damaged, take

_SIGNATURE_SIZE = 8
_CHECKSUM_SIZE = 4
_MOST_CHUNKS = 1000


def measure(file: BinaryIO) -> Shape:
    """Return the shape of a PNG file; raise Refused if it does not begin as one."""
    file.seek(_SIGNATURE_SIZE)
    if take(file, 8) != b"\0\0\0\x0dIHDR":
        raise damaged("it does not say how large it is")
    width, height = struct.unpack(">LL", take(file, 13)[:8])
    file.seek(_CHECKSUM_SIZE, 1)
    return Shape(width, height, _orientation(file))


def _orientation(file: BinaryIO) -> int:
    for _ in range(_MOST_CHUNKS):
        size, kind = struct.unpack(">L4s", take(file, 8))
        if kind == b"eXIf":
            return tiff.orientation(file.read(min(size, LARGEST_EXIF)))
        if kind in (b"IDAT", b"IEND"):
            return UPRIGHT
        file.seek(size + _CHECKSUM_SIZE, 1)
    raise damaged("it has too many chunks")
