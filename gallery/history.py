"""The history: what somebody asked for, filtered, summed up, by day, and any line of it once more."""

from array import array
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from typing import Any

from django.db.models import Case, Count, F, FloatField, Q, QuerySet, Sum, Value, When
from django.utils import timezone

from gallery import artworks, ledger, looks
from gallery.models import Artwork, ArtworkQuerySet, How, Stage, User
from rendering import styles
from rendering.models import Found

BATCH = 500
"""So many lines are read at once where all are wanted."""

ENDED = (Stage.FAILED, Stage.CANCELLED, Stage.EVICTED)
PAINTED_CPU = F("commission__rendition__cpu_seconds")
READ_CPU = F("photo__source__cpu_seconds")
SAME_FILE = Q(same_file=True, twin=False)
SAME_PICTURE = Q(twin=True) | Q(commission__found=Found.SAME_PICTURE)
SAVED = Case(
    # What `ledger.cost_of` says of one line, for the database to add up.
    When(Q(commission__rendition__cpu_seconds=None), then=Value(0.0)),
    When(Q(commission__rendition__cpu_seconds=0), then=Value(0.0)),
    When(SAME_FILE, then=PAINTED_CPU + READ_CPU),
    When(SAME_PICTURE, then=PAINTED_CPU),
    default=Value(0.0),
    output_field=FloatField(),
)


@dataclass(frozen=True)
class Total:
    """So many lines, and the CPU seconds that they saved."""

    lines: int
    saved: float


@dataclass(frozen=True)
class Day:
    """The lines of one day."""

    day: date
    artworks: list[Artwork]
    saved: float


def find(person: User, chosen: dict[str, Any]) -> ArtworkQuerySet:  # Any: words and dates
    """Return what a person asked for, newest first; `chosen` are filters that are understood."""
    columns = {name: chosen[name] for name in ("style", "look") if name in chosen}
    found = Artwork.objects.history_of(person).filter(**columns, **_period(chosen))
    if "stage" in chosen:
        found = found.at_stage(Stage(chosen["stage"]))
    if "how" in chosen:
        found = found.got_by(How(chosen["how"]))
    return found


def total_of(found: ArtworkQuerySet) -> Total:
    """Count all lines, and add up what they saved, in one query."""
    sums = found.order_by().aggregate(lines=Count("pk"), saved=Sum(SAVED))
    return Total(sums["lines"], sums["saved"] or 0.0)


def saved_by(shown: Iterable[Artwork]) -> float:
    """Add up what these lines saved; asks no query."""
    costs = (ledger.cost_of(artwork) for artwork in shown)
    return sum(cost.saved for cost in costs if cost)


def by_day(shown: Iterable[Artwork]) -> list[Day]:
    """Put lines that come newest first under their days.

    A line that was asked for again later keeps its place, so its day is never later than that of the line above.
    """
    days: dict[date, list[Artwork]] = {}
    last = date.max
    for artwork in shown:
        last = min(last, timezone.localtime(artwork.created_at).date())
        days.setdefault(last, []).append(artwork)
    return [Day(day, lines, saved_by(lines)) for day, lines in days.items()]


def first_of(found: ArtworkQuerySet, count: int) -> list[Artwork]:
    """Return the first lines, in two queries, however many there are.

    Their numbers first: sorting 50,000 whole rows for the first 50 takes ten times as long (130 ms, not 15).
    """
    return _read(_numbers(found)[:count])


def in_batches(found: ArtworkQuerySet) -> Iterator[list[Artwork]]:
    """Yield all lines, some at a time, so that of a long history no more than the numbers are in memory."""
    numbers = array("q", _numbers(found).iterator())
    for first in range(0, len(numbers), BATCH):
        yield _read(numbers[first : first + BATCH])


def is_of_today(artwork: Artwork) -> bool:
    """Return whether the style paints today as it did then: painting it again would give the same picture."""
    style = styles.find(artwork.style)
    return style is not None and artwork.commission.recipe.split(" ")[1:2] == [str(style.version)]


def again(artwork: Artwork, *, by: User, now: datetime) -> bool:
    """Have any line painted once more; False if its painting is there, and today's style would paint the same.

    What an earlier version of the style painted, or can paint no more, is painted by today's, in the same look and with
    the person's own values. Raises ParameterError for a style or look that is gone.
    """
    ended = artwork.stage in ENDED
    if not ended and artwork.stage != Stage.DONE:
        return False
    if not is_of_today(artwork):
        _paint_by_todays_style(artwork, now=now)
        return True
    if ended:
        artworks.retry(artwork, by=by, now=now)
    return ended


def _paint_by_todays_style(artwork: Artwork, *, now: datetime) -> None:
    artworks.commission(
        artwork.photo,
        styles=[artwork.style],
        look=artwork.look,
        full_size=artwork.full_size,
        now=now,
        changes=looks.kept(artwork),
    )


def _numbers(found: ArtworkQuerySet) -> "QuerySet[Artwork, int]":
    return found.select_related(None).values_list("pk", flat=True)


def _read(numbers: Iterable[int]) -> list[Artwork]:
    return list(Artwork.objects.with_paintings().filter(pk__in=list(numbers)).order_by("-pk"))


def _period(chosen: dict[str, Any]) -> dict[str, datetime]:  # Any: words and dates
    period = {}
    if "since" in chosen:
        period["created_at__gte"] = _midnight(chosen["since"])
    if "until" in chosen:
        period["created_at__lt"] = _midnight(chosen["until"] + timedelta(days=1))
    return period


def _midnight(day: date) -> datetime:
    return timezone.make_aware(datetime.combine(day, time.min))
