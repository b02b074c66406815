"""Canvases between reading and painting: kept in bounds, found by any worker of the host, and never trusted."""

import io
import os
import time
import zipfile
from pathlib import Path

import numpy as np
import pytest

from rendering import cache, canvases, renditions, store
from rendering.imaging import Pixels, fingerprint
from rendering.models import Rendition, Source, State
from tests.rendering import makers
from tests.rendering.makers import commission, photo, source_row

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture(autouse=True)
def folder(settings, tmp_path: Path) -> Path:
    """Have an empty folder for canvases, and none in memory."""
    settings.CANVAS_DIR = str(tmp_path)
    canvases._newest.clear()
    return tmp_path


def pixels(seed: int = 1, *, width: int = 120, height: int = 90) -> Pixels:
    return np.random.default_rng(seed).integers(0, 256, (height, width, 3), dtype=np.uint8)


def read(canvas: Pixels) -> Source:
    """Return a source of which this is the canvas, as it is after its reading."""
    height, width = canvas.shape[:2]
    key = cache.canvas_key(fingerprint.digest(canvas), scope="")
    source = source_row(canvas_key=key, canvas_width=width, canvas_height=height)
    canvases.hold(source, canvas)
    return source


def spilled(canvas: Pixels) -> Source:
    source = read(canvas)
    canvases.spill(source)
    return source


def kept(folder: Path) -> list[Path]:
    return sorted(folder.iterdir())


def test_canvas_that_is_held_is_taken_once(folder):
    canvas = pixels()
    source = read(canvas)

    peeked, taken, again = canvases.peek(source), canvases.take(source), canvases.take(source)

    assert peeked is taken is canvas
    assert (again, canvases.peek(source), kept(folder)) == (None, None, [])


def test_only_the_newest_canvas_is_held():
    first, second = read(pixels(1)), read(pixels(2))

    assert canvases.peek(first) is None
    assert canvases.peek(second) is not None


@pytest.mark.parametrize("size", [(120, 90), (1, 1), (1, 700), (700, 1)])
def test_canvas_comes_back_from_the_disk_once_and_the_same(folder, size):
    canvas = pixels(width=size[0], height=size[1])
    source = spilled(canvas)
    files, held = kept(folder), canvases.peek(source)

    taken, again = canvases.take(source), canvases.take(source)

    assert (len(files), held) == (1, None)
    assert taken is not None
    assert np.array_equal(taken, canvas)
    assert (again, kept(folder)) == (None, [])


def test_canvas_that_is_no_solid_block_comes_back_the_same():
    canvas = pixels(width=200)[:, ::-2]
    source = spilled(canvas)

    taken = canvases.take(source)

    assert taken is not None
    assert np.array_equal(taken, canvas)


def test_what_is_not_held_is_not_spilled(folder):
    source = read(pixels(1))
    read(pixels(2))

    canvases.spill(source)

    assert kept(folder) == []


def test_canvas_of_another_picture_is_not_used():
    mine, others = spilled(pixels(1)), spilled(pixels(2))
    canvases._file(others).replace(canvases._file(mine))

    assert canvases.take(mine) is None


def test_canvas_of_another_scope_is_not_used():
    """The same picture, in the folder of a person whose photos are nobody else's."""
    source = spilled(pixels())
    Source.objects.filter(pk=source.pk).update(scope="person-7")

    assert canvases.take(Source.objects.get(pk=source.pk)) is None


def archive() -> bytes:
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w") as made:
        made.writestr("canvas.npy", b"")
    return file.getvalue()


def array(made: np.ndarray) -> bytes:
    file = io.BytesIO()
    np.save(file, made, allow_pickle=True)
    return file.getvalue()


FORGED = {
    "empty": b"",
    "text": b"not an array",
    "zip": archive(),
    "broken zip": b"PK\x03\x04" + bytes(40),
    "pickle": array(np.array([{"a": 1}], dtype=object)),
    "floats": array(np.zeros((90, 120, 3), np.float32)),
    "flat": array(np.zeros(90 * 120 * 3, np.uint8)),
    "black": array(np.zeros((90, 120, 3), np.uint8)),
    "raw black": bytes(90 * 120 * 3),
    "huge": b"\x93NUMPY\x01\x00\x50\x00"
    + b"{'descr': '|u1', 'fortran_order': False, 'shape': (900000000, 120000, 3), }".ljust(79)
    + b"\n",
    "header of nonsense": b"\x93NUMPY\x01\x00\x10\x00" + b"{((((((((((((((\n",
}


@pytest.mark.parametrize("content", FORGED.values(), ids=FORGED)
def test_forged_canvas_is_neither_used_nor_kept(folder, content):
    source = spilled(pixels())
    [file] = kept(folder)
    file.write_bytes(content)

    taken = canvases.take(source)

    assert (taken, kept(folder)) == (None, [])


@pytest.mark.parametrize("share", [0, 0.1, 0.5, 0.999])
def test_torn_canvas_is_neither_used_nor_kept(folder, share):
    source = spilled(pixels())
    [file] = kept(folder)
    content = file.read_bytes()
    file.write_bytes(content[: int(share * len(content))])

    taken = canvases.take(source)

    assert (taken, kept(folder)) == (None, [])


@pytest.mark.parametrize("position", [200, 5_000, -1])
def test_canvas_with_one_wrong_bit_is_not_used(folder, position):
    source = spilled(pixels())
    [file] = kept(folder)
    content = bytearray(file.read_bytes())
    content[position] ^= 1
    file.write_bytes(content)

    assert canvases.take(source) is None


def test_canvas_with_more_behind_it_is_used_only_if_it_is_the_same(folder):
    canvas = pixels()
    source = spilled(canvas)
    [file] = kept(folder)
    file.write_bytes(file.read_bytes() + bytes(1000))

    taken = canvases.take(source)

    assert taken is None or np.array_equal(taken, canvas)


def test_folder_is_bounded_in_megabytes(folder, settings):
    settings.CANVAS_MEGABYTES = 1
    large = [spilled(pixels(seed, width=400, height=300)) for seed in range(5)]  # 360 kB each

    found = [canvases.take(source) is not None for source in large]

    assert found == [True, True, False, False, False]


def test_bound_of_nothing_keeps_nothing(folder, settings):
    settings.CANVAS_MEGABYTES = 0

    spilled(pixels())

    assert kept(folder) == []


def test_what_is_an_hour_old_makes_room(folder, settings):
    settings.CANVAS_MEGABYTES = 1
    forgotten = [spilled(pixels(seed, width=400, height=300)) for seed in range(2)]
    part = folder / ".half-written"
    part.write_bytes(b"x")
    for file in kept(folder):
        os.utime(file, (time.time() - canvases.HOUR - 5,) * 2)

    newest = spilled(pixels(9, width=400, height=300))

    assert [canvases.take(source) for source in forgotten] == [None, None]
    assert (canvases.take(newest) is None, kept(folder)) == (False, [])


def test_what_is_younger_than_an_hour_stays(folder):
    source = spilled(pixels(1))
    for file in kept(folder):
        os.utime(file, (time.time() - canvases.HOUR + 60,) * 2)

    spilled(pixels(2))

    assert canvases.take(source) is not None


def test_folder_that_is_gone_costs_a_decoding_and_no_more(folder, settings):
    settings.CANVAS_DIR = str(folder / "gone")

    source = spilled(pixels())

    assert canvases.take(source) is None


def test_file_that_cannot_be_finished_leaves_nothing(folder, monkeypatch):
    def full(*_: object) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(Path, "replace", full)
    spilled(pixels())

    assert kept(folder) == []


def test_canvas_that_was_read_is_not_decoded_again(media):
    source = makers.read(photo())
    commission(source)
    canvases.spill(source)
    store.remove([source.original])

    makers.paint_all(source)

    assert Rendition.objects.get().state == State.DONE


def test_forged_canvas_costs_a_decoding_and_no_more(media, folder):
    untouched = makers.painted(photo())
    filed = store.read(store.page_file(untouched.folder, untouched.width))
    renditions.release(untouched.commissions.values_list("pk", flat=True))
    source = Source.objects.get()
    Path(canvases._file(source)).write_bytes(b"PK\x03\x04 forged")

    commission(source)
    makers.paint_all(source)

    again = Rendition.objects.get()
    assert (again.state, kept(folder)) == (State.DONE, [])
    assert store.read(store.page_file(again.folder, again.width)) == filed
