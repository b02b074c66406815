"""Strips: the small paintings of a photo side by side."""

import io

import numpy as np
import pytest
from PIL import Image

from rendering import store, strips
from rendering.models import Rendition
from tests import makers

pytestmark = pytest.mark.django_db

RED, BLUE, PAPER = (200, 30, 30), (30, 30, 200), (strips.PAPER,) * 3


def of_color(color: tuple[int, int, int], *, width: int = 480, height: int = 320) -> Rendition:
    file = io.BytesIO()
    Image.new("RGB", (width, height), color).save(file, "JPEG", quality=95)
    pages = store.put_pages("renditions", {width: file.getvalue()})
    return makers.rendition(folder=pages.folder, widths=pages.widths, width=width, height=height)


def opened(content: bytes) -> Image.Image:
    image = Image.open(io.BytesIO(content))
    assert image.format == "WEBP"
    return image.convert("RGB")


def middle_of_cell(strip: Image.Image, number: int) -> tuple[int, ...]:
    found = strip.getpixel((strips.CELL * number + strips.CELL // 2, strips.CELL // 2))
    assert isinstance(found, tuple)
    return found


def test_draw_puts_paintings_side_by_side_in_their_order():
    strip = opened(strips.draw([of_color(RED), of_color(BLUE, width=300, height=900)]))

    assert strip.size == (2 * strips.CELL, strips.CELL)
    assert np.allclose(middle_of_cell(strip, 0), RED, atol=6)
    assert np.allclose(middle_of_cell(strip, 1), BLUE, atol=6)


def test_draw_leaves_a_cell_empty_whose_painting_is_gone():
    lost = of_color(BLUE)
    store.remove_pages(lost.folder, lost.widths)

    strip = opened(strips.draw([None, lost, of_color(RED)]))

    assert [middle_of_cell(strip, number) for number in (0, 1)] == [PAPER, PAPER]
    assert np.allclose(middle_of_cell(strip, 2), RED, atol=6)


@pytest.mark.parametrize(("width", "height"), [(16, 16), (17, 900), (900, 17), (255, 257)])
def test_draw_takes_any_shape(width, height):
    strip = opened(strips.draw([of_color(RED, width=width, height=height)]))

    assert strip.size == (strips.CELL, strips.CELL)
    assert np.allclose(middle_of_cell(strip, 0), RED, atol=6)


def test_digest_tells_paintings_and_their_order_apart():
    one, other = of_color(RED), of_color(BLUE)

    digests = {strips.digest(each) for each in ([one], [other], [one, other], [other, one], [one, None], [None, one])}

    assert len(digests) == 6
