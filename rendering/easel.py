"""Painting files from the command line: no web, no queue, no database, no Django."""

import os
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TypeAlias

import cv2

from rendering import kernels, labels, pipeline
from rendering.imaging.encode import EXTENSIONS
from rendering.imaging.header import Limits, Refused
from rendering.labels import Label
from rendering.pipeline import Painting
from rendering.styles.base import ParameterError

Line: TypeAlias = dict[str, str | int | float]
"""What is told of one picture: file, style, look, width, height, cpu_seconds, output; or file, style, look, error."""


@dataclass(frozen=True)
class Order:
    """What to paint of every photo: labels of one canvas size, the folder for the files, and what may be read."""

    labels: Sequence[Label]
    folder: Path
    limits: Limits


def prepare() -> None:
    """Make the kernels ready and keep OpenCV to one core, so that a painting's seconds are its own."""
    cv2.setNumThreads(1)
    kernels.compile_all()


def paint(files: Sequence[str], order: Order, *, tell: Callable[[str], None]) -> Iterator[Line]:
    """Paint each file by each label of the order; yield a line per picture as soon as it is on the disk.

    A file is decoded once for all its styles, and work that styles share counts for the one that comes first. A file
    that fails gives a line with its error for each picture that is missing, and the next file goes on. Raises OSError
    if the folder cannot be made.
    """
    order.folder.mkdir(parents=True, exist_ok=True)
    stems = _stems(files)
    for number, (file, stem) in enumerate(zip(files, stems, strict=True), start=1):
        tell(f"{file} ({number} of {len(files)})")
        yield from _paint_file(file, stem, order)


def _stems(files: Sequence[str]) -> list[str]:
    """Return a beginning for the output names of each file, different for each, as files of two folders may clash."""
    stems: dict[str, None] = {}
    for file in files:
        stem = Path(file).stem
        numbered = (f"{stem}-{number}" for number in range(2, len(files) + 2))
        stems[next(name for name in (stem, *numbered) if name not in stems)] = None
    return list(stems)


def _paint_file(file: str, stem: str, order: Order) -> Iterator[Line]:
    waiting = list(order.labels)
    try:
        for painting in _paintings(Path(file), order):
            yield _finished(file, painting, waiting[0], order.folder / _name(stem, waiting[0]))
            waiting.pop(0)
    except (Refused, ParameterError, OSError, MemoryError, cv2.error) as error:
        yield from (_line(file, label, error=_sentence(error)) for label in waiting)


def _paintings(file: Path, order: Order) -> Iterator[Painting]:
    wanted = [label.recipe for label in order.labels]
    with file.open("rb") as opened:
        canvas = pipeline.open_canvas(opened, long_edge=wanted[0].long_edge, limits=order.limits)
    for painting, label in zip(pipeline.paint(canvas, wanted), order.labels, strict=True):
        pixels = pipeline.blend(canvas, painting.pixels, label.intensity)
        yield Painting(painting.recipe, pixels, painting.cpu_seconds)


def _name(stem: str, label: Label) -> str:
    return f"{stem}-{label.recipe.style}-{label.look}.{EXTENSIONS[label.format]}"


def _finished(file: str, painting: Painting, label: Label, place: Path) -> Line:
    _put(place, labels.write(painting.pixels, label))
    height, width = painting.pixels.shape[:2]
    seconds = round(painting.cpu_seconds, 4)
    return _line(file, label, width=width, height=height, cpu_seconds=seconds, output=str(place))


def _line(file: str, label: Label, **rest: str | float) -> Line:
    return {"file": file, "style": label.recipe.style, "look": label.look, **rest}


def _put(place: Path, content: bytes) -> None:
    """Write a file whole or not at all."""
    unfinished = place.with_name(f".{place.name}.{os.getpid()}")
    try:
        unfinished.write_bytes(content)
        unfinished.replace(place)
    finally:
        unfinished.unlink(missing_ok=True)


def _sentence(error: Exception) -> str:
    if isinstance(error, OSError):
        return error.strerror or str(error)
    return str(error) or "There was not enough memory."
