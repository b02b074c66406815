"""Real forked workers on a real Valkey: what they paint, what they refuse to run, and how they end."""

import os
import signal
import time
from collections.abc import Callable, Iterator
from contextlib import suppress
from datetime import timedelta
from pathlib import Path

import pytest
from django.utils import timezone
from rq import Queue
from rq.registry import FailedJobRegistry
from rq.serializers import JSONSerializer

from rendering import queue, renditions, styles, supervision, worker
from rendering.models import Commission, Export, Reason, Rendition, Source, State
from rendering.supervision import GRACE, Doing
from rendering.worker import PaintingWorker
from tests.processes import Crew, Running, Valkey, registered_workers, same_site, stopped_child, wait_until
from tests.rendering.makers import (
    NOON,
    ONE_KEY,
    admit,
    commission,
    commission_all,
    encoded,
    photo,
    picture,
    rendition_row,
    source_row,
    states,
)

pytestmark = pytest.mark.django_db(transaction=True)
EVERY_STYLE = len(styles.NAMES)
MINUTE = timedelta(minutes=1)
Files = Callable[[], list[str]]


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


@pytest.fixture(autouse=True)
def note() -> Iterator[None]:
    """Leave no note of what a child was at."""
    yield
    supervision.forget()


@pytest.fixture
def hurried(valkey: Valkey, transactional_db: None) -> Iterator[Crew]:
    """Return who starts workers with short time limits, whose oil hears no alarm."""
    with Crew({**same_site(), "DJANGO_SETTINGS_MODULE": "tests.rendering.deaf"}) as crew:
        yield crew


def is_finished() -> bool:
    """Whether every photo is read and everything that was asked for has been painted."""
    return not Source.objects.unfinished().exists() and not Rendition.objects.unfinished().exists()


def is_painting() -> bool:
    """Whether a painting is under way."""
    return Rendition.objects.filter(state=State.WORKING).exists()


def slow_work(*more: str) -> list[Commission]:
    """Ask for one painting that is made first and soon, and one (or more) that takes several seconds."""
    source = admit(photo(width=6000, height=4500, quality=60))
    return [commission(source, style, look="studio", full_size=True) for style in ("color-pencil", "oil", *more)]


def stopped_painter(worker: Running, asked: list[Commission]) -> int:
    """Stop the worker's child in the midst of the second of these paintings, and return its number."""
    stand = [State.DONE, State.WORKING]
    wait_until(lambda: states(asked)[:2] == stand, seconds=60)
    time.sleep(0.4)  # it has done with the first for good
    return stopped_child([worker], when=lambda: states(asked)[:2] == stand)


def held(holder: str = "turn-1", **facts: object) -> Rendition:
    """Return a rendition that a job holds."""
    rendition = rendition_row(**facts)
    rendition.start(now=NOON, lease=MINUTE, holder=holder)
    return rendition


def stand(*work: Rendition) -> list[tuple[str, str, int, int]]:
    """Return how these stand: state, reason, tries and crashes."""
    rows = Rendition.objects.filter(pk__in=[each.pk for each in work]).order_by("pk")
    return list(rows.values_list("state", "reason", "tries", "crashes"))


def at(work: Rendition | Source, *, late: float = -60, row: int | None = None) -> Doing:
    """Return what a child is at whose time was up so many seconds ago."""
    return Doing(type(work), work.pk if row is None else row, time.monotonic() - late)


# First those that must know which worker does it: the pair below lives until the end of this file.


def test_worker_ends_when_it_is_told_to(crew):
    before = registered_workers()
    worker = crew.worker()
    [name] = registered_workers() - before

    worker.run.send_signal(signal.SIGTERM)
    worker.run.wait(10)

    assert worker.run.returncode == 0
    assert name not in registered_workers()


def test_cancelled_painting_is_stopped_within_moments(media, crew):
    worker, [ready, cancelled] = crew.worker(), slow_work()
    child = stopped_painter(worker, [ready, cancelled])  # it cannot notice by itself

    renditions.cancel(cancelled, now=timezone.now())
    started = time.monotonic()
    wait_until(lambda: child not in worker.children(), seconds=20, pause=0.01)
    seconds = time.monotonic() - started
    after = commission(admit(photo(2)))
    wait_until(lambda: states([after]) == [State.DONE], seconds=30)

    assert seconds < 2  # two looks of the parent take 0.7 at most; the rest is for a machine that is busy
    assert states([ready, cancelled]) == [State.DONE, State.CANCELLED]
    assert list(Rendition.objects.order_by("pk").values_list("tries", "crashes")) == [(1, 0)] * 3
    assert worker.run.poll() is None


def test_child_whose_painting_was_cancelled_gives_back_the_others(media, crew):
    worker, asked = crew.worker(), slow_work("watercolor")
    stopped_painter(worker, asked)

    renditions.cancel(asked[1], now=timezone.now())
    wait_until(is_finished, seconds=60)

    assert states(asked) == [State.DONE, State.CANCELLED, State.DONE]
    assert list(Rendition.objects.order_by("pk").values_list("tries", "crashes")) == [(1, 0)] * 3
    assert worker.run.poll() is None


def test_worker_that_is_told_to_end_gives_back_what_takes_long(media, crew, settings):
    worker, [ready, asked] = crew.worker(), slow_work()
    stopped_painter(worker, [ready, asked])  # it takes long indeed
    kept = media()

    worker.run.send_signal(signal.SIGTERM)
    started = time.monotonic()
    wait_until(lambda: states([asked]) == [State.WAITING], seconds=20)
    seconds = time.monotonic() - started
    worker.run.wait(10)

    assert seconds < settings.GRACE_SECONDS + 2
    assert worker.run.returncode == 0
    assert stand(*Rendition.objects.all()) == [(State.DONE, "", 1, 0), (State.WAITING, "", 0, 0)]
    assert media() == kept


def test_worker_that_is_told_to_end_leaves_nothing_half_done(media, crew):
    worker = crew.worker()
    asked = commission_all(admit(photo(width=1000, height=800)))
    child = stopped_child([worker], when=is_painting)

    worker.run.send_signal(signal.SIGTERM)
    time.sleep(0.2)
    os.kill(child, signal.SIGCONT)
    worker.run.wait(15)

    assert worker.run.returncode == 0
    assert set(states(asked)) <= {State.DONE, State.WAITING}
    assert set(Rendition.objects.values_list("state", "tries", "crashes")) <= {
        (State.DONE, 1, 0),
        (State.WAITING, 0, 0),
    }
    _no_file_is_left_over(media())


@pytest.mark.slow
def test_time_limit_ends_a_painting_in_words_whatever_it_does(media, hurried):
    """The child notices it in Python code; C code hears no alarm, so that the parent ends the child."""
    worker = hurried.worker()
    source = admit(photo())
    oil, dawdling, others = (
        commission(source, "oil"),
        commission(source, "watercolor"),
        [commission(source, "pencil"), commission(source, "color-pencil")],
    )
    started = time.monotonic()
    wait_until(lambda: Rendition.objects.exists() and is_finished(), seconds=90)
    seconds = time.monotonic() - started

    assert states([oil, dawdling, *others]) == [State.FAILED, State.FAILED, State.DONE, State.DONE]
    assert set(Rendition.objects.filter(state=State.FAILED).values_list("reason", "crashes")) == {(Reason.TOO_SLOW, 0)}
    assert seconds < 40
    assert worker.run.poll() is None


def test_upload_ends_in_all_paintings(media, valkey, pair):
    source = admit(photo(width=600, height=450))
    commission_all(source)
    wait_until(lambda: Rendition.objects.filter(state=State.DONE).count() == EVERY_STYLE, seconds=60)

    assert set(Rendition.objects.values_list("state", "tries", "crashes")) == {(State.DONE, 1, 0)}
    assert all(Rendition.objects.values_list("holder", flat=True))


def test_uploads_of_many_people_end_in_all_paintings(media, valkey, pair):
    for seed in range(12):
        source = admit(photo(seed, width=300), lane=f"person-{seed % 3}")
        now = timezone.now()
        renditions.commission(source, styles=styles.NAMES, look="fast", full_size=False, lane=source.lane, now=now)
    wait_until(lambda: Rendition.objects.filter(state=State.DONE).count() == 12 * EVERY_STYLE, seconds=90)

    assert set(Rendition.objects.values_list("tries", "crashes")) == {(1, 0)}
    assert set(Source.objects.values_list("state", "tries")) == {(State.DONE, 1)}
    wait_until(lambda: queue.length() == 0, seconds=10)


def test_many_identical_uploads_are_painted_once_by_many_workers(media, valkey, pair):
    image = picture(3, width=300, height=200)
    contents = dict.fromkeys(encoded(image, form="PNG", compress_level=level) for level in range(1, 10))
    for content in contents:
        commission_all(admit(content))

    wait_until(lambda: Rendition.objects.exists() and is_finished(), seconds=60)

    assert set(Rendition.objects.values_list("state", "tries")) == {(State.DONE, 1)}
    assert Rendition.objects.count() == EVERY_STYLE
    painted = [name for name in media() if name.startswith("renditions/")]
    assert len(painted) == sum(len(each.widths) for each in Rendition.objects.all())


def test_forged_job_is_not_run_and_ends_no_worker(media, valkey, pair, tmp_path):
    trace = tmp_path / "owned"
    lane = Queue("paintings", connection=valkey.client, serializer=JSONSerializer)
    calls = (("os.system", f"touch {trace}"), ("pathlib.Path.touch", str(trace)), ("no.such", ""))
    forged = {lane.enqueue(*call).id for call in calls}

    wait_until(lambda: forged <= set(FailedJobRegistry(queue=lane).get_job_ids()), seconds=10)
    commission(admit(photo()))
    wait_until(lambda: Rendition.objects.filter(state=State.DONE).exists(), seconds=60)

    assert not trace.exists()


def test_child_has_a_limit_of_memory(media, valkey, pair):
    commission_all(admit(photo(width=2400, height=1800)), full_size=True)

    def is_limited() -> bool:
        return any("4096000000" in limit for worker in pair.members for limit in map(_address_space, worker.children()))

    # A child that was forked just now has none yet.
    wait_until(is_limited, seconds=30, pause=0.001)
    wait_until(is_finished, seconds=60)


def _address_space(pid: int) -> str:
    with suppress(OSError):
        lines = Path(f"/proc/{pid}/limits").read_text().splitlines()
        return next(line for line in lines if line.startswith("Max address space"))
    return ""


def test_crash_blames_what_the_child_was_at_and_nothing_else():
    guilty, innocent, of_another_child = held(), held(), held("turn-2")

    worker.crash("turn-1", at(guilty))

    assert stand(guilty, innocent, of_another_child) == [
        (State.WAITING, "", 1, 1),
        (State.WAITING, "", 0, 0),
        (State.WORKING, "", 1, 0),
    ]


def test_crash_in_what_is_shared_blames_all_that_the_child_held():
    first, second, of_another_child = held(), held(), held("turn-2")

    worker.crash("turn-1", at(first, row=0))

    assert stand(first, second, of_another_child) == [
        (State.WAITING, "", 1, 1),
        (State.WAITING, "", 1, 1),
        (State.WORKING, "", 1, 0),
    ]


def test_crash_of_a_child_that_did_not_say_what_it_was_at_blames_all_that_it_held():
    first, second, of_another_child = held(), held(), held("turn-2")

    worker.crash("turn-1", None)

    assert stand(first, second, of_another_child) == [
        (State.WAITING, "", 1, 1),
        (State.WAITING, "", 1, 1),
        (State.WORKING, "", 1, 0),
    ]


def test_crash_of_a_reader_blames_no_painting_of_the_same_number():
    source = source_row()
    source.start(now=NOON, lease=MINUTE, holder="turn-1")
    painting = held(pk=source.pk)

    worker.crash("turn-1", at(source))

    source.refresh_from_db()
    assert (source.state, source.crashes) == (State.WAITING, 1)
    assert stand(painting) == [(State.WAITING, "", 0, 0)]


def test_second_crash_sets_aside():
    guilty = held(crashes=1)

    worker.crash("turn-1", at(guilty))

    assert stand(guilty) == [(State.FAILED, Reason.CRASHED, 1, 2)]


def test_what_took_too_long_fails_and_the_rest_is_given_back():
    late, innocent = held(), held()

    worker.give_back("turn-1", at(late, late=GRACE + 1))

    assert stand(late, innocent) == [(State.FAILED, Reason.TOO_SLOW, 1, 0), (State.WAITING, "", 0, 0)]


def test_what_took_too_long_together_fails_together():
    first, second = held(), held()

    worker.give_back("turn-1", at(first, late=GRACE + 1, row=0))

    assert stand(first, second) == [(State.FAILED, Reason.TOO_SLOW, 1, 0)] * 2


def test_child_that_was_ended_in_time_has_failed_nothing():
    first, second = held(), held()

    worker.give_back("turn-1", at(first))

    assert stand(first, second) == [(State.WAITING, "", 0, 0)] * 2


def test_child_that_was_ended_between_two_pieces_of_work_has_failed_nothing():
    first = held()

    worker.give_back("turn-1", None)

    assert stand(first) == [(State.WAITING, "", 0, 0)]


@pytest.fixture
def parent(valkey: Valkey) -> PaintingWorker:
    """Return a worker that does nothing by itself."""
    lane = Queue("paintings", connection=valkey.client, serializer=JSONSerializer)
    return PaintingWorker([lane], name="parent", connection=valkey.client, serializer=JSONSerializer)


def test_child_may_go_on_while_its_work_is_wanted(parent):
    painting = held()

    assert [parent._must_end("turn-1", at(painting)) for _ in range(3)] == [False, False, False]


def test_child_between_two_pieces_of_work_may_go_on(parent):
    assert [parent._must_end("turn-1", None) for _ in range(3)] == [False, False, False]


@pytest.mark.parametrize("unwanted", ["cancelled", "removed", "taken over"])
def test_child_whose_work_nobody_wants_must_end_at_the_second_look(parent, unwanted):
    """At the first it may be about to notice by itself."""
    painting, other = held(), held()
    {
        "cancelled": lambda: painting.cancel(now=NOON),
        "removed": Rendition.objects.filter(pk=painting.pk).delete,
        "taken over": lambda: Rendition.objects.filter(pk=painting.pk).update(holder="turn-2"),
    }[unwanted]()

    seen = [parent._must_end("turn-1", at(painting)), parent._must_end("turn-1", at(painting))]

    assert seen == [False, True]
    assert stand(other) == [(State.WORKING, "", 1, 0)]


@pytest.mark.parametrize("kind", [Source, Rendition])
def test_child_that_is_at_what_comes_after_its_work_may_go_on(parent, kind):
    """Previews are painted when a photo is read, and old ones are removed when a painting is done."""
    work = source_row() if kind is Source else rendition_row()
    work.start(now=NOON, lease=MINUTE, holder="turn-1")
    files = {"folder": "a"} | ({"canvas_key": ONE_KEY, "phash": ONE_KEY} if kind is Source else {"width": 1})
    work.finish(now=NOON, cpu_seconds=1, **files)

    assert [parent._must_end("turn-1", at(work)) for _ in range(3)] == [False, False, False]


def test_child_that_has_noticed_by_itself_may_go_on(parent):
    painting, other = held(), held()
    painting.cancel(now=NOON)

    seen = [parent._must_end("turn-1", each) for each in (at(painting), at(other), None, at(painting))]

    assert seen == [False, False, False, False]


def test_child_that_is_at_all_it_holds_must_end_when_nobody_wants_any(parent):
    first, second = held(), held()
    first.cancel(now=NOON)
    one_is_wanted = [parent._must_end("turn-1", at(first, row=0)) for _ in range(2)]
    second.cancel(now=NOON)

    none_is_wanted = [parent._must_end("turn-1", at(first, row=0)) for _ in range(2)]

    assert (one_is_wanted, none_is_wanted) == ([False, False], [False, True])


def test_child_that_did_not_notice_that_its_time_is_up_must_end(parent):
    painting = held()

    seen = [parent._must_end("turn-1", at(painting, late=late)) for late in (0.1, GRACE - 1, GRACE + 0.1)]

    assert seen == [False, False, True]


def test_child_of_a_worker_that_is_told_to_end_has_a_moment(parent, settings):
    painting = held()
    parent.handle_warm_shutdown_request()

    at_once = parent._must_end("turn-1", at(painting))
    parent._stopping_since -= settings.GRACE_SECONDS + 0.1
    later = [parent._must_end("turn-1", each) for each in (at(painting), None)]

    assert (at_once, later) == (False, [True, True])


def test_living_worker_prolongs_all_that_its_child_holds(parent):
    painting, source = held(), source_row()
    source.start(now=NOON, lease=MINUTE, holder="turn-1")
    others = held("turn-2")

    parent._look_after("turn-1")

    now = timezone.now()
    assert set(Rendition.objects.filter(lease_until__gt=now)) == {painting}
    assert set(Source.objects.filter(lease_until__gt=now)) == {source}
    assert Rendition.objects.get(pk=others.pk).lease_until == NOON + MINUTE


def test_dead_child_is_blamed_for_what_it_was_at_once(parent):
    guilty, innocent = held(), held()
    supervision._note(at(guilty))

    class Ended:
        id = "turn-1"

    parent.handle_work_horse_killed(Ended(), 1, 9, None)
    worker.crash("turn-1", supervision.current())

    assert stand(guilty, innocent) == [(State.WAITING, "", 1, 1), (State.WAITING, "", 0, 0)]
    assert supervision.current() is None


def test_kinds_are_all_that_is_worked_on():
    assert set(supervision.KINDS) == {Source, Rendition, Export}


def _no_file_is_left_over(files: list[str]) -> None:
    kept = [each for model in (Source, Rendition) for each in model.objects.all()]
    pages = [f"{each.folder}/{width}.jpg" for each in kept for width in each.widths]
    assert files == sorted([*pages, *Source.objects.values_list("original", flat=True)])
