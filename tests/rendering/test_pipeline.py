"""The data path without Django: files to canvases, canvases to paintings, paintings to page files."""

import io
from dataclasses import replace
from pathlib import Path

import cv2
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image

from rendering import pipeline, recipes, styles
from rendering.imaging import fingerprint
from rendering.imaging.encode import encode
from rendering.imaging.header import Limits, Refused
from rendering.recipes import FULL_SIZE, Recipe
from rendering.styles.base import Bench, Parameter, ParameterError, Pixels, Style, Values
from tests.rendering.imaging import pictures

PHOTOS = Path(__file__).parents[1] / "photos"
LIMITS = Limits()
CANVAS = np.ascontiguousarray(np.asarray(pictures.scene(120, 80))[:, :, ::-1])


@pytest.fixture
def counted(monkeypatch):
    """Two styles that share a computation, and a list of what ran, in order."""
    calls: list[str] = []

    def shared(canvas: Pixels, strength: float) -> Pixels:
        calls.append(f"shared {strength:g}")
        return canvas // 2

    def style(name: str) -> Style:
        def paint(bench: Bench, values: Values) -> Pixels:
            half = bench.once(shared, values["strength"])
            calls.append(name)
            return half + 1

        strength = Parameter("strength", "Strength", 0, 10, 1, 3, "", "More is more.")
        return Style(name, 1, name, name, (strength,), {"studio": {}, "fast": {"strength": 5}}, paint)

    catalog = (style("left"), style("right"))
    monkeypatch.setattr(styles, "CATALOG", catalog)
    return calls


def recipe(style: str, look: str = "studio") -> Recipe:
    return recipes.compose(style, look=look, long_edge=1024)


def test_read_gives_canvas_original_size_and_fingerprints():
    photo = io.BytesIO((PHOTOS / "portrait-orientation-6.jpg").read_bytes())

    reading = pipeline.read(photo, long_edge=420, limits=LIMITS)

    assert reading.canvas.shape == (350, 420, 3)
    assert (reading.width, reading.height, reading.format, reading.notes) == (840, 700, "jpeg", ())
    assert reading.digest == fingerprint.digest(reading.canvas)
    assert reading.phash == fingerprint.perceptual_hash(reading.canvas)
    assert reading.signature == fingerprint.signature(reading.canvas)
    assert (len(reading.digest), len(reading.phash), len(reading.signature)) == (32, 32, 18)


def test_read_notes_a_truncated_photo():
    content = (PHOTOS / "portrait.jpg").read_bytes()

    reading = pipeline.read(io.BytesIO(content[: len(content) // 2]), long_edge=512, limits=LIMITS)

    assert reading.notes == ("truncated",)


def test_read_refuses_with_a_reason():
    with pytest.raises(Refused) as refused:
        pipeline.read(io.BytesIO(b"hello"), long_edge=512, limits=LIMITS)

    assert (refused.value.code, str(refused.value)) == ("not_an_image", "This file is not a picture.")


@pytest.mark.parametrize("long_edge", [FULL_SIZE, 100, 1024])
def test_open_canvas_is_the_canvas_of_read(long_edge):
    content = pictures.saved(pictures.scene(300, 200), "jpeg")

    canvas = pipeline.open_canvas(io.BytesIO(content), long_edge=long_edge, limits=LIMITS)

    reading = pipeline.read(io.BytesIO(content), long_edge=long_edge, limits=LIMITS)
    assert canvas.shape == ((67, 100, 3) if long_edge == 100 else (200, 300, 3))
    assert np.array_equal(canvas, reading.canvas)


def test_read_gives_one_digest_to_one_picture_in_two_lossless_files():
    image = pictures.scene(300, 200)
    contents = [
        pictures.saved(image, "png"),
        pictures.saved(image, "webp", lossless=True),
        pictures.saved(image, "bmp"),
    ]

    digests = {pipeline.read(io.BytesIO(content), long_edge=128, limits=LIMITS).digest for content in contents}

    assert len(digests) == 1


def test_paint_paints_each_recipe_in_order(counted):
    paintings = list(pipeline.paint(CANVAS, [recipe("right"), recipe("left")]))

    assert [painting.recipe for painting in paintings] == [recipe("right"), recipe("left")]
    assert all(np.array_equal(painting.pixels, CANVAS // 2 + 1) for painting in paintings)
    assert all(painting.cpu_seconds >= 0 for painting in paintings)


def test_paint_computes_once_what_styles_share(counted):
    list(pipeline.paint(CANVAS, [recipe("left"), recipe("right"), recipe("left", "fast"), recipe("right", "fast")]))

    assert counted == ["shared 3", "left", "right", "shared 5", "left", "right"]


def test_paint_is_lazy(counted):
    paintings = pipeline.paint(CANVAS, [recipe("left"), recipe("right")])

    assert counted == []
    next(paintings)
    assert counted == ["shared 3", "left"]


def test_paint_starts_afresh_for_another_canvas(counted):
    for canvas in (CANVAS, CANVAS.copy()):
        list(pipeline.paint(canvas, [recipe("left")]))

    assert counted == ["shared 3", "left", "shared 3", "left"]


@pytest.mark.parametrize(
    "change",
    [
        {"style": "crayon"},
        {"version": 2},
        {"values": ()},
        {"values": (("strength", 11.0),)},
        {"values": (("strength", float("nan")),)},
        {"values": (("mood", 1.0), ("strength", 3.0))},
    ],
)
def test_paint_refuses_unknown_recipes_before_it_paints(counted, change):
    unknown = replace(recipe("right"), **change)

    with pytest.raises(ParameterError):
        pipeline.paint(CANVAS, [recipe("left"), unknown])

    assert counted == []


def test_paint_gives_the_same_pixels_in_any_order():
    wanted = [recipe("pencil"), recipe("color-pencil")]
    first, second = pipeline.paint(CANVAS, wanted)
    again, alone = pipeline.paint(CANVAS, wanted[::-1])

    assert np.array_equal(first.pixels, alone.pixels)
    assert np.array_equal(second.pixels, again.pixels)


@pytest.mark.parametrize("style", styles.NAMES)
@pytest.mark.parametrize("look", styles.LOOKS)
def test_paint_knows_every_style_and_look(style, look):
    before = CANVAS.copy()

    (painting,) = pipeline.paint(CANVAS, [recipe(style, look)])

    assert (painting.pixels.shape, painting.pixels.dtype) == (CANVAS.shape, CANVAS.dtype)
    assert np.array_equal(CANVAS, before)


@given(width=st.integers(1, 70), height=st.integers(1, 70), widths=st.lists(st.integers(-5, 90), max_size=5))
@settings(max_examples=50, deadline=None)
def test_outputs_never_enlarges_and_holds_the_own_width(width, height, widths):
    pixels = np.full((height, width, 3), (200, 100, 50), np.uint8)

    files = pipeline.outputs(pixels, widths)

    assert list(files) == sorted({width, *(each for each in widths if 0 < each < width)})
    for each, content in files.items():
        assert Image.open(io.BytesIO(content)).size == (each, max(1, round(height * each / width)))


def test_outputs_are_scaled_by_area():
    files = pipeline.outputs(CANVAS, [60, 480])

    small = cv2.resize(CANVAS, (60, 40), interpolation=cv2.INTER_AREA).astype(np.uint8)
    assert files == {
        60: encode(small, format="jpeg", quality=pipeline.SMALL_QUALITY),
        120: encode(CANVAS, format="jpeg"),
    }


@pytest.mark.parametrize(("intensity", "expected"), [(0, 100), (50, 150), (75, 175), (100, 200)])
def test_blend_goes_from_photo_to_painting(intensity, expected):
    photo, painting = (np.full((4, 5, 3), value, np.uint8) for value in (100, 200))

    assert np.array_equal(pipeline.blend(photo, painting, intensity), np.full((4, 5, 3), expected, np.uint8))
