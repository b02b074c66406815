"""Transitions are true for exactly one caller, late results are refused, and constraints hold."""

from datetime import timedelta

import pytest
from django.db import IntegrityError, transaction

from rendering.models import Commission, Reason, Rendition, Source, State
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


@pytest.mark.django_db
def test_start_is_false_for_who_read_the_row_before_another_worked_on_it():
    late = rendition_row()
    first = Rendition.objects.get(pk=late.pk)
    first.start(now=NOON, lease=MINUTE)
    first.release(now=NOON)

    won = late.start(now=NOON, lease=MINUTE)

    assert not won


@pytest.mark.django_db
@pytest.mark.parametrize("state", [State.WORKING, State.FAILED, State.CANCELLED])
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
    Rendition.objects.all().give_back(now=NOON + 2 * MINUTE, max_tries=8)
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
    running.start(now=NOON, lease=3 * MINUTE)
    expired.start(now=NOON, lease=MINUTE)

    count = Rendition.objects.all().give_back(now=NOON + 2 * MINUTE, max_tries=8)

    running.refresh_from_db()
    expired.refresh_from_db()
    assert count == 1
    assert (running.state, expired.state) == (State.WORKING, State.WAITING)


@pytest.mark.django_db
def test_give_back_sets_aside_after_so_many_tries():
    rendition = rendition_row(tries=1)
    rendition.start(now=NOON, lease=MINUTE)

    count = Rendition.objects.all().give_back(now=NOON + 2 * MINUTE, max_tries=2)

    rendition.refresh_from_db()
    assert count == 1
    assert (rendition.state, rendition.reason, rendition.tries) == (State.FAILED, Reason.CRASHED, 2)


@pytest.mark.django_db
def test_release_does_not_count_as_a_try():
    rendition = rendition_row()
    rendition.start(now=NOON, lease=MINUTE)

    rendition.release(now=NOON + MINUTE)

    rendition.refresh_from_db()
    assert (rendition.state, rendition.tries, rendition.lease_until) == (State.WAITING, 0, None)
    assert rendition.start(now=NOON, lease=MINUTE)


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
@pytest.mark.parametrize("state", [State.FAILED, State.CANCELLED])
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


@pytest.mark.django_db
def test_unfinished_is_what_waits_or_is_worked_on():
    for state in (State.WAITING, State.WORKING, State.FAILED, State.CANCELLED):
        source_row(state=state)

    states = Source.objects.unfinished().order_by("pk").values_list("state", flat=True)

    assert list(states) == [State.WAITING, State.WORKING]
