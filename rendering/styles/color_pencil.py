"""The color pencil: the pencil's drawing in strokes of the photo's own colors."""

from rendering.kernels import pencil as kernel
from rendering.styles.base import Bench, Parameter, Pixels, Style, Values, gettext_noop
from rendering.styles.pencil import LOOKS, PARAMETERS, counted, hand, sketched
from rendering.styles.sketch import draw_colors

_COLOR = Parameter(
    name="color",
    label=gettext_noop("Color"),
    low=0,
    high=2,
    step=0.1,
    default=1,
    unit="",
    effect=gettext_noop("How vivid the colored pencils are; at 0 little of the color is left."),
)
_WHITE = 0.22  # colors cover more of the paper than graphite does


def paint(bench: Bench, values: Values) -> Pixels:
    """Return the canvas of the bench as a drawing in colored pencils, of the same shape."""
    if values["relative"]:
        drawn = sketched(bench, values)
        return draw_colors(bench.canvas, drawn, hand(values, white=_WHITE), color=values["color"])
    return kernel.color(bench.canvas, counted(bench, values), shade_factor=values["shade_factor"])


COLOR_PENCIL = Style(
    name="color-pencil",
    version=1,
    label=gettext_noop("Color pencil"),
    summary=gettext_noop("Colored strokes over white paper, each with the photo's own color."),
    parameters=(*PARAMETERS, _COLOR),
    looks=LOOKS,
    paint=paint,
)
