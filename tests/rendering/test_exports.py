"""Exports: paintings as files to be saved, of exact pixels, with their recipes, made once and gone when unused."""

import io
import os
import signal
import time
from collections.abc import Iterator
from datetime import datetime, timedelta
from pathlib import Path

import numpy as np
import pytest
from django.core.management import call_command
from django.db import IntegrityError, transaction
from django.utils import timezone
from PIL import Image

from rendering import exports, labels, pipeline, queue, recipes, renditions, sources, stats, store, styles
from rendering.models import Commission, Export, ExportFormat, Reason, Rendition, Source, State
from rendering.styles.base import ParameterError
from tests.processes import Crew, Valkey, same_site, stopped_child, wait_until
from tests.rendering.makers import admit, commission, encoded, paint_all, painted, photo, picture, simultaneously

pytestmark = pytest.mark.django_db(transaction=True)
FALCON = Path(__file__).parents[1] / "photos" / "prairie_falcon.jpg"


@pytest.fixture
def falcon(settings) -> tuple[Path, Rendition]:
    """Return a photo's path and its painting, a small one."""
    settings.LONG_EDGE = 256
    return FALCON, painted(FALCON.read_bytes(), "oil")


def ask(rendition: Rendition, form: str = "png", intensity: int = 100, *, now: datetime | None = None) -> Export:
    return exports.ask(rendition, format=form, intensity=intensity, lane="person-1", now=now or timezone.now())


def made(rendition: Rendition, form: str = "png", intensity: int = 100) -> Export:
    export = ask(rendition, form, intensity)
    exports.make(export.pk)
    export.refresh_from_db()
    return export


def repainted(original: Path, download: bytes, folder: Path) -> bytes:
    """Return what `manage.py paint --recipe` makes of a photo and a downloaded file."""
    (folder / "download").write_bytes(download)
    order = ["--recipe", str(folder / "download"), "--out", str(folder / "out")]
    call_command("paint", str(original), *order, stdout=io.StringIO(), stderr=io.StringIO())
    [again] = (folder / "out").iterdir()
    return again.read_bytes()


def pixels_of(content: bytes) -> np.ndarray:
    return np.asarray(Image.open(io.BytesIO(content)).convert("RGB"))[:, :, ::-1]


def test_filed_painting_says_how_it_was_painted(media, falcon):
    _, rendition = falcon

    label = labels.read(io.BytesIO(store.read(store.page_file(rendition.folder, rendition.width))))

    assert (label.recipe.text, label.look) == (rendition.recipe, "fast")
    assert (label.format, label.quality, label.intensity) == ("jpeg", 86, 100)


@pytest.mark.parametrize("style", styles.NAMES)
def test_filed_painting_is_repainted_byte_for_byte(media, settings, tmp_path, style):
    settings.LONG_EDGE = 256
    rendition = painted(FALCON.read_bytes(), style)
    filed = store.read(store.page_file(rendition.folder, rendition.width))

    assert repainted(FALCON, filed, tmp_path) == filed


@pytest.mark.parametrize("form", ExportFormat.values)
@pytest.mark.parametrize("intensity", [100, 40, 0])
def test_export_is_repainted_byte_for_byte(media, falcon, tmp_path, form, intensity):
    original, rendition = falcon

    export = made(rendition, form, intensity)

    content = store.read(export.file)
    assert (export.state, export.size, Path(export.file).suffix) == (
        State.DONE,
        len(content),
        {"jpeg": ".jpg"}.get(form, f".{form}"),
    )
    assert Image.open(io.BytesIO(content)).format == form.upper()
    assert repainted(original, content, tmp_path) == content


def test_full_size_is_exported_at_full_size(media, settings, tmp_path):
    settings.LONG_EDGE = 256
    original = tmp_path / "photo.png"
    original.write_bytes(encoded(picture(3, width=400, height=300), form="PNG"))
    source = admit(original.read_bytes())
    sources.read(source.pk)
    asked = commission(source, "pencil", full_size=True)
    paint_all(source)

    content = store.read(made(Rendition.objects.get(commissions=asked)).file)

    assert Image.open(io.BytesIO(content)).size == (400, 300)
    assert repainted(original, content, tmp_path) == content


def test_export_at_an_intensity_blends_the_exact_pixels(media, falcon):
    original, rendition = falcon
    with original.open("rb") as file:
        canvas = pipeline.open_canvas(file, long_edge=256, limits=renditions.limits())
    [painting] = pipeline.paint(canvas, [recipes.parse(rendition.recipe)])

    forty, whole, none = (pixels_of(store.read(made(rendition, "png", share).file)) for share in (40, 100, 0))

    assert np.array_equal(forty, pipeline.blend(canvas, painting.pixels, 40))
    assert np.array_equal(whole, painting.pixels)
    assert np.array_equal(none, canvas)


def varied(rendition: Rendition, variant: exports.Variant, form: str = "png") -> tuple[Export, bytes]:
    """Return an export of a variant, made, and its file."""
    export = exports.ask(rendition, format=form, intensity=100, lane="person-1", now=timezone.now(), variant=variant)
    exports.make(export.pk)
    export.refresh_from_db()
    assert (export.state, export.reason) == (State.DONE, "")
    return export, store.read(export.file)


def test_painting_of_the_page_is_exported_at_full_size(media, falcon, tmp_path):
    original, rendition = falcon
    variant = exports.at_full_size(rendition, Source.objects.get())

    _, content = varied(rendition, variant)

    assert Image.open(io.BytesIO(content)).size == pixels_of(original.read_bytes()).shape[1::-1]
    assert repainted(original, content, tmp_path) == content


def test_full_size_is_that_of_the_photo_that_is_asked_for(media, settings):
    settings.LONG_EDGE = 96
    same = [picture(4, width=96, height=72).resize(size, Image.Resampling.NEAREST) for size in ((192, 144), (96, 72))]
    larger, smaller = (sources_of(encoded(each, form="PNG")) for each in same)
    rendition = painted(encoded(same[1], form="PNG"))

    _, content = varied(rendition, exports.at_full_size(rendition, larger))

    assert exports.at_full_size(rendition, smaller) == exports.AS_PAINTED
    assert Image.open(io.BytesIO(content)).size == (192, 144)


def sources_of(content: bytes) -> Source:
    source = admit(content)
    sources.read(source.pk)
    source.refresh_from_db()
    return source


@pytest.mark.parametrize("form", ExportFormat.values)
def test_print_says_its_resolution_and_is_never_enlarged(media, falcon, form):
    original, rendition = falcon
    source = Source.objects.get()
    height, width = pixels_of(original.read_bytes()).shape[:2]
    paper = exports.on_sheet(width, height, "10x15")

    _, content = varied(rendition, exports.at_full_size(rendition, source, sheet="10x15"), form)

    image = Image.open(io.BytesIO(content))
    written = image.info.get("dpi", (0, 0))[0] or image.getexif()[282]
    assert image.size == (paper.width, paper.height)
    assert max(image.size) <= max(width, height)
    assert round(float(written)) == paper.dpi < 300


@pytest.mark.parametrize("form", ExportFormat.values)
def test_bare_export_has_the_same_pixels_and_no_recipe(media, falcon, form):
    _, rendition = falcon
    labeled = store.read(made(rendition, form).file)

    _, bare = varied(rendition, exports.Variant(labeled=False), form)

    assert labels.read(io.BytesIO(labeled)).recipe.text == rendition.recipe
    with pytest.raises(ParameterError):
        labels.read(io.BytesIO(bare))
    assert b"AI Impressionist" not in bare
    assert np.array_equal(pixels_of(bare), pixels_of(labeled))


def test_sketch_is_small_and_of_the_values_asked_for(media, settings, falcon, valkey):
    _, rendition = falcon
    source = Source.objects.get()
    recipe = recipes.compose("oil", look="fast", long_edge=1024, changes={"size": 13})

    export = exports.sketch(rendition, recipe, source=source, lane="person-1", now=timezone.now())
    exports.make(export.pk)

    export.refresh_from_db()
    image = Image.open(io.BytesIO(store.read(export.file)))
    assert (export.state, max(image.size)) == (State.DONE, 512)
    assert recipes.parse(export.recipe).values == recipe.values


def test_newer_sketch_takes_the_place_of_the_one_that_waits(media, falcon, valkey):
    _, rendition = falcon
    source, now = Source.objects.get(), timezone.now()
    sizes = [recipes.compose("oil", look="fast", long_edge=1024, changes={"size": size}) for size in (3, 4, 5)]
    kept = ask(rendition)
    other = exports.sketch(rendition, sizes[0], source=source, lane="person-2", now=now)
    replaced, latest = (exports.sketch(rendition, each, source=source, lane="person-1", now=now) for each in sizes[1:])

    assert replaced.pk != latest.pk
    assert set(Export.objects.all()) == {kept, other, latest}


def test_exports_of_a_photo_go_with_it_though_its_painting_stays(media, falcon):
    _, rendition = falcon
    source = Source.objects.get()
    again = admit(encoded(picture(), form="PNG"))
    again.commissions.create(
        recipe=rendition.recipe, recipe_digest=rendition.recipe_digest, rendition=rendition, created_at=timezone.now()
    )
    export, _ = varied(rendition, exports.at_full_size(rendition, source))

    sources.release([source.pk])

    assert Rendition.objects.filter(pk=rendition.pk).exists()
    assert (export.file in media(), Export.objects.count()) == (False, 0)


@pytest.mark.parametrize("broken", [{"recipe": "oil 1 size=7 @512"}, {"sheet": "a4"}])
def test_variant_without_its_photo_is_refused(media, falcon, broken):
    export = ask(falcon[1])

    with pytest.raises(IntegrityError), transaction.atomic():
        Export.objects.filter(pk=export.pk).update(**broken)


def test_look_that_was_changed_since_has_no_name():
    recipe = recipes.compose("oil", look="fast", long_edge=256, changes={"size": 13})

    assert labels.of(recipe).look == ""
    assert [labels.of(recipes.compose("oil", look=look, long_edge=1)).look for look in styles.LOOKS] == list(
        styles.LOOKS
    )
    with pytest.raises(KeyError):
        labels.of(recipe, format="gif")


def test_export_is_made_once(media, falcon, valkey):
    _, rendition = falcon

    asked = simultaneously(8, lambda: ask(rendition).pk)
    simultaneously(4, lambda: exports.make(asked[0]))

    assert len(set(asked)) == 1
    assert (Export.objects.get().state, Export.objects.get().tries, queue.length()) == (State.DONE, 1, 1)
    assert len([name for name in media() if name.startswith("exports/")]) == 1


def test_formats_and_intensities_are_exports_of_their_own(media, falcon):
    _, rendition = falcon

    asked = {ask(rendition, form, intensity).pk for form in ("png", "webp") for intensity in (10, 20)}

    assert len(asked) == 4


def test_export_of_what_is_gone_is_nothing_to_do(media):
    exports.make(0)

    assert Export.objects.count() == 0


@pytest.mark.parametrize("broken", [{"intensity": 101}, {"state": State.DONE}])
def test_row_that_cannot_be_is_refused(media, falcon, broken):
    export = ask(falcon[1])

    with pytest.raises(IntegrityError), transaction.atomic():
        Export.objects.filter(pk=export.pk).update(**broken)


def test_export_of_an_older_version_is_told_in_words(media, falcon):
    _, rendition = falcon
    _, version, rest = rendition.recipe.split(" ", 2)
    Rendition.objects.update(recipe=f"oil {int(version) + 1} {rest}")

    export = made(rendition)

    assert (export.state, export.reason, export.file) == (State.FAILED, Reason.OUTDATED, "")


def test_picture_that_is_too_long_for_a_format_is_told_in_words(media):
    rendition = painted(photo(width=17_000, height=16), "pencil")
    long = recipes.compose("pencil", look="fast", long_edge=recipes.FULL_SIZE).text
    Rendition.objects.update(recipe=long)

    webp, png = made(rendition, "webp"), made(rendition, "png")

    assert [(each.state, each.reason) for each in (webp, png)] == [
        (State.FAILED, Reason.TOO_LARGE_SIDE),
        (State.DONE, ""),
    ]


def test_lost_original_is_told_in_words_and_tried_again(media, falcon, valkey):
    original, rendition = falcon
    store.remove([Source.objects.get().original])

    lost = made(rendition)
    reason = lost.reason
    with original.open("rb") as file:
        Source.objects.update(original=store.put_original(file, extension="jpg"))
    exports.retry(lost, now=timezone.now())
    exports.make(lost.pk)

    lost.refresh_from_db()
    assert (reason, lost.state) == (Reason.STORAGE, State.DONE)


def test_retry_leaves_alone_what_has_not_failed(media, falcon, valkey):
    export = made(falcon[1])
    waiting = queue.length()

    exports.retry(export, now=timezone.now())

    export.refresh_from_db()
    assert (export.state, queue.length()) == (State.DONE, waiting)


def test_exports_go_with_their_painting(media, falcon):
    _, rendition = falcon
    made(rendition)
    ask(rendition, "webp")

    renditions.release(Commission.objects.values_list("pk", flat=True))

    assert Export.objects.count() == 0
    assert [name for name in media() if name.startswith(("exports/", "renditions/"))] == []


def test_painting_removed_while_it_is_exported_keeps_no_file(media, falcon, monkeypatch):
    _, rendition = falcon
    put = store.put_export

    def meanwhile(content: bytes, *, extension: str) -> str:
        name = put(content, extension=extension)
        sources.release([rendition.commissions.get().source_id])
        return name

    monkeypatch.setattr(store, "put_export", meanwhile)
    exports.make(ask(rendition).pk)

    assert (media(), Export.objects.count()) == ([], 0)


def test_unused_exports_expire_with_their_files(media, falcon):
    _, rendition = falcon
    now = timezone.now()
    unused, used = made(rendition, "png"), made(rendition, "webp")
    ask(rendition, "webp", now=now + timedelta(minutes=30))

    counts = [exports.expire(now=now + timedelta(minutes=minutes)) for minutes in (59, 61, 61)]

    assert counts == [0, 1, 0]
    assert list(Export.objects.all()) == [used]
    assert [name for name in media() if name.startswith("exports/")] == [used.file]
    assert unused.file not in media()


def test_stored_bytes_count_exports(media, falcon):
    _, rendition = falcon
    before = stats.stored().total

    export = made(rendition)

    assert stats.stored().total == before + export.size > before


def test_caretaker_brings_back_what_lost_its_job_or_its_worker(media, falcon, valkey):
    _, rendition = falcon
    an_hour_ago = timezone.now() - timedelta(hours=1)
    lost_its_job, lost_its_worker = ask(rendition, "png"), ask(rendition, "webp")
    lost_its_worker.start(now=an_hour_ago, lease=timedelta(seconds=20))
    valkey.client.flushall()

    for _ in range(2):
        call_command("tend", once=True)

    states = Export.objects.order_by("pk").values_list("pk", "state")
    assert list(states) == [(lost_its_job.pk, State.WAITING), (lost_its_worker.pk, State.WAITING)]
    assert queue.length() == 1


def test_export_that_was_cancelled_while_it_was_made_keeps_no_file(media, falcon, monkeypatch):
    put = store.put_export

    def meanwhile(content: bytes, *, extension: str) -> str:
        name = put(content, extension=extension)
        Export.objects.get().cancel(now=timezone.now())
        return name

    monkeypatch.setattr(store, "put_export", meanwhile)
    export = made(falcon[1])

    assert (export.state, export.file) == (State.CANCELLED, "")
    assert [name for name in media() if name.startswith("exports/")] == []


def test_storage_that_fails_is_tried_again_and_then_told(media, falcon, monkeypatch, settings):
    def full(*_: object, **__: object) -> str:
        raise store.Unavailable

    export = ask(falcon[1])
    monkeypatch.setattr(store, "put_export", full)

    seen = []
    for _ in range(settings.MAX_STORAGE_TRIES):
        exports.make(export.pk)
        export.refresh_from_db()
        seen.append((export.state, export.reason))

    assert seen == [*[(State.WAITING, "")] * (settings.MAX_STORAGE_TRIES - 1), (State.FAILED, Reason.STORAGE)]


def test_export_that_takes_too_long_is_told_in_words(media, falcon, monkeypatch):
    def dawdle(*_: object) -> None:
        time.sleep(30)

    monkeypatch.setattr(pipeline, "blend", dawdle)
    monkeypatch.setattr(renditions, "seconds_for", lambda *_, **__: 1)

    export = made(falcon[1])

    assert (export.state, export.reason) == (State.FAILED, Reason.TOO_SLOW)


def test_caretaker_removes_what_nobody_uses(media, falcon, valkey):
    made(falcon[1])
    Export.objects.update(used_at=timezone.now() - timedelta(minutes=61))

    call_command("tend", once=True)

    assert Export.objects.count() == 0


@pytest.fixture(scope="module")
def painter(valkey_server: Valkey, django_db_setup: None) -> Iterator[Crew]:
    """Keep one worker for the tests below: its start takes longer than what it does."""
    with Crew(same_site()) as painter:
        painter.worker()
        yield painter


@pytest.mark.slow
def test_worker_makes_every_format(media, valkey, painter):
    rendition = painted(photo())

    asked = [ask(rendition, form, 70) for form in ExportFormat.values]
    wait_until(lambda: Export.objects.filter(state=State.DONE).count() == len(asked), seconds=60)

    found = Export.objects.order_by("pk")
    assert [Image.open(io.BytesIO(store.read(each.file))).format for each in found] == ["JPEG", "PNG", "WEBP", "AVIF"]
    assert all(each.holder and each.cpu_seconds > 0 for each in found)


@pytest.mark.slow
def test_export_whose_painter_is_killed_is_made_by_the_next(media, valkey, painter):
    rendition = painted(photo(width=1000, height=800))
    export = ask(rendition, "avif", 30)

    child = stopped_child(painter.members, when=Export.objects.filter(state=State.WORKING).exists)
    os.kill(child, signal.SIGKILL)
    wait_until(lambda: Export.objects.filter(state=State.WAITING, crashes=1).exists(), seconds=30)
    call_command("tend", once=True)
    wait_until(lambda: Export.objects.filter(state=State.DONE).exists(), seconds=60)

    export.refresh_from_db()
    assert (export.tries, export.crashes) == (2, 1)
