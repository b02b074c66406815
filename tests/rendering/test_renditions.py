"""Renditions: asked for, found or painted once, cancelled, tried again, brought back, removed with their files."""

import io
import time
from datetime import datetime, timedelta

import numpy as np
import pytest
from django.db import transaction
from django.utils import timezone
from PIL import Image, PngImagePlugin

from rendering import canvases, labels, pipeline, queue, recipes, renditions, sources, store, styles, supervision
from rendering.models import LONGEST_PAUSE, Commission, Found, Priority, Reason, Rendition, Source, State
from rendering.recipes import FULL_SIZE, Recipe
from rendering.renditions import Every
from rendering.styles.base import Bench, ParameterError
from tests.rendering import makers
from tests.rendering.makers import (
    NOON,
    admit,
    commission,
    commission_all,
    encoded,
    paint_all,
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

    [first], [again] = (
        renditions.commission(source, styles=["oil"], look="classic", full_size=False, lane="", now=NOON) for _ in "12"
    )

    assert first[0] == again[0]
    assert (first[1], again[1]) == (False, True)


@pytest.mark.parametrize(("style", "look"), [("fresco", "fast"), ("oil", "slow")])
def test_commission_of_an_unknown_style_or_look_is_refused(style, look):
    source = admit(photo())

    with pytest.raises(ParameterError):
        renditions.commission(source, styles=[style], look=look, full_size=False, lane="", now=NOON)

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

    paint_all(source)

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
    paint_all(first)
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

    paint_all(source)

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

    paint_all(source)

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

    simultaneously(6, lambda: paint_all(source))

    assert set(Rendition.objects.values_list("state", "tries")) == {(State.DONE, 1)}
    assert len(media()) == before + sum(len(each.widths) for each in Rendition.objects.all())


@pytest.mark.parametrize("state", [State.WORKING, State.FAILED, State.CANCELLED, State.EVICTED])
def test_paint_that_finds_nothing_to_do_reads_no_file(state, media):
    source = makers.read(photo())
    commission(source)
    late = Rendition.objects.get()
    Rendition.objects.update(state=state)
    store.remove([source.original])

    renditions.paint(late)

    assert (Rendition.objects.get().state, Rendition.objects.get().tries) == (state, 0)


def test_painting_that_nobody_asks_for_any_more_is_not_made(media):
    source = makers.read(photo())
    commission(source)
    Commission.objects.all().delete()

    renditions.paint(Rendition.objects.get())

    assert (Rendition.objects.get().state, Rendition.objects.get().tries) == (State.CANCELLED, 0)


def test_paintings_of_one_canvas_are_painted_together(media):
    source = makers.read(photo())
    commission_all(source)

    renditions.paint(Rendition.objects.latest("pk"))

    assert set(Rendition.objects.values_list("state", "tries")) == {(State.DONE, 1)}


def test_paintings_of_different_canvases_are_not_painted_together(media):
    first, second = makers.read(photo(1)), makers.read(photo(2))
    asked, other = commission(first), commission(second)

    renditions.paint(Rendition.objects.get(commissions=asked))

    assert states([asked, other]) == [State.DONE, State.WAITING]


def test_no_more_is_painted_together_than_fits_a_unit(media, monkeypatch):
    """Another lane has its turn in between."""
    source = makers.read(photo())
    commission_all(source)
    monkeypatch.setattr(renditions, "UNIT_PIXELS", 2 * 120 * 90)

    left = []
    for _ in range(2):
        renditions.paint(Rendition.objects.filter(state=State.WAITING).earliest("pk"))
        left.append(Rendition.objects.filter(state=State.WAITING).count())
    monkeypatch.setattr(renditions, "UNIT_PIXELS", 1)
    commission(source, look="studio")
    commission(source, "oil", look="studio")
    renditions.paint(Rendition.objects.filter(state=State.WAITING).earliest("pk"))

    assert left == [EVERY_STYLE - 2, EVERY_STYLE - 4]
    assert Rendition.objects.filter(state=State.WAITING).count() == 1


def test_what_has_ended_a_child_is_painted_alone(media):
    source = makers.read(photo())
    crashed, *others = commission_all(source)
    Rendition.objects.filter(commissions=crashed).update(crashes=1)

    renditions.paint(Rendition.objects.get(commissions=others[0]))
    together = states([crashed, *others])
    Rendition.objects.filter(commissions__in=others).update(state=State.WAITING)
    renditions.paint(Rendition.objects.get(commissions=crashed))

    assert together == [State.WAITING, *[State.DONE] * len(others)]
    assert states([crashed, *others]) == [State.DONE, *[State.WAITING] * len(others)]


def test_what_was_put_off_is_not_painted_along(media):
    source = makers.read(photo())
    put_off, other = commission(source, "oil"), commission(source, "pencil")
    in_a_moment = timezone.now() + timedelta(seconds=30)
    Rendition.objects.filter(commissions=put_off).update(waiting_since=in_a_moment)

    renditions.paint(Rendition.objects.get(commissions=other))

    assert states([put_off, other]) == [State.WAITING, State.DONE]


def test_child_that_was_told_to_end_gives_back_what_it_has_not_begun(media, monkeypatch):
    source = makers.read(photo())
    asked = commission_all(source)
    paint_on = pipeline.paint_on

    def told_meanwhile(bench: Bench, recipe: Recipe) -> pipeline.Painting:
        monkeypatch.setattr(supervision, "told_to_end", lambda: True)
        return paint_on(bench, recipe)

    monkeypatch.setattr(pipeline, "paint_on", told_meanwhile)
    renditions.paint(Rendition.objects.earliest("pk"))

    assert states(asked) == [State.DONE, *[State.WAITING] * (EVERY_STYLE - 1)]
    assert list(Rendition.objects.order_by("pk").values_list("tries", flat=True)) == [1, 0, 0, 0]


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
    paint_all(source)

    assert states([asked, other]) == [State.CANCELLED, State.DONE]


def test_many_are_cancelled_at_once(media, django_assert_max_num_queries):
    """An album that is removed: some of it was never read, some is painted, and some is not this person's."""
    read, unread = makers.read(photo(1)), admit(photo(2))
    done, waiting, failed, others = commission_all(read)
    early = commission_all(unread)
    for asked, state in ((done, State.DONE), (failed, State.FAILED)):
        painting = Rendition.objects.filter(commissions=asked)
        painting.update(state=state, folder="renditions/a", width=1)

    with django_assert_max_num_queries(8):
        renditions.cancel_all([each.pk for each in (done, waiting, failed, *early)], now=NOON)
    sources.read(unread.pk)

    assert states([done, waiting, failed, others]) == [State.DONE, State.CANCELLED, State.FAILED, State.WAITING]
    assert states(early) == [None] * EVERY_STYLE
    assert Rendition.objects.get(commissions=waiting).finished_at == NOON


def test_nothing_at_all_is_cancelled(media):
    asked = commission(makers.read(photo()))

    renditions.cancel_all([], now=NOON)

    assert states([asked]) == [State.WAITING]


def test_painting_that_was_cancelled_in_the_queue_of_a_child_is_not_begun(media, monkeypatch):
    source = makers.read(photo())
    first, second = commission(source, "oil"), commission(source, "pencil")
    painted_recipes, paint_on = [], pipeline.paint_on

    def meanwhile(bench: Bench, recipe: Recipe) -> pipeline.Painting:
        painted_recipes.append(recipe.style)
        renditions.cancel(second, now=timezone.now())
        return paint_on(bench, recipe)

    monkeypatch.setattr(pipeline, "paint_on", meanwhile)
    monkeypatch.setattr(renditions, "LOOK_SECONDS", 0)
    renditions.paint(Rendition.objects.get(commissions=first))

    assert states([first, second]) == [State.DONE, State.CANCELLED]
    assert painted_recipes == ["oil"]


def test_looks_are_a_while_apart():
    never, soon = Every(60), Every(0.01)
    time.sleep(0.02)

    assert [never.is_due(), soon.is_due(), soon.is_due()] == [False, True, False]


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
    paint_all(source)

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
    paint_all(source)

    assert (media(), Rendition.objects.count(), Source.objects.count()) == ([], 0, 0)


@pytest.mark.parametrize("ended", [State.CANCELLED, State.FAILED, State.EVICTED])
def test_retry_paints_what_ended(ended, media):
    source = makers.read(photo())
    asked = commission(source)
    Rendition.objects.update(state=ended, reason=Reason.UNEXPECTED)

    renditions.retry(Commission.objects.get(), now=timezone.now())
    paint_all(source)

    assert states([asked]) == [State.DONE]


def test_retry_of_what_was_cancelled_before_reading(media):
    source = admit(photo())
    asked = commission(source)
    renditions.cancel(asked, now=timezone.now())
    sources.read(source.pk)

    renditions.retry(Commission.objects.get(), now=timezone.now())
    paint_all(source)

    assert states([asked]) == [State.DONE]


@pytest.mark.parametrize("ended", [State.CANCELLED, State.EVICTED])
def test_painting_that_ended_is_made_for_another_file_of_the_picture(ended, media, valkey):
    first, second = twins()
    asked = commission(first)
    Rendition.objects.update(state=ended, tries=3)
    valkey.client.flushall()

    again = commission(second)

    assert states([asked, again]) == [State.WAITING, State.WAITING]
    assert (Rendition.objects.get().tries, queue.length()) == (0, 1)


def test_failed_painting_is_not_painted_again_for_another_file_of_the_picture(media):
    first, second = twins()
    commission(first)
    Rendition.objects.update(state=State.FAILED, reason=Reason.CRASHED)

    again = commission(second)

    assert states([again]) == [State.FAILED]


def test_used_is_what_was_painted_or_found(media):
    first, second = twins()
    commission(first)
    paint_all(first)
    painted_at = Rendition.objects.get().used_at
    Rendition.objects.update(used_at=NOON)

    commission(second)

    assert painted_at is not None
    assert Rendition.objects.filter(used_at__gt=NOON).exists()


def test_what_many_ask_for_waits_in_the_shortest_of_their_lanes(media):
    first, second = twins()
    for seed in range(20, 23):
        ask(makers.read(photo(seed)), lane="person-1")
    shared = ask(first, lane="person-1")
    ask(makers.read(photo(30)), lane="person-2")

    ask(second, lane="person-2")

    assert Rendition.objects.get(commissions=shared).lane == "person-2"


def test_what_many_ask_for_stays_in_a_lane_that_is_no_longer(media):
    first, second = twins()
    shared = ask(first, lane="person-1")
    for seed in range(20, 23):
        ask(makers.read(photo(seed)), lane="person-2")

    ask(second, lane="person-2")

    assert Rendition.objects.get(commissions=shared).lane == "person-1"


def test_what_is_being_painted_changes_no_lane(media):
    first, second = twins()
    ask(makers.read(photo(20)), lane="person-1")
    shared = ask(first, lane="person-1")
    Rendition.objects.get(commissions=shared).start(now=timezone.now(), lease=timedelta(minutes=1))

    ask(second, lane="person-2")

    assert Rendition.objects.get(commissions=shared).lane == "person-1"


def test_work_is_of_usual_priority_and_full_size_comes_last(media, settings):
    settings.LONG_EDGE = 256
    source = makers.read(photo(width=400, height=300))

    commission(source, "oil"), commission(source, "oil", full_size=True)

    assert list(Rendition.objects.order_by("pk").values_list("priority", flat=True)) == [Priority.USUAL, Priority.LAST]


def test_watched_work_comes_first(media):
    looked_at, other = makers.read(photo(1)), makers.read(photo(2))
    asked = [*commission_all(looked_at), *commission_all(other)]
    unread, unseen = admit(photo(3)), admit(photo(4))
    Rendition.objects.filter(commissions=asked[0]).update(state=State.CANCELLED)

    renditions.watch([looked_at.pk, unread.pk])

    priorities = list(Rendition.objects.order_by("pk").values_list("priority", flat=True))
    assert priorities == [Priority.USUAL, *[Priority.WATCHED] * 3, *[Priority.USUAL] * 4]
    read_next = Source.objects.filter(pk__in=[unread.pk, unseen.pk]).order_by("pk").values_list("priority", flat=True)
    assert list(read_next) == [Priority.WATCHED, Priority.USUAL]
    assert set(Source.objects.filter(state=State.DONE).values_list("priority", flat=True)) == {Priority.USUAL}


def test_what_is_held_back_is_not_made_before_its_time(media):
    source, now = makers.read(photo()), timezone.now()
    held = ask(source, not_before=now + timedelta(hours=1))

    renditions.request(source.pk)
    renditions.request_due(now=now + timedelta(minutes=59))

    assert (states([held]), Rendition.objects.count()) == ([None], 0)


def test_what_is_held_back_is_made_when_its_time_has_come(media, monkeypatch):
    source, now = makers.read(photo()), timezone.now()
    held = ask(source, not_before=now + timedelta(hours=1))
    later = now + timedelta(minutes=61)
    monkeypatch.setattr(timezone, "now", lambda: later)

    renditions.request_due(now=later)

    assert states([held]) == [State.WAITING]
    assert Rendition.objects.get().waiting_since == later


def test_what_is_held_back_is_given_at_once_if_it_is_done_already(media):
    """It costs nothing: no allowance is needed for it."""
    first, second = twins()
    commission(first)
    paint_all(first)

    held = ask(second, not_before=timezone.now() + timedelta(hours=1))

    assert states([held]) == [State.DONE]
    assert Commission.objects.get(pk=held.pk).found == Found.SAME_PICTURE


@pytest.mark.parametrize("state", [State.WAITING, State.FAILED, State.CANCELLED, State.EVICTED])
def test_what_is_held_back_renews_nothing(state, media):
    first, second = twins()
    commission(first)
    Rendition.objects.update(state=state)

    held = ask(second, not_before=timezone.now() + timedelta(hours=1))

    assert states([held]) == [None]
    assert Rendition.objects.get().state == state


def test_held_back_ones_do_not_hold_up_the_others(media):
    source = makers.read(photo())

    held = ask(source, style="oil", not_before=timezone.now() + timedelta(hours=1))
    others = [ask(source, style="pencil"), ask(source, style="watercolor", not_before=NOON)]

    assert states([held, *others]) == [None, State.WAITING, State.WAITING]


def test_preview_is_made_when_the_queue_is_long(media, settings):
    settings.PREVIEWS_FROM, settings.PREVIEW_EDGE = 2, 100
    source = admit(photo(width=600, height=450))
    commission(source, "oil"), commission(source, "watercolor")

    sources.read(source.pk)

    folders = Rendition.objects.values_list("preview", flat=True)
    sizes = [Image.open(io.BytesIO(store.read(f"{folder}/480.jpg"))).size for folder in folders]
    assert (sizes, set(Rendition.objects.values_list("state", flat=True))) == ([(100, 75)] * 2, {State.WAITING})
    assert len(set(folders)) == 2


def test_preview_is_paid_for_with_the_reading(media, settings):
    source = makers.read(photo())
    commission_all(source)
    before = Source.objects.get().cpu_seconds
    settings.PREVIEWS_FROM = 1

    renditions.preview(source)

    assert Source.objects.get().cpu_seconds > before


def test_no_preview_is_made_when_the_queue_is_short(media, settings):
    settings.PREVIEWS_FROM = 3
    source = admit(photo())
    commission(source, "oil"), commission(source, "watercolor")

    sources.read(source.pk)

    assert [name for name in media() if name.startswith("previews/")] == []


def test_photos_that_are_not_read_yet_make_the_queue_long_as_well(media, settings):
    settings.PREVIEWS_FROM = 3
    first, second = admit(photo(seed=1)), admit(photo(seed=2))
    for source in (first, second):
        commission(source, "oil"), commission(source, "watercolor")

    sources.read(first.pk)

    assert len({name.split("/")[1] for name in media() if name.startswith("previews/")}) == 2


def test_preview_is_of_what_waits_alone_and_made_once(media, settings):
    settings.PREVIEWS_FROM = 0
    source = admit(photo())
    waits = commission(source, "oil")
    sources.read(source.pk)
    before = media()
    canvas = pipeline.open_canvas(io.BytesIO(store.read(source.original)), long_edge=1024, limits=renditions.limits())
    source.refresh_from_db()
    canvases.hold(source, canvas)

    renditions.preview(source)

    assert Rendition.objects.get(commissions=waits).preview
    assert media() == before


def test_preview_needs_no_second_decoding(media, settings):
    settings.PREVIEWS_FROM = 0
    source = makers.read(photo())
    commission(source)
    canvases.take(source)

    renditions.preview(source)

    assert Rendition.objects.get().preview == ""


def test_preview_goes_when_the_painting_is_done(media, settings):
    settings.PREVIEWS_FROM = 0
    source = admit(photo())
    commission(source)
    sources.read(source.pk)
    made = [name for name in media() if name.startswith("previews/")]

    paint_all(source)

    assert len(made) == 1
    assert [name for name in media() if name.startswith("previews/")] == []
    assert (Rendition.objects.get().state, Rendition.objects.get().preview) == (State.DONE, "")


def test_preview_goes_with_its_rendition(media, settings):
    settings.PREVIEWS_FROM = 0
    source = admit(photo())
    asked = commission(source)
    sources.read(source.pk)

    renditions.release([asked.pk])

    assert [name for name in media() if name.startswith(("previews/", "renditions/"))] == []


def test_preview_of_what_was_removed_meanwhile_keeps_no_file(media, settings, monkeypatch):
    settings.PREVIEWS_FROM = 0
    source = admit(photo())
    asked = commission(source)
    put = store.put_pages

    def meanwhile(kind: str, files: dict[int, bytes]) -> store.Pages:
        pages = put(kind, files)
        if kind == "previews":
            renditions.release([asked.pk])
        return pages

    monkeypatch.setattr(store, "put_pages", meanwhile)
    sources.read(source.pk)

    assert [name for name in media() if name.startswith("previews/")] == []


def test_preview_that_fails_is_none(media, settings, monkeypatch):
    settings.PREVIEWS_FROM = 0
    source = admit(photo())
    asked = commission(source)
    put = store.put_pages

    def full(kind: str, files: dict[int, bytes]) -> store.Pages:
        if kind == "previews":
            raise store.Unavailable
        return put(kind, files)

    monkeypatch.setattr(store, "put_pages", full)
    sources.read(source.pk)
    paint_all(source)

    assert (Source.objects.get().state, states([asked])) == (State.DONE, [State.DONE])


def test_lost_original_is_a_reason(media):
    source = makers.read(photo())
    asked = commission(source)
    canvases.take(source)
    store.remove([source.original])

    paint_all(source)

    assert states([asked]) == [State.FAILED]
    assert Rendition.objects.get().reason == Reason.STORAGE


@pytest.mark.parametrize("recipe", ["fresco 1 size=1 @1024", "pencil 999 size=1 @1024"])
def test_recipe_of_another_version_is_outdated_and_fails_alone(recipe, media):
    source = makers.read(photo())
    gone, others = commission(source, "pencil"), [commission(source, "oil"), commission(source, "watercolor")]
    Rendition.objects.filter(style="pencil").update(recipe=recipe)

    paint_all(source)

    assert states([gone, *others]) == [State.FAILED, State.DONE, State.DONE]
    assert Rendition.objects.get(style="pencil").reason == Reason.OUTDATED


def test_released_painting_goes_with_its_files(media):
    source = makers.read(photo())
    kept, gone = commission(source, "oil"), commission(source, "pencil")
    paint_all(source)

    renditions.release([gone.pk])

    assert list(Commission.objects.all()) == [kept]
    assert list(Rendition.objects.values_list("style", flat=True)) == ["oil"]
    assert [name for name in media() if name.startswith("renditions/")] == _files_of(Rendition.objects.get())


def test_shared_painting_stays_until_the_last_is_released(media):
    image = picture(5)
    first, second = (makers.read(encoded(image, form="PNG", compress_level=level)) for level in (1, 9))
    one, other = commission(first), commission(second)
    paint_all(first)
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
    paint_all(source)
    filed = Rendition.objects.get().folder

    this = Rendition.objects.filter(pk=fetched_before.pk)
    held = renditions.delete_free(this)
    renditions.delete_free(Commission.objects.filter(pk=asked.pk))
    [gone] = renditions.delete_free(this)

    assert held == []
    assert (fetched_before.folder, gone.folder) == ("", filed)


def test_request_that_was_lost_is_made_again(media, valkey):
    source = makers.read(photo())
    asked = commission(source)
    Commission.objects.update(rendition=None, found="")
    Rendition.objects.all().delete()
    valkey.client.flushall()

    renditions.request_due(now=timezone.now())

    assert states([asked]) == [State.WAITING]
    assert queue.length() == 1


def test_storage_that_fails_is_tried_again_in_a_moment(media, monkeypatch):
    source = makers.read(photo())
    asked = commission_all(source)
    canvases.take(source)
    before = timezone.now()

    with monkeypatch.context() as broken:
        broken.setattr(store, "read", _away)
        renditions.paint(Rendition.objects.earliest("pk"))
    put_off = list(Rendition.objects.values_list("state", "reason", "tries"))
    paint_all(source)

    assert put_off == [(State.WAITING, "", 1)] * EVERY_STYLE
    assert states(asked) == [State.DONE] * EVERY_STYLE
    assert all(since > before for since in Rendition.objects.values_list("waiting_since", flat=True))


def test_pauses_of_a_storage_that_fails_grow_and_end(media, monkeypatch, settings):
    source = makers.read(photo())
    asked = commission(source)
    canvases.take(source)
    monkeypatch.setattr(store, "read", _away)

    pauses = []
    for _ in range(settings.MAX_STORAGE_TRIES - 1):
        renditions.paint(Rendition.objects.get())
        pauses.append(round((Rendition.objects.get().waiting_since - timezone.now()).total_seconds()))
    renditions.paint(Rendition.objects.get())

    assert pauses == [5, 10, 15, 20]
    assert timedelta(seconds=max(pauses)) < LONGEST_PAUSE
    assert (states([asked]), Rendition.objects.get().reason) == ([State.FAILED], Reason.STORAGE)


def test_storage_that_takes_no_painting_keeps_the_others(media, monkeypatch):
    source = makers.read(photo())
    commission_all(source)
    put, calls = store.put_pages, []

    def once_away(kind: str, files: dict[int, bytes]) -> store.Pages:
        calls.append(kind)
        if len(calls) == 2:
            raise store.Unavailable
        return put(kind, files)

    monkeypatch.setattr(store, "put_pages", once_away)
    renditions.paint(Rendition.objects.earliest("pk"))

    assert list(Rendition.objects.order_by("pk").values_list("state", flat=True)) == [
        State.DONE,
        State.WAITING,
        State.DONE,
        State.DONE,
    ]


def test_removed_while_the_storage_fails_is_nothing(media):
    source = source_row()
    source.start(now=NOON, lease=timedelta(minutes=1))
    Source.objects.all().delete()

    with renditions.failing_with_reason([source]):
        _away("")

    assert Source.objects.count() == 0


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
    assert type(error).__name__ in source.error.splitlines()[-1]
    assert "in painting" in source.error
    source.renew(now=NOON)
    source.refresh_from_db()
    source.start(now=NOON, lease=timedelta(minutes=1))
    assert Source.objects.get().error == ""


def test_time_that_is_up_has_a_reason():
    source = source_row()
    source.start(now=NOON, lease=timedelta(minutes=1))

    with renditions.failing_with_reason([source]), supervision.doing(source, seconds=0.05):
        time.sleep(30)

    source.refresh_from_db()
    assert (source.state, source.reason) == (State.FAILED, Reason.TOO_SLOW)


def test_painting_that_takes_too_long_fails_alone(media, monkeypatch):
    source = makers.read(photo())
    slow, *others = commission_all(source)
    paint_on = pipeline.paint_on
    style = Rendition.objects.get(commissions=slow).style

    def dawdle(bench: Bench, recipe: Recipe) -> pipeline.Painting:
        if recipe.style == style:
            time.sleep(30)
        return paint_on(bench, recipe)

    monkeypatch.setattr(pipeline, "paint_on", dawdle)
    monkeypatch.setattr(renditions, "seconds_for", lambda *_, **__: 2)
    renditions.paint(Rendition.objects.earliest("pk"))

    assert states([slow, *others]) == [State.FAILED, *[State.DONE] * len(others)]
    assert Rendition.objects.get(commissions=slow).reason == Reason.TOO_SLOW


def test_time_limit_grows_with_the_work():
    assert renditions.seconds_for(0) == 20
    assert renditions.seconds_for(12_000_000) == 56
    assert renditions.seconds_for(12_000_000, paintings=4) == 164


def twins() -> tuple[Source, Source]:
    """Return two files of one picture, read."""
    first, second = (makers.read(encoded(picture(5), form="PNG", compress_level=level)) for level in (1, 9))
    return first, second


def ask(source: Source, style: str = "pencil", *, lane: str = "person-1", not_before: datetime | None = None):
    """Ask for a source as somebody does whose allowance may have run out."""
    now = timezone.now()
    [(asked, _)] = renditions.commission(
        source, styles=[style], look="fast", full_size=False, lane=lane, now=now, not_before=not_before
    )
    return asked


def _away(_: str) -> bytes:
    raise store.Unavailable


def _files_of(rendition: Rendition) -> list[str]:
    return sorted(store.page_file(rendition.folder, width) for width in rendition.widths)
