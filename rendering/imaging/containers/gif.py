"""GIF headers: the logical screen (GIF89a, section 18)."""

import struct
from typing import BinaryIO

from rendering.imaging.containers.base import Shape, take


def measure(file: BinaryIO) -> Shape:
    """Return the shape of a GIF file's screen; a first frame beyond it is found by the decoder."""
    return Shape(*struct.unpack("<HH", take(file, 10)[6:]))
