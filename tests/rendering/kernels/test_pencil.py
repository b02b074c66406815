"""The pencil's kernel against its plain reference, on sizes and contents that nobody thought of."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from rendering.kernels import pencil
from tests.rendering.kernels import pencil_reference as reference

NUMBERS = {"sigma_s": 60, "sigma_r": 0.07, "shade_factor": 0.1}


@st.composite
def canvases(draw):
    height, width = draw(st.integers(1, 150)), draw(st.integers(1, 150))
    contrast = draw(st.sampled_from([1, 3, 12, 60, 256]))
    dark = draw(st.integers(0, 256 - contrast))
    canvas = np.random.default_rng(draw(st.integers(0, 99))).integers(
        dark, dark + contrast, (height, width, 3), np.uint8
    )
    if draw(st.booleans()):
        canvas[:] = canvas[:, :, :1]
    return canvas


@settings(deadline=None, max_examples=60)
@given(
    canvas=canvases(),
    sigma_s=st.integers(10, 200),
    sigma_r=st.sampled_from([0.01, 0.07, 0.1, 0.35, 0.6]),
    shade_factor=st.sampled_from([0.02, 0.05, 0.1, 0.2]),
)
def test_neighbors_equal_the_reference(canvas, sigma_s, sigma_r, shade_factor):
    numbers = {"sigma_s": sigma_s, "sigma_r": sigma_r, "shade_factor": shade_factor}

    counts = pencil.neighbors(canvas, **numbers)

    np.testing.assert_array_equal(counts, reference.neighbors(canvas, **numbers))


@settings(deadline=None, max_examples=30)
@given(canvas=canvases(), shade_factor=st.sampled_from([0.02, 0.05, 0.1, 0.2]))
def test_gray_and_color_equal_the_reference(canvas, shade_factor):
    counts = reference.neighbors(canvas, sigma_s=60, sigma_r=0.07, shade_factor=shade_factor)

    gray = pencil.gray(counts, shade_factor=shade_factor)
    color = pencil.color(canvas, counts, shade_factor=shade_factor)

    np.testing.assert_array_equal(gray, reference.gray(counts, shade_factor=shade_factor))
    np.testing.assert_allclose(color, reference.color(canvas, counts, shade_factor=shade_factor), rtol=0, atol=1)


@pytest.mark.parametrize("rows", [1, 63, 64, 65, 200])
def test_strips_leave_no_seam(rows):
    canvas = np.random.default_rng(rows).integers(90, 99, (rows, 70, 3), np.uint8)

    counts = pencil.neighbors(canvas, **NUMBERS)

    np.testing.assert_array_equal(counts, reference.neighbors(canvas, **NUMBERS))
