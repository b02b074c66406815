"""The watercolor kernel: equal to OpenCV where OpenCV is right, and to the plain reference at every size."""

import subprocess
import sys
from pathlib import Path

import cv2
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numba.core import event

from rendering.kernels import domain_transform, watercolor
from rendering.styles.base import Bench
from rendering.styles.watercolor import WATERCOLOR
from tests.rendering.kernels import watercolor_reference

PHOTOS = Path(__file__).parents[2] / "photos"
CLASSIC = {"sigma_s": 60, "sigma_r": 0.45}
FAST = {"sigma_s": 30, "sigma_r": 0.15}


@pytest.fixture(scope="module", autouse=True)
def _one_thread():
    threads = cv2.getNumThreads()
    cv2.setNumThreads(1)
    yield
    cv2.setNumThreads(threads)


def photo(name, long_edge):
    picture = cv2.imread(str(PHOTOS / name))
    assert picture is not None
    scale = long_edge / max(picture.shape)
    return cv2.resize(picture, None, fx=scale, fy=scale, interpolation=cv2.INTER_AREA)


def opencv(canvas, *, sigma_s, sigma_r):
    return cv2.stylization(canvas, sigma_s=sigma_s, sigma_r=sigma_r)


def differences(one, other):
    return np.abs(one.astype(np.int16) - other)


@pytest.mark.parametrize("sigmas", [CLASSIC, FAST], ids=["classic", "fast"])
@pytest.mark.parametrize("name", ["japanese-shop.jpg", "book-beside-flowers.jpg", "prairie_falcon.jpg"])
def test_stylize_equals_opencv_on_photos(name, sigmas):
    canvas = photo(name, 1024)

    difference = differences(watercolor.stylize(canvas, **sigmas), opencv(canvas, **sigmas))

    assert (difference <= 1).mean() >= 0.999
    assert difference.mean() < 0.02


def test_stylize_equals_opencv_up_to_five_megapixels():
    canvas = photo("book-beside-flowers.jpg", 2500)
    assert 4.6e6 < canvas.shape[0] * canvas.shape[1] < 5e6

    difference = differences(watercolor.stylize(canvas, **CLASSIC), opencv(canvas, **CLASSIC))

    assert (difference <= 1).mean() >= 0.999
    assert difference.mean() < 0.02


def test_stylize_is_right_where_opencv_is_wrong():
    canvas = photo("japanese-shop.jpg", 3200)
    assert 3 * canvas.shape[0] * (canvas.shape[1] + 1) > 2**24  # numbers of samples, which 32-bit floats cannot hold
    rows, margin = slice(800, 860), 160  # no window reaches further than the margin
    tile = canvas[rows.start - margin : rows.stop + margin]
    reference = watercolor_reference.stylize(tile, **CLASSIC)[margin:-margin]

    ours = differences(watercolor.stylize(canvas, **CLASSIC)[rows], reference)
    theirs = differences(opencv(canvas, **CLASSIC)[rows], reference)

    assert ours.max() <= 1
    assert ours.mean() < 0.02
    assert (theirs > 8).mean() > 0.05


def test_stylize_equals_another_filter_at_eight_megapixels():
    canvas = photo("japanese-shop.jpg", 3500)
    pixels = canvas.astype(np.float32)

    painted = watercolor.stylize(canvas, **CLASSIC, outline=0)

    smoothed = cv2.ximgproc.dtFilter(canvas, pixels, 60, 255 * 0.45, mode=cv2.ximgproc.DTF_NC, numIters=3)
    assert (differences(painted, np.rint(smoothed)) <= 1).mean() >= 0.9999


@st.composite
def canvases(draw):
    height, width = draw(st.integers(1, 40)), draw(st.integers(1, 40))
    random = np.random.default_rng(draw(st.integers(0, 2**32)))
    contrast = draw(st.sampled_from([1, 5, 60, 256]))
    channels = draw(st.sampled_from([1, 3]))
    base = random.integers(0, 257 - contrast)
    noise = random.integers(0, contrast, (height, width, channels))
    return np.ascontiguousarray(np.broadcast_to(base + noise, (height, width, 3)).astype(np.uint8))


@settings(max_examples=150, deadline=None)
@given(canvas=canvases(), sigma_s=st.integers(1, 200), sigma_r=st.floats(0.01, 0.66), outline=st.sampled_from([0, 1]))
def test_stylize_equals_the_reference(canvas, sigma_s, sigma_r, outline):
    before = canvas.copy()

    painted = watercolor.stylize(canvas, sigma_s=sigma_s, sigma_r=sigma_r, outline=outline)

    reference = watercolor_reference.stylize(canvas, sigma_s=sigma_s, sigma_r=sigma_r, outline=outline)
    assert differences(painted, reference).max() <= 1
    assert np.array_equal(canvas, before)


@pytest.mark.parametrize("shape", [(1, 1), (1, 700), (700, 1), (2, 3), (7, 9), (8, 8), (513, 33)])
def test_stylize_keeps_a_flat_picture(shape):
    canvas = np.full((*shape, 3), (0, 128, 255), np.uint8)

    painted = watercolor.stylize(canvas, **CLASSIC)

    assert np.array_equal(painted, canvas)


def test_stylize_is_near_the_reference_for_a_large_sigma_r():
    canvas = photo("prairie_falcon.jpg", 400)

    painted = watercolor.stylize(canvas, sigma_s=60, sigma_r=1)

    reference = watercolor_reference.stylize(canvas, sigma_s=60, sigma_r=1)
    assert (differences(painted, reference) <= 1).mean() >= 0.98


def test_strips_come_out_as_the_whole(monkeypatch):
    canvas = photo("japanese-shop.jpg", 1024)
    whole = watercolor.stylize(canvas, **CLASSIC)
    monkeypatch.setattr(watercolor, "_STRIP_PIXELS", 100 * canvas.shape[1])

    in_strips = watercolor.stylize(canvas, **CLASSIC)

    assert np.array_equal(in_strips, whole)


@pytest.mark.parametrize("rows", [range(1), range(300, 301), range(200, 500), range(683, 684)])
def test_smooth_returns_rows_of_the_whole(rows):
    canvas = photo("japanese-shop.jpg", 1024)
    whole = domain_transform.smooth(canvas, range(canvas.shape[0]), **CLASSIC)

    some = domain_transform.smooth(canvas, rows, **CLASSIC)

    assert np.array_equal(some, whole[rows.start : rows.stop])


@pytest.mark.parametrize(("sigma_s", "sigma_r"), [(0, 0.5), (-1, 0.5), (20_000, 0.5), (60, 0), (60, 1.5)])
def test_smooth_refuses_other_sigmas(sigma_s, sigma_r):
    canvas = np.zeros((4, 4, 3), np.uint8)

    with pytest.raises(ValueError, match="sigma_s goes from"):
        domain_transform.smooth(canvas, range(4), sigma_s=sigma_s, sigma_r=sigma_r)


def test_no_painting_compiles_anything():
    watercolor.compile_kernels()
    canvas = photo("japanese-shop.jpg", 300)
    canvas.flags.writeable = False

    with event.install_recorder("numba:compile") as compilations:
        for look in WATERCOLOR.looks:
            WATERCOLOR.paint(Bench(canvas), WATERCOLOR.values(look))
            WATERCOLOR.paint(Bench(canvas.copy()), WATERCOLOR.values(look))

    assert compilations.buffer == []


PAINT_A_HUGE_PICTURE = """
import resource

import numpy as np

from rendering.styles.base import Bench
from rendering.styles.watercolor import WATERCOLOR

canvas = np.full((8400, 12000, 3), 120, np.uint8)
shapes = {WATERCOLOR.paint(Bench(canvas), WATERCOLOR.values(look)).shape for look in ("classic", "studio")}
print(shapes, resource.getrusage(resource.RUSAGE_SELF).ru_maxrss // 1024)
"""


@pytest.mark.slow
def test_a_hundred_megapixels_take_little_memory():
    run = [sys.executable, "-c", PAINT_A_HUGE_PICTURE]

    printed = subprocess.run(run, check=True, capture_output=True, text=True, timeout=300).stdout

    shapes, mebibytes = printed.rsplit(maxsplit=1)
    assert shapes == "{(8400, 12000, 3)}"
    assert int(mebibytes) < 1700  # 600 of them are the canvas and the painting
