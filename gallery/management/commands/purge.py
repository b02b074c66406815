"""Remove the files of paintings: a person's, a style's, or all."""

from django.core.management.base import BaseCommand, CommandError, CommandParser
from django.db.models import QuerySet

from gallery import accounts
from gallery.models import User
from rendering import lifetimes, styles
from rendering.models import Rendition


class Command(BaseCommand):
    """Free the room now; whoever looks at such a painting again has it painted again."""

    help = (
        "Remove the files of paintings by person, style, version, or all; histories stay, and a visit paints them "
        "again as they were. Of a person's paintings those stay that somebody else has as well. What an earlier "
        "version of a style has painted cannot be painted again. Does nothing without --yes or --dry-run."
    )

    def add_arguments(self, parser: CommandParser) -> None:
        """Offer what to choose by."""
        parser.add_argument("--person", metavar="NAME", help="paintings of this person and of nobody else")
        parser.add_argument("--style", choices=styles.NAMES, help="paintings in this style")
        parser.add_argument("--style-version", type=int, metavar="N", help="of this version of the style alone")
        parser.add_argument("--everything", action="store_true", help="all paintings of the site")
        parser.add_argument("--dry-run", action="store_true", help="say what would go, and leave everything")
        parser.add_argument("--yes", action="store_true", help="do it")

    def handle(self, *, dry_run: bool, yes: bool, everything: bool, **chosen: object) -> None:
        """Purge, and say what went; raise CommandError for a choice that is not clear."""
        by = {name: chosen[name] for name in ("person", "style", "style_version") if chosen[name] is not None}
        if bool(by) == everything or ("style_version" in by and "style" not in by):
            message = "Choose by --person, --style (and --style-version), or take --everything."
            raise CommandError(message)
        if not (yes or dry_run):
            message = "This removes files. Add --yes to do it, or --dry-run to see what would go."
            raise CommandError(message)
        went = lifetimes.purge(_paintings(**by), dry_run=dry_run)
        verb = "would be removed" if dry_run else "removed"
        self.stdout.write(f"{went.removed + went.put_away} paintings, {went.bytes / 1e6:.1f} MB {verb}")


def _paintings(*, person: object = None, **facts: object) -> QuerySet[Rendition]:
    these = Rendition.objects.filter(**facts)
    if person is None:
        return these
    owner = User.objects.filter(username__iexact=person).first()
    if owner is None:
        message = f"There is nobody of the name {person!r}."
        raise CommandError(message)
    return these.filter(pk__in=accounts.paintings_of_nobody_but(owner))
