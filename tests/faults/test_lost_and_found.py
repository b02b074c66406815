"""Processes, servers and clocks fail in the middle of the work: every accepted photo is done all the same."""

import os
import shutil
import signal
import sqlite3
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import closing, contextmanager, suppress
from datetime import timedelta
from pathlib import Path

import pytest
from django.conf import settings
from django.core.management import call_command
from django.db import connection
from django.utils import timezone

from gallery import photos
from gallery.models import Artwork, Photo, Stage, User
from gallery.uploads import HashedUpload
from rendering import turns
from rendering.models import Export, Rendition, Source, State
from tests.processes import ROOT, Crew, Valkey, same_site, stopped_child, wait_until
from tests.rendering.makers import admit, commission_all, photo, read, simultaneously, states

pytestmark = [pytest.mark.faults, pytest.mark.django_db(transaction=True)]
Files = Callable[[], list[str]]


def is_painting() -> bool:
    return Rendition.objects.filter(state=State.WORKING).exists()


def all_done(paintings: int) -> Callable[[], bool]:
    return lambda: Rendition.objects.filter(state=State.DONE).count() == paintings


def album_of(count: int, *, width: int = 800) -> None:
    for seed in range(count):
        commission_all(admit(photo(seed, width=width, height=width * 3 // 4), lane=f"person-{seed % 3}"))


def test_all_workers_are_killed_and_nothing_is_lost(media: Files, hasty: Crew):
    doomed = [hasty.worker(), hasty.worker()]
    album_of(8)
    wait_until(is_painting, seconds=20)

    for worker in doomed:
        worker.kill()
    hasty.caretaker()
    hasty.worker()
    wait_until(all_done(32), seconds=60)

    nothing_is_lost_and_nothing_left_over(media)


def test_web_process_is_killed_between_storing_a_file_and_its_commit(media: Files, alice: User, tmp_path: Path):
    picture = tmp_path / "photo.jpg"
    picture.write_bytes(photo())

    ended = killed_at("gallery.photos._hang", picture, alice)

    assert ended == -signal.SIGKILL
    assert not Source.objects.exists()
    assert not Photo.objects.exists()
    assert len(media()) == 1
    call_command("sweep", older_than=0)
    assert media() == []


def test_web_process_is_killed_right_after_the_commit(media: Files, valkey: Valkey, alice: User, tmp_path: Path):
    """The photo is accepted, and no worker was woken: the caretaker finds it."""
    picture = tmp_path / "photo.jpg"
    picture.write_bytes(photo())

    ended = killed_at("rendering.queue._push", picture, alice)
    assert ended == -signal.SIGKILL
    assert Photo.objects.count() == 1
    assert valkey.client.llen("rq:queue:paintings") == 0
    turns.revive(now=timezone.now())

    assert valkey.client.llen("rq:queue:paintings") == 1


@pytest.mark.parametrize("keeps_its_data", [True, False])
def test_queue_server_is_killed_in_mid_work(keeps_its_data: bool, media: Files, hasty: Crew, valkey: Valkey):
    album_of(10)
    hasty.caretaker()
    hasty.worker()
    wait_until(is_painting, seconds=20)

    valkey.stop()
    if not keeps_its_data:
        for path in valkey.folder.iterdir():
            shutil.rmtree(path) if path.is_dir() else path.unlink()
    time.sleep(1)
    valkey.start()
    hasty.worker()  # the supervisor's part: a worker without its queue may have ended
    wait_until(all_done(40), seconds=60)

    nothing_is_lost_and_nothing_left_over(media)


@pytest.mark.skipif(connection.vendor != "sqlite", reason="SQLite locks the whole database, others do not")
def test_database_is_locked_for_ten_seconds(media: Files, hasty: Crew, alice: User):
    hasty.caretaker()
    hasty.worker()
    album_of(4)
    wait_until(is_painting, seconds=20)

    with database_locked(seconds=10):
        began = time.monotonic()
        added = add(photo(100), owner=alice, styles=["oil"])
        assert time.monotonic() - began > 5
    wait_until(all_done(17), seconds=60)

    assert Artwork.objects.get(photo=added).stage == Stage.DONE
    nothing_is_lost_and_nothing_left_over(media)


def test_fifty_uploads_of_a_file_at_the_same_instant_by_two_people_paint_once(
    media: Files, hasty: Crew, alice: User, bob: User
):
    content = photo(width=800)
    people = [alice, bob] * 25
    hasty.worker()
    hasty.worker()

    simultaneously(50, lambda: add(content, owner=people.pop(), styles=["pencil", "oil"]))
    wait_until(all_done(2), seconds=60)

    assert Source.objects.count() == 1
    assert [photo.owner.username for photo in Photo.objects.order_by("owner__username")] == ["alice", "bob"]
    assert set(Rendition.objects.values_list("tries", flat=True)) == {1}
    assert {artwork.stage for artwork in Artwork.objects.all()} == {Stage.DONE}
    nothing_is_lost_and_nothing_left_over(media)


def test_same_turn_delivered_twice_paints_once(media: Files, valkey: Valkey):
    asked = commission_all(read(photo(width=800)))

    simultaneously(2, turns.take)

    assert states(asked) == [State.DONE] * 4
    assert set(Rendition.objects.values_list("tries", flat=True)) == {1}
    nothing_is_lost_and_nothing_left_over(media)


def test_deploy_gives_work_back_within_the_grace_time(media: Files, hasty: Crew):
    worker = hasty.worker()
    asked = commission_all(admit(photo(width=3200, height=2400)), full_size=True)
    stopped_child([worker], when=is_painting)  # it will not end by itself

    worker.run.send_signal(signal.SIGTERM)
    worker.run.wait(settings.GRACE_SECONDS + 3)

    assert set(states(asked)) <= {State.DONE, State.WAITING}
    assert set(Rendition.objects.filter(state=State.WAITING).values_list("tries", "crashes")) == {(0, 0)}
    hasty.worker()
    turns.revive(now=timezone.now())
    wait_until(all_done(4), seconds=60)
    nothing_is_lost_and_nothing_left_over(media)


def test_clock_that_jumps_an_hour_ahead_paints_nothing_twice_in_the_books(media: Files, hasty: Crew):
    """Leases seem to have run out while their workers live: another one takes over, the late results are refused."""
    sleeper = hasty.worker()
    asked = commission_all(admit(photo(width=2400, height=1800)), full_size=True)
    child = stopped_child([sleeper], when=is_painting)

    turns.revive(now=timezone.now() + timedelta(hours=1))
    hasty.worker()
    wait_until(all_done(4), seconds=60)
    with suppress(ProcessLookupError):  # its parent may have noticed that nobody wants what it does
        os.kill(child, signal.SIGCONT)
    wait_until(lambda: not sleeper.children(), seconds=30)

    assert states(asked) == [State.DONE] * 4
    nothing_is_lost_and_nothing_left_over(media)


def test_clock_that_is_set_back_an_hour_holds_nothing_back(media: Files, valkey: Valkey):
    source = read(photo())
    asked = commission_all(source)
    ahead = timezone.now() + timedelta(hours=1)
    Rendition.objects.update(waiting_since=ahead)
    taken = Rendition.objects.order_by("pk").first()
    assert taken is not None
    taken.start(now=ahead, lease=timedelta(seconds=settings.LEASE_SECONDS), holder="dead")

    turns.revive(now=timezone.now())
    turns.take()

    assert states(asked) == [State.DONE] * 4
    nothing_is_lost_and_nothing_left_over(media)


def test_photo_deleted_while_it_is_painted_leaves_nothing_behind(media: Files, hasty: Crew, alice: User):
    worker = hasty.worker()
    for seed in range(6):
        added = add(photo(seed, width=1600), owner=alice, styles=["pencil", "oil", "watercolor"])
        wait_until(lambda: bool(worker.children()), seconds=10)
        time.sleep(0.1 * seed)
        photos.erase(added, now=timezone.now())
    wait_until(lambda: not worker.children(), seconds=20)

    assert not Source.objects.exists()
    assert not Rendition.objects.exists()
    call_command("sweep", older_than=0)
    assert media() == []


def nothing_is_lost_and_nothing_left_over(media: Files) -> None:
    """Every row has ended, each painting is counted once, and the storage holds what the rows name and nothing else."""
    call_command("sweep", older_than=0)
    works = [each for model in (Source, Rendition, Export) for each in model.objects.all()]
    assert {each.state for each in works} == {State.DONE}
    pages = [f"{each.folder}/{width}.jpg" for each in works if not isinstance(each, Export) for width in each.widths]
    assert media() == sorted([*pages, *Source.objects.values_list("original", flat=True)])


@contextmanager
def database_locked(*, seconds: float) -> Iterator[None]:
    """Keep everybody from writing for so long, beside what the test does meanwhile."""
    locked, name = threading.Event(), connection.settings_dict["NAME"]

    def hold() -> None:
        with closing(sqlite3.connect(name, timeout=20, isolation_level=None)) as other:
            other.execute("BEGIN IMMEDIATE")
            locked.set()
            time.sleep(seconds)
            other.execute("ROLLBACK")

    holder = threading.Thread(target=hold)
    holder.start()
    assert locked.wait(20)
    yield
    holder.join()


def killed_at(place: str, picture: Path, owner: User) -> int:
    """Upload a file in a process of its own, which is killed where it comes to this function; return its exit code."""
    module, _, function = place.rpartition(".")
    words = [sys.executable, "-W", "ignore", str(Path(__file__).with_name("killed_upload.py"))]
    environment = {**os.environ, **same_site(), "PYTHONPATH": str(ROOT)}
    return subprocess.run(
        [*words, module, function, owner.username, str(picture)], env=environment, check=False
    ).returncode


def add(content: bytes, *, owner: User, styles: Sequence[str]) -> Photo:
    """Add a photo to somebody's album as an upload does."""
    with closing(HashedUpload("photo.jpg", "image/jpeg")) as file:
        file.add(content, limit=len(content))
        file.flush()
        file.seek(0)
        now = timezone.now()
        [result] = photos.add_photos(owner=owner, files=[file], styles=styles, look="fast", full_size=True, now=now)
    assert result.photo is not None
    return result.photo
