"""Headers: what a file is, how large, and why it is refused, without decoding anything."""

import contextlib
import importlib.util
import io
import pickle

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rendering.imaging import header
from rendering.imaging.header import Header, Limits, Refused, inspect
from tests.rendering.imaging import pictures
from tests.stopwatch import quickest

LIMITS = Limits()


def refusal(content: bytes, limits: Limits = LIMITS) -> str:
    with pytest.raises(Refused) as refused:
        inspect(io.BytesIO(content), limits)

    assert str(refused.value).endswith(".")
    return refused.value.code


def answer(content: bytes) -> str:
    """The format, or the reason of the refusal."""
    try:
        return inspect(io.BytesIO(content), LIMITS).format
    except Refused as refused:
        return refused.code


class Watched(io.BytesIO):
    """A file that remembers how much of it was read, and the most that was asked for at once."""

    count = largest = 0

    def read(self, size: int | None = -1, /) -> bytes:
        content = super().read(size)
        self.count += len(content)
        self.largest = max(self.largest, len(content) if size is None or size < 0 else size)
        return content


@pytest.mark.parametrize("kind", pictures.FORMATS)
def test_inspect_names_the_format_by_content(kind):
    content = pictures.saved(pictures.scene(120, 70), kind)

    assert inspect(io.BytesIO(content), LIMITS) == Header(kind, 120, 70)


@pytest.mark.parametrize("kind", pictures.TURNING_FORMATS)
@pytest.mark.parametrize("orientation", range(1, 9))
def test_inspect_gives_the_size_as_displayed(kind, orientation):
    content = pictures.turned(pictures.scene(120, 70), kind, orientation)

    assert inspect(io.BytesIO(content), LIMITS) == Header(kind, *((120, 70) if orientation < 5 else (70, 120)))


@pytest.mark.parametrize(
    ("kind", "options"),
    [
        ("webp", {"lossless": True}),
        ("webp", {"save_all": True, "append_images": [pictures.scene(120, 70, seed=1)]}),
        ("webp", {"exif": b"Exif\0\0II*\0"}),
        ("jpeg", {"progressive": True}),
        ("jpeg", {"exif": b"Exif\0\0broken"}),
        ("tiff", {"compression": "tiff_lzw"}),
        ("tiff", {"compression": "tiff_adobe_deflate"}),
        ("tiff", {"big_tiff": False}),
        ("png", {"save_all": True, "append_images": [pictures.scene(120, 70, seed=1)]}),
    ],
)
def test_inspect_reads_variants(kind, options):
    content = pictures.saved(pictures.scene(120, 70), kind, **options)

    assert inspect(io.BytesIO(content), LIMITS) == Header(kind, 120, 70)


def test_inspect_takes_a_multi_picture_file_for_its_first_jpeg():
    content = pictures.saved(
        pictures.scene(120, 70), "mpo", save_all=True, append_images=[pictures.scene(50, 40, seed=1)]
    )

    assert inspect(io.BytesIO(content), LIMITS) == Header("jpeg", 120, 70)


@pytest.mark.parametrize(
    "content",
    [
        b"",
        b"hello",
        b"BM, the letters with which this sentence begins",
        b"RIFF\0\0\0\0WAVEfmt ",
        b"PK\3\4",
        bytes(1000),
        b"<html><body>",
    ],
)
def test_inspect_refuses_what_is_no_picture(content):
    assert refusal(content) == "not_an_image"


@pytest.mark.parametrize(
    "content",
    [
        b"\xff\x0a jxl",
        b"\0\0\0\x0cJXL \r\n\x87\n",
        b"\0\0\0\x0cjP  \r\n\x87\n",
        b"8BPS\0\1",
        b"\0\0\1\0\1\0\x10\x10",
        b"<svg xmlns='http://www.w3.org/2000/svg'/>",
        b"<?xml version='1.0'?>\n<!-- drawn -->\n<svg/>",
        b"%PDF-1.7",
        b"II+\0\x08\0\0\0",
        pictures.box(b"ftyp", b"isom\0\0\0\0isommp42"),
        pictures.box(b"ftyp", b"crx \0\0\0\1crx isom"),
        pictures.run_length_bmp(),
        pictures.tiff({256: 64, 257: 64, 254: 1}),
        pictures.tiff({256: 64, 257: 64, 50706: 0x01040000}),
        pictures.tiff({256: 64, 257: 64, 259: 34925}),
    ],
)
def test_inspect_refuses_other_formats_by_name(content):
    assert refusal(content) == "unsupported_format"


def test_inspect_refuses_heic_without_its_reader(monkeypatch):
    assert importlib.util.find_spec("pillow_heif") == header._HEIF_READER
    monkeypatch.setattr(header, "_HEIF_READER", None)

    assert refusal(pictures.saved(pictures.scene(), "heif")) == "unsupported_format"
    assert inspect(io.BytesIO(pictures.saved(pictures.scene(), "avif")), LIMITS) == Header("avif", 320, 240)


@pytest.mark.parametrize(
    "content",
    [
        pictures.webp_claiming(16_383, 16_383),
        pictures.webp_claiming(10_000, 5_001),
        pictures.png_claiming(19_999, 19_999),
        pictures.jpeg_claiming(19_000, 19_000),
        pictures.gif_claiming(19_000, 19_000),
        pictures.bmp_claiming(19_000, 19_000),
        pictures.bmp_claiming(19_000, -19_000),
        pictures.avif_claiming(19_000, 19_000),
        pictures.tiff({256: 19_000, 257: 19_000}),
    ],
)
def test_inspect_refuses_bombs_by_their_header(content):
    assert refusal(content) == "too_many_pixels"


def test_inspect_allows_what_the_limits_allow():
    content = pictures.webp_claiming(10_000, 10_000)

    assert inspect(io.BytesIO(content), Limits(max_megapixels=100)) == Header("webp", 10_000, 10_000)
    assert refusal(content, Limits(max_megapixels=99)) == "too_many_pixels"


@pytest.mark.parametrize(
    ("size", "code"),
    [
        ((20_001, 16), "too_large_side"),
        ((16, 20_001), "too_large_side"),
        ((15, 300), "too_small"),
        ((9, 9), "too_small"),
    ],
)
def test_inspect_refuses_sides(size, code):
    assert refusal(pictures.png_claiming(*size)) == code


@pytest.mark.parametrize("size", [(20_000, 16), (16, 20_000), (16, 16)])
def test_inspect_accepts_the_longest_and_shortest_sides(size):
    assert inspect(io.BytesIO(pictures.png_claiming(*size)), LIMITS) == Header("png", *size)


def test_inspect_refuses_more_bytes_than_allowed():
    content = pictures.saved(pictures.scene(), "png")

    assert refusal(content, Limits(max_bytes=len(content) - 1)) == "too_many_bytes"
    assert inspect(io.BytesIO(content), Limits(max_bytes=len(content))) == Header("png", 320, 240)


@pytest.mark.parametrize(("scans", "allowed"), [(64, True), (65, False), (1000, False)])
def test_inspect_counts_the_scans_of_a_progressive_jpeg(scans, allowed):
    content = pictures.jpeg_of_scans(scans)

    if allowed:
        assert inspect(io.BytesIO(content), LIMITS) == Header("jpeg", 64, 64)
    else:
        assert refusal(content) == "too_many_scans"


def test_inspect_does_not_count_scan_markers_inside_metadata():
    comment = b"\xff\xda\0\2" * 200
    content = pictures.saved(pictures.scene(), "jpeg", progressive=True, comment=comment)

    assert inspect(io.BytesIO(content), LIMITS) == Header("jpeg", 320, 240)


def test_inspect_reads_no_further_than_the_first_scan_of_a_plain_jpeg():
    content = pictures.saved(pictures.scene(1200, 900), "jpeg", quality=95)
    file = Watched(content)

    inspect(file, LIMITS)

    assert file.count < 2000 < len(content) // 100


@pytest.mark.parametrize("kind", pictures.FORMATS)
def test_inspect_refuses_headers_that_end_early(kind):
    content = pictures.saved(pictures.scene(64, 64), kind)
    known = {"damaged", "not_an_image", "unsupported_format"}

    codes = {refusal(content[:size]) for size in range(3, 10)}

    assert codes <= known


@pytest.mark.parametrize("size", [(0, 50), (50, 0), (0, 0)])
def test_inspect_refuses_pictures_without_size(size):
    assert refusal(pictures.png_claiming(*size)) == "damaged"


@given(
    beginning=st.sampled_from([*header._SIGNATURES, b"RIFF\0\0\0\0WEBP", b"\0\0\0\x18ftypavif"]),
    rest=st.binary(),
)
def test_inspect_answers_anything_with_a_header_or_a_refusal(beginning, rest):
    file = Watched(beginning + rest)

    with contextlib.suppress(Refused):
        inspect(file, LIMITS)

    assert file.largest <= 4_000_000


@pytest.mark.no_cover
@pytest.mark.parametrize(
    "filling", [b"\xff", b"\xff\0", b"\xff\xd0", b"\xff\xe0\0\2", b"\xff\xd8", b"\xff\xda\0\2", b"\0"]
)
def test_inspect_walks_a_hostile_jpeg_in_bounded_time(filling):
    content = pictures.saved(pictures.scene(64, 64), "jpeg", progressive=True)
    hostile = content[: content.index(b"\xff\xda") + 20] + filling * (39_000_000 // len(filling))

    assert answer(hostile) in {"jpeg", "too_many_scans", "damaged"}
    assert quickest(lambda: answer(hostile), within=3) <= 3


@pytest.mark.parametrize(
    "content",
    [
        b"RIFF\xff\xff\xff\xffWEBPVP8X\xff\xff\xff\xff" + bytes(20),
        pictures.saved(pictures.scene(), "webp", exif=b"Exif\0\0II*\0").replace(
            b"EXIF\x0a\0\0\0", b"EXIF\xff\xff\xff\xff"
        ),
        pictures.saved(pictures.scene(), "png")[:33] + b"\x7f\xff\xff\xffeXIf",
        pictures.box(b"ftyp", b"avif\0\0\0\0avif") + b"\xff\xff\xff\xffmeta" + bytes(100),
        pictures.box(b"ftyp", b"avif\0\0\0\0avif") + b"\0\0\0\1meta" + b"\x00\xff\xff\xff\xff\xff\xff\xff" + bytes(100),
        b"II*\0\x08\0\0\0\xff\xff",
        pictures.saved(pictures.scene(), "jpeg")[:2] + b"\xff\xe1\xff\xff",
    ],
)
def test_inspect_reserves_no_memory_for_what_a_header_claims(content):
    file = Watched(content)

    with contextlib.suppress(Refused):
        inspect(file, LIMITS)

    assert file.largest <= 4_000_000


def test_inspect_bounds_the_boxes_and_chunks_that_it_walks():
    png = pictures.saved(pictures.scene(), "png")[:33] + bytes(4) + b"tEXt" + bytes(4)
    many_chunks = png + (bytes(4) + b"tEXt" + bytes(4)) * 5000
    many_boxes = pictures.box(b"ftyp", b"avif\0\0\0\0avif") + pictures.box(b"free", b"") * 20_000

    assert refusal(many_chunks) == "damaged"
    assert refusal(many_boxes) == "damaged"


def test_refusal_travels_between_processes():
    refused = pickle.loads(pickle.dumps(Refused("damaged", "The picture is damaged.")))  # noqa: S301 - our own bytes

    assert (refused.code, str(refused)) == ("damaged", "The picture is damaged.")
