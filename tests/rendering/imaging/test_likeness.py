"""The closer look: what passes as the same picture, and what does not."""

from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from PIL import Image

from rendering.imaging import fingerprint, likeness
from tests.rendering.imaging import copies
from tests.rendering.imaging.copies import bgr

FOLDER = Path(__file__).parents[2] / "photos"
NAMES = ("prairie_falcon.jpg", "wood_anemones.jpg", "book-beside-flowers.jpg", "japanese-shop.jpg")


def photo(name: str, *, long_edge: int = 1024) -> Image.Image:
    with Image.open(FOLDER / name) as image:
        picture = image.convert("RGB")
    picture.thumbnail((long_edge, long_edge))
    return picture


def distance(one: Image.Image, other: Image.Image) -> int:
    hashes = [int.from_bytes(fingerprint.perceptual_hash(bgr(each)), "big") for each in (one, other)]
    return (hashes[0] ^ hashes[1]).bit_count()


@pytest.mark.parametrize("name", NAMES)
@pytest.mark.parametrize("copy", copies.HONEST)
def test_honest_copy_is_alike(name: str, copy: str):
    picture = photo(name)

    assert likeness.alike(bgr(picture), bgr(copies.HONEST[copy](picture)))


@pytest.mark.parametrize("name", NAMES)
@pytest.mark.parametrize("copy", copies.CHANGED)
def test_changed_copy_is_not_alike(name: str, copy: str):
    picture = photo(name)

    assert not likeness.alike(bgr(picture), bgr(copies.CHANGED[copy](picture)))


@pytest.mark.parametrize("name", NAMES)
def test_other_number_plate_is_not_alike_though_its_hash_is_near(name: str):
    one, other = copies.one_plate(photo(name)), copies.other_plate(photo(name))

    assert distance(one, other) <= 16
    assert not likeness.alike(bgr(one), bgr(other))


@pytest.mark.parametrize(("victim", "attacker"), [(NAMES[0], NAMES[1]), (NAMES[1], NAMES[2]), (NAMES[2], NAMES[3])])
def test_crafted_collision_is_not_alike_though_its_hash_is_near(victim: str, attacker: str):
    crafted = copies.collision(photo(victim), photo(attacker))

    assert distance(photo(victim), crafted) <= 8
    assert likeness.worst_block(bgr(photo(victim)), bgr(crafted)) > 10 * likeness.BOUND


def test_flat_greys_are_not_alike_though_their_hash_is_the_same():
    one, other = copies.flat(100), copies.flat(140)

    assert distance(one, other) == 0
    assert not likeness.alike(bgr(one), bgr(other))


def test_squeezed_copy_is_not_alike():
    picture = photo(NAMES[0])
    squeezed = picture.resize((picture.width // 2, picture.height))

    assert not likeness.alike(bgr(picture), bgr(squeezed))


sizes = st.tuples(st.integers(1, 70), st.integers(1, 70))


@given(one=sizes, other=sizes)
def test_likeness_survives_every_size_and_is_the_same_both_ways_for_one_size(one, other):
    pixels = np.random.default_rng(1).integers(0, 256, (*one, 3), dtype=np.uint8)
    noise = np.random.default_rng(2).integers(0, 256, (*other, 3), dtype=np.uint8)
    same_size = np.random.default_rng(3).integers(0, 256, (*one, 3), dtype=np.uint8)

    assert likeness.worst_block(pixels, pixels) == 0
    assert 0 <= likeness.worst_block(pixels, noise) <= 255
    assert likeness.worst_block(pixels, same_size) == likeness.worst_block(same_size, pixels)


def test_likeness_leaves_its_pictures_alone():
    one, other = bgr(photo(NAMES[0], long_edge=300)), bgr(photo(NAMES[1], long_edge=300))
    before = one.copy(), other.copy()

    likeness.alike(one, other)

    assert np.array_equal(one, before[0])
    assert np.array_equal(other, before[1])
