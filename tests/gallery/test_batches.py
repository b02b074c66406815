"""Batches: one mail when what took long is finished, in the person's language."""

from datetime import datetime, timedelta

import pytest
from django.core import mail
from django.core.management import call_command
from django.utils import translation
from django.utils.translation import ngettext

from gallery import batches
from gallery.batches import Batch
from gallery.models import Artwork, User
from rendering.models import Rendition, State
from tests import makers
from tests.makers import NOON

pytestmark = pytest.mark.django_db
LATER = NOON + timedelta(minutes=30)


@pytest.fixture
def carol(db: None) -> User:
    return makers.person("carol", email="carol@example.org", mail_when_done=True)


def painted(owner: User, begun: float, finished: float, *, state: State = State.DONE) -> Artwork:
    """Make an artwork that was asked for and finished so many minutes after noon."""
    made = makers.artwork(makers.photo(owner), created_at=NOON + timedelta(minutes=begun), state=state)
    Rendition.objects.filter(commissions=made.commission).update(finished_at=NOON + timedelta(minutes=finished))
    return made


def announced(now: datetime = LATER) -> list[tuple[str, list[str]]]:
    mail.outbox.clear()
    count = batches.announce(now=now)
    assert count == len(mail.outbox)
    return [(str(message.subject), message.to) for message in mail.outbox]


def test_long_batch_is_told_once(carol: User):
    painted(carol, 0, 1)
    painted(carol, 0, 3)

    told = announced(), announced()

    assert told == ([("2 paintings are finished", ["carol@example.org"])], [])


def test_mail_says_where_the_paintings_are_and_how_to_get_no_more(carol: User, settings):
    painted(carol, 0, 3)

    announced()

    [message] = mail.outbox
    assert message.body == (
        "Hello carol,\n\n"
        f"all that you had painted is ready: {settings.SITE_URL}/\n\n"
        f"You get this mail because you asked for it. Change that here: {settings.SITE_URL}/settings/\n"
    )


def test_short_batch_is_not_told(carol: User):
    for begun in (0, 5, 10, 15):
        painted(carol, begun, begun + 1)

    assert announced() == []


def test_batches_after_each_other_are_not_one_long_one(carol: User):
    for begun in (0, 3, 6):
        painted(carol, begun, begun + 1)

    assert batches.find(carol, since=NOON - timedelta(hours=1)) == [
        Batch(NOON + timedelta(minutes=begun), NOON + timedelta(minutes=begun + 1), 1) for begun in (0, 3, 6)
    ]


@pytest.mark.parametrize("state", [State.WAITING, State.WORKING])
def test_nothing_is_told_while_something_is_unfinished(carol: User, state: State):
    painted(carol, 0, 5)
    last = painted(carol, 0, 6, state=state)

    before = announced()
    Rendition.objects.filter(commissions=last.commission).update(state=State.FAILED)

    assert (before, announced()) == ([], [("1 painting is finished", ["carol@example.org"])])


def test_more_may_be_on_its_way_for_a_minute(carol: User):
    painted(carol, 0, 5)
    end = NOON + timedelta(minutes=5)

    told = [announced(end + timedelta(seconds=seconds)) for seconds in (30, 61)]

    assert [len(each) for each in told] == [0, 1]


def test_old_news_are_not_told(carol: User):
    painted(carol, 0, 5)

    assert announced(NOON + timedelta(days=2)) == []


def test_what_was_told_before_is_not_told_with_the_next_batch(carol: User):
    painted(carol, 0, 5)
    announced()
    painted(carol, 60, 65)

    assert announced(NOON + timedelta(hours=2)) == [("1 painting is finished", ["carol@example.org"])]


@pytest.mark.parametrize("facts", [{"mail_when_done": False}, {"email": ""}, {"is_active": False}])
def test_who_wants_no_mail_gets_none(carol: User, facts: dict[str, object]):
    User.objects.update(**facts)
    painted(carol, 0, 5)

    assert announced() == []


def test_mail_is_in_the_persons_language(carol: User):
    User.objects.update(language="zh-hans")
    painted(carol, 0, 5)

    [(subject, _)] = announced()

    with translation.override("zh-hans"):
        assert subject == ngettext("%(count)s painting is finished", "%(count)s paintings are finished", 1) % {
            "count": 1
        }


def test_mail_that_could_not_be_sent_is_sent_by_the_next_round(carol: User, settings):
    painted(carol, 0, 5)
    settings.EMAIL_BACKEND = "django.core.mail.backends.smtp.EmailBackend"
    settings.EMAIL_HOST, settings.EMAIL_PORT = "127.0.0.1", 9  # nobody listens there

    failed = batches.announce(now=LATER)
    settings.EMAIL_BACKEND = "django.core.mail.backends.locmem.EmailBackend"

    assert (failed, len(announced())) == (0, 1)


def test_command_announces_once(carol: User):
    User.objects.filter(pk=carol.pk).update(told_at=None)

    call_command("tend", "--once")

    assert mail.outbox == []
