"""Transitions are true for exactly one caller, late results are refused, and constraints hold."""

from datetime import timedelta

import pytest
from django.db import IntegrityError, transaction

from rendering.models import Commission, Lane, Reason, Rendition, Source, State
from tests.rendering.makers import NOON, ONE_KEY, rendition_row, simultaneously, source_row

MINUTE = timedelta(minutes=1)


@pytest.mark.django_db(transaction=True)
def test_start_is_true_for_exactly_one_of_many():
    rendition = rendition_row()

    def claim() -> bool:
        return Rendition.objects.get(pk=rendition.pk).start(now=NOON, lease=MINUTE)

    won = simultaneously(16, claim)

    rendition.refresh_from_db()
    assert sorted(won) == [False] * 15 + [True]
    assert (rendition.state, rendition.tries, rendition.fence) == (State.WORKING, 1, 1)


@pytest.mark.django_db(transaction=True)
def test_many_are_claimed_in_one_stroke_and_each_by_exactly_one_of_many():
    rows = [rendition_row(state=state) for state in (State.WAITING, State.WAITING, State.CANCELLED)]

    def claim() -> list[int]:
        waiting = Rendition.objects.filter(state=State.WAITING).order_by("pk")
        return [each.pk for each in waiting.claim(now=NOON, lease=MINUTE, holder="turn-1")]

    won = simultaneously(8, claim)

    stand = Rendition.objects.order_by("pk").values_list("state", "fence", "tries", "holder", "lease_until")
    claimed = (State.WORKING, 1, 1, "turn-1", NOON + MINUTE)
    assert sorted(won) == [[]] * 7 + [[row.pk for row in rows[:2]]]
    assert list(stand) == [claimed, claimed, (State.CANCELLED, 0, 0, "", None)]


@pytest.mark.django_db
def test_claimed_is_finished_by_whoever_holds_it():
    rendition_row()
    [mine] = Rendition.objects.filter(state=State.WAITING).claim(now=NOON, lease=MINUTE)
    [late] = Rendition.objects.all()
    late.fence -= 1
    result = {"cpu_seconds": 1, "width": 1, "folder": "a"}

    assert [each.finish(now=NOON, **result) for each in (late, mine)] == [False, True]


@pytest.mark.django_db
def test_start_is_false_for_who_read_the_row_before_another_worked_on_it():
    late = rendition_row()
    first = Rendition.objects.get(pk=late.pk)
    first.start(now=NOON, lease=MINUTE)
    first.release()

    won = late.start(now=NOON, lease=MINUTE)

    assert not won


@pytest.mark.django_db
@pytest.mark.parametrize("state", [State.WORKING, State.FAILED, State.CANCELLED, State.EVICTED])
def test_start_is_only_for_what_waits(state):
    assert not rendition_row(state=state).start(now=NOON, lease=MINUTE)


@pytest.mark.django_db
def test_finish_keeps_the_results():
    rendition = rendition_row()
    rendition.start(now=NOON, lease=MINUTE)

    kept = rendition.finish(now=NOON + MINUTE, cpu_seconds=1.5, width=10, height=20, folder="renditions/a", widths=[10])

    rendition.refresh_from_db()
    assert kept
    assert (rendition.state, rendition.finished_at, rendition.lease_until) == (State.DONE, NOON + MINUTE, None)
    assert (rendition.cpu_seconds, rendition.width, rendition.height, rendition.widths) == (1.5, 10, 20, [10])


@pytest.mark.django_db
def test_finish_is_refused_after_the_lease_went_to_another():
    slow = rendition_row()
    slow.start(now=NOON, lease=MINUTE)
    Rendition.objects.all().give_back(now=NOON + 2 * MINUTE, lease=MINUTE, max_tries=8)
    other = Rendition.objects.get(pk=slow.pk)
    other.start(now=NOON + 2 * MINUTE, lease=MINUTE)

    kept = slow.finish(now=NOON + 2 * MINUTE, cpu_seconds=1, width=1, height=1, folder="renditions/late")
    failed = slow.fail(Reason.DAMAGED, now=NOON + 2 * MINUTE)

    other.refresh_from_db()
    assert (kept, failed) == (False, False)
    assert (other.state, other.folder, other.reason, other.fence) == (State.WORKING, "", "", 2)


@pytest.mark.django_db
def test_finish_is_refused_after_it_was_cancelled():
    rendition = rendition_row()
    rendition.start(now=NOON, lease=MINUTE)
    rendition.cancel(now=NOON)

    kept = rendition.finish(now=NOON, cpu_seconds=1, width=1, height=1, folder="renditions/late")

    rendition.refresh_from_db()
    assert not kept
    assert (rendition.state, rendition.folder) == (State.CANCELLED, "")


@pytest.mark.django_db
def test_finish_of_a_removed_row_is_refused():
    rendition = rendition_row()
    rendition.start(now=NOON, lease=MINUTE)
    Rendition.objects.all().delete()

    assert not rendition.finish(now=NOON, cpu_seconds=1, width=1, height=1, folder="renditions/late")


@pytest.mark.django_db
def test_fail_notes_the_reason():
    rendition = rendition_row()
    rendition.start(now=NOON, lease=MINUTE)

    failed = rendition.fail(Reason.DAMAGED, now=NOON)

    rendition.refresh_from_db()
    assert failed
    assert (rendition.state, rendition.reason, rendition.lease_until) == (State.FAILED, Reason.DAMAGED, None)


@pytest.mark.django_db
def test_give_back_takes_only_what_has_run_out():
    running, expired = rendition_row(), rendition_row()
    expired.start(now=NOON, lease=MINUTE)
    running.start(now=NOON + 2 * MINUTE, lease=MINUTE)

    count = Rendition.objects.all().give_back(now=NOON + 2 * MINUTE, lease=MINUTE, max_tries=8)

    running.refresh_from_db()
    expired.refresh_from_db()
    assert count == 1
    assert (running.state, expired.state) == (State.WORKING, State.WAITING)


@pytest.mark.django_db
def test_give_back_knows_a_lease_from_before_the_clock_was_set_back():
    """Else the work would wait for the hour by which the clock had been wrong."""
    rendition = rendition_row()
    rendition.start(now=NOON, lease=MINUTE)
    an_hour_before = NOON - 60 * MINUTE

    count = Rendition.objects.all().give_back(now=an_hour_before, lease=MINUTE, max_tries=8)

    rendition.refresh_from_db()
    assert (count, rendition.state, rendition.lease_until) == (1, State.WAITING, None)


@pytest.mark.django_db
def test_give_back_forgives_clocks_that_differ_by_less_than_a_lease():
    rendition = rendition_row()
    rendition.start(now=NOON, lease=MINUTE)

    counts = [
        Rendition.objects.all().give_back(now=NOON + seconds * MINUTE / 60, lease=MINUTE, max_tries=8)
        for seconds in (-59, -30, 0, 30, 59)
    ]

    assert counts == [0, 0, 0, 0, 0]


@pytest.mark.django_db
def test_clock_set_forward_costs_one_try_and_no_result():
    rendition = rendition_row()
    rendition.start(now=NOON, lease=MINUTE)
    tomorrow = NOON + 24 * 60 * MINUTE

    Rendition.objects.all().give_back(now=tomorrow, lease=MINUTE, max_tries=8)
    again = Rendition.objects.get()
    begun = again.start(now=tomorrow, lease=MINUTE)

    again.refresh_from_db()
    assert (begun, again.state, again.tries) == (True, State.WORKING, 2)


@pytest.mark.django_db
def test_work_that_was_put_off_is_not_ready_before_its_time():
    rendition = rendition_row()
    rendition.start(now=NOON, lease=MINUTE)

    kept = rendition.postpone(until=NOON + MINUTE)

    ready = Rendition.objects.all().ready
    rendition.refresh_from_db()
    assert (kept, rendition.state, rendition.tries) == (True, State.WAITING, 1)
    assert [ready(now=NOON + share * MINUTE).count() for share in (0, 0.9, 1, 2)] == [0, 0, 1, 1]


@pytest.mark.django_db
def test_clock_set_back_an_hour_hides_no_work():
    rendition_row(waiting_since=NOON)
    put_off = rendition_row()
    put_off.start(now=NOON, lease=MINUTE)
    put_off.postpone(until=NOON + MINUTE)

    assert Rendition.objects.all().ready(now=NOON - 60 * MINUTE).count() == 2


@pytest.mark.django_db
@pytest.mark.parametrize("state", [state for state in State if state != State.WAITING])
def test_only_what_waits_is_ready(state):
    complete = {"folder": "renditions/a", "width": 10}
    rendition_row(state=state, **complete)

    assert not Rendition.objects.all().ready(now=NOON).exists()


@pytest.mark.django_db
def test_holder_prolongs_what_it_holds_and_nothing_else():
    mine, ended, others = (rendition_row() for _ in range(3))
    for each, holder in ((mine, "turn-1"), (ended, "turn-1"), (others, "turn-2")):
        each.start(now=NOON, lease=MINUTE, holder=holder)
    ended.cancel(now=NOON)

    count = Rendition.objects.all().prolong("turn-1", until=NOON + 9 * MINUTE)

    leases = Rendition.objects.order_by("pk").values_list("lease_until", flat=True)
    assert (count, list(leases)) == (1, [NOON + 9 * MINUTE, None, NOON + MINUTE])


@pytest.mark.django_db
def test_give_back_sets_aside_after_so_many_tries():
    rendition = rendition_row(tries=1)
    rendition.start(now=NOON, lease=MINUTE)

    count = Rendition.objects.all().give_back(now=NOON + 2 * MINUTE, lease=MINUTE, max_tries=2)

    rendition.refresh_from_db()
    assert count == 1
    assert (rendition.state, rendition.reason, rendition.tries) == (State.FAILED, Reason.CRASHED, 2)


@pytest.mark.django_db
def test_release_does_not_count_as_a_try():
    rendition = rendition_row()
    rendition.start(now=NOON, lease=MINUTE)

    rendition.release()

    rendition.refresh_from_db()
    assert (rendition.state, rendition.tries, rendition.lease_until) == (State.WAITING, 0, None)
    assert rendition.start(now=NOON, lease=MINUTE)


@pytest.mark.django_db
def test_release_is_refused_after_the_work_went_to_another():
    late = rendition_row()
    late.start(now=NOON, lease=MINUTE)
    Rendition.objects.all().give_back(now=NOON + 2 * MINUTE, lease=MINUTE, max_tries=8)
    other = Rendition.objects.get(pk=late.pk)
    other.start(now=NOON + 2 * MINUTE, lease=MINUTE)

    given_back = [late.release(), late.postpone(until=NOON)]

    other.refresh_from_db()
    assert given_back == [False, False]
    assert (other.state, other.tries) == (State.WORKING, 2)


@pytest.mark.django_db
def test_claim_is_held_until_somebody_takes_it_away():
    cancelled, taken, removed, waiting = (rendition_row() for _ in range(4))
    for each in (cancelled, taken, removed):
        each.start(now=NOON, lease=MINUTE)
    before = [each.is_held() for each in (cancelled, taken, removed, waiting)]

    cancelled.cancel(now=NOON)
    Rendition.objects.filter(pk=taken.pk).update(fence=2)
    Rendition.objects.filter(pk=removed.pk).delete()

    assert before == [True, True, True, False]
    assert [each.is_held() for each in (cancelled, taken, removed)] == [False, False, False]


@pytest.mark.django_db
def test_crash_gives_back_until_so_many():
    rendition = rendition_row()
    seen = []

    for _ in range(2):
        rendition.start(now=NOON, lease=MINUTE)
        rendition.crash(now=NOON, max_crashes=2)
        rendition.refresh_from_db()
        seen.append((rendition.state, rendition.reason, rendition.crashes))

    assert seen == [(State.WAITING, "", 1), (State.FAILED, Reason.CRASHED, 2)]


@pytest.mark.django_db
def test_crash_leaves_alone_what_has_ended():
    rendition = rendition_row()
    rendition.start(now=NOON, lease=MINUTE)
    rendition.cancel(now=NOON)

    rendition.crash(now=NOON, max_crashes=2)

    rendition.refresh_from_db()
    assert (rendition.state, rendition.crashes) == (State.CANCELLED, 0)


@pytest.mark.django_db
@pytest.mark.parametrize("state", [State.FAILED, State.CANCELLED, State.EVICTED])
def test_renew_gives_all_tries_again(state):
    rendition = rendition_row(state=state, reason=Reason.CRASHED, tries=8, crashes=2, finished_at=NOON)

    renewed = rendition.renew(now=NOON + MINUTE)

    rendition.refresh_from_db()
    assert renewed
    assert (rendition.state, rendition.reason, rendition.tries, rendition.crashes) == (State.WAITING, "", 0, 0)
    assert (rendition.waiting_since, rendition.finished_at) == (NOON + MINUTE, None)


@pytest.mark.django_db
@pytest.mark.parametrize("state", [State.WAITING, State.WORKING])
def test_renew_is_only_for_what_has_ended(state):
    assert not rendition_row(state=state).renew(now=NOON)


@pytest.mark.django_db
def test_cancel_is_true_once():
    rendition = rendition_row()

    assert [rendition.cancel(now=NOON), rendition.cancel(now=NOON)] == [True, False]


@pytest.mark.django_db
@pytest.mark.parametrize("facts", [{"folder": "", "width": 10}, {"folder": "renditions/a", "width": 0}])
def test_rendition_cannot_be_done_without_files(facts):
    with pytest.raises(IntegrityError, match="rendition_done_means_files"):
        rendition_row(state=State.DONE, **facts)


@pytest.mark.django_db
def test_rendition_cannot_be_finished_without_files():
    rendition = rendition_row()
    rendition.start(now=NOON, lease=MINUTE)

    with pytest.raises(IntegrityError, match="rendition_done_means_files"), transaction.atomic():
        rendition.finish(now=NOON, cpu_seconds=1)


@pytest.mark.django_db
@pytest.mark.parametrize("lacking", ["folder", "canvas_key", "phash"])
def test_source_cannot_be_done_without_files_and_fingerprints(lacking):
    complete = {"folder": "photos/a", "canvas_key": ONE_KEY, "phash": ONE_KEY}

    with pytest.raises(IntegrityError, match="source_done_means_files"):
        source_row(state=State.DONE, **{**complete, lacking: ""})


@pytest.mark.django_db
def test_same_canvas_in_the_same_recipe_has_one_rendition():
    rendition_row(canvas_key=ONE_KEY)

    with pytest.raises(IntegrityError):
        rendition_row(canvas_key=ONE_KEY)


@pytest.mark.django_db
def test_same_bytes_have_one_source():
    source_row(bytes_key=ONE_KEY)

    with pytest.raises(IntegrityError):
        source_row(bytes_key=ONE_KEY)


@pytest.mark.django_db
def test_source_in_one_recipe_is_asked_for_once():
    asked = {"source": source_row(), "recipe": "pencil 1 @1024", "recipe_digest": ONE_KEY, "created_at": NOON}
    Commission.objects.create(**asked)

    with pytest.raises(IntegrityError):
        Commission.objects.create(**asked)


@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize("before", [None, NOON])
def test_lane_is_served_once_by_all_who_saw_it_at_the_same_time(before):
    if before:
        Lane.objects.create(name="person-1", served_at=before)

    served = simultaneously(8, lambda: Lane.serve("person-1", before=before, now=NOON + MINUTE))

    assert sorted(served) == [False] * 7 + [True]
    assert Lane.objects.get().served_at == NOON + MINUTE


@pytest.mark.django_db
def test_rows_say_what_they_are_and_no_name():
    lane = Lane(name="person-1")

    assert [str(each) for each in (lane, Commission(pk=3, recipe="oil 1"), Rendition(pk=4, recipe="oil 1"))] == [
        "lane person-1",
        "commission 3 (oil 1)",
        "rendition 4 (oil 1)",
    ]


@pytest.mark.django_db
def test_unfinished_is_what_waits_or_is_worked_on():
    for state in (State.WAITING, State.WORKING, State.FAILED, State.CANCELLED, State.EVICTED):
        source_row(state=state)

    states = Source.objects.unfinished().order_by("pk").values_list("state", flat=True)

    assert list(states) == [State.WAITING, State.WORKING]
