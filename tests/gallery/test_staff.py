"""Whatever staff can do is found by its address or its registration: who may do it, and that it is written down.

Who adds an address, a model of the admin or an action to one says here who may, or a test fails.
"""

import re
from collections.abc import Callable, Iterator, Mapping
from datetime import timedelta
from html.parser import HTMLParser
from itertools import count
from typing import Any

import pytest
from allauth.account.models import EmailAddress
from django.conf import settings
from django.contrib.admin import ModelAdmin, site
from django.contrib.admin.models import CHANGE, LogEntry
from django.contrib.admin.utils import label_for_field
from django.contrib.auth.models import Group, Permission
from django.contrib.contenttypes.models import ContentType
from django.db import connection
from django.db.models import Model
from django.test import Client, RequestFactory
from django.test.utils import CaptureQueriesContext
from django.urls import URLPattern, URLResolver, get_resolver, reverse
from django.utils import timezone, translation
from django_rq import get_queue
from rq.job import JobStatus

from artworkshop import queues
from artworkshop.desk import MENDS
from gallery import accounts, audit, shares
from gallery.models import Allowance, AuditEntry, Notice, Stretch, User
from rendering import queue, turns
from rendering.console import Action
from rendering.models import Export, Halt, Kind, Lane, Reason, Rendition, State
from tests import makers
from tests.makers import NOON, PASSWORD
from tests.processes import Valkey

pytestmark = pytest.mark.django_db(transaction=True)
METHODS = ("GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS")
LOOKS, POSTS, BOTH = ("GET", "HEAD"), ("POST",), ("GET", "HEAD", "POST")
MAY: Mapping[str, tuple[str, tuple[str, ...]]] = {
    "dashboard": ("see_desk", LOOKS),
    "savings": ("see_desk", LOOKS),
    "desk_figures": ("see_desk", LOOKS),
    "jobs": ("see_desk", LOOKS),
    "jobs_file": ("see_desk", LOOKS),
    "job": ("see_desk", LOOKS),
    "work": ("see_desk", LOOKS),
    "act_on_jobs": ("manage_jobs", BOTH),
    "painting": ("pause_painting", POSTS),
    "audit": ("see_desk", LOOKS),
    "audit_file": ("see_desk", LOOKS),
    "invitations": ("add_invitation", BOTH),
    "people": ("view_user", LOOKS),
    "people_file": ("view_user", LOOKS),
    "person": ("view_user", LOOKS),
    "person_standing": ("change_user", POSTS),
    "person_limits": ("change_allowance", POSTS),
    "person_role": ("change_user", POSTS),
    "notices": ("change_notice", BOTH),
    "end_notice": ("change_notice", POSTS),
    "doctor": ("view_auditentry", LOOKS),
    "mend": ("view_auditentry", POSTS),
}
"""Who may open an address of the desk, and by which methods."""
numbers = count(1)


def staff_routes() -> list[str]:
    return [str(route.name) for path, route in routes(get_resolver()) if path.startswith("staff/")]


def routes(resolver: URLResolver, before: str = "") -> Iterator[tuple[str, URLPattern]]:
    for each in resolver.url_patterns:
        path = before + str(each.pattern)
        if isinstance(each, URLResolver):
            yield from routes(each, path)
        else:
            yield path, each


@pytest.fixture(autouse=True)
def running_queue(valkey: Valkey) -> Valkey:
    return valkey


def failed_rendition(owner: User) -> Rendition:
    made = makers.artwork(makers.photo(owner), state=State.FAILED).rendition
    assert made
    return made


def address(name: str, person: User) -> str:
    """Return the address of a page of the desk, of rows that are there."""
    rendition = failed_rendition(person)
    arguments: dict[str, list[object]] = {
        "job": [rendition.pk],
        "work": ["painting", rendition.pk],
        "end_notice": [Notice.objects.create(text="Tea", starts_at=NOON).pk],
        **{name: [person.pk] for name in MAY if name == "person" or name.startswith("person_")},
    }
    asked = f"?action=retry&job={rendition.pk}" if name == "act_on_jobs" else ""
    return reverse(name, args=arguments.get(name, [])) + asked


def harmless(name: str) -> dict[str, str]:
    """Return what may be sent by everybody who may open an address."""
    sent = {"mend": {"mend": "go_on"}, "act_on_jobs": {"action": "cancel"}, "person_role": {"role": "king"}}
    return sent.get(name, {})


def test_every_address_of_the_desk_says_who_may():
    assert sorted(staff_routes()) == sorted(MAY)


@pytest.mark.parametrize("name", MAY)
def test_address_of_the_desk_is_for_staff_with_its_permission_by_its_methods(
    name: str, alice: User, bob: User, staff: User, admin: User
):
    permission, methods = MAY[name]
    others = {each for each, _ in MAY.values()} - {permission}
    outsider = makers.person("olga")
    outsider.user_permissions.set(Permission.objects.filter(codename=permission, content_type__app_label="gallery"))
    # The doctor's buttons have permissions of their own besides.
    holder = makers.staff_with(permission, *(["pause_painting"] if name == "mend" else []))
    path = address(name, makers.person("paula"))
    shut_out = [Client(), *map(makers.browser, (alice, bob, staff, outsider, makers.staff_with(*others, name="ruth")))]

    refused = {(method, each.generic(method, path).status_code) for each in shut_out for method in METHODS}
    let_in = {
        method: [
            each.post(path, harmless(name)).status_code if method == "POST" else each.generic(method, path).status_code
            for each in map(makers.browser, (holder, admin))
        ]
        for method in METHODS
    }

    assert refused == {(method, 404) for method in METHODS}
    assert {method for method, codes in let_in.items() if codes != [405, 405]} == set(methods)
    assert {code for method in methods for code in let_in[method]} <= {200, 302}


Deed = tuple[str, dict[str, object]]


def of_console(owner: User, kind: Kind, action: Action) -> Deed:
    state = State.FAILED if action == Action.RETRY else State.WAITING
    if kind == Kind.READING:
        pk = makers.photo(owner, of=makers.source(state=state, reason=Reason.STORAGE)).source_id
        return reverse("act_on_jobs"), {"kind": kind, "action": action, "job": pk}
    work = makers.artwork(makers.photo(owner), state=state if kind == Kind.PAINTING else State.DONE).rendition
    assert work
    facts = {"format": "png", "intensity": 100, "used_at": NOON, "waiting_since": NOON, "state": state}
    pk = Export.objects.create(rendition=work, **facts).pk if kind == Kind.SAVING else work.pk
    return reverse("act_on_jobs"), {"kind": kind if kind != Kind.PAINTING else "", "action": action, "job": pk}


def of_person(page: str, sent: dict[str, object], **facts: bool) -> Deed:
    return reverse(page, args=[User.objects.create(username=f"person-{next(numbers)}", **facts).pk]), sent


def of_notice(_owner: User) -> Deed:
    return reverse("end_notice", args=[Notice.objects.create(text="Tea", starts_at=NOON).pk]), {}


WAITS = {"awaits_approval": True, "is_active": False}
DEEDS: dict[str, list[Callable[[User], Deed]]] = {
    "act_on_jobs": [
        lambda owner, kind=kind, action=action: of_console(owner, kind, action)  # type: ignore[misc]  # of each pair
        for kind in Kind
        for action in Action
    ],
    "painting": [
        lambda _: (reverse("painting"), {"rest": "1"}),
        lambda _: (reverse("painting"), {"rest": "1", "worker": "easel-1"}),
        lambda _: (reverse("painting"), {}),
    ],
    "invitations": [lambda _: (reverse("invitations"), {"note": "for Nora"})],
    "person_standing": [
        lambda _: of_person("person_standing", {"action": "approve"}, **WAITS),
        lambda _: of_person("person_standing", {"action": "refuse"}, **WAITS),
        lambda _: of_person("person_standing", {"action": "disable"}),
        lambda _: of_person("person_standing", {"action": "enable"}, is_active=False),
    ],
    "person_limits": [lambda _: of_person("person_limits", {"preset": "guest", "megabytes": "5"})],
    "person_role": [lambda _: of_person("person_role", {"role": "helper"})],
    "notices": [lambda _: (reverse("notices"), {"text": "Tea at five"})],
    "end_notice": [of_notice],
    "mend": [lambda _, mend=mend: (reverse("mend"), {"mend": mend}) for mend in MENDS],  # type: ignore[misc]  # of each
}
"""Everything that can be done at an address of the desk."""


def test_every_address_that_is_posted_to_has_its_deeds_here():
    assert set(DEEDS) == {name for name, (_, methods) in MAY.items() if "POST" in methods}


@pytest.mark.parametrize(("name", "place"), [(name, place) for name in DEEDS for place in range(len(DEEDS[name]))])
def test_whatever_is_done_at_the_desk_is_written_down_once(name: str, place: int, alice: User, admin: User):
    path, sent = DEEDS[name][place](alice)

    answer = makers.browser(admin).post(path, sent)

    assert answer.status_code == 302
    assert [entry.actor for entry in AuditEntry.objects.all()] == [admin]


def test_whatever_is_done_with_the_raw_queue_is_written_down(as_admin: Client, admin: User):
    told: dict[str, list[str]] = {}

    for route in queues.pages:
        queue.wake()
        [job] = get_queue(settings.QUEUE).job_ids
        path = re.sub("<str:job_id>", job, str(route.pattern).replace("<int:queue_index>", "0"))
        if "<" not in path:
            if route.name == "requeue_job":
                fail(job)
            as_admin.post(f"/admin/queues/{path}", {"action": "delete", "job_ids": [job]})
            told[str(route.name)] = list(AuditEntry.objects.values_list("action", flat=True))
        AuditEntry.objects.all().delete()
        get_queue(settings.QUEUE).empty()

    assert {"clear", "requeue_all", "delete_job", "requeue_job", "enqueue_job", "stop_job", "actions"} <= set(told)
    assert told == {name: [] if name in queues.CHANGES_NOTHING else [f"queue.{name}"] for name in told}


def fail(name: str) -> None:
    """Have a job of the queue end as failed ones do: no other is tried again there."""
    job = get_queue(settings.QUEUE).fetch_job(name)
    assert job
    get_queue(settings.QUEUE).failed_job_registry.add(job, ttl=60)
    job.set_status(JobStatus.FAILED)


class Form(HTMLParser):
    """What a browser would send of a page's form."""

    def __init__(self, page: str) -> None:
        super().__init__()
        self.sent: dict[str, list[str]] = {}
        self._name = ""
        self.feed(page)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        facts = dict(attrs)
        if tag in ("select", "textarea"):
            self._name = facts.get("name") or ""
        if tag == "option" and "selected" in facts:
            self.sent.setdefault(self._name, []).append(facts.get("value") or "")
        ticked = facts.get("type") not in ("checkbox", "radio") or "checked" in facts
        if tag == "input" and facts.get("name") and facts.get("type") not in ("submit", "file") and ticked:
            self.sent.setdefault(str(facts["name"]), []).append(facts.get("value") or "")

    def handle_endtag(self, tag: str) -> None:
        if tag in ("select", "textarea"):
            self._name = ""

    def handle_data(self, data: str) -> None:
        if self._name and self.lasttag == "textarea":
            self.sent[self._name] = [data.removeprefix("\n")]


def export() -> Export:
    facts = {"format": "png", "intensity": 100, "used_at": NOON, "waiting_since": NOON}
    return Export.objects.create(rendition=makers.rendition(), **facts)


def somebody(**facts: bool) -> User:
    return User.objects.create(username=f"person-{next(numbers)}", **facts)


def email() -> EmailAddress:
    person = somebody()
    return EmailAddress.objects.create(user=person, email=f"{person.pk}@example.org")


def log_entry() -> LogEntry:
    of = ContentType.objects.get_for_model(User)
    return LogEntry.objects.create(user=somebody(), content_type=of, object_repr="x", action_flag=CHANGE)


def stretch() -> Stretch:
    begins = NOON + timedelta(hours=next(numbers))
    return Stretch.objects.create(begins=begins, ends=begins, daily=False, sums={}, summed_at=NOON)


ROWS: dict[str, Callable[[], Model]] = {
    "rendering.Source": lambda: makers.photo(somebody(), of=makers.source(state=State.FAILED)).source,
    "rendering.Rendition": lambda: failed_rendition(somebody()),
    "rendering.Commission": lambda: makers.commission(makers.source(), painting=makers.rendition()),
    "rendering.Export": export,
    "rendering.Lane": lambda: Lane.objects.create(name=f"person-{next(numbers)}", served_at=NOON),
    "rendering.Halt": lambda: Halt.objects.create(worker=f"easel-{next(numbers)}", since=NOON),
    "gallery.Allowance": lambda: Allowance.objects.create(person=somebody()),
    "auth.Group": lambda: Group.objects.create(name=f"group {next(numbers)}"),
    "gallery.User": somebody,
    "gallery.Photo": lambda: makers.photo(somebody()),
    "gallery.Artwork": lambda: makers.artwork(makers.photo(somebody())),
    "gallery.Invitation": lambda: accounts.invite(by=somebody(), note="", now=timezone.now()),
    "gallery.Share": lambda: shares.create(
        owner=(who := somebody()), photos=[makers.photo(who)], terms=shares.Terms(), now=NOON
    ),
    "gallery.Notice": lambda: Notice.objects.create(text="Tea", starts_at=NOON),
    "gallery.AuditEntry": lambda: audit.note(by=somebody(), action="test", now=NOON),
    "admin.LogEntry": log_entry,
    "account.EmailAddress": email,
    "gallery.Stretch": stretch,
}
OTHER_ROWS: dict[tuple[str, str], Callable[[], Model]] = {
    ("rendering.Rendition", "stop"): lambda: makers.rendition(state=State.WAITING),
    ("gallery.User", "switch_on"): lambda: somebody(is_active=False),
    ("gallery.User", "let_in"): lambda: somebody(**WAITS),
}
ADDED: dict[str, Callable[[], dict[str, object]]] = {
    "gallery.Allowance": lambda: {"person": somebody().pk, "megabytes": "5"},
    "auth.Group": lambda: {"name": "friends"},
    "gallery.User": lambda: {
        "username": "nora",
        "password1": PASSWORD,
        "password2": PASSWORD,
        "usable_password": "true",
    },
    "gallery.Notice": lambda: {"text": "Tea", "starts_at_0": "2026-05-03", "starts_at_1": "12:00:00"},
    "account.EmailAddress": lambda: {"user": somebody().pk, "email": "nora@example.org"},
}
SHOWN = {model._meta.label: shown for model, shown in site._registry.items()}


def page(shown: "ModelAdmin[Any]", what: str, *arguments: object) -> str:
    return reverse(f"admin:{shown.opts.app_label}_{shown.opts.model_name}_{what}", args=arguments)


def actions() -> list[tuple[str, str]]:
    request = RequestFactory().get("/admin/")
    request.user = User(is_staff=True, is_superuser=True, is_active=True)
    return [(label, action) for label, shown in SHOWN.items() for action in shown.get_actions(request)]


def notes(by: User) -> int:
    return AuditEntry.objects.filter(actor=by).count()


def test_every_model_of_the_admin_has_a_row_here():
    assert set(ROWS) == set(SHOWN)


@pytest.mark.parametrize(("label", "action"), actions())
def test_every_action_of_the_admin_is_written_down(as_admin: Client, admin: User, label: str, action: str):
    row = OTHER_ROWS.get((label, action), ROWS[label])()

    as_admin.post(page(SHOWN[label], "changelist"), {"action": action, "_selected_action": row.pk, "post": "yes"})

    assert notes(admin) == 1


@pytest.mark.parametrize("label", SHOWN)
@pytest.mark.parametrize("what", ["change", "delete"])
def test_change_and_deletion_in_the_admin_are_written_down(as_admin: Client, admin: User, label: str, what: str):
    row, shown = ROWS[label](), SHOWN[label]
    path = page(shown, what, row.pk)
    sent = Form(as_admin.get(path).content.decode()).sent if what == "change" else {"post": "yes"}

    answer = as_admin.post(path, sent)

    assert (answer.status_code, notes(admin)) in ((302, 1), (403, 0))
    assert (type(row)._default_manager.filter(pk=row.pk).exists()) == (what == "change" or answer.status_code == 403)


@pytest.mark.parametrize("label", SHOWN)
def test_addition_in_the_admin_is_written_down(as_admin: Client, admin: User, label: str):
    path = page(SHOWN[label], "add")
    blank = as_admin.get(path)
    sent = {**Form(blank.content.decode()).sent, **ADDED[label]()} if label in ADDED else {}

    answer = as_admin.post(path, sent)

    assert (answer.status_code, notes(admin)) == ((302, 1) if label in ADDED else (403, 0))


@pytest.mark.parametrize("label", SHOWN)
def test_admin_of_a_model_is_for_staff_with_its_permissions(
    label: str, alice: User, bob: User, staff: User, as_admin: Client
):
    row, shown = ROWS[label](), SHOWN[label]
    named = {str(route.name).rpartition("_")[2] for route in shown.get_urls() if route.name}
    paths = [page(shown, "changelist"), page(shown, "add"), *(page(shown, what, row.pk) for what in named & OF_ONE)]
    if "picture" in named:
        paths.append(page(shown, "picture", row.pk))

    shut_out = {
        person: {browser.generic(method, path).status_code for path in paths for method in ("GET", "POST")}
        for person, browser in {
            "nobody": Client(),
            "alice": makers.browser(alice),
            "bob": makers.browser(bob),
            "staff": makers.browser(staff),
        }.items()
    }

    assert named <= {"changelist", "add", "picture", *OF_ONE, "password"}
    assert shut_out == {"nobody": {302}, "alice": {302}, "bob": {302}, "staff": {403}}
    assert as_admin.get(paths[0]).status_code == 200


OF_ONE = {"change", "delete", "history"}


@pytest.mark.parametrize("label", SHOWN)
def test_every_list_of_the_admin_asks_a_constant_number_of_queries(as_admin: Client, label: str):
    def asked(rows: int) -> int:
        for _ in range(rows):
            ROWS[label]()
        as_admin.get(path)
        with CaptureQueriesContext(connection) as queries:
            assert as_admin.get(path).status_code == 200
        return len(queries)

    path = page(SHOWN[label], "changelist")

    assert asked(2) == asked(3)


@pytest.mark.parametrize("label", [label for label in SHOWN if label.startswith(("gallery.", "rendering."))])
def test_every_model_of_the_admin_has_a_name_for_people(label: str):
    names = [SHOWN[label].opts.verbose_name, SHOWN[label].opts.verbose_name_plural]

    with translation.override("zh-hans"):
        chinese = [str(name) for name in (*names, SHOWN[label].opts.app_config.verbose_name)]

    assert not any(name.isascii() for name in chinese)


@pytest.mark.parametrize("label", [label for label in SHOWN if label.startswith(("gallery.", "rendering."))])
def test_every_column_of_a_list_has_a_name_in_every_language(label: str, rf: RequestFactory, admin: User):
    shown, request = SHOWN[label], rf.get("/admin/")
    request.user = admin

    with translation.override("zh-hans"):
        columns = {name: str(label_for_field(name, shown.model, shown)) for name in shown.get_list_display(request)}

    assert {name for name, column in columns.items() if column.isascii()} <= {"id"}


def test_painting_that_rests_is_told_to_the_workers(as_admin: Client):
    as_admin.post(reverse("painting"), {"rest": "1", "worker": "easel-1"})

    assert turns.is_resting("easel-1")
