"""Notices on pages: everybody sees them, staff put them up, and uploads are refused in words meanwhile."""

from datetime import UTC, datetime, timedelta

import pytest
from django.contrib.auth.models import Permission
from django.test import Client
from django.utils import timezone

from gallery import notices
from gallery.models import AuditEntry, Notice, Photo, User
from rendering.models import Source
from tests import makers

PAGE = "/staff/notices/"
CLOSED = "No photos are taken just now: We move"


@pytest.fixture(autouse=True)
def board(empty_board: None) -> None:
    notices.board.forget()


@pytest.fixture
def closed(admin: User) -> Notice:
    now = timezone.now()
    return notices.put_up(text="We move", starts_at=now, ends_at=None, closes_uploads=True, by=admin, now=now)


def send(client: Client, **headers: str):
    wishes = {"styles": ["oil"], "look": "fast"}
    return client.post("/photos/", {"photos": makers.upload("a.jpg", makers.jpeg()), **wishes}, headers=headers)


@pytest.mark.parametrize("path", ["/", "/accounts/login/", "/nowhere/"])
def test_visitors_see_the_banner_on_every_page(closed: Notice, path: str):
    assert "We move" in Client().get(path).content.decode()


def test_people_see_the_banner(closed: Notice, as_alice: Client):
    assert "We move" in as_alice.get("/history/").content.decode()


def test_text_of_a_notice_is_no_markup(admin: User, as_alice: Client):
    now = timezone.now()
    notices.put_up(text="<b>x</b>", starts_at=now, ends_at=None, closes_uploads=False, by=admin, now=now)

    assert "&lt;b&gt;x&lt;/b&gt;" in as_alice.get("/").content.decode()


def test_script_is_told_that_uploads_are_closed(closed: Notice, as_alice: Client):
    response = send(as_alice, Accept="application/json")

    assert (response.status_code, response.headers["Retry-After"]) == (503, "300")
    assert response.json() == {"text": CLOSED}
    assert (Photo.objects.count(), Source.objects.count()) == (0, 0)


def test_person_without_scripts_is_told_that_uploads_are_closed(closed: Notice, as_alice: Client):
    response = send(as_alice, Accept="text/html")

    assert (response.status_code, response.headers["Retry-After"]) == (503, "300")
    assert CLOSED in response.content.decode()
    assert Photo.objects.count() == 0


def test_photos_are_taken_again_when_the_notice_is_down(closed: Notice, admin: User, as_alice: Client):
    notices.take_down(closed, by=admin, now=timezone.now())

    response = send(as_alice, Accept="application/json")

    assert (response.status_code, Photo.objects.count()) == (200, 1)


def test_other_forms_work_while_uploads_are_closed(closed: Notice, as_alice: Client, alice: User):
    as_alice.post("/theme/", {"theme": "dark"})

    alice.refresh_from_db()
    assert alice.theme == "dark"


def test_notice_is_put_up_at_once(as_admin: Client, admin: User):
    response = as_admin.post(PAGE, {"text": "Tea at five", "closes_uploads": "on"}, follow=True)

    notice = Notice.objects.get()
    assert (notice.text, notice.closes_uploads, notice.ends_at) == ("Tea at five", True, None)
    assert notice.is_shown(now=timezone.now())
    assert response.context["shown"] == [(notice, True)]
    assert AuditEntry.objects.get().actor == admin


def test_notice_is_put_up_for_later_by_the_persons_clock(as_admin: Client):
    as_admin.cookies["zone"] = "Asia/Shanghai"

    as_admin.post(PAGE, {"text": "Tea", "starts_at": "2099-05-03T17:00", "ends_at": "2099-05-03T18:00"})

    notice = Notice.objects.get()
    assert notice.starts_at == datetime(2099, 5, 3, 9, tzinfo=UTC)
    assert notice.ends_at == datetime(2099, 5, 3, 10, tzinfo=UTC)


@pytest.mark.parametrize(
    ("sent", "field"),
    [
        ({"text": ""}, "text"),
        ({"text": "x" * 301}, "text"),
        ({"text": "x", "starts_at": "soon"}, "starts_at"),
        ({"text": "x", "ends_at": "2020-01-01T12:00"}, "ends_at"),
        ({"text": "x", "starts_at": "2099-01-02T12:00", "ends_at": "2099-01-01T12:00"}, "ends_at"),
    ],
)
def test_notice_that_cannot_be_is_refused(as_admin: Client, sent: dict[str, str], field: str):
    response = as_admin.post(PAGE, sent)

    assert list(response.context["form"].errors) == [field]
    assert Notice.objects.count() == 0


def test_notice_is_taken_down(closed: Notice, as_admin: Client):
    as_admin.post(f"{PAGE}{closed.pk}/end/")

    closed.refresh_from_db()
    assert closed.ends_at is not None
    assert closed.ends_at - timezone.now() < timedelta(seconds=5)
    assert "We move" not in as_admin.get("/history/").content.decode()


@pytest.mark.parametrize("permission", ["", "view_notice", "add_notice"])
def test_staff_without_permission_find_nothing(closed: Notice, staff: User, permission: str):
    staff.user_permissions.set(Permission.objects.filter(codename=permission))
    browser = makers.browser(staff)

    got = [browser.get(PAGE), browser.post(PAGE, {"text": "x"}), browser.post(f"{PAGE}{closed.pk}/end/")]

    assert [each.status_code for each in got] == [404, 404, 404]
    assert list(Notice.objects.values_list("text", "ends_at")) == [("We move", None)]


def test_staff_with_permission_put_notices_up(staff: User):
    staff.user_permissions.set(Permission.objects.filter(codename="change_notice"))

    response = makers.browser(staff).post(PAGE, {"text": "x"})

    assert (response.status_code, Notice.objects.count()) == (302, 1)


def test_person_with_permission_who_is_no_staff_finds_nothing(alice: User):
    alice.user_permissions.set(Permission.objects.filter(codename="change_notice"))

    assert makers.browser(alice).get(PAGE).status_code == 404
