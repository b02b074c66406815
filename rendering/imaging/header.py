"""What a file is and how large, from its header alone; nothing is decoded, so a web process may ask."""

import importlib.util
import io
from collections.abc import Callable
from dataclasses import dataclass
from typing import BinaryIO

from rendering.imaging.containers import bmp, gif, isobmff, jpeg, png, tiff, webp
from rendering.imaging.containers.base import Shape, damaged, unsupported
from rendering.imaging.refusal import Reason, Refused

__all__ = ["Header", "Limits", "Reason", "Refused", "check_size", "inspect"]

_OPENING = 512
_MEGA = 1_000_000
_HEIF_READER = importlib.util.find_spec("pillow_heif")

_MEASURES: dict[str, Callable[[BinaryIO], Shape]] = {
    "png": png.measure,
    "webp": webp.measure,
    "avif": isobmff.measure,
    "heif": isobmff.measure,
    "tiff": tiff.measure,
    "gif": gif.measure,
    "bmp": bmp.measure,
}
_SIGNATURES = {
    b"\xff\xd8\xff": "jpeg",
    b"\x89PNG\r\n\x1a\n": "png",
    b"GIF87a": "gif",
    b"GIF89a": "gif",
    b"II*\0": "tiff",
    b"MM\0*": "tiff",
    b"BM": "bmp",
}
_OTHERS = {
    b"\xff\x0a": "A JPEG XL picture",
    b"\0\0\0\x0cJXL ": "A JPEG XL picture",
    b"\0\0\0\x0cjP  ": "A JPEG 2000 picture",
    b"\xff\x4f\xff\x51": "A JPEG 2000 picture",
    b"II+\0": "A BigTIFF picture",
    b"MM\0+": "A BigTIFF picture",
    b"8BPS": "A Photoshop file",
    b"\0\0\1\0": "An icon",
    b"FUJIFILMCCD-RAW": "A camera's raw photo",
    b"v/1\1": "An OpenEXR picture",
    b"qoif": "A QOI picture",
    b"DDS ": "A texture",
    b"%PDF": "A PDF document",
    b"%!PS": "A PostScript document",
    b"<svg": "An SVG drawing",
}


@dataclass(frozen=True)
class Limits:
    """What a picture may be at most, and at least, before it is decoded."""

    max_bytes: int = 40_000_000
    max_megapixels: int = 50
    max_side: int = 20_000
    min_side: int = 16
    max_scans: int = 64


@dataclass(frozen=True)
class Header:
    """Format, and width and height in pixels as a viewer shows them (after EXIF turning)."""

    format: str
    width: int
    height: int


def inspect(file: BinaryIO, limits: Limits) -> Header:
    """Return what the file is, by its content; raise Refused for what is not painted here.

    Formats: jpeg (MPO as well), png, webp, avif, heif, tiff, gif, bmp. Reads headers in plain Python; walks to the
    end only where a JPEG may hold several scans. Leaves the file at any position.
    """
    file.seek(0, io.SEEK_END)
    if file.tell() > limits.max_bytes:
        megabytes = limits.max_bytes // _MEGA
        raise Refused("too_many_bytes", f"The file is larger than {megabytes} MB.")
    file.seek(0)
    found = _sniff(file)
    file.seek(0)
    shape = jpeg.measure(file, limits.max_scans) if found == "jpeg" else _MEASURES[found](file)
    width, height = shape.displayed
    check_size(width, height, limits)
    return Header(found, width, height)


def check_size(width: int, height: int, limits: Limits) -> None:
    """Raise Refused for a picture of more pixels, longer or shorter sides than the limits allow."""
    if width <= 0 or height <= 0:
        raise damaged("it says that it has no size")
    if max(width, height) > limits.max_side:
        text = f"The picture is {width} by {height} pixels; a side may have {limits.max_side:,} at most."
        raise Refused("too_large_side", text)
    if width * height > limits.max_megapixels * _MEGA:
        text = f"The picture has {width * height / _MEGA:.0f} megapixels; {limits.max_megapixels} are the most."
        raise Refused("too_many_pixels", text)
    if min(width, height) < limits.min_side:
        text = f"The picture is {width} by {height} pixels; each side needs {limits.min_side} at least."
        raise Refused("too_small", text)


def _sniff(file: BinaryIO) -> str:
    """Return the format that the first bytes tell; names and claimed types are never asked."""
    opening = file.read(_OPENING)
    for signature, found in _SIGNATURES.items():
        if opening.startswith(signature):
            return found
    if opening[:4] == b"RIFF" and opening[8:12] == b"WEBP":
        return "webp"
    if opening[4:8] == b"ftyp":
        return _readable_family(file)
    raise _stranger(opening)


def _readable_family(file: BinaryIO) -> str:
    file.seek(0)
    found = isobmff.family(file)
    if found == "heif" and _HEIF_READER is None:
        raise unsupported("A HEIC photo")
    return found


def _stranger(opening: bytes) -> Refused:
    beginning = opening.lstrip(b"\xef\xbb\xbf \t\r\n")
    for signature, name in _OTHERS.items():
        if opening.startswith(signature) or beginning.startswith(signature):
            return unsupported(name)
    if b"<svg" in opening.lower():
        return unsupported("An SVG drawing")
    return Refused("not_an_image", "This file is not a picture.")
