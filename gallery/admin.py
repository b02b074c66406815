"""The admin of people and their albums; what follows from painting is shown, not edited."""

from collections.abc import Callable, Iterable
from datetime import datetime
from typing import Any, TypeAlias, cast

from allauth.account.admin import EmailAddressAdmin
from allauth.account.models import EmailAddress
from django.apps import apps
from django.contrib import admin, messages
from django.contrib.admin.models import LogEntry
from django.contrib.auth.admin import GroupAdmin, UserAdmin
from django.contrib.auth.models import Group
from django.core.exceptions import PermissionDenied
from django.db.models import Count, Model, QuerySet
from django.http import Http404, HttpRequest, HttpResponse
from django.urls import URLPattern, path, reverse
from django.utils import timezone
from django.utils.html import format_html
from django.utils.safestring import SafeString
from django.utils.translation import gettext_lazy as _
from django.utils.translation import ngettext

from gallery import accounts, artworks, audit, notices, people, photos, shares
from gallery.http import JPEG, private_file
from gallery.models import (
    Allowance,
    Artwork,
    ArtworkQuerySet,
    AuditEntry,
    How,
    Invitation,
    Notice,
    Photo,
    Share,
    Stage,
    Stretch,
    User,
)
from rendering.admin import RenditionAdmin, SourceAdmin
from rendering.models import Rendition, Source

PICTURE = 480


class AuditedAdmin(admin.ModelAdmin):
    """Rows of which every change by hand leaves a line in the audit log."""

    def log_addition(self, request: HttpRequest, obj: Model, message: Any) -> LogEntry:  # Any: text or JSON
        """Write down what was added."""
        self._note(request, "add", obj)
        return super().log_addition(request, obj, message)

    def log_change(self, request: HttpRequest, obj: Model, message: Any) -> LogEntry:  # Any: text or JSON
        """Write down what was changed."""
        self._note(request, "change", obj, message)
        return super().log_change(request, obj, message)

    def log_deletions(self, request: HttpRequest, queryset: QuerySet[Any]) -> Any:  # Any: whatever rows
        """Write down what is deleted."""
        for obj in queryset:
            self._note(request, "delete", obj)
        return super().log_deletions(request, queryset)

    def _note(self, request: HttpRequest, verb: str, obj: Model, message: Any = "") -> None:  # Any: text or JSON
        action = f"{self.opts.model_name}.{verb}"
        facts = {"message": message} if message else {}
        by, subject = cast("User", request.user), f"{obj} ({obj.pk})"
        audit.note(by=by, action=action, subject=subject, now=timezone.now(), **facts)


class ReadOnlyAdmin(admin.ModelAdmin):
    """Rows that come by what people and workers do: to look at."""

    def has_add_permission(self, request: HttpRequest, obj: Model | None = None) -> bool:
        """Nothing happened because somebody typed it."""
        return False

    def has_change_permission(self, request: HttpRequest, obj: Model | None = None) -> bool:
        """What happened stays as it was."""
        return False

    def has_delete_permission(self, request: HttpRequest, obj: Model | None = None) -> bool:
        """A log that can be shortened proves nothing."""
        return False


class PicturedAdmin(AuditedAdmin):
    """Rows with a picture, on their own page alone: lists of strangers' albums are nobody's to leaf through.

    Whoever looks needs the permission to view such rows, and each look is in the audit log.
    """

    def get_urls(self) -> list[URLPattern]:
        """Add the picture's address."""
        name = f"{self.opts.app_label}_{self.opts.model_name}_picture"
        view = self.admin_site.admin_view(self.picture_file)
        return [path("<int:pk>/picture.jpg", view, name=name), *super().get_urls()]

    def pictured(self, obj: Any) -> Source | Rendition | None:  # Any: a photo or an artwork
        """Return what has the files of a row's picture, once there are some."""
        raise NotImplementedError

    @admin.display(description=_("picture"))
    def picture(self, obj: Model) -> SafeString | str:
        """Show the picture, without which a row says little."""
        shown = self.pictured(obj)
        if shown is None or not shown.folder:
            return ""
        width = _width(shown)
        height = round(width * (shown.height or 1) / (shown.width or 1))
        address = reverse(f"admin:{self.opts.app_label}_{self.opts.model_name}_picture", args=[obj.pk])
        return format_html('<img src="{}" width="{}" height="{}" alt="">', address, width, height)

    def picture_file(self, request: HttpRequest, pk: int) -> HttpResponse:
        """Send the picture to staff who may view such rows, and write down who looked."""
        row = self.get_queryset(request).filter(pk=pk).first()
        if not self.has_view_permission(request, row):
            raise PermissionDenied
        shown = self.pictured(row) if row else None
        if row is None or shown is None or not shown.folder:
            raise Http404
        self._note(request, "look", row)
        return private_file(f"{shown.folder}/{_width(shown)}.jpg", content_type=JPEG)


def _width(shown: Source | Rendition) -> int:
    widths: list[int] = shown.widths
    return min(widths, key=lambda width: abs(width - PICTURE))


class StageFilter(admin.SimpleListFilter):
    """Artworks by what people are told of them."""

    title = _("stage")
    parameter_name = "stage"

    def lookups(self, request: HttpRequest, model_admin: admin.ModelAdmin) -> Iterable[tuple[str, str]]:
        """Offer every stage."""
        return [(stage.value, str(stage.label)) for stage in Stage]

    def queryset(self, request: HttpRequest, queryset: QuerySet[Artwork]) -> QuerySet[Artwork]:
        """Return the artworks at the chosen stage."""
        chosen = self.value() or ""
        return cast("ArtworkQuerySet", queryset).at_stage(Stage(chosen)) if chosen in Stage.values else queryset


class HowFilter(admin.SimpleListFilter):
    """Artworks by how they were got."""

    title = _("how it was got")
    parameter_name = "how"

    def lookups(self, request: HttpRequest, model_admin: admin.ModelAdmin) -> Iterable[tuple[str, str]]:
        """Offer every way."""
        return [(how.value, str(how.label)) for how in How]

    def queryset(self, request: HttpRequest, queryset: QuerySet[Artwork]) -> QuerySet[Artwork]:
        """Return the artworks that were got in the chosen way."""
        chosen = self.value() or ""
        return cast("ArtworkQuerySet", queryset).got_by(How(chosen)) if chosen in How.values else queryset


LIMITS = ("paintings_an_hour", "uploads_an_hour", "photos_at_once", "megabytes", "unlimited")


class AllowanceInline(admin.StackedInline):
    """What a person or a group may do."""

    model = Allowance
    extra = 0
    fieldsets = ((None, {"fields": LIMITS, "description": _("Empty: as the site has it. 0: without limit.")}),)


class PersonAllowanceInline(AllowanceInline):
    """A person's own allowance; it counts before any group's."""

    fk_name = "person"


class GroupAllowanceInline(AllowanceInline):
    """A group's allowance; of several groups the kindest counts."""

    fk_name = "group"


@admin.register(Allowance)
class AllowanceAdmin(AuditedAdmin):
    """Who may do more or less than the site allows everybody."""

    list_display = ("__str__", "person", "group", *LIMITS)
    list_filter = ("unlimited",)
    list_select_related = ("person", "group")
    search_fields = ("person__username", "group__name")
    autocomplete_fields = ("person", "group")
    fieldsets = (
        (None, {"fields": ("person", "group")}),
        (None, {"fields": LIMITS, "description": _("Empty: as the site has it. 0: without limit.")}),
    )


admin.site.unregister(Group)


@admin.register(Group)
class PeopleGroupAdmin(AuditedAdmin, GroupAdmin):
    """Groups, with what their people may do."""

    inlines = (GroupAllowanceInline,)


# Whoever gets the mail for a forgotten password owns the account: the address is guarded as well.
GUARDED = ("username", "email", "is_active", "is_staff", "is_superuser", "groups", "user_permissions")

Act: TypeAlias = Callable[[User, User, datetime], bool]


@admin.register(User)
class PersonAdmin(AuditedAdmin, UserAdmin):
    """People; deleting one deletes the album and its files."""

    list_display = ("username", "email", "is_staff", "is_active", "photo_count", "last_login")
    list_filter = ("is_staff", "is_superuser", "is_active", "awaits_approval", "groups", "language", "date_joined")
    inlines = (PersonAllowanceInline,)
    fieldsets = (*(UserAdmin.fieldsets or ()), (_("Pages"), {"fields": ("language", "theme", "styles", "look")}))
    actions = ("switch_off", "switch_on", "let_in")

    @admin.action(description=_("Switch off"), permissions=["change"])
    def switch_off(self, request: HttpRequest, chosen: QuerySet[User]) -> None:
        """Switch accounts off, as the page of people does."""
        self._act(request, chosen, lambda person, by, now: people.disable(person, by=by, reason="", now=now))

    @admin.action(description=_("Switch on again"), permissions=["change"])
    def switch_on(self, request: HttpRequest, chosen: QuerySet[User]) -> None:
        """Switch accounts on again, as the page of people does."""
        self._act(request, chosen, lambda person, by, now: people.enable(person, by=by, reason="", now=now))

    @admin.action(description=_("Let in"), permissions=["change"])
    def let_in(self, request: HttpRequest, chosen: QuerySet[User]) -> None:
        """Let people in who wait for it, as the page of people does."""
        self._act(request, chosen, lambda person, by, now: people.approve(person, by=by, now=now))

    def user_change_password(self, request: HttpRequest, id: str, form_url: str = "") -> HttpResponse:  # noqa: A002 - Django's name
        """Let superusers alone give somebody another password: with it one could act in that person's place."""
        if not request.user.is_superuser:
            raise PermissionDenied
        return super().user_change_password(request, id, form_url)

    def get_inlines(self, request: HttpRequest, obj: User | None) -> tuple[type[PersonAllowanceInline], ...]:
        """Show the allowance of a person who is there."""
        return () if obj is None else self.inlines

    def get_queryset(self, request: HttpRequest) -> QuerySet[User]:
        """Count the photos in the same query."""
        people: QuerySet[User] = super().get_queryset(request)
        return people.annotate(photo_count=Count("photos"))

    @admin.display(description=_("photos"), ordering="photo_count")
    def photo_count(self, person: User) -> int:
        """Return how many photos the person has."""
        return int(vars(person)["photo_count"])

    def get_readonly_fields(self, request: HttpRequest, obj: User | None = None) -> tuple[str, ...]:
        """Keep staff from giving themselves, or each other, more than they have."""
        return () if request.user.is_superuser else GUARDED

    def has_change_permission(self, request: HttpRequest, obj: User | None = None) -> bool:
        """Keep staff from taking over a superuser's account."""
        allowed = request.user.is_superuser or obj is None or not obj.is_superuser
        return allowed and super().has_change_permission(request, obj)

    def has_delete_permission(self, request: HttpRequest, obj: User | None = None) -> bool:
        """Keep staff from deleting a superuser, and everybody from deleting the last one."""
        if obj is not None and obj.is_superuser and (not request.user.is_superuser or accounts.is_only_admin(obj)):
            return False
        return super().has_delete_permission(request, obj)

    def delete_model(self, request: HttpRequest, obj: User) -> None:
        """Delete a person with all files."""
        accounts.close_account(obj)

    def delete_queryset(self, request: HttpRequest, queryset: QuerySet[User]) -> None:
        """Delete people with all files; the last admin stays, even when all are chosen."""
        for person in queryset:
            if accounts.is_only_admin(person):
                continue
            accounts.close_account(person)

    def _act(self, request: HttpRequest, chosen: QuerySet[User], act: Act) -> None:
        by, now = cast("User", request.user), timezone.now()
        done = sum(act(person, by, now) for person in chosen if people.may_act(by, person))
        text = ngettext("%d account was changed.", "%d accounts were changed.", done) % done
        self.message_user(request, text, messages.SUCCESS)


@admin.register(Photo)
class PhotoAdmin(PicturedAdmin):
    """Photos; only the title is a person's to change."""

    list_display = ("__str__", "owner", "state", "artwork_count", "favorite", "removed_at", "created_at")
    list_filter = (
        "source__state",
        "source__format",
        "favorite",
        ("removed_at", admin.EmptyFieldListFilter),
        "created_at",
    )
    list_select_related = ("owner", "source")
    search_fields = ("title", "key", "owner__username")
    fields = ("picture", "title", "description", "owner", "key", "source", "state", "created_at", "removed_at")
    readonly_fields = ("picture", "key", "owner", "source", "state", "created_at", "removed_at")
    date_hierarchy = "created_at"

    @admin.display(description=_("state"), ordering="source__state")
    def state(self, photo: Photo) -> str:
        """Return how far it was read, and why not further."""
        return f"{photo.source.get_state_display()} {photo.source.get_reason_display()}".strip()

    def pictured(self, obj: Photo) -> Source:
        """Return the file that the photo was read from."""
        return obj.source

    def get_queryset(self, request: HttpRequest) -> QuerySet[Photo]:
        """Count the artworks in the same query."""
        album: QuerySet[Photo] = super().get_queryset(request)
        return album.annotate(artwork_count=Count("artworks"))

    @admin.display(description=_("artworks"), ordering="artwork_count")
    def artwork_count(self, photo: Photo) -> int:
        """Return how many artworks the photo has."""
        return int(vars(photo)["artwork_count"])

    def has_add_permission(self, request: HttpRequest) -> bool:
        """Photos come by upload."""
        return False

    def delete_model(self, request: HttpRequest, obj: Photo) -> None:
        """Remove a photo with its files."""
        photos.erase(obj, now=timezone.now())

    def delete_queryset(self, request: HttpRequest, queryset: QuerySet[Photo]) -> None:
        """Remove photos with their files."""
        for photo in queryset:
            photos.erase(photo, now=timezone.now())


@admin.register(Artwork)
class ArtworkAdmin(PicturedAdmin):
    """Everybody's history: to look at, or to remove."""

    list_display = ("photo", "owner", "style", "look", "full_size", "stage", "how", "seconds", "created_at")
    list_filter = (StageFilter, HowFilter, "style", "look", "full_size", "created_at")
    list_select_related = ("photo__owner", "photo__source", "commission__rendition")
    search_fields = ("key", "photo__title", "photo__owner__username")
    fields = (
        "picture",
        "photo",
        "owner",
        "style",
        "look",
        "full_size",
        "stage",
        "how",
        "seconds",
        "commission",
        "created_at",
        "cancelled_at",
    )
    readonly_fields = fields
    date_hierarchy = "created_at"

    def pictured(self, obj: Artwork) -> Rendition | None:
        """Return the painting, once it is done."""
        return obj.rendition if obj.stage == Stage.DONE else None

    @admin.display(description=_("owner"), ordering="photo__owner__username")
    def owner(self, artwork: Artwork) -> User:
        """Return whose it is."""
        return artwork.photo.owner

    @admin.display(description=_("stage"))
    def stage(self, artwork: Artwork) -> str:
        """Return what the person is told."""
        return str(artwork.stage.label)

    @admin.display(description=_("how"))
    def how(self, artwork: Artwork) -> str:
        """Return how it was got."""
        return str(artwork.how.label)

    @admin.display(description=_("seconds"))
    def seconds(self, artwork: Artwork) -> float | None:
        """Return how long the person waited."""
        return None if artwork.seconds is None else round(artwork.seconds, 1)

    def has_add_permission(self, request: HttpRequest) -> bool:
        """Artworks come by commission."""
        return False

    def has_change_permission(self, request: HttpRequest, obj: Artwork | None = None) -> bool:
        """Nothing of an artwork is true because somebody typed it."""
        return False

    def delete_model(self, request: HttpRequest, obj: Artwork) -> None:
        """Remove an artwork with its painting, unless somebody else has it."""
        artworks.remove(obj, by=obj.photo.owner, now=timezone.now())

    def delete_queryset(self, request: HttpRequest, queryset: QuerySet[Artwork]) -> None:
        """Remove artworks with their paintings, unless somebody else has them."""
        for artwork in queryset.select_related("photo__owner"):
            artworks.remove(artwork, by=artwork.photo.owner, now=timezone.now())


@admin.register(Invitation)
class InvitationAdmin(AuditedAdmin):
    """Invitations: who let whom in."""

    list_display = ("__str__", "invited_by", "created_at", "expires_at", "used_by", "used_at")
    list_filter = (("used_at", admin.EmptyFieldListFilter), "created_at")
    list_select_related = ("invited_by", "used_by")
    search_fields = ("note", "key", "invited_by__username", "used_by__username")
    readonly_fields = ("key", "invited_by", "created_at", "used_by", "used_at")

    def has_add_permission(self, request: HttpRequest) -> bool:
        """Invitations are made on their own page, which shows the link."""
        return False


@admin.register(Share)
class ShareAdmin(AuditedAdmin):
    """Links that people gave: who, how much, until when. Their address is not shown: whoever has it sees the photos."""

    list_display = ("__str__", "owner", "photo_count", "views", "full_size", "created_at", "expires_at", "revoked_at")
    list_filter = (("revoked_at", admin.EmptyFieldListFilter), "full_size", "created_at")
    list_select_related = ("owner",)
    search_fields = ("title", "key", "owner__username")
    fields = ("title", "owner", "views", "full_size", "created_at", "expires_at", "revoked_at")
    actions = ("revoke",)

    def get_queryset(self, request: HttpRequest) -> QuerySet[Share]:
        """Count the photos in the same query."""
        given: QuerySet[Share] = super().get_queryset(request)
        return given.annotate(photo_count=Count("photos"))

    @admin.display(description=_("photos"), ordering="photo_count")
    def photo_count(self, share: Share) -> int:
        """Return how many photos the share has."""
        return int(vars(share)["photo_count"])

    @admin.action(description=_("End the chosen links"), permissions=["delete"])
    def revoke(self, request: HttpRequest, queryset: QuerySet[Share]) -> None:
        """End links for good; their owners see that they have ended."""
        now = timezone.now()
        for share in queryset.select_related("owner"):
            shares.revoke(share, now=now)
            audit.note(by=cast("User", request.user), action="share.end", subject=share.owner.get_username(), now=now)

    def has_add_permission(self, request: HttpRequest) -> bool:
        """Links are given by the owners of the photos."""
        return False

    def has_change_permission(self, request: HttpRequest, obj: Share | None = None) -> bool:
        """The terms of a link are its owner's."""
        return False


@admin.register(Notice)
class NoticeAdmin(AuditedAdmin):
    """What everybody is told, and was; the staff's own page puts notices up and takes them down."""

    list_display = ("__str__", "is_shown", "starts_at", "ends_at", "closes_uploads")
    list_filter = ("closes_uploads", "starts_at")
    search_fields = ("text",)
    date_hierarchy = "starts_at"

    @admin.display(description=_("shown now"), boolean=True)
    def is_shown(self, notice: Notice) -> bool:
        """Say whether everybody is told now."""
        return notice.is_shown(now=timezone.now())

    def _note(self, request: HttpRequest, verb: str, obj: Model, message: Any = "") -> None:  # Any: text or JSON
        super()._note(request, verb, obj, message)
        notices.board.forget()


@admin.register(AuditEntry)
class AuditEntryAdmin(ReadOnlyAdmin):
    """Who of the staff did what, of what, when and why."""

    list_display = ("at", "actor_name", "action", "subject", "reason")
    list_filter = ("action", "at")
    search_fields = ("actor_name", "subject", "reason")
    date_hierarchy = "at"
    ordering = ("-at", "-pk")


@admin.register(LogEntry)
class LogEntryAdmin(ReadOnlyAdmin):
    """What was changed here by hand, field by field."""

    list_display = ("action_time", "user", "content_type", "object_repr", "__str__")
    list_filter = ("action_flag", "content_type", "action_time")
    list_select_related = ("user", "content_type")
    search_fields = ("user__username", "object_repr")
    date_hierarchy = "action_time"


admin.site.unregister([Source, Rendition, EmailAddress])


@admin.register(EmailAddress)
class AddressAdmin(AuditedAdmin, EmailAddressAdmin):  # type: ignore[misc]  # allauth has no types
    """Addresses of people; whoever has one can ask for a new password, so superusers alone change them."""

    def has_change_permission(self, request: HttpRequest, obj: Model | None = None) -> bool:
        """Keep staff from taking over an account."""
        return bool(request.user.is_superuser)

    def has_add_permission(self, request: HttpRequest) -> bool:
        """Keep staff from adding an address of their own to somebody's account."""
        return bool(request.user.is_superuser)

    @admin.action(description=_("Mark selected email addresses as verified"), permissions=["change"])
    def make_verified(self, request: HttpRequest, queryset: QuerySet[EmailAddress]) -> None:
        """Take addresses for somebody's own, and write down who said so."""
        chosen = list(queryset.filter(verified=False))
        super().make_verified(request, queryset)
        for address in EmailAddress.objects.filter(pk__in=[each.pk for each in chosen], verified=True):
            self.log_change(request, address, "verified")


@admin.register(Source)
class AuditedSourceAdmin(AuditedAdmin, SourceAdmin):
    """Files as they were read; what staff have read again is in the audit log, of which `rendering` knows nothing."""


@admin.register(Rendition)
class AuditedRenditionAdmin(AuditedAdmin, RenditionAdmin):
    """Paintings; what staff have painted again or stop is in the audit log, of which `rendering` knows nothing."""


@admin.register(Stretch)
class StretchAdmin(ReadOnlyAdmin):
    """Hours and days whose sums are kept for the desk; the caretaker makes them from the rows."""

    list_display = ("begins", "ends", "daily", "summed_at")
    list_filter = ("daily",)
    date_hierarchy = "begins"
    ordering = ("-begins",)


if apps.is_installed("allauth.socialaccount"):
    from allauth.socialaccount.admin import SocialAccountAdmin
    from allauth.socialaccount.models import SocialAccount, SocialApp, SocialToken

    # The provider comes from the settings alone, and no token of it is kept.
    admin.site.unregister([SocialAccount, SocialApp, SocialToken])

    @admin.register(SocialAccount)
    class SingleSignOnAdmin(AuditedAdmin, SocialAccountAdmin):  # type: ignore[misc]  # allauth has no types
        """Who comes by the single sign-on; superusers alone may take such a door away from an account."""

        list_display = ("user", "provider", "uid", "last_login", "date_joined")
        list_filter = ("provider", "last_login")
        list_select_related = ("user",)
        search_fields = ("uid", "user__username", "user__email")
        exclude = ("extra_data",)  # whatever the provider says of a person: nothing for others to read
        date_hierarchy = "date_joined"

        def has_add_permission(self, request: HttpRequest) -> bool:
            """Nobody comes by a door that somebody typed."""
            return False

        def has_change_permission(self, request: HttpRequest, obj: Model | None = None) -> bool:
            """What the provider said stays as it was."""
            return False

        def has_delete_permission(self, request: HttpRequest, obj: Model | None = None) -> bool:
            """Keep staff from locking others out."""
            return bool(request.user.is_superuser)
