"""Notices: what staff tell everybody for a while, and whether uploads are closed meanwhile."""

import math
import threading
import time
from dataclasses import dataclass
from datetime import datetime, timedelta

from django.db import transaction
from django.db.models import Q, QuerySet
from django.utils.translation import gettext as _

from gallery import allowances, audit
from gallery.models import Notice, User

FRESH_SECONDS = 3
"""Every page shows them, and a question costs 0.2 ms on SQLite and a way over the network on PostgreSQL."""

AGAIN = timedelta(minutes=5)
"""After this time it is worth sending a photo again: staff may open uploads earlier than they said."""


@dataclass(frozen=True)
class Closed:
    """No photo is taken, because a notice closes uploads."""

    text: str
    until: datetime | None
    now: datetime

    @property
    def label(self) -> str:
        """Say why, and how long if that is known, in the person's language."""
        if self.until is None:
            return _("No photos are taken just now: %(text)s") % {"text": self.text}
        time = allowances.clock(self.until, now=self.now)
        return _("No photos are taken until %(time)s: %(text)s") % {"time": time, "text": self.text}

    @property
    def seconds(self) -> int:
        """After how many seconds it is worth trying again."""
        wait = min(self.until - self.now, AGAIN) if self.until else AGAIN
        return max(1, math.ceil(wait.total_seconds()))


def standing(*, now: datetime) -> list[Notice]:
    """Return what everybody is told now, what closes uploads first."""
    shown = [notice for notice in board.read(now=now) if notice.is_shown(now=now)]
    return sorted(shown, key=lambda notice: not notice.closes_uploads)


def closure(*, now: datetime) -> Closed | None:
    """Return why no photo is taken now; None while uploads are open."""
    closing = [notice for notice in standing(now=now) if notice.closes_uploads]
    if not closing:
        return None
    ends = [notice.ends_at for notice in closing if notice.ends_at]
    return Closed(closing[0].text, max(ends) if len(ends) == len(closing) else None, now)


def still_to_be_shown(*, now: datetime) -> QuerySet[Notice]:
    """Return the notices that are shown now or later, in their order."""
    return Notice.objects.filter(Q(ends_at=None) | Q(ends_at__gt=now)).order_by("starts_at", "pk")


def put_up(
    *, text: str, starts_at: datetime, ends_at: datetime | None, closes_uploads: bool, by: User, now: datetime
) -> Notice:
    """Tell everybody something, from one time to another."""
    with transaction.atomic():
        notice = Notice.objects.create(text=text, starts_at=starts_at, ends_at=ends_at, closes_uploads=closes_uploads)
        _note(notice, "notice.put_up", by=by, now=now)
    board.forget()
    return notice


def take_down(notice: Notice, *, by: User, now: datetime) -> bool:
    """End a notice; False if it has ended already."""
    with transaction.atomic():
        if not still_to_be_shown(now=now).filter(pk=notice.pk).update(ends_at=now):
            return False
        _note(notice, "notice.take_down", by=by, now=now)
    board.forget()
    return True


class Board:
    """Where each process keeps the notices for a moment, so that pages ask for none."""

    def __init__(self) -> None:
        """Know nothing yet."""
        self._lock = threading.Lock()
        self._notices: list[Notice] = []
        self._fresh_until = 0.0

    def read(self, *, now: datetime) -> list[Notice]:
        """Return the notices that are shown now or later."""
        with self._lock:
            if time.monotonic() >= self._fresh_until:
                self._notices = list(still_to_be_shown(now=now))
                self._fresh_until = time.monotonic() + FRESH_SECONDS
            return self._notices

    def forget(self) -> None:
        """Ask again for the next page."""
        self._fresh_until = 0.0

    def keep_empty(self) -> None:
        """Have no notice and ask for none: for tests of other things, whose queries are counted."""
        self._notices, self._fresh_until = [], math.inf


board = Board()


def _note(notice: Notice, action: str, *, by: User, now: datetime) -> None:
    ends_at = notice.ends_at.isoformat() if notice.ends_at else ""
    audit.note(by=by, action=action, subject=notice.text, now=now, closes=notice.closes_uploads, ends_at=ends_at)
