"""Renditions: asked for, painted once, cancelled, tried again, brought back after a crash, removed."""

import io
import logging
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from datetime import datetime, timedelta
from typing import TypeVar

from django.conf import settings
from django.db import transaction
from django.db.models import Model, ProtectedError, QuerySet
from django.utils import timezone

from rendering import cache, labels, pipeline, queue, recipes, store
from rendering.imaging.header import Limits, Refused
from rendering.models import Commission, Export, Found, Reason, Rendition, Source, State, Work
from rendering.recipes import FULL_SIZE, Recipe
from rendering.styles.base import Bench

log = logging.getLogger(__name__)

Row = TypeVar("Row", bound=Model)


def commission(
    source: Source, *, style: str, look: str, full_size: bool, lane: str, now: datetime
) -> tuple[Commission, bool]:
    """Ask for a source in a style's look; the second is True if that had been asked before ("same file").

    Raises ParameterError for a style or look that does not exist.
    """
    recipe = recipes.compose(style, look=look, long_edge=_long_edge(source, full_size=full_size))
    asked = {"recipe": recipe.text, "lane": lane, "created_at": now}
    found, made = Commission.objects.get_or_create(source=source, recipe_digest=recipe.digest, defaults=asked)
    # After the commit: the source may be read by a worker at this very moment. Robust: `tend` asks again if it fails.
    transaction.on_commit(lambda: request(source.pk), robust=True)
    return found, not made


def request(source_id: int) -> None:
    """Find or make a rendition for each commission of a source that has been read, and have the new ones painted."""
    source = Source.objects.filter(pk=source_id, state=State.DONE).first()
    if source is None:
        return
    with transaction.atomic():
        # Locked: who asks for the same source at the same time finds nothing left to do. In an order that is the same
        # for all sources: two requests that make the same renditions must not wait for each other.
        unresolved = list(_unresolved().filter(source=source).select_for_update().order_by("recipe"))
        wanted = [_resolve(each, source) for each in unresolved]
        if any(rendition.state == State.WAITING for rendition in wanted):
            _enqueue(source, wanted)


def paint(source_id: int) -> None:
    """Paint all that a source's canvases still need: one decode for each canvas, all its recipes from it."""
    source = Source.objects.filter(pk=source_id).first()
    if source is None:
        return
    waiting = Rendition.objects.filter(commissions__source=source, state=State.WAITING).order_by("pk").distinct()
    by_size: dict[int, list[Rendition]] = {}
    for rendition in waiting:
        by_size.setdefault(recipes.parse(rendition.recipe).long_edge, []).append(rendition)
    for long_edge, group in sorted(by_size.items(), reverse=True):
        _paint_canvas(source, long_edge, group)


def cancel(commission: Commission, *, now: datetime) -> None:
    """Stop what nobody wants any more; the caller knows that nobody else wants it."""
    if Commission.objects.filter(pk=commission.pk, rendition=None).update(wanted=False):
        return
    for rendition in Rendition.objects.filter(commissions=commission.pk):
        rendition.cancel(now=now)


def retry(commission: Commission, *, now: datetime) -> None:
    """Try failed or cancelled work again: the photo's reading, or this painting."""
    source = commission.source
    Commission.objects.filter(pk=commission.pk).update(wanted=True)
    read_again(source, now=now)
    if commission.rendition is not None:
        paint_again(commission.rendition, now=now)
    transaction.on_commit(lambda: request(source.pk), robust=True)


def read_again(source: Source, *, now: datetime) -> bool:
    """Have a photo read again whose reading failed; False if it did not fail."""
    renewed = source.renew(now=now)
    if renewed:
        queue.enqueue_read(source.pk, seconds=seconds_for(source.width * source.height))
    return renewed


def paint_again(rendition: Rendition, *, now: datetime) -> bool:
    """Have a rendition painted again that failed or was cancelled; False if it was neither, or nobody asks for it."""
    source = Source.objects.filter(state=State.DONE, commissions__rendition=rendition).first()
    renewed = source is not None and rendition.renew(now=now)
    if source is not None and renewed:
        _enqueue(source, [rendition])
    return renewed


def release(commission_ids: Iterable[int]) -> None:
    """Remove commissions and renditions that nobody's history holds any more, with their files."""
    with transaction.atomic():
        gone = [delete_if_free(each) for each in Commission.objects.filter(pk__in=list(commission_ids))]
        painted = [each.rendition_id for each in gone if each and each.rendition_id]
        for orphan in Rendition.objects.filter(pk__in=painted, commissions=None):
            # Locked: an export that is finished just now finds its row gone, and removes its file itself.
            exports = list(Export.objects.filter(rendition=orphan).select_for_update())
            removed = delete_if_free(orphan)
            if removed:
                _remove_files_after_commit(removed, exports)


def retry_stale(*, now: datetime) -> int:
    """Bring back what a crash, a lost queue or a missed wake-up left behind; count the sources enqueued.

    Raises RedisError when the queue is away.
    """
    Rendition.objects.give_back(now=now, max_tries=settings.MAX_TRIES)
    for source in Source.objects.filter(state=State.DONE, commissions__in=_unresolved()).distinct():
        request(source.pk)
    quiet = now - timedelta(seconds=settings.QUIET_SECONDS)
    lost = Rendition.objects.filter(state=State.WAITING, waiting_since__lt=quiet)
    waiting = Source.objects.filter(state=State.DONE, commissions__rendition__in=lost).values_list("pk", flat=True)
    forgotten = set(waiting) - queue.waiting(queue.PAINT)
    for source in Source.objects.filter(pk__in=forgotten).order_by("pk"):
        _enqueue(source, list(lost.filter(commissions__source=source)))
    return len(forgotten)


def delete_if_free(row: Row) -> Row | None:
    """Delete a row and return what it last held; None if somebody's history still points to it, or it is gone.

    The database decides, not a counter.
    """
    try:
        with transaction.atomic():
            # Locked and read again: a worker may have filled it a moment ago, and its files must go as well.
            same: QuerySet[Row] = QuerySet(type(row)).filter(pk=row.pk)
            latest = same.select_for_update().first()
            if latest is not None:
                latest.delete()
            return latest
    except ProtectedError:
        return None


def start(work: Work) -> bool:
    """Claim work for the job that this process does; True for exactly one."""
    lease = timedelta(seconds=settings.LEASE_SECONDS)
    return work.start(now=timezone.now(), lease=lease, holder=queue.current_job())


@contextmanager
def failing_with_reason(work: Sequence[Work]) -> Iterator[None]:
    """End the work with a reason when what is inside raises; the log has the rest.

    Lets TooSlow through when it has been noted: nothing else of the job may be begun.
    """
    try:
        yield
    except Refused as refusal:
        _fail(work, Reason(refusal.code))
    except MemoryError:
        _fail(work, Reason.OUT_OF_MEMORY)
    except queue.TooSlow:
        _fail(work, Reason.TOO_SLOW)
        raise
    except store.Unavailable:
        log.exception("the storage failed")
        _fail(work, Reason.STORAGE)
    except Exception:
        log.exception("unexpected")
        _fail(work, Reason.UNEXPECTED)


def limits() -> Limits:
    """Return what the site accepts."""
    return Limits(max_bytes=settings.MAX_MEGABYTES * 1_000_000, max_megapixels=settings.MAX_MEGAPIXELS)


def seconds_for(pixels: int, *, paintings: int = 1) -> int:
    """Return the time limit of work on so many pixels: generous, since a loaded machine is slow, but bounded."""
    return round(20 + 3 * paintings * pixels / 1_000_000)


def _long_edge(source: Source, *, full_size: bool) -> int:
    larger = max(source.width, source.height) > settings.LONG_EDGE
    return FULL_SIZE if full_size and larger else settings.LONG_EDGE


def _unresolved() -> QuerySet[Commission]:
    return Commission.objects.filter(rendition=None, wanted=True)


def _resolve(asked: Commission, source: Source) -> Rendition:
    recipe = recipes.parse(asked.recipe)
    fresh = {
        "recipe": recipe.text,
        "style": recipe.style,
        "style_version": recipe.version,
        "lane": asked.lane,
        "waiting_since": timezone.now(),
    }
    rendition, made = Rendition.objects.get_or_create(
        canvas_key=cache.painted_key(source, recipe), recipe_digest=asked.recipe_digest, defaults=fresh
    )
    asked.rendition, asked.found = rendition, Found.PAINTED if made else Found.SAME_PICTURE
    asked.save(update_fields=["rendition", "found"])
    if rendition.state == State.CANCELLED and rendition.renew(now=timezone.now()):
        rendition.state = State.WAITING
    return rendition


def _enqueue(source: Source, group: Sequence[Rendition]) -> None:
    pixels = sum(_pixels(source, recipes.parse(rendition.recipe)) for rendition in group)
    queue.enqueue_paint(source.pk, seconds=seconds_for(pixels))


def _pixels(source: Source, recipe: Recipe) -> int:
    full = recipe.long_edge == FULL_SIZE
    return source.width * source.height if full else source.canvas_width * source.canvas_height


def _paint_canvas(source: Source, long_edge: int, group: Sequence[Rendition]) -> None:
    claimed = [each for each in group if start(each)]
    if not claimed:
        return
    with failing_with_reason(claimed):
        original = io.BytesIO(store.read(source.original))
        bench = Bench(pipeline.open_canvas(original, long_edge=long_edge, limits=limits()))
        for rendition in claimed:
            # A style that fails does not take the others with it; only the end of the time does.
            with failing_with_reason([rendition]):
                _file(rendition, pipeline.paint_on(bench, recipes.parse(rendition.recipe)))


def _file(rendition: Rendition, painting: pipeline.Painting) -> None:
    height, width = painting.pixels.shape[:2]
    files = pipeline.smaller(painting.pixels, settings.PAGE_WIDTHS)
    # The largest is what people download: it says how it was painted.
    files[width] = labels.write(painting.pixels, labels.of(painting.recipe))
    pages = store.put_pages("renditions", files)
    kept = rendition.finish(
        now=timezone.now(),
        cpu_seconds=painting.cpu_seconds,
        width=width,
        height=height,
        folder=pages.folder,
        widths=pages.widths,
        stored_bytes=pages.size,
    )
    if not kept:
        # Cancelled, removed, or given to another worker meanwhile: a late result is refused.
        store.remove_pages(pages.folder, pages.widths)


def _fail(work: Sequence[Work], reason: Reason) -> None:
    for each in work:
        each.fail(reason, now=timezone.now())


def _remove_files_after_commit(rendition: Rendition, exports: Sequence[Export]) -> None:
    folder, widths = rendition.folder, list(rendition.widths)
    exported = [export.file for export in exports if export.file]
    transaction.on_commit(lambda: store.remove(exported))
    if folder:
        transaction.on_commit(lambda: store.remove_pages(folder, widths))
