"""What a painting costs by its size: the kernels' own figures, fitted to what this site has measured."""

from collections import defaultdict
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from math import sqrt
from typing import NamedTuple, Self, TypeAlias

from django.db.models import Count, F, FloatField, Subquery, Sum
from django.db.models.functions import Cast, Coalesce

from rendering import recipes, styles
from rendering.models import Rendition
from rendering.recipes import Recipe
from rendering.styles.base import ParameterError

LATEST = 5000
"""The model is fitted to so many paintings, the newest: machines change."""
ENOUGH = 10
"""With fewer paintings of a style's look, the kernels' own figures are used as they are."""
SPREAD = 0.5
"""Sizes must differ so much (standard deviation by mean) before a line through them says what other sizes cost."""

Kind: TypeAlias = tuple[str, str]
"""A style and a look."""


@dataclass(frozen=True)
class Curve:
    """CPU seconds of a painting: so many whatever its size, and so many for each megapixel."""

    fixed: float
    per_megapixel: float

    def at(self, megapixels: float, *, paintings: int = 1) -> float:
        """Return the CPU seconds of so many paintings that have so many megapixels together."""
        return paintings * self.fixed + megapixels * self.per_megapixel


# CPU seconds of one core, measured at 0.8 and at 12 megapixels; two photos each, the best of three.
KERNELS: Mapping[Kind, Curve] = {
    ("pencil", "studio"): Curve(0.027, 0.0086),
    ("pencil", "classic"): Curve(0.0, 0.0023),
    ("pencil", "fast"): Curve(0.0, 0.0023),
    ("color-pencil", "studio"): Curve(0.033, 0.0111),
    ("color-pencil", "classic"): Curve(0.0001, 0.0027),
    ("color-pencil", "fast"): Curve(0.0001, 0.0027),
    ("oil", "studio"): Curve(0.060, 0.0512),
    ("oil", "classic"): Curve(0.002, 0.0189),
    ("oil", "fast"): Curve(0.002, 0.0217),
    ("watercolor", "studio"): Curve(0.108, 0.0315),
    ("watercolor", "classic"): Curve(0.0, 0.0385),
    ("watercolor", "fast"): Curve(0.0003, 0.0296),
}


class Sums(NamedTuple):
    """What least squares need of paintings: megapixels x, CPU seconds y."""

    n: int = 0
    x: float = 0.0
    y: float = 0.0
    xx: float = 0.0
    xy: float = 0.0
    yy: float = 0.0

    def plus(self, other: Self) -> "Sums":
        """Return the sums of both."""
        n, *rest = (mine + others for mine, others in zip(self, other, strict=True))
        return Sums(int(n), *rest)


@dataclass(frozen=True)
class Model:
    """What a style's look costs, from how many paintings of this site, and how far these are from it.

    The error is the root of the mean square, divided by the mean; None if the kernels' own figures stand in.
    """

    curve: Curve
    paintings: int
    error: float | None = None
    is_line: bool = False


def models() -> dict[Kind, Model]:
    """Return the model of every style's look, from the latest paintings: one query."""
    measured: dict[Kind, Sums] = defaultdict(Sums)
    for text, sums in _measurements():
        kind = _kind(text)
        if kind:
            measured[kind] = measured[kind].plus(sums)
    kinds = [(style.name, look) for style in styles.CATALOG for look in style.looks]
    return {kind: fit(measured[kind], KERNELS.get(kind, Curve(0.0, 0.03))) for kind in kinds}


def fit(sums: Sums, kernel: Curve) -> Model:
    """Return a line through the measurements where their sizes differ enough, else the kernel's, scaled to them."""
    if sums.n < ENOUGH:
        return Model(kernel, sums.n)
    line = _line(sums)
    curve = line or _scaled(sums, kernel)
    return Model(curve, sums.n, _error(sums, curve), is_line=line is not None)


def _measurements() -> Iterator[tuple[str, Sums]]:
    x, y = Cast(F("width") * F("height"), FloatField()) * 1e-6, F("cpu_seconds")
    painted = Rendition.objects.filter(cpu_seconds__gt=0).order_by("-pk")
    # From a number on, not a list of five thousand: for that PostgreSQL reads the whole table.
    since = Coalesce(Subquery(painted.values("pk")[LATEST - 1 : LATEST]), 0)
    products = {"sum_x": x, "sum_y": y, "sum_xx": x * x, "sum_xy": x * y, "sum_yy": y * y}
    sums = {name: Sum(product) for name, product in products.items()}
    rows = painted.filter(pk__gte=since).order_by().values_list("recipe").annotate(n=Count("pk"), **sums)
    return ((recipe, Sums(*of_recipe)) for recipe, *of_recipe in rows)


def _kind(text: str) -> Kind | None:
    """Return which style's look a recipe is; None for other parameters, and for versions that are gone."""
    try:
        recipe = recipes.parse(text)
    except ParameterError:
        return None
    style = styles.find(recipe.style)
    if style is None or style.version != recipe.version:
        return None
    return next(((style.name, look) for look in style.looks if _has_look(recipe, style.values(look))), None)


def _has_look(recipe: Recipe, values: Mapping[str, float]) -> bool:
    return dict(recipe.values) == dict(values)


def _line(sums: Sums) -> Curve | None:
    n, x, y, xx, xy, _ = sums
    square = n * xx - x * x
    if square <= (SPREAD * x) ** 2:
        return None
    slope = (n * xy - x * y) / square
    fixed = (y - slope * x) / n
    if fixed < 0:
        fixed, slope = 0.0, xy / xx
    return Curve(fixed, slope) if slope > 0 else None


def _scaled(sums: Sums, kernel: Curve) -> Curve:
    _, _, y, _, xy, _ = sums
    factor = (kernel.fixed * y + kernel.per_megapixel * xy) / _squares(sums, kernel)
    return Curve(factor * kernel.fixed, factor * kernel.per_megapixel)


def _error(sums: Sums, curve: Curve) -> float:
    explained = 2 * (curve.fixed * sums.y + curve.per_megapixel * sums.xy)
    rest = max(0.0, sums.yy - explained + _squares(sums, curve))
    return sqrt(rest / sums.n) / (sums.y / sums.n)


def _squares(sums: Sums, curve: Curve) -> float:
    a, b = curve.fixed, curve.per_megapixel
    return a * a * sums.n + 2 * a * b * sums.x + b * b * sums.xx
