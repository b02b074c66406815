"""The gallery app."""

from django.apps import AppConfig
from django.utils.translation import gettext_lazy as _

from rendering.apps import Names, call


class GalleryConfig(AppConfig):
    """People and their pages."""

    name = "gallery"
    verbose_name = _("People and albums")

    def ready(self) -> None:
        """Say what each row is."""
        call(self, NAMES)


NAMES: Names = {
    "User": (_("person"), _("people")),
    "Allowance": (_("limit of a person or group"), _("limits of people and groups")),
    "Photo": (_("photo"), _("photos")),
    "Artwork": (_("line of a history"), _("everybody's history")),
    "Invitation": (_("invitation"), _("invitations")),
    "Share": (_("shared link"), _("shared links")),
    "AuditEntry": (_("entry of the audit log"), _("audit log")),
    "Notice": (_("notice"), _("notices")),
    "Stretch": (_("hour or day with its sums"), _("hours and days with their sums")),
    "Traffic": (_("hour's traffic"), _("traffic")),
}
