"""Scaling: smaller by area, never larger."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from rendering.imaging import scale


@given(width=st.integers(1, 20_000), height=st.integers(1, 20_000), long_edge=st.integers(1, 20_000))
def test_fitted_keeps_proportions_and_never_enlarges(width, height, long_edge):
    fitted = scale.fitted(width, height, long_edge)

    assert max(fitted) == min(long_edge, max(width, height))
    assert min(fitted) >= 1
    assert fitted[0] <= width
    assert fitted[1] <= height
    assert abs(min(fitted) - min(width, height) * max(fitted) / max(width, height)) <= 1


def test_fitted_without_a_long_edge_is_the_own_size():
    assert scale.fitted(300, 200, None) == (300, 200)


@given(width=st.integers(1, 90), height=st.integers(1, 90), long_edge=st.integers(1, 100))
def test_to_long_edge_keeps_a_flat_color(width, height, long_edge):
    pixels = np.full((height, width, 3), (10, 100, 200), np.uint8)

    small = scale.to_long_edge(pixels, long_edge)

    assert max(small.shape[:2]) == min(long_edge, max(width, height))
    assert np.array_equal(np.unique(small.reshape(-1, 3), axis=0), [[10, 100, 200]])


def test_to_long_edge_averages_areas():
    pixels = np.array([[0, 100, 200, 40], [20, 80, 0, 0]], np.uint8)

    assert scale.to_long_edge(pixels, 2).tolist() == [[50, 60]]


@pytest.mark.parametrize("kind", [np.uint8, np.uint16, np.float32])
def test_to_long_edge_keeps_the_type(kind):
    assert scale.to_long_edge(np.ones((40, 60), kind), 30).dtype == kind
