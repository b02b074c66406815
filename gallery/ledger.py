"""The saving: what artworks would have cost and what they did cost; queries over their rows, no second bookkeeping."""

import operator
from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date, datetime, timedelta
from functools import reduce
from typing import Any, TypeAlias, TypeVar

from django.conf import settings
from django.db.models import Case, Count, F, FloatField, IntegerField, Q, QuerySet, Sum, TextChoices, Value, When
from django.db.models.expressions import Combinable
from django.db.models.functions import Cast
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from gallery.models import HOW_CONDITIONS, Artwork, How, Photo, User
from rendering import ledger, stats, sums
from rendering.ledger import Kind, Model
from rendering.models import Found
from rendering.sums import Figures, Sums

DAYS = 30
PERIODS = (1, 7, DAYS)
USUAL_LOOK = "studio"
FAST_LOOK = "fast"
REPEATED = Q(created_at__gt=F("source__waiting_since"))
"""A photo whose file had been brought before: its source has waited to be read since the first one came."""

Dated = TypeVar("Dated", "Entry", "Reading")
Line: TypeAlias = tuple[int, str, Figures]
"""The place of a stretch, what the figures are of, and the figures."""
Read: TypeAlias = Callable[[Sequence[datetime]], Sequence[Sums]]
"""Returns the sums between each two edges."""

COUNTED = Q(cancelled_at=None, commission__rendition__cpu_seconds__gt=0)
"""The artworks that count: nobody cancelled them, and their paintings were painted."""

STEPS = (How.TWIN, How.SAME_FILE, How.SAME_PICTURE, How.PAINTED)
HITS = (Q(twin=True), Q(same_file=True), Q(commission__found=Found.SAME_PICTURE))
STEP = Case(
    *(When(hit, then=Value(place)) for place, hit in enumerate(HITS)),
    default=Value(len(HITS)),
    output_field=IntegerField(),
)
"""The place of the step in STEPS: sorting numbers is half the time of sorting words."""


class Technique(TextChoices):
    """What saves computing time here."""

    SAME_FILE = "same_file", _("Same file")
    SAME_PICTURE = "same_picture", _("Same picture")
    TWIN = "twin", _("Twin")
    SMALLER = "smaller", _("Painted smaller than the photo")
    FAST = "fast", _("The look “fast”")


EXPLANATIONS = {
    Technique.SAME_FILE: _(
        "Photos whose bytes were here already, or on their way. Saved is what reading and painting had taken the first "
        "time, and the room that original and page files would have taken again."
    ),
    Technique.SAME_PICTURE: _(
        "Other files whose pixels were the same once read. Saved is what painting had taken the first time; reading "
        "was needed to know."
    ),
    Technique.TWIN: _(
        "Photos for which their owner chose the paintings of one that looks alike. Saved is what painting those had "
        "taken."
    ),
    Technique.SMALLER: _(
        "What was painted, at the photo's full size instead: the megapixels that were not painted, times what the "
        "model below says of one. Reading and storing larger pictures would cost more as well; that is not counted."
    ),
    Technique.FAST: _(
        "What was painted in the look “fast”, in the usual look instead, both by the model below. It is negative "
        "where the usual look takes less."
    ),
}


@dataclass(frozen=True)
class Saving:
    """What was not spent: CPU seconds of so many things, and bytes."""

    count: int = 0
    cpu_seconds: float = 0.0
    bytes: int = 0

    @property
    def money(self) -> float:
        """What it would have cost; the bytes for a month."""
        return self.cpu_seconds / 3600 * settings.PRICE_CPU_HOUR + self.bytes / 1e9 * settings.PRICE_GB

    def __add__(self, other: "Saving") -> "Saving":
        """Return both together."""
        return Saving(self.count + other.count, self.cpu_seconds + other.cpu_seconds, self.bytes + other.bytes)


@dataclass(frozen=True)
class Cost:
    """CPU seconds that one artwork would have cost alone, and that it did cost."""

    would: float
    did: float

    @property
    def saved(self) -> float:
        """CPU seconds that were not spent."""
        return self.would - self.did


@dataclass(frozen=True)
class Entry:
    """Artworks of one day (0: today) and one scope, got in one way, in one style and look."""

    day: int
    how: How
    style: str
    look: str
    private: bool
    paintings: Saving
    megapixels: float
    photo_megapixels: float


@dataclass(frozen=True)
class Reading:
    """Photos of one day (0: today) and one scope, whose files had been read before, or had not."""

    day: int
    private: bool
    repeated: bool
    photos: Saving


@dataclass(frozen=True)
class TechniqueLine:
    """What one technique has saved today, in 7 and in 30 days."""

    technique: Technique
    periods: Sequence[Saving]

    @property
    def explanation(self) -> str:
        """How it is computed, in words."""
        return str(EXPLANATIONS[self.technique])


@dataclass(frozen=True)
class ModelLine:
    """What the model says of one style's look."""

    style: str
    look: str
    model: Model


@dataclass(frozen=True)
class StepLine:
    """How many artworks of 30 days were got in one way within one scope, and what that saved."""

    how: How
    private: bool
    artworks: int
    saving: Saving


@dataclass(frozen=True)
class DayLine:
    """What one day has cost, and what it has saved by not painting again."""

    day: date
    spent: Saving
    saved: Saving


@dataclass(frozen=True)
class PersonLine:
    """What one person's uploads have saved in 30 days by not being painted again."""

    username: str
    saved: Saving


@dataclass(frozen=True)
class Person:
    """What was asked for by one person, the CPU seconds that it took, and what was not painted again."""

    asked: int
    cpu_seconds: float
    saved: Saving


@dataclass(frozen=True)
class Book:
    """The last 30 days (or a period, as if it were one day), read once: all tables are sums over it."""

    today: date
    entries: Sequence[Entry]
    readings: Sequence[Reading]
    models: Mapping[Kind, Model]
    people: Mapping[int, Person]

    def by_technique(self) -> list[TechniqueLine]:
        """Return what each technique has saved today, in 7 and in 30 days."""
        saved: dict[Technique, Callable[[int], Saving]] = {
            Technique.SAME_FILE: self._same_file,
            Technique.SAME_PICTURE: lambda days: self._got(How.SAME_PICTURE, days),
            Technique.TWIN: lambda days: self._got(How.TWIN, days),
            Technique.SMALLER: lambda days: self._estimated(self._smaller, days),
            Technique.FAST: lambda days: self._estimated(self._fast, days),
        }
        return [TechniqueLine(technique, [of(days) for days in PERIODS]) for technique, of in saved.items()]

    def by_step(self) -> list[StepLine]:
        """Return how the artworks of 30 days were got, by scope."""
        lines: dict[tuple[How, bool], Saving] = defaultdict(Saving)
        for entry in self.entries:
            lines[entry.how, entry.private] += entry.paintings
        return [
            StepLine(how, private, total.count, Saving() if how == How.PAINTED else total)
            for (how, private), total in sorted(lines.items())
        ]

    def by_day(self) -> list[DayLine]:
        """Return each of the 30 days, newest first."""
        return [
            DayLine(
                day=self.today - timedelta(days=day),
                spent=_total(self._paid(day, paid=True)),
                saved=_total(self._paid(day, paid=False)),
            )
            for day in range(DAYS)
        ]

    def by_person(self, *, limit: int = 10) -> list[PersonLine]:
        """Return the people whose uploads have saved most by not being painted again: one query for their names."""
        savers = {pk: person.saved for pk, person in self.people.items() if person.saved.count}
        most = sorted(savers, key=lambda pk: -savers[pk].cpu_seconds)[:limit]
        names = names_of(most)
        return [PersonLine(names[pk], savers[pk]) for pk in most if pk in names]

    def by_model(self) -> list[ModelLine]:
        """Return what the model says of each style's look."""
        return [ModelLine(style, look, model) for (style, look), model in self.models.items()]

    def spent(self, days: int) -> Saving:
        """Return what was painted and read in so many days."""
        return _total(saving for day in range(days) for saving in self._paid(day, paid=True))

    def _paid(self, day: int, *, paid: bool) -> list[Saving]:
        paintings = [each.paintings for each in self.entries if each.day == day and (each.how == How.PAINTED) == paid]
        # Photos are no paintings: they are not counted as such.
        photos = [each.photos for each in self.readings if each.day == day and each.repeated != paid]
        return [*paintings, *(replace(each, count=0) for each in photos)]

    def _same_file(self, days: int) -> Saving:
        read = [each.photos for each in _within(self.readings, days) if each.repeated]
        return self._got(How.SAME_FILE, days) + _total(replace(each, count=0) for each in read)

    def _got(self, how: How, days: int) -> Saving:
        return _total(each.paintings for each in _within(self.entries, days) if each.how == how)

    def _estimated(self, saving: Callable[[Entry], Saving], days: int) -> Saving:
        # What was not painted at all has saved its cost already: nothing is counted twice.
        return _total(saving(each) for each in _within(self.entries, days) if each.how == How.PAINTED)

    def _smaller(self, entry: Entry) -> Saving:
        model = self.models.get((entry.style, entry.look))
        larger = entry.photo_megapixels - entry.megapixels
        if model is None or larger <= 0:
            return Saving()
        # Photos that are small themselves are among them, and add nothing.
        return Saving(entry.paintings.count, larger * model.curve.per_megapixel)

    def _fast(self, entry: Entry) -> Saving:
        fast, usual = (self.models.get((entry.style, look)) for look in (FAST_LOOK, USUAL_LOOK))
        if entry.look != FAST_LOOK or fast is None or usual is None:
            return Saving()
        count = entry.paintings.count
        instead, did = (model.curve.at(entry.megapixels, paintings=count) for model in (usual, fast))
        return Saving(count, instead - did)


def cost_of(artwork: Artwork) -> Cost | None:
    """Return what an artwork would have cost alone, reading its photo included, and what it did; None until painted.

    Asks no query if the artwork came with its painting and its photo's source.
    """
    rendition = artwork.rendition
    if rendition is None or not rendition.cpu_seconds:
        return None
    reading = artwork.photo.source.cpu_seconds
    would = reading + rendition.cpu_seconds
    did = {How.PAINTED: would, How.SAME_FILE: 0.0}.get(artwork.how, reading)
    return Cost(would, did)


def open_book(*, now: datetime, read: Read | None = None) -> Book:
    """Open the book of the last 30 days, by the site's own midnights; the rows are summed up unless `read` is."""
    edges = stats.days(DAYS, now=now)
    return bind((read or sum_up)(edges), today=timezone.localdate(now))


def bind(days: Sequence[Sums], *, today: date) -> Book:
    """Return the book of these days, of which the last is today."""
    entries, readings = [], []
    for day, found in enumerate(reversed(days)):
        entries += [_entry(day, words, figures) for words, figures in sums.of(found, "art")]
        readings += [_reading(day, words, figures) for words, figures in sums.of(found, "photo")]
    people = {int(pk): _person(figures) for [pk], figures in sums.of(sums.total(days), "person")}
    return Book(today, entries, readings, ledger.models(), people)


def sum_up(edges: Sequence[datetime]) -> list[Sums]:
    """Sum up the artworks and photos that came between each two edges: four queries, however many there are."""
    stretches: list[Sums] = [{} for _ in edges[1:]]
    for queried in (_arts(edges), _photos(edges), _people(edges), _repeats(edges)):
        for number, name, figures in queried:
            sums.add(stretches[number], {name: figures})
    return stretches


def names_of(people: Iterable[int]) -> dict[int, str]:
    """Return the names of those of these people who are still here."""
    return dict(User.objects.filter(pk__in=list(people)).values_list("pk", "username"))


def _arts(edges: Sequence[datetime]) -> Iterator[Line]:
    shared = _flag(Q(commission__source__scope=""))
    kinds = sums.within(Artwork.objects.filter(COUNTED), edges, "created_at").annotate(
        place=sums.place(edges, "created_at"), shared=shared, step=STEP
    )
    figures = {
        "count": Count("pk"),
        "cpu": Sum("commission__rendition__cpu_seconds"),
        "size": Sum("commission__rendition__stored_bytes"),
        "painted": Sum(_megapixels("commission__rendition")),
        "brought": Sum(_megapixels("commission__source")),
    }
    groups = kinds.values_list("place", "step", "shared", "style", "look").annotate(**figures)
    for place, step, is_shared, style, look, *values in groups.order_by():
        yield place, f"art {STEPS[step]} {is_shared} {style} {look}", values


def _photos(edges: Sequence[datetime]) -> Iterator[Line]:
    kinds = sums.within(Photo.objects.all(), edges, "created_at").annotate(
        place=sums.place(edges, "created_at"), shared=_flag(Q(source__scope="")), repeated=_flag(REPEATED)
    )
    for place, shared, repeated, *values in _read(kinds.values_list("place", "shared", "repeated")):
        yield place, f"photo {shared} {repeated}", values


def _people(edges: Sequence[datetime]) -> Iterator[Line]:
    cpu, hit = "commission__rendition__cpu_seconds", reduce(operator.or_, HITS) & COUNTED
    asked = sums.within(Artwork.objects.all(), edges, "created_at").annotate(place=sums.place(edges, "created_at"))
    figures = {
        "count": Count("pk"),
        "cpu": Sum(cpu, filter=HOW_CONDITIONS[How.PAINTED], default=0.0),
        "hits": Count("pk", filter=hit),
        "spared": Sum(cpu, filter=hit, default=0.0),
        "size": Sum("commission__rendition__stored_bytes", filter=hit, default=0),
    }
    for place, owner, *values in asked.values_list("place", "photo__owner").annotate(**figures).order_by():
        yield place, f"person {owner}", values


def _repeats(edges: Sequence[datetime]) -> Iterator[Line]:
    repeated = sums.within(Photo.objects.filter(REPEATED), edges, "created_at")
    kinds = repeated.annotate(place=sums.place(edges, "created_at")).values_list("place", "owner")
    for place, owner, _count, cpu, size in _read(kinds):
        yield place, f"person {owner}", [0, 0, 0, cpu, size]


def _entry(day: int, words: Sequence[str], figures: Figures) -> Entry:
    how, shared, style, look = words
    *paintings, painted, brought = figures
    return Entry(day, How(how), style, look, shared == "0", _saving(paintings), painted, brought)


def _reading(day: int, words: Sequence[str], figures: Figures) -> Reading:
    shared, repeated = words
    return Reading(day, shared == "0", repeated == "1", _saving(figures))


def _person(figures: Figures) -> Person:
    asked, cpu, *saved = figures
    return Person(int(asked), cpu, _saving(saved))


def _saving(figures: Figures) -> Saving:
    count, cpu_seconds, size = figures
    return Saving(int(count), cpu_seconds, int(size))


def _read(kinds: QuerySet[Any, Any]) -> QuerySet[Any, Any]:  # Any: rows of groups
    stored = F("source__size") + F("source__stored_bytes")
    groups: QuerySet[Any, Any] = kinds.annotate(
        count=Count("pk"), cpu=Sum("source__cpu_seconds"), size=Sum(stored)
    ).order_by()
    return groups


def _flag(condition: Q) -> Case:
    return Case(When(condition, then=Value(1)), default=Value(0), output_field=IntegerField())


def _megapixels(of: str) -> Combinable:
    return Cast(F(f"{of}__width") * F(f"{of}__height"), FloatField()) * 1e-6


def _within(lines: Iterable[Dated], days: int) -> Iterator[Dated]:
    return (line for line in lines if line.day < days)


def _total(savings: Iterable[Saving]) -> Saving:
    return sum(savings, start=Saving())
