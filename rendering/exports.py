"""Exports: a painting as a file to be saved, of exact pixels, made by a worker and kept while somebody asks for it."""

import io
import time
from datetime import datetime, timedelta

from django.db import transaction
from django.utils import timezone

from rendering import labels, pipeline, queue, recipes, renditions, store, supervision
from rendering.imaging import Pixels
from rendering.imaging.encode import EXTENSIONS
from rendering.labels import Label
from rendering.models import Export, Rendition, Source
from rendering.recipes import Recipe

KEPT = timedelta(hours=1)


def ask(
    rendition: Rendition,
    *,
    format: str,  # noqa: A002 - the word of the trade, and of Pillow
    intensity: int,
    lane: str,
    now: datetime,
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
        defaults={"used_at": now},
        create_defaults={"used_at": now, "waiting_since": now, "lane": lane},
    )
    if made:
        queue.wake()
    return export


def retry(export: Export, *, now: datetime) -> None:
    """Try a file again that could not be made."""
    if export.renew(now=now):
        queue.wake()


def make(export_id: int) -> None:
    """Paint the rendition once more, blend it with its photo, and keep the labeled file."""
    export = Export.objects.select_related("rendition").filter(pk=export_id).first()
    if export is None or not renditions.start(export):
        return
    pixels = export.rendition.width * export.rendition.height
    # Painted once, and encoded: slow formats take as long as a painting.
    seconds = renditions.seconds_for(pixels, paintings=2)
    with renditions.failing_with_reason([export]), supervision.doing(export, seconds=seconds):
        recipe = recipes.parse(export.rendition.recipe)
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
    content = labels.write(_pixels(export.rendition, label.recipe, label.intensity), label)
    file = store.put_export(content, extension=EXTENSIONS[label.format])
    seconds = time.process_time() - clock
    if not export.finish(now=timezone.now(), cpu_seconds=seconds, file=file, size=len(content)):
        # Expired, removed, or given to another worker meanwhile: a late result is refused.
        store.remove([file])


def _pixels(rendition: Rendition, recipe: Recipe, intensity: int) -> Pixels:
    canvas = _canvas(rendition, recipe.long_edge)
    [painting] = pipeline.paint(canvas, [recipe])
    return pipeline.blend(canvas, painting.pixels, intensity)


def _canvas(rendition: Rendition, long_edge: int) -> Pixels:
    # Any of its sources: they have the same canvas, or they would not have the same rendition.
    source = Source.objects.filter(commissions__rendition=rendition).order_by("pk").first()
    if source is None:
        message = "the photo of this painting is gone"
        raise store.Missing(message)
    original = io.BytesIO(store.read(source.original))
    return pipeline.open_canvas(original, long_edge=long_edge, limits=renditions.limits())
