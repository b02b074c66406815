"""AVIF and HEIF headers: the primary item's size and turning from the boxes of the file (ISO 14496-12, 23008-12)."""

import struct
from collections.abc import Iterator
from typing import BinaryIO

from rendering.imaging.containers.base import UPRIGHT, Shape, damaged, take, unsupported

_LARGEST_BRANDS = 4096
_MOST_BOXES = 10_000
_AVIF_BRANDS = {b"avif", b"avis"}
_HEIF_BRANDS = {b"heic", b"heix", b"heim", b"heis", b"hevc", b"hevx", b"hevm", b"hevs", b"mif1", b"msf1"}
# Rotation counter-clockwise in quarter turns, then mirroring, as the EXIF orientation that looks the same. Axis 0
# exchanges top and bottom, axis 1 left and right (ISO 23008-12:2022, 6.5.12).
_ORIENTATIONS = {
    (0, None): 1, (1, None): 8, (2, None): 3, (3, None): 6,
    (0, 0): 4, (1, 0): 5, (2, 0): 2, (3, 0): 7,
    (0, 1): 2, (1, 1): 7, (2, 1): 4, (3, 1): 5,
}  # fmt: skip


def family(file: BinaryIO) -> str:
    """Return `avif` or `heif` for what the file's brands say; raise Refused for videos and other relatives."""
    size, _kind = struct.unpack(">L4s", take(file, 8))
    if not 16 <= size <= _LARGEST_BRANDS:
        raise damaged("its list of brands is odd")
    content = take(file, size - 8)
    brands = {content[at : at + 4] for at in range(0, len(content), 4) if at != 4}
    if brands & _AVIF_BRANDS:
        return "avif"
    if brands & _HEIF_BRANDS:
        return "heif"
    raise unsupported("A video, or a camera's raw photo,")


def measure(file: BinaryIO) -> Shape:
    """Return the shape of the primary item; raise Refused if the file does not describe it."""
    meta = _meta(file)[4:]
    primary = _primary(_child(meta, b"pitm"))
    properties = _child(meta, b"iprp")
    described = list(_boxes(_child(properties, b"ipco")))
    numbers = _associations(_child(properties, b"ipma"), primary)
    return _shape([described[number - 1] for number in numbers if 0 < number <= len(described)])


def _meta(file: BinaryIO) -> bytes:
    """Return the content of the file's metadata box, without reading the boxes before it."""
    for _ in range(_MOST_BOXES):
        size, kind = struct.unpack(">L4s", take(file, 8))
        head = 8
        if size == 1:
            size, head = struct.unpack(">Q", take(file, 8))[0], 16
        if kind == b"meta" and size >= head:
            return take(file, size - head)
        if size < head or size >= 1 << 62:
            break
        file.seek(size - head, 1)
    raise damaged("it does not say how large it is")


def _child(content: bytes, kind: bytes) -> bytes:
    for found, inside in _boxes(content):
        if found == kind:
            return inside
    raise damaged("it does not say how large it is")


def _boxes(content: bytes) -> Iterator[tuple[bytes, bytes]]:
    """Yield kind and content of the boxes inside a box; ends at the first that cannot be right."""
    at = 0
    while at + 8 <= len(content):
        size, kind = struct.unpack_from(">L4s", content, at)
        if size < 8 or at + size > len(content):
            return
        yield kind, content[at + 8 : at + size]
        at += size


def _primary(box: bytes) -> int:
    """Return the number of the primary item (version 0 has 16 bits, later ones 32)."""
    return int.from_bytes(box[4:6] if box[:1] == b"\0" else box[4:8], "big")


def _associations(box: bytes, item: int) -> list[int]:
    """Return the numbers of the properties of this item, in the order in which they apply."""
    if len(box) < 8:
        raise damaged("it does not say how large it is")
    item_size = 2 if box[0] == 0 else 4
    number_size = 2 if box[3] & 1 else 1
    mask = (1 << (8 * number_size - 1)) - 1  # the top bit says "essential"
    at = 8
    while at + item_size < len(box):
        found = int.from_bytes(box[at : at + item_size], "big")
        count = box[at + item_size]
        at += item_size + 1
        if found == item:
            ends = range(at, at + count * number_size, number_size)
            return [int.from_bytes(box[end : end + number_size], "big") & mask for end in ends]
        at += count * number_size
    return []


def _shape(properties: list[tuple[bytes, bytes]]) -> Shape:
    size: tuple[int, int] | None = None
    turns, axis = 0, None
    for kind, content in properties:
        if kind == b"ispe" and len(content) >= 12:
            size = struct.unpack(">LL", content[4:12])
        elif kind == b"irot":
            turns = content[0] & 3 if content else 0
        elif kind == b"imir":
            axis = content[0] & 1 if content else None
    if size is None:
        raise damaged("it does not say how large it is")
    return Shape(*size, _ORIENTATIONS.get((turns, axis), UPRIGHT))
