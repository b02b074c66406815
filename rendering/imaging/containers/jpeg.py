"""JPEG headers: the markers are walked, and the scans of a progressive file counted (ITU T.81, annex B)."""

import itertools
import re
import struct
from collections.abc import Iterator
from typing import BinaryIO

from rendering.imaging.containers import tiff
from rendering.imaging.containers.base import Shape, damaged, take
from rendering.imaging.refusal import Refused

_FRAMES = frozenset(range(0xC0, 0xD0)) - {0xC4, 0xC8, 0xCC}
_ONE_SCAN_FRAMES = {0xC0, 0xC1}
_SCAN, _END, _START, _APP1 = 0xDA, 0xD9, 0xD8, 0xE1
# A 0xFF that is neither stuffed, filled, nor a restart, as libjpeg's next_marker() looks for it. A raw count of
# FF DA is wrong: thumbnails and metadata hold them too.
_MARKER = re.compile(rb"\xff([^\x00\x01\xff\xd0-\xd7])")
_CHUNK = 1 << 16
_MOST_SEGMENTS = 10_000


def measure(file: BinaryIO, max_scans: int) -> Shape:
    """Return the shape of a JPEG file; raise Refused for more scans than allowed, or no frame before them.

    Reads as far as the first scan, and to the end if there may be more scans (progressive files).
    """
    frame = exif = b""
    segments = _segments(file)
    for marker, segment in segments:
        if marker == _SCAN:
            _check_scans(frame, segment, segments, max_scans)
            return _shape(frame, exif)
        if marker in _FRAMES:
            frame = frame or bytes([marker]) + segment
        elif marker == _APP1 and segment.startswith(b"Exif\0\0"):
            exif = exif or segment
    raise damaged("it holds no picture")


def _check_scans(frame: bytes, first: bytes, rest: Iterator[tuple[int, bytes]], max_scans: int) -> None:
    """Raise Refused for too many scans; one scan with every component of a frame that is not progressive is all."""
    if frame and frame[0] in _ONE_SCAN_FRAMES and first[:1] == frame[6:7]:
        return
    scans = itertools.accumulate((marker == _SCAN for marker, _ in rest), initial=1)
    if any(count > max_scans for count in scans):
        raise Refused("too_many_scans", f"The JPEG is stored in more than {max_scans} scans; save it again.")


def _shape(frame: bytes, exif: bytes) -> Shape:
    if len(frame) < 7:
        raise damaged("it does not say how large it is")
    height, width = struct.unpack(">HH", frame[2:6])
    return Shape(width, height, tiff.orientation(exif))


def _segments(file: BinaryIO) -> Iterator[tuple[int, bytes]]:
    """Yield marker and content of each segment, until the end marker or the end of the file."""
    for _ in range(_MOST_SEGMENTS):
        marker = _next_marker(file)
        if marker in (None, _END):
            return
        if marker != _START:
            size = struct.unpack(">H", take(file, 2))[0]
            yield marker, take(file, max(size - 2, 0))
    raise damaged("it has too many segments")


def _next_marker(file: BinaryIO) -> int | None:
    """Return the next marker and leave the file behind it; None at the end of the file."""
    start = file.tell()
    chunk = file.read(2)  # most markers follow at once; only entropy-coded scans need the search
    while len(chunk) > 1:
        if found := _MARKER.search(chunk):
            file.seek(start + found.end())
            return found[1][0]
        start += len(chunk) - 1  # a marker may begin with the last byte of this chunk
        file.seek(start)
        chunk = file.read(_CHUNK)
    return None
