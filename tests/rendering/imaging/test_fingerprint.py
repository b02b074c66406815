"""Fingerprints: exact, perceptual (as imagehash computes it), and of colors."""

import hashlib
import io
from pathlib import Path

import imagehash
import numpy as np
import pytest
from PIL import Image

from rendering.imaging import Pixels, fingerprint
from rendering.imaging.decode import decode
from rendering.imaging.header import Limits
from tests.rendering.imaging import pictures

PHOTOS = sorted(Path(__file__).parents[2].joinpath("photos").glob("*.[jwa]*"))


def canvas(photo: Path) -> Pixels:
    return decode(io.BytesIO(photo.read_bytes()), limits=Limits(), long_edge=1024).pixels


def reference(pixels: Pixels) -> bytes:
    """imagehash's own answer for the same picture."""
    image = Image.fromarray(np.ascontiguousarray(pixels[:, :, ::-1]))
    return bytes.fromhex(str(imagehash.phash(image, hash_size=16)))


def distance(one: bytes, other: bytes) -> int:
    return (int.from_bytes(one, "big") ^ int.from_bytes(other, "big")).bit_count()


def test_there_are_photos():
    assert len(PHOTOS) == 11


@pytest.mark.parametrize("photo", PHOTOS, ids=lambda photo: photo.name)
def test_perceptual_hash_equals_imagehash_on_photos(photo):
    pixels = canvas(photo)

    assert fingerprint.perceptual_hash(pixels) == reference(pixels)


@pytest.mark.parametrize("value", range(0, 256, 5))
def test_perceptual_hash_equals_imagehash_on_flat_pictures(value):
    pixels = np.full((30, 41, 3), value, np.uint8)

    assert fingerprint.perceptual_hash(pixels) == reference(pixels)


@pytest.mark.parametrize("seed", range(20))
def test_perceptual_hash_equals_imagehash_on_soft_pictures(seed):
    pixels = np.ascontiguousarray(np.asarray(pictures.scene(200, 133, seed=seed))[:, :, ::-1])

    assert fingerprint.perceptual_hash(pixels) == reference(pixels)


def test_perceptual_hash_is_near_for_a_smaller_copy_and_far_for_another_photo():
    photos = {photo.name: photo for photo in PHOTOS}
    whole = canvas(photos["prairie_falcon.jpg"])
    small = decode(io.BytesIO(photos["prairie_falcon.jpg"].read_bytes()), limits=Limits(), long_edge=300).pixels
    other = canvas(photos["silver_fir.jpg"])

    hashes = [fingerprint.perceptual_hash(pixels) for pixels in (whole, small, other)]

    assert distance(hashes[0], hashes[1]) <= 8
    assert distance(hashes[0], hashes[2]) >= 80


def test_digest_is_of_version_size_and_pixels():
    pixels = np.arange(2 * 3 * 3, dtype=np.uint8).reshape(2, 3, 3)

    expected = hashlib.sha256(bytes([0, 0, 0, 1, 0, 0, 0, 2, 0, 0, 0, 3]) + bytes(range(18))).digest()

    assert fingerprint.digest(pixels) == expected


def test_digest_tells_shapes_and_pixels_apart():
    pixels = np.zeros((4, 6, 3), np.uint8)
    changed = pixels.copy()
    changed[3, 5, 2] = 1

    digests = {
        fingerprint.digest(each) for each in (pixels, pixels.reshape(6, 4, 3), pixels.reshape(2, 12, 3), changed)
    }

    assert len(digests) == 4


def test_digest_does_not_depend_on_the_memory_layout():
    pixels = np.asarray(pictures.scene(40, 30))
    view = np.asfortranarray(pixels)

    assert fingerprint.digest(view) == fingerprint.digest(pixels)


def test_signature_is_a_grid_of_mean_colors_red_first():
    pixels = np.zeros((40, 60, 3), np.uint8)
    colors = [[255, 0, 0], [0, 255, 0], [0, 0, 255], [10, 20, 30], [40, 50, 60], [255, 255, 255]]
    for cell, color in enumerate(colors):
        row, column = divmod(cell, 3)
        pixels[20 * row : 20 * row + 20, 20 * column : 20 * column + 20] = color[::-1]

    assert fingerprint.signature(pixels) == bytes(value for color in colors for value in color)


@pytest.mark.parametrize("shape", [(1, 1), (1, 50), (50, 1), (2, 2)])
def test_fingerprints_survive_tiny_pictures(shape):
    pixels = np.full((*shape, 3), (30, 20, 10), np.uint8)

    assert fingerprint.signature(pixels) == bytes([10, 20, 30] * 6)
    assert len(fingerprint.perceptual_hash(pixels)) == 32
    assert len(fingerprint.digest(pixels)) == 32
