"""The admin of sources, commissions and renditions: to look at, to try again and to stop; nothing is true by typing."""

from collections.abc import Callable
from datetime import datetime
from typing import Any

from django.contrib import admin, messages
from django.contrib.auth import get_permission_codename
from django.db.models import Model, QuerySet
from django.http import HttpRequest
from django.template.defaultfilters import filesizeformat
from django.utils import timezone
from django.utils.translation import gettext_lazy as _
from django.utils.translation import ngettext

from rendering import renditions
from rendering.models import Commission, Export, Halt, Lane, Rendition, Source


class WorkAdmin(admin.ModelAdmin):
    """What workers do: rows come by uploads and go with the last photo that needs them, never by hand."""

    def has_add_permission(self, request: HttpRequest) -> bool:
        """Rows come by uploads."""
        return False

    def has_change_permission(self, request: HttpRequest, obj: Model | None = None) -> bool:
        """Nothing is painted because somebody typed that it is."""
        return False

    def has_delete_permission(self, request: HttpRequest, obj: Model | None = None) -> bool:
        """Rows and their files go together, with the last photo that needs them."""
        return False

    def has_steer_permission(self, request: HttpRequest) -> bool:
        """Whoever may change such rows may try them again and stop them."""
        return request.user.has_perm(f"{self.opts.app_label}.{get_permission_codename('change', self.opts)}")

    @admin.display(description=_("size"), ordering="width")
    def dimensions(self, work: Source | Rendition) -> str:
        """Return width and height, once they are known."""
        return f"{work.width} x {work.height}" if work.width else ""

    @admin.display(description=_("CPU seconds"), ordering="cpu_seconds")
    def seconds(self, work: Source | Rendition) -> str:
        """Return what it cost."""
        return f"{work.cpu_seconds:.2f}"

    def act(self, request: HttpRequest, chosen: QuerySet[Any], action: Callable[..., bool], word: str) -> int:
        """Do something to each chosen row, note it in the row's own history, and return for how many it was done."""
        now: datetime = timezone.now()
        done = [row for row in chosen if action(row, now=now)]
        for row in done:
            self.log_change(request, row, word)
        return len(done)

    def tell_renewed(self, request: HttpRequest, count: int) -> None:
        """Say how many will be tried again."""
        text = ngettext("%d will be tried again.", "%d will be tried again.", count)
        self.message_user(request, text % count, messages.SUCCESS)

    def tell_stopped(self, request: HttpRequest, count: int) -> None:
        """Say how many were stopped."""
        self.message_user(request, ngettext("%d was stopped.", "%d were stopped.", count) % count, messages.SUCCESS)


@admin.register(Source)
class SourceAdmin(WorkAdmin):
    """Files, as they were read."""

    list_display = (
        "id",
        "format",
        "dimensions",
        "bytes",
        "state",
        "reason",
        "tries",
        "crashes",
        "seconds",
        "waiting_since",
        "worker",
    )
    list_filter = ("state", "reason", "format", "waiting_since")
    search_fields = ("=id", "=original", "=holder")
    exclude = ("bytes_key", "canvas_key", "phash")  # what tells pictures apart is on no page and in no address
    ordering = ("-pk",)
    actions = ("try_again",)

    @admin.display(description=_("file"), ordering="size")
    def bytes(self, source: Source) -> str:
        """Return how large the file is."""
        return filesizeformat(source.size)

    @admin.action(description=_("Read again what failed"), permissions=["steer"])
    def try_again(self, request: HttpRequest, chosen: QuerySet[Source]) -> None:
        """Have failed photos read again."""
        self.tell_renewed(request, self.act(request, chosen, renditions.read_again, "read again"))


@admin.register(Rendition)
class RenditionAdmin(WorkAdmin):
    """Paintings."""

    list_display = (
        "id",
        "style",
        "dimensions",
        "state",
        "reason",
        "tries",
        "crashes",
        "seconds",
        "waiting_since",
        "worker",
    )
    list_filter = ("state", "reason", "style", "style_version", "waiting_since")
    search_fields = ("=id", "recipe", "=holder")
    exclude = ("canvas_key",)
    ordering = ("-pk",)
    actions = ("try_again", "stop")

    @admin.action(description=_("Paint again what failed or was stopped"), permissions=["steer"])
    def try_again(self, request: HttpRequest, chosen: QuerySet[Rendition]) -> None:
        """Have failed or stopped paintings painted again."""
        self.tell_renewed(request, self.act(request, chosen, renditions.paint_again, "painted again"))

    @admin.action(description=_("Stop, for everybody who waits for it"), permissions=["steer"])
    def stop(self, request: HttpRequest, chosen: QuerySet[Rendition]) -> None:
        """Stop paintings that are not finished."""
        self.tell_stopped(request, self.act(request, chosen, Rendition.cancel, "stopped"))


@admin.register(Commission)
class CommissionAdmin(WorkAdmin):
    """What was asked for, and by which painting it was answered."""

    list_display = ("id", "style", "source", "wanted", "rendition_state", "found", "created_at")
    list_filter = ("wanted", "found", "rendition__state", "source__state", "created_at")
    list_select_related = ("source", "rendition")
    search_fields = ("=id", "recipe", "=lane", "=source__id")
    ordering = ("-pk",)

    @admin.display(description=_("style"), ordering="recipe")
    def style(self, commission: Commission) -> str:
        """Return the first word of the recipe."""
        return commission.recipe.partition(" ")[0]

    @admin.display(description=_("painting"), ordering="rendition__state")
    def rendition_state(self, commission: Commission) -> str:
        """Return where the painting stands."""
        return str(commission.rendition.get_state_display()) if commission.rendition else ""


@admin.register(Export)
class ExportAdmin(WorkAdmin):
    """Files that people save, such as a PNG of a painting; they last for a while."""

    list_display = ("id", "format", "state", "reason", "tries", "crashes", "seconds", "waiting_since", "worker")
    list_filter = ("state", "reason", "format", "waiting_since")
    search_fields = ("=id", "=holder", "=lane")
    ordering = ("-pk",)


@admin.register(Lane)
class LaneAdmin(WorkAdmin):
    """Whose turn it is: the lane that was served the longest ago is next."""

    list_display = ("name", "served_at")
    search_fields = ("=name",)
    ordering = ("served_at",)


@admin.register(Halt)
class HaltAdmin(WorkAdmin):
    """Workers that begin nothing new, or all of them; the staff's own page pauses and resumes them."""

    list_display = ("__str__", "since")
    ordering = ("since",)
