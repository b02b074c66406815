"""The history: sums, days, and any line once more."""

from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from typing import Any

import pytest
from django.utils import timezone
from pytest_django import DjangoAssertNumQueries

from gallery import artworks, history, ledger
from gallery.models import Artwork, Stage, User
from rendering import recipes, styles
from rendering.models import Commission, Found, Source, State
from rendering.styles.base import ParameterError, Values
from rendering.styles.oil import OIL
from tests import makers
from tests.makers import NOON
from tests.processes import Valkey

pytestmark = pytest.mark.django_db


def painted_in_oil(owner: User, values: Values) -> Artwork:
    """Return an artwork of these values, over the classic look."""
    photo = makers.photo(owner)
    [made] = artworks.commission(photo, styles=["oil"], look="classic", full_size=False, changes=values, now=NOON)
    Commission.objects.filter(pk=made.commission_id).update(rendition=makers.rendition(), found=Found.PAINTED)
    return made


def turn_oil(monkeypatch: pytest.MonkeyPatch, *, looks: dict[str, Values], **turned: dict[str, Any]) -> None:
    """Have the oil get another version, with other looks and parameters."""
    parameters = tuple(replace(each, **turned.get(each.name, {})) for each in OIL.parameters)
    newer = replace(OIL, version=OIL.version + 1, looks=looks, parameters=parameters)
    monkeypatch.setattr(styles, "CATALOG", (newer,))


@pytest.fixture
def one_of_each(alice: User) -> list[Artwork]:
    """Return artworks that were got in every way, and one that is not painted."""
    source = makers.source(cpu_seconds=2.0)
    photo = makers.photo(alice, of=source)
    made = [
        makers.artwork(photo, style="oil"),
        makers.artwork(photo, style="pencil", same_file=True),
        makers.artwork(photo, style="color-pencil"),
        makers.artwork(photo, style="watercolor", twin=True, same_file=True),
        makers.artwork(makers.photo(alice), state=State.WAITING),
    ]
    Commission.objects.filter(pk=made[2].commission_id).update(found=Found.SAME_PICTURE)
    return made


def test_total_is_what_the_lines_say(one_of_each: list[Artwork], alice: User, django_assert_num_queries):
    found = history.find(alice, {})

    with django_assert_num_queries(1):
        total = history.total_of(found)

    each = [ledger.cost_of(artwork) for artwork in found]
    assert total.lines == 5
    assert total.saved == pytest.approx(sum(cost.saved for cost in each if cost))
    assert total.saved == pytest.approx(2.1 + 0.1 + 0.1)
    assert history.saved_by(found) == pytest.approx(total.saved)


def test_total_of_nothing_is_nothing(alice: User):
    assert history.total_of(history.find(alice, {})) == history.Total(0, 0.0)


@pytest.mark.parametrize(
    ("chosen", "days"),
    [
        ({"since": date(2026, 5, 2)}, [3, 2]),
        ({"until": date(2026, 5, 2)}, [2, 1]),
        ({"since": date(2026, 5, 2), "until": date(2026, 5, 2)}, [2]),
        ({"since": date(2026, 5, 3), "until": date(2026, 5, 2)}, []),
        ({}, [3, 2, 1]),
    ],
)
def test_days_are_counted_by_the_persons_clock(alice: User, chosen: dict[str, date], days: list[int]):
    for day in (1, 2, 3):
        # Half past midnight in Berlin is the evening before in UTC.
        evening_before = datetime(2026, 5, day, 22, 30, tzinfo=UTC) - timedelta(days=1)
        makers.artwork(makers.photo(alice), created_at=evening_before)

    with timezone.override("Europe/Berlin"):
        found = history.by_day(history.find(alice, chosen))

    assert [each.day.day for each in found] == days


def test_line_that_was_asked_for_again_keeps_its_place(alice: User):
    made = [makers.artwork(makers.photo(alice), created_at=NOON + timedelta(days=day)) for day in (0, 0, 1)]
    Artwork.objects.filter(pk=made[0].pk).update(created_at=NOON + timedelta(days=9))

    days = history.by_day(history.find(alice, {}))

    assert [(each.day.day, each.artworks) for each in days] == [(4, [made[2]]), (3, [made[1], made[0]])]


def test_long_history_is_read_in_batches(alice: User, monkeypatch, django_assert_num_queries: DjangoAssertNumQueries):
    monkeypatch.setattr(history, "BATCH", 2)
    made = [makers.artwork(makers.photo(alice)) for _ in range(5)]

    with django_assert_num_queries(4):
        read = list(history.in_batches(history.find(alice, {})))

    assert [artwork for batch in read for artwork in batch] == made[::-1]
    assert [len(batch) for batch in read] == [2, 2, 1]


@pytest.mark.parametrize("state", [State.FAILED, State.CANCELLED, State.EVICTED])
def test_line_that_ended_waits_again(alice: User, valkey: Valkey, state: State):
    artwork = makers.artwork(makers.photo(alice), state=state)

    assert history.again(Artwork.objects.history_of(alice).get(), by=alice, now=NOON)

    assert Artwork.objects.with_paintings().get(pk=artwork.pk).stage == Stage.WAITING


def test_painting_of_todays_style_is_not_painted_again(alice: User, valkey: Valkey):
    makers.artwork(makers.photo(alice))

    assert not history.again(Artwork.objects.history_of(alice).get(), by=alice, now=NOON)

    assert Artwork.objects.count() == 1


def test_painting_of_an_earlier_style_is_painted_beside_the_old_one(alice: User, valkey: Valkey):
    old = makers.artwork(makers.photo(alice))
    Commission.objects.update(recipe="oil 0 size=7 @1024", recipe_digest="0" * 64)

    assert history.again(Artwork.objects.history_of(alice).get(), by=alice, now=NOON)

    newer, kept = Artwork.objects.history_of(alice)
    assert (kept, kept.stage, newer.style, newer.look) == (old, Stage.DONE, "oil", "studio")
    assert newer.commission.recipe.startswith("oil 1 ")


def test_own_values_are_kept_where_todays_style_still_has_them(
    alice: User, valkey: Valkey, monkeypatch: pytest.MonkeyPatch
):
    mine = painted_in_oil(alice, {"size": 9, "relief": 30})
    turn_oil(monkeypatch, looks={"classic": {"size": 5}}, size={"high": 8}, relief={"name": "depth"})

    assert history.again(Artwork.objects.history_of(alice).get(), by=alice, now=NOON)

    newer, kept = Artwork.objects.history_of(alice)
    recipe = recipes.parse(newer.commission.recipe)
    values = dict(recipe.values)
    assert (kept, recipe.version, newer.own_values) == (mine, 2, {"size": 8})
    assert (values["size"], values["depth"]) == (8, 50)


def test_values_of_the_look_follow_todays_style(alice: User, valkey: Valkey, monkeypatch: pytest.MonkeyPatch):
    plain = painted_in_oil(alice, OIL.values("classic"))
    turn_oil(monkeypatch, looks={"classic": {"size": 5}})

    assert history.again(Artwork.objects.history_of(alice).get(), by=alice, now=NOON)

    newer = Artwork.objects.history_of(alice)[0]
    assert dict(recipes.parse(newer.commission.recipe).values)["size"] == 5
    assert (plain.own_values, newer.own_values) == ({}, {})


@pytest.mark.parametrize("state", [State.FAILED, State.CANCELLED, State.EVICTED])
def test_line_that_an_earlier_style_cannot_end_is_painted_by_todays(alice: User, valkey: Valkey, state: State):
    old = makers.artwork(makers.photo(alice), state=state)
    Commission.objects.update(recipe="oil 0 size=7 @1024", recipe_digest="0" * 64)

    assert history.again(Artwork.objects.history_of(alice).get(), by=alice, now=NOON)

    newer, kept = Artwork.objects.history_of(alice)
    assert (kept, newer.stage, newer.commission.recipe.split(" ")[1]) == (old, Stage.WAITING, "1")


def test_line_of_a_look_that_is_gone_says_so(alice: User):
    makers.artwork(makers.photo(alice))
    Artwork.objects.update(look="baroque")
    Commission.objects.update(recipe="oil 0 size=7 @1024", recipe_digest="0" * 64)

    with pytest.raises(ParameterError):
        history.again(Artwork.objects.history_of(alice).get(), by=alice, now=NOON)


def test_line_that_is_being_painted_is_left_alone(alice: User):
    makers.artwork(makers.photo(alice), state=State.WORKING)

    assert not history.again(Artwork.objects.history_of(alice).get(), by=alice, now=NOON)


def test_line_of_a_style_that_is_gone_has_no_today(alice: User):
    artwork = makers.artwork(makers.photo(alice))
    artwork.style = "fresco"

    assert not history.is_of_today(artwork)
    assert Source.objects.count() == 1
