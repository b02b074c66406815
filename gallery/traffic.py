"""Pictures on people's own pages, counted: the bytes that were sent, and those that a naive page would have sent.

A naive page shows each photo and each finished painting by its largest file, at once. A browser would keep those files
as it keeps ours, so they count once for each browser: a page that is opened again would send nothing either way. What
has been counted for a browser stands in Redis; with Redis away nothing naive is counted, but all that is sent is.
"""

import hashlib
import logging
import time
from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from threading import Lock

from django.db import DatabaseError
from django.db.models import F, Sum
from django.http import HttpResponse
from django.utils import timezone

from gallery import allowances
from gallery.allowances import Door
from gallery.models import Artwork, Photo, Stage, Traffic

log = logging.getLogger(__name__)

EVERY = 30.0
"""Seconds for which figures are gathered in memory before they are written: no picture waits for the database."""
KEPT = 30 * 24 * 60 * 60
"""Seconds for which a browser is remembered that has not been here."""
FIGURES = ("pages", "pictures", "naive_bytes", "sent_bytes")


@dataclass(frozen=True)
class Spared:
    """What was shown in a period, and what was not sent for it."""

    pages: int = 0
    pictures: int = 0
    naive_bytes: int = 0
    sent_bytes: int = 0

    @property
    def bytes(self) -> int:
        """Bytes that a naive page would have sent, and ours did not; negative if it is the other way round."""
        return self.naive_bytes - self.sent_bytes


class Tally:
    """Figures of this process that are not written yet."""

    def __init__(self) -> None:
        """Begin with nothing."""
        self._lock = Lock()
        self.forget()

    def forget(self) -> None:
        """Begin again with nothing."""
        self._figures: Counter[str] = Counter()
        self._due = time.monotonic() + EVERY

    def add(self, **figures: int) -> None:
        """Count more; now and then write all of it."""
        with self._lock:
            self._figures.update(figures)
            due = time.monotonic() > self._due
        if due:
            self.write()

    def write(self) -> None:
        """Write what was gathered; what could not be written waits for the next time."""
        with self._lock:
            figures, self._figures = self._figures, Counter()
            self._due = time.monotonic() + EVERY
        if not figures:
            return
        try:
            _write(figures, hour=_hour_of(timezone.now()))
        except DatabaseError:
            log.warning("what pages have sent could not be written down", exc_info=True)
            with self._lock:
                self._figures.update(figures)


tally = Tally()


def show(photos: Iterable[Photo], *, browser: str | None, pages: int = 0) -> None:
    """Count what a naive page of these photos would have sent, as far as it is not counted for this browser yet.

    Asks no query if the photos came with their sources and artworks.
    """
    whole = {str(photo.pk): _largest_files(photo) for photo in photos}
    if not browser or not whole:
        return
    # Whoever reads Redis shall not become anybody by it.
    name = f"shown/{hashlib.sha256(browser.encode()).hexdigest()[:20]}"
    more = allowances.ask(lambda door: _uncounted(door, name, whole), otherwise=0)
    tally.add(pages=pages, naive_bytes=more)


def sent(answer: HttpResponse) -> HttpResponse:
    """Count a picture on its way to a page."""
    if answer.status_code == 200:
        tally.add(pictures=1, sent_bytes=len(answer.content))
    return answer


def spared(begins: datetime, ends: datetime) -> Spared:
    """Return what was counted between two moments, to the hour, with what this process has not written yet."""
    tally.write()
    hours = Traffic.objects.filter(hour__gte=_hour_of(begins), hour__lt=ends)
    return Spared(**hours.aggregate(**{name: Sum(name, default=0) for name in FIGURES}))


def _largest_files(photo: Photo) -> int:
    return photo.source.largest_bytes + sum(_largest_file(artwork) for artwork in photo.artworks.all())


def _largest_file(artwork: Artwork) -> int:
    painting = artwork.rendition
    return painting.largest_bytes if painting and artwork.stage == Stage.DONE else 0


def _uncounted(door: Door, name: str, whole: Mapping[str, int]) -> int:
    counted = door.client.hmget(name, list(whole))
    before = {key: int(each or 0) for key, each in zip(whole, counted, strict=True)}
    grown = {key: size for key, size in whole.items() if size > before[key]}
    if grown:
        with door.client.pipeline(transaction=False) as pipeline:
            pipeline.hset(name, items=[part for pair in grown.items() for part in pair])
            pipeline.expire(name, KEPT)
            pipeline.execute()
    return sum(size - before[key] for key, size in grown.items())


def _write(figures: Mapping[str, int], *, hour: datetime) -> None:
    row, _ = Traffic.objects.get_or_create(hour=hour)
    Traffic.objects.filter(pk=row.pk).update(**{name: F(name) + figures.get(name, 0) for name in FIGURES})


def _hour_of(moment: datetime) -> datetime:
    return moment - timedelta(minutes=moment.minute, seconds=moment.second, microseconds=moment.microsecond)
