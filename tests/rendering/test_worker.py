"""Real forked workers on a real Valkey: what they paint, what they refuse to run, and how they end."""

import os
import signal
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
from rq import Queue
from rq.registry import FailedJobRegistry
from rq.serializers import JSONSerializer

from rendering import queue, styles
from rendering.models import Reason, Rendition, Source, State
from tests.processes import Crew, Valkey, registered_workers, same_site, stopped_child, wait_until
from tests.rendering.makers import admit, commission, commission_all, encoded, photo, picture, states

pytestmark = pytest.mark.django_db(transaction=True)
EVERY_STYLE = len(styles.NAMES)


@pytest.fixture(scope="module")
def pair(valkey_server: Valkey, django_db_setup: None) -> Iterator[Crew]:
    """Keep two workers for the tests of this file: their start takes longer than what they do."""
    valkey_server.start()
    with Crew(same_site()) as pair:
        pair.worker()
        pair.worker()
        yield pair


@pytest.fixture(autouse=True)
def crew_lives(request: pytest.FixtureRequest) -> Iterator[None]:
    """Check that nothing that a test does ends a worker."""
    yield
    if "pair" in request.fixturenames:
        assert [worker.run.poll() for worker in request.getfixturevalue("pair").members] == [None, None]


def is_finished() -> bool:
    """Whether every photo is read and everything that was asked for has been painted."""
    return not Source.objects.unfinished().exists() and not Rendition.objects.unfinished().exists()


def is_painting() -> bool:
    """Whether a painting is under way."""
    return Rendition.objects.filter(state=State.WORKING).exists()


def test_upload_ends_in_all_paintings(media, valkey, pair):
    source = admit(photo(width=600, height=450))
    commission_all(source)
    wait_until(lambda: Rendition.objects.filter(state=State.DONE).count() == EVERY_STYLE, seconds=60)

    assert set(Rendition.objects.values_list("state", "tries", "crashes")) == {(State.DONE, 1, 0)}
    assert all(holder.startswith("paint-") for holder in Rendition.objects.values_list("holder", flat=True))


def test_many_identical_uploads_are_painted_once_by_many_workers(media, valkey, pair):
    image = picture(3, width=300, height=200)
    contents = dict.fromkeys(encoded(image, form="PNG", compress_level=level) for level in range(1, 10))
    for content in contents:
        commission_all(admit(content))

    wait_until(lambda: is_finished() and Rendition.objects.exists(), seconds=60)

    assert set(Rendition.objects.values_list("state", "tries")) == {(State.DONE, 1)}
    assert Rendition.objects.count() == EVERY_STYLE
    painted = [name for name in media() if name.startswith("renditions/")]
    assert len(painted) == sum(len(each.widths) for each in Rendition.objects.all())


def test_forged_job_is_not_run_and_ends_no_worker(media, valkey, pair, tmp_path):
    trace = tmp_path / "owned"
    lane = Queue("paintings", connection=valkey.client, serializer=JSONSerializer)
    calls = (("os.system", f"touch {trace}"), ("pathlib.Path.touch", str(trace)), ("no.such", ""))
    forged = {lane.enqueue(*call).id for call in calls}

    commission(admit(photo()))
    wait_until(lambda: Rendition.objects.filter(state=State.DONE).exists(), seconds=60)
    wait_until(lambda: forged <= set(FailedJobRegistry(queue=lane).get_job_ids()), seconds=10)

    assert not trace.exists()


def test_child_has_a_limit_of_memory(media, valkey, pair):
    commission_all(admit(photo(width=2400, height=1800)), full_size=True)

    child = stopped_child(pair.members, when=is_painting)
    limits = Path(f"/proc/{child}/limits").read_text().splitlines()
    os.kill(child, signal.SIGCONT)
    wait_until(is_finished, seconds=60)

    assert [line.split()[3] for line in limits if line.startswith("Max address space")] == ["4096000000"]


def test_time_limit_ends_a_painting_in_words(media, valkey, pair):
    source = admit(photo(width=2400, height=1800))
    asked = commission_all(source, full_size=True)
    wait_until(lambda: is_finished() and Rendition.objects.exists(), seconds=60)
    wait_until(lambda: not queue.length() and not any(worker.children() for worker in pair.members), seconds=10)
    Rendition.objects.update(state=State.WAITING)

    queue.enqueue_paint(source.pk, seconds=1)
    begun = Rendition.objects.filter(state=State.WORKING)
    child = stopped_child(pair.members, when=lambda: begun.count() == EVERY_STYLE)
    time.sleep(1.2)  # longer than the limit
    os.kill(child, signal.SIGCONT)
    wait_until(is_finished, seconds=60)

    assert set(states(asked)) <= {State.DONE, State.FAILED}
    assert set(Rendition.objects.filter(state=State.FAILED).values_list("reason", flat=True)) == {Reason.TOO_SLOW}


def test_worker_ends_when_it_is_told_to(crew):
    before = registered_workers()
    worker = crew.worker()
    [name] = registered_workers() - before

    worker.run.send_signal(signal.SIGTERM)
    worker.run.wait(10)

    assert worker.run.returncode == 0
    assert name not in registered_workers()
