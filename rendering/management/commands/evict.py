"""Put paintings away that nobody needs now."""

from django.core.management.base import BaseCommand, CommandParser
from django.utils import timezone

from rendering import lifetimes


class Command(BaseCommand):
    """Do once what the caretaker does every ten minutes, or say what it would do."""

    help = "Remove paintings that no history holds, and put away what CACHE_HOURS, KEEP_DAYS and CACHE_MEGABYTES say."

    def add_arguments(self, parser: CommandParser) -> None:
        """Offer to only look."""
        parser.add_argument("--dry-run", action="store_true", help="say what would go, and leave everything")

    def handle(self, *, dry_run: bool, **_: object) -> None:
        """Evict, and say what went."""
        went = lifetimes.evict(now=timezone.now(), dry_run=dry_run)
        verb = "would be removed" if dry_run else "removed"
        self.stdout.write(
            f"{went.removed} that no history holds and {went.put_away} put away: {went.bytes / 1e6:.1f} MB {verb}"
        )
