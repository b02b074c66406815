"""Copies of a picture as people, cameras, editors and thieves make them."""

import io
from collections.abc import Callable

import cv2
import numpy as np
from PIL import Image, ImageDraw, ImageFont

from rendering.imaging import Pixels


def saved_again(picture: Image.Image) -> Image.Image:
    return _through_jpeg(picture, 75)


def half_size(picture: Image.Image) -> Image.Image:
    small = picture.resize((picture.width // 2, picture.height // 2), Image.Resampling.LANCZOS)
    return _through_jpeg(small, 85)


def burst(picture: Image.Image) -> Image.Image:
    """The next frame: moved by half a pixel, with noise of its own."""
    pixels = np.asarray(picture)
    moved = np.array([[1, 0, 0.5], [0, 1, 0.5]], np.float32)
    shifted = cv2.warpAffine(pixels, moved, picture.size, flags=cv2.INTER_CUBIC, borderMode=cv2.BORDER_REFLECT)
    noise = np.random.default_rng(1).normal(0, 3, shifted.shape)
    return Image.fromarray(np.clip(shifted + noise, 0, 255).astype(np.uint8))


def recolored(picture: Image.Image) -> Image.Image:
    """Blue and red differences exchanged: the same brightness, other colors."""
    return Image.merge("YCbCr", [picture.convert("YCbCr").getchannel(name) for name in ("Y", "Cr", "Cb")]).convert(
        "RGB"
    )


def grey(picture: Image.Image) -> Image.Image:
    return picture.convert("L").convert("RGB")


def captioned(picture: Image.Image) -> Image.Image:
    return written(picture, "Summer 2026", place=(0.05, 0.85), size=picture.height // 14, plate=None)


def mirrored(picture: Image.Image) -> Image.Image:
    return picture.transpose(Image.Transpose.FLIP_LEFT_RIGHT)


def cropped(picture: Image.Image) -> Image.Image:
    wide, high = picture.width // 50, picture.height // 50
    return picture.crop((wide, high, picture.width - wide, picture.height - high))


def pixelated(picture: Image.Image) -> Image.Image:
    """A face made unknowable: 5 % of the picture in squares."""
    side = int((picture.width * picture.height * 0.05) ** 0.5)
    left, top = (picture.width - side) // 2, (picture.height - side) // 2
    box = (left, top, left + side, top + side)
    face = picture.crop(box).resize((6, 6), Image.Resampling.BOX).resize((side, side), Image.Resampling.NEAREST)
    changed = picture.copy()
    changed.paste(face, box)
    return changed


def one_plate(picture: Image.Image) -> Image.Image:
    return _plate(picture, "AB 1234")


def other_plate(picture: Image.Image) -> Image.Image:
    return _plate(picture, "XK 7386")


def other_pin(picture: Image.Image) -> Image.Image:
    """Four small digits: too small for any look at the whole."""
    return written(picture, "4821", place=(0.4, 0.6), size=max(8, picture.height // 48), plate=None)


def flat(value: int) -> Image.Image:
    return Image.new("RGB", (320, 240), (value, value, value))


def collision(victim: Image.Image, attacker: Image.Image) -> Image.Image:
    """The attacker's picture with the victim's lowest frequencies of brightness: a near hash of another picture."""
    size = attacker.size
    wanted = _lowest(cv2.resize(np.asarray(victim.convert("L")), size)) * 0.6 + 50
    made = np.asarray(attacker).astype(np.float32) * 0.5 + 64
    for _ in range(6):
        brightness = np.asarray(Image.fromarray(made.astype(np.uint8)).convert("L"))
        made = np.clip(made + (wanted - _lowest(brightness))[..., None], 0, 255)
    return Image.fromarray(made.astype(np.uint8))


SMALL: dict[str, Callable[[Image.Image], Image.Image]] = {"plate": other_plate, "PIN": other_pin}
HONEST: dict[str, Callable[[Image.Image], Image.Image]] = {
    "saved again": saved_again,
    "half size": half_size,
    "burst": burst,
}
CHANGED: dict[str, Callable[[Image.Image], Image.Image]] = {
    "recolored": recolored,
    "grey": grey,
    "captioned": captioned,
    "mirrored": mirrored,
    "cropped": cropped,
    "pixelated": pixelated,
}


def written(
    picture: Image.Image, text: str, *, place: tuple[float, float], size: int, plate: tuple[int, int, int] | None
) -> Image.Image:
    """The picture with a text on it."""
    changed = picture.copy()
    draw, font = ImageDraw.Draw(changed), ImageFont.load_default(size)
    at = (place[0] * picture.width, place[1] * picture.height)
    if plate:
        box = draw.textbbox(at, "WW 8888", font=font)
        draw.rectangle((box[0] - 6, box[1] - 6, box[2] + 6, box[3] + 6), fill=plate)
    draw.text(at, text, font=font, fill=(0, 0, 0) if plate else (255, 255, 255))
    return changed


def bgr(picture: Image.Image) -> Pixels:
    return np.ascontiguousarray(np.asarray(picture)[:, :, ::-1])


def _plate(picture: Image.Image, text: str) -> Image.Image:
    return written(picture, text, place=(0.35, 0.55), size=picture.height // 14, plate=(250, 250, 250))


def _through_jpeg(picture: Image.Image, quality: int) -> Image.Image:
    file = io.BytesIO()
    picture.save(file, "JPEG", quality=quality)
    return Image.open(file).convert("RGB")


def _lowest(brightness: np.ndarray) -> np.ndarray:
    small = cv2.dct(cv2.resize(brightness.astype(np.float32), (64, 64), interpolation=cv2.INTER_AREA))
    kept = np.zeros_like(small)
    kept[:16, :16] = small[:16, :16]
    return cv2.resize(cv2.idct(kept), brightness.shape[::-1], interpolation=cv2.INTER_CUBIC)
