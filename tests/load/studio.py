"""What a photo costs from its file to the files of its pages, by part, in the look that everybody gets."""

import io
import statistics
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import partial

from django.conf import settings

from rendering import labels, pipeline, recipes, styles
from rendering.imaging import Pixels, fingerprint
from rendering.imaging.header import Limits
from rendering.recipes import Recipe
from rendering.styles.base import Bench
from tests.load import pictures


@dataclass(frozen=True)
class Part:
    """One step on the way of a photo, and the CPU ms of a core that it takes: the median of the rounds."""

    work: str
    milliseconds: float
    counted: bool = True
    """Whether it belongs to the sum: what others contain is told, and not counted twice."""


def parts(rounds: int) -> Iterator[Part]:
    """Yield the parts for a JPEG of 12 megapixels, with the mean of two photos for each, and their sum."""
    measured = [list(_parts(photo, rounds)) for photo in pictures.twelve_megapixels(2)]
    total = 0.0
    for same in zip(*measured, strict=True):
        mean = statistics.mean(each.milliseconds for each in same)
        total += mean if same[0].counted else 0
        yield Part(same[0].work, mean, same[0].counted)
    yield Part("a photo in four styles", total)


def _parts(photo: bytes, rounds: int) -> Iterator[Part]:
    canvas = _canvas(photo)
    yield Part("decode and scale", _median(lambda: _canvas(photo), rounds))
    yield Part("digest", _median(lambda: fingerprint.digest(canvas), rounds))
    yield Part("perceptual hash", _median(lambda: fingerprint.perceptual_hash(canvas), rounds))
    yield Part("colors at a glance", _median(lambda: fingerprint.signature(canvas), rounds))
    yield Part("the photo's page files", _median(lambda: pipeline.outputs(canvas, settings.PAGE_WIDTHS), rounds))
    yield from _painting(canvas, rounds)
    yield from _files(canvas, rounds)


def _painting(canvas: Pixels, rounds: int) -> Iterator[Part]:
    """Paint each style alone, then what is left for it on a bench where the styles before it have been painted."""
    shared = Bench(canvas)
    for name in styles.NAMES:
        recipe = recipes.compose(name, look="studio", long_edge=settings.LONG_EDGE)
        alone = _median(partial(_paint_alone, canvas, recipe), rounds)
        yield Part(f"{name}, alone", alone, counted=False)
        if name == "color-pencil":
            yield Part(f"{name}, after pencil", _median(partial(pipeline.paint_on, shared, recipe), rounds))
        else:
            yield Part(f"{name}, first", alone)
            pipeline.paint_on(shared, recipe)


def _paint_alone(canvas: Pixels, recipe: Recipe) -> None:
    pipeline.paint_on(Bench(canvas), recipe)


def _files(canvas: Pixels, rounds: int) -> Iterator[Part]:
    bench = Bench(canvas)
    paintings = [
        pipeline.paint_on(bench, recipes.compose(name, look="studio", long_edge=settings.LONG_EDGE))
        for name in styles.NAMES
    ]
    for width in settings.PAGE_WIDTHS:

        def write_small(width: int = width) -> None:
            for painting in paintings:
                pipeline.smaller(painting.pixels, [width])

        yield Part(f"four paintings {width} wide", _median(write_small, rounds))

    def write_large() -> None:
        for painting in paintings:
            labels.write(painting.pixels, labels.of(painting.recipe))

    yield Part("four paintings in full", _median(write_large, rounds))


def _canvas(photo: bytes) -> Pixels:
    return pipeline.open_canvas(io.BytesIO(photo), long_edge=settings.LONG_EDGE, limits=Limits())


def _median(work: Callable[[], object], rounds: int) -> float:
    milliseconds = []
    for _ in range(rounds + 1):
        clock = time.process_time()
        work()
        milliseconds.append(1000 * (time.process_time() - clock))
    return statistics.median(milliseconds[1:])  # the first one fetches its memory
