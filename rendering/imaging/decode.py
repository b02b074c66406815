"""From a stranger's file to pixels: the one place where Pillow decodes, behind limits that hold before and after."""

import contextlib
import importlib
import io
import warnings
from dataclasses import dataclass
from typing import BinaryIO, Final

import cv2
import numpy as np
from numpy.typing import NDArray
from PIL import AvifImagePlugin, ExifTags, Image

from rendering.imaging import Pixels, color, scale
from rendering.imaging.header import Limits, Refused, check_size, inspect

# One core per picture: threads would cost other people's pictures, and address space under the worker's limit.
AvifImagePlugin.DEFAULT_MAX_THREADS = 1
with contextlib.suppress(ImportError):  # HEIC is an extra; without it inspect() refuses in words
    importlib.import_module("pillow_heif").register_heif_opener(decode_threads=1, thumbnails=False)

_END_OF_IMAGE = b"\xff\xd9"
_QUARTER_TURNS: Final = frozenset({5, 6, 7, 8})
# A JPEG decoded at a half takes 58 instead of 116 CPU ms (12 MP) and is within 1.8 of 255 levels of area scaling, at
# any size. A quarter saves 2 ms more, and is within 2 levels only if it is three times as large as what is wanted.
_DRAFTS: Final = ((4, 3), (2, 1))


@dataclass(frozen=True)
class Decoded:
    """A picture that was read: its pixels, and width, height and format of the upright original."""

    pixels: Pixels
    width: int
    height: int
    format: str
    notes: tuple[str, ...]


def decode(file: BinaryIO, *, limits: Limits, long_edge: int | None) -> Decoded:
    """Read a picture: upright, sRGB, on white, its longer side at most long_edge pixels (None: full size).

    Notes hold `truncated` if a JPEG ended early and the readable part was used. Raises Refused for everything that
    cannot be painted. Only the first frame is read. Meant for a child process with limits on memory and time.
    """
    found = inspect(file, limits).format
    file.seek(0)
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # of broken metadata; it is not used
            return _read(file.read(), found, limits, long_edge)
    except Refused:
        raise
    except MemoryError as error:
        raise _out_of_memory() from error
    except Exception as error:
        if "memory" in str(error).lower():  # libavif and libheif say it in words
            raise _out_of_memory() from error
        raise Refused("damaged", "The picture is damaged and cannot be read.") from error


def open_page(content: bytes) -> Pixels:
    """Return the pixels of a page file that our own encoder wrote: a JPEG in sRGB, upright. Raises OSError.

    Nothing of it is doubted: it takes a third of the time of decode(), most of which goes into its color profile.
    """
    with Image.open(io.BytesIO(content), formats=["JPEG"]) as image:
        return cv2.cvtColor(np.asarray(image.convert("RGB")), cv2.COLOR_RGB2BGR)  # type: ignore[return-value]  # of bytes


def _read(content: bytes, found: str, limits: Limits, long_edge: int | None) -> Decoded:
    try:
        return _decoded(content, found, limits, long_edge)
    except OSError:
        if found != "jpeg":
            raise
    # The end is missing. With an end mark libjpeg fills the rest with grey, so that the readable part can be painted.
    decoded = _decoded(content + _END_OF_IMAGE, found, limits, long_edge)
    return Decoded(decoded.pixels, decoded.width, decoded.height, found, ("truncated",))


def _decoded(content: bytes, found: str, limits: Limits, long_edge: int | None) -> Decoded:
    image = Image.open(io.BytesIO(content), formats=[found.upper()])
    check_size(*image.size, limits)  # again: a decoder may see another size than the header reader
    width, height = image.size
    size = scale.fitted(width, height, long_edge)
    _draft(image, size)
    _load(image, found)
    orientation, profile = _orientation(image), image.info.get("icc_profile")
    picture = color.samples(image)
    image.close()  # frees the decoder's copy before the next one is made
    pixels = _upright(color.to_bgr(scale.to_size(picture, size), profile), orientation)
    if orientation in _QUARTER_TURNS:
        width, height = height, width
    return Decoded(pixels, width, height, found, ())


def _draft(image: Image.Image, size: tuple[int, int]) -> None:
    """Let a JPEG decode at a half or a quarter, where the result stays close to scaling the whole by area."""
    for divisor, surplus in _DRAFTS:
        if image.width >= divisor * surplus * size[0]:
            image.draft(None, (image.width // divisor, image.height // divisor))
            return


def _load(image: Image.Image, found: str) -> None:
    expected = image.size
    image.load()
    if image.size != expected:
        raise Refused("damaged", f"The picture is damaged: the {found.upper()} holds another size than it says.")


def _orientation(image: Image.Image) -> int:
    """Return the EXIF orientation, 1 if there is none or the metadata is broken."""
    try:
        return int(image.getexif().get(ExifTags.Base.Orientation, 1))
    except Exception:  # noqa: BLE001 - broken metadata must not cost anybody the picture
        return 1


def _upright(pixels: Pixels, orientation: int) -> Pixels:
    """Return the picture turned and mirrored as the EXIF orientation says (TIFF 6.0, tag 274)."""
    turned: dict[int, NDArray[np.uint8]] = {
        2: pixels[:, ::-1],
        3: pixels[::-1, ::-1],
        4: pixels[::-1],
        5: pixels.transpose(1, 0, 2),
        6: pixels[::-1].transpose(1, 0, 2),
        7: pixels[::-1, ::-1].transpose(1, 0, 2),
        8: pixels[:, ::-1].transpose(1, 0, 2),
    }
    return np.ascontiguousarray(turned.get(orientation, pixels))


def _out_of_memory() -> Refused:
    return Refused("out_of_memory", "The picture needs more memory than there is for one; a smaller copy will do.")
