"""The catalog of styles. To add one: write its file beside these, and name it in the tuple."""

from rendering.styles.base import Style
from rendering.styles.color_pencil import COLOR_PENCIL
from rendering.styles.oil import OIL
from rendering.styles.pencil import PENCIL
from rendering.styles.watercolor import WATERCOLOR

CATALOG: tuple[Style, ...] = (
    PENCIL,
    COLOR_PENCIL,
    OIL,
    WATERCOLOR,
)
NAMES: tuple[str, ...] = tuple(style.name for style in CATALOG)
LOOKS: tuple[str, ...] = ("studio", "classic", "fast")


def find(name: str) -> Style | None:
    """Return the style of this name, or None."""
    return next((style for style in CATALOG if style.name == name), None)
