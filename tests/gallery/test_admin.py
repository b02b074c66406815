"""The admin of people and their albums."""

from datetime import timedelta
from pathlib import Path

import pytest
from django.contrib.admin import site
from django.contrib.auth.models import Group, Permission
from django.test import Client, RequestFactory
from django.urls import reverse
from django.utils import timezone
from pytest_django import DjangoAssertNumQueries
from pytest_django import DjangoCaptureOnCommitCallbacks as Committing

from gallery import accounts, audit, notices, shares
from gallery.admin import AuditedAdmin
from gallery.models import Allowance, Artwork, AuditEntry, Notice, Photo, User
from rendering import lifetimes
from rendering.models import Rendition, Source, State
from tests import makers
from tests.makers import NOON, PASSWORD
from tests.processes import Valkey

LISTS = {"user": 7, "photo": 8, "artwork": 9, "invitation": 5, "allowance": 5, "share": 5, "notice": 7, "auditentry": 8}
NO_ALLOWANCE = {"allowance-TOTAL_FORMS": "0", "allowance-INITIAL_FORMS": "0"}


def changelist(name: str) -> str:
    return reverse(f"admin:gallery_{name}_changelist")


@pytest.mark.parametrize(("name", "queries"), LISTS.items())
@pytest.mark.parametrize("count", [1, 3])
def test_lists_ask_a_constant_number_of_queries(
    as_admin: Client,
    admin: User,
    name: str,
    queries: int,
    count: int,
    django_assert_num_queries: DjangoAssertNumQueries,
):
    for number in range(count):
        makers.artwork(makers.photo(makers.person(f"person{number}")))
        accounts.invite(by=admin, note="", now=NOON)
        Notice.objects.create(text="Tea", starts_at=NOON)
        audit.note(by=admin, action="test", now=NOON)

    with django_assert_num_queries(queries):
        response = as_admin.get(changelist(name))

    assert response.status_code == 200


@pytest.mark.parametrize("name", LISTS)
def test_lists_can_be_searched(as_admin: Client, alice: User, name: str):
    makers.artwork(makers.photo(alice))

    assert as_admin.get(changelist(name), {"q": "alice"}).status_code == 200


@pytest.mark.parametrize(
    ("filters", "found"),
    [({"stage": "waiting"}, 1), ({"stage": "done"}, 2), ({"how": "same_file"}, 1), ({"stage": "odd", "how": "odd"}, 3)],
)
def test_artworks_are_filtered_by_what_people_are_told(
    as_admin: Client, alice: User, filters: dict[str, str], found: int
):
    photo = makers.photo(alice)
    makers.artwork(photo)
    makers.artwork(photo, style="pencil", state=State.WAITING)
    makers.artwork(photo, style="watercolor", same_file=True)

    response = as_admin.get(changelist("artwork"), filters)

    assert response.context["cl"].result_count == found


def test_artworks_are_not_edited(as_admin: Client, alice: User):
    artwork = makers.artwork(makers.photo(alice))
    path = reverse("admin:gallery_artwork_change", args=[artwork.pk])

    shown, edited = as_admin.get(path).status_code, as_admin.post(path, {"style": "fresco"}).status_code

    assert (shown, edited) == (200, 403)


@pytest.mark.parametrize("name", ["photo", "artwork", "invitation", "share", "auditentry"])
def test_only_people_are_added_here(as_admin: Client, name: str):
    assert as_admin.get(reverse(f"admin:gallery_{name}_add")).status_code == 403


def test_only_the_title_of_a_photo_is_edited(as_admin: Client, alice: User, bob: User):
    photo = makers.photo(alice)

    as_admin.post(reverse("admin:gallery_photo_change", args=[photo.pk]), {"title": "Kestrel", "owner": bob.pk})

    photo.refresh_from_db()
    assert (photo.title, photo.owner) == ("Kestrel", alice)


def test_person_is_added_and_changed(as_admin: Client):
    new = {"username": "dora", "password1": PASSWORD, "password2": PASSWORD, "usable_password": "true"}
    as_admin.post(reverse("admin:gallery_user_add"), new)
    dora = User.objects.get(username="dora")
    changed = {"username": "dora", "theme": "dark", "look": "fast", "styles": '["oil"]', "is_active": "on"}
    dates = {"date_joined_0": "2026-05-03", "date_joined_1": "12:00:00"}

    as_admin.post(reverse("admin:gallery_user_change", args=[dora.pk]), {**changed, **dates, **NO_ALLOWANCE})

    dora.refresh_from_db()
    assert (dora.check_password(PASSWORD), dora.theme, dora.styles) == (True, "dark", ["oil"])


@pytest.mark.parametrize("whose", ["person", "group"])
def test_allowances_are_given_with_people_and_groups(as_admin: Client, alice: User, whose: str):
    friends = Group.objects.create(name="friends")
    facts = {"username": "alice", "theme": "auto", "look": "fast", "styles": '["oil"]', "is_active": "on"}
    dates = {"date_joined_0": "2026-05-03", "date_joined_1": "12:00:00"}
    allowed = {"allowance-0-paintings_an_hour": "0", "allowance-0-megabytes": "500"}
    forms = {"allowance-TOTAL_FORMS": "1", "allowance-INITIAL_FORMS": "0"}
    person = reverse("admin:gallery_user_change", args=[alice.pk])
    path = person if whose == "person" else reverse("admin:auth_group_change", args=[friends.pk])

    response = as_admin.post(path, {**facts, **dates, **forms, **allowed, "name": "friends"})

    given = Allowance.objects.get()
    assert response.status_code == 302
    assert str(given) == str(alice if whose == "person" else friends)
    figures = (given.paintings_an_hour, given.uploads_an_hour, given.megabytes, given.unlimited)
    assert figures == (0, None, 500, False)


def test_allowance_is_of_a_person_or_a_group(as_admin: Client, alice: User):
    response = as_admin.post(reverse("admin:gallery_allowance_add"), {"paintings_an_hour": "7"})

    assert response.context["adminform"].form.non_field_errors() == ["Choose a person or a group, not both."]


def test_name_that_is_taken_in_another_case_is_refused(as_admin: Client, alice: User, bob: User):
    path = reverse("admin:gallery_user_change", args=[bob.pk])
    sent = {"username": "ALICE", "theme": "auto", "look": "fast", "styles": "[]"}

    dates = {"date_joined_0": "2026-05-03", "date_joined_1": "12:00:00"}

    response = as_admin.post(path, {**sent, **dates, **NO_ALLOWANCE})

    assert response.context["adminform"].form.non_field_errors() == ["A user with that username already exists."]


DELETED = {
    "user": lambda artwork: artwork.photo.owner.pk,
    "photo": lambda artwork: artwork.photo.pk,
    "artwork": lambda artwork: artwork.pk,
}


@pytest.mark.parametrize("name", DELETED)
@pytest.mark.parametrize("how", ["one", "many"])
def test_deleting_here_leaves_no_files_behind(
    as_admin: Client, alice: User, media: Path, name: str, how: str, django_capture_on_commit_callbacks: Committing
):
    artwork = makers.artwork(makers.photo(alice))
    pk = DELETED[name](artwork)
    one = (reverse(f"admin:gallery_{name}_delete", args=[pk]), {"post": "yes"})
    many = (changelist(name), {"action": "delete_selected", "_selected_action": pk, "post": "yes"})

    with django_capture_on_commit_callbacks(execute=True):
        as_admin.post(*(one if how == "one" else many))
        # What nobody's history holds any more is kept for an hour, in case it is asked for again.
        lifetimes.evict(now=timezone.now() + timedelta(hours=2))

    left = sorted(path.relative_to(media).parts[0] for path in media.rglob("*") if path.is_file())
    assert (Artwork.objects.count(), Rendition.objects.count()) == (0, 0)
    assert left == (["originals", "photos", "photos"] if name == "artwork" else [])
    assert (Photo.objects.count(), Source.objects.count()) == ((1, 1) if name == "artwork" else (0, 0))


def test_shares_are_ended_here_and_neither_made_nor_changed(as_admin: Client, admin: User, alice: User):
    share = shares.create(owner=alice, photos=[makers.photo(alice)], terms=shares.Terms(password="x"), now=NOON)
    change, add = reverse("admin:gallery_share_change", args=[share.pk]), reverse("admin:gallery_share_add")
    shown = as_admin.get(change).content.decode()

    as_admin.post(changelist("share"), {"action": "revoke", "_selected_action": share.pk})

    assert [secret in shown for secret in (share.key, share.password)] == [False, False]
    assert (as_admin.get(add).status_code, as_admin.post(change, {"title": "x"}).status_code) == (403, 403)
    assert shares.find(share.key, now=NOON) is None
    entry = AuditEntry.objects.get()
    assert (entry.actor, entry.action, entry.subject) == (admin, "share.end", "alice")


@pytest.fixture
def as_clerk(staff: User) -> Client:
    """Return the browser of a staff member who may change and delete people."""
    staff.user_permissions.set(Permission.objects.filter(codename__in=["view_user", "change_user", "delete_user"]))
    return makers.browser(staff)


def test_staff_cannot_make_themselves_admins(as_clerk: Client, staff: User):
    path = reverse("admin:gallery_user_change", args=[staff.pk])
    sent = {"username": "stella", "theme": "dark", "look": "fast", "styles": '["oil"]', "is_superuser": "on"}

    as_clerk.post(path, {**sent, "is_active": "on", "date_joined_0": "2026-05-03", "date_joined_1": "12:00:00"})

    staff.refresh_from_db()
    assert (staff.theme, staff.is_superuser, staff.is_staff) == ("dark", False, True)


def test_staff_cannot_change_or_delete_admins(as_clerk: Client, admin: User):
    change, delete, password = (
        reverse(f"admin:{name}", args=[admin.pk])
        for name in ("gallery_user_change", "gallery_user_delete", "auth_user_password_change")
    )

    got = [as_clerk.post(path, {"username": "x"}).status_code for path in (change, delete, password)]

    assert got == [403, 403, 403]


def test_staff_cannot_delete_admins_among_many(as_clerk: Client, admin: User):
    sent = {"action": "delete_selected", "_selected_action": admin.pk, "post": "yes"}

    as_clerk.post(changelist("user"), sent)

    assert User.objects.filter(pk=admin.pk).exists()


def test_last_admin_cannot_be_deleted(as_admin: Client, admin: User):
    path = reverse("admin:gallery_user_delete", args=[admin.pk])

    assert as_admin.post(path, {"post": "yes"}).status_code == 403


def test_last_admins_cannot_all_be_deleted_at_once(as_admin: Client, admin: User):
    other = makers.person("eve", is_staff=True, is_superuser=True)
    sent = {"action": "delete_selected", "_selected_action": [admin.pk, other.pk], "post": "yes"}

    as_admin.post(changelist("user"), sent)

    assert User.objects.filter(is_superuser=True).count() == 1


def test_password_of_another_is_given_by_superusers_alone(as_clerk: Client, as_admin: Client, alice: User):
    path = reverse("admin:auth_user_password_change", args=[alice.pk])
    sent = {"password1": PASSWORD, "password2": PASSWORD, "usable_password": "true"}

    refused = as_clerk.post(path, sent).status_code
    before = User.objects.get(pk=alice.pk).has_usable_password()
    as_admin.post(path, sent)

    assert (refused, before) == (403, alice.has_usable_password())
    assert User.objects.get(pk=alice.pk).check_password(PASSWORD)


def test_staff_cannot_have_anothers_mail_sent_to_themselves(as_clerk: Client, alice: User):
    path = reverse("admin:gallery_user_change", args=[alice.pk])
    sent = {"username": "eve", "email": "eve@example.org", "theme": "dark", "look": "fast", "styles": '["oil"]'}

    as_clerk.post(path, {**sent, "date_joined_0": "2026-05-03", "date_joined_1": "12:00:00"})

    alice.refresh_from_db()
    assert (alice.theme, alice.username, alice.email, alice.is_active) == ("dark", "alice", "", True)


def written() -> list[tuple[str, str, str]]:
    return list(AuditEntry.objects.order_by("pk").values_list("actor_name", "action", "subject"))


@pytest.mark.parametrize(
    ("action", "facts", "active", "entry"),
    [
        ("switch_off", {}, False, "person.disable"),
        ("switch_on", {"is_active": False}, True, "person.enable"),
        ("let_in", {"is_active": False, "awaits_approval": True}, True, "person.approve"),
    ],
)
def test_accounts_are_switched_and_let_in(
    as_clerk: Client, admin: User, action: str, facts: dict[str, bool], active: bool, entry: str
):
    person, clerk = User.objects.create(username="paul", **facts), User.objects.get(username="stella")
    sent = {"action": action, "_selected_action": [person.pk, admin.pk, clerk.pk]}

    response = as_clerk.post(changelist("user"), sent, follow=True)

    assert [str(message) for message in response.context["messages"]] == ["1 account was changed."]
    assert User.objects.get(pk=person.pk).is_active == active
    assert written() == [("stella", entry, "paul")]
    assert User.objects.filter(pk__in=[admin.pk, clerk.pk], is_active=True).count() == 2


def test_what_is_changed_and_deleted_here_is_in_the_audit_log(as_admin: Client, alice: User):
    photo = makers.photo(alice)
    as_admin.post(reverse("admin:gallery_photo_change", args=[photo.pk]), {"title": "Kestrel"})

    as_admin.post(reverse("admin:gallery_photo_delete", args=[photo.pk]), {"post": "yes"})

    assert written() == [
        ("ada", "photo.change", f"Kestrel ({photo.pk})"),
        ("ada", "photo.delete", f"Kestrel ({photo.pk})"),
    ]


def test_audit_log_is_neither_changed_nor_deleted(as_admin: Client, admin: User):
    entry = audit.note(by=admin, action="test", now=NOON)
    change, delete = (reverse(f"admin:gallery_auditentry_{verb}", args=[entry.pk]) for verb in ("change", "delete"))

    shown, changed, deleted = as_admin.get(change), as_admin.post(change, {}), as_admin.post(delete, {"post": "yes"})

    assert [each.status_code for each in (shown, changed, deleted)] == [200, 403, 403]
    assert AuditEntry.objects.count() == 1


def picture(name: str, pk: int) -> str:
    return reverse(f"admin:gallery_{name}_picture", args=[pk])


@pytest.mark.parametrize("name", ["photo", "artwork"])
def test_picture_is_shown_on_its_own_page_and_each_look_is_written_down(as_admin: Client, alice: User, name: str):
    artwork = makers.artwork(makers.photo(alice))
    pk = artwork.pk if name == "artwork" else artwork.photo.pk
    page = as_admin.get(reverse(f"admin:gallery_{name}_change", args=[pk]))

    response = as_admin.get(picture(name, pk))

    assert f'<img src="{picture(name, pk)}" width="64" height="48" alt="">' in page.content.decode()
    assert (response.status_code, response.headers["Content-Type"]) == (200, "image/jpeg")
    assert [(who, action) for who, action, _ in written()] == [("ada", f"{name}.look")]


@pytest.mark.parametrize("name", ["photo", "artwork"])
def test_lists_show_no_pictures_of_others(as_admin: Client, alice: User, name: str):
    makers.artwork(makers.photo(alice))

    assert "picture.jpg" not in as_admin.get(changelist(name)).content.decode()


@pytest.mark.parametrize("name", ["photo", "artwork"])
def test_staff_without_permission_see_no_picture(as_clerk: Client, as_alice: Client, bob: User, name: str):
    artwork = makers.artwork(makers.photo(bob))
    path = picture(name, artwork.pk if name == "artwork" else artwork.photo.pk)

    got = [as_clerk.get(path).status_code, as_alice.get(path).status_code, Client().get(path).status_code]

    assert got == [403, 302, 302]
    assert written() == []


def test_picture_that_is_not_there_is_not_found(as_admin: Client, alice: User):
    waiting = makers.artwork(makers.photo(alice), state=State.WAITING)

    assert [as_admin.get(picture("artwork", pk)).status_code for pk in (waiting.pk, waiting.pk + 1)] == [404, 404]


def test_changed_notice_is_shown_at_once_and_written_down(as_admin: Client):
    sent = {"text": "Tea at five", "starts_at_0": "2026-05-03", "starts_at_1": "12:00:00"}

    as_admin.post(reverse("admin:gallery_notice_add"), sent)

    assert [str(notice) for notice in notices.standing(now=timezone.now())] == ["Tea at five"]
    assert [action for _, action, _ in written()] == ["notice.add"]


@pytest.mark.parametrize("action", ["try_again", "stop"])
def test_what_staff_do_with_work_is_in_the_audit_log(
    as_admin: Client, admin: User, alice: User, valkey: Valkey, action: str
):
    state = State.FAILED if action == "try_again" else State.WAITING
    rendition = makers.artwork(makers.photo(alice), state=state).rendition
    assert rendition
    sent = {"action": action, "_selected_action": [rendition.pk]}

    as_admin.post(reverse("admin:rendering_rendition_changelist"), sent)

    [entry] = AuditEntry.objects.all()
    assert (entry.actor, entry.action, entry.subject) == (admin, "rendition.change", f"{rendition} ({rendition.pk})")
    assert entry.facts == {"message": {"try_again": "painted again", "stop": "stopped"}[action]}


def test_everything_that_can_be_changed_here_is_written_down(admin: User, rf: RequestFactory):
    """Whoever adds a model to the admin either lets nobody touch it or has it audited."""
    request = rf.get("/admin/")
    request.user = admin
    untold = []
    for model, shown in site._registry.items():
        may = [shown.has_add_permission(request), shown.has_change_permission(request)]
        touches = any([*may, shown.has_delete_permission(request), *(shown.actions or ())])
        if touches and not isinstance(shown, AuditedAdmin):
            untold.append(model.__name__)

    assert untold == []
