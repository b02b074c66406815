"""Estimates: a simulation of the lanes over recorded times, and what the rows say."""

import random
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import timedelta
from statistics import fmean, median

import pytest
from django.conf import settings
from pytest_django import DjangoAssertNumQueries
from redis.exceptions import RedisError

from rendering import estimates, queue, recipes
from rendering.estimates import Estimate, Line, Past
from rendering.models import Commission, Lane, Priority, Rendition, Source, State
from tests import makers
from tests.rendering.makers import NOON, rendition_row, source_row

SECOND = timedelta(seconds=1)
# Wall-clock seconds of one busy core, ten photos of 2.7 to 24 megapixels each: reading, and four paintings with files.
# fmt: off
RECORDED_READS = [
    0.05, 0.06, 0.06, 0.06, 0.06, 0.06, 0.07, 0.07, 0.08, 0.08, 0.08, 0.09, 0.09, 0.09, 0.09, 0.09,
    0.09, 0.09, 0.1, 0.1, 0.1, 0.11, 0.11, 0.11, 0.12, 0.12, 0.12, 0.13, 0.13, 0.13, 0.15, 0.16,
    0.16, 0.16, 0.17, 0.19, 0.21, 0.25, 0.3, 0.34,
]
RECORDED_PAINTS = [
    0.3, 0.31, 0.38, 0.41, 0.41, 0.43, 0.46, 0.48, 0.48, 0.48, 0.5, 0.51, 0.51, 0.51, 0.51, 0.53,
    0.54, 0.54, 0.54, 0.56, 0.56, 0.57, 0.57, 0.57, 0.58, 0.59, 0.59, 0.61, 0.61, 0.61, 0.63, 0.63,
    0.65, 0.73, 0.74, 0.78, 0.78, 0.79, 0.82, 0.9,
]
# fmt: on
READING_AHEAD = 1.0


@dataclass
class Photo:
    """A photo of the simulation: how long its work takes, and when it was done."""

    read: float
    paint: float
    waits_from: float = 0
    done: float = 0


@dataclass
class SimulatedLane:
    """One person's photos: unread, read, and when the lane was served."""

    unread: list[Photo]
    read: list[Photo] = field(default_factory=list)
    served: float = -1

    def turn(self, now: float) -> float:
        """Do one unit as a worker does, and return when it is done."""
        photo = self.unread.pop(0) if self.unread else None
        until = now
        if photo:
            until += photo.read
            photo.waits_from = until
            self.read.append(photo)
            overdue = self.read[0].waits_from < until - READING_AHEAD
            if self.unread and not overdue:
                return until
        first = self.read.pop(0)
        # Another worker has no painting before its photo has been read.
        first.done = max(until, first.waits_from) + first.paint
        return first.done


def work_off(lanes: list[SimulatedLane], workers: int) -> Iterator[float]:
    """Let workers take turns until nothing waits; yield each moment at which one of them is free."""
    free = [0.0] * workers
    while any(lane.unread or lane.read for lane in lanes):
        now = min(free)
        yield now
        waiting = [lane for lane in lanes if lane.unread or lane.read]
        lane = min(waiting, key=lambda each: each.served)
        lane.served = now
        free[free.index(now)] = lane.turn(now)


def foreseen(lanes: list[SimulatedLane], workers: int, past: list[Photo]) -> list[tuple[Photo, Estimate]]:
    """Return what people are told of each photo that waits, from nothing but counts and the mean of past times."""
    reading, painting = fmean(photo.read for photo in past), fmean(photo.paint for photo in past)
    lines = {
        id(lane): Line(
            reads=len(lane.unread),
            paints=len(lane.unread) + len(lane.read),
            read_seconds=reading,
            paint_seconds=painting,
            served_at=NOON + timedelta(seconds=lane.served) if lane.served >= 0 else None,
        )
        for lane in lanes
        if lane.unread or lane.read
    }
    found = []
    for lane in lanes:
        others = [line for key, line in lines.items() if key != id(lane)]
        for turns, photo in enumerate([*lane.read, *lane.unread]):
            told = estimates.estimate(lines[id(lane)], others, turns=turns, seconds=painting, workers=workers)
            found.append((photo, told))
    return found


def errors_of_one_day(seed: int) -> list[float]:
    """Return the relative errors of what people were told, at the start and at moments on the way."""
    chance = random.Random(seed)  # noqa: S311 - a simulation
    photos = lambda count: [  # noqa: E731
        Photo(chance.choice(RECORDED_READS), chance.choice(RECORDED_PAINTS)) for _ in range(count)
    ]
    lanes = [SimulatedLane(photos(chance.randint(1, 60))) for _ in range(chance.randint(1, 6))]
    workers, past = chance.randint(1, 4), photos(50)
    told = []
    for moment, now in enumerate(work_off(lanes, workers)):
        if moment % 25 == 0:
            told += [(now, photo, estimate) for photo, estimate in foreseen(lanes, workers, past)]
    return [abs(estimate.seconds - (photo.done - now)) / (photo.done - now) for now, photo, estimate in told]


def test_estimates_are_right_within_thirty_percent(capsys: pytest.CaptureFixture[str]):
    errors = {seed: errors_of_one_day(seed) for seed in range(40)}

    everything = sorted(error for day in errors.values() for error in day)
    tenths = {part: everything[int(len(everything) * part / 10)] for part in (5, 9)}
    days = sorted(median(day) for day in errors.values())
    with capsys.disabled():
        print(  # noqa: T201
            f"\nestimates of the time until done: {len(everything)} told, median error {tenths[5]:.0%}, "
            f"nine of ten within {tenths[9]:.0%}; median of the worst of {len(days)} days {days[-1]:.0%}"
        )
    assert tenths[5] <= 0.3
    assert tenths[9] <= 0.5


def test_estimate_counts_the_own_lane_and_as_many_turns_of_the_others():
    own, long, short = (Line(paints=count, paint_seconds=1) for count in (10, 50, 2))

    told = estimates.estimate(own, [long, short], turns=4, seconds=1, workers=2)

    assert told == Estimate(place=1 + 4 + 4 + 2, seconds=(4 + 4 + 2) / 2 + 0.5 + 1)


@pytest.mark.parametrize(
    ("own_turn", "other_turn", "place"),
    [(NOON, NOON - SECOND, 2), (NOON - SECOND, NOON, 1), (None, NOON, 1), (NOON, None, 2), (None, None, 1)],
)
def test_estimate_lets_the_lane_go_first_that_was_served_the_longest_ago(own_turn, other_turn, place):
    own, other = (Line(paints=1, paint_seconds=1, served_at=served) for served in (own_turn, other_turn))

    assert estimates.estimate(own, [other], turns=0, seconds=1, workers=1).place == place


def test_estimate_counts_the_reading_of_photos_that_come_before():
    own = Line(reads=3, paints=5, read_seconds=1, paint_seconds=2)

    assert [own.seconds(turns) for turns in (0, 1, 3, 4, 9)] == [0, 3, 9, 11, 13]


def test_estimate_without_workers_is_that_of_one():
    line = Line(paints=3, paint_seconds=2)

    told = [estimates.estimate(line, [], turns=2, seconds=2, workers=workers) for workers in (0, 1)]

    assert told == [Estimate(3, 7), Estimate(3, 7)]


def past(canvas: str, recipe: str, cpu: float, *, wall: float, read: float = 0.2, begun: float = 0) -> Past:
    start, end = NOON + begun * SECOND, NOON + wall * SECOND
    return Past(canvas, "a turn", recipe, cpu, start, end, NOON - read * SECOND, NOON)


def test_pace_is_the_usual_of_what_was_recorded():
    pace = estimates.pace_of(
        [
            past("a", "oil 1 @1024", 0.4, wall=0.5, read=0.1),
            past("a", "pencil 1 @1024", 0.1, wall=1.0, read=0.1, begun=0.1),
            past("b", "oil 1 @1024", 0.6, wall=1.2, read=0.4),
        ]
    )

    assert pace.load == pytest.approx(2)
    assert (pace.paint("oil 1 @1024"), pace.paint("pencil 1 @1024")) == pytest.approx((1.0, 0.2))
    assert (pace.paint("ink 1 @1024"), pace.usual, pace.photo) == pytest.approx((0.6, 0.6, 0.9))
    assert pace.read == pytest.approx(0.1)


def test_pace_of_full_size_paintings_is_their_own():
    pace = estimates.pace_of([past("a", "oil 1 @full", 5, wall=5), past("b", "oil 1 @1024", 1, wall=1)])

    assert (pace.paint("ink 1 @full"), pace.paint("ink 1 @1024")) == (5, 1)


def test_pace_of_a_new_site_is_the_usual():
    pace = estimates.pace_of([])

    assert (pace.read, pace.paint("oil 1 @1024"), pace.paint("oil 1 @full")) == (
        estimates.READ_SECONDS,
        estimates.PAINT_SECONDS,
        estimates.FULL_SIZE_SECONDS,
    )


def test_pace_is_not_led_astray_by_clocks_and_nights():
    back = past("a", "oil 1 @1024", 0.5, wall=-3600, read=-3600)
    night = past("b", "oil 1 @1024", 0.5, wall=40_000)

    assert (estimates.pace_of([back]).load, estimates.pace_of([back]).read) == (1, 0)
    assert estimates.pace_of([night]).load == estimates.LONGEST_LOAD


def test_pace_is_that_of_the_newest_photos():
    """Before, an album came in, and uploads took their share of the machine."""
    quiet = [past(f"new {number}", "oil 1 @1024", 0.5, wall=0.6) for number in range(estimates.NEWEST)]
    busy = [past(f"old {number}", "oil 1 @1024", 0.5, wall=2) for number in range(3 * estimates.NEWEST)]

    assert estimates.pace_of([*quiet, *busy]).load == pytest.approx(1.2)


@pytest.fixture
def one_worker(monkeypatch: pytest.MonkeyPatch) -> None:
    """Have one worker, whether or not a queue server runs."""
    monkeypatch.setattr(estimates, "_workers", lambda: 1)


def unread(lane: str, since: float, *, priority: int = Priority.USUAL) -> tuple[Source, list[Commission]]:
    """Return a photo that waits to be read, with its two wishes."""
    source = source_row(lane=lane, waiting_since=NOON + since * SECOND, priority=priority)
    return source, [makers.commission(source, style=style) for style in ("oil", "pencil")]


def read(lane: str, since: float, *, state: State = State.WAITING) -> tuple[Source, list[Commission]]:
    """Return a photo that has been read, with two renditions."""
    source, canvas = makers.source(lane=lane), f"{Rendition.objects.count():064d}"
    since_then = NOON + since * SECOND
    paintings = [
        makers.rendition(style=style, state=state, lane=lane, waiting_since=since_then, canvas_key=canvas)
        for style in ("oil", "pencil")
    ]
    return source, [
        makers.commission(source, style=style, painting=painting)
        for style, painting in zip(("oil", "pencil"), paintings, strict=True)
    ]


def places(*wishes: tuple[Source, list[Commission]]) -> list[int]:
    told = estimates.foretell(wishes)
    return [told[source.pk].place for source, _ in wishes]


@pytest.mark.usefixtures("db", "one_worker")
def test_photos_of_a_lane_are_painted_in_the_order_in_which_they_came():
    first, second, third = unread("person-1", 0), unread("person-1", 1), read("person-1", 2)

    assert places(first, second, third) == [2, 3, 1]


@pytest.mark.usefixtures("db", "one_worker")
def test_photo_that_somebody_looks_at_is_first():
    unread("person-1", 0)
    last = unread("person-1", 5, priority=Priority.WATCHED)

    assert places(last) == [1]


@pytest.mark.usefixtures("db", "one_worker")
def test_photo_of_a_newcomer_does_not_wait_for_an_album():
    Lane.serve("person-1", before=None, now=NOON)
    album = [unread("person-1", since) for since in range(20)]
    newcomer = unread("person-2", 100)

    assert places(newcomer, album[0], album[-1]) == [1, 2, 21]


@pytest.mark.usefixtures("db", "one_worker")
def test_seconds_follow_what_was_painted_lately():
    done = NOON + 8 * SECOND
    for style, seconds in (("oil", 6.0), ("pencil", 2.0)):
        recipe = recipes.compose(style, look="studio", long_edge=settings.LONG_EDGE)
        facts = {"recipe": recipe.text, "recipe_digest": recipe.digest, "style": style, "canvas_key": "9" * 64}
        files = {"folder": "renditions/aa", "width": 64, "height": 48}
        rendition_row(
            state=State.DONE, cpu_seconds=seconds, started_at=NOON, finished_at=done, used_at=done, **facts, **files
        )
    source, asked = read("person-1", 0)

    told = estimates.foretell([(source, asked)])

    # Its own two paintings, and half a photo that is under way.
    assert told == {source.pk: Estimate(1, 8 + 4)}


@pytest.mark.usefixtures("db", "one_worker")
def test_what_does_not_wait_is_not_foretold(django_assert_num_queries: DjangoAssertNumQueries):
    done, working = read("person-1", 0, state=State.DONE), read("person-1", 0, state=State.WORKING)
    failed = source_row(state=State.FAILED)

    with django_assert_num_queries(0):
        told = estimates.foretell([done, working, (failed, [])])

    assert told == {}


@pytest.mark.usefixtures("db")
@pytest.mark.parametrize(("workers", "known"), [(0, False), (2, True)])
def test_without_a_living_worker_nobody_knows(monkeypatch: pytest.MonkeyPatch, workers: int, known: bool):
    monkeypatch.setattr(queue, "count_workers", lambda: workers)

    assert bool(estimates.foretell([unread("person-1", 0)])) is known


@pytest.mark.usefixtures("db")
def test_with_the_queue_away_the_settings_tell_how_many_workers_there_are(monkeypatch: pytest.MonkeyPatch):
    for _ in range(5):
        unread("person-1", 0)
    asked, told = unread("person-1", 1), []
    monkeypatch.setattr(queue, "count_workers", raising)

    for workers in (1, 4):
        monkeypatch.setattr(settings, "WORKERS", workers)
        told.append(estimates.foretell([asked])[asked[0].pk].seconds)

    assert told[0] > 2 * told[1]


def raising() -> None:
    raise RedisError


@pytest.mark.usefixtures("db", "one_worker")
@pytest.mark.parametrize("count", [1, 30])
def test_foretelling_asks_the_database_five_times(count: int, django_assert_num_queries: DjangoAssertNumQueries):
    wishes = [unread("person-1", number) for number in range(count)] + [read("person-2", 0)]

    with django_assert_num_queries(5):
        told = estimates.foretell(wishes)

    assert len(told) == count + 1


@pytest.mark.usefixtures("db", "one_worker")
def test_pace_is_looked_up_once_a_second(
    monkeypatch: pytest.MonkeyPatch, django_assert_num_queries: DjangoAssertNumQueries
):
    monkeypatch.setattr(estimates, "FRESH_SECONDS", 3600.0)
    first = unread("person-1", 0)
    before = estimates.foretell([first])
    second = unread("person-1", 1)

    with django_assert_num_queries(3):
        told = estimates.foretell([first, second])

    # How many wait is never a second old.
    assert (told[first[0].pk], told[second[0].pk].place) == (before[first[0].pk], 2)
