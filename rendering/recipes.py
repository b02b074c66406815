"""Recipes: everything that decides the pixels of a painting, in one canonical text."""

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass

from rendering import styles
from rendering.styles.base import ParameterError, Values

FULL_SIZE = 0


@dataclass(frozen=True)
class Recipe:
    """A style, its version, a number for each parameter, and the long edge of the canvas (0: the photo's own size)."""

    style: str
    version: int
    values: tuple[tuple[str, float], ...]
    long_edge: int

    @property
    def text(self) -> str:
        """The canonical text, such as `oil 1 dyn_ratio=3 size=7 @1024`; equal recipes have equal texts."""
        numbers = " ".join(f"{name}={value:g}" for name, value in self.values)
        return f"{self.style} {self.version} {numbers} @{self.long_edge or 'full'}"

    @property
    def digest(self) -> str:
        """The SHA-256 of the canonical text, as 64 hexadecimal digits."""
        return hashlib.sha256(self.text.encode()).hexdigest()


def compose(style: str, *, look: str, long_edge: int, changes: Values | None = None) -> Recipe:
    """Return the recipe of a style's look; raise ParameterError for what the style does not have."""
    chosen = styles.find(style)
    if chosen is None:
        message = f"there is no style {style!r}; there are {', '.join(styles.NAMES)}"
        raise ParameterError(message)
    return _recipe(chosen.name, chosen.version, chosen.values(look, changes), long_edge)


def parse(text: str) -> Recipe:
    """Return the recipe that this canonical text names; raise ParameterError if it is none."""
    try:
        style, version, *numbers, size = text.split(" ")
        values = {name: float(value) for name, value in (number.split("=") for number in numbers)}
        long_edge = FULL_SIZE if size == "@full" else int(size.removeprefix("@"))
        found = _recipe(style, int(version), values, long_edge)
    except ValueError as error:
        message = f"not a recipe: {text!r}"
        raise ParameterError(message) from error
    if found.text != text:
        # One recipe, one text, one digest: otherwise the same picture would be painted twice.
        message = f"not a recipe in its canonical form: {text!r}"
        raise ParameterError(message)
    return found


def _recipe(style: str, version: int, values: Mapping[str, float], long_edge: int) -> Recipe:
    return Recipe(style, version, tuple(sorted(values.items())), long_edge)
