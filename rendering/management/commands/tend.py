"""Bring back work that a crash left behind, every few seconds."""

import logging
import time

from django.conf import settings
from django.core.management.base import BaseCommand, CommandParser
from django.db import Error, connections
from django.utils import timezone
from redis.exceptions import RedisError

from rendering import exports, renditions, sources

log = logging.getLogger(__name__)


class Command(BaseCommand):
    """Look after the work: any number may run at once, the rows decide."""

    help = "Bring back work that a crash or a lost queue left behind, every few seconds (or --once)."

    def add_arguments(self, parser: CommandParser) -> None:
        """Offer a single round."""
        parser.add_argument("--once", action="store_true", help="do it once and end")

    def handle(self, *, once: bool, **_: object) -> None:
        """Tend until a signal comes."""
        while True:
            self._round()
            if once:
                return
            time.sleep(settings.TEND_SECONDS)

    def _round(self) -> None:
        try:
            exports.expire(now=timezone.now())
            count = sum(kind.retry_stale(now=timezone.now()) for kind in (sources, renditions, exports))
        except RedisError:
            log.warning("the queue is away; trying again")
            return
        except Error:
            log.exception("the database is away; trying again")
            connections.close_all()
            return
        if count:
            log.info("brought back %d pieces of work that had lost their place", count)
