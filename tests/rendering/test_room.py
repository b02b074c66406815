"""How much may wait and how full the disks may be; asked often, looked at once a second."""

import shutil
from types import SimpleNamespace

import pytest

from rendering import room as rooms
from rendering.models import State
from rendering.room import Full, Room
from tests.rendering.makers import rendition_row, source_row

pytestmark = pytest.mark.django_db
MEGABYTE = 1_000_000


@pytest.fixture
def room(settings) -> Room:
    """Return a room that looks at once, where fewer than three photos and four megabytes may wait."""
    settings.WAITING_PHOTOS, settings.WAITING_MEGABYTES, settings.FREE_MEGABYTES = 3, 4, 0
    return Room()


def test_empty_site_has_room(room):
    assert room.refusal(40 * MEGABYTE) is None


def test_photos_that_wait_are_counted_unread_or_unpainted(room):
    source_row()
    rendition_row(canvas_key="a")
    rendition_row(canvas_key="a", recipe_digest="two")  # the same photo in another style
    assert room.refusal() is None

    rendition_row(canvas_key="b")
    room.forget()
    assert room.refusal() == Full.QUEUE


def test_photos_that_do_not_wait_take_no_room(room):
    for state in (State.FAILED, State.CANCELLED, State.WORKING):
        source_row(state=state, size=9 * MEGABYTE)
        rendition_row(state=state)

    assert room.refusal() is None


def test_bytes_that_wait_are_counted(room):
    source_row(size=3 * MEGABYTE)
    assert room.refusal() is None

    source_row(size=MEGABYTE)
    room.forget()
    assert room.refusal() == Full.QUEUE


@pytest.mark.parametrize(("reserve", "size", "full"), [(60, 20, None), (60, 21, Full.DISK), (101, 0, Full.DISK)])
def test_upload_must_leave_room_on_the_disk(room, settings, monkeypatch, reserve, size, full):
    monkeypatch.setattr(shutil, "disk_usage", lambda _: SimpleNamespace(free=100 * MEGABYTE))
    settings.FREE_MEGABYTES = reserve

    assert room.refusal(size * MEGABYTE) == full


def test_fuller_disk_decides(room, settings, monkeypatch):
    free = {settings.DATA_DIR: 100, settings.FILE_UPLOAD_TEMP_DIR: 7}
    monkeypatch.setattr(shutil, "disk_usage", lambda folder: SimpleNamespace(free=free[folder]))

    assert rooms.free_bytes() == 7


def test_many_questions_are_one_look(room, django_assert_num_queries):
    with django_assert_num_queries(3):
        for _ in range(20):
            room.refusal()


def test_look_is_new_after_a_second(room, monkeypatch):
    monkeypatch.setattr(rooms, "FRESH_SECONDS", 0)
    answers = []
    for _ in range(3):
        source_row()
        answers.append(room.refusal())

    assert answers == [None, None, Full.QUEUE]


def test_refusals_have_words_and_a_time(room):
    assert [full.seconds for full in Full] == [20, 120]
    assert all(str(full.label).endswith(".") for full in Full)
