"""Room for more: how much work may wait, and how much of the disks uploads may fill."""

import logging
import shutil
import threading
import time
from dataclasses import dataclass

from django.conf import settings
from django.db import DatabaseError, models
from django.db.models import Count, Sum
from django.utils.translation import gettext_lazy as _

from rendering.models import Rendition, Source, State

FRESH_SECONDS = 1
PAINTINGS = 20
"""So many of one photo are looked at, at most."""

COPIES = 2
"""An upload is on the disk twice for a moment: as the request that came, and as the file that was in it."""

log = logging.getLogger(__name__)


class Full(models.TextChoices):
    """Why nothing more is taken just now, in words for people."""

    QUEUE = "queue", _("So many photos are waiting here that no more are taken just now. Please try again in a moment.")
    DISK = "disk", _("There is no room for more photos here at the moment. Please try again later.")

    @property
    def seconds(self) -> int:
        """After how many seconds it is worth trying again."""
        return 20 if self == Full.QUEUE else 120


@dataclass(frozen=True)
class View:
    """What was seen at one moment."""

    seen_at: float
    crowded: bool
    free: int


class Room:
    """Looks at most once a second, for however many uploads ask."""

    def __init__(self) -> None:
        """Nothing was seen yet."""
        self._lock = threading.Lock()
        self._view: View | None = None

    def refusal(self, size: int = 0) -> Full | None:
        """Return why an upload of so many bytes is not taken now, or None if there is room."""
        view = self._latest()
        if view.crowded:
            return Full.QUEUE
        reserve = settings.FREE_MEGABYTES * 1_000_000
        return Full.DISK if view.free - COPIES * size < reserve else None

    def forget(self) -> None:
        """Look again at the next question, as tests do."""
        self._view = None

    def _latest(self) -> View:
        with self._lock:
            view = self._view
            if view is None or time.monotonic() - view.seen_at > FRESH_SECONDS:
                view = self._view = View(time.monotonic(), crowded=is_crowded(), free=free_bytes())
            return view


room = Room()


def is_crowded() -> bool:
    """Return whether as much work waits as may; how many rows it reads is bounded by the limit."""
    try:
        return _waiting_photos(settings.WAITING_PHOTOS) >= settings.WAITING_PHOTOS or _too_many_bytes()
    except DatabaseError:
        log.exception("nobody can say how much work waits")
        return False  # the upload itself will tell what is wrong


def free_bytes() -> int:
    """Return how much room the fuller one of the disks has, for uploads that come and for files that stay."""
    return min(shutil.disk_usage(folder).free for folder in (settings.DATA_DIR, settings.FILE_UPLOAD_TEMP_DIR))


def _waiting_photos(limit: int) -> int:
    unread = Source.objects.filter(state=State.WAITING)[:limit].count()
    # Cut first, then told apart: the database reads the index of what waits, and not all that was ever painted.
    waiting = Rendition.objects.filter(state=State.WAITING)[: PAINTINGS * limit]
    # A canvas is a photo, but for those who sent the same one.
    return unread + int(waiting.aggregate(canvases=Count("canvas_key", distinct=True))["canvases"])


def _too_many_bytes() -> bool:
    unread = Source.objects.filter(state=State.WAITING)[: settings.WAITING_PHOTOS]
    waiting = unread.aggregate(bytes=Sum("size"))["bytes"] or 0
    return bool(waiting >= settings.WAITING_MEGABYTES * 1_000_000)
