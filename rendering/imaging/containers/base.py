"""What every header reader shares: the shape it finds, and reading exactly so many bytes."""

from dataclasses import dataclass
from typing import BinaryIO

from rendering.imaging.refusal import Refused

UPRIGHT = 1
LARGEST_PIECE = 4_000_000  # of a header, read at once: Python reserves what it is asked for, before it reads
LARGEST_EXIF = 1 << 16
_LAST_ORIENTATION = 8
_FIRST_QUARTER_TURN = 5


@dataclass(frozen=True)
class Shape:
    """Width and height as stored, and the EXIF orientation (1 to 8) by which a viewer turns them."""

    width: int
    height: int
    orientation: int = UPRIGHT

    @property
    def displayed(self) -> tuple[int, int]:
        """Width and height as a viewer shows them."""
        if _FIRST_QUARTER_TURN <= self.orientation <= _LAST_ORIENTATION:
            return self.height, self.width
        return self.width, self.height


def take(file: BinaryIO, size: int) -> bytes:
    """Return the next bytes of the file; raise Refused if it ends before, or they are too many for a header."""
    taken = file.read(min(size, LARGEST_PIECE))
    if len(taken) < size:
        raise damaged("it ends in the middle of its header")
    return taken


def damaged(what: str) -> Refused:
    """Return the refusal of a header that cannot be right."""
    return Refused("damaged", f"The picture is damaged: {what}.")


def unsupported(what: str) -> Refused:
    """Return the refusal of a kind of file that is not read here."""
    return Refused("unsupported_format", f"{what} cannot be read here; save the picture as JPEG, PNG or WebP.")
