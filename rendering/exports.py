"""Exports: a painting as a file to be saved, of exact pixels, made by a worker and kept while somebody asks for it."""

import io
import time
from dataclasses import dataclass, replace
from datetime import datetime, timedelta

from django.db import transaction
from django.utils import timezone

from rendering import labels, pipeline, queue, recipes, renditions, store, supervision
from rendering.imaging import Pixels
from rendering.imaging.encode import EXTENSIONS
from rendering.labels import Label
from rendering.models import WAITING, Export, Priority, Rendition, Sheet, Source
from rendering.recipes import FULL_SIZE, Recipe

KEPT = timedelta(hours=1)
DPI = 300
"""Pixels an inch of paper: nobody sees more of them from where a sheet is held."""
SHEETS = {Sheet.POSTCARD: (100, 150), Sheet.A4: (210, 297), Sheet.A3: (297, 420)}
"""The sheets' short and long sides in millimeters."""
SKETCH_EDGE = 512


@dataclass(frozen=True)
class Variant:
    """What is other than in the painting: its recipe and the sheet, which need its photo; and whether it is labeled."""

    source: Source | None = None
    recipe: str = ""
    sheet: str = ""
    labeled: bool = True


AS_PAINTED = Variant()


@dataclass(frozen=True)
class Print:
    """A painting on a sheet of paper: its size in pixels, and how many of them an inch gets."""

    sheet: Sheet
    width: int
    height: int
    dpi: int


def ask(
    rendition: Rendition,
    *,
    format: str,  # noqa: A002 - the word of the trade, and of Pillow
    intensity: int,
    lane: str,
    now: datetime,
    variant: Variant = AS_PAINTED,
) -> Export:
    """Ask for a rendition that is done as a file; return the row that says how it stands.

    The format is one of ExportFormat, the intensity 0 (the photo) to 100 (the painting) percent.
    """
    export: Export
    # The row is locked meanwhile, so that it does not expire between being found and being used.
    export, made = Export.objects.update_or_create(
        rendition=rendition,
        format=format,
        intensity=intensity,
        source=variant.source,
        recipe=variant.recipe,
        sheet=variant.sheet,
        labeled=variant.labeled,
        defaults={"used_at": now},
        create_defaults={"used_at": now, "waiting_since": now, "lane": lane},
    )
    if made:
        queue.wake()
    return export


def sketch(rendition: Rendition, recipe: Recipe, *, source: Source, lane: str, now: datetime) -> Export:
    """Ask how a photo would look in other values, quickly and small; it takes the place of what the lane asked before.

    The rendition is any of the photo's: the sketch goes with it.
    """
    variant = Variant(source=source, recipe=replace(recipe, long_edge=SKETCH_EDGE).text, labeled=False)
    export = ask(rendition, format="jpeg", intensity=100, lane=lane, now=now, variant=variant)
    outdated = Export.objects.filter(WAITING, lane=lane, recipe__endswith=f" @{SKETCH_EDGE}").exclude(pk=export.pk)
    outdated.delete()
    Export.objects.filter(WAITING, pk=export.pk).update(priority=Priority.WATCHED)
    return export


def at_full_size(rendition: Rendition, source: Source, *, sheet: str = "", labeled: bool = True) -> Variant:
    """Return the variant that is as large as the photo, or as the sheet if that is smaller."""
    recipe = recipes.parse(rendition.recipe)
    larger = recipe.long_edge != FULL_SIZE and max(source.width, source.height) > recipe.long_edge
    text = replace(recipe, long_edge=FULL_SIZE).text if larger else ""
    return Variant(source if text or sheet else None, text, sheet, labeled)


def on_sheet(width: int, height: int, sheet: str) -> Print:
    """Return how a picture of this size fits into a sheet, lying or standing as it does; it is never enlarged."""
    chosen = Sheet(sheet)
    short, long = (side / 25.4 for side in SHEETS[chosen])
    sharpest = max(max(width, height) / long, min(width, height) / short)
    share = min(1, DPI / sharpest)
    return Print(chosen, max(1, round(width * share)), max(1, round(height * share)), max(1, round(min(sharpest, DPI))))


def retry(export: Export, *, now: datetime) -> None:
    """Try a file again that could not be made."""
    if export.renew(now=now):
        queue.wake()


def make(export_id: int) -> None:
    """Paint the rendition once more, blend it with its photo, and keep the labeled file."""
    export = Export.objects.select_related("rendition", "source").filter(pk=export_id).first()
    if export is None or not renditions.start(export):
        return
    source = export.source
    pixels = source.width * source.height if source else export.rendition.width * export.rendition.height
    # Painted once, and encoded: slow formats take as long as a painting.
    seconds = renditions.seconds_for(pixels, paintings=2)
    with renditions.failing_with_reason([export]), supervision.doing(export, seconds=seconds):
        recipe = recipes.parse(export.recipe or export.rendition.recipe)
        label = labels.of(recipe, format=export.format, intensity=export.intensity)
        _make(export, label)


def expire(*, now: datetime) -> int:
    """Remove the exports that nobody has asked for in an hour, with their files; count them."""
    with transaction.atomic():
        unused = list(Export.objects.filter(used_at__lt=now - KEPT).select_for_update())
        Export.objects.filter(pk__in=[export.pk for export in unused]).delete()
        files = [export.file for export in unused if export.file]
        transaction.on_commit(lambda: store.remove(files))
    return len(unused)


def _make(export: Export, label: Label) -> None:
    clock = time.process_time()
    pixels, dpi = _fitted(_pixels(export, label.recipe, label.intensity), export.sheet)
    write = labels.write if export.labeled else labels.write_bare
    content = write(pixels, label, dpi=dpi)
    file = store.put_export(content, extension=EXTENSIONS[label.format])
    seconds = time.process_time() - clock
    if not export.finish(now=timezone.now(), cpu_seconds=seconds, file=file, size=len(content)):
        # Expired, removed, or given to another worker meanwhile: a late result is refused.
        store.remove([file])


def _fitted(pixels: Pixels, sheet: str) -> tuple[Pixels, int | None]:
    if not sheet:
        return pixels, None
    paper = on_sheet(pixels.shape[1], pixels.shape[0], sheet)
    return pipeline.shrink(pixels, max(paper.width, paper.height)), paper.dpi


def _pixels(export: Export, recipe: Recipe, intensity: int) -> Pixels:
    canvas = _canvas(export, recipe.long_edge)
    [painting] = pipeline.paint(canvas, [recipe])
    return pipeline.blend(canvas, painting.pixels, intensity)


def _canvas(export: Export, long_edge: int) -> Pixels:
    # Any of its sources: they have the same canvas, or they would not have the same rendition. But as large as the
    # photo only that of the person who asks: the same picture may be larger in somebody else's file.
    painted_from = Source.objects.filter(commissions__rendition=export.rendition).order_by("pk")
    source = export.source or painted_from.first()
    if source is None:
        message = "the photo of this painting is gone"
        raise store.Missing(message)
    original = io.BytesIO(store.read(source.original))
    return pipeline.open_canvas(original, long_edge=long_edge, limits=renditions.limits())
