"""People's pages: who may see and do what, what is said, and how people come in where staff let them in."""

import csv
import io

import pytest
from django.contrib.auth.models import Permission
from django.contrib.messages import get_messages
from django.test import Client
from pytest_django import DjangoAssertNumQueries, Settings

from gallery.models import Allowance, AuditEntry, Invitation, User
from tests import makers
from tests.makers import PASSWORD

PAGE = "/staff/people/"
NEW = {"username": "nora", "email": "", "password1": PASSWORD, "password2": PASSWORD}


def said(response) -> list[str]:
    return [str(message) for message in get_messages(response.wsgi_request)]


def staff_who_may(*permissions: str) -> Client:
    person = makers.person("sven", is_staff=True)
    person.user_permissions.set(Permission.objects.filter(codename__in=permissions))
    return makers.browser(person)


@pytest.fixture
def approval(settings: Settings, db: None) -> None:
    settings.SIGN_UP = "approval"


@pytest.mark.parametrize("count", [1, 3])
def test_list_asks_a_constant_number_of_queries(
    as_admin: Client, count: int, django_assert_num_queries: DjangoAssertNumQueries
):
    for number in range(count):
        makers.finished_photo(makers.person(f"person{number}"))

    with django_assert_num_queries(6):
        response = as_admin.get(PAGE)

    assert len(response.context["found"]) == count + 1


def test_list_has_pages(as_admin: Client):
    User.objects.bulk_create(User(username=f"person{number:03}") for number in range(60))

    first, second = as_admin.get(PAGE, {"q": "person"}), as_admin.get(PAGE, {"q": "person", "page": "2"})

    assert (len(first.context["found"]), len(second.context["found"])) == (50, 10)
    assert 'href="?page=2&amp;q=person"' in first.content.decode()


def test_list_is_searched(as_admin: Client, alice: User, bob: User):
    response = as_admin.get(PAGE, {"q": "ali", "standing": "active"})

    assert [str(facts.person) for facts in response.context["found"]] == ["alice"]


def test_list_with_odd_filters_shows_everybody(as_admin: Client, alice: User):
    response = as_admin.get(PAGE, {"q": "x" * 101, "standing": "odd", "page": "many"})

    assert [str(facts.person) for facts in response.context["found"]] == ["ada", "alice"]


def test_person_is_shown_with_what_is_used(as_admin: Client, alice: User):
    makers.finished_photo(alice)

    context = as_admin.get(f"{PAGE}{alice.pk}/").context

    assert (context["usage"].photos, context["usage"].artworks, len(context["uses"])) == (1, 4, 4)


@pytest.mark.parametrize(
    ("permissions", "shown"),
    [
        (["view_user"], (False, False, False)),
        (["view_user", "change_user"], (True, False, False)),
        (["view_user", "change_allowance"], (False, True, False)),
    ],
)
def test_person_page_offers_what_the_viewer_may_do(alice: User, permissions: list[str], shown: tuple[bool, ...]):
    context = staff_who_may(*permissions).get(f"{PAGE}{alice.pk}/").context

    offered = tuple(bool(context[name]) for name in ("may_stand", "limits_form", "role_form"))
    assert offered == shown


def test_page_of_oneself_offers_nothing(as_admin: Client, admin: User):
    context = as_admin.get(f"{PAGE}{admin.pk}/").context

    assert [context[name] for name in ("may_stand", "limits_form", "role_form")] == [False, None, None]


@pytest.mark.parametrize(
    ("path", "permission"),
    [("", "view_user"), ("standing/", "change_user"), ("limits/", "change_allowance"), ("role/", "change_user")],
)
def test_pages_need_their_own_permission(alice: User, path: str, permission: str):
    others = {"view_user", "change_user", "change_allowance", "delete_user", "change_notice"} - {permission}
    browser = staff_who_may(*others)
    address, sent = f"{PAGE}{alice.pk}/{path}", {"action": "disable", "role": "manager"}

    response = browser.post(address, sent) if path else browser.get(address)

    alice.refresh_from_db()
    assert (response.status_code, alice.is_active, alice.is_staff) == (404, True, False)


def test_account_is_switched_off_with_a_reason(alice: User):
    response = staff_who_may("view_user", "change_user").post(
        f"{PAGE}{alice.pk}/standing/", {"action": "disable", "reason": "Spam"}
    )

    entry = AuditEntry.objects.get()
    assert (response.headers["Location"], said(response)) == (f"{PAGE}{alice.pk}/", ["alice is switched off."])
    assert (entry.actor_name, entry.action, entry.subject, entry.reason) == ("sven", "person.disable", "alice", "Spam")
    assert not User.objects.get(username="alice").is_active


@pytest.mark.parametrize(
    ("action", "sentence"), [("approve", "That was done already."), ("enable", "That was done already.")]
)
def test_what_is_done_already_is_said(as_admin: Client, alice: User, action: str, sentence: str):
    response = as_admin.post(f"{PAGE}{alice.pk}/standing/", {"action": action})

    assert (said(response), AuditEntry.objects.count()) == ([sentence], 0)


@pytest.mark.parametrize("sent", [{}, {"action": "impersonate"}, {"action": "disable", "reason": "x" * 301}])
def test_what_is_not_understood_changes_nothing(as_admin: Client, alice: User, sent: dict[str, str]):
    response = as_admin.post(f"{PAGE}{alice.pk}/standing/", sent)

    alice.refresh_from_db()
    assert (len(said(response)), alice.is_active) == (1, True)


def test_staff_find_no_way_to_act_on_admins(admin: User):
    browser = staff_who_may("view_user", "change_user", "change_allowance")

    got = [
        browser.post(f"{PAGE}{admin.pk}/{path}/", {"action": "disable", "preset": "guest"}).status_code
        for path in ("standing", "limits", "role")
    ]

    admin.refresh_from_db()
    assert (got, admin.is_active) == ([404, 404, 404], True)


def test_limits_are_given(as_admin: Client, alice: User):
    as_admin.post(f"{PAGE}{alice.pk}/limits/", {"preset": "guest", "megabytes": "7", "reason": "A visitor"})

    own = Allowance.objects.get(person=alice)
    assert (own.megabytes, own.uploads_an_hour, alice.groups.get().name) == (7, None, "guest")
    form = as_admin.get(f"{PAGE}{alice.pk}/").context["limits_form"]
    assert [form[name].value() for name in ("preset", "megabytes", "uploads_an_hour")] == ["guest", 7, None]


@pytest.mark.parametrize("sent", [{"megabytes": "-1"}, {"megabytes": "much"}, {"preset": "king"}])
def test_limits_that_cannot_be_are_refused(as_admin: Client, alice: User, sent: dict[str, str]):
    response = as_admin.post(f"{PAGE}{alice.pk}/limits/", sent)

    assert list(response.context["limits_form"].errors) == list(sent)
    assert Allowance.objects.count() == 0


def test_admin_gives_a_role(as_admin: Client, alice: User):
    as_admin.post(f"{PAGE}{alice.pk}/role/", {"role": "manager"})

    browser = makers.browser(User.objects.get(pk=alice.pk))
    assert [browser.get(path).status_code for path in (PAGE, "/staff/notices/", "/staff/invitations/")] == [200] * 3


def test_manager_cannot_give_roles(alice: User):
    browser = staff_who_may("view_user", "change_user")

    response = browser.post(f"{PAGE}{alice.pk}/role/", {"role": "helper"})

    assert (response.status_code, User.objects.get(pk=alice.pk).is_staff) == (404, False)


def test_staff_with_permission_invite(db: None):
    staff_who_may("add_invitation").post("/staff/invitations/", {"note": "For Mum"})

    assert (Invitation.objects.get().note, AuditEntry.objects.get().action) == ("For Mum", "person.invite")


def test_new_person_is_told_to_wait(approval: None):
    browser = Client()

    signed_up = browser.post("/accounts/signup/", NEW, follow=True)
    back = browser.post("/accounts/login/", {"login": "nora", "password": PASSWORD}, follow=True)

    nora = User.objects.get()
    assert (nora.is_active, nora.awaits_approval, "_auth_user_id" in browser.session) == (False, True, False)
    for response in (signed_up, back):
        assert response.redirect_chain[-1][0] == "/waiting/"
        assert response.templates[0].name == "gallery/waiting.html"


def test_guessed_password_of_somebody_who_waits_tells_nothing(approval: None):
    Client().post("/accounts/signup/", NEW)

    response = Client().post("/accounts/login/", {"login": "nora", "password": "a wrong password"})

    assert (response.status_code, response.templates[0].name) == (200, "account/login.html")


def test_person_is_in_after_approval(approval: None, as_admin: Client):
    Client().post("/accounts/signup/", NEW)
    nora = User.objects.get(username="nora")

    as_admin.post(f"{PAGE}{nora.pk}/standing/", {"action": "approve"})
    browser = Client()
    response = browser.post("/accounts/login/", {"login": "nora", "password": PASSWORD})

    assert (response.headers["Location"], browser.session["_auth_user_id"]) == ("/", str(nora.pk))


def test_person_who_is_not_let_in_loses_the_account(approval: None, as_admin: Client):
    Client().post("/accounts/signup/", NEW)
    nora = User.objects.get(username="nora")

    response = as_admin.post(f"{PAGE}{nora.pk}/standing/", {"action": "refuse", "reason": "Unknown"})

    assert (response.headers["Location"], User.objects.filter(username="nora").exists()) == (PAGE, False)


def test_switched_off_person_is_told_so_at_the_door(db: None):
    makers.person("olaf", password=PASSWORD, is_active=False)

    response = Client().post("/accounts/login/", {"login": "olaf", "password": PASSWORD})

    assert response.headers["Location"] == "/accounts/inactive/"


def test_invited_person_is_in_at_once(approval: None, admin: User, as_admin: Client):
    as_admin.post("/staff/invitations/", {"note": "For Nora"})
    browser = Client()
    browser.get(f"/invitations/{Invitation.objects.get().key}/")

    browser.post("/accounts/signup/", NEW)

    nora = User.objects.get(username="nora")
    assert (nora.is_active, browser.session["_auth_user_id"]) == (True, str(nora.pk))
    assert Invitation.objects.get().used_by == nora


def test_people_are_sent_as_a_table(as_admin: Client, alice: User, staff: User):
    makers.finished_photo(alice)

    answer = as_admin.get("/staff/people/people.csv", {"q": "ali"})

    [row] = csv.DictReader(io.StringIO(answer.getvalue().decode("utf-8-sig")))
    assert (row["name"], row["standing"], row["photos"], row["paintings"]) == ("alice", "active", "1", "4")
    assert makers.browser(staff).get("/staff/people/people.csv").status_code == 404
    assert makers.browser(alice).get("/staff/people/people.csv").status_code == 404
