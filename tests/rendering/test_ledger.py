"""What a painting costs by its size: least squares over real rows, and the kernels' own figures without enough."""

import pytest
from django.conf import settings

from rendering import ledger, recipes, styles
from rendering.ledger import ENOUGH, KERNELS, Curve, Sums
from rendering.models import Rendition
from tests.rendering import makers
from tests.rendering.makers import rendition_row

OIL = ("oil", "studio")
SMALL, LARGE = (1000, 700), (4000, 3000)


def painted(
    seconds: list[float], *, style: str = "oil", look: str = "studio", size: tuple[int, int] = SMALL, full: bool = False
) -> None:
    """Note paintings of one size that took so many CPU seconds."""
    recipe = recipes.compose(style, look=look, long_edge=recipes.FULL_SIZE if full else settings.LONG_EDGE)
    facts = {"recipe": recipe.text, "recipe_digest": recipe.digest, "style": style, "style_version": recipe.version}
    for each in seconds:
        rendition_row(**facts, width=size[0], height=size[1], cpu_seconds=each)


def sums(points: list[tuple[float, float]]) -> Sums:
    total = Sums()
    for x, y in points:
        total = total.plus(Sums(1, x, y, x * x, x * y, y * y))
    return total


def test_kernels_have_a_figure_for_every_look():
    assert set(KERNELS) == {(style.name, look) for style in styles.CATALOG for look in style.looks}


@pytest.mark.django_db
def test_without_enough_paintings_the_kernels_own_figures_stand_in():
    painted([9.0] * (ENOUGH - 1))

    model = ledger.models()[OIL]

    assert (model.curve, model.paintings, model.error, model.is_line) == (KERNELS[OIL], ENOUGH - 1, None, False)


@pytest.mark.django_db
def test_paintings_of_one_size_scale_the_kernels_figures():
    """A machine that is three times slower, with 10 % up and down."""
    expected = 3 * KERNELS[OIL].at(0.7)
    painted([expected * 0.9, expected * 1.1] * 5)

    model = ledger.models()[OIL]

    assert model.curve.at(0.7) == pytest.approx(expected)
    assert model.curve.at(12) == pytest.approx(3 * KERNELS[OIL].at(12))
    assert (model.paintings, model.is_line) == (10, False)
    assert model.error == pytest.approx(0.1)


@pytest.mark.django_db
def test_paintings_of_different_sizes_give_a_line():
    painted([0.05 + 0.7 * 0.2] * 10)
    painted([0.05 + 12 * 0.2] * 10, size=LARGE, full=True)

    model = ledger.models()[OIL]

    assert (model.paintings, model.is_line) == (20, True)
    assert model.curve.fixed == pytest.approx(0.05)
    assert model.curve.per_megapixel == pytest.approx(0.2)
    assert model.error == pytest.approx(0, abs=1e-6)


def test_line_does_not_begin_below_nothing():
    """Large ones cost more than in proportion: the best line would have small paintings cost less than nothing."""
    model = ledger.fit(sums([(1.0, 0.01)] * 10 + [(10.0, 1.0)] * 10), Curve(0.0, 0.1))

    assert (model.is_line, model.curve.fixed) == (True, 0.0)
    assert model.curve.at(10) == pytest.approx(1.0, rel=0.02)


def test_measurements_that_make_no_sense_leave_the_kernels_shape():
    """Large ones were cheaper than small ones: no line, as it would pay people for full size."""
    model = ledger.fit(sums([(1.0, 1.0)] * 10 + [(10.0, 0.1)] * 10), Curve(0.1, 0.1))

    assert not model.is_line
    assert model.curve.fixed == pytest.approx(model.curve.per_megapixel)


@pytest.mark.django_db
def test_other_looks_parameters_and_versions_are_other_models():
    painted([5.0] * 10)
    tuned = recipes.compose("oil", look="studio", long_edge=1024, changes={"size": 11})
    for text in (tuned.text, "oil 99 size=7 @1024", "pointillism 1 dots=7 @1024", "nonsense"):
        for _ in range(10):
            rendition_row(recipe=text, width=1000, height=700, cpu_seconds=100)

    models = ledger.models()

    assert models[OIL].paintings == 10
    assert models[OIL].curve.at(0.7) == pytest.approx(5.0)
    assert {model.paintings for kind, model in models.items() if kind != OIL} == {0}


@pytest.mark.django_db
def test_newest_paintings_count(monkeypatch):
    monkeypatch.setattr(ledger, "LATEST", 10)
    painted([9.0] * 10)
    painted([2.0] * 10)

    assert ledger.models()[OIL].curve.at(0.7) == pytest.approx(2.0)


@pytest.mark.django_db
@pytest.mark.parametrize("count", [1, 20])
def test_model_is_one_query(django_assert_num_queries, count: int):
    painted([1.0] * count)

    with django_assert_num_queries(1):
        ledger.models()


@pytest.mark.django_db(transaction=True)
def test_real_paintings_are_within_reach_of_the_kernels_figures(valkey, media):
    """The table in the code is of this engine: a real painting costs between a tenth and ten times of it."""
    makers.painted(makers.photo(width=1024, height=768), "watercolor")
    rendition = Rendition.objects.get()

    expected = KERNELS["watercolor", "fast"].at(rendition.width * rendition.height / 1e6)

    assert expected / 10 < rendition.cpu_seconds < expected * 10
