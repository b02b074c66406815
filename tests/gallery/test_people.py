"""People as staff see them, and what staff do about them."""

import pytest
from django.contrib.auth.models import Group
from django.utils import timezone
from pytest_django import DjangoAssertNumQueries, Settings

from gallery import accounts, allowances, people
from gallery.models import Allowance, AuditEntry, Invitation, User
from gallery.people import NotTheirs, Preset, Role, Standing
from tests import makers
from tests.makers import NOON

NO_LIMITS: dict[str, int | None] = dict.fromkeys(people.LIMITS)


def written() -> list[tuple[str, str, str, str]]:
    return list(AuditEntry.objects.order_by("pk").values_list("actor_name", "action", "subject", "reason"))


@pytest.fixture
def waiting(db: None) -> User:
    return makers.person("walter", is_active=False, awaits_approval=True)


@pytest.mark.parametrize("count", [1, 3])
def test_list_asks_a_constant_number_of_queries(
    staff: User, count: int, django_assert_num_queries: DjangoAssertNumQueries
):
    for number in range(count):
        person = makers.person(f"person{number}")
        makers.finished_photo(person)
        people.allow(person, preset=Preset.GUEST, limits=NO_LIMITS, by=staff, reason="", now=NOON)

    with django_assert_num_queries(3):
        found = people.facts_of(people.everybody())

    assert len(found) == count + 1


def test_list_tells_what_each_keeps(alice: User, bob: User):
    first, second = makers.finished_photo(alice), makers.photo(alice, title="Other")
    kept = sum(source.size + source.stored_bytes for source in (first.source, second.source))

    found = {str(facts.person): facts for facts in people.facts_of(people.everybody())}

    assert (found["alice"].photos, found["alice"].paintings, found["alice"].bytes) == (2, 4, kept)
    assert found["alice"].storage.used == first.source.size + second.source.size
    assert (found["bob"].photos, found["bob"].paintings, found["bob"].bytes) == (0, 0, 0)


def test_list_tells_the_limit_of_each(alice: User, bob: User, admin: User, settings: Settings):
    settings.MEGABYTES_A_PERSON = 70
    people.allow(bob, preset=Preset.STUDIO, limits=NO_LIMITS, by=admin, reason="", now=NOON)

    found = {str(facts.person): facts.storage.limit for facts in people.facts_of(people.everybody())}

    assert found == {"ada": 0, "alice": 70_000_000, "bob": 200_000_000_000}


@pytest.mark.parametrize(
    ("asked", "found"),
    [
        ({}, ["ada", "alice", "bob", "olaf", "walter"]),
        ({"words": "AL"}, ["alice", "walter"]),
        ({"words": "al example"}, ["alice"]),
        ({"words": "nobody"}, []),
        ({"standing": "active"}, ["alice", "bob"]),
        ({"standing": "waiting"}, ["walter"]),
        ({"standing": "off"}, ["olaf"]),
        ({"standing": "staff"}, ["ada"]),
        ({"standing": "odd", "words": "bob"}, ["bob"]),
    ],
)
def test_people_are_found(alice: User, bob: User, admin: User, waiting: User, asked: dict[str, str], found: list[str]):
    makers.person("olaf", is_active=False)
    User.objects.filter(pk=alice.pk).update(email="a@example.org")

    assert [person.username for person in people.everybody(**asked)] == found


def test_everybody_stands_somehow(alice: User, admin: User, waiting: User):
    off = makers.person("olaf", is_active=False)

    standings = [people.standing_of(person) for person in (alice, admin, waiting, off)]

    assert standings == [Standing.ACTIVE, Standing.STAFF, Standing.WAITING, Standing.OFF]


def test_person_who_waits_is_let_in_once(waiting: User, staff: User):
    done = [people.approve(waiting, by=staff, reason="a friend", now=NOON) for _ in range(2)]

    waiting.refresh_from_db()
    assert (done, waiting.is_active, waiting.awaits_approval) == ([True, False], True, False)
    assert written() == [("stella", "person.approve", "walter", "a friend")]


def test_person_who_waits_is_not_let_in(waiting: User, staff: User):
    done = people.refuse(waiting, by=staff, reason="Who is that?", now=NOON)

    assert (done, User.objects.filter(username="walter").exists()) == (True, False)
    assert written() == [("stella", "person.refuse", "walter", "Who is that?")]


def test_person_who_is_in_is_not_refused(alice: User, staff: User):
    makers.finished_photo(alice)

    assert people.refuse(alice, by=staff, reason="", now=NOON) is False
    assert (alice.photos.count(), written()) == (1, [])


def test_account_is_switched_off_and_on(alice: User, staff: User):
    makers.finished_photo(alice)
    browser = makers.browser(alice)

    off = [people.disable(alice, by=staff, reason="Spam", now=NOON) for _ in range(2)]
    out = browser.get("/history/")
    on = [people.enable(alice, by=staff, reason="Sorry", now=NOON) for _ in range(2)]

    assert (off, on, out.status_code) == ([True, False], [True, False], 302)
    assert User.objects.get(username="alice").is_active
    assert alice.photos.count() == 1
    assert written() == [
        ("stella", "person.disable", "alice", "Spam"),
        ("stella", "person.enable", "alice", "Sorry"),
    ]


def test_person_who_waits_is_not_switched_on_past_the_approval(waiting: User, staff: User):
    assert people.enable(waiting, by=staff, reason="", now=NOON) is False


ACTS = {
    "approve": lambda person, by: people.approve(person, by=by, now=NOON),
    "refuse": lambda person, by: people.refuse(person, by=by, reason="", now=NOON),
    "disable": lambda person, by: people.disable(person, by=by, reason="", now=NOON),
    "enable": lambda person, by: people.enable(person, by=by, reason="", now=NOON),
    "allow": lambda person, by: people.allow(
        person, preset=Preset.STUDIO, limits=NO_LIMITS, by=by, reason="", now=NOON
    ),
    "give_role": lambda person, by: people.give_role(person, role=Role.MANAGER, by=by, reason="", now=NOON),
}


@pytest.mark.parametrize("act", ACTS)
@pytest.mark.parametrize("whom", ["stella", "ada", "sven"])
def test_staff_act_neither_on_themselves_nor_on_staff(staff: User, admin: User, act: str, whom: str):
    makers.person("sven", is_staff=True)

    with pytest.raises(NotTheirs):
        ACTS[act](User.objects.get(username=whom), staff)

    assert written() == []


@pytest.mark.parametrize("act", ACTS)
def test_admins_do_not_act_on_themselves(admin: User, act: str):
    with pytest.raises(NotTheirs):
        ACTS[act](admin, admin)


def test_preset_gives_the_allowance_of_its_group(alice: User, staff: User):
    people.allow(alice, preset=Preset.GUEST, limits=NO_LIMITS, by=staff, reason="A visitor", now=NOON)

    allowed = allowances.allowed_to(alice)
    assert (allowed.paintings_an_hour, allowed.uploads_an_hour, allowed.megabytes) == (100, 25, 1000)
    assert people.preset_of(alice) == Preset.GUEST
    assert AuditEntry.objects.get().facts == {"preset": "guest", **NO_LIMITS}


def test_another_preset_takes_the_place_of_the_first(alice: User, staff: User):
    alice.groups.add(Group.objects.create(name="choir"))
    for preset in (Preset.GUEST, Preset.STUDIO, Preset.MEMBER):
        people.allow(alice, preset=preset, limits=NO_LIMITS, by=staff, reason="", now=NOON)

    assert set(alice.groups.values_list("name", flat=True)) == {"choir", "member"}


def test_figures_of_a_preset_that_were_changed_stay(alice: User, bob: User, staff: User):
    people.allow(alice, preset=Preset.GUEST, limits=NO_LIMITS, by=staff, reason="", now=NOON)
    Allowance.objects.filter(group__name="guest").update(megabytes=5)

    people.allow(bob, preset=Preset.GUEST, limits=NO_LIMITS, by=staff, reason="", now=NOON)

    assert allowances.allowed_to(bob).megabytes == 5


def test_own_limits_count_before_the_preset_until_they_are_taken_back(alice: User, staff: User):
    own = {**NO_LIMITS, "megabytes": 7, "uploads_an_hour": 0}
    people.allow(alice, preset=Preset.GUEST, limits=own, by=staff, reason="", now=NOON)
    before = allowances.allowed_to(alice)

    people.allow(alice, preset=Preset.GUEST, limits=NO_LIMITS, by=staff, reason="", now=NOON)

    assert (before.megabytes, before.uploads_an_hour, before.paintings_an_hour) == (7, 0, 100)
    assert allowances.allowed_to(alice).megabytes == 1000


@pytest.mark.parametrize(
    ("role", "may", "may_not"),
    [
        (Role.HELPER, ["see_desk", "manage_jobs"], ["view_user", "change_notice", "pause_painting"]),
        (Role.MANAGER, ["see_desk", "change_user", "add_invitation", "change_notice"], ["delete_user", "view_photo"]),
    ],
)
def test_role_gives_its_permissions(alice: User, admin: User, role: Role, may: list[str], may_not: list[str]):
    people.give_role(alice, role=role, by=admin, reason="New", now=NOON)

    fresh = User.objects.get(pk=alice.pk)
    assert (fresh.is_staff, fresh.is_superuser, people.role_of(fresh)) == (True, False, role)
    got = [fresh.has_perm(f"gallery.{name}") for name in (*may, *may_not)]
    assert got == [True] * len(may) + [False] * len(may_not)
    assert written() == [("ada", "person.role", "alice", "New")]


def test_role_is_taken_away(alice: User, admin: User):
    people.give_role(alice, role=Role.MANAGER, by=admin, reason="", now=NOON)

    people.give_role(alice, role=Role.NONE, by=admin, reason="", now=NOON)

    fresh = User.objects.get(pk=alice.pk)
    assert (fresh.is_staff, fresh.get_all_permissions()) == (False, set())


def test_managers_give_no_roles(alice: User, staff: User):
    with pytest.raises(NotTheirs):
        people.give_role(alice, role=Role.HELPER, by=staff, reason="", now=NOON)

    assert not User.objects.get(pk=alice.pk).is_staff


def test_invitation_is_written_down(staff: User):
    people.invite(by=staff, note="For Mum", now=timezone.now())

    assert (Invitation.objects.get().note, written()) == ("For Mum", [("stella", "person.invite", "For Mum", "")])


def test_new_person_waits_where_staff_let_people_in(alice: User, settings: Settings):
    settings.SIGN_UP = "approval"

    accounts.let_in(alice, invitation_key="", now=NOON)

    alice.refresh_from_db()
    assert (alice.is_active, alice.awaits_approval) == (False, True)


def test_invited_person_need_not_wait(alice: User, bob: User, settings: Settings):
    settings.SIGN_UP = "approval"
    invitation = accounts.invite(by=bob, note="", now=NOON)

    accounts.let_in(alice, invitation_key=invitation.key, now=NOON)

    invitation.refresh_from_db()
    assert (alice.is_active, invitation.used_by) == (True, alice)


def test_second_person_with_one_invitation_waits(alice: User, bob: User, admin: User, settings: Settings):
    settings.SIGN_UP = "approval"
    invitation = accounts.invite(by=admin, note="", now=NOON)

    for person in (alice, bob):
        accounts.let_in(person, invitation_key=invitation.key, now=NOON)

    assert (alice.awaits_approval, bob.awaits_approval) == (False, True)
