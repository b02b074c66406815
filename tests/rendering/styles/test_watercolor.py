"""The watercolor style: its looks, the same picture at every size, and what each parameter does."""

from pathlib import Path

import cv2
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image

from rendering.kernels.watercolor import stylize
from rendering.styles.base import Bench
from rendering.styles.watercolor import WATERCOLOR

PHOTOS = sorted(path for path in (Path(__file__).parents[2] / "photos").iterdir() if path.suffix != ".md")
PAPER = (241, 248, 251)  # blue, green, red


def canvas_of(path, long_edge):
    with Image.open(path) as picture:
        pixels = np.ascontiguousarray(np.asarray(picture.convert("RGB"))[:, :, ::-1])
    scale = long_edge / max(pixels.shape)
    size = (round(pixels.shape[1] * scale), round(pixels.shape[0] * scale))
    return cv2.resize(pixels, size, interpolation=cv2.INTER_AREA if scale < 1 else cv2.INTER_CUBIC)


def painted(canvas, look="studio", **changes):
    return WATERCOLOR.paint(Bench(canvas), WATERCOLOR.values(look, changes))


def mean_difference(one, other):
    return np.abs(one.astype(np.int16) - other).mean()


@pytest.mark.parametrize("path", PHOTOS, ids=lambda path: path.name)
def test_studio_preview_is_the_painting_smaller(path):
    large = painted(canvas_of(path, 2048))
    small = painted(canvas_of(path, 512))

    preview = cv2.resize(large, small.shape[1::-1], interpolation=cv2.INTER_AREA)

    assert mean_difference(preview, small) <= 5  # of 255; 10 are allowed


@pytest.mark.parametrize("path", PHOTOS, ids=lambda path: path.name)
def test_studio_has_no_black_lines_and_bare_paper_around(path):
    painting = painted(canvas_of(path, 512))

    assert (painting.max(axis=2) < 25).mean() < 0.001
    corners = painting[[0, 0, -1, -1], [0, -1, 0, -1]].astype(int)
    assert np.abs(corners - PAPER).max() <= 16


@pytest.mark.parametrize(("look", "sigma_s", "sigma_r"), [("classic", 60, 0.45), ("fast", 30, 0.15)])
def test_looks_of_the_article_equal_opencv(look, sigma_s, sigma_r):
    canvas = canvas_of(PHOTOS[0], 600)

    difference = np.abs(painted(canvas, look).astype(int) - cv2.stylization(canvas, sigma_s=sigma_s, sigma_r=sigma_r))

    assert (difference <= 1).mean() >= 0.999
    assert difference.mean() < 0.02


@settings(max_examples=25, deadline=None)
@given(
    height=st.integers(1, 60),
    width=st.integers(1, 60),
    seed=st.integers(0, 2**32),
    look=st.sampled_from(tuple(WATERCOLOR.looks)),
)
def test_paint_keeps_shape_type_and_canvas(height, width, seed, look):
    canvas = np.random.default_rng(seed).integers(0, 256, (height, width, 3), np.uint8)
    before = canvas.copy()

    painting = painted(canvas, look)

    assert painting.shape == canvas.shape
    assert painting.dtype == np.uint8
    assert painting.flags.c_contiguous
    assert np.array_equal(canvas, before)
    assert not np.shares_memory(painting, canvas)


@pytest.mark.parametrize("shape", [(1, 1), (1, 2500), (2500, 1), (3, 1024), (1023, 17), (16, 5000)])
def test_studio_paints_odd_shapes_the_same_twice(shape):
    canvas = np.random.default_rng(3).integers(0, 256, (*shape, 3), np.uint8)

    once, again = painted(canvas), painted(canvas)

    assert once.shape == canvas.shape
    assert np.array_equal(once, again)


def test_one_thread_paints_as_many():
    canvas = canvas_of(PHOTOS[0], 700)
    threads = cv2.getNumThreads()

    try:
        cv2.setNumThreads(1)
        with_one = painted(canvas)
        cv2.setNumThreads(4)
        with_four = painted(canvas)
    finally:
        cv2.setNumThreads(threads)

    assert np.array_equal(with_one, with_four)


def test_white_stays_paper():
    canvas = np.full((300, 400, 3), 255, np.uint8)

    painting = painted(canvas)

    assert np.abs(painting.mean(axis=(0, 1)) - PAPER).max() < 3
    assert 0.5 < painting.std(axis=(0, 1)).max() < 8  # the grain of the paper


def test_gray_photo_gets_warm_and_cold_pigment():
    canvas = np.full((300, 400, 3), 110, np.uint8)

    painting = painted(canvas, margin=0).astype(int)

    warmth = cv2.blur((painting[:, :, 2] - painting[:, :, 0]).astype(np.float32), (31, 31))
    assert warmth.max() - warmth.min() > 4


@pytest.mark.parametrize(
    ("name", "low", "high"),
    [
        ("sigma_s", 5, 100),
        ("sigma_r", 0.1, 0.9),
        ("outline", 0, 1),
        ("washes", 0, 1),
        ("detail", 0, 1),
        ("lightness", 0, 1),
        ("pooling", 0, 1),
        ("flow", 0, 1),
        ("grain", 0, 1),
        ("looseness", 0, 1),
        ("margin", 0, 5),
    ],
)
def test_every_parameter_changes_the_painting(name, low, high):
    canvas = canvas_of(PHOTOS[-1], 400)

    assert mean_difference(painted(canvas, **{name: low}), painted(canvas, **{name: high})) > 0.5


def test_without_washes_only_sigmas_and_outline_count():
    canvas = canvas_of(PHOTOS[0], 300)

    painting = painted(canvas, washes=0, outline=0.5, grain=1, pooling=1, flow=1, margin=5, looseness=1, lightness=1)

    assert np.array_equal(painting, stylize(canvas, sigma_s=30, sigma_r=0.45, outline=0.5))
