"""People, their photos, their artworks, and invitations."""

import secrets
from datetime import datetime
from functools import reduce
from operator import or_
from typing import TYPE_CHECKING, ClassVar, Self

from django.contrib.auth.models import AbstractUser, Group, UserManager
from django.db import models
from django.db.backends.base.base import BaseDatabaseWrapper
from django.db.models import Prefetch, Q
from django.db.models.functions import Lower, Now
from django.db.models.lookups import IContains
from django.db.models.sql.compiler import SQLCompiler
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from rendering.models import Commission, Found, Rendition, Source, State

if TYPE_CHECKING:
    from rendering.estimates import Estimate


def random_key() -> str:
    """Return a public name that nobody can guess: 128 random bits in 22 characters."""
    return secrets.token_urlsafe(16)


def all_styles() -> list[str]:
    """Return the styles that a new person's photos are painted in."""
    return ["pencil", "color-pencil", "oil", "watercolor"]


class Theme(models.TextChoices):
    """Light or dark pages."""

    AUTO = "auto", _("as the device")
    LIGHT = "light", _("light")
    DARK = "dark", _("dark")


class User(AbstractUser):
    """A person with an album."""

    language = models.CharField(_("language"), max_length=10, blank=True)
    theme = models.CharField(_("appearance"), max_length=5, choices=Theme, default=Theme.AUTO)
    styles = models.JSONField(_("styles"), default=all_styles)
    look = models.CharField(_("look"), max_length=20, default="studio")
    full_size = models.BooleanField(_("full size"), default=False)
    private = models.BooleanField(_("keep my photos out of the shared cache"), default=False)
    mail_when_done = models.BooleanField(_("mail me when many paintings are finished"), default=False)
    told_at = models.DateTimeField(null=True, blank=True, editable=False)
    keys_off = models.BooleanField(_("no keyboard shortcuts"), default=False)
    awaits_approval = models.BooleanField(_("waits for approval"), default=False)

    objects: ClassVar[UserManager[Self]] = UserManager()

    class Meta:
        """Two people's names differ by more than their case."""

        constraints = [
            models.UniqueConstraint(
                Lower("username"),
                name="user_name_once",
                violation_error_message=_("A user with that username already exists."),
            )
        ]

    @property
    def lane(self) -> str:
        """The person's place in the queue, without a name."""
        return f"person-{self.pk}"


class Allowance(models.Model):
    """What one person, or everybody of a group, may do; what is empty is as the site has it."""

    person = models.OneToOneField(User, on_delete=models.CASCADE, null=True, blank=True, related_name="allowance")
    group = models.OneToOneField(Group, on_delete=models.CASCADE, null=True, blank=True, related_name="allowance")
    paintings_an_hour = models.PositiveIntegerField(_("paintings an hour"), null=True, blank=True)
    uploads_an_hour = models.PositiveIntegerField(_("uploads an hour"), null=True, blank=True)
    photos_at_once = models.PositiveIntegerField(_("photos in work at once"), null=True, blank=True)
    megabytes = models.PositiveIntegerField(_("megabytes in storage"), null=True, blank=True)
    unlimited = models.BooleanField(_("without limits"), default=False)

    class Meta:
        """An allowance is a person's or a group's."""

        constraints = [
            models.CheckConstraint(
                name="allowance_of_person_or_group",
                condition=Q(person=None, group__isnull=False) | Q(person__isnull=False, group=None),
                violation_error_message=_("Choose a person or a group, not both."),
            )
        ]

    def __str__(self) -> str:
        """Say whose it is."""
        return str(self.person or self.group)


class Stage(models.TextChoices):
    """What a person is told about an artwork."""

    WAITING = "waiting", _("waiting")
    READING = "reading", _("looking at the photo")
    PAINTING = "painting", _("painting")
    DONE = "done", _("done")
    FAILED = "failed", _("failed")
    CANCELLED = "cancelled", _("cancelled")
    HELD = "held", _("waiting for your allowance")
    EVICTED = "evicted", _("put away")


UNFINISHED = (Stage.WAITING, Stage.READING, Stage.PAINTING, Stage.HELD)
HOLDABLE = (Stage.WAITING, Stage.READING)


class How(models.TextChoices):
    """How an artwork was got."""

    PAINTED = "painted", _("painted")
    SAME_FILE = "same_file", _("same file")
    SAME_PICTURE = "same_picture", _("same picture")
    TWIN = "twin", _("twin")


class TwinAnswer(models.TextChoices):
    """What a person said to a proposed twin."""

    NONE = "", _("not answered")
    USE = "use", _("use those")
    PAINT = "paint", _("paint this one")
    ALONE = "alone", _("looks like no other")


class PhotoQuerySet(models.QuerySet["Photo"]):
    """Shared reads of photos."""

    def kept(self) -> Self:
        """Return photos that are not in the bin."""
        return self.filter(removed_at=None)

    def in_bin(self) -> Self:
        """Return photos that were removed and can still be brought back, the latest first."""
        return self.filter(removed_at__isnull=False).select_related("source").order_by("-removed_at", "-pk")

    def in_album(self) -> Self:
        """Return photos, newest first, with all that their cards show, in a constant number of queries."""
        # Without its photo and source: the prefetch gives each artwork the photo that it belongs to.
        artworks = Artwork.objects.select_related("commission__rendition").order_by("pk")
        shown = [Prefetch(name, queryset=artworks) for name in ("artworks", "twin_of__artworks")]
        return self.kept().select_related("source", "twin_of__source").prefetch_related(*shown).order_by("-pk")


class Holds(IContains):
    """As `icontains`, but PostgreSQL guesses by what it knows of the texts how many rows there will be.

    Of `UPPER(title)` it knows nothing, takes few for granted, and joins a hundred thousand rows one by one.
    """

    def as_postgresql(self, compiler: SQLCompiler, connection: BaseDatabaseWrapper) -> tuple[str, list[object]]:
        """Compare without regard to case by the operator for it."""
        column, before = compiler.compile(self.lhs)
        pattern, after = self.process_rhs(compiler, connection)
        return f"{column} ILIKE {pattern}", [*before, *after]


class Photo(models.Model):
    """A picture in somebody's album."""

    key = models.CharField(max_length=22, unique=True, default=random_key, editable=False)
    owner = models.ForeignKey(User, on_delete=models.CASCADE, related_name="photos")
    source = models.ForeignKey(Source, on_delete=models.PROTECT, related_name="photos")
    title = models.CharField(_("title"), max_length=120, blank=True)
    title.register_lookup(Holds, "holds")
    description = models.CharField(_("description"), max_length=300, blank=True)
    favorite = models.BooleanField(_("favorite"), default=False)
    removed_at = models.DateTimeField(null=True, blank=True)
    twin_of = models.ForeignKey("self", on_delete=models.SET_NULL, null=True, blank=True, related_name="twins")
    twin_answer = models.CharField(max_length=5, choices=TwinAnswer, blank=True)
    created_at = models.DateTimeField()
    estimate: "Estimate | None" = None
    """When it will be painted, as far as somebody has asked: no field."""

    objects = PhotoQuerySet.as_manager()

    class Meta:
        """A file is in a person's album once."""

        constraints = [models.UniqueConstraint(name="photo_once_in_album", fields=["owner", "source"])]
        indexes = [
            models.Index(name="photo_made", fields=["created_at"]),
            models.Index(name="photo_album", fields=["owner", "-id"], condition=Q(removed_at=None)),
            models.Index("owner", Lower("title"), "id", name="photo_by_title", condition=Q(removed_at=None)),
            models.Index(name="photo_favorite", fields=["owner", "-id"], condition=Q(removed_at=None, favorite=True)),
            models.Index(name="photo_bin", fields=["owner", "-removed_at"], condition=Q(removed_at__isnull=False)),
        ]

    def __str__(self) -> str:
        """Return the title, or a word."""
        return self.title or str(_("Untitled"))

    @property
    def proposed(self) -> "Photo | None":
        """The photo that looks like this one, while the person has not said what is to be done."""
        return self.twin_of if self.twin_answer == TwinAnswer.NONE else None

    @property
    def unfinished(self) -> bool:
        """Whether anything of this photo still changes by itself."""
        return self.source.state in (State.WAITING, State.WORKING) or any(
            artwork.stage in UNFINISHED for artwork in self.artworks.all()
        )


class ArtworkQuerySet(models.QuerySet["Artwork"]):
    """Shared reads of artworks; pages never spell joins."""

    def with_paintings(self) -> Self:
        """Return artworks with what decides how they stand and what they show."""
        return self.select_related("photo__source", "photo__twin_of", "commission__rendition")

    def history_of(self, user: User) -> Self:
        """Return everything this person ever asked for, newest first, without what is in the bin."""
        return self.filter(photo__owner=user, photo__removed_at=None).with_paintings().order_by("-pk")

    def before(self, key: str) -> Self:
        """Return the artworks that come after this one in the history; all for a key that is not among them."""
        marker = self.filter(key=key).values_list("pk", flat=True).first() if key else None
        return self.filter(pk__lt=marker) if marker else self

    def at_stage(self, stage: Stage) -> Self:
        """Return the artworks of which people are told this stage."""
        return self.filter(STAGE_CONDITIONS[stage])

    def got_by(self, how: How) -> Self:
        """Return the artworks that were got in this way."""
        return self.filter(HOW_CONDITIONS[how])

    def wanted(self) -> Self:
        """Return the artworks that nobody has cancelled."""
        return self.filter(cancelled_at=None)

    def unfinished(self) -> Self:
        """Return the artworks that still change by themselves."""
        return self.filter(reduce(or_, (STAGE_CONDITIONS[stage] for stage in UNFINISHED)))


class Artwork(models.Model):
    """One line of somebody's history: this photo in that recipe, and how it was got."""

    key = models.CharField(max_length=22, unique=True, default=random_key, editable=False)
    photo = models.ForeignKey(Photo, on_delete=models.CASCADE, related_name="artworks")
    commission = models.ForeignKey(Commission, on_delete=models.PROTECT, related_name="artworks")
    style = models.CharField(max_length=30)
    look = models.CharField(max_length=20)
    full_size = models.BooleanField(default=False)
    own_values = models.JSONField(default=dict)
    same_file = models.BooleanField(default=False)
    twin = models.BooleanField(default=False)
    created_at = models.DateTimeField()
    cancelled_at = models.DateTimeField(null=True)

    objects = ArtworkQuerySet.as_manager()

    class Meta:
        """A photo has one artwork of each recipe."""

        constraints = [models.UniqueConstraint(name="artwork_once", fields=["photo", "commission"])]
        indexes = [
            models.Index(name="artwork_of_photo", fields=["photo", "style"]),
            models.Index(name="artwork_made", fields=["created_at"]),
        ]

    def __str__(self) -> str:
        """Say which style and look."""
        return f"{self.style}, {self.look}"

    @property
    def rendition(self) -> Rendition | None:
        """The painting behind this artwork, once its photo has been read."""
        return self.commission.rendition

    @property
    def source(self) -> Source:
        """What it is painted from: the photo's own file, or its twin's."""
        own = self.commission.source_id == self.photo.source_id
        return self.photo.source if own else self.commission.source

    @property
    def preview(self) -> str:
        """The folder of a quick small painting to look at until this one is done; empty if there is none."""
        coming = self.stage in (Stage.WAITING, Stage.PAINTING)
        return self.rendition.preview if self.rendition and coming else ""

    @property
    def stage(self) -> Stage:
        """What the person is told now."""
        if self.cancelled_at:
            return Stage.CANCELLED
        if self.rendition:
            return STAGE_OF_RENDITION[State(self.rendition.state)]
        shown = STAGE_OF_SOURCE[State(self.photo.source.state)]
        return Stage.HELD if shown in HOLDABLE and self._is_early else shown

    @property
    def held_until(self) -> datetime | None:
        """When it goes on by itself, while it waits for the person's allowance."""
        return self.commission.not_before if self.stage == Stage.HELD else None

    @property
    def reason(self) -> str:
        """Why it failed, in the person's language; empty if it did not."""
        work = self.rendition or self.photo.source
        return str(work.get_reason_display()) if self.stage == Stage.FAILED else ""

    @property
    def how(self) -> How:
        """How this artwork was got."""
        if self.twin:
            return How.TWIN
        if self.same_file:
            return How.SAME_FILE
        return How.SAME_PICTURE if self.commission.found == Found.SAME_PICTURE else How.PAINTED

    @property
    def finished_at(self) -> datetime | None:
        """When the person could see it: at once if it had been painted before."""
        if self.stage != Stage.DONE or not self.rendition or not self.rendition.finished_at:
            return None
        return max(self.rendition.finished_at, self.created_at)

    @property
    def seconds(self) -> float | None:
        """How long the person waited, in seconds."""
        return (self.finished_at - self.created_at).total_seconds() if self.finished_at else None

    @property
    def _is_early(self) -> bool:
        return self.commission.not_before is not None and self.commission.not_before > timezone.now()


STAGE_OF_SOURCE = {
    State.WAITING: Stage.WAITING,
    State.WORKING: Stage.READING,
    State.DONE: Stage.WAITING,
    State.FAILED: Stage.FAILED,
    State.CANCELLED: Stage.CANCELLED,
    State.EVICTED: Stage.EVICTED,
}
STAGE_OF_RENDITION = {
    State.WAITING: Stage.WAITING,
    State.WORKING: Stage.PAINTING,
    State.DONE: Stage.DONE,
    State.FAILED: Stage.FAILED,
    State.CANCELLED: Stage.CANCELLED,
    State.EVICTED: Stage.EVICTED,
}


def _stage_condition(stage: Stage) -> Q:
    renditions = [state for state, shown in STAGE_OF_RENDITION.items() if shown == stage]
    sources = [state for state, shown in STAGE_OF_SOURCE.items() if shown == stage]
    painted = Q(commission__rendition__state__in=renditions)
    unread = Q(commission__rendition=None, photo__source__state__in=sources)
    if stage in HOLDABLE:
        unread &= ~EARLY
    return Q(cancelled_at=None) & (painted | unread)


EARLY = Q(commission__not_before__isnull=False, commission__not_before__gt=Now())
STAGE_CONDITIONS: dict[Stage, Q] = {stage: _stage_condition(stage) for stage in Stage}
STAGE_CONDITIONS[Stage.HELD] = EARLY & Q(
    cancelled_at=None,
    commission__rendition=None,
    photo__source__state__in=[state for state, shown in STAGE_OF_SOURCE.items() if shown in HOLDABLE],
)
STAGE_CONDITIONS[Stage.CANCELLED] |= Q(cancelled_at__isnull=False)
HOW_CONDITIONS: dict[How, Q] = {
    How.PAINTED: Q(twin=False, same_file=False) & ~Q(commission__found=Found.SAME_PICTURE),
    How.SAME_FILE: Q(twin=False, same_file=True),
    How.SAME_PICTURE: Q(twin=False, same_file=False, commission__found=Found.SAME_PICTURE),
    How.TWIN: Q(twin=True),
}


class Invitation(models.Model):
    """A link that lets one person sign up."""

    key = models.CharField(max_length=22, unique=True, default=random_key, editable=False)
    invited_by = models.ForeignKey(User, on_delete=models.CASCADE, related_name="invitations")
    note = models.CharField(_("for whom"), max_length=120, blank=True)
    created_at = models.DateTimeField(auto_now_add=True)
    expires_at = models.DateTimeField()
    used_at = models.DateTimeField(null=True, editable=False)
    used_by = models.ForeignKey(User, on_delete=models.SET_NULL, null=True, blank=True, related_name="+")

    def __str__(self) -> str:
        """Say for whom it is."""
        return self.note or str(_("Invitation"))

    def is_open(self, *, now: datetime) -> bool:
        """Whether somebody may still sign up with it."""
        # Not by used_by: who signed up with it may have closed the account since.
        return self.used_at is None and now < self.expires_at


class Share(models.Model):
    """A link that shows some photos and their paintings to whoever has it."""

    key = models.CharField(max_length=22, unique=True, default=random_key, editable=False)
    owner = models.ForeignKey(User, on_delete=models.CASCADE, related_name="shares")
    photos = models.ManyToManyField(Photo, related_name="shares")
    title = models.CharField(_("title"), max_length=120, blank=True)
    password = models.CharField(_("password"), max_length=128, blank=True)
    full_size = models.BooleanField(_("allow the largest size"), default=False)
    expires_at = models.DateTimeField(_("ends"), null=True, blank=True)
    revoked_at = models.DateTimeField(null=True, blank=True)
    views = models.PositiveIntegerField(_("views"), default=0)
    created_at = models.DateTimeField()

    def __str__(self) -> str:
        """Return the title, or a word."""
        return self.title or str(_("Shared photos"))


class AuditEntry(models.Model):
    """What a member of the staff did: who, what, when, why."""

    at = models.DateTimeField()
    actor = models.ForeignKey(User, on_delete=models.SET_NULL, null=True, related_name="+")
    actor_name = models.CharField(_("who"), max_length=150)
    action = models.CharField(_("what"), max_length=60)
    subject = models.CharField(_("of what"), max_length=200, blank=True)
    reason = models.CharField(_("why"), max_length=300, blank=True)
    facts = models.JSONField(default=dict)

    class Meta:
        """The newest entries are asked for, all or by action."""

        indexes = [models.Index(name="audit_newest", fields=["-at"])]
        permissions = [
            ("see_desk", _("May see the desk: the dashboard, all jobs and their people's names")),
            ("manage_jobs", _("May retry, cancel, delete and hurry anybody's paintings")),
            ("pause_painting", _("May pause painting and have workers rest")),
        ]

    def __str__(self) -> str:
        """Say who did what."""
        return f"{self.actor_name}: {self.action} {self.subject}"


class Notice(models.Model):
    """What admins tell everybody for a while; it may close uploads."""

    text = models.CharField(_("text"), max_length=300)
    closes_uploads = models.BooleanField(_("closes uploads"), default=False)
    starts_at = models.DateTimeField(_("from"))
    ends_at = models.DateTimeField(_("until"), null=True, blank=True)

    def __str__(self) -> str:
        """Return the text."""
        return self.text

    def is_shown(self, *, now: datetime) -> bool:
        """Whether everybody is told now."""
        return self.starts_at <= now and (self.ends_at is None or now < self.ends_at)


class Stretch(models.Model):
    """An hour or a day that is over, with the sums of its rows; made from these again and again."""

    begins = models.DateTimeField()
    ends = models.DateTimeField()
    daily = models.BooleanField()
    sums = models.JSONField()
    summed_at = models.DateTimeField()

    class Meta:
        """Each is kept once."""

        constraints = [models.UniqueConstraint(name="stretch_kept_once", fields=["begins", "ends"])]

    def __str__(self) -> str:
        """Say from when to when."""
        return f"{self.begins:%Y-%m-%d %H:%M} to {self.ends:%Y-%m-%d %H:%M}"


class Traffic(models.Model):
    """Pictures of people's own pages in one hour: what a naive page would have sent of them, and what was sent."""

    hour = models.DateTimeField(unique=True)
    pages = models.PositiveBigIntegerField(default=0)
    pictures = models.PositiveBigIntegerField(default=0)
    naive_bytes = models.PositiveBigIntegerField(default=0)
    sent_bytes = models.PositiveBigIntegerField(default=0)

    def __str__(self) -> str:
        """Say which hour it is."""
        return f"traffic of {self.hour:%Y-%m-%d %H:00}"
