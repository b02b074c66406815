"""From a stranger's file to paintings, in the order of the data path: read, paint, outputs. No Django here."""

import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import BinaryIO

import cv2
import numpy as np

from rendering import styles
from rendering.imaging import Pixels, fingerprint, scale
from rendering.imaging.decode import Decoded, decode
from rendering.imaging.encode import encode
from rendering.imaging.header import Limits
from rendering.kernels.reduction import by_area
from rendering.recipes import FULL_SIZE, Recipe
from rendering.styles.base import Bench, ParameterError, Style

# Small files are looked at on dense screens, where 75 cannot be told from 86; it saves a third of their bytes.
SMALL_QUALITY = 75


@dataclass(frozen=True)
class Reading:
    """What a photo is: its canvas, size and format of the upright original, three fingerprints, and notes."""

    canvas: Pixels
    width: int
    height: int
    format: str
    digest: bytes
    phash: bytes
    signature: bytes
    notes: tuple[str, ...]


@dataclass(frozen=True)
class Painting:
    """A canvas in the style of a recipe, and the CPU seconds that the painting alone took."""

    recipe: Recipe
    pixels: Pixels
    cpu_seconds: float


def read(file: BinaryIO, *, long_edge: int, limits: Limits) -> Reading:
    """Read a photo to a canvas of this long edge (FULL_SIZE: its own size); raise Refused for what is not painted."""
    decoded = _decoded(file, long_edge, limits)
    canvas = decoded.pixels
    return Reading(
        canvas=canvas,
        width=decoded.width,
        height=decoded.height,
        format=decoded.format,
        digest=fingerprint.digest(canvas),
        phash=fingerprint.perceptual_hash(canvas),
        signature=fingerprint.signature(canvas),
        notes=decoded.notes,
    )


def open_canvas(file: BinaryIO, *, long_edge: int, limits: Limits) -> Pixels:
    """Return the canvas alone, for painting a photo that was read before; raise Refused as read() does."""
    return _decoded(file, long_edge, limits).pixels


def paint(canvas: Pixels, recipes: Sequence[Recipe]) -> Iterator[Painting]:
    """Paint the canvas by each recipe, one at a time, as the paintings are asked for.

    Styles share what they compute from the canvas; the CPU seconds of shared work count for the painting that needed
    it first. Raises ParameterError, before anything is painted, for a recipe of a style or version that is not here.
    """
    chosen = [(recipe, _style(recipe)) for recipe in recipes]
    bench = Bench(canvas)
    return (_painting(bench, recipe, style) for recipe, style in chosen)


def paint_on(bench: Bench, recipe: Recipe) -> Painting:
    """Paint one recipe on a bench that others share; raise ParameterError for a style or version that is not here."""
    return _painting(bench, recipe, _style(recipe))


def blend(canvas: Pixels, painting: Pixels, intensity: int) -> Pixels:
    """Return the painting at an intensity of 0 (the photo) to 100 (the painting) percent; same shape, same type."""
    if intensity >= 100:
        return painting
    share = intensity / 100
    return cv2.addWeighted(painting, share, canvas, 1 - share, 0)  # type: ignore[return-value]  # keeps the type


def shrink(canvas: Pixels, long_edge: int) -> Pixels:
    """Return the canvas with a long edge of at most so many pixels."""
    return scale.to_long_edge(canvas, long_edge)


def outputs(pixels: Pixels, widths: Sequence[int]) -> dict[int, bytes]:
    """Return JPEG files for pages by width, smallest first: the widths below the picture's own, and its own."""
    return {**smaller(pixels, widths), pixels.shape[1]: encode(pixels, format="jpeg")}


def smaller(pixels: Pixels, widths: Sequence[int]) -> dict[int, bytes]:
    """Return JPEG files for pages by width, smallest first, for the widths below the picture's own."""
    chosen = sorted({width for width in widths if 0 < width < pixels.shape[1]})
    return {width: small_file(_narrowed(pixels, width)) for width in chosen}


def small_file(pixels: Pixels) -> bytes:
    """Return a JPEG file for pages, of the picture as it is."""
    return encode(pixels, format="jpeg", quality=SMALL_QUALITY)


def _narrowed(pixels: Pixels, width: int) -> Pixels:
    return by_area(np.ascontiguousarray(pixels), width, max(1, round(pixels.shape[0] * width / pixels.shape[1])))


def _decoded(file: BinaryIO, long_edge: int, limits: Limits) -> Decoded:
    return decode(file, limits=limits, long_edge=None if long_edge == FULL_SIZE else long_edge)


def _style(recipe: Recipe) -> Style:
    """Return the style that paints this recipe; recipes may come from files, so that everything is checked."""
    style = styles.find(recipe.style)
    if style is None or style.version != recipe.version:
        message = f"{recipe.style} of version {recipe.version} cannot be painted here"
        raise ParameterError(message)
    values = dict(recipe.values)
    if values.keys() != style.values(next(iter(style.looks)), values).keys():
        message = f"the recipe does not name every parameter of {style.name}"
        raise ParameterError(message)
    return style


def _painting(bench: Bench, recipe: Recipe, style: Style) -> Painting:
    started = time.thread_time()
    pixels = style.paint(bench, dict(recipe.values))
    return Painting(recipe, pixels, time.thread_time() - started)
