"""How long paintings are kept, under a clock that the tests hold; what was put away comes back byte for byte."""

import hashlib
from collections.abc import Callable
from datetime import timedelta
from pathlib import Path

import pytest
from django.conf import settings as site
from django.core.management import call_command
from django.utils import timezone

from rendering import exports, lifetimes, recipes, renditions, store, styles
from rendering.lifetimes import Tidied
from rendering.models import Commission, Export, Reason, Rendition, State
from tests import makers as gallery_makers
from tests.rendering import makers
from tests.rendering.makers import NOON, simultaneously

pytestmark = pytest.mark.django_db(transaction=True)
HOUR, DAY = timedelta(hours=1), timedelta(days=1)
NOTHING = Tidied(removed=0, put_away=0, bytes=0)


def painting(*, held: bool = True, state: State = State.DONE, **facts: object) -> Rendition:
    """Return a painting with its files, in somebody's history or in nobody's."""
    made = gallery_makers.rendition(state=state)
    Rendition.objects.filter(pk=made.pk).update(**facts)
    made.refresh_from_db()
    if held:
        gallery_makers.commission(gallery_makers.source(), style=made.style, painting=made)
    return made


def files_of(rendition: Rendition) -> list[str]:
    rendition.refresh_from_db()
    return [store.page_file(rendition.folder, width) for width in rendition.widths]


def here(rendition: Rendition) -> bool:
    """Return whether all files of a painting are in the storage, and there are some."""
    files = files_of(rendition)
    return bool(files) and all((Path(site.DATA_DIR) / "media" / name).exists() for name in files)


def digests(rendition: Rendition) -> dict[str, str]:
    """Return what each page file of a painting holds, by width."""
    return {Path(name).name: hashlib.sha256(store.read(name)).hexdigest() for name in files_of(rendition)}


def test_painting_that_no_history_holds_is_removed_after_an_hour(media: Callable[[], list[str]]):
    rendition = painting(held=False, used_at=NOON)

    before = lifetimes.evict(now=NOON + HOUR - timedelta(seconds=1))
    assert (before, here(rendition)) == (NOTHING, True)

    after = lifetimes.evict(now=NOON + HOUR)
    assert (after.removed, after.put_away, after.bytes) == (1, 0, rendition.stored_bytes)
    assert not Rendition.objects.exists()
    assert media() == []


def test_hours_of_what_no_history_holds_are_a_setting(settings, media):
    settings.CACHE_HOURS = 5
    painting(held=False, used_at=NOON)

    counts = [lifetimes.evict(now=NOON + hours * HOUR).removed for hours in (4, 5)]

    assert counts == [0, 1]


def test_held_painting_is_kept_for_good(media):
    rendition = painting(used_at=NOON)

    assert lifetimes.evict(now=NOON + 10_000 * DAY) == NOTHING
    assert here(rendition)


def test_held_painting_that_nobody_looks_at_is_put_away(settings, media: Callable[[], list[str]]):
    settings.KEEP_DAYS = 30
    old, fresh = painting(used_at=NOON), painting(used_at=NOON + DAY)
    files, asked = files_of(old), Commission.objects.get(rendition=old)

    went = lifetimes.evict(now=NOON + 30 * DAY)

    assert (went.removed, went.put_away) == (0, 1)
    old.refresh_from_db()
    assert (old.state, old.folder, old.widths, old.stored_bytes) == (State.EVICTED, "", [], 0)
    assert (old.width, old.height, old.cpu_seconds) == (64, 48, 0.1)
    assert Commission.objects.get(rendition=old) == asked
    assert here(fresh)
    assert set(files) & set(media()) == set()


def test_painting_of_an_unknown_last_use_counts_from_when_it_was_finished(settings, media):
    settings.KEEP_DAYS = 30
    painting(finished_at=NOON, used_at=None)

    assert [lifetimes.evict(now=NOON + days * DAY).put_away for days in (29, 30)] == [0, 1]


def test_previews_and_saved_files_go_with_the_painting(settings, media: Callable[[], list[str]]):
    settings.KEEP_DAYS = 30
    preview = store.put_pages("previews", {renditions.PREVIEW_WIDTH: gallery_makers.jpeg()})
    rendition = painting(used_at=NOON, preview=preview.folder)
    saved = store.put_export(b"a file", extension="png")
    facts = {"rendition": rendition, "intensity": 100, "used_at": NOON, "waiting_since": NOON}
    Export.objects.create(**facts, format="png", state=State.DONE, file=saved)
    Export.objects.create(**facts, format="webp")

    lifetimes.evict(now=NOON + 30 * DAY)

    assert list(Export.objects.values_list("format", flat=True)) == ["webp"]
    assert [name for name in media() if name.startswith(("previews", "exports", "renditions"))] == []


def test_byte_budget_puts_away_what_was_used_the_longest_ago(settings, media):
    settings.CACHE_MEGABYTES = 1
    third, first, second = (
        painting(used_at=NOON + minutes * timedelta(minutes=1), stored_bytes=400_000) for minutes in (3, 1, 2)
    )

    went = lifetimes.evict(now=NOON + timedelta(minutes=4))

    assert (went.put_away, went.bytes) == (1, 400_000)
    assert [here(each) for each in (first, second, third)] == [False, True, True]
    assert lifetimes.evict(now=NOON + timedelta(minutes=5)) == NOTHING


def test_budget_counts_what_goes_anyway(settings, media):
    """1.2 MB of which 0.4 go because no history holds them: nothing else has to go."""
    settings.CACHE_MEGABYTES = 1
    painting(held=False, used_at=NOON, stored_bytes=400_000)
    kept = [painting(used_at=NOON - DAY, stored_bytes=400_000) for _ in range(2)]

    went = lifetimes.evict(now=NOON + HOUR)

    assert (went.removed, went.put_away) == (1, 0)
    assert all(here(each) for each in kept)


def test_without_a_budget_nothing_goes(media):
    painting(used_at=NOON, stored_bytes=10**12)

    assert lifetimes.evict(now=NOON + DAY) == NOTHING


def test_dry_run_counts_the_same_and_changes_nothing(settings, media: Callable[[], list[str]]):
    settings.KEEP_DAYS, settings.CACHE_MEGABYTES = 30, 1
    painting(held=False, used_at=NOON)
    painting(used_at=NOON)
    painting(used_at=NOON + 20 * DAY, stored_bytes=1_500_000)
    before = media()

    foreseen = lifetimes.evict(now=NOON + 30 * DAY, dry_run=True)

    assert (foreseen.removed, foreseen.put_away, media()) == (1, 2, before)
    assert foreseen == lifetimes.evict(now=NOON + 30 * DAY)


def test_what_cannot_be_painted_again_is_kept(settings, media):
    settings.KEEP_DAYS, settings.CACHE_MEGABYTES = 30, 1
    rendition = painting(used_at=NOON, style_version=99, stored_bytes=2_000_000)

    assert lifetimes.evict(now=NOON + 60 * DAY) == NOTHING
    assert here(rendition)


def test_new_version_of_a_style_never_serves_an_old_picture(monkeypatch, valkey, media):
    old = makers.painted(makers.photo(), "pencil")
    newer = tuple(
        styles.base.Style(**{**vars(style), "version": style.version + 1}) if style.name == "pencil" else style
        for style in styles.CATALOG
    )
    monkeypatch.setattr(styles, "CATALOG", newer)

    asked = makers.commission(old.commissions.get().source, "pencil")

    assert asked.rendition is not None
    assert asked.rendition != old
    assert (asked.rendition.state, asked.rendition.style_version) == (State.WAITING, old.style_version + 1)
    assert recipes.parse(asked.recipe).digest != old.recipe_digest


def test_visit_is_noted_once_an_hour(django_assert_num_queries, media):
    rendition = painting(used_at=NOON)
    soon, late = NOON + HOUR - timedelta(seconds=1), NOON + HOUR

    with django_assert_num_queries(0):
        lifetimes.touch([rendition], now=soon)
    with django_assert_num_queries(1):
        lifetimes.touch([rendition], now=late)

    rendition.refresh_from_db()
    assert rendition.used_at == late


def test_visit_keeps_a_painting_from_being_put_away(settings, media):
    settings.KEEP_DAYS = 30
    rendition = painting(used_at=NOON)

    lifetimes.visit([rendition], now=NOON + 29 * DAY)

    assert lifetimes.evict(now=NOON + 30 * DAY) == NOTHING


@pytest.mark.parametrize("style", styles.NAMES)
def test_painting_that_was_put_away_comes_back_byte_for_byte(valkey, media, style: str):
    rendition = makers.painted(makers.photo(width=1500, height=900), style)
    before = digests(rendition)
    lifetimes.purge(Rendition.objects.all())
    rendition.refresh_from_db()
    assert (rendition.state, files_of(rendition)) == (State.EVICTED, [])

    lifetimes.visit([rendition], now=NOON)
    assert rendition.state == State.WAITING
    renditions.paint(rendition)

    rendition.refresh_from_db()
    assert rendition.state == State.DONE
    assert len(before) == 4
    assert digests(rendition) == before


def test_retry_brings_a_painting_back(valkey, media):
    rendition = makers.painted(makers.photo())
    lifetimes.purge(Rendition.objects.all())

    renditions.retry(rendition.commissions.get(), now=NOON)

    rendition.refresh_from_db()
    assert rendition.state == State.WAITING


def test_new_wish_for_a_painting_that_was_put_away_has_it_painted_again(valkey, media):
    rendition = makers.painted(makers.photo(3, form="PNG"))
    lifetimes.purge(Rendition.objects.all())

    again = makers.commission(makers.read(makers.photo(3, form="WEBP", lossless=True)), "pencil")

    assert (again.rendition, Rendition.objects.get().state) == (rendition, State.WAITING)


def test_old_version_that_was_purged_says_why_it_does_not_come_back(valkey, media):
    rendition = makers.painted(makers.photo())
    old = rendition.recipe.replace("pencil 1", "pencil 0").replace("pencil 2", "pencil 0")
    Rendition.objects.update(recipe=old, style_version=0)
    lifetimes.purge(Rendition.objects.all())

    lifetimes.visit(Rendition.objects.all(), now=NOON)
    renditions.paint(Rendition.objects.get())

    failed = Rendition.objects.get()
    assert (failed.state, failed.reason) == (State.FAILED, Reason.OUTDATED)


def test_painting_that_is_put_away_can_still_be_saved(valkey, media):
    rendition = makers.painted(makers.photo())
    lifetimes.purge(Rendition.objects.all())
    rendition.refresh_from_db()

    export = exports.ask(rendition, format="png", intensity=100, lane="person-1", now=NOON)
    exports.make(export.pk)

    export.refresh_from_db()
    assert (export.state, rendition.state) == (State.DONE, State.EVICTED)


def test_painting_under_way_is_left_alone(media):
    waiting = painting(state=State.WAITING)

    assert lifetimes.purge(Rendition.objects.all()) == NOTHING
    waiting.refresh_from_db()
    assert waiting.state == State.WAITING


def test_two_caretakers_at_once_put_away_each_painting_once(settings, media: Callable[[], list[str]]):
    settings.KEEP_DAYS = 1
    made = [painting(used_at=NOON) for _ in range(5)] + [painting(held=False, used_at=NOON) for _ in range(5)]

    simultaneously(2, lambda: lifetimes.evict(now=NOON + DAY))

    assert list(Rendition.objects.values_list("state", flat=True)) == [State.EVICTED] * 5
    assert [name for name in media() if name.startswith("renditions")] == []
    assert len(made) == 10


def test_wish_that_comes_while_a_painting_is_removed_gets_one(valkey, media):
    """Whoever is first: the wish finds the painting, or has it made anew; it never points to nothing."""
    makers.painted(makers.photo(4, form="PNG"))
    Commission.objects.all().delete()
    source = makers.read(makers.photo(4, form="WEBP", lossless=True))
    actions = iter([lambda: lifetimes.evict(now=timezone.now() + DAY), lambda: makers.commission(source)])

    def act() -> object:
        return next(actions)()

    simultaneously(2, act)
    renditions.request_due(now=timezone.now())  # as the caretaker does every few seconds
    makers.paint_all(source)

    rendition = Commission.objects.get().rendition
    assert rendition is not None
    assert (rendition.state, here(rendition)) == (State.DONE, True)


def test_evict_command_says_what_went(capsys, media):
    painting(held=False, used_at=NOON)

    call_command("evict", "--dry-run")
    call_command("evict")

    said = capsys.readouterr().out.splitlines()
    assert said == [
        "1 that no history holds and 0 put away: 0.0 MB would be removed",
        "1 that no history holds and 0 put away: 0.0 MB removed",
    ]
    assert not Rendition.objects.exists()
