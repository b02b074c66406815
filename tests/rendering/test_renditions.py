"""Renditions: asked for, found or painted once, cancelled, tried again, brought back, removed with their files."""

import io
from datetime import timedelta

import numpy as np
import pytest
from django.db import transaction
from django.utils import timezone
from PIL import Image, PngImagePlugin

from rendering import labels, pipeline, queue, recipes, renditions, sources, store, styles
from rendering.models import Commission, Found, Reason, Rendition, Source, State
from rendering.recipes import FULL_SIZE
from rendering.styles.base import ParameterError
from tests.rendering import makers
from tests.rendering.makers import (
    NOON,
    admit,
    commission,
    commission_all,
    encoded,
    painted,
    photo,
    picture,
    simultaneously,
    source_row,
    states,
)

pytestmark = pytest.mark.django_db(transaction=True)
EVERY_STYLE = len(styles.NAMES)


def test_commission_twice_is_the_same():
    source = admit(photo())

    first = renditions.commission(source, style="oil", look="classic", full_size=False, lane="", now=NOON)
    again = renditions.commission(source, style="oil", look="classic", full_size=False, lane="", now=NOON)

    assert first[0] == again[0]
    assert (first[1], again[1]) == (False, True)


@pytest.mark.parametrize(("style", "look"), [("fresco", "fast"), ("oil", "slow")])
def test_commission_of_an_unknown_style_or_look_is_refused(style, look):
    source = admit(photo())

    with pytest.raises(ParameterError):
        renditions.commission(source, style=style, look=look, full_size=False, lane="", now=NOON)

    assert Commission.objects.count() == 0


def test_full_size_is_only_for_what_is_larger_than_the_usual_size(settings):
    settings.LONG_EDGE = 256
    small, large = admit(photo(1, width=256, height=200)), admit(photo(2, width=257, height=200))

    sizes = [recipes.parse(commission(each, full_size=True).recipe).long_edge for each in (small, large)]

    assert sizes == [256, FULL_SIZE]


def test_nothing_is_made_before_the_photo_is_read():
    asked = commission(admit(photo()))

    assert (asked.rendition, asked.found, Rendition.objects.count()) == (None, "", 0)


def test_commission_of_a_photo_that_is_read_makes_a_rendition(media):
    source = makers.read(photo())

    asked = commission(source, "oil")

    assert asked.rendition is not None
    assert (asked.found, asked.rendition.state, asked.rendition.style) == (Found.PAINTED, State.WAITING, "oil")


@pytest.mark.parametrize("look", styles.LOOKS)
def test_every_style_is_painted_in_every_look(look, media):
    source = makers.read(photo())
    asked = [commission(source, style, look=look) for style in styles.NAMES]

    renditions.paint(source.pk)

    assert states(asked) == [State.DONE] * EVERY_STYLE
    sizes = set(Rendition.objects.values_list("width", "height"))
    assert sizes == {(120, 90)}


def test_painting_is_filed_in_several_widths(media, settings):
    settings.PAGE_WIDTHS = (60, 480)

    rendition = painted(photo(width=120, height=90))

    files = [store.page_file(rendition.folder, width) for width in rendition.widths]
    pictures = [Image.open(io.BytesIO(store.read(name))) for name in files]
    assert [each.size for each in pictures] == [(60, 45), (120, 90)]
    assert rendition.stored_bytes == sum(len(store.read(name)) for name in files)
    assert (rendition.reason, rendition.tries, rendition.lease_until) == ("", 1, None)
    assert rendition.cpu_seconds > 0


def test_painting_is_that_of_its_recipe(media):
    content = photo(width=120, height=90)

    rendition = painted(content, "oil")

    canvas = pipeline.open_canvas(io.BytesIO(content), long_edge=1024, limits=renditions.limits())
    [expected] = pipeline.paint(canvas, [recipes.compose("oil", look="fast", long_edge=1024)])
    filed = store.read(store.page_file(rendition.folder, 120))
    assert filed == labels.write(expected.pixels, labels.of(expected.recipe))
    assert not np.array_equal(expected.pixels, canvas)


def test_same_picture_in_another_file_is_found_and_painted_once(media):
    image = picture(7)
    tagged = PngImagePlugin.PngInfo()
    tagged.add_text("Author", "somebody else")
    first = makers.read(encoded(image, form="PNG"))
    done = commission_all(first)
    renditions.paint(first.pk)
    files = media()

    second = makers.read(encoded(image, form="PNG", pnginfo=tagged, compress_level=1))
    found = commission_all(second)

    assert [each.found for each in found] == [Found.SAME_PICTURE] * EVERY_STYLE
    assert [each.rendition for each in found] == [each.rendition for each in done]
    assert states(found) == [State.DONE] * EVERY_STYLE
    assert len(media()) == len(files) + 1 + len(second.widths)


def test_same_jpeg_with_other_metadata_is_found(media):
    image = picture(8)
    other = Image.Exif()
    other[0x010E] = "a description"
    first = painted(encoded(image, quality=90))

    source = makers.read(encoded(image, quality=90, exif=other, comment=b"another comment"))

    assert commission(source, first.style).rendition == first


def test_full_size_is_painted_at_full_size(media, settings):
    settings.LONG_EDGE = 256
    source = makers.read(photo(width=400, height=300))
    usual, full = commission(source, "oil"), commission(source, "oil", full_size=True)

    renditions.paint(source.pk)

    sizes = [Rendition.objects.values_list("width", "height").get(commissions=asked) for asked in (usual, full)]
    assert sizes == [(256, 192), (400, 300)]


def test_full_size_of_equal_files_is_painted_once_and_of_equal_pictures_twice(media, settings):
    settings.LONG_EDGE = 256
    image = picture(9, width=400, height=300)
    first = makers.read(encoded(image, form="PNG"))
    again = makers.read(encoded(image, form="PNG", compress_level=1))

    painted_from = {commission(source, "oil", full_size=True).rendition_id for source in (first, first, again)}

    assert first.canvas_key == again.canvas_key
    assert len(painted_from) == 2


def test_both_pencils_are_one_computation(media):
    source = makers.read(photo(width=1024, height=768))
    commission(source, "pencil", look="classic")
    commission(source, "color-pencil", look="classic")

    renditions.paint(source.pk)

    together = dict(Rendition.objects.values_list("style", "cpu_seconds"))
    alone = painted(photo(2, width=1024, height=768), "color-pencil").cpu_seconds
    assert together["color-pencil"] < alone


def test_simultaneous_commissions_make_one_rendition(media):
    source = makers.read(photo())

    asked = simultaneously(24, lambda: commission(source).pk)

    assert len(set(asked)) == 1
    assert Rendition.objects.count() == 1
    assert Commission.objects.get().found == Found.PAINTED


def test_simultaneous_requests_of_one_picture_in_many_files_make_one_rendition(media):
    image = picture(6)
    files = [encoded(image, form="PNG", compress_level=level) for level in range(1, 10)]
    read = [makers.read(each) for each in dict.fromkeys(files)]
    for source in read:
        for style in styles.NAMES:
            recipe = recipes.compose(style, look="fast", long_edge=1024)
            Commission.objects.create(source=source, recipe=recipe.text, recipe_digest=recipe.digest, created_at=NOON)
    left = [source.pk for source in read]

    simultaneously(len(read), lambda: renditions.request(left.pop()))

    assert len(read) > 3
    assert Rendition.objects.count() == EVERY_STYLE
    assert Commission.objects.filter(found=Found.PAINTED).count() == EVERY_STYLE
    assert Commission.objects.filter(found=Found.SAME_PICTURE).count() == EVERY_STYLE * (len(read) - 1)


def test_simultaneous_workers_paint_once(media):
    source = makers.read(photo())
    commission_all(source)
    before = len(media())

    simultaneously(6, lambda: renditions.paint(source.pk))

    assert set(Rendition.objects.values_list("state", "tries")) == {(State.DONE, 1)}
    assert len(media()) == before + sum(len(each.widths) for each in Rendition.objects.all())


def test_paint_that_finds_nothing_to_do_reads_no_file(media):
    source = makers.read(photo())
    store.remove([source.original])

    renditions.paint(source.pk)
    renditions.paint(0)

    assert Rendition.objects.count() == 0


def test_cancelled_before_reading_is_never_made(media):
    source = admit(photo())
    asked, other = commission(source, "oil"), commission(source, "pencil")

    renditions.cancel(asked, now=timezone.now())
    sources.read(source.pk)

    assert states([asked, other]) == [None, State.WAITING]


def test_cancelled_while_waiting_is_not_painted(media):
    source = makers.read(photo())
    asked, other = commission(source, "oil"), commission(source, "pencil")

    renditions.cancel(asked, now=timezone.now())
    renditions.paint(source.pk)

    assert states([asked, other]) == [State.CANCELLED, State.DONE]


def test_cancelled_by_who_does_not_know_of_the_rendition_yet(media):
    source = admit(photo())
    stale = commission(source)
    sources.read(source.pk)

    renditions.cancel(stale, now=timezone.now())

    assert states([stale]) == [State.CANCELLED]


def test_cancelled_while_painting_keeps_no_file(media, monkeypatch):
    source = makers.read(photo())
    asked = commission(source)
    before = media()
    put = store.put_pages

    def meanwhile(kind: str, files: dict[int, bytes]) -> store.Pages:
        pages = put(kind, files)
        renditions.cancel(Commission.objects.get(), now=timezone.now())
        return pages

    monkeypatch.setattr(store, "put_pages", meanwhile)
    renditions.paint(source.pk)

    assert states([asked]) == [State.CANCELLED]
    assert media() == before


def test_removed_while_painting_keeps_no_file(media, monkeypatch):
    source = makers.read(photo())
    commission(source)
    put = store.put_pages

    def meanwhile(kind: str, files: dict[int, bytes]) -> store.Pages:
        pages = put(kind, files)
        sources.release([source.pk])
        return pages

    monkeypatch.setattr(store, "put_pages", meanwhile)
    renditions.paint(source.pk)

    assert (media(), Rendition.objects.count(), Source.objects.count()) == ([], 0, 0)


@pytest.mark.parametrize("ended", [State.CANCELLED, State.FAILED])
def test_retry_paints_what_ended(ended, media):
    source = makers.read(photo())
    asked = commission(source)
    Rendition.objects.update(state=ended, reason=Reason.UNEXPECTED)

    renditions.retry(Commission.objects.get(), now=timezone.now())
    renditions.paint(source.pk)

    assert states([asked]) == [State.DONE]


def test_retry_of_what_was_cancelled_before_reading(media):
    source = admit(photo())
    asked = commission(source)
    renditions.cancel(asked, now=timezone.now())
    sources.read(source.pk)

    renditions.retry(Commission.objects.get(), now=timezone.now())
    renditions.paint(source.pk)

    assert states([asked]) == [State.DONE]


def test_cancelled_painting_is_made_for_another_file_of_the_picture(media):
    image = picture(5)
    first, second = (makers.read(encoded(image, form="PNG", compress_level=level)) for level in (1, 9))
    renditions.cancel(commission(first), now=timezone.now())

    asked = commission(second)

    assert states([asked]) == [State.WAITING]


def test_lost_original_is_a_reason(media):
    source = makers.read(photo())
    asked = commission(source)
    store.remove([source.original])

    renditions.paint(source.pk)

    assert states([asked]) == [State.FAILED]
    assert Rendition.objects.get().reason == Reason.STORAGE


def test_recipe_of_a_style_that_is_gone_fails_alone(media):
    source = makers.read(photo())
    gone, others = commission(source, "pencil"), [commission(source, "oil"), commission(source, "watercolor")]
    Rendition.objects.filter(style="pencil").update(recipe="fresco 1 size=1 @1024")

    renditions.paint(source.pk)

    assert states([gone, *others]) == [State.FAILED, State.DONE, State.DONE]
    assert Rendition.objects.get(style="pencil").reason == Reason.UNEXPECTED


def test_released_painting_goes_with_its_files(media):
    source = makers.read(photo())
    kept, gone = commission(source, "oil"), commission(source, "pencil")
    renditions.paint(source.pk)

    renditions.release([gone.pk])

    assert list(Commission.objects.all()) == [kept]
    assert list(Rendition.objects.values_list("style", flat=True)) == ["oil"]
    assert [name for name in media() if name.startswith("renditions/")] == _files_of(Rendition.objects.get())


def test_shared_painting_stays_until_the_last_is_released(media):
    image = picture(5)
    first, second = (makers.read(encoded(image, form="PNG", compress_level=level)) for level in (1, 9))
    one, other = commission(first), commission(second)
    renditions.paint(first.pk)
    files = _files_of(Rendition.objects.get())

    renditions.release([one.pk])
    shared = [name for name in media() if name.startswith("renditions/")]
    renditions.release([other.pk])
    left = [name for name in media() if name.startswith("renditions/")]

    assert (shared, left) == (files, [])
    assert Rendition.objects.count() == 0


def test_files_stay_when_the_release_is_rolled_back(media):
    rendition = painted(photo())

    with transaction.atomic():
        renditions.release(Commission.objects.values_list("pk", flat=True))
        transaction.set_rollback(True)

    assert [name for name in media() if name.startswith("renditions/")] == _files_of(rendition)
    assert list(Rendition.objects.all()) == [rendition]


def test_deleted_row_tells_what_it_held_last(media):
    source = makers.read(photo())
    asked = commission(source)
    fetched_before = Rendition.objects.get()
    renditions.paint(source.pk)
    filed = Rendition.objects.get().folder

    held = renditions.delete_if_free(fetched_before)
    renditions.delete_if_free(asked)
    gone = renditions.delete_if_free(fetched_before)

    assert held is None
    assert gone is not None
    assert (fetched_before.folder, gone.folder) == ("", filed)


def test_request_that_was_lost_is_made_again(media, valkey):
    source = makers.read(photo())
    asked = commission(source)
    Commission.objects.update(rendition=None, found="")
    Rendition.objects.all().delete()
    valkey.client.flushall()

    renditions.retry_stale(now=timezone.now())

    assert states([asked]) == [State.WAITING]
    assert queue.length() == 1


def test_expired_painting_is_brought_back_at_once(media, valkey):
    source = makers.read(photo())
    asked = commission(source)
    Rendition.objects.get().start(now=timezone.now(), lease=timedelta(seconds=30))
    valkey.client.flushall()

    later = timezone.now() + timedelta(seconds=31)
    counts = [renditions.retry_stale(now=later), renditions.retry_stale(now=later)]

    assert states([asked]) == [State.WAITING]
    assert (counts, queue.length()) == ([1, 0], 1)


def test_long_queue_is_not_made_longer(media, valkey):
    waiting = [makers.read(photo(seed)) for seed in range(3)]
    for source in waiting:
        commission_all(source)
    admit(photo(99))
    before = queue.length()

    hour = timezone.now() + timedelta(hours=1)
    counts = [sources.retry_stale(now=hour), renditions.retry_stale(now=hour)]

    assert counts == [0, 0]
    assert queue.length() == before


def test_emptied_queue_is_filled_again(media, valkey):
    for seed in range(3):
        commission_all(makers.read(photo(seed)))
    admit(photo(99))
    valkey.client.flushall()

    hour = timezone.now() + timedelta(hours=1)
    counts = [sources.retry_stale(now=hour), renditions.retry_stale(now=hour)]

    assert (counts, queue.length()) == ([1, 3], 4)


def test_work_that_was_begun_too_often_is_set_aside(media, valkey, settings):
    source = makers.read(photo())
    commission(source)
    now = timezone.now()
    for _ in range(settings.MAX_TRIES):
        Rendition.objects.get().start(now=now, lease=timedelta(seconds=1))
        now += timedelta(seconds=5)
        renditions.retry_stale(now=now)

    rendition = Rendition.objects.get()
    assert (rendition.state, rendition.reason) == (State.FAILED, Reason.CRASHED)


@pytest.mark.parametrize(
    ("error", "reason"),
    [
        (MemoryError(), Reason.OUT_OF_MEMORY),
        (store.Missing("gone"), Reason.STORAGE),
        (RuntimeError("a bug"), Reason.UNEXPECTED),
    ],
)
def test_failure_has_a_reason(error, reason):
    source = source_row()
    source.start(now=NOON, lease=timedelta(minutes=1))

    def painting() -> None:
        raise error

    with renditions.failing_with_reason([source]):
        painting()

    source.refresh_from_db()
    assert (source.state, source.reason) == (State.FAILED, reason)


def test_time_that_is_up_has_a_reason_and_ends_the_job():
    source = source_row()
    source.start(now=NOON, lease=timedelta(minutes=1))

    with pytest.raises(queue.TooSlow), renditions.failing_with_reason([source]):
        raise queue.TooSlow

    source.refresh_from_db()
    assert (source.state, source.reason) == (State.FAILED, Reason.TOO_SLOW)


def test_time_limit_grows_with_the_work():
    assert renditions.seconds_for(0) == 20
    assert renditions.seconds_for(12_000_000) == 56
    assert renditions.seconds_for(12_000_000, paintings=4) == 164


def _files_of(rendition: Rendition) -> list[str]:
    return sorted(store.page_file(rendition.folder, width) for width in rendition.widths)
