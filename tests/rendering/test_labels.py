"""Labels: a painting's file says how to paint it again, and nothing else."""

import io

import numpy as np
import pytest

from rendering import labels, recipes, styles
from rendering.imaging import xmp
from rendering.imaging.encode import FORMATS, QUALITIES, encode
from rendering.labels import Label
from rendering.styles.base import ParameterError
from tests.rendering.imaging import pictures

PIXELS = np.asarray(pictures.scene(64, 48))


@pytest.mark.parametrize("kind", FORMATS)
@pytest.mark.parametrize("style", styles.NAMES)
@pytest.mark.parametrize("long_edge", [1024, recipes.FULL_SIZE])
def test_read_returns_the_label_that_was_written(kind, style, long_edge):
    recipe = recipes.compose(style, look="classic", long_edge=long_edge)
    label = Label(recipe, "classic", kind, QUALITIES[kind], intensity=80)

    content = labels.write(PIXELS, label)

    assert labels.read(io.BytesIO(content)) == label
    assert labels.write(PIXELS.copy(), label) == content


def test_label_says_how_and_not_who():
    label = Label(recipes.compose("oil", look="classic", long_edge=1024), "classic", "png", None)

    texts = xmp.label(io.BytesIO(labels.write(PIXELS, label)))

    assert list(texts) == [
        "Product", "Style", "Version", "Look", "Parameters", "LongEdge", "Size", "Intensity", "Format", "Quality",
    ]  # fmt: skip
    assert texts["Product"] == "AI Impressionist Art Workshop"
    assert (texts["Style"], texts["Look"], texts["LongEdge"], texts["Size"]) == ("oil", "classic", "1024", "64x48")


@pytest.mark.parametrize(
    "texts",
    [
        {},
        {"Style": "oil"},
        {"Style": "oil", "Version": "x", "Parameters": "size=7", "LongEdge": "1024"},
        {"Style": "oil", "Version": "1", "Parameters": "size=7", "LongEdge": "1024", "Look": "a", "Format": "gif"},
    ],
)
def test_read_refuses_files_without_a_whole_label(texts):
    content = encode(PIXELS, format="png", xmp=xmp.packet({"Quality": "", "Intensity": "100", **texts}))

    with pytest.raises(ParameterError, match="does not say how it was painted"):
        labels.read(io.BytesIO(content))
