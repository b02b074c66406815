"""Compile the translations; replaces Django's command of the same name, which needs gettext's msgfmt."""

from django.core.management.base import BaseCommand

from artworkshop.standalone import preparation


class Command(BaseCommand):
    """Compile the translations that changed."""

    help = "Compile the translations that changed; needs no gettext."
    requires_system_checks = []

    def handle(self, **_: object) -> None:
        """Compile, and say how many."""
        self.stdout.write(f"{preparation.translate()} translations were compiled.")
