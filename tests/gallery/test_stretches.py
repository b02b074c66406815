"""What is kept of hours and days is what the rows say, and follows them when they change."""

from datetime import datetime, timedelta

import pytest
from django.utils import timezone

from gallery import stretches
from gallery.models import Artwork, Stretch, User
from rendering.models import Reason, Rendition, Source, State
from rendering.stats import Span
from tests import makers

NOW = datetime.fromisoformat("2026-05-03T12:20:00+00:00")
HOUR, DAY = timedelta(hours=1), timedelta(days=1)


def work(owner: User, *, at: datetime, style: str = "oil") -> Artwork:
    """Return a painting that was asked for at a time, and finished a minute later."""
    source = makers.source(finished_at=at, waiting_since=at, holder=f"turn {at}", cpu_seconds=0.25)
    made = makers.artwork(makers.photo(owner, of=source, created_at=at), style=style, created_at=at)
    moments = {"started_at": at + timedelta(seconds=30), "finished_at": at + timedelta(seconds=60)}
    Rendition.objects.filter(commissions=made.commission).update(waiting_since=at, holder=f"turn {at}", **moments)
    return made


def kept(*, now: datetime = NOW) -> None:
    """Keep everything that is over."""
    while stretches.keep(now=now):
        pass


@pytest.fixture
def history(alice: User, bob: User) -> None:
    """Leave rows of half a year, a failure among them, and one of the running hour."""
    for back in (timedelta(minutes=5), HOUR, 3 * HOUR, 26 * HOUR, 3 * DAY, 20 * DAY, 100 * DAY, 200 * DAY):
        work(alice, at=NOW - back)
    seen_before = work(bob, at=NOW - 2 * DAY, style="pencil")
    work(bob, at=NOW - 5 * DAY)
    Artwork.objects.filter(pk=seen_before.pk).update(same_file=True)
    makers.rendition(state=State.FAILED, reason=Reason.TOO_SLOW, finished_at=NOW - 4 * DAY)


def test_what_is_kept_is_what_the_rows_say(history: None, django_assert_num_queries):
    edges = {span: span.edges(now=NOW) for span in Span}
    by_rows = {span: stretches.sum_up(edges[span]) for span in Span}
    assert [sum("finished" in each for each in by_rows[span]) for span in Span] == [3, 7, 6, 7]

    kept()

    for span in Span:
        with django_assert_num_queries(11):
            assert stretches.read(edges[span]) == by_rows[span]
    Stretch.objects.filter(begins=edges[Span.WEEK][80]).delete()
    with django_assert_num_queries(11):
        assert stretches.read(edges[Span.WEEK]) == by_rows[Span.WEEK]
    Stretch.objects.filter(daily=True).update(sums={"finished": [7, 8]})
    assert stretches.read(edges[Span.MONTH])[0] == {"finished": [7, 8]}


def test_nothing_need_be_kept(history: None, django_assert_num_queries):
    edges = Span.HALF_YEAR.edges(now=NOW)

    with django_assert_num_queries(11):
        found = stretches.read(edges)

    assert found == stretches.sum_up(edges)


def test_what_changed_long_ago_is_followed(history: None, monkeypatch):
    monkeypatch.setattr(stretches, "AGAIN", 100)
    kept()
    Artwork.objects.all().delete()
    Rendition.objects.filter(state=State.FAILED).delete()
    assert "failed painting too_slow" in str(stretches.read(Span.WEEK.edges(now=NOW)))
    rounds = Stretch.objects.count() // stretches.AGAIN + 1

    for number in range(rounds):
        stretches.keep(now=NOW + timedelta(seconds=number + 1))

    for span in Span:
        edges = span.edges(now=NOW)
        assert stretches.read(edges) == stretches.sum_up(edges)


def test_the_latest_hours_are_summed_up_each_time(alice: User):
    kept()
    work(alice, at=NOW - 2 * HOUR)

    stretches.keep(now=NOW)

    hour = Stretch.objects.get(begins=NOW - 2 * HOUR - timedelta(minutes=20), daily=False)
    assert hour.sums["finished"] == [1, 1]


def test_running_hour_is_not_kept_and_old_ones_are_let_go(alice: User):
    kept()
    assert Stretch.objects.filter(ends__gt=NOW).count() == 0
    assert Stretch.objects.filter(daily=False).count() == stretches.HOURS - 1

    kept(now=NOW + 2 * DAY)

    assert Stretch.objects.filter(daily=False).count() == stretches.HOURS - 1
    assert Stretch.objects.earliest("begins").begins == NOW - timedelta(hours=12, minutes=20) - 178 * DAY


def test_other_midnights_are_kept_anew(history: None, settings):
    kept()
    timezone.deactivate()  # the clock of whoever visited a page before
    settings.TIME_ZONE = "Asia/Kolkata"
    edges = Span.MONTH.edges(now=NOW)

    kept()

    assert stretches.read(edges) == stretches.sum_up(edges)
    assert {each.begins.minute for each in Stretch.objects.all()} == {30}


def test_source_rows_are_told_as_photos(alice: User):
    work(alice, at=NOW - HOUR)
    Source.objects.update(width=4000, height=3000)

    [found] = [each for each in stretches.sum_up(Span.DAY.edges(now=NOW)) if each]

    assert found["finished"] == [1, 1]
    assert found["read"] == [1, 12.0]
    assert found["batches"] == [1, 1, 2, 1]
