"""The job console finds renditions, and acts on many of them in a few statements."""

from datetime import timedelta

import pytest

from rendering import console, store
from rendering.console import Action, Step, Wanted
from rendering.models import Commission, Priority, Reason, Rendition, State
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
