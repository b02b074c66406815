"""Stretches of time whose sums are kept, so that the desk need not count half a year of rows for each page.

The rows stay the truth: what is kept is summed up from them, the caretaker sums everything up again within hours, and
whatever is not kept yet (always the running hour) is summed up when somebody asks.
"""

from bisect import bisect_right
from collections.abc import Iterable, Sequence
from datetime import datetime, timedelta
from itertools import pairwise

from gallery import ledger
from gallery.models import Stretch
from rendering import stats, sums
from rendering.sums import Sums

HOUR = timedelta(hours=1)
HOURS = 8 * 24
DAYS = 181
LATE = timedelta(minutes=2)
"""A row may be committed so long after the time that it says it ended at."""
SOON = timedelta(hours=3)
"""Stretches that ended so recently change most, such as by paintings that were asked for then and are painted now."""
AT_ONCE = 60
AGAIN = 6
"""So many of the others are summed up again each time, those first that were summed up the longest ago."""

Between = tuple[datetime, datetime]


def read(edges: Sequence[datetime]) -> list[Sums]:
    """Return the sums between each two edges: what is kept, and from the rows what is not, all from a moment on."""
    found: list[Sums] = [{} for _ in edges[1:]]
    cursor = edges[0]
    for longest_first in (True, False):
        kept = Stretch.objects.filter(daily=longest_first, begins__gte=cursor, ends__lte=edges[-1]).order_by("begins")
        cursor = _take(kept, cursor, edges, found)
    if cursor < edges[-1]:
        rest = [cursor, *(edge for edge in edges if edge > cursor)]
        for begins, more in zip(rest, sum_up(rest), strict=False):
            sums.add(found[_place(edges, begins)], more)
    return found


def sum_up(edges: Sequence[datetime]) -> list[Sums]:
    """Sum up the rows between each two edges, in a constant number of queries."""
    return [ours | theirs for ours, theirs in zip(ledger.sum_up(edges), sums.sum_up(edges), strict=True)]


def keep(*, now: datetime) -> int:
    """Keep what is over and not kept yet, and sum up some of the rest again; count the stretches that are new."""
    wanted = _over(now)
    rows = Stretch.objects.order_by("summed_at", "begins").values_list("pk", "begins", "ends")
    kept = {(begins, ends): pk for pk, begins, ends in rows}
    Stretch.objects.filter(pk__in=[pk for key, pk in kept.items() if key not in wanted]).delete()
    missing = [key for key in sorted(wanted) if key not in kept][:AT_ONCE]
    oldest = [key for key in kept if key in wanted][:AGAIN]
    fresh = [key for key in kept if key in wanted and now - key[1] < SOON]
    for run in _runs({*missing, *oldest, *fresh}):
        _keep(run, daily=wanted[run[0]], now=now)
    return len(missing)


def _take(kept: Iterable[Stretch], cursor: datetime, edges: Sequence[datetime], found: list[Sums]) -> datetime:
    """Add the stretches that follow each other from the cursor on; return where they end."""
    for each in kept:
        number = _place(edges, each.begins)
        if each.begins == cursor and each.ends <= edges[number + 1]:
            if found[number]:
                sums.add(found[number], each.sums)
            else:
                found[number] = each.sums
            cursor = each.ends
    return cursor


def _place(edges: Sequence[datetime], moment: datetime) -> int:
    return bisect_right(edges, moment) - 1


def _over(now: datetime) -> dict[Between, bool]:
    """Return the hours and days that are to be kept, and whether each is a day."""
    hours = dict.fromkeys(pairwise(stats.hours(HOURS, now=now)), False)
    days = dict.fromkeys(pairwise(stats.days(DAYS, now=now)), True)
    return {key: daily for key, daily in (hours | days).items() if key[1] <= now - LATE}


def _runs(keys: Iterable[Between]) -> list[list[Between]]:
    """Return hours, and days, that follow each other in lists: these are summed up together."""
    runs: list[list[Between]] = []
    for key in sorted(keys, key=lambda key: (_is_day(key), key)):
        before = runs[-1][-1] if runs else None
        if before and before[1] == key[0] and _is_day(before) == _is_day(key):
            runs[-1].append(key)
        else:
            runs.append([key])
    return runs


def _is_day(key: Between) -> bool:
    return key[1] - key[0] > HOUR


def _keep(run: Sequence[Between], *, daily: bool, now: datetime) -> None:
    edges = [run[0][0], *(ends for _begins, ends in run)]
    found = zip(run, sum_up(edges), strict=True)
    rows = [Stretch(begins=key[0], ends=key[1], daily=daily, sums=sums, summed_at=now) for key, sums in found]
    # Two caretakers may do it at once: what either has summed up is right.
    columns = ["daily", "sums", "summed_at"]
    Stretch.objects.bulk_create(rows, update_conflicts=True, unique_fields=["begins", "ends"], update_fields=columns)
