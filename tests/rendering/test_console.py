"""The job console finds renditions, and acts on many of them in a few statements."""

from datetime import timedelta

import pytest

from rendering import console, store
from rendering.console import Action, Step, Wanted
from rendering.models import Commission, Export, Kind, Priority, Reason, Rendition, Source, State
from tests.rendering.makers import NOON, commission, paint_all, painted, photo, read, rendition_row, source_row

pytestmark = pytest.mark.django_db
HOUR = timedelta(hours=1)


def asked(rendition: Rendition) -> Rendition:
    facts = {"recipe": rendition.recipe, "recipe_digest": rendition.recipe_digest}
    Commission.objects.create(source=source_row(), rendition=rendition, lane="person-1", created_at=NOON, **facts)
    return rendition


def states(*rows: Rendition) -> list[str]:
    return [Rendition.objects.get(pk=row.pk).state for row in rows]


@pytest.mark.parametrize(
    "wanted",
    [
        Wanted(style="oil"),
        Wanted(state="failed"),
        Wanted(reason="crashed"),
        Wanted(worker="easel-1"),
        Wanted(since=NOON),
        Wanted(until=NOON + HOUR, since=NOON),
    ],
)
def test_what_is_looked_for_is_found(wanted: Wanted):
    rendition_row(waiting_since=NOON - HOUR)
    facts = {"style": "oil", "state": State.FAILED, "reason": Reason.CRASHED, "worker": "easel-1"}
    meant = rendition_row(**facts, waiting_since=NOON)

    assert list(console.find(wanted)) == [meant]


def test_found_is_newest_first():
    first, second = rendition_row(), rendition_row()

    assert list(console.find(Wanted())) == [second, first]


def test_actions_fit_what_they_can_change():
    waiting, working = rendition_row(), rendition_row(state=State.WORKING)
    failed = asked(rendition_row(state=State.FAILED))
    rendition_row(state=State.CANCELLED)  # nobody asks for it any more
    found = console.find(Wanted())

    assert console.fitting(found, Action.RETRY, most=9) == [failed.pk]
    assert console.fitting(found, Action.CANCEL, most=9) == [working.pk, waiting.pk]
    assert console.fitting(found, Action.CANCEL, most=1) == [working.pk]
    assert console.fitting(found, Action.HURRY, most=9) == [waiting.pk]
    assert len(console.fitting(found, Action.DELETE, most=9)) == 4


def test_retry_makes_ended_work_wait_with_all_its_tries(valkey):
    row = asked(rendition_row(state=State.FAILED, reason=Reason.CRASHED, tries=3, crashes=2, finished_at=NOON))
    done = asked(rendition_row(state=State.DONE, folder="a", width=1))

    count = console.act(Action.RETRY, [row.pk, done.pk], now=NOON + HOUR)

    row.refresh_from_db()
    assert (count, row.state, row.reason, row.tries, row.crashes) == (1, State.WAITING, "", 0, 0)
    assert (row.waiting_since, row.finished_at) == (NOON + HOUR, None)
    assert states(done) == [State.DONE]


def test_cancel_ends_what_waits_and_what_is_painted(valkey):
    waiting, working, failed = rendition_row(), rendition_row(state=State.WORKING), rendition_row(state=State.FAILED)

    count = console.act(Action.CANCEL, [waiting.pk, working.pk, failed.pk], now=NOON)

    assert count == 2
    assert states(waiting, working, failed) == [State.CANCELLED, State.CANCELLED, State.FAILED]


def test_hurry_puts_what_waits_to_the_front(valkey):
    waiting, other = asked(rendition_row()), asked(rendition_row())

    assert console.act(Action.HURRY, [waiting.pk], now=NOON) == 1

    assert Rendition.objects.get(pk=waiting.pk).priority == Priority.WATCHED
    assert Rendition.objects.get(pk=other.pk).priority == Priority.USUAL


@pytest.mark.django_db(transaction=True)
def test_delete_removes_row_commission_and_files(valkey):
    row = painted(photo())
    file = store.page_file(row.folder, row.widths[0])
    assert store.has_content(file)

    assert console.act(Action.DELETE, [row.pk], now=NOON) == 1

    assert (Rendition.objects.count(), Commission.objects.count()) == (0, 0)
    assert not store.has_content(file)


@pytest.mark.parametrize("action", Action)
def test_statements_do_not_depend_on_the_number(action: Action, valkey, django_assert_max_num_queries):
    state = State.FAILED if action == Action.RETRY else State.WAITING
    ids = [asked(rendition_row(state=state)).pk for _ in range(30)]

    with django_assert_max_num_queries(14):
        assert console.act(action, ids, now=NOON) == 30


@pytest.mark.django_db(transaction=True)
def test_history_tells_a_renditions_way(valkey):
    source = read(photo())
    asked_for = commission(source)
    paint_all(source)
    rendition = Rendition.objects.get(commissions=asked_for)

    events = console.history(rendition)

    assert [event.step for event in events] == [Step.ACCEPTED, Step.READ, Step.QUEUED, Step.STARTED, Step.ENDED]
    assert [event.at for event in events] == [
        asked_for.created_at,
        source.finished_at,
        rendition.waiting_since,
        rendition.started_at,
        rendition.finished_at,
    ]


def test_history_of_what_waits_ends_in_the_line():
    row = rendition_row()

    assert [(event.step, event.at) for event in console.history(row)] == [(Step.QUEUED, NOON)]


def export_row(**facts: object) -> Export:
    usual = {"rendition": rendition_row(), "format": "png", "intensity": 100, "used_at": NOON, "waiting_since": NOON}
    return Export.objects.create(**{**usual, "lane": "person-1", **facts})


def test_readings_and_files_are_found():
    broken = source_row(state=State.FAILED, reason=Reason.DAMAGED)
    source_row(waiting_since=NOON - HOUR)
    saved = export_row(state=State.FAILED, rendition=rendition_row(style="oil"))
    export_row()

    assert list(console.find(Wanted(state="failed", since=NOON), kind=Kind.READING)) == [broken]
    assert list(console.find(Wanted(style="oil"), kind=Kind.SAVING)) == [saved]


@pytest.mark.parametrize("kind", [Kind.READING, Kind.SAVING])
def test_readings_and_files_are_tried_again_cancelled_and_hurried(kind: Kind, valkey):
    make = {Kind.READING: source_row, Kind.SAVING: export_row}[kind]
    failed = make(state=State.FAILED, reason=Reason.STORAGE, tries=3, crashes=1, finished_at=NOON)
    waiting, working = make(), make(state=State.WORKING)
    rows = {each.pk: each for each in (failed, waiting, working)}

    def act(action: Action) -> int:
        ids = console.fitting(console.find(Wanted(), kind=kind), action, kind=kind, most=9)
        return console.act(action, ids, kind=kind, now=NOON)

    assert act(Action.HURRY) == 1
    waiting.refresh_from_db()
    assert waiting.priority == Priority.WATCHED
    assert act(Action.CANCEL) == 2
    assert act(Action.RETRY) == 3
    for row in rows.values():
        row.refresh_from_db()
        assert (row.state, row.reason, row.tries, row.crashes) == (State.WAITING, "", 0, 0)


def test_photo_that_was_read_is_not_deleted_here():
    read_one = source_row(state=State.DONE, folder="a", canvas_key="b", phash="c")
    broken = source_row(state=State.FAILED)
    found = console.find(Wanted(), kind=Kind.READING)

    assert console.fitting(found, Action.DELETE, kind=Kind.READING, most=9) == [broken.pk]
    assert Source.objects.filter(pk=read_one.pk).exists()


@pytest.mark.django_db(transaction=True)
def test_deleted_file_is_gone_from_the_storage(valkey):
    name = store.put_export(b"content", extension="png")
    row = export_row(state=State.DONE, file=name, size=7)

    assert console.act(Action.DELETE, [row.pk], kind=Kind.SAVING, now=NOON) == 1

    assert (Export.objects.count(), store.has_content(name)) == (0, False)


def test_history_of_a_reading_tells_its_worker():
    row = source_row(state=State.FAILED, started_at=NOON, worker="easel-1", finished_at=NOON + HOUR)

    assert [(event.step, event.worker) for event in console.history(row)] == [
        (Step.QUEUED, ""),
        (Step.STARTED, "easel-1"),
        (Step.ENDED, ""),
    ]
