"""The admin's desk: who waits and what it costs, with people's names; and what staff does with anybody's paintings."""

import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any

from django.db import models, transaction
from django.db.models import Count, F, OuterRef, Q, QuerySet, Subquery, Sum
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from gallery import audit, ledger, photos, stretches, traffic
from gallery.ledger import Book, Saving, StepLine
from gallery.ledger import Technique as Saver
from gallery.models import Artwork, Photo, User
from gallery.traffic import Spared
from rendering import console, sources, stats, sums, turns
from rendering.console import Action, Wanted
from rendering.models import KINDS, Kind, Source, Work
from rendering.stats import Bar, Batches, Doing, FailureLine, LaneLine, Span, Stored, StyleTimes, Trouble, WorkerNow

MOST = 1000
"""So many renditions are changed at once at most."""
TOP = 10
LANE = re.compile(r"person-(\d+)")
WORDS = {Kind.READING: "source", Kind.PAINTING: "rendition", Kind.SAVING: "export"}
"""How the audit log calls what was acted on: as the admin does."""


class Technique(models.TextChoices):
    """The five techniques that save something here."""

    SMALLER = "smaller", _("Painted smaller than the photo")
    BATCHES = "batches", _("Queue and batches")
    LOOKS = "looks", _("Tuned looks")
    CACHE = "cache", _("Cache")
    LAZY = "lazy", _("Pages that load what is looked at")


EXPLANATIONS = {
    Technique.SMALLER: ledger.EXPLANATIONS[Saver.SMALLER],
    Technique.BATCHES: _(
        "Every row names the job that did it. Paintings of one canvas in one job were painted from one decoding; all "
        "that one job did needed one process. Saved is a decoding for each further painting, at the kernels' figure "
        "for the mean photo of the period, and a process for each further piece of work, at 9.6 ms."
    ),
    Technique.LOOKS: ledger.EXPLANATIONS[Saver.FAST],
    Technique.CACHE: _(
        "Same files, same pictures and twins: what reading and painting them had taken the first time, and the room "
        "that their files would have taken again."
    ),
    Technique.LAZY: _(
        "Counted: the largest file of each photo and painting on a page that was opened, once for each browser, as a "
        "naive page would have sent it; less the bytes of the pictures that were sent."
    ),
}


@dataclass(frozen=True)
class Fall:
    """One step of the waterfall: what a technique saved, and what remained before and after it."""

    technique: Technique
    saved: Saving
    before: Saving
    after: Saving

    @property
    def explanation(self) -> str:
        """How it is computed, in words."""
        return str(EXPLANATIONS[self.technique])


@dataclass(frozen=True)
class Waterfall:
    """From what everything would have cost to what it did."""

    naive: Saving
    falls: Sequence[Fall]
    actual: Saving


@dataclass(frozen=True)
class NamedLane:
    """A lane, and whose it is; None if the person has gone."""

    line: LaneLine
    person: User | None


@dataclass(frozen=True)
class PersonLine:
    """What one person has asked for in the period, and the CPU seconds that were spent on it."""

    username: str
    paintings: int
    cpu_seconds: float


@dataclass(frozen=True)
class StorageLine:
    """How many bytes one person's photos take, with their page files."""

    username: str
    photos: int
    bytes: int


@dataclass(frozen=True)
class Job:
    """What is to be done with work of one kind."""

    action: Action
    kind: Kind = Kind.PAINTING


ERASE = Job(Action.DELETE, Kind.READING)


@dataclass(frozen=True)
class Painter:
    """A worker, and on whose photos it works."""

    now: WorkerNow
    doing: Sequence[tuple[Doing, Photo | None]]


@dataclass(frozen=True)
class Desk:
    """All that the dashboard shows."""

    span: Span
    bars: Sequence[Bar]
    times: Sequence[StyleTimes]
    lanes: Sequence[NamedLane]
    workers: Sequence[Painter]
    trouble: Trouble | None
    failures: Sequence[FailureLine]
    steps: Sequence[StepLine]
    waterfall: Waterfall
    batches: Batches
    stored: Stored
    storage: Sequence[StorageLine]
    people: Sequence[PersonLine]
    paused: bool

    @property
    def photos(self) -> int:
        """Photos read in the period."""
        return sum(bar.photos for bar in self.bars)

    @property
    def paintings(self) -> int:
        """Paintings finished in the period."""
        return sum(bar.paintings for bar in self.bars)

    @property
    def waiting(self) -> int:
        """Pieces of work that wait."""
        return sum(sum(each.line.waiting.values()) for each in self.lanes)

    @property
    def working(self) -> int:
        """Pieces of work in hand."""
        return sum(each.line.working for each in self.lanes)


def open_desk(span: Span, *, now: datetime) -> Desk:
    """Read all figures of a period."""
    # By the site's own midnights, wherever the admin is: these are kept.
    with timezone.override(timezone.get_default_timezone()):
        edges = span.edges(now=now)
    found = stretches.read(edges)
    period = sums.total(found)
    lanes = named(stats.lanes())
    reachable, workers = stats.crew()
    waiting = sum(sum(each.line.waiting.values()) for each in lanes)
    book, batches = ledger.bind([period], today=timezone.localdate(now)), stats.batches(period)
    return Desk(
        span=span,
        bars=stats.bars(span, edges, found),
        times=stats.times(period),
        lanes=lanes,
        workers=at_work(workers),
        trouble=stats.trouble(reachable=reachable, workers=workers, waiting=waiting),
        failures=stats.failures(period),
        steps=book.by_step(),
        waterfall=waterfall(book, batches, traffic.spared(edges[0], now)),
        batches=batches,
        stored=stats.stored(),
        storage=storage_by_person(),
        people=top_people(book),
        paused=turns.is_resting(""),
    )


def named(lines: Iterable[LaneLine]) -> list[NamedLane]:
    """Return lanes with the people whose they are: one query."""
    found = [(line, LANE.fullmatch(line.lane)) for line in lines]
    people = User.objects.only("username").in_bulk([int(match[1]) for line, match in found if match])
    return [NamedLane(line, people.get(int(match[1])) if match else None) for line, match in found]


def at_work(workers: Sequence[WorkerNow]) -> list[Painter]:
    """Return workers with the photos that they have in hand: three queries at most."""
    found: dict[tuple[Kind, int], Photo | None] = {}
    for kind, model in KINDS.items():
        ids = [doing.pk for worker in workers for doing in worker.doing if doing.kind == kind]
        if ids:
            found |= {(kind, row.pk): photo for row, photo in with_photos(model.objects.filter(pk__in=ids), kind=kind)}
    return [
        Painter(worker, [(doing, found.get((doing.kind, doing.pk))) for doing in worker.doing]) for worker in workers
    ]


def subject_of(kind: Kind, pk: int) -> str:
    """Return the words for one piece of work in the audit log."""
    return f"{WORDS[kind]} {pk}"


def waterfall(book: Book, batches: Batches, spared: Spared) -> Waterfall:
    """Return what each technique saved, one after the other, from everything done naively to what was spent."""
    actual, saved = book.spent(1), _saved(book, batches, spared)
    remains = naive = sum(saved.values(), start=actual)
    falls = []
    for technique, saving in saved.items():
        after = _minus(remains, saving)
        falls.append(Fall(technique, saving, remains, after))
        remains = after
    return Waterfall(naive, falls, actual)


def top_people(book: Book) -> list[PersonLine]:
    """Return who has asked for most in a period; computing time is of what was painted for them."""
    most = sorted(book.people, key=lambda pk: (-book.people[pk].asked, pk))[:TOP]
    names = ledger.names_of(most)
    return [PersonLine(names[pk], book.people[pk].asked, book.people[pk].cpu_seconds) for pk in most if pk in names]


def storage_by_person() -> list[StorageLine]:
    """Return whose photos take most room: original files and what pages show of them."""
    size = Sum(F("source__size") + F("source__stored_bytes"))
    owners = Photo.objects.order_by().values(name=F("owner__username"))
    most = owners.annotate(photos=Count("pk"), size=size).order_by("-size", "name")[:TOP]
    return [StorageLine(row["name"], row["photos"], row["size"]) for row in most]


def find_jobs(wanted: Wanted, *, kind: Kind = Kind.PAINTING, person: str = "", title: str = "") -> QuerySet[Work]:
    """Return the work that is looked for, on this person's photos or on photos of this title; newest first."""
    found = console.find(wanted, kind=kind)
    shown = Photo.objects.all()
    if person:
        shown = shown.filter(owner__username__iexact=person)
    if title:
        shown = shown.filter(title__holds=title)
    return found.filter(_on(kind, shown)) if person or title else found


def newest(found: QuerySet[Work], count: int, *, kind: Kind = Kind.PAINTING) -> list[tuple[Work, Photo | None]]:
    """Return the newest so many of these, each with a photo and its owner: three queries."""
    # Asked for the few of a rare title, PostgreSQL tries every row from the newest on; asked for many, it looks it up.
    ids = list(found.values_list("pk", flat=True)[:MOST])[:count]
    return with_photos(KINDS[kind].objects.filter(pk__in=ids).order_by("-pk"), kind=kind)


def with_photos(found: QuerySet[Work], *, kind: Kind = Kind.PAINTING) -> list[tuple[Work, Photo | None]]:
    """Return each with the first photo that it is done for, and its owner: two queries."""
    rows = list(found.annotate(first_photo=Subquery(_photo_of(kind))))
    first = Photo.objects.select_related("owner").in_bulk([vars(row)["first_photo"] for row in rows])
    return [(row, first.get(vars(row)["first_photo"])) for row in rows]


def fitting(found: QuerySet[Work], action: Action, *, kind: Kind = Kind.PAINTING) -> list[int]:
    """Return which of these an action fits, the newest thousand of them at most."""
    return console.fitting(found, action, kind=kind, most=MOST)


def act(job: Job, ids: Sequence[int], *, by: User, reason: str, now: datetime, **facts: object) -> int:
    """Do it with all of these, and write it down; count those it was done to."""
    with transaction.atomic():
        count = _erase_photos(ids, now=now) if job == ERASE else _act(job, ids, now=now)
        subject = subject_of(job.kind, ids[0]) if len(ids) == 1 else f"{count} {WORDS[job.kind]}s"
        audit.note(by=by, action=f"job.{job.action}", subject=subject, reason=reason, now=now, count=count, **facts)
    return count


def rest(worker: str, *, by: User, reason: str, now: datetime) -> None:
    """Have a worker, or everybody, begin nothing new, and write it down."""
    with transaction.atomic():
        turns.rest(worker, now=now)
        audit.note(by=by, action="painting.rest", subject=worker or "all workers", reason=reason, now=now)


def go_on(worker: str, *, by: User, reason: str, now: datetime) -> None:
    """Have a worker, or everybody, work again, and write it down."""
    with transaction.atomic():
        turns.go_on(worker)
        audit.note(by=by, action="painting.go_on", subject=worker or "all workers", reason=reason, now=now)


def tables(desk: Desk) -> Iterator[tuple[str, object, str, object]]:
    """Yield every figure of the dashboard: its table, its row, its column, and the figure."""
    for bar in desk.bars:
        yield from _cells("finished", bar.begins.isoformat(), photos=bar.photos, paintings=bar.paintings)
    for style in desk.times:
        yield from _cells("seconds waited", style.style, paintings=style.paintings, **vars(style.wait))
        yield from _cells("seconds painted", style.style, paintings=style.paintings, **vars(style.paint))
    for lane in desk.lanes:
        who = lane.person.get_username() if lane.person else lane.line.lane
        oldest = lane.line.oldest.isoformat() if lane.line.oldest else ""
        counts = {str(kind.value): count for kind, count in lane.line.waiting.items()}
        yield from _cells("queue", who, **counts, working=lane.line.working, oldest=oldest)
    yield from _machines(desk)
    yield from _costs(desk)


def saving_tables(book: Book) -> Iterator[tuple[str, object, str, object]]:
    """Yield every figure of the savings' page, in the same way."""
    periods = [f"{days} days" for days in ledger.PERIODS]
    spent = [book.spent(days) for days in ledger.PERIODS]
    lines = [("spent", spent), *((str(line.technique.value), line.periods) for line in book.by_technique())]
    for name, savings in lines:
        for period, saving in zip(periods, savings, strict=True):
            yield from _cells("savings", f"{name}, {period}", **_figures(saving))
    for day in book.by_day():
        yield from _cells("spent by day", day.day.isoformat(), **_figures(day.spent))
        yield from _cells("saved by day", day.day.isoformat(), **_figures(day.saved))
    for person in book.by_person():
        yield from _cells("saved by person", person.username, **_figures(person.saved))
    for line in book.by_model():
        facts = {"seconds": line.model.curve.fixed, "seconds_a_megapixel": line.model.curve.per_megapixel}
        yield from _cells("model", f"{line.style} {line.look}", **facts, paintings=line.model.paintings)


def _figures(saving: Saving) -> dict[str, object]:
    return {**vars(saving), "money": saving.money}


def _machines(desk: Desk) -> Iterator[tuple[str, object, str, object]]:
    for worker in (each.now for each in desk.workers):
        told = {"finished": worker.line.finished, "failed": worker.line.failed} if worker.line else {}
        report = vars(worker.line.report) if worker.line else {}
        facts = {"alive": bool(worker.line), "resting": worker.resting, "in_hand": len(worker.doing)}
        yield from _cells("workers", worker.name, **facts, **told, **report)
    for failure in desk.failures:
        yield from _cells(
            "failures", failure.reason, **{str(kind.value): count for kind, count in failure.counts.items()}
        )
    yield from _cells("bytes", "all", **vars(desk.stored))
    for person in desk.storage:
        yield from _cells("storage by person", person.username, photos=person.photos, bytes=person.bytes)


def _costs(desk: Desk) -> Iterator[tuple[str, object, str, object]]:
    for line in desk.people:
        yield from _cells("people", line.username, paintings=line.paintings, cpu_seconds=line.cpu_seconds)
    for step in desk.steps:
        scope = "private" if step.private else "shared"
        saved = step.saving.cpu_seconds
        yield from _cells("cache", f"{step.how} {scope}", paintings=step.artworks, cpu_seconds_saved=saved)
    fell = [(str(fall.technique.value), fall.saved) for fall in desk.waterfall.falls]
    for name, saving in [("naive", desk.waterfall.naive), *fell, ("actual", desk.waterfall.actual)]:
        yield from _cells("ledger", name, **_figures(saving))


def _cells(table: str, row: str, **figures: object) -> Iterator[tuple[str, object, str, object]]:
    return ((table, row, column, figure) for column, figure in figures.items())


def _saved(book: Book, batches: Batches, spared: Spared) -> Mapping[Technique, Saving]:
    of = {line.technique: line.periods[0] for line in book.by_technique()}
    done_together = batches.decodings_saved + batches.forks_saved
    return {
        Technique.SMALLER: of[Saver.SMALLER],
        Technique.BATCHES: Saving(done_together, batches.cpu_seconds),
        Technique.LOOKS: of[Saver.FAST],
        Technique.CACHE: of[Saver.SAME_FILE] + of[Saver.SAME_PICTURE] + of[Saver.TWIN],
        Technique.LAZY: Saving(spared.pages, 0.0, spared.bytes),
    }


def _minus(whole: Saving, part: Saving) -> Saving:
    return replace(
        whole,
        count=whole.count - part.count,
        cpu_seconds=whole.cpu_seconds - part.cpu_seconds,
        bytes=whole.bytes - part.bytes,
    )


def _photo_of(kind: Kind) -> QuerySet[Any, Any]:  # Any: of photos or artworks, the number of one photo
    if kind == Kind.READING:
        return Photo.objects.filter(source=OuterRef("pk")).order_by("pk").values("pk")[:1]
    rendition = OuterRef("pk") if kind == Kind.PAINTING else OuterRef("rendition")
    return Artwork.objects.filter(commission__rendition=rendition).order_by("pk").values("photo")[:1]


def _on(kind: Kind, shown: QuerySet[Photo]) -> Q:
    if kind == Kind.READING:
        return Q(pk__in=shown.values("source"))
    artworks = Artwork.objects.filter(photo__in=shown, commission__rendition__isnull=False)
    painted = artworks.values("commission__rendition")
    return Q(pk__in=painted) if kind == Kind.PAINTING else Q(rendition__in=painted)


def _erase_photos(ids: Sequence[int], *, now: datetime) -> int:
    """Take photos that were never read out of everybody's album, with their files; count the files."""
    photos.erase_everywhere(Photo.objects.filter(source__in=ids), now=now)
    return len(ids) - Source.objects.filter(pk__in=ids).count()


def _act(job: Job, ids: Sequence[int], *, now: datetime) -> int:
    if job == Job(Action.DELETE):
        _let_go(ids)
    return console.act(job.action, ids, kind=job.kind, now=now)


def _let_go(ids: Sequence[int]) -> None:
    """Take renditions out of everybody's history, with the files of photos that only a twin's painting still needed."""
    artworks = Artwork.objects.filter(commission__rendition__in=ids)
    lone = Source.objects.filter(commissions__rendition__in=ids, photos=None).distinct()
    unneeded = list(lone.values_list("pk", flat=True))
    artworks.delete()
    if unneeded:
        transaction.on_commit(lambda: sources.release(unneeded))
