"""Small charts, drawn by the server as SVG: they work without a script, and a table beside each has the numbers."""

from collections.abc import Sequence
from dataclasses import dataclass

from django import template

from gallery.ledger import Saving
from rendering.stats import Bar

register = template.Library()

HEIGHT = 100.0
SLOT = 10.0
GAP = 1.5
LEAST = 1.0
"""So high is a bar at least that stands for anything."""


@dataclass(frozen=True)
class Box:
    """One bar: where it stands, and of which series it is."""

    x: float
    y: float
    width: float
    height: float
    series: str


@dataclass(frozen=True)
class Chart:
    """The bars of a chart, how wide its drawing is, and the highest figure."""

    boxes: Sequence[Box]
    width: float
    highest: float


@register.simple_tag
def finished_chart(bars: Sequence[Bar]) -> Chart:
    """Return photos and paintings an hour, side by side."""
    figures = [(bar.photos_an_hour, bar.paintings_an_hour) for bar in bars]
    highest = max((max(pair) for pair in figures), default=0.0)
    width = (SLOT - GAP) / 2
    boxes = [
        _upright(SLOT * place + width * side, figure, highest, name)
        for place, pair in enumerate(figures)
        for side, (figure, name) in enumerate(zip(pair, ("first", "second"), strict=True))
        if figure
    ]
    return Chart(boxes, SLOT * len(bars), highest)


@register.simple_tag
def share_bar(part: float, whole: float) -> Box:
    """Return a bar that lies, as long as the part is of the whole."""
    return Box(0, 0, _percent(part, whole), SLOT, "first")


@register.simple_tag
def fall_bar(before: Saving, after: Saving, naive: Saving, figure: str = "cpu_seconds") -> Box:
    """Return the step of a waterfall that goes from what remained before to what remains after."""
    whole = getattr(naive, figure)
    start, end = sorted((_percent(getattr(after, figure), whole), _percent(getattr(before, figure), whole)))
    loss = getattr(after, figure) > getattr(before, figure)
    return Box(start, 0, max(0.4, end - start), SLOT, "loss" if loss else "second")


def _upright(x: float, figure: float, highest: float, series: str) -> Box:
    height = max(LEAST, HEIGHT * figure / highest)
    return Box(round(x, 2), round(HEIGHT - height, 2), round((SLOT - GAP) / 2, 2), round(height, 2), series)


def _percent(part: float, whole: float) -> float:
    return round(min(100.0, max(0.0, 100 * part / whole)), 2) if whole else 0.0
