"""The audit log keeps who did what, when and why, also when the account goes."""

from datetime import timedelta

from gallery import audit
from gallery.models import AuditEntry, User
from tests.makers import NOON


def test_note_is_kept_when_the_account_goes(staff: User):
    audit.note(by=staff, action="job.cancel", subject="rendition 1", reason="too slow", now=NOON, count=1)
    staff.delete()

    [entry] = AuditEntry.objects.all()
    assert (entry.at, entry.actor, entry.actor_name) == (NOON, None, "stella")
    assert (entry.action, entry.subject, entry.reason) == ("job.cancel", "rendition 1", "too slow")
    assert entry.facts == {"count": 1}


def test_long_texts_are_cut_to_their_columns(staff: User):
    entry = audit.note(by=staff, action="a" * 99, subject="s" * 999, reason="r" * 999, now=NOON)

    entry.full_clean(exclude=["actor", "facts"])
    assert (len(entry.action), len(entry.subject), len(entry.reason)) == (60, 200, 300)


def test_entries_are_the_latest_first_and_filtered(staff: User, admin: User):
    first = audit.note(by=staff, action="job.cancel", subject="rendition 1", now=NOON)
    second = audit.note(by=admin, action="painting.rest", reason="the fan is loud", now=NOON + timedelta(hours=1))

    assert list(audit.entries()) == [second, first]
    assert list(audit.entries(actor="STELLA")) == [first]
    assert list(audit.entries(action="painting.rest")) == [second]
    assert list(audit.entries(words="fan")) == [second]
    assert list(audit.entries(words="Rendition")) == [first]
    assert list(audit.entries(since=NOON + timedelta(minutes=1))) == [second]
    assert audit.actions() == ["job.cancel", "painting.rest"]
