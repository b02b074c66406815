"""Makers of photos, sources and renditions, and a race of threads."""

import hashlib
import io
import threading
from collections.abc import Callable
from datetime import UTC, datetime
from typing import TypeVar

import numpy as np
from django.conf import settings
from django.db import connections
from django.utils import timezone
from PIL import Image

from rendering import recipes, renditions, sources, styles
from rendering.models import Commission, Rendition, Source, State

Result = TypeVar("Result")

NOON = datetime(2026, 5, 3, 12, tzinfo=UTC)
ONE_KEY = "0" * 64


def photo(seed: int = 1, *, width: int = 120, height: int = 90, form: str = "JPEG", **saved: object) -> bytes:
    """Return a file of a soft colorful picture; the same seed gives the same pixels."""
    return encoded(picture(seed, width=width, height=height), form=form, **saved)


def picture(seed: int = 1, *, width: int = 120, height: int = 90) -> Image.Image:
    """Return a soft colorful picture."""
    coarse = np.random.default_rng(seed).integers(0, 256, (6, 8, 3), dtype=np.uint8)
    return Image.fromarray(coarse).resize((width, height), Image.Resampling.BICUBIC)


def encoded(image: Image.Image, *, form: str = "JPEG", **saved: object) -> bytes:
    """Return the picture as a file."""
    file = io.BytesIO()
    image.save(file, form, **saved)
    return file.getvalue()


def admit(content: bytes, *, scope: str = "", lane: str = "person-1", now: datetime | None = None) -> Source:
    """Admit a file as an upload does."""
    digest = hashlib.sha256(content).hexdigest()
    staged = sources.stage(io.BytesIO(content), sha256=digest, size=len(content), scope=scope)
    return sources.admit(staged, lane=lane, now=now or timezone.now())


def read(content: bytes) -> Source:
    """Admit a file and read it at once, without a queue."""
    source = admit(content)
    sources.read(source.pk)
    source.refresh_from_db()
    return source


def commission(source: Source, style: str = "pencil", *, look: str = "fast", full_size: bool = False) -> Commission:
    """Ask for a source in a style."""
    [(asked, _)] = renditions.commission(
        source, styles=[style], look=look, full_size=full_size, lane="person-1", now=timezone.now()
    )
    asked.refresh_from_db()
    return asked


def commission_all(source: Source, *, full_size: bool = False) -> list[Commission]:
    """Ask for a source in every style."""
    return [commission(source, style, full_size=full_size) for style in styles.NAMES]


def painted(content: bytes, style: str = "pencil") -> Rendition:
    """Admit, read and paint a file at once, without a queue."""
    source = read(content)
    asked = commission(source, style)
    paint_all(source)
    return Rendition.objects.get(commissions=asked)


def paint_all(source: Source) -> None:
    """Paint what waits of a source at once, without a queue."""
    while first := Rendition.objects.filter(state=State.WAITING, commissions__source=source).first():
        renditions.paint(first)


def source_row(**facts: object) -> Source:
    """Return a source without files."""
    usual = {"bytes_key": f"{Source.objects.count():064d}", "original": "originals/none.jpg", "size": 1000}
    sized = {"format": "jpeg", "width": 120, "height": 90, "waiting_since": NOON}
    return Source.objects.create(**{**usual, **sized, **facts})


def rendition_row(**facts: object) -> Rendition:
    """Return a rendition without files."""
    recipe = recipes.compose("pencil", look="fast", long_edge=settings.LONG_EDGE)
    asked = {"recipe": recipe.text, "recipe_digest": recipe.digest, "style": recipe.style}
    usual = {"canvas_key": f"{Rendition.objects.count():064d}", "style_version": 1, "waiting_since": NOON}
    return Rendition.objects.create(**{**usual, **asked, **facts})


def simultaneously(count: int, action: Callable[[], Result]) -> list[Result]:
    """Return what so many threads got that all did the same at the same time; raise the first of their errors."""
    start, got, errors = threading.Barrier(count), [], []

    def run() -> None:
        try:
            start.wait(30)
            got.append(action())
        except Exception as error:  # noqa: BLE001 - it is raised below, in the test's own thread
            errors.append(error)
        finally:
            connections.close_all()

    threads = [threading.Thread(target=run) for _ in range(count)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(60)
    if errors:
        raise errors[0]
    return got


def states(asked: list[Commission]) -> list[State | None]:
    """Return where the paintings of these commissions stand."""
    fresh = Commission.objects.filter(pk__in=[each.pk for each in asked]).select_related("rendition").order_by("pk")
    return [State(each.rendition.state) if each.rendition else None for each in fresh]
