"""Batches: what somebody had painted together; who wants it gets one mail when a long one is finished."""

import logging
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from django.conf import settings
from django.core.mail import send_mail
from django.db.models import Q
from django.urls import reverse
from django.utils import translation
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from gallery.models import Artwork, Stage, User

log = logging.getLogger(__name__)

LONG = timedelta(minutes=2)
NEWS = timedelta(days=1)
"""What was finished longer ago is no news any more."""
GAP = timedelta(minutes=1)
"""Who waits so long between two uploads has begun another batch, if nothing was being painted meanwhile."""
MOST = 10_000
"""So many paintings of one person are looked at at once, the newest."""


@dataclass(frozen=True)
class Batch:
    """Paintings that one person waited for at a time."""

    begun_at: datetime
    finished_at: datetime
    paintings: int

    @property
    def long(self) -> bool:
        """Whether nobody would have waited in front of the page."""
        return self.finished_at - self.begun_at > LONG


def announce(*, now: datetime) -> int:
    """Mail everybody whose long batch is finished and who wants to know; count the mails."""
    wanting = User.objects.filter(mail_when_done=True, is_active=True).exclude(email="")
    return sum(_announce(person, now=now) for person in wanting.iterator())


def find(person: User, *, since: datetime) -> list[Batch] | None:
    """Return the batches that were begun since then; None while anything of them is unfinished."""
    mine = Artwork.objects.filter(photo__owner=person, created_at__gt=since)
    if mine.unfinished().exists():
        return None
    times = mine.at_stage(Stage.DONE).filter(Q(commission__rendition__finished_at__isnull=False))
    waited = times.order_by("-created_at").values_list("created_at", "commission__rendition__finished_at")[:MOST]
    return _gathered(sorted((begun, max(begun, finished or begun)) for begun, finished in waited))


def _announce(person: User, *, now: datetime) -> bool:
    since = max(person.told_at or now - NEWS, now - NEWS)
    batches = find(person, since=since)
    if not batches or batches[-1].finished_at + GAP > now:
        # Perhaps more is on its way.
        return False
    # One UPDATE decides: of two caretakers one writes.
    before = person.told_at
    if not User.objects.filter(pk=person.pk, told_at=before).update(told_at=now):
        return False
    paintings = sum(batch.paintings for batch in batches if batch.long)
    return bool(paintings) and _send(person, paintings, before)


def _send(person: User, paintings: int, before: datetime | None) -> bool:
    with translation.override(person.language or settings.LANGUAGE_CODE):
        subject = ngettext("%(count)s painting is finished", "%(count)s paintings are finished", paintings)
        lines = [
            _("Hello %(name)s,") % {"name": person.get_username()},
            _("all that you had painted is ready: %(address)s") % {"address": _page("album")},
            _("You get this mail because you asked for it. Change that here: %(address)s")
            % {"address": _page("preferences")},
        ]
        try:
            send_mail(subject % {"count": paintings}, "\n\n".join(lines) + "\n", None, [person.email])
        except OSError:
            # The next round tries again.
            log.warning("a mail about finished paintings could not be sent", exc_info=True)
            User.objects.filter(pk=person.pk).update(told_at=before)
            return False
    return True


def _page(name: str) -> str:
    return settings.SITE_URL + reverse(name)


def _gathered(waited: Sequence[tuple[datetime, datetime]]) -> list[Batch]:
    batches: list[Batch] = []
    for begun, finished in waited:
        last = batches[-1] if batches else None
        if last and begun <= last.finished_at + GAP:
            batches[-1] = Batch(last.begun_at, max(last.finished_at, finished), last.paintings + 1)
        else:
            batches.append(Batch(begun, finished, 1))
    return batches
