"""Shared reads for the dashboard and the metrics."""

from dataclasses import dataclass
from datetime import datetime, timedelta

from django.db.models import Sum
from redis.exceptions import RedisError

from rendering import queue
from rendering.models import Export, Rendition, Source, State
from rendering.queue import WorkerLine


@dataclass(frozen=True)
class Overview:
    """What goes on now, and what the last day brought."""

    sources_waiting: int
    waiting: int
    working: int
    exports_waiting: int
    put_away: int
    done_today: int
    failed_today: int
    stored_bytes: int
    cpu_seconds_today: float
    redis_ok: bool
    workers: list[WorkerLine]


def overview(now: datetime) -> Overview:
    """Return the figures of the first dashboard; "today" is the last 24 hours."""
    today = Rendition.objects.filter(finished_at__gte=now - timedelta(days=1))
    done = today.filter(state=State.DONE)
    redis_ok, workers = _workers()
    return Overview(
        sources_waiting=Source.objects.unfinished().count(),
        waiting=Rendition.objects.filter(state=State.WAITING).count(),
        working=Rendition.objects.filter(state=State.WORKING).count(),
        exports_waiting=Export.objects.all().unfinished().count(),
        put_away=Rendition.objects.filter(state=State.EVICTED).count(),
        done_today=done.count(),
        failed_today=today.filter(state=State.FAILED).count(),
        stored_bytes=_stored_bytes(),
        cpu_seconds_today=done.aggregate(total=Sum("cpu_seconds"))["total"] or 0.0,
        redis_ok=redis_ok,
        workers=workers,
    )


def _workers() -> tuple[bool, list[WorkerLine]]:
    try:
        return True, queue.workers()
    except RedisError:
        return False, []


def _stored_bytes() -> int:
    sources = Source.objects.aggregate(originals=Sum("size"), pages=Sum("stored_bytes"))
    paintings = Rendition.objects.aggregate(pages=Sum("stored_bytes"))
    exports = Export.objects.aggregate(files=Sum("size"))
    return sum(total or 0 for total in (*sources.values(), *paintings.values(), *exports.values()))
