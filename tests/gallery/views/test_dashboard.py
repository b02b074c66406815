"""What goes on in the workshop, what it costs and what it saves, for staff."""

from django.test import Client
from django.utils import timezone

from gallery.ledger import Technique
from gallery.models import Artwork, User
from rendering.models import State
from tests import makers
from tests.processes import Valkey

STAFF = "/staff/"


def test_dashboard_counts(as_staff: Client, alice: User):
    makers.finished_photo(alice)
    makers.artwork(makers.photo(alice), state=State.WAITING)

    context = as_staff.get(STAFF).context

    assert (context["people"], context["photos"], context["artworks"]) == (2, 2, 5)
    assert (context["overview"].waiting, context["overview"].redis_ok) == (1, True)


def test_dashboard_is_shown_while_the_queue_is_away(as_staff: Client, valkey: Valkey):
    valkey.stop()

    response = as_staff.get(STAFF)

    assert (response.status_code, response.context["overview"].redis_ok) == (200, False)


def test_dashboard_tells_what_is_saved_and_how_it_is_computed(as_staff: Client, alice: User, bob: User):
    photo = makers.finished_photo(alice)
    his = makers.photo(bob, of=photo.source)
    shared = photo.artworks.get(style="oil").commission
    facts = {"style": "oil", "look": "studio", "same_file": True, "created_at": timezone.now()}
    Artwork.objects.create(photo=his, commission=shared, **facts)

    response = as_staff.get(STAFF)

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


def test_dashboard_asks_a_constant_number_of_queries(as_staff: Client, alice: User, django_assert_num_queries):
    makers.finished_photo(alice)
    with django_assert_num_queries(20):
        as_staff.get(STAFF)
    for _ in range(2):
        makers.finished_photo(alice)

    with django_assert_num_queries(20):
        as_staff.get(STAFF)
