"""The admin of people and their albums; what follows from painting is shown, not edited."""

from collections.abc import Iterable
from typing import cast

from django.contrib import admin
from django.contrib.auth.admin import GroupAdmin, UserAdmin
from django.contrib.auth.models import Group
from django.db.models import Count, QuerySet
from django.http import HttpRequest
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from gallery import accounts, artworks, photos
from gallery.models import Allowance, Artwork, ArtworkQuerySet, How, Invitation, Photo, Stage, User


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
class AllowanceAdmin(admin.ModelAdmin):
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
class PeopleGroupAdmin(GroupAdmin):
    """Groups, with what their people may do."""

    inlines = (GroupAllowanceInline,)


@admin.register(User)
class PersonAdmin(UserAdmin):
    """People; deleting one deletes the album and its files."""

    list_display = ("username", "email", "is_staff", "is_active", "photo_count", "last_login", "date_joined")
    list_filter = ("is_staff", "is_superuser", "is_active", "language", "date_joined")
    inlines = (PersonAllowanceInline,)
    fieldsets = (*(UserAdmin.fieldsets or ()), (_("Pages"), {"fields": ("language", "theme", "styles", "look")}))

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
        return () if request.user.is_superuser else ("is_staff", "is_superuser", "groups", "user_permissions")

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


@admin.register(Photo)
class PhotoAdmin(admin.ModelAdmin):
    """Photos; only the title is a person's to change."""

    list_display = ("__str__", "owner", "source", "artwork_count", "created_at")
    list_filter = ("source__state", "source__format", "created_at")
    list_select_related = ("owner", "source")
    search_fields = ("title", "key", "owner__username")
    readonly_fields = ("key", "owner", "source", "created_at")
    date_hierarchy = "created_at"

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
        photos.remove(obj, now=timezone.now())

    def delete_queryset(self, request: HttpRequest, queryset: QuerySet[Photo]) -> None:
        """Remove photos with their files."""
        for photo in queryset:
            photos.remove(photo, now=timezone.now())


@admin.register(Artwork)
class ArtworkAdmin(admin.ModelAdmin):
    """Everybody's history: to look at, or to remove."""

    list_display = ("photo", "owner", "style", "look", "full_size", "stage", "how", "seconds", "created_at")
    list_filter = (StageFilter, HowFilter, "style", "look", "full_size", "created_at")
    list_select_related = ("photo__owner", "photo__source", "commission__rendition")
    search_fields = ("key", "photo__title", "photo__owner__username")
    date_hierarchy = "created_at"

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
class InvitationAdmin(admin.ModelAdmin):
    """Invitations: who let whom in."""

    list_display = ("__str__", "invited_by", "created_at", "expires_at", "used_by", "used_at")
    list_filter = (("used_at", admin.EmptyFieldListFilter), "created_at")
    list_select_related = ("invited_by", "used_by")
    search_fields = ("note", "key", "invited_by__username", "used_by__username")
    readonly_fields = ("key", "invited_by", "created_at", "used_by", "used_at")

    def has_add_permission(self, request: HttpRequest) -> bool:
        """Invitations are made on their own page, which shows the link."""
        return False
