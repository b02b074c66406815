"""The oil votes: equal to OpenCV, and to their plain reference on sizes and contents that nobody thought of."""

from pathlib import Path

import cv2
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from rendering.kernels import oil
from tests.rendering.kernels import oil_reference as reference

PHOTOS = Path(__file__).parents[2] / "photos"


def photo(name, long_edge):
    pixels = np.asarray(cv2.imread(str(PHOTOS / name)), np.uint8)
    scale = long_edge / max(pixels.shape)
    return cv2.resize(pixels, None, fx=scale, fy=scale, interpolation=cv2.INTER_AREA)


@st.composite
def canvases(draw, most=40):
    height, width = draw(st.integers(1, most)), draw(st.integers(1, most))
    contrast = draw(st.sampled_from([1, 3, 12, 60, 256]))
    dark = draw(st.integers(0, 256 - contrast))
    dice = np.random.default_rng(draw(st.integers(0, 99)))
    canvas = dice.integers(dark, dark + contrast, (height, width, 3), np.uint8)
    if draw(st.booleans()):
        canvas[:] = canvas[:, :, :1]
    return canvas


@settings(deadline=None, max_examples=60)
@given(canvas=canvases(), size=st.integers(1, 64), dyn_ratio=st.integers(1, 127))
def test_oil_painting_equals_the_reference(canvas, size, dyn_ratio):
    painted = oil.oil_painting(canvas, size, dyn_ratio)

    np.testing.assert_array_equal(painted, reference.oil_painting(canvas, size, dyn_ratio))


@settings(deadline=None, max_examples=60)
@given(canvas=canvases(most=600), size=st.integers(1, 12), dyn_ratio=st.sampled_from([1, 2, 3, 10, 127]))
def test_oil_painting_equals_opencv(canvas, size, dyn_ratio):
    painted = oil.oil_painting(canvas, size, dyn_ratio)

    np.testing.assert_array_equal(painted, cv2.xphoto.oilPainting(canvas, size, dyn_ratio))


@pytest.mark.parametrize("size", range(1, 65, 3))
def test_oil_painting_equals_opencv_at_every_size(size):
    canvas = photo("wood_anemones.jpg", 300)

    painted = oil.oil_painting(canvas, size, 3)

    np.testing.assert_array_equal(painted, cv2.xphoto.oilPainting(canvas, size, 3))


@pytest.mark.parametrize("name", ["japanese-shop.jpg", "book-beside-flowers.jpg"])
@pytest.mark.parametrize(("size", "dyn_ratio"), [(7, 3), (5, 2)])
def test_oil_painting_equals_opencv_on_photos(name, size, dyn_ratio):
    canvas = photo(name, 1600)

    painted = oil.oil_painting(canvas, size, dyn_ratio)

    np.testing.assert_array_equal(painted, cv2.xphoto.oilPainting(canvas, size, dyn_ratio))


def test_oil_painting_of_five_megapixels_equals_opencv():
    canvas = photo("japanese-shop.jpg", 2736)

    painted = oil.oil_painting(canvas, 7, 3)

    assert canvas.shape[0] * canvas.shape[1] > 4_990_000
    np.testing.assert_array_equal(painted, cv2.xphoto.oilPainting(canvas, 7, 3))


@pytest.mark.parametrize("size", [31, 32, 64])
def test_white_stays_white_where_its_sums_are_largest(size):
    canvas = np.full((300, 300, 3), 255, np.uint8)

    np.testing.assert_array_equal(oil.oil_painting(canvas, size, 3), canvas)


@settings(deadline=None, max_examples=40)
@given(
    canvas=canvases(),
    size=st.integers(1, 31),
    dyn_ratio=st.integers(1, 127),
    exponent=st.sampled_from([1.0, 2.0, 5.5, 8.0, 16.0]),
)
def test_soft_oil_painting_equals_the_reference(canvas, size, dyn_ratio, exponent):
    painted = oil.soft_oil_painting(canvas, size, dyn_ratio, exponent)

    expected = reference.soft_oil_painting(canvas, size, dyn_ratio, exponent)
    np.testing.assert_allclose(painted, expected, rtol=0, atol=0.501)


def test_strips_of_a_soft_vote_leave_no_seam():
    canvas = np.random.default_rng(5).integers(90, 130, (9, 1100, 3), np.uint8)

    painted = oil.soft_oil_painting(canvas, 4, 3, 8.0)

    np.testing.assert_allclose(painted, reference.soft_oil_painting(canvas, 4, 3, 8.0), rtol=0, atol=0.501)


@pytest.mark.parametrize(("size", "dyn_ratio"), [(0, 3), (65, 3), (7, 0), (7, 128)])
def test_oil_painting_refuses_numbers_out_of_range(size, dyn_ratio):
    canvas = np.zeros((4, 4, 3), np.uint8)

    with pytest.raises(ValueError, match="size goes from 1 to 64 and dyn_ratio from 1 to 127"):
        oil.oil_painting(canvas, size, dyn_ratio)


def test_soft_oil_painting_refuses_squares_whose_sums_it_cannot_hold():
    canvas = np.zeros((4, 4, 3), np.uint8)

    with pytest.raises(ValueError, match="size goes to 31 in a soft vote, not 32"):
        oil.soft_oil_painting(canvas, 32, 3, 8.0)


def test_votes_leave_their_canvas_alone():
    canvas = photo("denali.webp", 200)
    before = canvas.copy()

    oil.oil_painting(canvas, 7, 3)
    oil.soft_oil_painting(canvas, 7, 3, 8.0)

    np.testing.assert_array_equal(canvas, before)
