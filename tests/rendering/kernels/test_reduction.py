"""Smaller by area: the same picture as OpenCV's, whatever the sizes."""

import cv2
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from rendering.kernels import reduction
from rendering.kernels.reduction import by_area


@pytest.fixture(scope="module", autouse=True)
def _ready():
    reduction.compile_kernels()


def noise(height, width):
    return np.random.default_rng(height * width).integers(0, 256, (height, width, 3)).astype(np.uint8)


@given(st.integers(1, 90), st.integers(1, 90), st.data())
def test_by_area_is_opencvs_picture_within_one_level(height, width, data):
    picture = noise(height, width)
    size = data.draw(st.integers(1, width)), data.draw(st.integers(1, height))

    small = by_area(picture, *size)

    expected = cv2.resize(picture, size, interpolation=cv2.INTER_AREA).reshape(small.shape)
    assert np.abs(small.astype(int) - expected).max() <= 1


@given(st.integers(1, 90), st.integers(1, 90), st.integers(0, 255))
def test_by_area_keeps_a_flat_color(height, width, level):
    picture = np.full((90, 90, 3), level, np.uint8)

    assert np.array_equal(by_area(picture, width, height), np.full((height, width, 3), level))


def test_by_area_of_a_large_picture_hardly_ever_rounds_otherwise_than_opencv():
    picture = noise(768, 1024)

    small = by_area(picture, 800, 600)

    expected = cv2.resize(picture, (800, 600), interpolation=cv2.INTER_AREA)
    assert np.count_nonzero(small != expected) < 0.01 * small.size


def test_by_area_leaves_its_picture_alone():
    picture = noise(30, 40)
    before = picture.copy()

    by_area(picture, 40, 30)[:] = 0

    assert np.array_equal(picture, before)
