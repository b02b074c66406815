"""Allowances: whose counts, how much is used, and that a limit holds whoever asks at once."""

import sys
import time
from collections import Counter
from collections.abc import Iterator
from datetime import datetime, timedelta

import pytest
from django.contrib.auth.models import Group
from django.db import transaction
from django.utils import timezone
from hypothesis import HealthCheck, given
from hypothesis import settings as profile
from hypothesis import strategies as st
from pytest_django import Settings

from gallery import allowances, artworks
from gallery.allowances import HOUR, Allowed, Exceeded, Kind, Use
from gallery.models import Allowance, Artwork, Stage, User
from rendering import renditions
from rendering.models import Commission, Rendition, Source, State
from tests import makers
from tests.makers import NOON
from tests.processes import Valkey, same_site, start, wait_until
from tests.rendering.makers import simultaneously

RACE = """
import sys, threading, time
import django
django.setup()
from django.utils import timezone
from gallery import allowances
from gallery.models import User
alice, allowed, got = User(pk=1), allowances.Allowed(uploads_an_hour=20), []
def send():
    time.sleep(max(0, float(sys.argv[1]) - time.time()))
    try:
        allowances.take_upload(alice, allowed, now=timezone.now())
        got.append(True)
    except allowances.Exceeded:
        pass
threads = [threading.Thread(target=send) for _ in range(10)]
for each in threads: each.start()
for each in threads: each.join()
print("passed", len(got))
"""


@pytest.fixture(autouse=True)
def counts(valkey: Valkey) -> Iterator[Valkey]:
    """Count in a real server, from zero, and forget that one was away."""
    allowances._door.cache_clear()
    yield valkey
    allowances._door.cache_clear()


@pytest.fixture(autouse=True)
def site(settings: Settings) -> Settings:
    """Allow everybody a little."""
    settings.PAINTINGS_AN_HOUR, settings.UPLOADS_AN_HOUR = 4, 3
    settings.PHOTOS_AT_ONCE, settings.MEGABYTES_A_PERSON = 2, 1
    return settings


def grouped(person: User, name: str, **facts: object) -> None:
    group = Group.objects.create(name=name)
    person.groups.add(group)
    Allowance.objects.create(group=group, **facts)


def book(person: User, count: int, *, now: datetime = NOON) -> list[float | None]:
    """Book paintings and return after how many hours each may be painted; None is at once."""
    slots = allowances.book_paintings(person, count=count, now=now)
    return [None if slot is None else (slot - NOON) / HOUR for slot in slots]


def use_of(person: User, kind: Kind, *, now: datetime = NOON) -> Use:
    return next(use for use in allowances.uses_of(person, now=now) if use.kind == kind)


def an_hour_passes(valkey: Valkey, person: User) -> None:
    """Make the uploads of a person an hour older: `limits` reads the clock itself."""
    key = f"LIMITS:uploads/{person.lane}"
    times = [float(each) - 3601 for each in valkey.client.lrange(key, 0, -1)]
    valkey.client.delete(key)
    valkey.client.rpush(key, *times)


def test_everybody_may_what_the_site_allows(alice: User):
    assert allowances.allowed_to(alice) == Allowed(4, 3, 2, 1)


def test_own_allowance_is_before_any_groups(alice: User):
    grouped(alice, "friends", paintings_an_hour=900, uploads_an_hour=90)
    Allowance.objects.create(person=alice, paintings_an_hour=7)

    assert allowances.allowed_to(alice) == Allowed(7, 90, 2, 1)


def test_kindest_group_counts(alice: User):
    grouped(alice, "friends", paintings_an_hour=50, megabytes=10)
    grouped(alice, "family", paintings_an_hour=60, megabytes=0)

    assert allowances.allowed_to(alice) == Allowed(60, 3, 2, 0)


def test_group_without_limits_frees_what_a_person_has_no_own_figure_for(alice: User):
    grouped(alice, "friends", unlimited=True)
    Allowance.objects.create(person=alice, paintings_an_hour=7)

    assert allowances.allowed_to(alice) == Allowed(7, 0, 0, 0)


def test_person_without_limits_has_none(alice: User):
    Allowance.objects.create(person=alice, unlimited=True, paintings_an_hour=7)

    assert allowances.allowed_to(alice) == allowances.UNLIMITED
    assert allowances.uses_of(alice, now=NOON) == []


@pytest.mark.parametrize(("exempt", "allowed"), [(True, Allowed()), (False, Allowed(4, 3, 2, 1))])
def test_staff_is_exempt_if_the_site_says_so(staff: User, settings: Settings, exempt: bool, allowed: Allowed):
    settings.STAFF_UNLIMITED = exempt

    assert allowances.allowed_to(staff) == allowed


def test_staff_with_an_own_allowance_keeps_to_it(staff: User):
    Allowance.objects.create(person=staff, uploads_an_hour=5)

    assert allowances.allowed_to(staff) == Allowed(0, 5, 0, 0)


def test_uploads_over_the_limit_are_not_taken_until_the_first_is_an_hour_ago(alice: User, valkey: Valkey):
    allowed, now = Allowed(uploads_an_hour=3), timezone.now()
    for _ in range(3):
        allowances.take_upload(alice, allowed, now=now)

    with pytest.raises(Exceeded) as caught:
        allowances.take_upload(alice, allowed, now=now)
    an_hour_passes(valkey, alice)
    allowances.take_upload(alice, allowed, now=now)

    use = caught.value.use
    assert (use.kind, use.used, use.limit) == (Kind.UPLOADS, 3, 3)
    assert use.frees_at is not None
    assert abs(use.frees_at - now - HOUR) < timedelta(seconds=5)
    assert str(caught.value).startswith("That makes more than 3 photos within an hour. The next can come at ")


def test_uploads_of_others_are_not_counted(alice: User, bob: User):
    for person in (alice, bob):
        allowances.take_upload(person, Allowed(uploads_an_hour=1), now=NOON)

    assert use_of(alice, Kind.UPLOADS).used == 1


def test_uploads_that_are_allowed_later_find_those_of_before(alice: User):
    for _ in range(3):
        allowances.take_upload(alice, Allowed(uploads_an_hour=3), now=NOON)

    for _ in range(2):
        allowances.take_upload(alice, Allowed(uploads_an_hour=5), now=NOON)

    with pytest.raises(Exceeded):
        allowances.take_upload(alice, Allowed(uploads_an_hour=5), now=NOON)


def test_fifty_uploads_at_once_pass_no_more_than_the_limit(alice: User):
    def send() -> bool:
        try:
            allowances.take_upload(alice, Allowed(uploads_an_hour=20), now=NOON)
        except Exceeded:
            return False
        return True

    assert Counter(simultaneously(50, send)) == {True: 20, False: 30}


@pytest.mark.django_db
def test_fifty_uploads_at_once_in_five_processes_pass_no_more_than_the_limit():
    moment = str(time.time() + 6)
    runs = [start([sys.executable, "-c", RACE, moment], environment=same_site()) for _ in range(5)]

    for each in runs:
        each.run.wait(60)

    assert sum(int(each.said.split()[-1]) for each in runs) == 20


@pytest.mark.django_db(transaction=True)
def test_fifty_paintings_booked_at_once_are_no_more_than_the_limit(settings: Settings):
    settings.PAINTINGS_AN_HOUR = 20
    alice = makers.person("alice")

    slots = simultaneously(50, lambda: book(alice, 1)[0])

    assert Counter(slots) == {None: 20, 1: 20, 2: 10}


def test_paintings_over_the_limit_have_their_times(alice: User):
    assert book(alice, 10) == [None, None, None, None, 1, 1, 1, 1, 2, 2]


def test_painting_goes_an_hour_after_the_one_that_is_the_limit_before_it(alice: User):
    book(alice, 3)
    book(alice, 1, now=NOON + HOUR / 4)

    assert book(alice, 5, now=NOON + HOUR / 2) == [1, 1, 1, 1.25, 2]


def test_painting_asked_later_stands_behind_what_is_held(alice: User):
    book(alice, 6)

    assert book(alice, 3, now=NOON + 1.5 * HOUR) == [None, None, 2]


def test_thousand_held_paintings_go_at_the_pace_of_the_limit(alice: User):
    Allowance.objects.create(person=alice, paintings_an_hour=200)

    slots = Counter(book(alice, 1200))

    assert [slots[hour] for hour in (None, 1, 2, 3, 4, 5)] == [200] * 6


@profile(max_examples=25, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.lists(st.tuples(st.integers(0, 50), st.integers(1, 9)), max_size=8))
def test_no_hour_has_more_paintings_than_the_limit(alice: User, valkey: Valkey, asked: list[tuple[int, int]]):
    valkey.client.flushall()
    now, times = NOON, []
    for minutes, count in asked:
        now += timedelta(minutes=minutes)
        times += [slot or now for slot in allowances.book_paintings(alice, count=count, now=now)]

    assert max([sum(begin <= each < begin + HOUR for each in times) for begin in times], default=0) <= 4


def test_slot_that_is_given_back_is_anothers(alice: User):
    book(alice, 8)

    allowances.give_back(alice, [NOON + HOUR], now=NOON)

    assert book(alice, 2) == [1, 2]


def test_thousands_of_slots_are_given_back_at_once(alice: User):
    slots = [slot for slot in allowances.book_paintings(alice, count=2504, now=NOON) if slot]

    allowances.give_back(alice, slots, now=NOON)

    assert (len(slots), book(alice, 1)) == (2500, [1])


def test_time_that_has_come_is_not_given_back(alice: User):
    book(alice, 5)

    allowances.give_back(alice, [NOON + HOUR], now=NOON + 2 * HOUR)

    assert use_of(alice, Kind.PAINTINGS, now=NOON + HOUR * 1.5).used == 1


def test_use_is_shown_before_a_limit_bites(alice: User):
    Allowance.objects.create(person=alice, paintings_an_hour=200, megabytes=20_000)
    allowances.take_upload(alice, Allowed(uploads_an_hour=3), now=NOON)
    book(alice, 12)
    makers.artwork(makers.photo(alice), state=State.WORKING)
    Rendition.objects.update(lane=alice.lane)
    Source.objects.update(size=1_234_000_000)

    uses = allowances.uses_of(alice, now=NOON)

    assert [(use.kind.value, str(use), use.near) for use in uses] == [
        ("paintings", "12 of 200", False),
        ("uploads", "1 of 3", False),
        ("photos", "1 of 2", False),
        ("storage", "1.2 of 20 GB", False),
    ]


@pytest.mark.parametrize(
    ("used", "limit", "said"),
    [
        (11_480_000, 20_000_000_000, "11.5 MB of 20 GB"),
        (100_000_000, 20_000_000_000, "0.1 of 20 GB"),
        (11_480_000, 500_000_000, "11.5 of 500 MB"),
        (1_900_000_000, 1_500_000_000, "1.9 of 1.5 GB"),
    ],
)
def test_storage_is_said_in_a_unit_that_shows_it(used: int, limit: int, said: str):
    assert str(Use(Kind.STORAGE, used, limit)) == said


def test_use_says_when_there_is_more(alice: User):
    book(alice, 3)
    assert use_of(alice, Kind.PAINTINGS).frees_at is None

    book(alice, 3, now=NOON + HOUR / 2)

    assert use_of(alice, Kind.PAINTINGS, now=NOON + HOUR / 2) == Use(Kind.PAINTINGS, 4, 4, NOON + HOUR)


def test_file_of_a_person_counts_as_it_is_however_many_have_it(alice: User, bob: User):
    shared = makers.source(size=600_000)
    for person in (alice, bob):
        makers.photo(person, of=shared)

    assert [use_of(person, Kind.STORAGE).used for person in (alice, bob)] == [600_000, 600_000]


def test_storage_over_the_limit_is_refused_in_words(alice: User):
    makers.photo(alice, of=makers.source(size=600_000))

    allowances.find_room(alice, Allowed(megabytes=1), size=400_000, now=NOON)
    with pytest.raises(Exceeded, match=r"There is no room for this photo: 0\.6 of 1 MB are used\."):
        allowances.find_room(alice, Allowed(megabytes=1), size=400_001, now=NOON)


@pytest.mark.parametrize(
    ("state", "counted"), [(State.WAITING, 2), (State.WORKING, 2), (State.DONE, 0), (State.FAILED, 0)]
)
def test_photos_in_work_are_those_that_are_painted_or_wait(alice: User, state: State, counted: int):
    makers.artwork(makers.photo(alice), state=state)
    makers.photo(alice, of=makers.source(state=state))
    Rendition.objects.update(lane=alice.lane)
    Source.objects.filter(photos__artworks=None).update(lane=alice.lane)

    assert use_of(alice, Kind.PHOTOS).used == counted


def test_photo_that_is_painted_for_another_person_is_no_work_of_this_one(alice: User, bob: User):
    photo = makers.photo(alice)
    makers.artwork(photo, state=State.WORKING)
    Rendition.objects.update(lane=alice.lane)
    makers.photo(bob, of=photo.source)

    assert [use_of(person, Kind.PHOTOS).used for person in (alice, bob)] == [1, 0]


def test_photos_in_work_over_the_limit_are_refused_for_a_moment(alice: User):
    for _ in range(2):
        makers.photo(alice, of=makers.source(state=State.WAITING, lane=alice.lane))

    with pytest.raises(Exceeded) as caught:
        allowances.find_room(alice, Allowed(photos_at_once=2), size=1, now=NOON)

    assert str(caught.value) == "2 photos are in work, the most at once. More can come when some are done."
    assert caught.value.use.frees_at == NOON + timedelta(seconds=15)


def test_room_that_was_taken_meanwhile_is_refused(alice: User):
    makers.photo(alice, of=makers.source(size=1_000_001))

    with transaction.atomic(), pytest.raises(Exceeded):
        allowances.keep_to_room(alice, Allowed(megabytes=1), now=NOON)


def test_nobody_is_limited_while_the_counts_are_away(alice: User, valkey: Valkey):
    book(alice, 4)
    valkey.stop()
    begin = time.monotonic()

    for _ in range(5):
        allowances.take_upload(alice, Allowed(uploads_an_hour=1), now=NOON)
    assert book(alice, 2) == [None, None]
    assert [use.used for use in allowances.uses_of(alice, now=NOON)] == [0, 0, 0, 0]

    assert time.monotonic() - begin < 1


def test_counts_hold_again_when_they_are_back(alice: User, valkey: Valkey, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(allowances, "REST", 0)
    book(alice, 4)
    valkey.stop()
    assert book(alice, 1) == [None]

    valkey.start()

    # On a busy machine it may not answer at once.
    wait_until(lambda: book(alice, 1) == [1], seconds=10)


def test_painting_over_the_allowance_is_held(alice: User):
    photo, now = makers.photo(alice), timezone.now()
    book(alice, 3, now=now)

    made = artworks.commission(photo, styles=["oil", "pencil"], look="fast", full_size=False, now=now)

    assert [artwork.stage for artwork in made] == [Stage.WAITING, Stage.HELD]
    assert artworks.held(made, now=now) == [made[1].commission.not_before]
    assert abs(artworks.held(made, now=now)[0] - now - HOUR) < timedelta(milliseconds=2)


def test_painting_that_is_asked_for_again_keeps_its_time(alice: User):
    photo, now = makers.photo(alice), timezone.now()
    book(alice, 4, now=now)
    [first] = artworks.commission(photo, styles=["oil"], look="fast", full_size=False, now=now)

    [again] = artworks.commission(photo, styles=["oil"], look="fast", full_size=False, now=now)

    assert again.commission.not_before == first.commission.not_before
    next_ones = [slot or now for slot in allowances.book_paintings(alice, count=4, now=now)]
    assert [round((slot - now) / HOUR) for slot in next_ones] == [1, 1, 1, 2]


def test_painting_that_exists_costs_nothing(alice: User, bob: User):
    photo = makers.photo(alice)
    for style in ("oil", "pencil"):
        makers.artwork(photo, style=style, look="studio")
    same = makers.photo(bob, of=photo.source)

    made = artworks.commission(same, styles=["oil", "pencil"], look="studio", full_size=False, now=NOON)

    assert [artwork.stage for artwork in made] == [Stage.DONE, Stage.DONE]
    assert use_of(bob, Kind.PAINTINGS).used == 0


def test_held_painting_of_one_goes_with_the_allowance_of_another(alice: User, bob: User):
    photo, now = makers.photo(alice), timezone.now()
    book(alice, 4, now=now)
    [held] = artworks.commission(photo, styles=["oil"], look="fast", full_size=False, now=now)

    same = makers.photo(bob, of=photo.source)
    artworks.commission(same, styles=["oil"], look="fast", full_size=False, now=now)

    assert Artwork.objects.with_paintings().get(pk=held.pk).stage == Stage.WAITING
    assert use_of(bob, Kind.PAINTINGS, now=now).used == 1


def test_cancelled_while_held_gives_its_slot_back_and_takes_another_when_tried_again(alice: User):
    photo, now = makers.photo(alice), timezone.now()
    book(alice, 4, now=now)
    [held] = artworks.commission(photo, styles=["oil"], look="fast", full_size=False, now=now)

    artworks.cancel(held, by=alice, now=now)
    later = [slot - now for slot in allowances.book_paintings(alice, count=4, now=now) if slot]
    artworks.retry(held, by=alice, now=now)

    assert [round(each / HOUR) for each in later] == [1, 1, 1, 1]
    [asked] = Commission.objects.all()
    assert asked.not_before is not None
    assert round((asked.not_before - now) / HOUR) == 2
    assert Artwork.objects.with_paintings().get(pk=held.pk).stage == Stage.HELD


@pytest.mark.django_db(transaction=True)
def test_held_painting_is_begun_when_its_time_has_come():
    alice, now = makers.person("alice"), timezone.now()
    book(alice, 4, now=now)
    [held] = artworks.commission(makers.photo(alice), styles=["oil"], look="fast", full_size=False, now=now)

    renditions.request_due(now=now)
    early = Artwork.objects.with_paintings().get(pk=held.pk)
    Commission.objects.update(not_before=now)
    renditions.request_due(now=now)

    assert (early.stage, early.rendition) == (Stage.HELD, None)
    begun = Artwork.objects.with_paintings().get(pk=held.pk)
    assert (begun.stage, begun.rendition is not None) == (Stage.WAITING, True)
    assert use_of(alice, Kind.PAINTINGS, now=now).used == 4


@pytest.mark.parametrize(
    ("moment", "shown"), [(NOON + HOUR * 2, "14:00"), (NOON + timedelta(days=1), "05/04/2026 12:00")]
)
def test_time_is_said_with_the_day_when_it_is_another(moment: datetime, shown: str):
    assert allowances.clock(moment, now=NOON) == shown
