"""From what decoders give (palettes, alpha, 16 bits, color profiles) to 8-bit sRGB."""

import io
from typing import Final

import cv2
import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageCms

from rendering.imaging import Pixels, Samples

_SRGB: Final = ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB"))
_FROM_LAB: Final = ImageCms.buildTransform(ImageCms.createProfile("LAB"), _SRGB, "LAB", "RGB")
_READY_MODES = {"L", "RGB", "CMYK"}
_GREY_MODES = {"1", "L", "LA", "La"}
_DEEP_MODES = {"I": np.float32, "F": np.float32, "I;16": np.uint16, "I;16L": np.uint16, "I;16B": np.uint16}
_MODES = {1: "L", 3: "RGB", 4: "CMYK"}
_ROWS = 256  # of a strip: no second copy of a large picture, and small enough for the cache
_STEPS = np.linspace(0, 255, 6).astype(np.uint8)  # of each channel, when a profile is compared with sRGB


def samples(image: Image.Image) -> Samples:
    """Return the pixels of a decoded picture: palettes resolved, alpha laid on white, grey and CMYK as they are."""
    first = _strip(image, 0)
    result = np.empty((image.height, *first.shape[1:]), first.dtype)
    for top in range(0, image.height, _ROWS):
        result[top : top + _ROWS] = _strip(image, top)
    return result


def to_bgr(picture: Samples, profile: bytes | None) -> Pixels:
    """Return samples as contiguous 8-bit sRGB, blue first.

    The ICC profile may be one for grey, RGB or CMYK; it is applied perceptually, as browsers do. A broken one, or one
    for other channels, is ignored. Without a profile the samples count as sRGB, or as plain complements for CMYK.
    """
    shallow = _to_8_bits(picture)
    mode = _MODES[shallow.shape[2] if shallow.ndim > 2 else 1]
    transform = _transform(profile, mode) if profile else None
    if transform is None and mode != "CMYK":
        return cv2.cvtColor(shallow, cv2.COLOR_GRAY2BGR if mode == "L" else cv2.COLOR_RGB2BGR)  # type: ignore[return-value]  # of bytes
    result = np.empty((*shallow.shape[:2], 3), np.uint8)
    for top in range(0, len(shallow), _ROWS):
        strip = Image.fromarray(shallow[top : top + _ROWS], mode)
        result[top : top + _ROWS] = np.asarray(transform.apply(strip) if transform else strip.convert("RGB"))[..., ::-1]
    return result


def _strip(image: Image.Image, top: int) -> Samples:
    strip = image.crop((0, top, image.width, min(top + _ROWS, image.height)))
    if image.mode in _DEEP_MODES:
        return np.asarray(strip).astype(_DEEP_MODES[image.mode])
    return np.asarray(_plain(strip))


def _plain(image: Image.Image) -> Image.Image:
    if image.has_transparency_data:
        return _on_white(image)
    if image.mode in _READY_MODES:
        return image
    if image.mode == "LAB":
        return _FROM_LAB.apply(image)
    return image.convert("L" if image.mode == "1" else "RGB")


def _on_white(image: Image.Image) -> Image.Image:
    """Lay a picture on white paper; a plain convert() would show what was erased by making it clear."""
    mode = "L" if image.mode in _GREY_MODES else "RGB"
    clear = image.convert(mode + "A")
    paper = Image.new(mode, image.size, "white")
    paper.paste(clear.convert(mode), mask=clear.getchannel("A"))
    return paper


def _to_8_bits(picture: Samples) -> NDArray[np.uint8]:
    """Return 0…65535 as 0…255, rounded; numbers without a known range are stretched from darkest to lightest."""
    if picture.dtype == np.uint8:
        return picture.astype(np.uint8, copy=False)
    if picture.dtype == np.uint16:
        return ((picture.astype(np.uint32) + 128) // 257).astype(np.uint8)
    known = np.nan_to_num(picture.astype(np.float64))
    low, high = known.min(), known.max()
    stretched: NDArray[np.float64] = (known - low) * (255 / max(high - low, 1e-30))
    return np.rint(stretched).astype(np.uint8)


def _transform(profile: bytes, mode: str) -> ImageCms.ImageCmsTransform | None:
    """Return the way from the profile to sRGB; None if it is broken, for other channels, or sRGB itself."""
    try:
        source = ImageCms.ImageCmsProfile(io.BytesIO(profile))
        transform = ImageCms.buildTransform(source, _SRGB, mode, "RGB")
    except (ImageCms.PyCMSError, OSError, ValueError, TypeError):
        return None
    return None if mode == "RGB" and _changes_nothing(transform) else transform


def _changes_nothing(transform: ImageCms.ImageCmsTransform) -> bool:
    """Say whether 216 colors stay within one level: most profiles of photos are sRGB, written out."""
    colors = np.stack(np.meshgrid(_STEPS, _STEPS, _STEPS), -1).reshape(1, -1, 3)
    changed = np.asarray(transform.apply(Image.fromarray(colors)))
    return bool(np.abs(changed.astype(int) - colors).max() <= 1)
