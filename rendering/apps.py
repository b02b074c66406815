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
        for field in model._meta.fields:  # noqa: SLF001 - Django's name
            # What the model itself has named stays so.
            if field.verbose_name == field.name.replace("_", " "):
                field.verbose_name = COLUMNS.get(field.name, field.verbose_name)


class RenderingConfig(AppConfig):
    """Photographs to paintings."""

    name = "rendering"
    verbose_name = _("Work")

    def ready(self) -> None:
        """Say what each row is."""
        call(self, NAMES)


COLUMNS = {
    "action_flag": _("what"),
    "commission": _("wish for a painting"),
    "crashes": _("processes ended by it"),
    "created_at": _("made"),
    "ends": _("ends"),
    "begins": _("begins"),
    "daily": _("a whole day"),
    "at": _("when"),
    "error": _("what was raised"),
    "expires_at": _("ends"),
    "finished_at": _("ended"),
    "format": _("format"),
    "found": _("how it was found"),
    "full_size": _("full size"),
    "group": _("group"),
    "invited_by": _("invited by"),
    "key": _("key"),
    "lane": _("lane of the queue"),
    "look": _("look"),
    "name": _("name"),
    "owner": _("owner"),
    "person": _("person"),
    "photo": _("photo"),
    "priority": _("priority"),
    "reason": _("reason"),
    "recipe": _("recipe"),
    "removed_at": _("in the bin since"),
    "revoked_at": _("taken back"),
    "served_at": _("served"),
    "since": _("since"),
    "source": _("file that is read"),
    "started_at": _("begun"),
    "state": _("state"),
    "style": _("style"),
    "style_version": _("version of the style"),
    "summed_at": _("summed up"),
    "tries": _("tries"),
    "unlimited": _("without limits"),
    "used_at": _("used"),
    "used_by": _("used by"),
    "waiting_since": _("waiting since"),
    "wanted": _("still wanted"),
    "worker": _("worker"),
}
"""What columns are called in the admin, whichever model they are of."""
NAMES: Names = {
    "Source": (_("file that is read"), _("files that are read")),
    "Rendition": (_("painting"), _("paintings")),
    "Commission": (_("wish for a painting"), _("wishes for paintings")),
    "Export": (_("file to be saved"), _("files to be saved")),
    "Lane": (_("lane of the queue"), _("lanes of the queue")),
    "Halt": (_("worker that rests"), _("workers that rest")),
}
