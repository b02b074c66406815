"""The caretaker brings back what was lost, whichever of queue and database goes away meanwhile."""

from datetime import timedelta

import pytest
from django.core.management import call_command
from django.utils import timezone

from rendering import queue, turns
from rendering.models import Commission, Reason, Rendition, Source, State
from tests.processes import wait_until
from tests.rendering import makers
from tests.rendering.makers import admit, commission, commission_all, photo, states

pytestmark = pytest.mark.django_db(transaction=True)


def test_one_round_brings_back_what_was_lost(media, valkey):
    asked = commission_all(makers.read(photo(1)))
    unread = admit(photo(2))
    an_hour_ago = timezone.now() - timedelta(hours=1)
    unread.start(now=an_hour_ago, lease=timedelta(seconds=20))
    Rendition.objects.earliest("pk").start(now=an_hour_ago, lease=timedelta(seconds=20))
    Commission.objects.filter(pk=asked[-1].pk).update(rendition=None)
    Rendition.objects.latest("pk").delete()
    valkey.client.flushall()

    for _ in range(2):
        call_command("tend", once=True)

    assert Source.objects.get(pk=unread.pk).state == State.WAITING
    assert states(asked) == [State.WAITING] * 4
    assert queue.length() == 1


def test_round_tells_what_it_has_brought_back(media, valkey, caplog):
    admit(photo()).start(now=timezone.now() - timedelta(hours=1), lease=timedelta(seconds=20))

    with caplog.at_level("INFO"):
        for _ in range(2):
            call_command("tend", once=True)

    told = [record.getMessage() for record in caplog.records if record.name.endswith("tend")]
    kept = [line for line in told if line.startswith("kept the sums")]
    assert [line for line in told if line not in kept] == ["brought back 1 pieces of work that a crash had left behind"]


def test_nothing_is_brought_back_that_is_on_its_way(media, valkey):
    under_way, asked = admit(photo(1)), commission_all(makers.read(photo(2)))
    under_way.start(now=timezone.now(), lease=timedelta(seconds=20))

    counts = [turns.revive(now=timezone.now()) for _ in range(2)]

    under_way.refresh_from_db()
    assert (counts, under_way.state, states(asked)) == ([0, 0], State.WORKING, [State.WAITING] * 4)


def test_work_that_was_begun_too_often_is_set_aside(media, valkey, settings):
    asked = commission(makers.read(photo()))
    now = timezone.now()
    counts = []
    for _ in range(settings.MAX_TRIES):
        Rendition.objects.get().start(now=now, lease=timedelta(seconds=1))
        now += timedelta(seconds=5)
        counts.append(turns.revive(now=now))

    assert counts == [1] * settings.MAX_TRIES
    assert (states([asked]), Rendition.objects.get().reason) == ([State.FAILED], Reason.CRASHED)


def test_clock_that_is_set_back_holds_up_nothing(media, valkey):
    commission(makers.read(photo()))
    now = timezone.now()
    Rendition.objects.get().start(now=now, lease=timedelta(seconds=20))

    count = turns.revive(now=now - timedelta(hours=1))

    assert (count, Rendition.objects.get().state, queue.length()) == (1, State.WAITING, 1)


def test_nobody_is_woken_when_nothing_waits(media, valkey):
    makers.painted(photo())
    valkey.client.flushall()

    call_command("tend", once=True)

    assert queue.length() == 0


def test_round_without_a_queue_ends_in_peace(media, valkey):
    admit(photo())
    valkey.stop()

    call_command("tend", once=True)

    assert Source.objects.get().state == State.WAITING


def test_work_goes_on_when_the_queue_comes_back(media, crew, valkey):
    """Uploads are taken while Redis is away; worker and caretaker live through it."""
    worker, caretaker = crew.worker(), crew.caretaker()
    valkey.stop()

    commission_all(admit(photo()))
    valkey.start()

    wait_until(lambda: Rendition.objects.filter(state=State.DONE).count() == 4, seconds=40)
    assert (worker.run.poll(), caretaker.run.poll()) == (None, None)


def test_emptied_redis_loses_no_work(media, crew, valkey):
    for seed in range(5):
        commission_all(admit(photo(seed)))
    commission_all(makers.read(photo(5)))
    valkey.client.flushall()

    crew.worker()
    crew.caretaker()

    wait_until(lambda: Rendition.objects.filter(state=State.DONE).count() == 24, seconds=40)
    assert not Source.objects.exclude(state=State.DONE).exists()
