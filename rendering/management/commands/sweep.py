"""Remove files that nobody knows, and find rows whose files are lost."""

import time
from datetime import timedelta

from django.core.management.base import BaseCommand, CommandError, CommandParser
from django.utils import timezone

from rendering import store, sweep
from rendering.sweep import Removed, Suspicion

MEGABYTE = 1_000_000
SHOWN = 20


class Command(BaseCommand):
    """Compare the storage with the database, and clean up; safe while the product runs."""

    help = "Remove files that no row of the database knows, and tell which rows have lost their files."

    def add_arguments(self, parser: CommandParser) -> None:
        """Offer caution and courage."""
        parser.add_argument("--older-than", type=float, default=1, metavar="HOURS", help="leave younger files (1)")
        parser.add_argument("--dry-run", action="store_true", help="only tell")
        parser.add_argument("--repair", action="store_true", help="have what is lost made again")
        parser.add_argument("--yes", action="store_true", help="even if most files or rows seem wrong")

    def handle(self, *, older_than: float, dry_run: bool, repair: bool, yes: bool, **_: object) -> None:
        """Look, look again, and clean up."""
        before = timezone.now() - timedelta(hours=older_than)
        try:
            found = sweep.look(before=before)
            self._tell(found)
            if dry_run:
                return
            if found.alarming and not yes:
                raise CommandError(_alarm(found))
            if found.unknown and older_than:
                time.sleep(sweep.SECOND_LOOK_SECONDS)
            removed = sweep.remove_unknown(found)
            sweep.remove_leftovers(removed, before=before)
            self._tell_removed(removed)
            if repair:
                self._repair(found)
        except store.Unavailable as error:
            message = f"The storage cannot be read: {error}"
            raise CommandError(message) from error

    def _tell(self, found: Suspicion) -> None:
        for folder, tally in found.tallies.items():
            facts = f"{tally.files:,} files, {tally.size / MEGABYTE:,.1f} MB, {tally.unknown:,} unknown"
            self.stdout.write(f"{folder}: {facts}, {tally.lost:,} of {tally.rows:,} rows without their files")
        for row in found.lost[:SHOWN]:
            self.stdout.write(f"lost: {row}")
        if len(found.lost) > SHOWN:
            self.stdout.write(f"lost: {len(found.lost) - SHOWN:,} more")

    def _tell_removed(self, removed: Removed) -> None:
        words = (
            f"removed {removed.files:,} files ({removed.size / MEGABYTE:,.1f} MB), {removed.folders:,} empty folders"
        )
        self.stdout.write(f"{words}, {removed.spooled + removed.halves:,} uploads that never ended")

    def _repair(self, found: Suspicion) -> None:
        hopeless = sweep.mend(found, now=timezone.now())
        self.stdout.write(f"{len(found.lost) - len(hopeless):,} rows have their files made again")
        for row in hopeless:
            self.stdout.write(f"cannot be made again: {row}")


def _alarm(found: Suspicion) -> str:
    return (
        f"Most of {', '.join(found.alarming)} seems wrong: is this the right database, and the right storage? "
        "Nothing was changed. With --yes it is done all the same."
    )
