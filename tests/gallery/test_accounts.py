"""People: sign-up, the first admin, preferences, invitations, and the end of an account."""

from datetime import timedelta
from functools import partial
from pathlib import Path

import pytest
from allauth.account.models import EmailAddress
from django.core import mail
from django.test import Client
from pytest_django import DjangoCaptureOnCommitCallbacks as Committing
from pytest_django import Settings

from gallery import accounts
from gallery.accounts import Usage
from gallery.models import Artwork, Invitation, Photo, User
from rendering.models import Commission, Rendition, Source
from tests import makers
from tests.makers import NOON, PASSWORD
from tests.processes import Valkey
from tests.rendering.makers import simultaneously

SIGN_UP = "/accounts/signup/"
SIGN_IN = "/accounts/login/"


@pytest.fixture(autouse=True)
def rate_limits(valkey: Valkey) -> Valkey:
    """Count attempts in a real server, from zero for each test."""
    return valkey


def sign_up(browser: Client, username: str, *, email: str = "") -> tuple[int, str]:
    """Return the status and where it led to."""
    sent = {"username": username, "email": email, "password1": PASSWORD, "password2": PASSWORD}
    response = browser.post(SIGN_UP, sent)
    return response.status_code, response.headers.get("Location", "")


def sign_in(browser: Client, login: str, password: str = PASSWORD) -> tuple[int, str]:
    """Return the status and where it led to."""
    response = browser.post(SIGN_IN, {"login": login, "password": password})
    return response.status_code, response.headers.get("Location", "")


def errors(browser: Client, username: str, *, email: str = "") -> dict[str, list[str]]:
    sent = {"username": username, "email": email, "password1": PASSWORD, "password2": PASSWORD}
    return dict(browser.post(SIGN_UP, sent).context["form"].errors)


def test_person_signs_up_and_is_in(db: None):
    browser = Client()

    led_to = sign_up(browser, "Alice", email="Alice@example.org")

    alice = User.objects.get()
    assert led_to == (302, "/")
    assert (alice.username, alice.email, browser.session["_auth_user_id"]) == (
        "Alice",
        "alice@example.org",
        str(alice.pk),
    )
    assert (alice.styles, alice.look, alice.is_staff) == (
        ["pencil", "color-pencil", "oil", "watercolor"],
        "studio",
        False,
    )


@pytest.mark.parametrize("name", ["alice", "ALICE", "\uff21lice"])
def test_name_that_is_taken_in_whatever_case_is_refused(alice: User, name: str):
    assert errors(Client(), name) == {"username": ["A user with that username already exists."]}


@pytest.mark.parametrize("login", ["alice", "ALICE", "alice@example.org", "Alice@Example.org"])
def test_person_signs_in_by_name_or_email(db: None, login: str):
    sign_up(Client(), "alice", email="alice@example.org")

    assert sign_in(Client(), login) == (302, "/")


def test_strangers_learn_nothing_from_the_door(db: None):
    makers.person("alice", password=PASSWORD)
    sentence = "The username and/or password you specified are not correct."

    answers = [
        Client().post(SIGN_IN, {"login": login, "password": "wrong"}).context["form"].non_field_errors()
        for login in ("alice", "nobody")
    ]

    assert answers == [[sentence], [sentence]]


def test_strangers_learn_nothing_from_a_forgotten_password(db: None):
    sign_up(Client(), "alice", email="alice@example.org")

    answers = [
        Client().post("/accounts/password/reset/", {"email": address}).headers["Location"]
        for address in ("alice@example.org", "nobody@example.org")
    ]

    assert answers == ["/accounts/password/reset/done/"] * 2
    assert [message.to for message in mail.outbox] == [["alice@example.org"], ["nobody@example.org"]]


def test_forgotten_password_is_set_again_by_the_link_in_the_mail(db: None, settings: Settings):
    settings.SITE_URL = "https://photos.example"
    sign_up(Client(), "alice", email="alice@example.org")
    Client().post("/accounts/password/reset/", {"email": "alice@example.org"}, headers={"Host": "evil.example"})
    [link] = [word for word in mail.outbox[0].body.split() if "/reset/key/" in word]
    browser = Client()

    form = browser.get(link.removeprefix("https://photos.example")).headers["Location"]
    browser.post(form, {"password1": "another good password", "password2": "another good password"})

    assert link.startswith("https://photos.example/accounts/password/reset/key/")
    assert sign_in(Client(), "alice", "another good password") == (302, "/")


def test_guessing_is_slowed(db: None):
    makers.person("alice", password=PASSWORD)
    for _ in range(5):
        sign_in(Client(), "alice", "wrong")

    response = Client().post(SIGN_IN, {"login": "alice", "password": PASSWORD})

    assert response.context["form"].non_field_errors() == ["Too many failed login attempts. Try again later."]


def test_signing_out_needs_a_post(as_alice: Client):
    asked = as_alice.get("/accounts/logout/")
    still_in = "_auth_user_id" in as_alice.session
    left = as_alice.post("/accounts/logout/")

    assert (asked.status_code, still_in) == (200, True)
    # The mark has the page's script forget the photos that wait to be sent.
    assert (left.headers["Location"], "_auth_user_id" in as_alice.session) == (f"{SIGN_IN}#left", False)


def test_password_is_changed(db: None):
    makers.person("alice", password=PASSWORD)
    browser = Client()
    sign_in(browser, "alice")

    browser.post(
        "/accounts/password/change/",
        {"oldpassword": PASSWORD, "password1": "another good password", "password2": "another good password"},
    )

    assert sign_in(Client(), "alice", "another good password") == (302, "/")


@pytest.mark.parametrize("sign_up_is", ["closed", "invitation"])
def test_closed_sign_up_lets_nobody_in(db: None, settings: Settings, sign_up_is: str):
    settings.SIGN_UP = sign_up_is

    page, sent = Client().get(SIGN_UP), sign_up(Client(), "alice")

    assert (page.templates[0].name, sent) == ("account/signup_closed.html", (200, ""))
    assert User.objects.count() == 0


def invited(admin: User) -> tuple[Invitation, Client]:
    """Return a new invitation, and the browser of somebody who has followed its link."""
    invitation = accounts.invite(by=admin, note="For Mum", now=NOON)
    Invitation.objects.filter(pk=invitation.pk).update(expires_at=NOON + timedelta(days=36500))
    browser = Client()
    browser.get(f"/invitations/{invitation.key}/")
    return invitation, browser


def test_invitation_lasts_for_two_weeks(admin: User):
    invitation = accounts.invite(by=admin, note="For Mum", now=NOON)

    assert (invitation.note, invitation.expires_at) == ("For Mum", NOON + timedelta(days=14))
    assert accounts.find_invitation(invitation.key, now=NOON + timedelta(days=13)) == invitation
    assert accounts.find_invitation(invitation.key, now=NOON + timedelta(days=14)) is None


def test_invitation_lets_one_person_in_once(admin: User, settings: Settings):
    settings.SIGN_UP = "invitation"
    invitation, browser = invited(admin)
    late = Client()
    late.get(f"/invitations/{invitation.key}/")

    first, second = sign_up(browser, "alice"), sign_up(late, "bob")

    invitation.refresh_from_db()
    assert (first, second) == ((302, "/"), (200, ""))
    assert (invitation.used_by, invitation.used_at is None) == (User.objects.get(username="alice"), False)
    assert not User.objects.filter(username="bob").exists()


def test_invitation_stays_used_when_its_person_has_left(admin: User, settings: Settings):
    settings.SIGN_UP = "invitation"
    invitation, browser = invited(admin)
    sign_up(browser, "alice")

    accounts.close_account(User.objects.get(username="alice"))

    assert accounts.find_invitation(invitation.key, now=NOON) is None


def test_invitation_is_kept_when_the_form_is_wrong(admin: User, settings: Settings):
    settings.SIGN_UP = "invitation"
    _, browser = invited(admin)

    refused, accepted = sign_up(browser, "ada"), sign_up(browser, "alice")

    assert (refused, accepted) == ((200, ""), (302, "/"))


@pytest.mark.django_db(transaction=True)
def test_invitation_lets_one_of_many_in_who_come_at_once(settings: Settings, valkey: Valkey):
    settings.SIGN_UP = "invitation"
    admin = makers.person("ada", is_superuser=True)
    invitation, _ = invited(admin)
    browsers = [Client() for _ in range(6)]
    for browser in browsers:
        browser.get(f"/invitations/{invitation.key}/")
    waiting = list(enumerate(browsers))

    simultaneously(6, lambda: sign_up(*reversed_pair(waiting.pop())))

    assert User.objects.exclude(pk=admin.pk).count() == 1


def reversed_pair(pair: tuple[int, Client]) -> tuple[Client, str]:
    return pair[1], f"person{pair[0]}"


@pytest.mark.django_db(transaction=True)
def test_name_goes_to_one_of_many_who_come_at_once(valkey: Valkey):
    names = ["alice", "Alice", "ALICE", "aLice"]

    got = simultaneously(4, lambda: sign_up(Client(), names.pop()))

    assert User.objects.count() == 1
    assert sorted(status for status, _ in got).count(500) == 0


def test_setup_token_is_there_until_there_is_an_admin(alice: User):
    before = accounts.setup_token()

    accounts.make_first_admin(username="ada", email="ada@example.org", password=PASSWORD)

    assert before is not None
    assert (len(before), accounts.setup_token()) == (64, None)


def test_setup_token_follows_the_secret_key(db: None, settings: Settings):
    before = accounts.setup_token()

    settings.SECRET_KEY = "another secret key of good length"

    assert accounts.setup_token() != before


def test_first_admin_may_do_everything_and_is_the_only_first(db: None):
    admin = accounts.make_first_admin(username="ada", email="Ada@example.org", password=PASSWORD)

    with pytest.raises(accounts.AdminExists):
        accounts.make_first_admin(username="eve", email="", password=PASSWORD)

    assert (admin.is_superuser, admin.is_staff, admin.check_password(PASSWORD)) == (True, True, True)
    assert list(EmailAddress.objects.values_list("user__username", "email", "primary")) == [
        ("ada", "ada@example.org", True)
    ]


def test_preferences_are_kept(alice: User):
    accounts.change_preferences(
        alice, language="zh-hans", theme="dark", styles=["oil"], look="classic", email="Alice@Example.org"
    )

    kept = User.objects.get()
    assert (kept.language, kept.theme, kept.styles, kept.look) == ("zh-hans", "dark", ["oil"], "classic")
    assert (kept.email, EmailAddress.objects.get().email) == ("alice@example.org", "alice@example.org")


@pytest.mark.parametrize(("address", "kept"), [("new@example.org", ["new@example.org"]), ("", [])])
def test_changed_address_takes_the_place_of_the_old_one(alice: User, address: str, kept: list[str]):
    change = partial(accounts.change_preferences, alice, language="", theme="auto", styles=["oil"], look="fast")
    change(email="old@example.org")

    change(email=address)

    assert list(EmailAddress.objects.filter(primary=True).values_list("email", flat=True)) == kept
    assert User.objects.get().email == address


def test_usage_counts_each_painting_once(alice: User, bob: User):
    photo = makers.finished_photo(alice)
    shared = photo.artworks.get(style="oil")
    bobs = makers.photo(bob, of=photo.source)
    Artwork.objects.create(photo=bobs, commission=shared.commission, style="oil", look="studio", created_at=NOON)
    source, paintings = Source.objects.get(), Rendition.objects.all()

    usage = accounts.usage_of(alice)

    stored = source.size + source.stored_bytes + sum(each.stored_bytes for each in paintings)
    assert usage == Usage(photos=1, artworks=4, bytes=stored)


def test_usage_of_a_new_person_is_nothing(alice: User):
    assert accounts.usage_of(alice) == Usage(photos=0, artworks=0, bytes=0)


def test_closed_account_leaves_nothing_behind(alice: User, media: Path, django_capture_on_commit_callbacks: Committing):
    makers.finished_photo(alice)
    makers.finished_photo(alice)
    accounts.change_preferences(alice, language="", theme="auto", styles=[], look="fast", email="a@example.org")

    with django_capture_on_commit_callbacks(execute=True):
        accounts.close_account(alice)

    tables = (User, EmailAddress, Photo, Artwork, Commission, Source, Rendition)
    assert [table.objects.count() for table in tables] == [0] * 7
    assert [path for path in media.rglob("*") if path.is_file()] == []


def test_closed_account_leaves_what_others_have(
    alice: User, bob: User, media: Path, django_capture_on_commit_callbacks: Committing
):
    photo = makers.finished_photo(alice)
    bobs = makers.photo(bob, of=photo.source)
    shared = photo.artworks.get(style="oil").commission
    Artwork.objects.create(photo=bobs, commission=shared, style="oil", look="studio", created_at=NOON)

    with django_capture_on_commit_callbacks(execute=True):
        accounts.close_account(alice)

    assert (list(User.objects.all()), list(Photo.objects.all())) == ([bob], [bobs])
    assert len([path for path in media.rglob("*") if path.is_file()]) == 5


@pytest.mark.parametrize(("other_is_admin", "only"), [(False, True), (True, False)])
def test_last_admin_is_known(admin: User, staff: User, other_is_admin: bool, only: bool):
    User.objects.filter(pk=staff.pk).update(is_superuser=other_is_admin)

    assert accounts.is_only_admin(admin) is only
    assert accounts.is_only_admin(staff) is False


def test_strangers_learn_nothing_about_addresses_from_signing_up(db: None, settings: Settings):
    settings.ACCOUNT_PREVENT_ENUMERATION = "strict"
    sign_up(Client(), "alice", email="alice@example.org")

    led_to = sign_up(Client(), "mallory", email="alice@example.org")

    assert led_to == (302, "/")
    assert sign_in(Client(), "alice@example.org") == (302, "/")
