"""Sources, commissions and renditions: constraints and transitions that are true for exactly one caller."""

from datetime import datetime, timedelta
from typing import Any, Self

from django.db import models, transaction
from django.db.models import F, Q
from django.utils.translation import gettext_lazy as _


class State(models.TextChoices):
    """Where a piece of work stands."""

    WAITING = "waiting", _("waiting")
    WORKING = "working", _("working")
    DONE = "done", _("done")
    FAILED = "failed", _("failed")
    CANCELLED = "cancelled", _("cancelled")
    EVICTED = "evicted", _("put away")


class Priority(models.IntegerChoices):
    """Which of one lane's work comes first."""

    WATCHED = 0, _("somebody looks at it")
    USUAL = 1, _("usual")
    LAST = 2, _("when there is time")


class Reason(models.TextChoices):
    """Why a piece of work failed, in words for people."""

    NOT_AN_IMAGE = "not_an_image", _("This file is not a picture.")
    UNSUPPORTED_FORMAT = "unsupported_format", _("Pictures of this format cannot be read here.")
    TOO_MANY_PIXELS = "too_many_pixels", _("This picture has more pixels than are allowed here.")
    TOO_LARGE_SIDE = "too_large_side", _("This picture is too long or too wide.")
    TOO_SMALL = "too_small", _("This picture is too small to paint: it needs at least 16 pixels each way.")
    TOO_MANY_BYTES = "too_many_bytes", _("This file is larger than is allowed here.")
    DAMAGED = "damaged", _("This picture is damaged and cannot be read.")
    TOO_MANY_SCANS = "too_many_scans", _("This picture is stored in a way that takes too long to read.")
    OUT_OF_MEMORY = "out_of_memory", _("There was not enough memory for this picture.")
    TOO_SLOW = "too_slow", _("This took longer than is allowed here.")
    CRASHED = "crashed", _("This photo cannot be painted: it stopped the painter each time.")
    OUTDATED = (
        "outdated",
        _("This was painted by an earlier version of the style. Paint the photo again to have it so."),
    )
    STORAGE = "storage", _("The file could not be stored or fetched. Please try again.")
    UNEXPECTED = "unexpected", _("Something went wrong while painting. Please try again.")


WAITING = Q(state=State.WAITING)
WORKING = Q(state=State.WORKING)
LONGEST_PAUSE = timedelta(minutes=2)
"""No work is put off for longer."""


class WorkQuerySet(models.QuerySet[Any]):
    """Shared reads and repairs of what workers work on."""

    def unfinished(self) -> Self:
        """Return what waits or is being worked on."""
        return self.filter(state__in=(State.WAITING, State.WORKING))

    def ready(self, *, now: datetime) -> Self:
        """Return what waits and may be begun: all but what was put off for a moment."""
        # A time further ahead than any pause was written by a clock that has been set back since.
        put_off = Q(waiting_since__gt=now, waiting_since__lte=now + LONGEST_PAUSE)
        return self.filter(WAITING).exclude(put_off)

    def give_back(self, *, now: datetime, lease: timedelta, max_tries: int) -> int:
        """Return work whose lease has run out to waiting, or set it aside after so many tries; count the rows."""
        # A lease that ends later than one given just now was given by a clock that has been set back since.
        run_out = Q(lease_until__lt=now) | Q(lease_until__gt=now + 2 * lease)
        expired = self.filter(run_out, state=State.WORKING)
        aside = expired.filter(tries__gte=max_tries)
        count = aside.update(state=State.FAILED, reason=Reason.CRASHED, lease_until=None, finished_at=now)
        return count + expired.update(state=State.WAITING, lease_until=None)

    def claim(self, *, now: datetime, lease: timedelta, holder: str = "", worker: str = "") -> list[Any]:
        """Claim for a job these rows that wait, all in one stroke; each for exactly one caller."""
        with transaction.atomic():
            # Locked and looked at once more: another worker may have been a moment earlier.
            won = list(self.select_for_update())
            rows = self.model._default_manager.filter(pk__in=[each.pk for each in won])  # noqa: SLF001 - Django's name
            rows.update(**_claim(now + lease, holder, worker), fence=F("fence") + 1, started_at=now)
        for each in won:
            each.fence += 1
        return won

    def held_by(self, holder: str) -> Self:
        """Return what this job is working on now."""
        return self.filter(state=State.WORKING, holder=holder)

    def prolong(self, holder: str, *, until: datetime) -> int:
        """Tell that this job's worker lives: its leases run until then; count the rows."""
        return self.held_by(holder).update(lease_until=until)


class Work(models.Model):
    """What exactly one worker at a time may do: claimed with a lease, finished only by the holder of the fence."""

    state = models.CharField(max_length=10, choices=State, default=State.WAITING)
    reason = models.CharField(max_length=20, choices=Reason, blank=True)
    error = models.TextField(blank=True)
    """What was raised, with the places in the code: for staff alone."""
    lane = models.CharField(max_length=64, blank=True)
    priority = models.PositiveSmallIntegerField(choices=Priority, default=Priority.USUAL)
    waiting_since = models.DateTimeField()
    started_at = models.DateTimeField(null=True)
    finished_at = models.DateTimeField(null=True)
    lease_until = models.DateTimeField(null=True)
    holder = models.CharField(max_length=64, blank=True)
    worker = models.CharField(max_length=100, blank=True)
    fence = models.PositiveIntegerField(default=0)
    tries = models.PositiveSmallIntegerField(default=0)
    crashes = models.PositiveSmallIntegerField(default=0)
    cpu_seconds = models.FloatField(default=0)

    objects = WorkQuerySet.as_manager()

    class Meta:
        """Sources and renditions have tables of their own."""

        abstract = True

    def start(self, *, now: datetime, lease: timedelta, holder: str = "", worker: str = "") -> bool:
        """Claim this waiting work for a job, whose worker prolongs the lease; True for exactly one caller."""
        fence = self.fence + 1
        waiting = self._row().filter(state=State.WAITING, fence=self.fence)
        won = waiting.update(**_claim(now + lease, holder, worker), fence=fence, started_at=now) == 1
        if won:
            self.fence = fence
        return won

    def finish(self, *, now: datetime, cpu_seconds: float, **results: object) -> bool:
        """Keep the results; False if this worker has lost its claim meanwhile."""
        return self._end(State.DONE, finished_at=now, cpu_seconds=cpu_seconds, **results)

    def fail(self, reason: Reason, *, now: datetime, error: str = "") -> bool:
        """End with a reason, and what was raised; False if this worker has lost its claim meanwhile."""
        return self._end(State.FAILED, finished_at=now, reason=reason, error=error)

    def release(self) -> bool:
        """Give the work back unharmed, as a worker does that is told to end; it does not count as a try."""
        return self._end(State.WAITING, tries=F("tries") - 1)

    def postpone(self, *, until: datetime) -> bool:
        """Give the work back to be tried once more, later; False if this worker has lost its claim meanwhile."""
        return self._end(State.WAITING, waiting_since=until)

    def crash(self, *, now: datetime, max_crashes: int) -> None:
        """Note that this work ended its worker's child: back to waiting, or set aside after so many times."""
        working = self._row().filter(state=State.WORKING)
        working.update(crashes=F("crashes") + 1)
        working.filter(crashes__gte=max_crashes).update(
            state=State.FAILED, reason=Reason.CRASHED, lease_until=None, finished_at=now
        )
        working.update(state=State.WAITING, lease_until=None)

    def renew(self, *, now: datetime) -> bool:
        """Let failed, cancelled or evicted work wait again, with all its tries; False if it was none of these."""
        ended = self._row().filter(state__in=(State.FAILED, State.CANCELLED, State.EVICTED))
        fresh = {"state": State.WAITING, "reason": "", "tries": 0, "crashes": 0, "finished_at": None}
        return ended.update(**fresh, waiting_since=now) == 1

    def cancel(self, *, now: datetime) -> bool:
        """End work that nobody wants any more, whether it waits or is under way; False if it had ended."""
        unfinished = self._row().filter(state__in=(State.WAITING, State.WORKING))
        return unfinished.update(state=State.CANCELLED, lease_until=None, finished_at=now) == 1

    def is_held(self) -> bool:
        """Return whether this worker's claim still holds: nobody has cancelled, removed or taken over the work."""
        return self._row().filter(state=State.WORKING, fence=self.fence).exists()

    def _end(self, state: State, **changes: object) -> bool:
        held = self._row().filter(state=State.WORKING, fence=self.fence)
        return held.update(state=state, lease_until=None, **changes) == 1

    def _row(self) -> WorkQuerySet:
        return type(self).objects.filter(pk=self.pk)


def _claim(until: datetime, holder: str, worker: str) -> dict[str, Any]:  # Any: values of columns
    tries = F("tries") + 1
    return {
        "state": State.WORKING,
        "reason": "",
        "error": "",
        "lease_until": until,
        "holder": holder,
        "worker": worker,
        "tries": tries,
    }


class Lane(models.Model):
    """One person's place in the queue, without a name: the lane that was served the longest ago is next."""

    name = models.CharField(max_length=64, primary_key=True)
    served_at = models.DateTimeField()

    def __str__(self) -> str:
        """Say whose turn it was when."""
        return f"lane {self.name}"

    @classmethod
    def serve(cls, name: str, *, before: datetime | None, now: datetime) -> bool:
        """Give a lane its turn; True for exactly one of those who saw it served last at `before` (None: never)."""
        if before is None:
            return cls.objects.get_or_create(name=name, defaults={"served_at": now})[1]
        return cls.objects.filter(name=name, served_at=before).update(served_at=now) == 1


class Halt(models.Model):
    """A worker that is to begin nothing new, or all of them (the empty name)."""

    worker = models.CharField(max_length=100, primary_key=True)
    since = models.DateTimeField()

    def __str__(self) -> str:
        """Say who rests."""
        return self.worker or "all workers"


class Source(Work):
    """A file's content, once for everybody of one scope: known by a keyed hash of its bytes, later by its canvas."""

    bytes_key = models.CharField(max_length=64, unique=True)
    scope = models.CharField(max_length=64, blank=True)
    original = models.CharField(max_length=200)
    size = models.PositiveBigIntegerField()
    format = models.CharField(max_length=10)
    width = models.PositiveIntegerField()
    height = models.PositiveIntegerField()
    canvas_key = models.CharField(max_length=64, blank=True, db_index=True)
    canvas_width = models.PositiveIntegerField(default=0)
    canvas_height = models.PositiveIntegerField(default=0)
    phash = models.CharField(max_length=64, blank=True, db_index=True)
    signature = models.CharField(max_length=36, blank=True)
    notes = models.JSONField(default=list)
    folder = models.CharField(max_length=100, blank=True)
    widths = models.JSONField(default=list)
    stored_bytes = models.PositiveBigIntegerField(default=0)
    largest_bytes = models.PositiveIntegerField(default=0)

    class Meta:
        """A source that is read has a canvas and thumbnails."""

        constraints = [
            models.CheckConstraint(
                name="source_done_means_files",
                condition=~Q(state=State.DONE) | (~Q(folder="") & ~Q(canvas_key="") & ~Q(phash="")),
            )
        ]
        indexes = [
            models.Index(name="source_waiting", fields=["lane", "priority", "waiting_since"], condition=WAITING),
            models.Index(name="source_working", fields=["holder"], condition=WORKING),
            models.Index(name="source_ended", fields=["finished_at"]),
        ]

    def __str__(self) -> str:
        """Say what the file is; it has no name of its own."""
        return f"source {self.pk} ({self.format} {self.width}x{self.height})"


class Rendition(Work):
    """One canvas painted by one recipe: made once, shown to many."""

    canvas_key = models.CharField(max_length=64)
    recipe = models.CharField(max_length=300)
    recipe_digest = models.CharField(max_length=64)
    style = models.CharField(max_length=30)
    style_version = models.PositiveIntegerField()
    width = models.PositiveIntegerField(default=0)
    height = models.PositiveIntegerField(default=0)
    folder = models.CharField(max_length=100, blank=True)
    widths = models.JSONField(default=list)
    stored_bytes = models.PositiveBigIntegerField(default=0)
    largest_bytes = models.PositiveIntegerField(default=0)
    preview = models.CharField(max_length=100, blank=True)
    used_at = models.DateTimeField(null=True)

    class Meta:
        """Nothing is painted twice, and done means files."""

        constraints = [
            models.UniqueConstraint(name="rendition_painted_once", fields=["canvas_key", "recipe_digest"]),
            models.CheckConstraint(
                name="rendition_done_means_files", condition=~Q(state=State.DONE) | (~Q(folder="") & Q(width__gt=0))
            ),
        ]
        indexes = [
            models.Index(name="rendition_waiting", fields=["lane", "priority", "waiting_since"], condition=WAITING),
            models.Index(name="rendition_working", fields=["holder"], condition=WORKING),
            models.Index(name="rendition_used", fields=["used_at"], condition=Q(state=State.DONE)),
            models.Index(name="rendition_ended", fields=["finished_at"]),
            models.Index(name="rendition_stored", fields=["stored_bytes"], condition=Q(stored_bytes__gt=0)),
        ]

    def __str__(self) -> str:
        """Say what it is painted with."""
        return f"rendition {self.pk} ({self.recipe})"


class ExportFormat(models.TextChoices):
    """The formats in which paintings are saved."""

    JPEG = "jpeg", "JPEG"
    PNG = "png", "PNG"
    WEBP = "webp", "WebP"
    AVIF = "avif", "AVIF"


class Sheet(models.TextChoices):
    """The sheets of paper for which paintings are saved."""

    POSTCARD = "10x15", _("10 × 15 cm")  # noqa: RUF001 - as it stands on the paper
    A4 = "a4", "A4"
    A3 = "a3", "A3"


class Export(Work):
    """A rendition as a file to be saved, in a format and at an intensity; kept for as long as somebody asks for it.

    `recipe` is another one for this source, at another size or with other values; empty for the rendition's own.
    """

    rendition = models.ForeignKey(Rendition, on_delete=models.CASCADE, related_name="exports")
    source = models.ForeignKey(Source, on_delete=models.CASCADE, null=True, blank=True, related_name="exports")
    recipe = models.CharField(max_length=300, blank=True)
    format = models.CharField(max_length=10, choices=ExportFormat)
    intensity = models.PositiveSmallIntegerField()
    sheet = models.CharField(max_length=10, choices=Sheet, blank=True)
    labeled = models.BooleanField(default=True)
    file = models.CharField(max_length=200, blank=True)
    size = models.PositiveBigIntegerField(default=0)
    used_at = models.DateTimeField(db_index=True)

    class Meta:
        """Nothing is made twice, intensity is in percent, and done means a file."""

        constraints = [
            models.UniqueConstraint(
                name="export_made_once",
                fields=["rendition", "format", "intensity", "labeled"],
                condition=Q(source=None),
            ),
            # Paintings of one canvas are shared; what is as large as a photo is made of this very photo.
            models.UniqueConstraint(
                name="export_of_source_made_once",
                fields=["rendition", "source", "recipe", "format", "intensity", "sheet", "labeled"],
            ),
            models.CheckConstraint(
                name="export_varied_means_source", condition=Q(recipe="", sheet="") | Q(source__isnull=False)
            ),
            models.CheckConstraint(name="export_intensity_in_percent", condition=Q(intensity__lte=100)),
            models.CheckConstraint(name="export_done_means_file", condition=~Q(state=State.DONE) | ~Q(file="")),
        ]
        indexes = [
            models.Index(name="export_waiting", fields=["lane", "priority", "waiting_since"], condition=WAITING),
            models.Index(name="export_working", fields=["holder"], condition=WORKING),
        ]

    def __str__(self) -> str:
        """Say what is made of which rendition."""
        return f"export {self.pk} ({self.format}, {self.intensity} % of rendition {self.rendition_id})"


class Found(models.TextChoices):
    """How a commission came by its rendition."""

    PAINTED = "painted", _("painted")
    SAME_PICTURE = "same_picture", _("same picture")


class Commission(models.Model):
    """A source asked for in a recipe. Known at upload, it points to its rendition once the source has been read."""

    source = models.ForeignKey(Source, on_delete=models.CASCADE, related_name="commissions")
    recipe = models.CharField(max_length=300)
    recipe_digest = models.CharField(max_length=64)
    lane = models.CharField(max_length=64, blank=True)
    rendition = models.ForeignKey(Rendition, on_delete=models.PROTECT, null=True, related_name="commissions")
    found = models.CharField(max_length=15, choices=Found, blank=True)
    wanted = models.BooleanField(default=True)
    not_before = models.DateTimeField(null=True)
    created_at = models.DateTimeField()

    class Meta:
        """One source in one recipe is asked for once."""

        constraints = [models.UniqueConstraint(name="commission_once", fields=["source", "recipe_digest"])]
        indexes = [models.Index(name="commission_unresolved", fields=["source"], condition=Q(rendition=None))]

    def __str__(self) -> str:
        """Say what is asked for."""
        return f"commission {self.pk} ({self.recipe})"

    @property
    def style(self) -> str:
        """The style's name, as its recipe says."""
        return self.recipe.partition(" ")[0]


class Kind(models.TextChoices):
    """What a worker does."""

    READING = "reading", _("reads a photo")
    PAINTING = "painting", _("paints")
    SAVING = "saving", _("makes a file to be saved")


KINDS: dict[Kind, type[Work]] = {Kind.READING: Source, Kind.PAINTING: Rendition, Kind.SAVING: Export}
