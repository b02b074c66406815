"""Encoding: faithful, sRGB-tagged, repeatable, and free of everything that the original carried."""

import io
from typing import Any

import numpy as np
import pytest
from PIL import Image, ImageCms, PngImagePlugin

from rendering.imaging import encode, xmp
from rendering.imaging.decode import decode
from rendering.imaging.encode import CONTENT_TYPES, EXTENSIONS, FORMATS
from rendering.imaging.header import Limits, Refused
from tests.rendering.imaging import pictures

PIXELS = np.ascontiguousarray(np.asarray(pictures.scene(320, 200))[:, :, ::-1])
MARKERS = (b"PlantedMaker", b"PlantedSerial", b"PlantedComment", b"PlantedXmp", b"PlantedProfile", b"PlantedGps")


def opened(content: bytes) -> Image.Image:
    image = Image.open(io.BytesIO(content))
    image.load()
    return image


def planted(kind: str) -> bytes:
    """A picture with markers in every kind of metadata that its format can carry."""
    exif = Image.Exif()
    exif[271], exif[37500] = "PlantedMaker", b"PlantedMakerNote"
    exif.get_ifd(0x8769)[42033] = "PlantedSerial"
    exif.get_ifd(0x8825).update({1: "N", 2: (52.0, 31.0, 12.0), 27: b"PlantedGps"})
    profile = bytearray(ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB")).tobytes())
    profile += b"PlantedProfile"
    options: dict[str, Any] = {"exif": exif.tobytes(), "icc_profile": bytes(profile), "xmp": b"<x>PlantedXmp</x>"}
    if kind == "jpeg":
        options["comment"] = b"PlantedComment"
    if kind == "png":
        texts = PngImagePlugin.PngInfo()
        texts.add_text("Comment", "PlantedComment")
        options["pnginfo"] = texts
    return pictures.saved(pictures.scene(), kind, **options)


@pytest.mark.parametrize("kind", FORMATS)
def test_encode_is_faithful(kind):
    image = opened(encode.encode(PIXELS, format=kind))

    difference = np.abs(np.asarray(image.convert("RGB")).astype(int) - PIXELS[:, :, ::-1])
    assert (image.format, image.size) == (kind.upper(), (320, 200))
    assert difference.mean() < (0.01 if kind == "png" else 4)


@pytest.mark.parametrize("kind", FORMATS)
def test_encode_gives_the_same_bytes_each_time(kind):
    assert encode.encode(PIXELS, format=kind) == encode.encode(PIXELS.copy(), format=kind)


@pytest.mark.parametrize("kind", ["jpeg", "webp", "avif"])
def test_encode_is_smaller_at_lower_quality(kind):
    sizes = [len(encode.encode(PIXELS, format=kind, quality=quality)) for quality in (30, 60, 95)]

    assert sizes == sorted(sizes)
    assert len(set(sizes)) == 3


@pytest.mark.parametrize("packet", [None, xmp.packet({"Style": "oil"})])
@pytest.mark.parametrize("quality", [30, 75, 86])
def test_encode_writes_the_jpeg_that_pillow_writes(quality, packet):
    plain = opened(encode.encode(PIXELS, format="png"))
    profile = opened(encode.encode(PIXELS, format="webp")).info["icc_profile"]
    options = {"xmp": packet} if packet else {}

    content = encode.encode(PIXELS, format="jpeg", quality=quality, xmp=packet)

    assert content == pictures.saved(
        plain, "jpeg", quality=quality, subsampling="4:4:4", icc_profile=profile, **options
    )


@pytest.mark.parametrize("kind", ["jpeg", "webp"])
def test_encode_tags_as_srgb_by_profile(kind):
    profile = opened(encode.encode(PIXELS, format=kind)).info["icc_profile"]

    name = ImageCms.getProfileDescription(ImageCms.ImageCmsProfile(io.BytesIO(profile)))
    assert name.strip() == "sRGB built-in"


def test_encode_tags_png_by_its_own_chunk():
    assert opened(encode.encode(PIXELS, format="png")).info["srgb"] == 0


def test_encode_tags_avif_by_its_own_color_header():
    content = encode.encode(PIXELS, format="avif")

    at = content.index(b"colrnclx")
    primaries, transfer = (int.from_bytes(content[at + 8 + 2 * n : at + 10 + 2 * n], "big") for n in range(2))
    assert (primaries, transfer) == (1, 13)  # BT.709 and sRGB, by ITU-T H.273


@pytest.mark.parametrize("kind", FORMATS)
def test_encode_writes_no_metadata(kind):
    info = opened(encode.encode(PIXELS, format=kind)).info

    assert info.keys().isdisjoint({"exif", "xmp", "XML:com.adobe.xmp", "comment", "photoshop"})


@pytest.mark.parametrize("source", ["jpeg", "png", "webp", "avif"])
@pytest.mark.parametrize("target", FORMATS)
def test_nothing_of_the_original_leaves(source, target):
    original = planted(source)
    pixels = decode(io.BytesIO(original), limits=Limits(), long_edge=None).pixels

    content = encode.encode(pixels, format=target, xmp=xmp.packet({"Style": "oil"}))

    assert sum(marker in original for marker in MARKERS) >= 4
    assert [marker for marker in MARKERS if marker in content or b"Planted" in content] == []


@pytest.mark.parametrize("kind", FORMATS)
def test_encode_carries_a_label(kind):
    texts = {"Style": "oil", "Look": 'a "quoted" & <odd> one', "Parameters": "size=7"}

    content = encode.encode(PIXELS, format=kind, xmp=xmp.packet(texts))

    assert xmp.label(io.BytesIO(content)) == texts
    assert np.array_equal(np.asarray(opened(content)), np.asarray(opened(encode.encode(PIXELS, format=kind))))


def test_label_is_empty_for_other_peoples_files():
    assert xmp.label(io.BytesIO(planted("jpeg"))) == {}
    assert xmp.label(io.BytesIO(encode.encode(PIXELS, format="png"))) == {}


def test_label_of_something_else_is_an_error():
    with pytest.raises(OSError, match="cannot identify"):
        xmp.label(io.BytesIO(b"no picture"))


@pytest.mark.parametrize(("kind", "longest"), [("jpeg", 65_500), ("webp", 16_383)])
def test_encode_refuses_sides_that_the_format_cannot_hold(kind, longest):
    assert encode.encode(np.zeros((16, longest, 3), np.uint8), format=kind)

    with pytest.raises(Refused) as refused:
        encode.encode(np.zeros((16, longest + 1, 3), np.uint8), format=kind)
    assert refused.value.code == "too_large_side"


@pytest.mark.parametrize("kind", FORMATS)
@pytest.mark.parametrize("shape", [(1, 1), (1, 37), (23, 1)])
def test_encode_survives_tiny_pictures(kind, shape):
    assert opened(encode.encode(np.zeros((*shape, 3), np.uint8), format=kind)).size == shape[::-1]


def test_formats_have_extensions_and_content_types():
    assert EXTENSIONS == {"jpeg": "jpg", "png": "png", "webp": "webp", "avif": "avif"}
    assert CONTENT_TYPES == {"jpeg": "image/jpeg", "png": "image/png", "webp": "image/webp", "avif": "image/avif"}


def test_encode_takes_views():
    view = PIXELS[::2, ::-1]

    assert encode.encode(view, format="png") == encode.encode(view.copy(), format="png")
