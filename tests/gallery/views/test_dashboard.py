"""What goes on in the workshop, for staff."""

from django.test import Client

from gallery.models import User
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
