"""Look after the product: what a crash left behind, what nobody needs any more, and who waits for a mail."""

import logging
import time
from collections.abc import Callable
from datetime import datetime

from django.conf import settings
from django.core.management.base import BaseCommand, CommandParser
from django.db import Error, connections
from django.utils import timezone

from gallery import batches, photos, sample, stretches
from rendering import exports, lifetimes, turns

log = logging.getLogger(__name__)


def put_away(*, now: datetime) -> int:
    """Put away what nobody needs; count the paintings."""
    sample.keep(now=now)
    done = lifetimes.evict(now=now)
    return done.removed + done.put_away


DUTIES: tuple[tuple[float, Callable[..., int], str], ...] = (
    (0, turns.revive, "brought back %d pieces of work that a crash had left behind"),
    (0, exports.expire, "removed %d files that nobody has asked for in an hour"),
    (30, batches.announce, "sent %d mails about finished paintings"),
    (60, stretches.keep, "kept the sums of %d hours and days for the desk"),
    (600, put_away, "put away %d paintings"),
    (3600, photos.empty_bins, "erased %d photos that had been in the bin for 30 days"),
)
"""What is done, and the seconds that must pass before it is done again."""


class Command(BaseCommand):
    """Look after the work: any number may run at once, the rows decide."""

    help = "Bring back what a crash left behind, and clear away what nobody needs, every few seconds (or --once)."

    def add_arguments(self, parser: CommandParser) -> None:
        """Offer a single round."""
        parser.add_argument("--once", action="store_true", help="do it once and end")

    def handle(self, *, once: bool, **_: object) -> None:
        """Tend until a signal comes."""
        done: dict[str, float] = {}
        while True:
            _round(done, now=timezone.now())
            if once:
                return
            time.sleep(settings.TEND_SECONDS)


def _round(done: dict[str, float], *, now: datetime) -> None:
    for seconds, duty, words in DUTIES:
        if time.monotonic() - done.get(words, float("-inf")) < seconds:
            continue
        try:
            count = duty(now=now)
        except Error:
            # The other duties may do; this one is due again at the next round.
            log.exception("the database is away; trying again")
            connections.close_all()
            continue
        done[words] = time.monotonic()
        if count:
            log.info(words, count)
