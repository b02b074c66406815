"""Sources: a file is admitted in the web process by its header alone, and read once by a worker."""

import io
import time
from collections.abc import Iterable
from datetime import datetime, timedelta
from typing import BinaryIO

from django.conf import settings
from django.db import transaction
from django.utils import timezone

from rendering import cache, pipeline, queue, renditions, store
from rendering.imaging import header
from rendering.imaging.header import Header, Refused
from rendering.models import Reason, Source, State
from rendering.renditions import seconds_for


class RefusedFile(Exception):  # noqa: N818 - reads as what it says: the file was refused
    """A file that cannot become a photo; the reason has a sentence for people."""

    def __init__(self, reason: Reason) -> None:
        """Keep the reason; its label is the sentence."""
        super().__init__(str(reason.label))
        self.reason = reason


def admit(file: BinaryIO, *, sha256: str, size: int, scope: str, lane: str, now: datetime) -> Source:
    """Keep a file and have it read, or return the source that has the same bytes already.

    Reads the header only; no pixel is decoded here. Raises RefusedFile.
    """
    key = cache.bytes_key(sha256, scope=scope)
    known: Source | None = Source.objects.filter(bytes_key=key).first()
    if known is not None:
        return known
    seen = _inspect(file)
    name = _keep(file, seen)
    facts = {
        "original": name,
        "size": size,
        "format": seen.format,
        "width": seen.width,
        "height": seen.height,
        "lane": lane,
        "waiting_since": now,
    }
    source: Source
    try:
        source, made = Source.objects.get_or_create(bytes_key=key, defaults=facts)
    except Exception:
        store.remove([name])
        raise
    if not made:
        store.remove([name])
        return source
    queue.enqueue_read(source.pk, seconds=seconds_for(seen.width * seen.height))
    return source


def read(source_id: int) -> None:
    """Decode a source once: its canvas's key, fingerprints and thumbnails; then have its commissions painted."""
    source = Source.objects.filter(pk=source_id).first()
    if source is None or not renditions.start(source):
        return
    with renditions.failing_with_reason([source]):
        _read(source)
        renditions.request(source.pk)


def release(source_ids: Iterable[int]) -> None:
    """Remove sources that are in nobody's album any more, with their files and what was painted from them alone."""
    for source in Source.objects.filter(pk__in=list(source_ids)):
        renditions.release(source.commissions.values_list("pk", flat=True))
        gone = renditions.delete_if_free(source)
        if gone:
            _remove_files_after_commit(gone)


def retry_stale(*, now: datetime) -> int:
    """Bring back sources whose worker or whose job was lost; count what was enqueued.

    Raises RedisError when the queue is away.
    """
    Source.objects.give_back(now=now, max_tries=settings.MAX_TRIES)
    quiet = now - timedelta(seconds=settings.QUIET_SECONDS)
    waiting = Source.objects.filter(state=State.WAITING, waiting_since__lt=quiet).values_list("pk", flat=True)
    lost = set(waiting) - queue.waiting(queue.READ)
    for source in Source.objects.filter(pk__in=lost).order_by("pk"):
        queue.enqueue_read(source.pk, seconds=seconds_for(source.width * source.height))
    return len(lost)


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
        canvas_key=cache.canvas_key(reading.digest, scope=""),
        canvas_width=width,
        canvas_height=height,
        phash=reading.phash.hex(),
        signature=reading.signature.hex(),
        notes=list(reading.notes),
        folder=pages.folder,
        widths=pages.widths,
        stored_bytes=pages.size,
    )
    if not kept:
        # Removed, or given to another worker meanwhile: a late result is refused.
        store.remove_pages(pages.folder, pages.widths)


def _remove_files_after_commit(source: Source) -> None:
    original, folder, widths = source.original, source.folder, list(source.widths)
    transaction.on_commit(lambda: store.remove([original]))
    if folder:
        transaction.on_commit(lambda: store.remove_pages(folder, widths))
