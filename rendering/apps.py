"""The rendering app."""

from collections.abc import Mapping
from typing import TYPE_CHECKING, TypeAlias

from django.apps import AppConfig
from django.utils.translation import gettext_lazy as _

if TYPE_CHECKING:
    from django.utils.functional import _StrPromise  # a text that is translated later: only the types know its name

Names: TypeAlias = "Mapping[str, tuple[_StrPromise, _StrPromise]]"
"""What one row of a model is called in the admin, and several."""


def call(config: AppConfig, names: Names) -> None:
    """Give models their names in the admin: here, since what they are called is no change of the database."""
    for model in config.get_models():
        if model.__name__ in names:
            options = model._meta  # noqa: SLF001 - Django's name
            options.verbose_name, options.verbose_name_plural = names[model.__name__]


class RenderingConfig(AppConfig):
    """Photographs to paintings."""

    name = "rendering"
    verbose_name = _("Work")

    def ready(self) -> None:
        """Say what each row is."""
        call(self, NAMES)


NAMES: Names = {
    "Source": (_("file that is read"), _("files that are read")),
    "Rendition": (_("painting"), _("paintings")),
    "Commission": (_("wish for a painting"), _("wishes for paintings")),
    "Export": (_("file to be saved"), _("files to be saved")),
    "Lane": (_("lane of the queue"), _("lanes of the queue")),
    "Halt": (_("worker that rests"), _("workers that rest")),
}
