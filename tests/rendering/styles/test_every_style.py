"""What holds for every style of the catalog, in every look."""

from collections.abc import Iterator
from pathlib import Path

import cv2
import numpy as np
import pytest

from rendering import kernels, recipes, styles
from rendering.imaging.scale import to_long_edge
from rendering.recipes import FULL_SIZE
from rendering.styles.base import Bench, ParameterError, Pixels, Style
from tests.rendering.styles import golden
from tests.stopwatch import quickest

PHOTOS = Path(__file__).parents[2] / "photos"
FAILURES = Path(__file__).parents[3] / "tests" / "failures"
SHAPES = [(1, 1), (1, 40), (40, 1), (2, 3), (17, 31), (64, 64)]
LOOKS = [(style, look) for style in styles.CATALOG for look in styles.LOOKS]
NAMES = [f"{style.name}-{look}" for style, look in LOOKS]


@pytest.fixture(scope="module", autouse=True)
def ready_kernels() -> None:
    kernels.compile_all()


@pytest.fixture
def one_thread() -> Iterator[None]:
    before = cv2.getNumThreads()
    yield
    cv2.setNumThreads(before)


@pytest.fixture(scope="module")
def colorful() -> Pixels:
    return np.random.default_rng(7).integers(0, 256, (61, 83, 3), dtype=np.uint8)


@pytest.mark.parametrize(("style", "look"), LOOKS, ids=NAMES)
@pytest.mark.parametrize("shape", SHAPES)
def test_style_keeps_size_and_type(style: Style, look: str, shape: tuple[int, int]):
    canvas = np.random.default_rng(1).integers(0, 256, (*shape, 3), dtype=np.uint8)

    painted = style.paint(Bench(canvas), style.values(look))

    assert (painted.shape, painted.dtype) == (canvas.shape, canvas.dtype)
    assert painted.flags.c_contiguous


@pytest.mark.parametrize(("style", "look"), LOOKS, ids=NAMES)
@pytest.mark.parametrize("level", [0, 128, 255])
def test_style_paints_a_flat_canvas(style: Style, look: str, level: int):
    canvas = np.full((50, 70, 3), level, np.uint8)

    painted = style.paint(Bench(canvas), style.values(look))

    assert painted.shape == canvas.shape


@pytest.mark.no_cover
@pytest.mark.parametrize("style", styles.CATALOG, ids=lambda style: style.name)
def test_draft_looks_like_the_painting_for_half_of_its_cost(style: Style):
    canvas = to_long_edge(_photo("japanese-shop.jpg"), 512)
    values = style.values("studio")

    draft, painting = style.paint(Bench(canvas, draft=True), values), style.paint(Bench(canvas), values)
    whole = quickest(lambda: style.paint(Bench(canvas), values), tries=3)

    assert draft.shape == canvas.shape
    assert np.abs(_blurred(draft) - _blurred(painting)).mean() <= 16
    assert quickest(lambda: style.paint(Bench(canvas, draft=True), values), within=whole / 2) <= whole / 2
    np.testing.assert_array_equal(draft, style.paint(Bench(canvas, draft=True), values))


@pytest.mark.parametrize("style", styles.CATALOG, ids=lambda style: style.name)
def test_draft_of_a_canvas_of_the_usual_size_is_the_painting(style: Style):
    canvas, values = to_long_edge(_photo("japanese-shop.jpg"), 1024), style.values("studio")

    draft = style.paint(Bench(canvas, draft=True), values)

    np.testing.assert_array_equal(draft, style.paint(Bench(canvas), values))


@pytest.mark.parametrize(("style", "look"), LOOKS, ids=NAMES)
def test_style_leaves_its_canvas_alone(style: Style, look: str, colorful: Pixels):
    before = colorful.copy()

    painted = style.paint(Bench(colorful), style.values(look))

    assert np.array_equal(colorful, before)
    assert not np.shares_memory(painted, colorful)


@pytest.mark.parametrize(("style", "look"), LOOKS, ids=NAMES)
def test_style_paints_a_canvas_that_nobody_may_write_to(style: Style, look: str, colorful: Pixels):
    locked = colorful.copy()
    locked.flags.writeable = False

    painted = style.paint(Bench(locked), style.values(look))

    assert np.array_equal(painted, style.paint(Bench(colorful), style.values(look)))


@pytest.mark.usefixtures("one_thread")
@pytest.mark.parametrize(("style", "look"), LOOKS, ids=NAMES)
def test_style_paints_the_same_with_one_thread_and_with_many(style: Style, look: str, colorful: Pixels):
    cv2.setNumThreads(4)
    many = style.paint(Bench(colorful), style.values(look))
    cv2.setNumThreads(1)

    one = style.paint(Bench(colorful), style.values(look))

    assert np.array_equal(one, many)


@pytest.mark.parametrize("look", styles.LOOKS)
def test_styles_of_one_bench_paint_as_alone(look: str, colorful: Pixels):
    bench = Bench(colorful)

    together = [style.paint(bench, style.values(look)) for style in styles.CATALOG]

    for style, painted in zip(styles.CATALOG, together, strict=True):
        assert np.array_equal(painted, style.paint(Bench(colorful), style.values(look)))


@pytest.mark.parametrize("style", styles.CATALOG, ids=styles.NAMES)
def test_style_declares_what_forms_need(style: Style):
    assert set(style.looks) == set(styles.LOOKS)
    assert style.label
    assert style.summary
    for parameter in style.parameters:
        assert parameter.low <= parameter.default <= parameter.high
        assert parameter.checked(parameter.default) == parameter.default
        assert parameter.label
        assert parameter.effect


@pytest.mark.parametrize("style", styles.CATALOG, ids=styles.NAMES)
def test_every_parameter_is_painted_at_both_ends(style: Style):
    canvas = np.random.default_rng(3).integers(0, 256, (24, 33, 3), dtype=np.uint8)

    for parameter in style.parameters:
        for value in (parameter.low, parameter.high):
            painted = style.paint(Bench(canvas), style.values("studio", {parameter.name: value}))
            assert painted.shape == canvas.shape


@pytest.mark.parametrize("style", styles.CATALOG, ids=styles.NAMES)
def test_style_refuses_what_it_does_not_have(style: Style):
    first = style.parameters[0]

    with pytest.raises(ParameterError, match=r"has no look 'sepia'"):
        style.values("sepia")
    with pytest.raises(ParameterError, match=r"has no parameter mood"):
        style.values("studio", {"mood": 1})
    with pytest.raises(ParameterError, match=f"{first.name} goes from"):
        style.values("studio", {first.name: first.high + 1})


@pytest.mark.parametrize(("style", "look"), LOOKS, ids=NAMES)
def test_recipe_text_names_one_recipe(style: Style, look: str):
    recipe = recipes.compose(style.name, look=look, long_edge=FULL_SIZE)

    assert recipes.parse(recipe.text) == recipe


@pytest.mark.parametrize(("style", "look", "subject"), golden.CASES)
def test_painting_is_the_golden_one(style: Style, look: str, subject: str):
    path = golden.path_of(style, look, subject)
    assert path.exists(), "look at the new pictures, then: python -m tests.rendering.styles.golden"

    painted = golden.painted(style, look, subject)

    expected = golden.load(path)
    difference = float(np.abs(painted.astype(int) - expected).mean())
    alike = likeness(painted, expected)
    if difference > 1 or alike < 0.98:
        golden.save(FAILURES / path.name, np.hstack([expected, painted]))
    assert difference <= 1, f"{path.name}: pixels changed; raise the style's version, or mend it"
    assert alike >= 0.98, f"{path.name}: structure changed; raise the style's version, or mend it"


def likeness(one: Pixels, other: Pixels) -> float:
    """Return the mean structural similarity of two pictures, 1 for equal ones (Wang and others 2004, 7-pixel boxes)."""
    first, second = (cv2.cvtColor(each, cv2.COLOR_BGR2GRAY).astype(np.float64) for each in (one, other))
    mean_1, mean_2 = (cv2.blur(each, (7, 7)) for each in (first, second))
    spread_1 = cv2.blur(first * first, (7, 7)) - mean_1**2
    spread_2 = cv2.blur(second * second, (7, 7)) - mean_2**2
    shared = cv2.blur(first * second, (7, 7)) - mean_1 * mean_2
    low, high = (0.01 * 255) ** 2, (0.03 * 255) ** 2
    top = (2 * mean_1 * mean_2 + low) * (2 * shared + high)
    bottom = (mean_1**2 + mean_2**2 + low) * (spread_1 + spread_2 + high)
    return float((top / bottom).mean())


def _photo(name: str) -> Pixels:
    return np.asarray(cv2.imread(str(PHOTOS / name)), np.uint8)


def _blurred(picture: Pixels) -> Pixels:
    """Return the picture as somebody sees it from a distance, where single strokes cannot be told."""
    return np.asarray(cv2.GaussianBlur(picture, (0, 0), 10), np.float32)
