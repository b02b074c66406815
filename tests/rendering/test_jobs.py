"""The worker's door: what the queue names is what is called."""

import inspect

import pytest

from rendering import jobs, queue
from rendering.models import Rendition, Source, State
from tests.rendering.makers import admit, commission, photo


def test_queue_names_what_the_door_offers():
    offered = {
        f"rendering.jobs.{name}"
        for name, function in inspect.getmembers(jobs, inspect.isfunction)
        if function.__module__ == jobs.__name__
    }

    assert offered == {queue.TURN}


@pytest.mark.django_db(transaction=True)
def test_one_turn_is_the_whole_way_of_a_photo(media, valkey):
    commission(admit(photo()))

    jobs.take_turn()

    assert Source.objects.get().state == State.DONE
    assert Rendition.objects.get().state == State.DONE
