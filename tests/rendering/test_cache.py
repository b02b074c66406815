"""What makes two pictures the same: equal bytes, equal canvases, within one scope; digests are in no row."""

import hashlib

import pytest

from rendering import cache, recipes
from rendering.recipes import FULL_SIZE
from tests.rendering.makers import ONE_KEY, source_row

DIGEST = hashlib.sha256(b"a canvas").digest()


def test_equal_bytes_have_equal_keys_within_a_scope():
    first, second = cache.bytes_key(DIGEST.hex(), scope=""), cache.bytes_key(DIGEST.hex(), scope="")

    assert first == second
    assert len(first) == 64


def test_other_scope_has_another_key():
    assert cache.bytes_key(DIGEST.hex(), scope="a") != cache.bytes_key(DIGEST.hex(), scope="b")
    assert cache.canvas_key(DIGEST, scope="a") != cache.canvas_key(DIGEST, scope="b")


def test_key_does_not_give_the_digest_away(settings):
    before = cache.canvas_key(DIGEST, scope="")

    settings.SECRET_KEY = "another key of this site, long enough"

    assert before != DIGEST.hex()
    assert before != cache.canvas_key(DIGEST, scope="")


@pytest.mark.django_db
def test_full_size_is_known_by_its_file():
    read_at_1024 = {"canvas_key": ONE_KEY, "canvas_width": 1024, "canvas_height": 768, "width": 4000, "height": 3000}
    first, second = source_row(**read_at_1024), source_row(**read_at_1024)
    pre_scaled = recipes.compose("oil", look="fast", long_edge=1024)
    full = recipes.compose("oil", look="fast", long_edge=FULL_SIZE)

    assert cache.painted_key(first, pre_scaled) == cache.painted_key(second, pre_scaled)
    assert cache.painted_key(first, full) != cache.painted_key(second, full)
    assert cache.painted_key(first, full) == cache.painted_key(first, full)


@pytest.mark.django_db
@pytest.mark.parametrize("long_edge", [FULL_SIZE, 1024, 2048])
def test_painted_key_of_another_scope_is_another(long_edge: int):
    """Whatever is painted: a pre-scaled canvas, another size, or the full one that is known by its file."""
    sizes = {"canvas_width": 1024, "canvas_height": 768, "width": 4000, "height": 3000}
    of_scope = {
        scope: source_row(
            bytes_key=cache.bytes_key(DIGEST.hex(), scope=scope),
            canvas_key=cache.canvas_key(DIGEST, scope=scope),
            scope=scope,
            **sizes,
        )
        for scope in ("", "person-1", "person-2")
    }
    recipe = recipes.compose("oil", look="fast", long_edge=long_edge)

    assert len({cache.painted_key(source, recipe) for source in of_scope.values()}) == 3


@pytest.mark.django_db
def test_canvas_of_another_long_edge_is_another_canvas():
    """Two photos that are equal at 1024 pixels need not be equal at 2048, when an admin has raised the long edge."""
    read_at_1024 = {"canvas_key": ONE_KEY, "canvas_width": 1024, "canvas_height": 768, "width": 4000, "height": 3000}
    first, second = source_row(**read_at_1024), source_row(**read_at_1024)
    larger = recipes.compose("oil", look="fast", long_edge=2048)

    assert cache.painted_key(first, larger) != cache.painted_key(second, larger)


@pytest.mark.django_db
@pytest.mark.parametrize("long_edge", [FULL_SIZE, 1024])
def test_all_keys_of_a_source_hold_that_of_every_recipe(long_edge: int):
    sizes = {"canvas_width": 1024, "canvas_height": 768, "width": 4000, "height": 3000}
    source = source_row(canvas_key=ONE_KEY, **sizes)
    recipe = recipes.compose("oil", look="fast", long_edge=long_edge)

    assert cache.painted_key(source, recipe) in cache.painted_keys(source)


@pytest.mark.django_db
def test_source_that_was_never_read_shares_no_key_with_another():
    first, second = source_row(), source_row()

    assert "" not in cache.painted_keys(first)
    assert cache.painted_keys(first) & cache.painted_keys(second) == set()
