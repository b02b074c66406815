"""Recipes: one canonical text decides the pixels."""

import hashlib

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rendering import recipes, styles
from rendering.recipes import FULL_SIZE, Recipe
from rendering.styles.base import ParameterError


@pytest.mark.parametrize("style", styles.NAMES)
@pytest.mark.parametrize("look", styles.LOOKS)
@pytest.mark.parametrize("long_edge", [1024, FULL_SIZE])
def test_parse_returns_what_compose_wrote(style, look, long_edge):
    recipe = recipes.compose(style, look=look, long_edge=long_edge)

    assert recipes.parse(recipe.text) == recipe


def test_text_is_canonical():
    recipe = Recipe("oil", 1, (("dyn_ratio", 3.0), ("size", 7.5)), 1024)

    assert recipe.text == "oil 1 dyn_ratio=3 size=7.5 @1024"
    assert Recipe("oil", 1, recipe.values, FULL_SIZE).text == "oil 1 dyn_ratio=3 size=7.5 @full"


def test_digest_is_the_hash_of_the_text():
    recipe = recipes.compose("oil", look="classic", long_edge=512)

    assert recipe.digest == hashlib.sha256(recipe.text.encode()).hexdigest()


def test_compose_names_every_parameter_of_the_style():
    for style in styles.CATALOG:
        recipe = recipes.compose(style.name, look="classic", long_edge=1024)

        assert [name for name, _ in recipe.values] == sorted(parameter.name for parameter in style.parameters)


def test_compose_lays_changes_over_the_look():
    plain = recipes.compose("oil", look="classic", long_edge=1024)
    changed = recipes.compose("oil", look="classic", long_edge=1024, changes={"size": 9})

    assert dict(changed.values) == {**dict(plain.values), "size": 9}
    assert changed.digest != plain.digest


@pytest.mark.parametrize(
    ("style", "look", "changes"),
    [
        ("crayon", "classic", {}),
        ("oil", "baroque", {}),
        ("oil", "classic", {"mood": 1}),
        ("oil", "classic", {"size": 1000}),
        ("oil", "classic", {"size": float("nan")}),
        ("oil", "classic", {"size": float("inf")}),
    ],
)
def test_compose_refuses_what_the_style_does_not_have(style, look, changes):
    with pytest.raises(ParameterError):
        recipes.compose(style, look=look, long_edge=1024, changes=changes)


@pytest.mark.parametrize("text", ["", "oil", "oil 1", "oil x size=7 @1024", "oil 1 size @1024", "oil 1 size=7 @x"])
def test_parse_refuses_other_texts(text):
    with pytest.raises(ParameterError, match="not a recipe"):
        recipes.parse(text)


@given(st.text(max_size=40))
def test_parse_answers_any_text_with_a_recipe_or_a_refusal(text):
    try:
        recipe = recipes.parse(text)
    except ParameterError:
        return
    assert isinstance(recipe, Recipe)


@given(st.data())
def test_text_and_recipe_are_one_to_one_within_the_schema(data):
    style = data.draw(st.sampled_from(styles.CATALOG))
    changes = {each.name: data.draw(st.floats(each.low, each.high)) for each in style.parameters}

    recipe = recipes.compose(style.name, look="studio", long_edge=1024, changes=changes)

    assert recipes.parse(recipe.text) == recipe
