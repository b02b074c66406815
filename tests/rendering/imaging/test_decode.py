"""Decoding: every kind of file becomes upright, opaque, 8-bit sRGB of the right size, or a refusal."""

import io
import struct
from pathlib import Path

import cv2
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image, ImageCms

from rendering.imaging.decode import Decoded, decode
from rendering.imaging.header import Limits, Refused
from tests.rendering.imaging import pictures, profiles

PHOTOS = Path(__file__).parents[2] / "photos"
LIMITS = Limits()
RED, GREEN, BLUE, YELLOW = pictures.RED, pictures.GREEN, pictures.BLUE, pictures.YELLOW


def read(content: bytes, long_edge: int | None = None) -> Decoded:
    return decode(io.BytesIO(content), limits=LIMITS, long_edge=long_edge)


def refusal(content: bytes) -> str:
    with pytest.raises(Refused) as refused:
        read(content)

    return refused.value.code


def middle(decoded: Decoded) -> list[int]:
    """The color in the middle, red first."""
    height, width = decoded.pixels.shape[:2]
    return [int(value) for value in decoded.pixels[height // 2, width // 2, ::-1]]


@pytest.mark.parametrize("kind", pictures.FORMATS)
def test_decode_gives_contiguous_blue_first_bytes(kind):
    decoded = read(pictures.saved(pictures.corners(), kind))

    assert (decoded.format, decoded.width, decoded.height, decoded.notes) == (kind, 96, 64, ())
    assert (decoded.pixels.shape, decoded.pixels.dtype.name) == ((64, 96, 3), "uint8")
    assert decoded.pixels.flags["C_CONTIGUOUS"]
    assert pictures.seen_corners(decoded.pixels) == [RED, GREEN, BLUE, YELLOW]


@pytest.mark.parametrize(
    ("orientation", "corners"),
    [
        (1, [RED, GREEN, BLUE, YELLOW]),
        (2, [GREEN, RED, YELLOW, BLUE]),
        (3, [YELLOW, BLUE, GREEN, RED]),
        (4, [BLUE, YELLOW, RED, GREEN]),
        (5, [RED, BLUE, GREEN, YELLOW]),
        (6, [BLUE, RED, YELLOW, GREEN]),
        (7, [YELLOW, GREEN, BLUE, RED]),
        (8, [GREEN, YELLOW, RED, BLUE]),
    ],
)
@pytest.mark.parametrize("kind", pictures.TURNING_FORMATS)
@pytest.mark.parametrize("long_edge", [None, 48])
def test_decode_turns_pictures_upright(kind, orientation, corners, long_edge):
    decoded = read(pictures.turned(pictures.corners(), kind, orientation), long_edge)

    assert pictures.seen_corners(decoded.pixels) == corners
    assert (decoded.width, decoded.height) == ((96, 64) if orientation < 5 else (64, 96))
    assert max(decoded.pixels.shape) == (long_edge or 96)


@pytest.mark.parametrize("orientation", [0, 9, 65535])
def test_decode_ignores_orientations_that_do_not_exist(orientation):
    decoded = read(pictures.turned(pictures.corners(), "jpeg", orientation))

    assert pictures.seen_corners(decoded.pixels) == [RED, GREEN, BLUE, YELLOW]


@pytest.mark.parametrize("exif", [b"Exif\0\0MM\0*\0\0\0\x08\xff\xff\1\x12", b"Exif\0\0broken", b"Exif\0\0II*\0"])
@pytest.mark.parametrize("kind", ["jpeg", "png", "webp"])
def test_decode_ignores_broken_metadata(kind, exif):
    content = pictures.saved(pictures.corners(), kind, exif=exif)

    assert pictures.seen_corners(read(content).pixels) == [RED, GREEN, BLUE, YELLOW]


@pytest.mark.parametrize(
    ("kind", "options"),
    [
        ("jpeg", {"progressive": True}),
        ("jpeg", {"subsampling": 2}),
        ("tiff", {"compression": "tiff_lzw"}),
        ("tiff", {"compression": "tiff_adobe_deflate"}),
        ("tiff", {"compression": "jpeg"}),
        ("tiff", {"compression": "packbits"}),
        ("webp", {"lossless": True}),
        ("heif", {"quality": 90}),
        ("avif", {"subsampling": "4:4:4"}),
    ],
)
def test_decode_reads_variants(kind, options):
    decoded = read(pictures.saved(pictures.corners(), kind, **options))

    assert pictures.seen_corners(decoded.pixels) == [RED, GREEN, BLUE, YELLOW]


@pytest.mark.parametrize("mode", ["1", "L", "LA", "P", "PA", "RGB", "RGBA", "CMYK", "YCbCr", "LAB", "I;16", "I", "F"])
def test_decode_reads_every_mode_of_a_tiff(mode):
    decoded = read(pictures.saved(pictures.in_mode(mode), "tiff"))

    if mode in {"1", "L", "LA", "I;16", "I", "F"}:
        blue, yellow = decoded.pixels[32:, :48], decoded.pixels[32:, 48:]
        assert yellow.mean() > blue.mean() + 50
        assert np.ptp(decoded.pixels, axis=2).max() == 0
    else:
        assert pictures.seen_corners(decoded.pixels) == [RED, GREEN, BLUE, YELLOW]


@pytest.mark.parametrize("value", [0, 1, 128, 129, 20_000, 40_000, 65_535])
def test_decode_scales_16_bit_grey(value):
    content = pictures.saved(Image.fromarray(np.full((32, 32), value, np.uint16)), "png")

    assert middle(read(content)) == [round(value / 257)] * 3


def test_decode_scales_16_bit_grey_known_value():
    content = pictures.saved(Image.fromarray(np.full((32, 32), 40_000, np.uint16)), "png")

    assert middle(read(content)) == [156, 156, 156]


def test_decode_scales_16_bit_color():
    _, content = cv2.imencode(".png", np.full((32, 32, 3), (10_000, 40_000, 65_535), np.uint16))

    assert np.abs(np.array(middle(read(content.tobytes()))) - [255, 155.6, 38.9]).max() <= 1


@pytest.mark.parametrize("kind", ["png", "webp", "tiff"])
def test_decode_lays_clear_pictures_on_white(kind):
    image = Image.new("RGBA", (32, 32), (200, 0, 0, 0))  # what was erased is still there, under alpha 0
    image.paste((0, 0, 200, 128), (0, 0, 32, 16))

    decoded = read(pictures.saved(image, kind, **({"lossless": True} if kind == "webp" else {})))

    assert decoded.pixels[24, 16].tolist() == [255, 255, 255]
    assert np.abs(decoded.pixels[8, 16].astype(int) - [227, 127, 127]).max() <= 1


def test_decode_lays_clear_grey_on_white():
    image = Image.merge("LA", [Image.new("L", (32, 32), 100), Image.new("L", (32, 32), 0)])

    assert middle(read(pictures.saved(image, "png"))) == [255, 255, 255]


def test_decode_resolves_palettes_with_a_clear_color():
    image = Image.new("P", (32, 32), 1)
    image.putpalette([0, 0, 0, 10, 20, 30])
    image.paste(0, (0, 0, 32, 16))
    decoded = read(pictures.saved(image, "png", transparency=0))

    assert decoded.pixels[8, 16].tolist() == [255, 255, 255]
    assert decoded.pixels[24, 16].tolist() == [30, 20, 10]


def test_decode_lays_a_clear_color_without_alpha_on_white():
    image = Image.new("RGB", (32, 32), (9, 8, 7))

    assert middle(read(pictures.saved(image, "png", transparency=(9, 8, 7)))) == [255, 255, 255]


def test_decode_reads_interlaced_png():
    image = pictures.scene(97, 61)

    decoded = read(pictures.interlaced_png(image))

    assert np.array_equal(decoded.pixels[:, :, ::-1], np.asarray(image))


@pytest.mark.parametrize("kind", ["gif", "webp", "png"])
def test_decode_takes_the_first_frame(kind):
    later = [Image.new("RGB", (96, 64), color) for color in ("white", "black")]
    content = pictures.saved(pictures.corners(), kind, save_all=True, append_images=later, duration=100)

    assert pictures.seen_corners(read(content).pixels) == [RED, GREEN, BLUE, YELLOW]


def test_decode_takes_the_first_picture_of_a_multi_picture_file():
    later = [Image.new("RGB", (40, 30), "white")]
    content = pictures.saved(pictures.corners(), "mpo", save_all=True, append_images=later)

    decoded = read(content, long_edge=24)

    assert (decoded.format, decoded.pixels.shape) == ("jpeg", (16, 24, 3))
    assert pictures.seen_corners(decoded.pixels) == [RED, GREEN, BLUE, YELLOW]


def test_decode_reads_inverted_cmyk_of_photo_programs():
    content = pictures.saved(pictures.corners().convert("CMYK"), "jpeg", quality=95)

    assert b"Adobe" in content
    assert pictures.seen_corners(read(content).pixels) == [RED, GREEN, BLUE, YELLOW]


@pytest.mark.parametrize("primaries", [profiles.DISPLAY_P3, profiles.ADOBE_RGB])
@pytest.mark.parametrize("color", [(200, 80, 60), (60, 180, 90), (128, 128, 128), (20, 40, 200)])
@pytest.mark.parametrize("kind", ["png", "tiff", "webp"])
def test_decode_converts_wide_profiles_to_srgb(primaries, color, kind):
    image = Image.new("RGB", (32, 32), color)
    options = {"lossless": True} if kind == "webp" else {}

    decoded = read(pictures.saved(image, kind, icc_profile=profiles.matrix(primaries), **options))

    assert np.abs(middle(decoded) - profiles.expected_srgb(color, primaries)).max() <= 2


@pytest.mark.parametrize("kind", ["jpeg", "avif", "heif"])
def test_decode_converts_profiles_of_lossy_files(kind):
    image = Image.new("RGB", (64, 64), (60, 180, 90))

    decoded = read(pictures.saved(image, kind, quality=95, icc_profile=profiles.matrix(profiles.DISPLAY_P3)))

    expected = profiles.expected_srgb((60, 180, 90), profiles.DISPLAY_P3)
    assert np.abs(middle(decoded) - expected).max() <= 6


def test_decode_converts_cmyk_by_its_profile():
    orange, paper = (170, 160, 200), (255, 128, 128)
    profile = profiles.inks({(1, 0, 0, 0): orange, (0, 0, 0, 0): paper})  # a press whose first ink is orange
    content = pictures.saved(Image.new("CMYK", (32, 32), (255, 0, 0, 0)), "tiff", icc_profile=profile)

    red, green, blue = middle(read(content))

    assert red > green > blue
    assert red - blue > 100


def test_decode_converts_grey_by_its_profile():
    image = Image.new("L", (32, 32), 128)

    darker = middle(read(pictures.saved(image, "png", icc_profile=profiles.grey(3.0))))
    lighter = middle(read(pictures.saved(image, "png", icc_profile=profiles.grey(1.5))))

    assert darker[0] < 115
    assert lighter[0] > 150


@pytest.mark.parametrize(
    "profile", [b"broken", profiles.matrix(profiles.DISPLAY_P3)[:200], profiles.grey(1.0), bytes(500)]
)
def test_decode_falls_back_to_srgb_for_profiles_that_do_not_fit(profile):
    image = Image.new("RGB", (32, 32), (60, 180, 90))

    assert middle(read(pictures.saved(image, "png", icc_profile=profile))) == [60, 180, 90]


def test_decode_leaves_srgb_as_it_is():
    profile = ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB")).tobytes()
    image = pictures.scene()

    decoded = read(pictures.saved(image, "png", icc_profile=profile))

    assert np.array_equal(decoded.pixels[:, :, ::-1], np.asarray(image))


@pytest.mark.parametrize("name", ["japanese-shop.jpg", "book-beside-flowers.jpg"])
@pytest.mark.parametrize("long_edge", [300, 480, 700, 1024, 1500, 2048, 3000])
def test_decode_scales_jpeg_as_decoding_and_area_scaling_would(name, long_edge):
    content = (PHOTOS / name).read_bytes()
    plain = np.asarray(Image.open(io.BytesIO(content)))[:, :, ::-1]

    decoded = read(content, long_edge)

    size = (decoded.pixels.shape[1], decoded.pixels.shape[0])
    reference = cv2.resize(np.ascontiguousarray(plain), size, interpolation=cv2.INTER_AREA)
    assert max(size) == long_edge
    assert (decoded.height, decoded.width) == plain.shape[:2]
    assert np.abs(decoded.pixels.astype(int) - reference).mean() <= 2


def test_decode_turns_a_real_photo():
    turned = read((PHOTOS / "portrait-orientation-6.jpg").read_bytes())

    assert (turned.width, turned.height, turned.pixels.shape) == (840, 700, (700, 840, 3))


@given(
    width=st.integers(16, 200),
    height=st.integers(16, 200),
    long_edge=st.integers(16, 250),
    kind=st.sampled_from(("png", "jpeg")),
)
@settings(max_examples=60, deadline=None)
def test_decode_never_enlarges_and_keeps_proportions(width, height, long_edge, kind):
    decoded = read(pictures.saved(pictures.scene(width, height), kind), long_edge)

    seen_height, seen_width = decoded.pixels.shape[:2]
    assert max(seen_width, seen_height) == min(long_edge, max(width, height))
    assert abs(seen_width * height - seen_height * width) <= max(width, height)
    assert (decoded.width, decoded.height) == (width, height)


@pytest.mark.parametrize("options", [{}, {"progressive": True}, {"quality": 95}])
@pytest.mark.parametrize("long_edge", [None, 300])
def test_decode_uses_the_readable_part_of_a_truncated_jpeg(options, long_edge):
    content = pictures.saved(pictures.scene(1200, 800), "jpeg", **options)
    whole = read(content, long_edge)

    part = read(content[: len(content) * 2 // 3], long_edge)

    quarter = part.pixels.shape[0] // 4
    assert (part.notes, part.pixels.shape) == (("truncated",), whole.pixels.shape)
    assert np.abs(part.pixels[:quarter].astype(int) - whole.pixels[:quarter]).mean() < 12


def test_decode_reads_a_jpeg_that_lacks_only_its_end_mark():
    content = pictures.saved(pictures.scene(), "jpeg")

    assert np.array_equal(read(content[:-2]).pixels, read(content).pixels)


def test_decode_ignores_what_follows_the_picture():
    content = pictures.saved(pictures.scene(), "jpeg")

    decoded = read(content + b"\0" * 1000 + content)

    assert np.array_equal(decoded.pixels, read(content).pixels)


@pytest.mark.parametrize("kind", ["png", "webp", "avif", "heif", "tiff", "gif", "bmp"])
def test_decode_refuses_other_truncated_files(kind):
    content = pictures.saved(pictures.scene(), kind)

    assert refusal(content[: len(content) // 2]) == "damaged"


def test_decode_refuses_a_jpeg_without_pixels():
    content = pictures.saved(pictures.scene(), "jpeg")

    assert refusal(content[: content.index(b"\xff\xda")]) == "damaged"


@pytest.mark.parametrize(
    "content",
    [pictures.png_claiming(500, 500), pictures.bmp_claiming(500, 500)],
)
def test_decode_refuses_headers_that_lie(content):
    assert refusal(content) == "damaged"


def test_decode_reads_from_the_beginning_of_the_file():
    file = io.BytesIO(pictures.saved(pictures.corners(), "png"))
    file.seek(50)

    assert decode(file, limits=LIMITS, long_edge=None).format == "png"


def test_decode_refuses_more_bytes_than_allowed():
    content = pictures.saved(pictures.scene(), "png")

    with pytest.raises(Refused) as refused:
        decode(io.BytesIO(content), limits=Limits(max_bytes=len(content) - 1), long_edge=None)

    assert refused.value.code == "too_many_bytes"


@pytest.mark.parametrize(
    ("error", "code"),
    [
        (MemoryError(), "out_of_memory"),
        (ValueError("Failed to decode frame: Out of memory"), "out_of_memory"),
        (SyntaxError("not this"), "damaged"),
        (struct.error("unpack"), "damaged"),
    ],
)
def test_decode_turns_every_error_of_a_decoder_into_a_refusal(monkeypatch, error, code):
    def fail(*_arguments: object, **_options: object) -> None:
        raise error

    monkeypatch.setattr(Image, "open", fail)

    assert refusal(pictures.saved(pictures.scene(), "png")) == code
