"""The wash kernels: as the plain reference, for washes as large as the painting and for smaller ones."""

import cv2
import numpy as np
import pytest

from rendering.kernels import paper, washes
from tests.rendering.kernels import washes_reference


def _fields(height, width):
    random = np.random.default_rng(height)
    density = cv2.GaussianBlur(random.random((height, width, 3), np.float32), (0, 0), 2).reshape(height, width, 3)
    brush = np.ones((5, 5), np.uint8)
    thin, thick = (operation(density, brush).reshape(density.shape) for operation in (cv2.erode, cv2.dilate))
    around = cv2.blur(density.mean(2), (9, 9))
    return density, thin, thick, around


@pytest.mark.parametrize("shape", [(40, 60), (80, 120), (67, 91), (40, 1100), (1, 1)])
def test_settle_equals_the_reference(shape):
    density, thin, thick, around = _fields(min(40, shape[0]), min(60, shape[1]))
    cloud, grain = paper.wash(), paper.grain()
    painted = np.empty((*shape, 3), np.uint8)

    washes.settle(density, thin, thick, around, cloud, grain, np.float32(1.2), np.float32(0.08), painted)

    expected = washes_reference.settle(density, thin, thick, around, cloud, grain, 1.2, 0.08, painted.shape)
    # the tables of light have 512 steps for a density of 1
    assert np.abs(painted + 0.5 - expected).max() < 1.5
