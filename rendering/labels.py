"""What a downloaded painting says about itself: its recipe, to paint it again, and nothing personal."""

from dataclasses import dataclass
from typing import BinaryIO, get_args

from rendering import recipes, styles
from rendering.imaging import Pixels, encode, xmp
from rendering.imaging.encode import Format
from rendering.recipes import FULL_SIZE, Recipe
from rendering.styles.base import ParameterError

PRODUCT = "AI Impressionist Art Workshop"
FULL_INTENSITY = 100
_FORMATS_BY_NAME: dict[str, Format] = {name: name for name in get_args(Format)}


@dataclass(frozen=True)
class Label:
    """How a painting's file was made: recipe, the look's name, file format and quality, and intensity in percent."""

    recipe: Recipe
    look: str
    format: Format
    quality: int | None
    intensity: int = FULL_INTENSITY


def of(recipe: Recipe, *, format: str = "jpeg", intensity: int = FULL_INTENSITY) -> Label:  # noqa: A002 - as in encode
    """Return the label of a painting by this recipe in the format's own quality; raise KeyError for another format.

    The look is the one whose numbers the recipe has, empty if none has them (any more).
    """
    chosen = _FORMATS_BY_NAME[format]
    return Label(recipe, _look_of(recipe), chosen, encode.QUALITIES[chosen], intensity)


def write(pixels: Pixels, label: Label, *, dpi: int | None = None) -> bytes:
    """Return the painting as a file that carries its label; the same bytes for the same pixels and label."""
    packet = xmp.packet(_texts(pixels, label))
    return encode.encode(pixels, format=label.format, quality=label.quality, xmp=packet, dpi=dpi)


def write_bare(pixels: Pixels, label: Label, *, dpi: int | None = None) -> bytes:
    """Return the painting as the same file, which says nothing about itself."""
    return encode.encode(pixels, format=label.format, quality=label.quality, dpi=dpi)


def read(file: BinaryIO) -> Label:
    """Return the label of a painting's file; raise ParameterError if it has none that can be painted."""
    texts = xmp.label(file)
    try:
        recipe = recipes.parse("{Style} {Version} {Parameters} @{LongEdge}".format_map(texts))
        quality = int(texts["Quality"]) if texts["Quality"] else None
        return Label(recipe, texts["Look"], _FORMATS_BY_NAME[texts["Format"]], quality, int(texts["Intensity"]))
    except (KeyError, ValueError) as error:
        message = "the file does not say how it was painted"
        raise ParameterError(message) from error


def _look_of(recipe: Recipe) -> str:
    style = styles.find(recipe.style)
    if style is None:
        return ""
    values = dict(recipe.values)
    return next((look for look in style.looks if style.values(look) == values), "")


def _texts(pixels: Pixels, label: Label) -> dict[str, str]:
    recipe = label.recipe
    return {
        "Product": PRODUCT,
        "Style": recipe.style,
        "Version": str(recipe.version),
        "Look": label.look,
        "Parameters": " ".join(f"{name}={value:g}" for name, value in recipe.values),
        "LongEdge": "full" if recipe.long_edge == FULL_SIZE else str(recipe.long_edge),
        "Size": f"{pixels.shape[1]}x{pixels.shape[0]}",
        "Intensity": str(label.intensity),
        "Format": label.format,
        "Quality": "" if label.quality is None else str(label.quality),
    }
