"""The kernels of drawing against their plain reference."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from rendering.kernels import drawing, hatching
from tests.rendering.kernels import drawing_reference as reference

sizes = st.tuples(st.integers(1, 70), st.integers(1, 70))


def _random(seed, *shape):
    return np.random.default_rng(seed).integers(0, 256, shape, np.uint8)


def _offsets(reach):
    angles = np.arange(8)[:, None] * np.pi / 8
    taps = np.arange(1, reach + 1)[None, :]
    return np.rint(np.stack([-taps * np.sin(angles), taps * np.cos(angles)], axis=2)).astype(np.int64)


@settings(deadline=None, max_examples=30)
@given(size=sizes, reach=st.integers(2, 15), seed=st.integers(0, 99))
def test_trace_equals_the_reference(size, reach, seed):
    edges = _random(seed, size[0] + 2 * reach, size[1] + 2 * reach)
    strongest, average = np.empty(size, np.uint16), np.empty(size, np.uint16)
    best = np.empty(size, np.uint8)

    drawing.trace(edges, _offsets(reach), strongest, average, best)

    for found, expected in zip((strongest, average, best), reference.trace(edges, _offsets(reach)), strict=True):
        np.testing.assert_array_equal(found, expected)


@settings(deadline=None, max_examples=30)
@given(size=sizes, reach=st.integers(2, 15), seed=st.integers(0, 99))
def test_stroke_equals_the_reference(size, reach, seed):
    planes = _random(seed, 8, size[0] + 2 * reach, size[1] + 2 * reach) // 20
    ink = np.empty(size, np.uint16)

    drawing.stroke(planes, _offsets(reach), ink)

    np.testing.assert_array_equal(ink, reference.stroke(planes, _offsets(reach)))


def test_stroke_survives_the_darkest_edges():
    reach = drawing.LONGEST_REACH
    planes = np.full((8, 40, 40), 255, np.uint8)
    ink = np.empty((40 - 2 * reach, 40 - 2 * reach), np.uint16)

    drawing.stroke(planes, _offsets(reach), ink)

    assert ink.min() == ink.max() == 64_000


@settings(deadline=None, max_examples=30)
@given(size=sizes, strength=st.floats(0, 1), seed=st.integers(0, 99))
def test_drawing_equals_the_reference(size, strength, seed):
    sheet, fine = _random(seed, 12, *size), _random(seed, *size)
    hand = np.array([1 - strength, 1 / max(strength, 0.62), 1, 0.43, 0.35, strength], np.float32)
    rows, weights = np.arange(size[0]), np.zeros(size[0], np.uint16)
    gray, planes = np.empty(size, np.uint8), np.empty((3, *size), np.uint8)

    drawing.draw_gray(sheet[:6], fine, rows, weights, hand, gray)
    drawing.draw_colors(sheet, fine, rows, weights, hand, planes)

    np.testing.assert_allclose(gray, reference.draw_gray(sheet, fine, hand), rtol=0, atol=0.6)
    np.testing.assert_allclose(planes, reference.draw_colors(sheet, fine, hand), rtol=0, atol=0.6)


def test_drawing_blends_rows_in_blocks():
    sheet = _random(1, 6, 2, 2500)
    fine = np.full((1, 1024), 128, np.uint8)
    hand = np.array([0.3, 1.5, 1, 0.43, 0, 1], np.float32)
    between = np.rint(sheet[:, :1] * 0.25 + sheet[:, 1:] * 0.75).astype(np.uint8)
    gray = np.empty((1, 2500), np.uint8)

    drawing.draw_gray(sheet, fine, np.array([0]), np.array([192], np.uint16), hand, gray)

    np.testing.assert_allclose(gray, reference.draw_gray(between, 128, hand), rtol=0, atol=5)


@pytest.mark.parametrize("plane", [*range(4)])
def test_hatching_spreads_evenly(plane):
    shares = np.histogram(hatching.sheet()[plane], 8, (0, 256))[0] / hatching.SIDE**2

    np.testing.assert_allclose(shares, 1 / 8, atol=0.02)
