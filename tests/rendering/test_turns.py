"""Whose work is next: lanes take turns, reading comes before painting, and nothing that waits is forgotten."""

from collections.abc import Callable, Iterator
from datetime import datetime, timedelta

import pytest
from django.utils import timezone

from rendering import events, pipeline, renditions, styles, turns
from rendering.models import Commission, Lane, Priority, Rendition, Source, State
from rendering.pipeline import Painting
from rendering.recipes import Recipe
from rendering.styles.base import Bench
from tests.processes import Crew, Valkey, wait_until
from tests.rendering.makers import admit, commission_all, photo, read, rendition_row

Files = Callable[[], list[str]]
ALICE, BOB, CAROL = "person-1", "person-2", "person-3"

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture(autouse=True)
def queue_and_files(valkey: Valkey, media: Files) -> None:
    """Have a queue and an empty storage."""


def upload(seed: int, *, lane: str = ALICE, width: int = 120) -> Source:
    source = admit(photo(seed, width=width), lane=lane)
    now = timezone.now()
    renditions.commission(source, styles=styles.NAMES, look="fast", full_size=False, lane=lane, now=now)
    return source


def lanes_served(count: int) -> Iterator[str]:
    """Yield whose lane it was, for so many units of work."""
    for _ in range(count):
        assert turns.do_next(now=timezone.now())
        yield Lane.objects.latest("served_at").name


def test_nothing_waits_and_nothing_is_done():
    assert not turns.do_next(now=timezone.now())


def test_single_photo_is_read_and_painted_in_one_unit():
    upload(1)

    turns.do_next(now=timezone.now())

    assert set(Rendition.objects.values_list("state", flat=True)) == {State.DONE}
    assert Rendition.objects.count() == 4


def test_lanes_take_turns_whoever_came_first():
    for seed in range(5):
        upload(seed)
    upload(10, lane=BOB)
    upload(11, lane=BOB)
    upload(20, lane=CAROL)

    assert list(lanes_served(6)) == [ALICE, BOB, CAROL, ALICE, BOB, ALICE]


def test_newcomer_is_next():
    for seed in range(5):
        upload(seed)
    list(lanes_served(3))
    newcomer = upload(10, lane=BOB)

    assert list(lanes_served(1)) == [BOB]
    assert set(newcomer.commissions.values_list("rendition__state", flat=True)) == {State.DONE}


def test_photos_are_read_before_they_are_painted():
    for seed in range(4):
        upload(seed)

    list(lanes_served(3))

    assert Source.objects.filter(state=State.DONE).count() == 3
    assert not Rendition.objects.exclude(state=State.WAITING).exists()


def test_painting_does_not_wait_for_a_whole_album_to_be_read():
    for seed in range(6):
        upload(seed)
    list(lanes_served(2))
    Rendition.objects.update(waiting_since=timezone.now() - timedelta(seconds=5))

    list(lanes_served(1))

    assert Source.objects.filter(state=State.DONE).count() == 3
    assert Rendition.objects.filter(state=State.DONE).count() == 4


def test_what_somebody_looks_at_comes_first():
    for seed in range(3):
        commission_all(read(photo(seed)))
    looked_at = Source.objects.order_by("pk").last()
    assert looked_at is not None

    renditions.watch([looked_at.pk])
    list(lanes_served(1))

    assert set(looked_at.commissions.values_list("rendition__state", flat=True)) == {State.DONE}
    assert Rendition.objects.filter(state=State.DONE).count() == 4


def test_full_size_comes_last():
    large = read(photo(1, width=1600))
    commission_all(large, full_size=True)
    commission_all(read(photo(2)))

    list(lanes_served(1))

    assert set(Rendition.objects.filter(state=State.DONE).values_list("priority", flat=True)) == {Priority.USUAL}


def test_unit_has_a_bounded_size(monkeypatch):
    monkeypatch.setattr(renditions, "UNIT_PIXELS", 2 * 1600 * 1200)
    commission_all(read(photo(1, width=1600, height=1200)), full_size=True)

    list(lanes_served(1))

    assert Rendition.objects.filter(state=State.DONE).count() == 2


def test_newcomer_does_not_wait_for_the_whole_photo_that_is_painted(monkeypatch):
    commission_all(read(photo(1)))
    bob_comes = iter([lambda: upload(10, lane=BOB)])
    paint_on = pipeline.paint_on

    def paint_and_meanwhile(bench: Bench, recipe: Recipe) -> Painting:
        next(bob_comes, lambda: None)()
        return paint_on(bench, recipe)

    monkeypatch.setattr(pipeline, "paint_on", paint_and_meanwhile)
    monkeypatch.setattr(renditions, "LOOK_SECONDS", 0)
    served = list(lanes_served(2))

    assert served == [ALICE, BOB]
    assert Rendition.objects.filter(lane=ALICE, state=State.DONE).count() == 1
    assert Rendition.objects.filter(lane=BOB, state=State.DONE).count() == 4
    assert set(Rendition.objects.filter(lane=ALICE, state=State.WAITING).values_list("tries", flat=True)) == {0}


def test_pages_hear_of_each_painting_that_takes_a_while(monkeypatch):
    commission_all(read(photo(1)))
    versions, paint_on = [], pipeline.paint_on

    def paint_and_look(bench: Bench, recipe: Recipe) -> Painting:
        versions.append(events.version(ALICE))
        return paint_on(bench, recipe)

    monkeypatch.setattr(pipeline, "paint_on", paint_and_look)
    monkeypatch.setattr(renditions, "NEWS_SECONDS", 0)
    turns.do_next(now=timezone.now())

    assert (len(versions), len(set(versions))) == (4, 4)


def test_two_workers_never_serve_one_turn_twice():
    now = timezone.now()
    assert Lane.serve(ALICE, before=None, now=now)
    assert not Lane.serve(ALICE, before=None, now=now)
    later = now + timedelta(seconds=1)

    assert Lane.serve(ALICE, before=now, now=later)
    assert not Lane.serve(ALICE, before=now, now=later)


def test_clock_that_was_set_back_starves_nobody():
    upload(1)
    upload(10, lane=BOB)
    Lane.objects.create(name=ALICE, served_at=timezone.now() + timedelta(hours=1))
    Lane.objects.create(name=BOB, served_at=timezone.now() - timedelta(seconds=1))

    turns.do_next(now=timezone.now())

    assert Source.objects.get(lane=ALICE).state == State.DONE


def test_painting_that_nobody_asks_for_any_more_is_given_up():
    orphan = rendition_row(lane=ALICE)

    assert turns.do_next(now=timezone.now())

    orphan.refresh_from_db()
    assert orphan.state == State.CANCELLED
    assert not turns.do_next(now=timezone.now())


def test_resting_workers_begin_nothing_and_go_on_later(valkey: Valkey):
    upload(1)
    turns.rest(now=timezone.now())

    turns.take()
    turns.revive(now=timezone.now())
    assert Source.objects.get().state == State.WAITING
    turns.go_on()
    turns.take()

    assert set(Rendition.objects.values_list("state", flat=True)) == {State.DONE}


def test_worker_that_is_to_rest_does_so_in_the_middle_of_its_turn(monkeypatch):
    for seed in range(2):
        commission_all(read(photo(seed)))
    paint_on = pipeline.paint_on

    def meanwhile(bench: Bench, recipe: Recipe) -> Painting:
        turns.rest(now=timezone.now())
        return paint_on(bench, recipe)

    monkeypatch.setattr(pipeline, "paint_on", meanwhile)
    monkeypatch.setattr(turns, "REST_SECONDS", 0)
    turns.take()

    assert Rendition.objects.filter(state=State.DONE).count() == 4


def test_only_the_worker_that_is_to_rest_rests():
    turns.rest("north-1", now=timezone.now())

    assert turns.is_resting("north-1")
    assert not turns.is_resting("south-1")


def test_revived_are_what_a_dead_worker_held(valkey: Valkey):
    source = upload(1)
    long_ago = timezone.now() - timedelta(minutes=1)
    Source.objects.filter(pk=source.pk).update(state=State.WORKING, lease_until=long_ago)

    assert turns.revive(now=timezone.now()) == 1

    source.refresh_from_db()
    assert source.state == State.WAITING
    assert valkey.client.llen("rq:queue:paintings") == 1


def test_revived_is_a_request_that_was_lost():
    source = read(photo())
    commission_all(source)
    Commission.objects.update(rendition=None)
    Rendition.objects.all().delete()

    turns.revive(now=timezone.now())

    assert Rendition.objects.filter(state=State.WAITING).count() == 4


def test_held_commission_is_begun_when_its_time_has_come():
    source = read(photo())
    now = timezone.now()
    due = now + timedelta(minutes=10)
    renditions.commission(source, styles=["oil"], look="fast", full_size=False, lane=ALICE, now=now, not_before=due)

    turns.revive(now=now)
    assert not Rendition.objects.exists()
    _pass_the_time(source, due - timedelta(hours=1))
    turns.revive(now=now)

    assert Rendition.objects.get().state == State.WAITING


@pytest.mark.slow
def test_one_persons_many_photos_keep_nobody_waiting(crew: Crew):
    """With 200 paintings of one person waiting, another's photo is done before ten more of the first's are."""
    for seed in range(50):
        upload(seed, width=1024)
    for _ in range(2):
        crew.worker()
    wait_until(lambda: _done(ALICE) >= 4, seconds=60)

    bobs = upload(1000, lane=BOB, width=1024)
    wait_until(lambda: _done(BOB) == 4, seconds=30, pause=0.005)

    finished = Rendition.objects.filter(lane=BOB).latest("finished_at").finished_at
    assert finished
    meanwhile = Rendition.objects.filter(lane=ALICE, finished_at__gt=bobs.waiting_since, finished_at__lte=finished)
    assert meanwhile.count() < 10


def _done(lane: str) -> int:
    return Rendition.objects.filter(lane=lane, state=State.DONE).count()


def _pass_the_time(source: Source, not_before: datetime) -> None:
    source.commissions.update(not_before=not_before)
