"""The oil style: OpenCV's painting by the classic looks, and strokes that are the same at every size by our own."""

from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import cv2
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from rendering.imaging.scale import to_long_edge
from rendering.styles import oil
from rendering.styles.base import Bench
from rendering.styles.oil import OIL

PHOTOS = Path(__file__).parents[2] / "photos"
NAMES = sorted(path.name for path in PHOTOS.iterdir() if path.suffix in {".jpg", ".webp"})


def photo(name, long_edge):
    return to_long_edge(np.asarray(cv2.imread(str(PHOTOS / name)), np.uint8), long_edge)


def paint(canvas, look="studio", **changes):
    return OIL.paint(Bench(canvas), OIL.values(look, changes))


@pytest.mark.parametrize(("look", "size", "dyn_ratio"), [("classic", 7, 3), ("fast", 5, 2)])
def test_classic_looks_equal_opencv(look, size, dyn_ratio):
    canvas = photo("tanners_ridge.jpg", 800)

    painted = paint(canvas, look)

    np.testing.assert_array_equal(painted, cv2.xphoto.oilPainting(canvas, size, dyn_ratio))


@pytest.mark.parametrize("name", NAMES)
def test_the_studio_preview_is_the_final_picture_smaller(name):
    preview = paint(photo(name, 512))

    final = to_long_edge(paint(photo(name, 2048)), 512)

    assert np.abs(preview.astype(int) - final).mean() <= 10


def test_a_relative_brush_grows_with_the_picture():
    canvas = photo("japanese-shop.jpg", 2048)

    painted = paint(canvas, "classic", relative=1)

    np.testing.assert_array_equal(painted, paint(canvas, "classic", size=14))


def test_a_brush_too_big_to_vote_with_sees_a_smaller_picture():
    canvas = photo("japanese-shop.jpg", 2048)

    painted = paint(canvas, "classic", relative=1, size=64)

    smaller = paint(to_long_edge(canvas, 1024), "classic", size=64)
    expected = cv2.resize(smaller, canvas.shape[1::-1], interpolation=cv2.INTER_LINEAR)
    np.testing.assert_array_equal(painted, expected)


def test_soft_borders_blend_what_hard_ones_part():
    canvas = np.zeros((40, 40, 3), np.uint8)
    canvas[:, 20:] = 200

    hard = paint(canvas, "classic")
    soft = paint(canvas, "classic", softness=50)

    assert np.unique(hard).tolist() == [0, 200]
    assert np.all(np.diff(soft[20, 12:28, 0].astype(int)) >= 0)
    assert np.unique(soft).size > 4


def test_strokes_keep_the_colors_of_a_flat_picture():
    canvas = np.full((300, 400, 3), (90, 120, 150), np.uint8)

    painted = paint(canvas, relief=0, vividness=0)

    assert np.abs(painted.reshape(-1, 3).mean(axis=0) - (90, 120, 150)).max() < 3
    assert painted.std() > canvas.std()


def test_vividness_moves_colors_away_from_gray():
    canvas = photo("wood_anemones.jpg", 256)

    dull, vivid = (cv2.cvtColor(paint(canvas, vividness=each), cv2.COLOR_BGR2HSV) for each in (0, 100))

    assert vivid[..., 1].mean() > 1.15 * dull[..., 1].mean()


def test_a_gray_picture_stays_gray():
    canvas = photo("portrait.jpg", 400)
    canvas[:] = canvas[..., :1]

    painted = paint(canvas, vividness=100)

    assert np.ptp(painted, axis=2).max() <= 1


def test_relief_changes_light_and_no_more():
    canvas = photo("denali.webp", 600)

    flat, raised = paint(canvas, relief=0), paint(canvas, relief=100)

    assert 2 < np.abs(raised.astype(int) - flat).mean() < 15


def test_more_brushwork_leaves_out_more_detail():
    canvas = photo("prairie_falcon.jpg", 512)

    little, much = (np.abs(paint(canvas, brushwork=each).astype(int) - canvas).mean() for each in (10, 100))

    assert little < much


def test_the_height_of_bands_does_not_show(monkeypatch):
    canvas = photo("notocactus_minimus.jpg", 512)
    painted = paint(canvas)

    monkeypatch.setattr(oil, "_BAND", 1000)

    np.testing.assert_allclose(paint(canvas), painted, rtol=0, atol=1)


def test_the_same_canvas_gives_the_same_painting_in_every_thread():
    canvas = photo("silver_fir.jpg", 512)

    with ThreadPoolExecutor(2) as threads:
        one, other = threads.map(paint, [canvas, canvas])

    np.testing.assert_array_equal(one, other)
    np.testing.assert_array_equal(one, paint(canvas))


@settings(deadline=None, max_examples=40)
@given(
    height=st.integers(1, 90),
    width=st.integers(1, 90),
    changes=st.fixed_dictionaries(
        {
            "size": st.integers(1, 64),
            "dyn_ratio": st.integers(1, 127),
            "relative": st.integers(0, 1),
            "softness": st.sampled_from([0, 35, 100]),
            "brushwork": st.sampled_from([0, 5, 50, 100]),
            "relief": st.sampled_from([0, 50, 100]),
            "vividness": st.sampled_from([0, 40, 100]),
        }
    ),
)
def test_every_shape_and_number_can_be_painted(height, width, changes):
    canvas = np.random.default_rng(height * 100 + width).integers(0, 256, (height, width, 3), np.uint8)
    before = canvas.copy()

    painted = paint(canvas, **changes)

    assert (painted.shape, painted.dtype) == (canvas.shape, canvas.dtype)
    np.testing.assert_array_equal(canvas, before)
