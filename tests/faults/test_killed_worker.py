"""Workers and their children are killed in the middle of a painting: nothing is lost, nothing is painted for ever."""

import os
import signal
import time
from collections.abc import Callable
from pathlib import Path

import pytest
from django.utils import timezone

from rendering.models import Reason, Rendition, Source, State
from tests.processes import Crew, Valkey, stopped_child, wait_until
from tests.rendering.makers import admit, commission, commission_all, photo, states

pytestmark = [pytest.mark.faults, pytest.mark.django_db(transaction=True)]
Files = Callable[[], list[str]]


def is_painting() -> bool:
    return Rendition.objects.filter(state=State.WORKING).exists()


def is_reading() -> bool:
    return Source.objects.filter(state=State.WORKING).exists()


def all_done() -> bool:
    return Rendition.objects.filter(state=State.DONE).count() == 4


@pytest.mark.slow
def test_killed_worker_loses_no_painting(media: Files, crew: Crew):
    """Even at full size, whose paintings may take minutes: a worker that is dead is known by its silence."""
    doomed = crew.worker()
    asked = commission_all(admit(photo(width=2400, height=1800)), full_size=True)
    stopped_child([doomed], when=is_painting)
    crew.caretaker()

    doomed.kill()
    killed_at = time.monotonic()
    crew.worker()
    wait_until(all_done, seconds=60)

    assert time.monotonic() - killed_at < 60
    assert states(asked) == [State.DONE] * 4
    assert set(Rendition.objects.values_list("crashes", flat=True)) == {0}
    _no_file_is_left_over(media())


def test_killed_worker_loses_no_photo(media: Files, hasty: Crew):
    doomed = hasty.worker()
    commission_all(admit(photo(width=2400, height=1800, quality=98)))
    child = stopped_child([doomed], when=is_reading)
    hasty.caretaker()

    doomed.kill()
    wait_until(lambda: not Path(f"/proc/{child}").exists(), seconds=5)
    hasty.worker()
    wait_until(all_done, seconds=60)

    assert Source.objects.get().tries == 2
    _no_file_is_left_over(media())


def test_killed_child_gives_its_work_back_at_once(media: Files, hasty: Crew):
    worker = hasty.worker()
    asked = commission_all(admit(photo(width=2400, height=1800)), full_size=True)
    child = stopped_child([worker], when=is_painting)
    held = set(Rendition.objects.filter(state=State.WORKING).values_list("pk", flat=True))

    os.kill(child, signal.SIGKILL)
    given_back = Rendition.objects.filter(pk__in=held, crashes=1)
    wait_until(lambda: given_back.count() == len(held), seconds=3)
    hasty.caretaker()
    wait_until(all_done, seconds=60)

    assert worker.run.poll() is None
    assert states(asked) == [State.DONE] * 4
    _no_file_is_left_over(media())


def test_photo_that_kills_every_child_is_set_aside(media: Files, hasty: Crew):
    worker = hasty.worker()
    hasty.caretaker()
    poisoned = commission(admit(photo(width=2400, height=1800)), "oil", full_size=True)

    for _ in range(2):
        os.kill(stopped_child([worker], when=is_painting), signal.SIGKILL)
        wait_until(lambda: not is_painting(), seconds=3)
    harmless = commission(admit(photo(2)))
    wait_until(lambda: states([harmless]) == [State.DONE], seconds=30)

    rendition = Rendition.objects.get(commissions=poisoned)
    assert (rendition.state, rendition.reason, rendition.crashes) == (State.FAILED, Reason.CRASHED, 2)
    assert worker.run.poll() is None


def test_photo_that_kills_every_reader_is_set_aside(media: Files, hasty: Crew):
    worker = hasty.worker()
    hasty.caretaker()
    source = admit(photo(width=2400, height=1800, quality=98))

    for _ in range(2):
        os.kill(stopped_child([worker], when=is_reading), signal.SIGKILL)
        wait_until(lambda: not is_reading(), seconds=3)

    source.refresh_from_db()
    assert (source.state, source.reason, source.crashes) == (State.FAILED, Reason.CRASHED, 2)


def test_late_result_of_a_worker_that_slept_is_refused(media: Files, hasty: Crew):
    sleeper = hasty.worker()
    asked = commission_all(admit(photo(width=2400, height=1800)), full_size=True)
    child = stopped_child([sleeper], when=is_painting)
    sleeper.run.send_signal(signal.SIGSTOP)

    hasty.caretaker()
    hasty.worker()
    wait_until(all_done, seconds=60)
    painted = media()
    for pid in (child, sleeper.pid):
        os.kill(pid, signal.SIGCONT)
    wait_until(lambda: not sleeper.children(), seconds=30)

    assert states(asked) == [State.DONE] * 4
    assert media() == painted
    _no_file_is_left_over(painted)


def test_painting_that_is_under_way_is_not_given_to_another(media: Files, hasty: Crew):
    """A child that works for longer than a lease keeps its work, since its worker tells that it lives."""
    worker = hasty.worker()
    asked = commission(admit(photo(width=2400, height=1800)), "oil", full_size=True)
    stopped_child([worker], when=is_painting)
    prolonged = Rendition.objects.filter(lease_until__gt=Rendition.objects.get().lease_until or timezone.now())

    wait_until(prolonged.exists, seconds=15)

    assert states([asked]) == [State.WORKING]


def test_painting_goes_on_while_the_queue_is_away(media: Files, hasty: Crew, valkey: Valkey):
    worker = hasty.worker()
    asked = commission(admit(photo(width=2400, height=1800)), "oil", full_size=True)
    child = stopped_child([worker], when=is_painting)

    valkey.stop()
    wait_until(lambda: "the queue is away" in worker.said, seconds=15)  # the worker has missed it
    os.kill(child, signal.SIGCONT)
    wait_until(lambda: states([asked]) == [State.DONE], seconds=30)

    assert Rendition.objects.get().tries == 1


def _no_file_is_left_over(files: list[str]) -> None:
    kept = [each for model in (Source, Rendition) for each in model.objects.all()]
    pages = [f"{each.folder}/{width}.jpg" for each in kept for width in each.widths]
    assert files == sorted([*pages, *Source.objects.values_list("original", flat=True)])
