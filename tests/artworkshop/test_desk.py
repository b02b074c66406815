"""The doctor's page: for staff with the permission, in their language, with buttons that do what they say."""

from datetime import timedelta

import pytest
from django.contrib.auth.models import Permission
from django.test import Client
from django.utils import timezone

from gallery.models import AuditEntry, User
from rendering import turns
from rendering.models import Halt, Rendition, State
from tests import makers
from tests.processes import Valkey


def allow(user: User, *names: str) -> Client:
    """Give permissions, and return a browser."""
    user.user_permissions.set(Permission.objects.filter(codename__in=names, content_type__app_label="gallery"))
    return makers.browser(user)


@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize("address", ["/staff/doctor/", "/staff/doctor/mend/"])
def test_doctor_is_for_staff_with_the_permission(
    as_alice: Client, as_staff: Client, staff: User, alice: User, address: str
) -> None:
    alice.user_permissions.set(Permission.objects.filter(codename="view_auditentry"))

    statuses = [browser.post(address, {"mend": "revive"}).status_code for browser in (as_alice, as_staff)]

    assert statuses == [404, 404]


@pytest.mark.django_db(transaction=True)
def test_doctor_says_what_is_wrong_first_with_a_command_or_a_button(valkey: Valkey, as_admin: Client) -> None:
    makers.rendition(state=State.WORKING, lease_until=timezone.now() - timedelta(minutes=5))

    page = as_admin.get("/staff/doctor/").content.decode()

    levels = [page.index(f'data-level="{level}"') for level in ("problem", "good")]
    assert levels == sorted(levels)
    assert "No worker is alive: nothing will be painted." in page
    assert '<button type="submit" class="button" name="mend" value="revive">Bring it back now</button>' in page
    assert '<code class="address">manage.py tend</code>' in page


@pytest.mark.django_db(transaction=True)
def test_button_does_what_it_says_and_is_written_down(valkey: Valkey, admin: User, as_admin: Client) -> None:
    makers.rendition(state=State.WORKING, lease_until=timezone.now() - timedelta(minutes=5))
    states = []
    turns.rest(now=timezone.now())
    turns.rest("worker-1", now=timezone.now())

    for mend in ("revive", "go_on", "tidy"):
        answer = as_admin.post("/staff/doctor/mend/", {"mend": mend, "why": f"{mend} it"})
        assert (answer.status_code, answer["Location"]) == (302, "/staff/doctor/")
        states += [list(Rendition.objects.values_list("state", flat=True))]

    actions = AuditEntry.objects.order_by("pk").values_list("action", "actor_name", "reason")
    # Nobody has asked for it: in the end it is removed.
    assert (states, Halt.objects.count()) == ([[State.WAITING], [State.WAITING], []], 0)
    assert list(actions) == [(f"doctor: {mend}", "ada", f"{mend} it") for mend in ("revive", "go_on", "tidy")]


@pytest.mark.django_db(transaction=True)
def test_who_may_only_look_has_no_buttons(valkey: Valkey, staff: User) -> None:
    browser = allow(staff, "view_auditentry")
    turns.rest(now=timezone.now())

    page = browser.get("/staff/doctor/").content.decode()
    refused = browser.post("/staff/doctor/mend/", {"mend": "go_on"})

    assert "Painting is paused: all workers rest." in page
    assert 'name="mend"' not in page
    assert (refused.status_code, Halt.objects.count(), AuditEntry.objects.count()) == (404, 1, 0)


@pytest.mark.django_db(transaction=True)
def test_button_is_for_those_who_may_press_it(valkey: Valkey, staff: User) -> None:
    browser = allow(staff, "view_auditentry", "pause_painting")
    turns.rest(now=timezone.now())

    answers = [browser.post("/staff/doctor/mend/", {"mend": mend}).status_code for mend in ("go_on", "tidy", "nothing")]

    assert (answers, Halt.objects.count()) == ([302, 404, 404], 0)
