"""What a style is: a named, versioned, pure way to paint, with a declared schema of parameters."""

from collections.abc import Callable, Hashable, Mapping
from dataclasses import dataclass
from typing import TypeAlias, TypeVar, cast

import numpy as np
from numpy.typing import NDArray

Pixels: TypeAlias = NDArray[np.uint8]
"""A contiguous picture of shape (height, width, 3), BGR, values 0 to 255."""

Values: TypeAlias = Mapping[str, float]
"""A number for every parameter of a style."""

Result = TypeVar("Result")


def gettext_noop(text: str) -> str:
    """Mark a text for the message catalogs; pages translate it when they show it."""
    return text


class ParameterError(ValueError):
    """A parameter that the style does not have, or a number outside its range; the text is for people."""


@dataclass(frozen=True)
class Parameter:
    """One number that a person may turn: its range, its step, and what it does to the picture, in words."""

    name: str
    label: str
    low: float
    high: float
    step: float
    default: float
    unit: str
    effect: str

    @property
    def is_switch(self) -> bool:
        """Whether it is on or off, and nothing between."""
        return (self.low, self.high, self.step) == (0, 1, 1)

    def checked(self, value: float) -> float:
        """Return the value snapped to the step; raise ParameterError outside the range."""
        if not self.low <= value <= self.high:
            message = f"{self.name} goes from {self.low:g} to {self.high:g}, not {value:g}"
            raise ParameterError(message)
        return round(self.low + round((value - self.low) / self.step) * self.step, 6)


class Bench:
    """One canvas on the painter's bench, with what styles have computed from it, so that they can share it."""

    def __init__(self, canvas: Pixels, *, draft: bool = False) -> None:
        """Take the canvas; nobody writes to it.

        A draft of a small canvas is painted at its own size with a broader hand, at about a quarter of the cost.
        """
        self.canvas = canvas
        self.draft = draft
        self._computed: dict[Hashable, object] = {}

    def once(self, compute: Callable[..., Result], *arguments: Hashable) -> Result:
        """Return compute(canvas, *arguments), computed at most once for this canvas."""
        key = (compute, arguments)
        if key not in self._computed:
            self._computed[key] = compute(self.canvas, *arguments)
        return cast("Result", self._computed[key])


@dataclass(frozen=True)
class Style:
    """A way to paint. Same canvas and values give the same pixels; other pixels need another version."""

    name: str
    version: int
    label: str
    summary: str
    parameters: tuple[Parameter, ...]
    looks: Mapping[str, Values]
    paint: Callable[[Bench, Values], Pixels]

    def values(self, look: str, changes: Values | None = None) -> dict[str, float]:
        """Return a number for every parameter: the look's, else the default, with the changes laid over it.

        Raises ParameterError for a look or parameter that the style does not have, or a number out of range.
        """
        if look not in self.looks:
            message = f"{self.name} has no look {look!r}; it has {', '.join(self.looks)}"
            raise ParameterError(message)
        chosen = {**self.looks[look], **(changes or {})}
        unknown = chosen.keys() - {parameter.name for parameter in self.parameters}
        if unknown:
            message = f"{self.name} has no parameter {', '.join(sorted(unknown))}"
            raise ParameterError(message)
        return {each.name: each.checked(chosen.get(each.name, each.default)) for each in self.parameters}
