"""Sources: admitted by the header alone, one for equal bytes, read once, and removed with their files."""

import dataclasses
import hashlib
import io
import struct
import time
import zlib
from collections.abc import Iterable
from datetime import timedelta

import imagehash
import pytest
from django.db import DataError, transaction
from django.utils import timezone
from PIL import Image, PngImagePlugin

from rendering import canvases, queue, recipes, renditions, sources, store
from rendering.models import Commission, Reason, Rendition, Source, State
from tests.rendering import makers
from tests.rendering.makers import (
    NOON,
    admit,
    commission,
    encoded,
    paint_all,
    painted,
    photo,
    picture,
    read,
    rendition_row,
    simultaneously,
    source_row,
)

RELEASING = 40
pytestmark = pytest.mark.django_db(transaction=True)


def png_header(width: int, height: int) -> bytes:
    """Return the first bytes of a PNG of this size; there is no pixel in it."""
    head = b"IHDR" + struct.pack(">IIBBBBB", width, height, 8, 2, 0, 0, 0)
    checksum = struct.pack(">I", zlib.crc32(head))
    return b"\x89PNG\r\n\x1a\n" + struct.pack(">I", 13) + head + checksum + struct.pack(">I", 1000) + b"IDAT"


def test_admitted_file_waits_to_be_read(media):
    content = photo(width=120, height=90)

    source = admit(content, now=NOON)

    assert (source.state, source.format, source.width, source.height) == (State.WAITING, "jpeg", 120, 90)
    assert (source.size, source.waiting_since, source.lane) == (len(content), NOON, "person-1")
    assert media() == [source.original]
    assert store.read(source.original) == content


def test_no_pixel_is_decoded_when_a_file_is_admitted(media):
    body_is_missing = photo(width=1200, height=900)[:700]
    with pytest.raises(OSError, match="truncated"):
        Image.open(io.BytesIO(body_is_missing)).load()

    source = admit(body_is_missing)

    assert (source.width, source.height) == (1200, 900)


def test_bomb_is_refused_by_its_header(media):
    with pytest.raises(sources.RefusedFile) as refusal:
        admit(png_header(12_000, 12_000))

    assert refusal.value.reason == Reason.TOO_MANY_PIXELS
    assert str(refusal.value) == "This picture has more pixels than are allowed here."
    assert (media(), Source.objects.count()) == ([], 0)


@pytest.mark.parametrize(
    ("content", "reason"),
    [
        (b"Dear diary, today", Reason.NOT_AN_IMAGE),
        (b"<svg xmlns='http://www.w3.org/2000/svg'/>", Reason.UNSUPPORTED_FORMAT),
        (png_header(20_001, 100), Reason.TOO_LARGE_SIDE),
        (photo(width=12, height=12), Reason.TOO_SMALL),
        (photo()[:20], Reason.DAMAGED),
    ],
)
def test_refused_file_leaves_nothing(content, reason, media):
    with pytest.raises(sources.RefusedFile) as refusal:
        admit(content)

    assert refusal.value.reason == reason
    assert (media(), Source.objects.count()) == ([], 0)


def test_file_over_the_limit_is_refused(settings, media):
    settings.MAX_MEGABYTES = 1

    with pytest.raises(sources.RefusedFile) as refusal:
        admit(photo() + b"\0" * 1_000_000)

    assert refusal.value.reason == Reason.TOO_MANY_BYTES


def test_width_and_height_are_those_of_the_upright_photo(media):
    turned = Image.Exif()
    turned[0x0112] = 6

    source = admit(photo(width=120, height=90, exif=turned))

    assert (source.width, source.height) == (90, 120)


def test_same_bytes_are_one_source(media):
    first, second = admit(photo()), admit(photo())

    assert first == second
    assert media() == [first.original]


def test_same_bytes_in_another_scope_are_another_source(media):
    first, second = admit(photo(), scope="a"), admit(photo(), scope="b")

    assert first != second
    assert len(media()) == 2


def test_simultaneous_uploads_of_a_file_make_one_source(media):
    content = photo()

    admitted = simultaneously(12, lambda: admit(content).pk)

    assert len(set(admitted)) == 1
    assert media() == [Source.objects.get().original]


def test_storage_that_fails_is_a_reason(media, settings, tmp_path):
    (tmp_path / "file").touch()
    settings.STORAGES = {
        **settings.STORAGES,
        "default": {
            "BACKEND": "django.core.files.storage.FileSystemStorage",
            "OPTIONS": {"location": str(tmp_path / "file")},
        },
    }

    with pytest.raises(sources.RefusedFile) as refusal:
        admit(photo())

    assert refusal.value.reason == Reason.STORAGE
    assert Source.objects.count() == 0


def stage(content: bytes) -> sources.Staged:
    digest = hashlib.sha256(content).hexdigest()
    return sources.stage(io.BytesIO(content), sha256=digest, size=len(content), scope="")


def test_staged_file_is_nobodys_and_can_be_discarded(media):
    staged = stage(photo())
    kept = media()

    sources.discard(staged)

    assert (len(kept), media(), Source.objects.count()) == (1, [], 0)


def test_known_file_is_not_stored_again(media):
    source = admit(photo())

    staged = stage(photo())
    sources.discard(staged)

    assert (staged.header, staged.original) == (None, "")
    assert media() == [source.original]


def test_file_that_came_twice_at_the_same_time_is_kept_once(media):
    first, second = stage(photo()), stage(photo())

    admitted = [sources.admit(staged, lane="person-1", now=NOON) for staged in (first, second)]

    assert admitted[0] == admitted[1]
    assert media() == [first.original]


def test_second_of_two_same_files_is_discarded_after_the_commit_alone(media):
    first, second = stage(photo()), stage(photo())
    sources.admit(first, lane="person-1", now=NOON)

    with transaction.atomic():
        sources.admit(second, lane="person-1", now=NOON)
        during = media()

    assert during == sorted([first.original, second.original])
    assert media() == [first.original]


def test_known_file_that_is_removed_before_it_is_admitted_is_refused(media):
    source = admit(photo())
    staged = stage(photo())
    sources.release([source.pk])

    with pytest.raises(sources.RefusedFile) as refusal:
        sources.admit(staged, lane="person-1", now=NOON)

    assert refusal.value.reason == Reason.STORAGE
    assert (media(), Source.objects.count()) == ([], 0)


def test_row_that_fails_is_no_source(media):
    staged = dataclasses.replace(stage(photo()), size=2**70)

    with pytest.raises((OverflowError, DataError)):
        sources.admit(staged, lane="", now=NOON)
    sources.discard(staged)

    assert (media(), Source.objects.count()) == ([], 0)


def test_worker_is_woken_once_for_a_file(media, valkey):
    admit(photo())
    once = queue.length()
    valkey.client.flushall()

    admit(photo())

    assert (once, queue.length()) == (1, 0)


def test_reading_makes_canvas_and_fingerprints(media, settings):
    settings.LONG_EDGE = 256

    source = makers.read(photo(width=600, height=450))

    assert (source.state, source.reason, source.tries, source.lease_until) == (State.DONE, "", 1, None)
    assert (source.width, source.height, source.canvas_width, source.canvas_height) == (600, 450, 256, 192)
    assert (len(source.canvas_key), len(source.signature)) == (64, 36)
    assert source.cpu_seconds > 0
    assert source.notes == []


def test_reading_makes_thumbnails(media, settings):
    settings.LONG_EDGE, settings.PAGE_WIDTHS = 512, (200, 480)

    source = makers.read(photo(width=600, height=450))

    files = [f"{source.folder}/{width}.jpg" for width in (200, 480, 512)]
    assert source.widths == [200, 480, 512]
    assert media() == sorted([source.original, *files])
    assert source.stored_bytes == sum(len(store.read(name)) for name in files)
    assert source.largest_bytes == len(store.read(files[-1]))
    assert Image.open(io.BytesIO(store.read(files[0]))).size == (200, 150)


def test_perceptual_hash_is_that_of_imagehash(media):
    source = makers.read(encoded(picture(3, width=300, height=200), form="PNG"))

    expected = imagehash.phash(picture(3, width=300, height=200), hash_size=16)
    assert imagehash.hex_to_hash(source.phash) - expected == 0
    assert len(source.phash) == 64


def test_canvas_key_is_that_of_the_picture_and_not_of_the_file(media):
    image = picture(4)
    comment = PngImagePlugin.PngInfo()
    comment.add_text("Comment", "the same picture in another file")

    first = makers.read(encoded(image, form="PNG"))
    again = makers.read(encoded(image, form="PNG", pnginfo=comment, compress_level=1))
    other = makers.read(encoded(picture(5), form="PNG"))

    assert first.pk != again.pk
    assert first.canvas_key == again.canvas_key != other.canvas_key


def test_turned_photo_is_read_upright(media):
    turned = Image.Exif()
    turned[0x0112] = 6

    source = makers.read(photo(width=120, height=90, exif=turned))

    assert (source.width, source.height, source.canvas_width, source.canvas_height) == (90, 120, 90, 120)


def test_damaged_photo_fails_with_a_reason(media):
    header, body = photo(form="PNG")[:60], b"\0" * 500

    source = makers.read(header + body)

    assert (source.state, source.reason, source.folder) == (State.FAILED, Reason.DAMAGED, "")
    assert media() == [source.original]


def test_truncated_photo_is_read_as_far_as_it_goes(media):
    content = photo(width=600, height=450, quality=95)

    source = makers.read(content[: len(content) // 2])

    assert (source.state, source.notes) == (State.DONE, ["truncated"])


def test_lost_original_is_a_reason(media):
    source = admit(photo())
    store.remove([source.original])

    sources.read(source.pk)

    source.refresh_from_db()
    assert (source.state, source.reason) == (State.FAILED, Reason.STORAGE)


def test_time_limit_is_told_as_such(media, monkeypatch):
    """The alarm rings while a decoder works, whose errors of every kind mean a damaged picture."""
    source = admit(photo(width=6000, height=4000, quality=98))
    monkeypatch.setattr(sources, "seconds_for", lambda _: 0.06)

    sources.read(source.pk)

    source.refresh_from_db()
    assert (source.state, source.reason) == (State.FAILED, Reason.TOO_SLOW)


def test_storage_that_fails_is_tried_again_in_a_moment(media, monkeypatch):
    source = admit(photo(), now=NOON)

    def away(_: str) -> bytes:
        raise store.Unavailable

    with monkeypatch.context() as broken:
        broken.setattr(store, "read", away)
        sources.read(source.pk)
    source.refresh_from_db()
    put_off = (source.state, source.reason, source.tries)
    pause = source.waiting_since - timezone.now()
    sources.read(source.pk)

    source.refresh_from_db()
    assert put_off == (State.WAITING, "", 1)
    assert timedelta(seconds=3) < pause <= timedelta(seconds=5)
    assert source.state == State.DONE


def test_storage_that_fails_for_good_is_a_reason(media, monkeypatch, settings):
    source = admit(photo())

    def full(*_: object) -> store.Pages:
        raise store.Unavailable

    monkeypatch.setattr(store, "put_pages", full)
    for _ in range(settings.MAX_STORAGE_TRIES):
        sources.read(source.pk)

    source.refresh_from_db()
    assert (source.state, source.reason, source.tries) == (State.FAILED, Reason.STORAGE, settings.MAX_STORAGE_TRIES)


def test_canvas_is_held_for_the_painting_that_follows(media):
    source = makers.read(photo(width=120, height=90))

    canvas = canvases.peek(source)

    assert canvas is not None
    assert canvas.shape == (90, 120, 3)


def test_source_is_read_once_by_many(media):
    source = admit(photo())

    simultaneously(6, lambda: sources.read(source.pk))

    source.refresh_from_db()
    assert (source.state, source.tries) == (State.DONE, 1)
    assert len(media()) == 1 + len(source.widths)


def test_reading_what_was_removed_is_nothing(media):
    source = admit(photo())
    sources.release([source.pk])

    sources.read(source.pk)

    assert media() == []


def test_late_reading_is_refused_and_leaves_no_file(media, monkeypatch):
    source = admit(photo())
    put = store.put_pages

    def meanwhile(kind: str, files: dict[int, bytes]) -> store.Pages:
        pages = put(kind, files)
        sources.release([source.pk])
        return pages

    monkeypatch.setattr(store, "put_pages", meanwhile)
    sources.read(source.pk)

    assert (media(), Source.objects.count()) == ([], 0)


def test_released_source_goes_with_its_files(media):
    kept, gone = makers.read(photo(1)), makers.read(photo(2))

    sources.release([gone.pk])

    assert list(Source.objects.all()) == [kept]
    assert media() == sorted([kept.original, *(store.page_file(kept.folder, width) for width in kept.widths)])


def test_released_source_takes_its_paintings_along(media):
    makers.painted(photo())

    sources.release([Source.objects.get().pk])

    assert media() == []


def test_released_source_takes_along_what_was_kept_for_a_while(media):
    rendition = painted(photo())
    asked = rendition.commissions.get()
    source = asked.source

    renditions.release([asked.pk], keep=True)
    assert Rendition.objects.filter(pk=rendition.pk, state=State.DONE).exists()
    sources.release([source.pk])

    assert not Rendition.objects.exists()
    assert media() == []


def test_picture_that_another_file_still_shows_keeps_what_was_painted(media):
    first, second = (read(encoded(picture(5), form="PNG", compress_level=level)) for level in (1, 9))
    asked = commission(first)
    paint_all(first)
    renditions.release([asked.pk], keep=True)

    sources.release([first.pk])

    assert Rendition.objects.get().canvas_key == second.canvas_key


@pytest.mark.parametrize("count", [1, 20])
def test_sources_are_released_in_a_number_of_statements_that_does_not_depend_on_theirs(
    media, count, django_assert_num_queries
):
    kept = source_row()
    for _ in range(count):
        row = source_row()
        rendition = rendition_row()
        facts = {"recipe": "pencil", "lane": "person-1", "created_at": NOON, "rendition": rendition}
        Commission.objects.create(source=row, recipe_digest=rendition.canvas_key, **facts)
    ids = list(Source.objects.exclude(pk=kept.pk).values_list("pk", flat=True))

    with django_assert_num_queries(RELEASING):
        sources.release(ids)

    assert (list(Source.objects.all()), Rendition.objects.count(), Commission.objects.count()) == ([kept], 0, 0)


def test_source_that_is_read_after_the_row_was_fetched_leaves_no_file(media, monkeypatch):
    """Between the fetch and the removal of a row a worker may have filled it."""
    source = admit(photo())
    release = renditions.release

    def meanwhile(commission_ids: Iterable[int]) -> None:
        sources.read(source.pk)
        release(commission_ids)

    monkeypatch.setattr(renditions, "release", meanwhile)
    sources.release([source.pk])

    assert (media(), Source.objects.count()) == ([], 0)


def test_reading_paints_what_was_asked_for_before(media):
    source = admit(photo())
    asked = makers.commission(source, "pencil")

    sources.read(source.pk)

    asked.refresh_from_db()
    assert asked.rendition is not None
    assert (asked.rendition.state, asked.rendition.canvas_key) == (State.WAITING, _canvas_key(source))


def test_retried_source_is_read_again(media):
    original = admit(photo())
    asked = makers.commission(original)
    Source.objects.update(state=State.FAILED, reason=Reason.STORAGE)

    renditions.retry(Commission.objects.get(), now=timezone.now())
    sources.read(original.pk)

    asked.refresh_from_db()
    assert asked.rendition is not None
    assert asked.rendition.recipe == recipes.compose("pencil", look="fast", long_edge=1024).text


def test_admitting_takes_no_second_without_a_queue(media, valkey_server):
    valkey_server.stop()

    started = time.monotonic()
    source = admit(photo())
    seconds = time.monotonic() - started

    assert source.state == State.WAITING
    assert seconds < 1.5


def _canvas_key(source: Source) -> str:
    return Source.objects.get(pk=source.pk).canvas_key
