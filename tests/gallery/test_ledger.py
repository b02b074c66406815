"""The saving: what artworks would have cost and did cost, by step, scope, day, person and technique."""

from datetime import datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
from django.utils import timezone

from gallery import ledger
from gallery.ledger import DAYS, PERIODS, Cost, Saving, Technique
from gallery.models import Artwork, How, Photo, User
from rendering import styles
from rendering.ledger import KERNELS
from rendering.models import Commission, Found, Rendition, Source, State
from tests import makers
from tests.copies import copies
from tests.makers import NOON
from tests.stopwatch import quickest

DAY = timedelta(days=1)
READING, PAINTING, STORED = 0.25, 2.0, 1000


def photo(owner: User, *, of: Source | None = None, now: datetime = NOON, **facts: object) -> Photo:
    """Return a photo; the first one with a source is the one that had it read."""
    made = of or makers.source()
    if of is None:
        usual = {"cpu_seconds": READING, "waiting_since": now, "size": 50, "stored_bytes": 30}
        Source.objects.filter(pk=made.pk).update(**usual | facts)
        made.refresh_from_db()
    return makers.photo(owner, of=made, created_at=now)


def artwork(of: Photo, style: str = "oil", *, look: str = "studio", now: datetime = NOON, **facts: object) -> Artwork:
    """Return a painting that took two seconds."""
    painting = makers.rendition(style=style, look=look, cpu_seconds=PAINTING, stored_bytes=STORED)
    asked = makers.commission(of.source, style=style, look=look, painting=painting)
    Commission.objects.filter(pk=asked.pk).update(found=facts.pop("found", Found.PAINTED))
    return Artwork.objects.create(
        **{"photo": of, "commission": asked, "style": style, "look": look, "created_at": now, **facts}
    )


def again(first: Artwork, owner: User, *, now: datetime = NOON + timedelta(minutes=1)) -> Artwork:
    """Return the artwork of somebody who brought the same file later."""
    theirs = Photo.objects.filter(owner=owner, source=first.photo.source).first()
    theirs = theirs or photo(owner, of=first.photo.source, now=now)
    facts = {"style": first.style, "look": first.look, "same_file": True, "created_at": now}
    return Artwork.objects.create(photo=theirs, commission=first.commission, **facts)


def saved(technique: Technique, now: datetime = NOON) -> list[Saving]:
    """Return what a technique has saved today, in 7 and in 30 days."""
    lines = {line.technique: line.periods for line in ledger.open_book(now=now).by_technique()}
    return list(lines[technique])


def test_artwork_knows_what_it_would_have_cost_and_what_it_did(alice: User, bob: User):
    painted = artwork(photo(alice))
    same_file = again(painted, bob)
    same_picture = artwork(photo(alice), found=Found.SAME_PICTURE)
    waiting = makers.artwork(photo(alice), state=State.WAITING)
    Rendition.objects.filter(state=State.WAITING).update(cpu_seconds=0)
    asked = {"painted": painted, "same_file": same_file, "same_picture": same_picture, "waiting": waiting}

    costs = {name: ledger.cost_of(Artwork.objects.get(pk=each.pk)) for name, each in asked.items()}

    assert costs == {
        "painted": Cost(would=2.25, did=2.25),
        "same_file": Cost(would=2.25, did=0.0),
        "same_picture": Cost(would=2.25, did=0.25),
        "waiting": None,
    }
    assert [cost.saved for cost in costs.values() if cost] == [0.0, 2.25, 2.0]


def test_cost_asks_no_query_in_a_history(alice: User, django_assert_num_queries):
    artwork(photo(alice))
    history = list(Artwork.objects.history_of(alice))

    with django_assert_num_queries(0):
        assert ledger.cost_of(history[0]) == Cost(would=2.25, did=2.25)


def test_same_file_saves_painting_reading_and_room(alice: User, bob: User):
    hers = photo(alice)
    oil, pencil = artwork(hers), artwork(hers, "pencil")

    again(oil, bob)
    again(pencil, bob)

    # Its reading and its own files count once for the photo, not for each painting.
    once = Saving(count=2, cpu_seconds=2 * PAINTING + READING, bytes=2 * STORED + 80)
    assert saved(Technique.SAME_FILE) == [once] * 3


def test_same_picture_and_twin_save_painting_alone(alice: User):
    artwork(photo(alice), found=Found.SAME_PICTURE)
    artwork(photo(alice), twin=True)

    one = [Saving(count=1, cpu_seconds=PAINTING, bytes=STORED)] * 3
    assert (saved(Technique.SAME_PICTURE), saved(Technique.TWIN), saved(Technique.SAME_FILE)) == (
        one,
        one,
        [Saving()] * 3,
    )


def test_periods_are_todays_and_the_last_7_and_30_days(alice: User, bob: User):
    for days in (0, 1, 6, 7, 29, 30):
        now = NOON - days * DAY
        again(artwork(photo(alice, now=now), now=now), bob, now=now + timedelta(hours=1))

    assert [each.count for each in saved(Technique.SAME_FILE, NOON + timedelta(hours=2))] == [1, 3, 5]


def test_days_begin_at_the_sites_midnight(alice: User):
    shanghai = ZoneInfo("Asia/Shanghai")
    now = datetime(2026, 5, 3, 0, 30, tzinfo=shanghai)
    artwork(photo(alice), now=now - timedelta(hours=1))
    artwork(photo(alice), now=now)

    with timezone.override(shanghai):
        days = ledger.open_book(now=now).by_day()

    assert [(str(day.day), day.spent.count) for day in days[:3]] == [
        ("2026-05-03", 1),
        ("2026-05-02", 1),
        ("2026-05-01", 0),
    ]
    assert len(days) == DAYS


def test_day_tells_what_was_spent_and_what_was_saved(alice: User, bob: User):
    again(artwork(photo(alice)), bob)

    today = ledger.open_book(now=NOON).by_day()[0]

    assert today.spent == Saving(count=1, cpu_seconds=2.25, bytes=1080)
    assert today.saved == Saving(count=1, cpu_seconds=2.25, bytes=1080)
    assert ledger.open_book(now=NOON).spent(1) == today.spent


def test_steps_are_told_by_scope(alice: User, bob: User):
    again(artwork(photo(alice)), bob)
    private = artwork(photo(alice, scope=alice.lane))
    artwork(photo(alice, scope=alice.lane), found=Found.SAME_PICTURE)

    lines = ledger.open_book(now=NOON).by_step()

    assert private.photo.source.scope == alice.lane
    assert {(line.how, line.private): (line.artworks, line.saving.cpu_seconds) for line in lines} == {
        (How.PAINTED, False): (1, 0.0),
        (How.SAME_FILE, False): (1, PAINTING),
        (How.PAINTED, True): (1, 0.0),
        (How.SAME_PICTURE, True): (1, PAINTING),
    }


def test_cancelled_and_unpainted_artworks_count_for_nothing_and_evicted_ones_count(alice: User):
    artwork(photo(alice), found=Found.SAME_PICTURE, cancelled_at=NOON)
    waiting = artwork(photo(alice), found=Found.SAME_PICTURE)
    Rendition.objects.filter(commissions=waiting.commission).update(state=State.WAITING, cpu_seconds=0)
    evicted = artwork(photo(alice), found=Found.SAME_PICTURE)
    Rendition.objects.filter(commissions=evicted.commission).update(state=State.EVICTED, folder="", stored_bytes=0)

    assert saved(Technique.SAME_PICTURE)[0] == Saving(count=1, cpu_seconds=PAINTING, bytes=0)


def test_photo_whose_reading_was_tried_again_was_read_for_itself(alice: User):
    mine = photo(alice)
    Source.objects.update(waiting_since=NOON + DAY)
    artwork(mine)

    assert saved(Technique.SAME_FILE) == [Saving()] * 3


def test_smaller_paintings_save_what_the_model_says_of_the_rest(alice: User, bob: User):
    """A photo of 12 megapixels is painted at 0.003: without measurements the kernels' figures count."""
    hit = artwork(photo(alice, width=4000, height=3000), "oil")
    again(hit, bob)
    artwork(photo(alice), "oil", full_size=True)

    expected = (12 - 64 * 48 / 1e6) * KERNELS["oil", "studio"].per_megapixel
    [today, _, _] = saved(Technique.SMALLER)
    # The one that was not painted saves nothing more, and the small photo was painted as large as it is.
    assert today.cpu_seconds == pytest.approx(expected)


def test_fast_look_saves_the_difference_to_the_usual_one(alice: User):
    artwork(photo(alice), "watercolor", look="fast")
    artwork(photo(alice), "watercolor", look="classic")

    size = 64 * 48 / 1e6
    expected = KERNELS["watercolor", "studio"].at(size) - KERNELS["watercolor", "fast"].at(size)
    [today, _, _] = saved(Technique.FAST)
    assert today.count == 1
    assert today.cpu_seconds == pytest.approx(expected)


def test_money_is_computing_time_and_room(settings):
    settings.PRICE_CPU_HOUR, settings.PRICE_GB = 0.5, 0.1

    assert Saving(count=1, cpu_seconds=7200, bytes=3_000_000_000).money == pytest.approx(1.3)


def test_people_are_told_by_what_they_saved(alice: User, bob: User):
    hers = photo(alice)
    oil, pencil = artwork(hers), artwork(hers, "pencil")
    again(oil, bob)
    again(pencil, bob)
    artwork(photo(alice), found=Found.SAME_PICTURE)

    people = ledger.open_book(now=NOON + DAY).by_person()

    assert [(line.username, line.saved) for line in people] == [
        ("bob", Saving(count=2, cpu_seconds=2 * PAINTING + READING, bytes=2 * STORED + 80)),
        ("alice", Saving(count=1, cpu_seconds=PAINTING, bytes=STORED)),
    ]
    assert [line.username for line in ledger.open_book(now=NOON + DAY).by_person(limit=1)] == ["bob"]
    assert ledger.open_book(now=NOON + 40 * DAY).by_person() == []


@pytest.mark.parametrize("count", [1, 3])
def test_queries_are_constant(alice: User, bob: User, django_assert_num_queries, count: int):
    for _ in range(count):
        again(artwork(photo(alice)), bob)

    with django_assert_num_queries(5):
        book = ledger.open_book(now=NOON)
    with django_assert_num_queries(1):
        book.by_person()
    with django_assert_num_queries(0):
        tables = [book.by_technique(), book.by_step(), book.by_day(), book.by_model()]

    assert all(tables)


def test_empty_site_has_saved_nothing(db):
    book = ledger.open_book(now=NOON)

    assert [line.periods for line in book.by_technique()] == [[Saving()] * len(PERIODS)] * len(Technique)
    assert (book.by_step(), ledger.open_book(now=NOON).by_person()) == ([], [])


def test_every_technique_says_how_it_is_computed(db):
    assert all(line.explanation for line in ledger.open_book(now=NOON).by_technique())


@pytest.mark.slow
@pytest.mark.no_cover
def test_a_hundred_thousand_artworks_take_less_than_a_second(alice: User, bob: User):
    """A third of a second of CPU on the machine on which this was written; the bound leaves room for a slower one."""
    fill(people=[alice, bob], thirds=6_668)
    assert Artwork.objects.count() == 12 * (6_668 + 1_667) > 100_000

    assert quickest(lambda: ledger.open_book(now=NOON).by_technique(), within=1) <= 1


def fill(*, people: list[User], thirds: int) -> None:
    """Make three times so many photos of four paintings each, every third in one look; a quarter are brought again."""
    first, second = (makers.photo(person, of=makers.source(cpu_seconds=0.2, size=3_000_000)) for person in people)
    sources = copies([first.source], 3 * thirds, bytes_key="'file ' || n", canvas_key="'canvas ' || n")
    hung = [makers.artwork(first, style=style, look=look) for look in styles.LOOKS for style in styles.NAMES]
    place, number = "3 * n + m / 4", "12 * n + m"
    seconds = "0.02 + (n * 7919 % 1000) * 0.00018"
    paintings = [each.rendition for each in hung if each.rendition]
    painted = copies(paintings, thirds, canvas_key=f"'canvas ' || ({place})", cpu_seconds=seconds)
    facts = {"source_id": f"{sources} + {place}", "rendition_id": f"{painted} + {number}"}
    asked = copies([each.commission for each in hung], thirds, **facts)
    ago = f"datetime('{NOON:%Y-%m-%d %H:%M:%S}', '-' || (n * 7919 % {(DAYS - 1) * 86_400}) || ' seconds')"
    for model, many in ((first, thirds), (second, thirds // 4)):
        key = f"'{model.owner_id}-' || n"
        photos = copies([model], 3 * many, source_id=f"{sources} + n", key=key, created_at=ago)
        facts = {"photo_id": f"{photos} + {place}", "commission_id": f"{asked} + {number}", "key": f"{key} || '-' || m"}
        made = f"(SELECT created_at FROM gallery_photo WHERE id = {photos} + {place})"  # noqa: S608 - our own words
        copies(hung, many, **facts, created_at=made, same_file=model is second)
    first.delete()
    second.delete()
