"""Both pencils: `classic` equal to OpenCV, `studio` balanced on every photo and the same at every size."""

from pathlib import Path

import cv2
import numpy as np
import pytest

from rendering.styles.base import Bench
from rendering.styles.color_pencil import COLOR_PENCIL
from rendering.styles.pencil import PENCIL

PHOTOS = sorted(path for path in (Path(__file__).parents[2] / "photos").iterdir() if path.suffix != ".md")
STYLES = (PENCIL, COLOR_PENCIL)

every_photo = pytest.mark.parametrize("photo", PHOTOS, ids=lambda path: path.stem)
every_style = pytest.mark.parametrize("style", STYLES, ids=lambda style: style.name)


def _canvas(photo, long_edge):
    pixels = cv2.imread(str(photo))
    assert pixels is not None
    height, width = pixels.shape[:2]
    scale = long_edge / max(height, width)
    size = round(width * scale), round(height * scale)
    return cv2.resize(pixels, size, interpolation=cv2.INTER_AREA if scale < 1 else cv2.INTER_CUBIC)


def _paint(style, canvas, look, **changes):
    return style.paint(Bench(canvas), style.values(look, changes))


def _assert_equal_to_opencv(canvas):
    bench = Bench(canvas)

    gray = PENCIL.paint(bench, PENCIL.values("classic"))
    color = COLOR_PENCIL.paint(bench, COLOR_PENCIL.values("classic"))

    expected_gray, expected_color = cv2.pencilSketch(canvas, sigma_s=60, sigma_r=0.07, shade_factor=0.1)
    difference = cv2.absdiff(color, expected_color)
    np.testing.assert_array_equal(gray, cv2.merge([expected_gray] * 3))
    assert np.mean(difference <= 1) >= 0.999
    assert difference.mean() < 0.02


@every_photo
def test_classic_equals_opencv_on_photos(photo):
    _assert_equal_to_opencv(_canvas(photo, 768))


def test_classic_equals_opencv_at_five_megapixels():
    _assert_equal_to_opencv(_canvas(PHOTOS[0].with_name("book-beside-flowers.jpg"), 2580))


@pytest.mark.parametrize("contrast", [1, 4, 30, 256])
@pytest.mark.parametrize("shape", [(1, 1), (1, 60), (60, 1), (2, 3), (37, 91), (92, 64), (131, 97)])
def test_classic_equals_opencv_at_small_sizes(shape, contrast):
    _assert_equal_to_opencv(np.random.default_rng(3).integers(0, contrast, (*shape, 3), np.uint8))


@every_style
def test_fast_is_opencv_with_the_tuned_values(style):
    canvas = _canvas(PHOTOS[0], 512)

    painted = _paint(style, canvas, "fast")

    gray, color = cv2.pencilSketch(canvas, sigma_s=40, sigma_r=0.1, shade_factor=0.1)
    expected = {"pencil": cv2.merge([gray] * 3), "color-pencil": color}[style.name]
    assert np.mean(cv2.absdiff(painted, expected) <= 1) >= 0.999  # OpenCV's floats miss some ties


@every_style
@every_photo
def test_studio_is_balanced(style, photo):
    for long_edge in (512, 1024):
        light = cv2.cvtColor(_paint(style, _canvas(photo, long_edge), "studio"), cv2.COLOR_BGR2GRAY)

        assert 0.45 <= np.mean(light > 230) <= 0.85
        assert np.mean(light < 40) <= 0.08


@every_style
@every_photo
def test_studio_preview_is_the_final_picture_smaller(style, photo):
    small, large = _canvas(photo, 512), _canvas(photo, 2048)

    preview, final = _paint(style, small, "studio"), _paint(style, large, "studio")

    scaled = cv2.resize(final, small.shape[1::-1], interpolation=cv2.INTER_AREA)
    assert cv2.absdiff(preview, scaled).mean() <= 10


@every_style
@pytest.mark.parametrize("look", ["studio", "classic", "fast"])
@pytest.mark.parametrize("shape", [(1, 1), (1, 50), (50, 1), (33, 57), (16, 1500), (1100, 900)])
def test_painting_keeps_size_and_leaves_the_canvas_alone(style, look, shape):
    canvas = np.random.default_rng(5).integers(0, 256, (*shape, 3), np.uint8)
    before = canvas.copy()

    painted = _paint(style, canvas, look)
    again = _paint(style, canvas, look)

    assert (painted.shape, painted.dtype, painted.flags.c_contiguous) == (canvas.shape, np.uint8, True)
    np.testing.assert_array_equal(canvas, before)
    np.testing.assert_array_equal(painted, again)


def test_pencil_is_gray():
    blue, green, red = cv2.split(_paint(PENCIL, _canvas(PHOTOS[0], 300), "studio"))

    np.testing.assert_array_equal(blue, green)
    np.testing.assert_array_equal(green, red)


def test_white_canvas_stays_paper():
    canvas = np.full((200, 300, 3), 255, np.uint8)

    for style in STYLES:
        assert _paint(style, canvas, "studio").min() == 255


@pytest.mark.parametrize("look", ["studio", "classic"])
def test_both_pencils_share_one_computation(look):
    bench = Bench(_canvas(PHOTOS[0], 200))

    for style in STYLES:
        style.paint(bench, style.values(look))

    assert len(bench._computed) == 1


@pytest.mark.parametrize(
    ("change", "lighter"),
    [({"shade_factor": 0.15}, True), ({"shade_factor": 0.05}, False), ({"tone": 0}, True), ({"tone": 1.5}, False)],
)
@every_style
def test_parameters_do_what_they_say(style, change, lighter):
    canvas = _canvas(PHOTOS[0], 512)

    difference = _paint(style, canvas, "studio", **change).mean() - _paint(style, canvas, "studio").mean()

    assert (difference > 2) == lighter
    assert abs(difference) > 2


def test_color_makes_colors_vivid():
    canvas = _canvas(PHOTOS[0], 512)

    pale, vivid = (cv2.cvtColor(_paint(COLOR_PENCIL, canvas, "studio", color=color), cv2.COLOR_BGR2HSV)[:, :, 1].mean()
                   for color in (0, 2))  # fmt: skip

    assert vivid > 2 * pale
