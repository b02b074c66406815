"""Picture files that tests make themselves: honest ones, odd ones, and lies."""

import io
import itertools
import struct
import zlib
from typing import Any

import cv2
import numpy as np
import pillow_heif
from PIL import Image, ImageCms

from rendering.imaging import Pixels

pillow_heif.register_heif_opener()

FORMATS = ("jpeg", "png", "webp", "avif", "heif", "tiff", "gif", "bmp")
TURNING_FORMATS = ("jpeg", "png", "webp", "avif", "heif", "tiff")
RED, GREEN, BLUE, YELLOW = (255, 0, 0), (0, 160, 0), (0, 0, 255), (255, 255, 0)
ORIENTATION = 274


def corners(width: int = 96, height: int = 64) -> Image.Image:
    """Four colors: red, green above blue, yellow."""
    picture = np.zeros((height, width, 3), np.uint8)
    picture[: height // 2, : width // 2] = RED
    picture[: height // 2, width // 2 :] = GREEN
    picture[height // 2 :, : width // 2] = BLUE
    picture[height // 2 :, width // 2 :] = YELLOW
    return Image.fromarray(picture)


def seen_corners(pixels: Pixels) -> list[tuple[int, int, int]]:
    """The nearest of the four colors at each corner, row by row."""
    height, width = pixels.shape[:2]
    places = itertools.product((height // 4, height * 3 // 4), (width // 4, width * 3 // 4))
    return [_nearest(pixels[row, column, ::-1]) for row, column in places]


def _nearest(color: np.ndarray) -> tuple[int, int, int]:
    return min((RED, GREEN, BLUE, YELLOW), key=lambda known: int(np.abs(color.astype(int) - known).sum()))


def scene(width: int = 320, height: int = 240, *, seed: int = 0) -> Image.Image:
    """Something like a photo: soft shapes and a little noise."""
    random = np.random.default_rng(seed)
    small = random.integers(0, 256, (max(height // 24, 2), max(width // 24, 2), 3), dtype=np.uint8)
    soft = cv2.resize(small, (width, height), interpolation=cv2.INTER_CUBIC).astype(float)
    return Image.fromarray(np.clip(soft + random.normal(0, 4, soft.shape), 0, 255).astype(np.uint8))


def in_mode(mode: str) -> Image.Image:
    """The four colors in another of Pillow's modes."""
    image = corners()
    if mode == "LAB":
        srgb, lab = ImageCms.createProfile("sRGB"), ImageCms.createProfile("LAB")
        return ImageCms.buildTransform(srgb, lab, "RGB", "LAB").apply(image)
    if mode == "I;16":
        return Image.fromarray(np.asarray(image.convert("L")).astype(np.uint16) * 257)
    return image.convert("RGBA" if mode == "PA" else mode)


def saved(image: Image.Image, kind: str, **options: Any) -> bytes:
    file = io.BytesIO()
    image.save(file, kind.upper(), **options)
    return file.getvalue()


def turned(image: Image.Image, kind: str, orientation: int) -> bytes:
    exif = Image.Exif()
    exif[ORIENTATION] = orientation
    return saved(image, kind, exif=exif.tobytes())


def jpeg_of_scans(count: int, image: Image.Image | None = None) -> bytes:
    """A progressive JPEG whose second scan is stored again and again."""
    content = saved(image or scene(64, 64), "jpeg", progressive=True)
    starts = [at for at in range(len(content) - 1) if content[at : at + 2] == b"\xff\xda"]
    tables = content.rindex(b"\xff\xc4", 0, starts[1])  # the Huffman table of the second scan
    end = content.index(b"\xff\xc4", starts[1])
    return content[:end] + content[tables:end] * (count - len(starts)) + content[end:]


def webp_claiming(width: int, height: int) -> bytes:
    size = struct.pack("<L", width - 1)[:3] + struct.pack("<L", height - 1)[:3]
    chunk = b"VP8X" + struct.pack("<L", 10) + bytes(4) + size
    return b"RIFF" + struct.pack("<L", 4 + len(chunk)) + b"WEBP" + chunk


def png_claiming(width: int, height: int) -> bytes:
    """A small PNG file whose header claims another size than its pixels have."""
    content = saved(scene(64, 64), "png")
    return content[:8] + _chunk(b"IHDR", struct.pack(">LL", width, height) + content[24:29]) + content[33:]


def interlaced_png(image: Image.Image) -> bytes:
    """An RGB picture as PNG in the seven passes of Adam7, which Pillow reads but does not write."""
    pixels = np.asarray(image)
    passes = ((0, 8, 0, 8), (0, 8, 4, 8), (4, 8, 0, 4), (0, 4, 2, 4), (2, 4, 0, 2), (0, 2, 1, 2), (1, 2, 0, 1))
    parts = (pixels[top::down, left::across] for top, down, left, across in passes)
    rows = b"".join(b"\0" + row.tobytes() for part in parts for row in part)
    header = struct.pack(">LLBBBBB", image.width, image.height, 8, 2, 0, 0, 1)
    chunks = ((b"IHDR", header), (b"IDAT", zlib.compress(rows)), (b"IEND", b""))
    return b"\x89PNG\r\n\x1a\n" + b"".join(_chunk(kind, content) for kind, content in chunks)


def _chunk(kind: bytes, content: bytes) -> bytes:
    return struct.pack(">L", len(content)) + kind + content + struct.pack(">L", zlib.crc32(kind + content))


def jpeg_claiming(width: int, height: int) -> bytes:
    content = bytearray(saved(scene(64, 64), "jpeg"))
    frame = content.index(b"\xff\xc0")
    content[frame + 5 : frame + 9] = struct.pack(">HH", height, width)
    return bytes(content)


def gif_claiming(width: int, height: int) -> bytes:
    content = bytearray(saved(scene(64, 64), "gif"))
    content[6:10] = struct.pack("<HH", width, height)
    return bytes(content)


def bmp_claiming(width: int, height: int) -> bytes:
    content = bytearray(saved(scene(64, 64), "bmp"))
    content[18:26] = struct.pack("<ll", width, height)
    return bytes(content)


def run_length_bmp() -> bytes:
    content = bytearray(saved(Image.new("P", (64, 64)), "bmp"))
    content[30:34] = struct.pack("<L", 1)
    return bytes(content)


def tiff(entries: dict[int, int], pixels: bytes = bytes(64)) -> bytes:
    """A little-endian TIFF file of one directory with these long numbers, its strip behind it."""
    known = {**entries, 273: 8 + 2 + 12 * (len(entries) + 1) + 4}
    directory = b"".join(struct.pack("<HHLL", tag, 4, 1, value) for tag, value in sorted(known.items()))
    return b"II*\0" + struct.pack("<LH", 8, len(known)) + directory + bytes(4) + pixels


def box(kind: bytes, content: bytes) -> bytes:
    return struct.pack(">L4s", 8 + len(content), kind) + content


def avif_claiming(width: int, height: int) -> bytes:
    content = saved(scene(64, 64), "avif")
    return content.replace(b"ispe" + struct.pack(">LLL", 0, 64, 64), b"ispe" + struct.pack(">LLL", 0, width, height))
