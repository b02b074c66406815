"""The caretaker brings back what was lost, whichever of queue and database goes away meanwhile."""

from datetime import timedelta

import pytest
from django.core.management import call_command
from django.utils import timezone

from rendering import queue
from rendering.models import Rendition, Source, State
from tests.processes import wait_until
from tests.rendering import makers
from tests.rendering.makers import admit, commission_all, photo

pytestmark = pytest.mark.django_db(transaction=True)


def test_one_round_brings_back_what_was_lost(media, valkey):
    commission_all(makers.read(photo(1)))
    admit(photo(2))
    an_hour_ago = timezone.now() - timedelta(hours=1)
    Source.objects.update(waiting_since=an_hour_ago)
    Rendition.objects.update(waiting_since=an_hour_ago)
    valkey.client.flushall()

    for _ in range(2):
        call_command("tend", once=True)

    assert (queue.waiting(queue.READ), queue.waiting(queue.PAINT)) == (
        set(Source.objects.filter(state=State.WAITING).values_list("pk", flat=True)),
        set(Source.objects.filter(state=State.DONE).values_list("pk", flat=True)),
    )
    assert queue.length() == 2


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
