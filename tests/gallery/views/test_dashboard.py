"""What goes on in the workshop, what it costs and what it saves, for staff."""

import csv
import io
import re
from datetime import timedelta

import pytest
from django.test import Client
from django.utils import timezone

from gallery.ledger import Technique
from gallery.models import Artwork, Traffic, User
from rendering.models import Rendition, State
from rendering.stats import Span, Trouble
from tests import makers
from tests.processes import Valkey

STAFF = "/staff/"


@pytest.fixture
def as_desk(db: None) -> Client:
    return makers.browser(makers.staff_with("see_desk"))


def table(answer) -> list[list[str]]:
    content = answer.getvalue().decode("utf-8-sig")
    return list(csv.reader(io.StringIO(content)))


def test_dashboard_counts(as_desk: Client, alice: User):
    makers.finished_photo(alice)
    makers.artwork(makers.photo(alice), state=State.WAITING)

    context = as_desk.get(STAFF).context

    assert (context["people"], context["photos"], context["artworks"]) == (2, 2, 5)
    assert (context["desk"].waiting, context["desk"].trouble) == (1, Trouble.NO_WORKER)


@pytest.mark.parametrize("address", [STAFF, "/staff/savings/", "/staff/figures.csv"])
def test_dashboard_is_for_staff_with_the_permission(address, alice: User, staff: User, admin: User, as_desk: Client):
    answers = [makers.browser(person).get(address).status_code for person in (alice, staff, admin)]

    assert answers == [404, 404, 200]
    assert as_desk.get(address).status_code == 200
    plain = makers.person("pat")
    plain.user_permissions.set(User.objects.get(username="holder").user_permissions.all())
    assert makers.browser(plain).get(address).status_code == 404


def test_dashboard_looks_as_far_back_as_asked(as_desk: Client, alice: User):
    made = makers.artwork(makers.photo(alice))
    Rendition.objects.filter(commissions=made.commission).update(finished_at=timezone.now() - timedelta(days=3))

    painted = [as_desk.get(STAFF, {"span": span}).context["desk"].paintings for span in ("", "24h", "7d", "180d", "x")]

    assert painted == [0, 0, 1, 1, 0]


def test_names_of_people_who_wait_are_shown(as_desk: Client, alice: User):
    made = makers.artwork(makers.photo(alice), state=State.WAITING)
    Rendition.objects.filter(commissions=made.commission).update(lane=alice.lane)

    page = as_desk.get(STAFF).content.decode()

    assert "/staff/jobs/?person=alice&amp;state=waiting" in page


def test_figures_are_sent_as_a_table_without_formulas(as_desk: Client, alice: User):
    makers.finished_photo(makers.person("=1+1"))

    rows = table(as_desk.get("/staff/figures.csv", {"span": "180d"}))

    assert rows[0] == ["table", "row", "column", "figure"]
    assert ["storage by person", "'=1+1", "photos", "1"] in rows
    assert ["cache", "painted shared", "paintings", "0"] not in rows
    assert len([row for row in rows if row[0] == "finished"]) == 2 * Span.HALF_YEAR.bars
    assert {row[1] for row in rows if row[0] == "ledger"} >= {"naive", "smaller", "batches", "looks", "cache", "lazy"}


def test_dashboard_is_shown_while_the_queue_is_away(as_desk: Client, valkey: Valkey):
    valkey.stop()

    response = as_desk.get(STAFF)

    assert (response.status_code, response.context["desk"].trouble) == (200, Trouble.QUEUE_AWAY)
    assert "The queue server cannot be reached." in response.content.decode()


def test_dashboard_tells_what_is_saved_and_how_it_is_computed(as_desk: Client, alice: User, bob: User):
    photo = makers.finished_photo(alice)
    his = makers.photo(bob, of=photo.source)
    shared = photo.artworks.get(style="oil").commission
    facts = {"style": "oil", "look": "studio", "same_file": True, "created_at": timezone.now()}
    Artwork.objects.create(photo=his, commission=shared, **facts)

    response = as_desk.get(f"{STAFF}savings/")

    page = " ".join(response.content.decode().split())
    [line] = [line for line in response.context["techniques"] if line.technique == Technique.SAME_FILE]
    assert [saving.count for saving in line.periods] == [1, 1, 1]
    assert "Saved: Same file" in page
    assert "Photos whose bytes were here already" in page
    assert [saver.username for saver in response.context["savers"]] == ["bob"]
    assert (
        page.count("too few paintings: the kernels&#x27; own figures")
        + page.count("too few paintings: the kernels' own figures")
        == 12
    )


@pytest.mark.parametrize("by", ["cpu_seconds", "bytes", "money"])
def test_waterfall_is_drawn_by_the_figure_that_is_asked_for(as_desk: Client, alice: User, by: str):
    made = makers.artwork(makers.photo(alice))
    Rendition.objects.filter(commissions=made.commission).update(finished_at=timezone.now())
    Artwork.objects.update(created_at=timezone.now())
    Traffic.objects.create(hour=timezone.now() - timedelta(minutes=1), pages=1, naive_bytes=9_000_000, sent_bytes=0)

    response = as_desk.get(STAFF, {"by": by})

    fall = response.context["desk"].waterfall
    share = 100 * getattr(fall.actual, by) / getattr(fall.naive, by)
    [shown] = [box for line, box in bars(response) if line == "Spent"]
    assert shown == pytest.approx(share, abs=0.01)
    assert f'<a href="?by={by}#fall" aria-current="true">' in response.content.decode()
    assert as_desk.get(STAFF, {"by": "x"}).context["by"] == "cpu_seconds"


def bars(response) -> list[tuple[str, float]]:
    """Return the lines of the waterfall, each with how long its bar is."""
    table = response.content.decode().partition('aria-labelledby="fall"')[2].partition("</table>")[0]
    lines = [re.sub(r"<[^>]+>", " ", row).split() for row in table.split("<tr>")[2:]]
    widths = [float(width) for width in re.findall(r'<rect class="\w+" x="[\d.]+" width="([\d.]+)"', table)]
    return [(line[0], width) for line, width in zip(lines, widths, strict=True)]


@pytest.mark.parametrize(("address", "count"), [(STAFF, 35), (f"{STAFF}savings/", 16)])
def test_figures_take_a_constant_number_of_queries(
    as_desk: Client, alice: User, address: str, count: int, django_assert_num_queries
):
    makers.finished_photo(alice)
    with django_assert_num_queries(count):
        as_desk.get(address)
    for _ in range(2):
        makers.finished_photo(alice)

    with django_assert_num_queries(count):
        as_desk.get(address)
