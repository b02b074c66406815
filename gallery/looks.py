"""Looks with values of one's own: what was changed is read from the recipe."""

from collections.abc import Mapping
from dataclasses import dataclass

from django.utils.translation import gettext as _

from gallery.models import Artwork
from rendering import recipes, styles
from rendering.styles.base import Parameter, ParameterError, Style, Values


@dataclass(frozen=True)
class Change:
    """A value that is not the look's own, in the person's language."""

    label: str
    value: str


def style_of(artwork: Artwork) -> Style | None:
    """Return the style that an artwork can be painted in again; None if it has another version by now."""
    style = styles.find(artwork.style)
    try:
        version = recipes.parse(artwork.commission.recipe).version
    except ParameterError:
        return None
    return style if style and style.version == version and artwork.look in style.looks else None


def values_of(artwork: Artwork) -> Mapping[str, float]:
    """Return the numbers that an artwork is painted with."""
    return dict(recipes.parse(artwork.commission.recipe).values)


def changed(artwork: Artwork) -> dict[str, float]:
    """Return the numbers that are not those of the artwork's look; none for another version of its style."""
    style = style_of(artwork)
    if style is None:
        return {}
    usual = style.values(artwork.look)
    return {name: value for name, value in values_of(artwork).items() if usual[name] != value}


def own(style: str, look: str, wanted: Values) -> dict[str, float]:
    """Return those of the wanted numbers that are not the look's; raise ParameterError for what does not exist."""
    chosen = styles.find(style)
    if chosen is None or not wanted:
        return {}
    usual = chosen.values(look)
    return {name: value for name, value in chosen.values(look, wanted).items() if usual[name] != value}


def kept(artwork: Artwork) -> dict[str, float]:
    """Return the person's own numbers as far as today's version of the style has them, moved into its ranges."""
    style = styles.find(artwork.style)
    known = style.parameters if style else ()
    own = {each: artwork.own_values[each.name] for each in known if each.name in artwork.own_values}
    return {each.name: min(max(value, each.low), each.high) for each, value in own.items()}


def changes(artwork: Artwork) -> list[Change]:
    """Return what was changed, in words."""
    style = style_of(artwork)
    if style is None:
        return []
    own = changed(artwork)
    return [Change(_(each.label), written(own[each.name], each)) for each in style.parameters if each.name in own]


def written(value: float, parameter: Parameter) -> str:
    """Return a value with its unit, or what a switch is at."""
    if parameter.is_switch:
        return _("on") if value else _("off")
    return f"{value:g} {parameter.unit}".strip()


def named(style: Style, values: Values) -> str | None:
    """Return the look that has exactly these numbers; None if they are nobody's."""
    return next((look for look in style.looks if style.values(look) == dict(values)), None)
