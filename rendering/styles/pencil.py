"""The pencil: graphite in contours and hatching, or OpenCV's way to leave white where nothing changes."""

import numpy as np
from numpy.typing import NDArray

from rendering.kernels import pencil as kernel
from rendering.styles.base import Bench, Parameter, Pixels, Style, Values, gettext_noop
from rendering.styles.sketch import EDGE, Hand, Sketch, draw_gray, sketch

PARAMETERS = (
    Parameter(
        name="relative",
        label=gettext_noop("Drawn to fit the picture"),
        low=0,
        high=1,
        step=1,
        default=1,
        unit="",
        effect=gettext_noop(
            "On: contours and hatching, sized to the picture and as dark as suits it. Off: OpenCV's pencil, in pixels."
        ),
    ),
    Parameter(
        name="sigma_s",
        label=gettext_noop("Stroke length"),
        low=10,
        high=200,
        step=1,
        default=60,
        unit="px",
        effect=gettext_noop("Longer strokes make a calmer and bolder drawing, shorter ones follow small things."),
    ),
    Parameter(
        name="sigma_r",
        label=gettext_noop("Edge tolerance"),
        low=0.01,
        high=0.6,
        step=0.01,
        default=0.07,
        unit="",
        effect=gettext_noop("The more is tolerated, the fewer lines are drawn: only the strongest edges remain."),
    ),
    Parameter(
        name="shade_factor",
        label=gettext_noop("Lightness"),
        low=0.02,
        high=0.2,
        step=0.01,
        default=0.1,
        unit="",
        effect=gettext_noop("How much of the paper stays white."),
    ),
    Parameter(
        name="tone",
        label=gettext_noop("Hatching"),
        low=0,
        high=1.5,
        step=0.05,
        default=1,
        unit="",
        effect=gettext_noop("How firmly shadows are hatched; at 0 only the contours are drawn."),
    ),
    Parameter(
        name="grain",
        label=gettext_noop("Paper grain"),
        low=0,
        high=2,
        step=0.1,
        default=1,
        unit="",
        effect=gettext_noop("How much the rough paper shows through the strokes."),
    ),
)
LOOKS = {
    "studio": {},
    "classic": {"relative": 0, "sigma_s": 60, "sigma_r": 0.07, "shade_factor": 0.1, "tone": 0, "grain": 0},
    "fast": {"relative": 0, "sigma_s": 40, "sigma_r": 0.1, "shade_factor": 0.1, "tone": 0, "grain": 0},
}
_REACH = 7 / 60  # sketch pixels that a stroke reaches each way, for each pixel of sigma_s
_LINES = 0.075 * 0.07  # share of the paper under lines, times sigma_r


def paint(bench: Bench, values: Values) -> Pixels:
    """Return the canvas of the bench as a pencil drawing, of the same shape, equal in all three channels."""
    if values["relative"]:
        return draw_gray(bench.canvas, sketched(bench, values), hand(values))
    return kernel.gray(counted(bench, values), shade_factor=values["shade_factor"])


def sketched(bench: Bench, values: Values) -> Sketch:
    """The sketch of the canvas, made once for both pencils."""
    reach = min(max(round(_REACH * values["sigma_s"]), 2), 15)
    edge = min(EDGE, max(bench.canvas.shape[:2])) if bench.draft else EDGE
    return bench.once(sketch, edge, reach, min(max(_LINES / values["sigma_r"], 0.01), 0.2))


def counted(bench: Bench, values: Values) -> NDArray[np.uint8]:
    """The kernel's counts of neighbors, made once for both pencils."""
    return bench.once(_count, values["sigma_s"], values["sigma_r"], values["shade_factor"])


def hand(values: Values, *, white: float = 0.26) -> Hand:
    """How hard to press, with the share of white paper at a lightness of 0."""
    return Hand(min(white + 3 * values["shade_factor"], 0.9), values["tone"], values["grain"])


def _count(canvas: Pixels, sigma_s: float, sigma_r: float, shade_factor: float) -> NDArray[np.uint8]:
    return kernel.neighbors(canvas, sigma_s=sigma_s, sigma_r=sigma_r, shade_factor=shade_factor)


PENCIL = Style(
    name="pencil",
    version=1,
    label=gettext_noop("Pencil sketch"),
    summary=gettext_noop("Graphite on white paper: firm contours, soft hatching in the shadows."),
    parameters=PARAMETERS,
    looks=LOOKS,
    paint=paint,
)
