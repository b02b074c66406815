"""TIFF headers, and the same structure inside EXIF blocks: the first directory only (TIFF 6.0, section 2)."""

import io
import struct
from typing import BinaryIO

from rendering.imaging.containers.base import UPRIGHT, Shape, damaged, take, unsupported
from rendering.imaging.refusal import Refused

_BYTE_ORDERS = {b"II*\0": "<", b"MM\0*": ">"}
_MOST_ENTRIES = 4096
_SHORT, _LONG = 3, 4

_SUBFILE_TYPE, _WIDTH, _HEIGHT, _COMPRESSION, _ORIENTATION = 254, 256, 257, 259, 274
_TILE_WIDTH, _TILE_HEIGHT, _DNG_VERSION = 322, 323, 50706
# None, fax, LZW, JPEG, deflate (twice), PackBits: kinds whose output is bounded by the size in the header.
_COMPRESSIONS = {1, 2, 3, 4, 5, 7, 8, 32946, 32773}
_LARGEST_TILE = 1 << 26


def measure(file: BinaryIO) -> Shape:
    """Return the shape of the first picture of a TIFF file; raise Refused for raw photos and odd compressions."""
    tags = _directory(file)
    if tags.get(_SUBFILE_TYPE, 0) & 1 or _DNG_VERSION in tags:
        raise unsupported("A camera's raw photo")
    if tags.get(_COMPRESSION, 1) not in _COMPRESSIONS:
        raise unsupported("This compression of TIFF")
    if tags.get(_TILE_WIDTH, 1) * tags.get(_TILE_HEIGHT, 1) > _LARGEST_TILE:
        raise damaged("it claims enormous tiles")
    return Shape(tags.get(_WIDTH, 0), tags.get(_HEIGHT, 0), tags.get(_ORIENTATION, UPRIGHT))


def orientation(block: bytes) -> int:
    """Return the orientation that an EXIF block names, 1 if it names none or cannot be read."""
    try:
        return _directory(io.BytesIO(block.removeprefix(b"Exif\0\0"))).get(_ORIENTATION, UPRIGHT)
    except Refused:
        return UPRIGHT


def _directory(file: BinaryIO) -> dict[int, int]:
    """Return the first number of each short or long entry of the first directory; 0 for entries of other kinds."""
    order = _BYTE_ORDERS.get(take(file, 4))
    if order is None:
        raise damaged("its directory has no byte order")
    file.seek(struct.unpack(order + "L", take(file, 4))[0])
    count = struct.unpack(order + "H", take(file, 2))[0]
    if count > _MOST_ENTRIES:
        raise damaged("its directory is too long")
    entries = take(file, 12 * count)
    return dict(_entry(order, entries[at : at + 12]) for at in range(0, len(entries), 12))


def _entry(order: str, entry: bytes) -> tuple[int, int]:
    tag, kind = struct.unpack(order + "HH", entry[:4])
    if kind == _SHORT:
        return tag, struct.unpack(order + "H", entry[8:10])[0]
    if kind == _LONG:
        return tag, struct.unpack(order + "L", entry[8:12])[0]
    return tag, 0
