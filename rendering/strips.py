"""The small paintings of one photo side by side in one file: a card of an album asks once instead of four times.

Nothing of it is kept here: drawing takes less than the requests that it saves, and the browser keeps what it got.
"""

import hashlib
from collections.abc import Sequence

import cv2
import numpy as np

from rendering import store
from rendering.imaging import Pixels
from rendering.imaging.encode import encode
from rendering.models import Rendition

CELL = 128
"""Pixels of one painting each way: a third more than a card shows of it on a phone, twice as many as on a desk."""
QUALITY = 60
LONGEST = 4
"""So many paintings are side by side at most."""
PAPER = 232  # the gray of a cell whose painting has gone meanwhile


def digest(paintings: Sequence[Rendition | None]) -> str:
    """Return what tells a strip of these paintings from any other: folders are never written to twice."""
    folders = "\n".join(each.folder if each else "" for each in paintings)
    return hashlib.sha256(f"{CELL} {QUALITY}\n{folders}".encode()).hexdigest()[:16]


def draw(paintings: Sequence[Rendition | None]) -> bytes:
    """Return a WebP of square cells, one for each painting; None is an empty cell. Raises store.Unavailable."""
    return encode(np.hstack([_cell(each) for each in paintings]), format="webp", quality=QUALITY)


def _cell(painting: Rendition | None) -> Pixels:
    try:
        pixels = _middle(painting) if painting else None
    except store.Missing:
        pixels = None
    if pixels is None:
        return np.full((CELL, CELL, 3), PAPER, np.uint8)
    return np.asarray(cv2.resize(pixels, (CELL, CELL), interpolation=cv2.INTER_AREA), np.uint8)


def _middle(painting: Rendition) -> Pixels | None:
    """Return the square in the middle of a painting, from the smallest file that has enough pixels for it."""
    width = min((each for each in painting.widths if each >= 2 * CELL), default=max(painting.widths))
    content = np.frombuffer(store.read(store.page_file(painting.folder, width)), np.uint8)
    # Our own JPEGs, no stranger's; half the size costs a JPEG decoder a quarter.
    enough = min(width, width * painting.height // painting.width) >= 2 * CELL
    read = cv2.imdecode(content, cv2.IMREAD_REDUCED_COLOR_2 if enough else cv2.IMREAD_COLOR)
    if read is None:
        return None
    height, width = read.shape[:2]
    side = min(height, width)
    top, left = (height - side) // 2, (width - side) // 2
    return np.asarray(read[top : top + side, left : left + side], np.uint8)
