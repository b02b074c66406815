"""What a painting can be saved as: sizes for the screen and for paper, with what they come to."""

from dataclasses import dataclass

from django import template
from django.utils.translation import gettext as _

from gallery.models import Artwork
from rendering import exports
from rendering.models import Sheet

register = template.Library()

SHARP, FAIR = 200, 120  # pixels an inch: from arm's length, and from across a table


@dataclass(frozen=True)
class Size:
    """A size to choose, in words."""

    value: str
    label: str


@register.simple_tag
def save_sizes(artwork: Artwork) -> list[Size]:
    """Return the sizes in which a painting that is done can be saved."""
    painting, source = artwork.rendition, artwork.source
    if painting is None:
        return []
    own = [Size("page", _("As it is, %(size)s") % {"size": _size(painting.width, painting.height)})]
    if exports.at_full_size(painting, source).recipe:
        own.append(Size("full", _("Full size, %(size)s") % {"size": _size(source.width, source.height)}))
    return [*own, *(_on_sheet(source.width, source.height, sheet) for sheet in Sheet)]


def _on_sheet(width: int, height: int, sheet: Sheet) -> Size:
    dpi = exports.on_sheet(width, height, sheet).dpi
    return Size(
        sheet, _("%(sheet)s, %(dpi)s dpi: %(sharpness)s") % {"sheet": sheet.label, "dpi": dpi, **_sharpness(dpi)}
    )


def _sharpness(dpi: int) -> dict[str, str]:
    if dpi >= SHARP:
        return {"sharpness": _("sharp")}
    return {"sharpness": _("sharp from a step away") if dpi >= FAIR else _("soft, for the far wall")}


def _size(width: int, height: int) -> str:
    return f"{width} × {height}"  # noqa: RUF001 - the sign for sizes
