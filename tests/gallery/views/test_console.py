"""The job console: who may do what, what is found, and that each action is written down once."""

import csv
import io
import json
from functools import partial

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext

from gallery.models import Artwork, AuditEntry, User
from rendering import turns
from rendering.models import Export, Priority, Reason, Rendition, Source, State, Work
from tests import makers
from tests.load import desk as load
from tests.stopwatch import quickest

JOBS, ACT, PAINTING, AUDIT = "/staff/jobs/", "/staff/jobs/act/", "/staff/painting/", "/staff/audit/"


@pytest.fixture
def as_desk(db: None) -> Client:
    return makers.browser(makers.staff_with("see_desk"))


@pytest.fixture
def as_manager(db: None) -> Client:
    return makers.browser(makers.staff_with("see_desk", "manage_jobs", "pause_painting", name="mia"))


@pytest.fixture
def failed(alice: User) -> Artwork:
    made = makers.artwork(makers.photo(alice), state=State.FAILED)
    Rendition.objects.filter(commissions=made.commission).update(reason=Reason.CRASHED, tries=3)
    return made


@pytest.fixture
def waiting(alice: User) -> Artwork:
    return makers.artwork(makers.photo(alice, title="Boat"), state=State.WAITING)


def found(browser: Client, **filters: str | int) -> list[Work]:
    return [job for job, _photo in browser.get(JOBS, filters).context["jobs"]]


def rendition_of(artwork: Artwork) -> Rendition:
    return Rendition.objects.get(commissions=artwork.commission)


def state_of(artwork: Artwork) -> str:
    return rendition_of(artwork).state


@pytest.mark.parametrize("address", [JOBS, f"{JOBS}jobs.csv", AUDIT, f"{AUDIT}audit.csv", f"{JOBS}1/"])
def test_pages_are_for_staff_with_the_permission(address: str, alice: User, bob: User, staff: User, admin: User):
    made = makers.artwork(makers.photo(alice), state=State.FAILED)
    address = address.replace("1/", f"{rendition_of(made).pk}/")
    desk, manages = makers.staff_with("see_desk"), makers.staff_with("manage_jobs", name="mia")

    answers = [makers.browser(each).get(address).status_code for each in (alice, bob, staff, manages, desk, admin)]

    assert answers == [404, 404, 404, 404, 200, 200]
    assert Client().get(address).status_code == 404


@pytest.mark.parametrize("action", ["retry", "cancel", "hurry", "delete"])
def test_actions_are_for_staff_with_the_permission(
    action: str, alice: User, bob: User, staff: User, admin: User, failed: Artwork, waiting: Artwork
):
    rendition = rendition_of(failed) if action == "retry" else rendition_of(waiting)
    sent: dict[str, str | int] = {"action": action, "job": rendition.pk, "why": "a reason"}
    desk, manages = makers.staff_with("see_desk"), makers.staff_with("manage_jobs", name="mia")

    for person in (alice, bob, staff, desk):
        assert makers.browser(person).post(ACT, sent).status_code == 404
        assert makers.browser(person).get(ACT, sent).status_code == 404
    assert Client().post(ACT, sent).status_code == 404
    assert not AuditEntry.objects.exists()

    assert makers.browser(manages).post(ACT, sent).status_code == 302
    [entry] = AuditEntry.objects.all()
    assert (entry.actor, entry.action, entry.reason) == (manages, f"job.{action}", "a reason")
    assert makers.browser(admin).get(ACT, sent).status_code == 200


@pytest.mark.parametrize("kind", ["reading", "saving"])
def test_other_work_is_acted_on_with_the_permission_alone(kind: str, alice: User, bob: User, staff: User, admin: User):
    source = makers.photo(alice, of=makers.source(state=State.FAILED, reason=Reason.DAMAGED)).source
    painted = rendition_of(makers.artwork(makers.photo(alice)))
    facts = {"format": "png", "intensity": 100, "used_at": makers.NOON, "waiting_since": makers.NOON}
    saved = Export.objects.create(rendition=painted, state=State.FAILED, **facts)
    row: Source | Export = source if kind == "reading" else saved
    page, sent = f"{JOBS}{kind}/{row.pk}/", {"kind": kind, "action": "retry", "job": row.pk, "why": "mended"}
    desk, manages = makers.staff_with("see_desk"), makers.staff_with("see_desk", "manage_jobs", name="mia")

    answers = [makers.browser(each).get(page).status_code for each in (alice, bob, staff, desk, admin)]
    for person in (alice, bob, staff, desk):
        assert makers.browser(person).post(ACT, sent).status_code == 404
    done = makers.browser(manages).post(ACT, sent)

    assert answers == [404, 404, 404, 200, 200]
    assert (done.status_code, done["Location"]) == (302, page)
    row.refresh_from_db()
    assert row.state == State.WAITING
    [entry] = AuditEntry.objects.all()
    word = {"reading": "source", "saving": "export"}[kind]
    assert (entry.actor, entry.action, entry.subject, entry.reason) == (
        manages,
        "job.retry",
        f"{word} {row.pk}",
        "mended",
    )
    assert makers.browser(desk).get(f"{JOBS}dreaming/{row.pk}/").status_code == 404


def test_all_readings_that_match_are_tried_again(as_manager: Client, alice: User, bob: User):
    hers = [makers.photo(alice, of=makers.source(state=State.FAILED, reason=Reason.STORAGE)).source for _ in range(2)]
    his = makers.photo(bob, of=makers.source(state=State.FAILED, reason=Reason.STORAGE)).source
    filters = {"kind": "reading", "reason": "storage", "person": "alice"}

    assert [each.pk for each in found(as_manager, **filters)] == [hers[1].pk, hers[0].pk]
    as_manager.post(ACT, {**filters, "action": "retry"})

    assert [Source.objects.get(pk=each.pk).state for each in (*hers, his)] == [
        State.WAITING,
        State.WAITING,
        State.FAILED,
    ]


def test_table_of_readings_is_sent(as_desk: Client, alice: User):
    makers.photo(alice, title="Moon", of=makers.source(state=State.FAILED, reason=Reason.STORAGE))

    answer = as_desk.get(f"{JOBS}jobs.csv", {"kind": "reading"})

    [row] = csv.DictReader(io.StringIO(answer.getvalue().decode("utf-8-sig")))
    assert (row["photo"], row["state"], row["reason"], row["style"]) == ("Moon", "failed", "storage", "")


@pytest.mark.parametrize("sent", [{"rest": "1"}, {"rest": "1", "worker": "easel-1"}, {}, {"worker": "easel-1"}])
def test_pausing_is_for_staff_with_the_permission(sent: dict[str, str], alice: User, staff: User, admin: User):
    manages, pauses = makers.staff_with("see_desk", "manage_jobs"), makers.staff_with("pause_painting", name="mia")

    for person in (alice, staff, manages):
        assert makers.browser(person).post(PAINTING, sent).status_code == 404
    assert not AuditEntry.objects.exists()
    for person in (pauses, admin):
        assert makers.browser(person).post(PAINTING, sent).status_code == 302

    assert turns.is_resting(sent.get("worker", "")) == ("rest" in sent)
    verb = "rest" if "rest" in sent else "go_on"
    told = list(AuditEntry.objects.order_by("pk").values_list("actor_name", "action", "subject"))
    subject = sent.get("worker", "all workers")
    assert told == [("mia", f"painting.{verb}", subject), ("ada", f"painting.{verb}", subject)]
    assert makers.browser(admin).get(PAINTING).status_code == 405


def test_jobs_are_found_by_every_filter(as_desk: Client, failed: Artwork, waiting: Artwork, bob: User):
    his = rendition_of(makers.artwork(makers.photo(bob, title="Moon"), style="pencil"))
    hers, boat = rendition_of(failed), rendition_of(waiting)

    assert found(as_desk) == [his, boat, hers]
    assert found(as_desk, person="bob") == [his]
    assert found(as_desk, title="boa") == [boat]
    assert found(as_desk, style="pencil") == [his]
    assert found(as_desk, state="failed") == [hers]
    assert found(as_desk, reason="crashed") == [hers]
    assert found(as_desk, since="2026-05-03T12:01") == []
    assert found(as_desk, until="2026-05-03T12:01") == [his, boat, hers]
    assert found(as_desk, state="nonsense") == []


def test_jobs_go_on_at_the_last_one_shown(as_desk: Client, alice: User, monkeypatch):
    monkeypatch.setattr("gallery.views.console.PAGE", 2)
    jobs = [rendition_of(makers.artwork(makers.photo(alice))) for _ in range(3)]

    first = as_desk.get(JOBS)

    assert [job for job, _ in first.context["jobs"]] == [jobs[2], jobs[1]]
    assert found(as_desk, before=first.context["older"]) == [jobs[0]]
    assert found(as_desk, before="x") == [jobs[2], jobs[1]]


def test_job_shows_its_way_its_recipe_and_why_it_failed(as_desk: Client, failed: Artwork):
    rendition = rendition_of(failed)
    told = {"worker": "easel-7", "started_at": makers.NOON, "error": "ZeroDivisionError: division <by> zero"}
    Rendition.objects.filter(pk=rendition.pk).update(**told)

    page = as_desk.get(f"{JOBS}{rendition.pk}/").content.decode()

    assert "easel-7" in page
    assert rendition.recipe in page
    assert "it stopped the painter each time" in page
    assert "ZeroDivisionError: division &lt;by&gt; zero" in page
    assert 'value="retry"' not in page  # this person may only look


def test_confirmation_says_how_many_and_changes_nothing(as_manager: Client, failed: Artwork, waiting: Artwork):
    page = as_manager.get(ACT, {"action": "cancel", "person": "alice"})

    assert (page.context["count"], page.context["asked"]) == (1, {"person": "alice"})
    assert "This is done to 1 painting." in page.content.decode()
    assert (state_of(failed), state_of(waiting)) == (State.FAILED, State.WAITING)
    assert not AuditEntry.objects.exists()


def test_all_that_match_are_acted_on_and_no_other(as_manager: Client, alice: User, bob: User):
    hers = [makers.artwork(makers.photo(alice), state=State.WAITING) for _ in range(3)]
    his = makers.artwork(makers.photo(bob), state=State.WAITING)

    as_manager.post(ACT, {"action": "cancel", "person": "alice", "why": "she asked"})

    assert [state_of(each) for each in (*hers, his)] == [State.CANCELLED] * 3 + [State.WAITING]
    [entry] = AuditEntry.objects.all()
    assert (entry.subject, entry.reason) == ("3 renditions", "she asked")
    assert entry.facts == {"count": 3, "filters": {"person": "alice"}}


def test_filter_that_is_not_understood_reaches_nothing(as_manager: Client, waiting: Artwork):
    as_manager.post(ACT, {"action": "cancel", "state": "nonsense"})

    assert state_of(waiting) == State.WAITING
    assert not AuditEntry.objects.exists()
    assert as_manager.post(ACT, {"action": "nonsense"}).status_code == 404


def test_failed_job_waits_again(as_manager: Client, failed: Artwork):
    as_manager.post(ACT, {"action": "retry", "job": rendition_of(failed).pk})

    rendition = Rendition.objects.get(pk=rendition_of(failed).pk)
    assert (rendition.state, rendition.reason, rendition.tries) == (State.WAITING, "", 0)


def test_job_is_moved_to_the_front(as_manager: Client, waiting: Artwork):
    as_manager.post(ACT, {"action": "hurry", "job": rendition_of(waiting).pk})

    assert Rendition.objects.get(pk=rendition_of(waiting).pk).priority == Priority.WATCHED


def test_deleted_job_leaves_the_album(as_manager: Client, waiting: Artwork):
    answer = as_manager.post(ACT, {"action": "delete", "job": rendition_of(waiting).pk})

    assert answer["Location"] == JOBS
    assert not Artwork.objects.exists()
    assert not Rendition.objects.exists()


def test_jobs_are_sent_as_a_table_without_formulas(as_desk: Client, alice: User, monkeypatch):
    monkeypatch.setattr("gallery.views.console.BATCH", 2)
    for title in ("=cmd()", "Moon", "Boat"):
        makers.artwork(makers.photo(alice, title=title))

    answer = as_desk.get(f"{JOBS}jobs.csv", {"person": "alice"})

    rows = list(csv.DictReader(io.StringIO(answer.getvalue().decode("utf-8-sig"))))
    assert [row["photo"] for row in rows] == ["Boat", "Moon", "'=cmd()"]
    assert {row["person"] for row in rows} == {"alice"}
    assert "attachment" in answer["Content-Disposition"]


def test_audit_log_is_filtered(as_manager: Client, waiting: Artwork):
    as_manager.post(ACT, {"action": "hurry", "job": rendition_of(waiting).pk, "why": "she waits"})
    as_manager.post(PAINTING, {"rest": "1"})

    def actions(**filters: str) -> list[str]:
        return [entry.action for entry in as_manager.get(AUDIT, filters).context["entries"]]

    assert actions() == ["painting.rest", "job.hurry"]
    assert actions(action="job.hurry") == ["job.hurry"]
    assert actions(actor="mia", words="she waits") == ["job.hurry"]
    assert actions(actor="nobody") == []
    table = as_manager.get(f"{AUDIT}audit.csv", {"action": "job.hurry"}).getvalue().decode("utf-8-sig")
    [row] = csv.DictReader(io.StringIO(table))
    assert (row["who"], row["what"], row["why"]) == ("mia", "job.hurry", "she waits")
    assert json.loads(row["facts"])["count"] == 1


def test_jobs_take_a_constant_number_of_queries(as_desk: Client, alice: User, django_assert_num_queries):
    makers.artwork(makers.photo(alice))
    with django_assert_num_queries(7):
        as_desk.get(JOBS)
    for _ in range(2):
        makers.artwork(makers.photo(alice))

    with django_assert_num_queries(7):
        as_desk.get(JOBS)


@pytest.mark.slow
@pytest.mark.no_cover
def test_every_page_is_quick_with_twenty_thousand_renditions(admin: User, alice: User):
    """The bench (`tests.load.desk`) bounds 100,000 on a quiet machine; this finds pages that count all rows."""
    load.fill(20_000, people=[alice, *load.crowd(99)])
    load.tend()
    browser, took = makers.browser(admin), {}

    for name, address in load.pages().items():
        with CaptureQueriesContext(connection) as asked:
            assert browser.get(address).status_code == 200
        assert len(asked) <= 45
        took[name] = quickest(partial(browser.get, address), within=0.3)

    print(took)  # noqa: T201 - figures for whoever runs it
    assert {name: seconds for name, seconds in took.items() if seconds > 0.3} == {}
