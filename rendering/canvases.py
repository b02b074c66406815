"""Canvases that were read and not yet painted: in memory, and in a bounded folder of this host.

Decoding a photo is a third of the work on it. What is kept here is never trusted: it is used only if its digest is
that of the source's canvas.
"""

import contextlib
import math
import os
import secrets
import time
from collections.abc import Iterator
from pathlib import Path

import numpy as np
from django.conf import settings

from rendering import cache
from rendering.imaging import Pixels, fingerprint
from rendering.models import Source

HOUR = 3600.0
"""Seconds after which a canvas is nobody's: its photo was cancelled, removed, or painted by another host."""

_newest: dict[int, Pixels] = {}


def hold(source: Source, canvas: Pixels) -> None:
    """Keep the canvas in this process's memory, until the next one comes."""
    _newest.clear()
    _newest[source.pk] = canvas


def peek(source: Source) -> Pixels | None:
    """Return the canvas that this process holds; None if it holds another one."""
    return _newest.get(source.pk)


def spill(source: Source) -> None:
    """Keep the canvas that this process holds on the disk for any worker of this host, if there is room."""
    canvas = _newest.pop(source.pk, None)
    folder = Path(settings.CANVAS_DIR)
    if canvas is None or not _has_room(folder, canvas.nbytes):
        return
    part = folder / f".{secrets.token_hex(8)}"
    with contextlib.suppress(OSError):
        try:
            canvas.tofile(part)
            part.replace(_file(source))
        finally:
            part.unlink(missing_ok=True)


def take(source: Source) -> Pixels | None:
    """Return a source's canvas if it is here, and forget it on the disk; None if it must be decoded again."""
    held = _newest.pop(source.pk, None)
    return _load(source) if held is None else held


def _load(source: Source) -> Pixels | None:
    path = _file(source)
    shape = (source.canvas_height, source.canvas_width, 3)
    size = math.prod(shape)
    with contextlib.suppress(OSError):
        # Bare pixels: there is no header that somebody could forge, and no more is read than a canvas has.
        try:
            kept: Pixels = np.fromfile(path, np.uint8, count=size + 1)
        finally:
            path.unlink(missing_ok=True)
        if kept.size == size and _key(source, canvas := kept.reshape(shape)) == source.canvas_key:
            return canvas
    return None


def _key(source: Source, canvas: Pixels) -> str:
    return cache.canvas_key(fingerprint.digest(canvas), scope=source.scope)


def _file(source: Source) -> Path:
    return Path(settings.CANVAS_DIR) / f"{source.pk}.pixels"


def _has_room(folder: Path, size: int) -> bool:
    """Return whether one more canvas fits; the older ones stay, as they are painted sooner."""
    return sum(_sizes(folder)) + size <= settings.CANVAS_MEGABYTES * 1_000_000


def _sizes(folder: Path) -> Iterator[int]:
    forgotten = time.time() - HOUR
    with contextlib.suppress(OSError), os.scandir(folder) as entries:
        for entry in entries:
            with contextlib.suppress(OSError):
                facts = entry.stat()
                if facts.st_mtime < forgotten:
                    Path(entry.path).unlink()
                else:
                    yield facts.st_size
