"""Each figure of the desk is what the rows say, and what staff does with anybody's paintings is written down."""

from dataclasses import replace
from datetime import timedelta

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from gallery import desk, ledger
from gallery.desk import Job, Technique
from gallery.ledger import Book
from gallery.models import Artwork, AuditEntry, How, Photo, User
from gallery.traffic import Spared
from rendering import stats, turns
from rendering.console import Action, Wanted
from rendering.models import Commission, Export, Found, Kind, Reason, Rendition, State
from rendering.stats import Batches, Doing, LaneLine, Span, Trouble, WorkerNow
from tests import makers
from tests.makers import NOON
from tests.processes import Valkey

HOUR = timedelta(hours=1)
NO_BATCHES = Batches(0, 0, 0, 0, 0.0)


@pytest.fixture(autouse=True)
def queue(valkey: Valkey) -> Valkey:
    return valkey


def again(artwork: Artwork, owner: User, **facts: object) -> Artwork:
    """Return the same painting in somebody else's album, at no cost."""
    photo = Photo.objects.filter(owner=owner, source=artwork.photo.source).first()
    photo = photo or makers.photo(owner, of=artwork.photo.source)
    told = {"style": artwork.style, "look": artwork.look, "created_at": NOON, **facts}
    return Artwork.objects.create(photo=photo, commission=artwork.commission, **told)


def book_of() -> Book:
    return ledger.bind(ledger.sum_up([NOON - HOUR, NOON + HOUR]), today=NOON.date())


def test_waterfall_goes_from_naive_to_actual(alice: User, bob: User):
    first = makers.artwork(makers.photo(alice), style="oil")
    second = makers.artwork(makers.photo(alice), style="pencil")
    again(first, bob, same_file=True)
    Commission.objects.filter(pk=second.commission_id).update(found=Found.SAME_PICTURE)
    batches = Batches(paintings=4, decodings=3, units=5, forks=2, megapixels=12.0)

    fall = desk.waterfall(book_of(), batches, Spared(1, 2, 5000, 300))

    saved = {each.technique: each.saved for each in fall.falls}
    size = Rendition.objects.get(commissions=first.commission).stored_bytes
    photo = first.photo.source.size + first.photo.source.stored_bytes
    assert fall.actual.cpu_seconds == pytest.approx(0.1)
    assert saved[Technique.CACHE].cpu_seconds == pytest.approx(0.2)
    assert saved[Technique.CACHE].bytes == 2 * size
    assert saved[Technique.BATCHES].cpu_seconds == pytest.approx(batches.cpu_seconds)
    assert saved[Technique.LAZY].bytes == 4700
    assert fall.actual.bytes == size + 3 * photo
    assert fall.naive.cpu_seconds == pytest.approx(0.3 + batches.cpu_seconds)
    assert fall.naive.bytes == fall.actual.bytes + sum(each.bytes for each in saved.values())


def test_waterfall_steps_meet(alice: User):
    makers.finished_photo(alice)

    fall = desk.waterfall(book_of(), Batches(4, 1, 5, 1, 0.8), Spared())

    ends = [fall.naive, *(each.after for each in fall.falls)]
    assert [each.before for each in fall.falls] == ends[:-1]
    assert ends[-1].cpu_seconds == pytest.approx(fall.actual.cpu_seconds)
    assert ends[-1].bytes == fall.actual.bytes
    assert {each.technique for each in fall.falls} == set(Technique)
    assert all(each.explanation for each in fall.falls)


def test_smaller_and_looks_are_the_ledgers_own(alice: User):
    photo = makers.photo(alice)
    type(photo.source).objects.filter(pk=photo.source.pk).update(width=4000, height=3000)
    makers.artwork(photo, style="oil", look="fast")
    book = book_of()

    saved = {each.technique: each.saved for each in desk.waterfall(book, NO_BATCHES, Spared()).falls}

    of = {line.technique: line.periods[0] for line in book.by_technique()}
    assert saved[Technique.SMALLER] == of[ledger.Technique.SMALLER]
    assert saved[Technique.SMALLER].cpu_seconds == pytest.approx(0.0217 * (12 - 64 * 48 * 1e-6))
    assert saved[Technique.LOOKS] == of[ledger.Technique.FAST]


def test_lanes_are_named(alice: User):
    lines = [LaneLine(lane, {Kind.PAINTING: 1}, 0, NOON) for lane in (alice.lane, "person-999999", "")]

    assert [each.person for each in desk.named(lines)] == [alice, None, None]


def test_top_people_are_told_with_what_was_painted_for_them(alice: User, bob: User):
    made = makers.finished_photo(alice)
    again(made.artworks.get(style="oil"), bob, same_file=True)
    makers.artwork(makers.photo(bob), created_at=NOON - 2 * HOUR)

    lines = desk.top_people(book_of())

    assert [(line.username, line.paintings, round(line.cpu_seconds, 6)) for line in lines] == [
        ("alice", 4, 0.4),
        ("bob", 1, 0),
    ]


def test_storage_is_told_by_person(alice: User, bob: User):
    first, second, third = makers.photo(alice), makers.photo(alice), makers.photo(bob)

    lines = desk.storage_by_person()

    size = {each: each.source.size + each.source.stored_bytes for each in (first, second, third)}
    assert [(line.username, line.photos, line.bytes) for line in lines] == [
        ("alice", 2, size[first] + size[second]),
        ("bob", 1, size[third]),
    ]


def test_desk_takes_its_figures_from_the_rows(alice: User):
    makers.finished_photo(alice)
    made = makers.artwork(makers.photo(alice), state=State.WAITING)
    Rendition.objects.filter(commissions=made.commission).update(lane=alice.lane)
    now = NOON + HOUR

    shown = desk.open_desk(Span.DAY, now=now)

    assert (shown.photos, shown.paintings, shown.waiting, shown.working) == (2, 4, 1, 0)
    assert [(line.how, line.private, line.artworks) for line in shown.steps] == [(How.PAINTED, False, 4)]
    assert [each.person for each in shown.lanes] == [alice]
    assert (shown.trouble, shown.paused) == (Trouble.NO_WORKER, False)
    assert shown.stored == replace(stats.stored(), disk_free=shown.stored.disk_free)


def test_desk_asks_a_constant_number_of_queries(alice: User, django_assert_num_queries):
    makers.finished_photo(alice)
    with django_assert_num_queries(29):
        desk.open_desk(Span.DAY, now=NOON + HOUR)
    for _ in range(2):
        makers.finished_photo(alice)

    with django_assert_num_queries(29):
        desk.open_desk(Span.DAY, now=NOON + HOUR)


def test_jobs_are_found_by_person_and_by_title(alice: User, bob: User):
    falcon = makers.artwork(makers.photo(alice, title="Red falcon")).rendition
    boat = makers.artwork(makers.photo(alice, title="Boat")).rendition
    his = makers.artwork(makers.photo(bob, title="Falcon")).rendition

    assert list(desk.find_jobs(Wanted())) == [his, boat, falcon]
    assert list(desk.find_jobs(Wanted(), person="ALICE")) == [boat, falcon]
    assert list(desk.find_jobs(Wanted(), title="falcon")) == [his, falcon]
    assert list(desk.find_jobs(Wanted(), person="alice", title="falcon")) == [falcon]
    assert list(desk.find_jobs(Wanted(style="pencil"), person="alice")) == []


@pytest.mark.parametrize(
    ("title", "sought"), [("100% Wool", "100% w"), ("a_b", "A_B"), ("back\\slash", "K\\S"), ("Été", "é")]
)
def test_title_is_found_by_what_it_holds_whatever_its_case(alice: User, title: str, sought: str):
    meant = makers.artwork(makers.photo(alice, title=title)).rendition
    makers.artwork(makers.photo(alice, title="1000 aXb Wool"))

    assert list(desk.find_jobs(Wanted(), title=sought)) == [meant]


def test_delete_takes_paintings_out_of_everybodys_album(alice: User, bob: User, staff: User):
    made = makers.artwork(makers.photo(alice))
    rendition = Rendition.objects.get(commissions=made.commission)
    again(made, bob, same_file=True)
    kept = makers.artwork(makers.photo(bob))

    count = desk.act(Job(Action.DELETE), [rendition.pk], by=staff, reason="asked for", now=NOON)

    assert count == 1
    assert list(Artwork.objects.all()) == [kept]
    assert Photo.objects.count() == 3
    [entry] = AuditEntry.objects.all()
    assert (entry.action, entry.subject) == ("job.delete", f"rendition {rendition.pk}")
    assert (entry.actor, entry.reason, entry.facts) == (staff, "asked for", {"count": 1})


def test_readings_are_found_by_person_title_and_style(alice: User, bob: User):
    hers = makers.photo(alice, title="Red falcon", of=makers.source(state=State.FAILED, reason=Reason.DAMAGED))
    his = makers.photo(bob, title="Boat", of=makers.source(state=State.WAITING))
    makers.commission(his.source, style="pencil")

    def found(wanted: Wanted, **named: str) -> list[int]:
        return [each.pk for each in desk.find_jobs(wanted, kind=Kind.READING, **named)]

    assert found(Wanted()) == [his.source_id, hers.source_id]
    assert found(Wanted(state="failed", reason="damaged")) == [hers.source_id]
    assert found(Wanted(style="pencil")) == [his.source_id]
    assert found(Wanted(), person="ALICE") == [hers.source_id]
    assert found(Wanted(), title="boat") == [his.source_id]
    rows = desk.with_photos(desk.find_jobs(Wanted(), kind=Kind.READING), kind=Kind.READING)
    assert [photo for _row, photo in rows] == [his, hers]


def test_deleted_reading_takes_the_photo_with_it_and_no_other(alice: User, bob: User, staff: User):
    broken = makers.photo(alice, of=makers.source(state=State.FAILED, reason=Reason.DAMAGED))
    makers.photo(bob, of=broken.source)
    kept = makers.photo(alice)
    ids = desk.fitting(desk.find_jobs(Wanted(), kind=Kind.READING), Action.DELETE, kind=Kind.READING)

    count = desk.act(Job(Action.DELETE, Kind.READING), ids, by=staff, reason="", now=NOON)

    assert (count, list(Photo.objects.all())) == (1, [kept])
    assert [(each.action, each.subject) for each in AuditEntry.objects.all()] == [
        ("job.delete", f"source {broken.source_id}")
    ]


KIND_ACTIONS = [(kind, action) for kind in Kind for action in Action]


@pytest.mark.parametrize(("kind", "action"), KIND_ACTIONS)
def test_statements_of_an_action_do_not_depend_on_the_number(
    alice: User, bob: User, staff: User, kind: Kind, action: Action
):
    def statements(count: int) -> int:
        ids = [some_work(owner, kind, action) for owner in (alice, bob) for _ in range(count)]
        with CaptureQueriesContext(connection) as asked:
            assert desk.act(Job(action, kind), ids, by=staff, reason="", now=NOON) == len(ids)
        return len(asked)

    assert statements(1) == statements(15)


def some_work(owner: User, kind: Kind, action: Action) -> int:
    """Return the number of new work of somebody's that this action fits."""
    state = State.FAILED if action == Action.RETRY else State.WAITING
    if kind == Kind.READING:
        unread = makers.photo(owner, of=makers.source(state=state))
        asked = makers.commission(unread.source)
        Artwork.objects.create(photo=unread, commission=asked, style="oil", look="studio", created_at=NOON)
        return unread.source_id
    painting = makers.artwork(makers.photo(owner), state=state if kind == Kind.PAINTING else State.DONE).rendition
    assert painting
    facts = {"format": "png", "intensity": 100, "used_at": NOON, "waiting_since": NOON, "state": state}
    return painting.pk if kind == Kind.PAINTING else Export.objects.create(rendition=painting, **facts).pk


def test_workers_are_told_with_the_photos_that_they_have_in_hand(alice: User, django_assert_num_queries):
    reading = makers.photo(alice, title="Boat", of=makers.source(state=State.WORKING))
    painting = makers.artwork(makers.photo(alice, title="Moon"), state=State.WORKING).rendition
    assert painting
    doing = [Doing(Kind.READING, reading.source_id, NOON), Doing(Kind.PAINTING, painting.pk, NOON, "oil")]
    gone = Doing(Kind.SAVING, 999, NOON)
    worker = WorkerNow("easel-1", None, resting=False, resting_alone=False, doing=[*doing, gone])

    with django_assert_num_queries(5):
        [painter] = desk.at_work([worker])

    assert [str(photo) for _doing, photo in painter.doing] == ["Boat", "Moon", "None"]


def test_painting_rests_and_goes_on_and_both_are_written_down(staff: User):
    desk.rest("easel-1", by=staff, reason="update", now=NOON)
    assert (turns.is_resting("easel-1"), turns.is_resting("easel-2")) == (True, False)
    desk.rest("", by=staff, reason="", now=NOON)
    assert turns.is_resting("easel-2")
    desk.go_on("", by=staff, reason="", now=NOON)
    desk.go_on("easel-1", by=staff, reason="", now=NOON)

    assert not turns.is_resting("easel-1")
    told = [(entry.action, entry.subject, entry.reason) for entry in AuditEntry.objects.order_by("pk")]
    assert told == [
        ("painting.rest", "easel-1", "update"),
        ("painting.rest", "all workers", ""),
        ("painting.go_on", "all workers", ""),
        ("painting.go_on", "easel-1", ""),
    ]


def test_every_figure_is_in_the_tables(alice: User):
    makers.finished_photo(alice)
    shown = desk.open_desk(Span.DAY, now=NOON + HOUR)

    rows = list(desk.tables(shown))

    bars = [figure for table, _row, column, figure in rows if (table, column) == ("finished", "paintings")]
    assert (len(bars), bars.count(4), bars.count(0)) == (24, 1, 23)
    assert ("people", "alice", "paintings", 4) in rows
    assert ("cache", "painted shared", "paintings", 4) in rows
    assert ("ledger", "actual", "cpu_seconds", shown.waterfall.actual.cpu_seconds) in rows
    assert ("bytes", "all", "paintings", shown.stored.paintings) in rows


def test_every_saving_is_in_the_tables(alice: User, bob: User):
    made = makers.finished_photo(alice)
    again(made.artworks.get(style="oil"), bob, same_file=True, created_at=NOON + timedelta(minutes=1))
    book = ledger.open_book(now=NOON)

    rows = list(desk.saving_tables(book))

    assert ("savings", "spent, 1 days", "count", 4) in rows
    assert ("savings", "same_file, 30 days", "cpu_seconds", pytest.approx(0.1)) in rows
    assert ("spent by day", "2026-05-03", "count", 4) in rows
    assert ("saved by day", "2026-05-02", "count", 0) in rows
    assert ("saved by person", "bob", "count", 1) in rows
    assert len([row for row in rows if row[0] == "model"]) == 3 * len(book.by_model())
