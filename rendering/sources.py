"""Sources: a file is admitted in the web process by its header alone, and read once by a worker."""

import io
import logging
import time
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import BinaryIO

from django.conf import settings
from django.db import transaction
from django.db.models import QuerySet
from django.utils import timezone

from rendering import cache, canvases, events, pipeline, queue, renditions, store, supervision
from rendering.imaging import header
from rendering.imaging.header import Header, Refused
from rendering.models import Commission, Export, Reason, Rendition, Source
from rendering.renditions import seconds_for

log = logging.getLogger(__name__)

WORKSHOP = "workshop"
"""The lane of what is the workshop's own: it is in nobody's album, and stays."""


class RefusedFile(Exception):  # noqa: N818 - reads as what it says: the file was refused
    """A file that cannot become a photo; the reason has a sentence for people."""

    def __init__(self, reason: Reason) -> None:
        """Keep the reason; its label is the sentence."""
        super().__init__(str(reason.label))
        self.reason = reason


@dataclass(frozen=True)
class Staged:
    """A file that is kept, or known already, and belongs to nobody yet."""

    bytes_key: str
    scope: str
    original: str
    size: int
    header: Header | None


def stage(file: BinaryIO, *, sha256: str, size: int, scope: str) -> Staged:
    """Keep a file, unless it is here already; raise RefusedFile.

    Reads the header only; no pixel is decoded here. To be called before the transaction that admits it: a storage may
    take its time, and nobody shall wait for the database meanwhile.
    """
    key = cache.bytes_key(sha256, scope=scope)
    if Source.objects.filter(bytes_key=key).exists():
        return Staged(key, scope, "", size, None)
    seen = _inspect(file)
    return Staged(key, scope, _keep(file, seen), size, seen)


def discard(staged: Staged) -> None:
    """Remove a staged file that is not admitted after all."""
    if staged.original:
        store.remove([staged.original])


def admit(staged: Staged, *, lane: str, now: datetime) -> Source:
    """Have a staged file read, or return the source that has the same bytes already.

    Raises RefusedFile if that source has been removed since the file was staged.
    """
    source: Source
    if staged.header is None:
        known: Source | None = Source.objects.filter(bytes_key=staged.bytes_key).first()
        if known is None:
            raise RefusedFile(Reason.STORAGE)
        return known
    facts = {
        "scope": staged.scope,
        "original": staged.original,
        "size": staged.size,
        "format": staged.header.format,
        "width": staged.header.width,
        "height": staged.header.height,
        "lane": lane,
        "waiting_since": now,
    }
    source, made = Source.objects.get_or_create(bytes_key=staged.bytes_key, defaults=facts)
    if made:
        log.info("source %d of lane %s was accepted", source.pk, lane)
        queue.wake()
    else:
        transaction.on_commit(lambda: discard(staged))
    return source


def adopt(source: Source) -> Source:
    """Make a source the workshop's own, whoever brought it first."""
    Source.objects.filter(pk=source.pk).exclude(lane=WORKSHOP).update(lane=WORKSHOP)
    return source


def read(source_id: int) -> None:
    """Decode a source once: its canvas's key, fingerprints and thumbnails; then have its commissions painted."""
    source = Source.objects.filter(pk=source_id).first()
    if source is None or not renditions.start(source):
        return
    _tell(source)
    seconds = seconds_for(source.width * source.height)
    with renditions.failing_with_reason([source]), supervision.doing(source, seconds=seconds):
        _read(source)
        renditions.request(source.pk)
        renditions.preview(source)
    _tell(source)


def release(source_ids: Iterable[int]) -> None:
    """Remove sources that are in nobody's album any more, with their files and what was painted from them alone."""
    own = Source.objects.filter(lane=WORKSHOP)
    ids = set(source_ids) - set(own.values_list("pk", flat=True))
    with transaction.atomic():
        renditions.release(Commission.objects.filter(source__in=ids).values_list("pk", flat=True))
        # Locked: an export that is finished just now finds its row gone, and removes its file itself.
        exports = list(Export.objects.filter(source__in=ids).order_by("pk").select_for_update())
        gone = renditions.delete_free(Source.objects.filter(pk__in=ids), "commissions")
        for source in gone:
            exported = [each.file for each in exports if each.source_id == source.pk and each.file]
            _remove_files_after_commit(source, exported)
        renditions.remove_orphans(_painted_from(gone))


def _painted_from(gone: Sequence[Source]) -> QuerySet[Rendition]:
    """Return what was painted from these alone and kept for a while: it must not outlive the photos."""
    keys = {key for source in gone for key in cache.painted_keys(source)}
    shown = Source.objects.filter(canvas_key__in=[source.canvas_key for source in gone if source.canvas_key])
    keys -= set(shown.values_list("canvas_key", flat=True))
    return Rendition.objects.filter(commissions=None, canvas_key__in=keys)


def _inspect(file: BinaryIO) -> Header:
    try:
        return header.inspect(file, renditions.limits())
    except Refused as refusal:
        raise RefusedFile(Reason(refusal.code)) from refusal
    finally:
        file.seek(0)


def _keep(file: BinaryIO, seen: Header) -> str:
    try:
        return store.put_original(file, extension=seen.format.lower())
    except store.Unavailable as error:
        raise RefusedFile(Reason.STORAGE) from error


def _read(source: Source) -> None:
    clock = time.process_time()
    original = io.BytesIO(store.read(source.original))
    reading = pipeline.read(original, long_edge=settings.LONG_EDGE, limits=renditions.limits())
    pages = store.put_pages("photos", pipeline.outputs(reading.canvas, settings.PAGE_WIDTHS))
    height, width = reading.canvas.shape[:2]
    kept = source.finish(
        now=timezone.now(),
        cpu_seconds=time.process_time() - clock,
        width=reading.width,
        height=reading.height,
        canvas_key=cache.canvas_key(reading.digest, scope=source.scope),
        canvas_width=width,
        canvas_height=height,
        phash=reading.phash.hex(),
        signature=reading.signature.hex(),
        notes=list(reading.notes),
        folder=pages.folder,
        widths=pages.widths,
        stored_bytes=pages.size,
        largest_bytes=pages.largest,
    )
    if not kept:
        # Removed, or given to another worker meanwhile: a late result is refused.
        store.remove_pages(pages.folder, pages.widths)
        return
    log.info("source %d of lane %s was read", source.pk, source.lane)
    canvases.hold(source, reading.canvas)


def _tell(source: Source) -> None:
    events.tell_all({source.lane, *source.commissions.values_list("lane", flat=True)})


def _remove_files_after_commit(source: Source, exported: Iterable[str]) -> None:
    original, folder, widths = source.original, source.folder, list(source.widths)
    transaction.on_commit(lambda: store.remove([original, *exported]))
    if folder:
        transaction.on_commit(lambda: store.remove_pages(folder, widths))
