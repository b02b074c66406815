"""The admin's desk: who waits and what it costs, with people's names; and what staff does with anybody's paintings."""

import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime

from django.db import models, transaction
from django.db.models import Count, F, OuterRef, QuerySet, Subquery, Sum
from django.utils.translation import gettext_lazy as _

from gallery import audit, ledger, traffic
from gallery.ledger import Book, Saving, StepLine
from gallery.ledger import Technique as Saver
from gallery.models import HOW_CONDITIONS, Artwork, How, Photo, User
from gallery.traffic import Spared
from rendering import console, sources, stats, turns
from rendering.console import Action, Wanted
from rendering.models import Rendition, Source
from rendering.stats import Bar, Batches, FailureLine, LaneLine, Span, Stored, StyleTimes, Trouble, WorkerNow

MOST = 1000
"""So many renditions are changed at once at most."""
TOP = 10
LANE = re.compile(r"person-(\d+)")


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
class Desk:
    """All that the dashboard shows."""

    span: Span
    bars: Sequence[Bar]
    times: Sequence[StyleTimes]
    lanes: Sequence[NamedLane]
    workers: Sequence[WorkerNow]
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
    since = now - span.length
    lanes = named(stats.lanes())
    reachable, workers = stats.crew()
    waiting = sum(sum(each.line.waiting.values()) for each in lanes)
    book, batches = ledger.sum_up(since=since), stats.batches(since)
    return Desk(
        span=span,
        bars=stats.finished(span, now=now),
        times=stats.times(span, now=now),
        lanes=lanes,
        workers=workers,
        trouble=stats.trouble(reachable=reachable, workers=workers, waiting=waiting),
        failures=stats.failures(since),
        steps=book.by_step(),
        waterfall=waterfall(book, batches, traffic.spared(since, now)),
        batches=batches,
        stored=stats.stored(),
        storage=storage_by_person(),
        people=top_people(since),
        paused=turns.is_resting(""),
    )


def named(lines: Iterable[LaneLine]) -> list[NamedLane]:
    """Return lanes with the people whose they are: one query."""
    found = [(line, LANE.fullmatch(line.lane)) for line in lines]
    people = User.objects.in_bulk([int(match[1]) for line, match in found if match])
    return [NamedLane(line, people.get(int(match[1])) if match else None) for line, match in found]


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


def top_people(since: datetime) -> list[PersonLine]:
    """Return who has asked for most since then; computing time is of what was painted for them."""
    asked = Artwork.objects.filter(created_at__gte=since).order_by().values(name=F("photo__owner__username"))
    cpu = Sum("commission__rendition__cpu_seconds", filter=HOW_CONDITIONS[How.PAINTED], default=0.0)
    most = asked.annotate(paintings=Count("pk"), cpu=cpu).order_by("-paintings", "name")[:TOP]
    return [PersonLine(row["name"], row["paintings"], row["cpu"]) for row in most]


def storage_by_person() -> list[StorageLine]:
    """Return whose photos take most room: original files and what pages show of them."""
    size = Sum(F("source__size") + F("source__stored_bytes"))
    owners = Photo.objects.order_by().values(name=F("owner__username"))
    most = owners.annotate(photos=Count("pk"), size=size).order_by("-size", "name")[:TOP]
    return [StorageLine(row["name"], row["photos"], row["size"]) for row in most]


def find_jobs(wanted: Wanted, *, person: str = "", title: str = "") -> QuerySet[Rendition]:
    """Return the renditions that are looked for, of this person's photos or of photos of this title; newest first."""
    found = console.find(wanted)
    photos = Photo.objects.all()
    if person:
        photos = photos.filter(owner__username__iexact=person)
    if title:
        photos = photos.filter(title__icontains=title)
    if person or title:
        artworks = Artwork.objects.filter(photo__in=photos, commission__rendition__isnull=False)
        found = found.filter(pk__in=artworks.values("commission__rendition"))
    return found


def with_artworks(found: QuerySet[Rendition]) -> list[tuple[Rendition, Artwork | None]]:
    """Return each with the first artwork that shows it, its photo and its owner: two queries."""
    first = Artwork.objects.filter(commission__rendition=OuterRef("pk")).order_by("pk").values("pk")[:1]
    rows = list(found.annotate(first_artwork=Subquery(first)))
    artworks = Artwork.objects.select_related("photo__owner").in_bulk([vars(row)["first_artwork"] for row in rows])
    return [(row, artworks.get(vars(row)["first_artwork"])) for row in rows]


def fitting(found: QuerySet[Rendition], action: Action) -> list[int]:
    """Return which of these an action fits, the newest thousand of them at most."""
    return console.fitting(found, action, most=MOST)


def act(action: Action, ids: Sequence[int], *, by: User, reason: str, now: datetime, **facts: object) -> int:
    """Do it with all of these, and write it down; count those it was done to."""
    with transaction.atomic():
        if action == Action.DELETE:
            _let_go(ids)
        count = console.act(action, ids, now=now)
        subject = f"rendition {ids[0]}" if len(ids) == 1 else f"{count} renditions"
        audit.note(by=by, action=f"job.{action}", subject=subject, reason=reason, now=now, count=count, **facts)
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


def _machines(desk: Desk) -> Iterator[tuple[str, object, str, object]]:
    for worker in desk.workers:
        told = {"finished": worker.line.finished, "failed": worker.line.failed} if worker.line else {}
        in_hand = len(worker.doing)
        yield from _cells(
            "workers", worker.name, alive=bool(worker.line), resting=worker.resting, in_hand=in_hand, **told
        )
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
        yield from _cells("ledger", name, cpu_seconds=saving.cpu_seconds, bytes=saving.bytes, money=saving.money)


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


def _let_go(ids: Sequence[int]) -> None:
    """Take renditions out of everybody's history, with the files of photos that only a twin's painting still needed."""
    artworks = Artwork.objects.filter(commission__rendition__in=ids)
    lone = Source.objects.filter(commissions__rendition__in=ids, photos=None).distinct()
    unneeded = list(lone.values_list("pk", flat=True))
    artworks.delete()
    if unneeded:
        transaction.on_commit(lambda: sources.release(unneeded))
