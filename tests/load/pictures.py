"""Photos for the benches, made from the sample photos: each another picture, none of them noise."""

import struct
from collections.abc import Iterator
from itertools import islice
from pathlib import Path

import cv2
import numpy as np
from cv2.typing import MatLike
from PIL import Image

from rendering.imaging import Pixels

FOLDER = Path(__file__).resolve().parent.parent / "photos"
LARGE = ("book-beside-flowers.jpg", "japanese-shop.jpg")
TWELVE_MEGAPIXELS = (4000, 3000)
# Parts of a picture by how much of it they show, and where they begin: perceptual hashes differ by 94 bits at least.
WINDOWS = ((0.8, (0.0, 1.0)), (0.65, (0.0, 0.5, 1.0)))
# How far the window moves over the picture from one photo of a burst to the next, in pixels each way.
STEP = 3


def opened(name: str) -> Pixels:
    """Return a sample photo's pixels, blue first."""
    with Image.open(FOLDER / name) as image:
        return np.ascontiguousarray(np.asarray(image.convert("RGB"))[:, :, ::-1])


def twelve_megapixels(count: int) -> Iterator[bytes]:
    """Yield JPEGs of 4000 by 3000 pixels and about 3 MB, as phones make them; no two show the same (208 at most)."""
    wide = [opened(name) for name in LARGE]
    windows = [(scale, x, y) for scale, places in WINDOWS for x in places for y in places]
    shown = (
        _window(view, *window) for window in windows for views in zip(*map(_views, wide), strict=True) for view in views
    )
    for number, part in enumerate(islice(shown, count)):
        yield jpeg(cv2.resize(part, TWELVE_MEGAPIXELS, interpolation=cv2.INTER_CUBIC), quality=97, camera=number)


def burst(count: int) -> Iterator[bytes]:
    """Yield JPEGs of 4000 by 3000 pixels and 3 to 5 MB of two things from a hand that moves: each looks like others."""
    width, height = TWELVE_MEGAPIXELS
    room = STEP * (count + 1)
    wide = [_landscape(opened(name)) for name in LARGE]
    large = [cv2.resize(each, (width + room, height + room), interpolation=cv2.INTER_CUBIC) for each in wide]
    for number in range(count):
        whole, at = large[number % len(large)], STEP * number
        window = whole[at : at + height, room - at : room - at + width]
        yield jpeg(window, quality=96 - number % 2, camera=number)


def scenes(count: int) -> Iterator[Pixels]:
    """Yield pictures that show different things: parts of the large photos, then the same mirrored or turned."""
    turns = (lambda part: part, lambda part: part[:, ::-1], lambda part: part[::-1], lambda part: part[::-1, ::-1])
    parts = [part for name in LARGE for part in _parts(opened(name))]
    made = (np.ascontiguousarray(turn(part)) for turn in turns for part in parts)
    for _ in range(count):
        yield next(made)


def jpeg(pixels: MatLike, *, quality: int = 92, camera: int = 0) -> bytes:
    """Return a JPEG with the name of a camera in its EXIF block: another number is another file."""
    made = cv2.imencode(".jpg", pixels, [cv2.IMWRITE_JPEG_QUALITY, quality])[1].tobytes()
    return with_camera(made, camera)


def with_camera(content: bytes, number: int) -> bytes:
    """Return a JPEG with one more metadata block, and not a pixel changed."""
    name = f"Camera {number}\0".encode().ljust(16, b"\0")
    tiff = b"II*\0" + struct.pack("<LHHHLLL", 8, 1, 0x0110, 2, len(name), 26, 0) + name
    block = b"Exif\0\0" + tiff
    return content[:2] + b"\xff\xe1" + struct.pack(">H", len(block) + 2) + block + content[2:]


def _landscape(pixels: Pixels) -> Pixels:
    upright = pixels.shape[0] > pixels.shape[1]
    return np.ascontiguousarray(pixels.transpose(1, 0, 2)) if upright else pixels


def _views(pixels: Pixels) -> Iterator[Pixels]:
    """Yield a picture turned by each quarter, and each of these mirrored."""
    for quarters in range(4):
        turned = np.rot90(pixels, quarters)
        yield np.ascontiguousarray(turned)
        yield np.ascontiguousarray(turned[:, ::-1])


def _window(pixels: Pixels, scale: float, x: float, y: float) -> Pixels:
    """Return a part of 4 by 3, so large against the largest of that shape, so far to the right and down."""
    height, width = pixels.shape[:2]
    across = int(scale * min(width, height * 4 // 3))
    down = across * 3 // 4
    left, top = int(x * (width - across)), int(y * (height - down))
    return pixels[top : top + down, left : left + across]


def _parts(pixels: Pixels) -> Iterator[Pixels]:
    """Yield the tiles of a large photo, four each way."""
    height, width = (length // 4 for length in pixels.shape[:2])
    for row in range(4):
        for column in range(4):
            yield pixels[row * height : (row + 1) * height, column * width : (column + 1) * width]
