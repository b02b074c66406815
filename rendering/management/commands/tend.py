"""Bring back work that a crash left behind, every few seconds, and put away what nobody needs, every few minutes."""

import logging
import time

from django.conf import settings
from django.core.management.base import BaseCommand, CommandParser
from django.db import Error, connections
from django.utils import timezone

from rendering import exports, lifetimes, turns

log = logging.getLogger(__name__)

EVICT_SECONDS = 600


class Command(BaseCommand):
    """Look after the work: any number may run at once, the rows decide."""

    help = "Bring back work that a crash or a lost queue left behind, every few seconds (or --once)."

    def add_arguments(self, parser: CommandParser) -> None:
        """Offer a single round."""
        parser.add_argument("--once", action="store_true", help="do it once and end")

    def handle(self, *, once: bool, **_: object) -> None:
        """Tend until a signal comes."""
        evicted_at = float("-inf")
        while True:
            due = time.monotonic() - evicted_at > EVICT_SECONDS
            if _round(evict=due) and due:
                evicted_at = time.monotonic()
            if once:
                return
            time.sleep(settings.TEND_SECONDS)


def _round(*, evict: bool) -> bool:
    """Look once; False if the database was away."""
    try:
        count = turns.revive(now=timezone.now())
        exports.expire(now=timezone.now())
        if evict:
            lifetimes.evict(now=timezone.now())
    except Error:
        log.exception("the database is away; trying again")
        connections.close_all()
        return False
    if count:
        log.info("brought back %d pieces of work that a crash had left behind", count)
    return True
