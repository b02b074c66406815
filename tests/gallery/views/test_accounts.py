"""Settings, languages and themes, the end of an account, the first admin, invitations."""

import re

import pytest
from django.contrib.messages import get_messages
from django.test import Client
from django.urls import reverse
from pytest_django import Settings

from gallery import accounts
from gallery.models import Invitation, Photo, User
from tests import makers
from tests.makers import NOON, PASSWORD

SETTINGS = "/settings/"
CLOSE = "/settings/close/"
LIKED = {"language": "zh-hans", "theme": "dark", "styles": ["oil"], "look": "classic", "email": ""}


def said(response) -> list[str]:
    return [str(message) for message in get_messages(response.wsgi_request)]


def cookies(response) -> dict[str, str]:
    return {name: morsel.value for name, morsel in response.cookies.items() if name in ("theme", "django_language")}


@pytest.fixture
def person(db: None) -> User:
    return makers.person("carol", password=PASSWORD)


@pytest.fixture
def browser(person: User) -> Client:
    """Return the browser of a person who has a password."""
    return makers.browser(person)


def test_settings_show_what_the_person_likes_and_keeps(as_alice: Client, alice: User):
    makers.finished_photo(alice)

    context = as_alice.get(SETTINGS).context

    assert [context["form"][name].value() for name in ("theme", "look", "language")] == ["auto", "studio", ""]
    assert (context["usage"].photos, context["usage"].artworks) == (1, 4)


def test_settings_are_kept_and_said_in_the_new_language(as_alice: Client, alice: User):
    response = as_alice.post(SETTINGS, LIKED)

    alice.refresh_from_db()
    assert (response.headers["Location"], len(said(response))) == (SETTINGS, 1)
    assert (alice.language, alice.theme, alice.styles, alice.look) == ("zh-hans", "dark", ["oil"], "classic")
    assert cookies(response) == {"theme": "dark", "django_language": "zh-hans"}


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("language", "xx"),
        ("theme", "pink"),
        ("styles", ["fresco"]),
        ("look", "odd"),
        ("email", "nobody"),
        ("styles", []),
    ],
)
def test_settings_that_do_not_exist_are_refused(as_alice: Client, alice: User, name: str, value: object):
    response = as_alice.post(SETTINGS, {**LIKED, name: value})

    alice.refresh_from_db()
    assert list(response.context["form"].errors) == [name]
    assert (alice.theme, alice.look) == ("auto", "studio")


def test_changed_address_needs_the_password_once_more(browser: Client, person: User):
    asked = browser.post(SETTINGS, {**LIKED, "language": "", "email": "carol@example.org"})
    before = User.objects.get().email

    answered = browser.post(asked.headers["Location"], {"password": PASSWORD})

    assert asked.headers["Location"] == "/accounts/reauthenticate/?next=%2Fsettings%2F"
    assert before == ""
    assert (answered.headers["Location"], User.objects.get().email) == (SETTINGS, "carol@example.org")


def test_changed_address_stays_without_the_password(browser: Client):
    asked = browser.post(SETTINGS, {**LIKED, "language": "", "email": "thief@example.org"})

    browser.post(asked.headers["Location"], {"password": "wrong"})

    assert User.objects.get().email == ""


def test_defaults_of_uploads_and_keys_are_kept_and_offered(as_alice: Client, alice: User):
    as_alice.post(SETTINGS, {**LIKED, "full_size": "on", "keys_off": "on"})

    alice.refresh_from_db()
    offered = as_alice.get("/").context["form"]
    assert (alice.full_size, alice.keys_off, alice.mail_when_done) == (True, True, False)
    assert [offered[name].value() for name in ("styles", "look", "full_size")] == [["oil"], "classic", True]


def test_mail_needs_an_address(as_alice: Client, alice: User):
    response = as_alice.post(SETTINGS, {**LIKED, "mail_when_done": "on"})

    alice.refresh_from_db()
    assert response.context["form"].errors == {"email": ["Without an address there is no mail."]}
    assert not alice.mail_when_done


def test_settings_say_what_the_next_photo_takes(as_alice: Client, alice: User):
    before = as_alice.get(SETTINGS).context["cost"]
    photo = makers.photo(alice, of=makers.source(cpu_seconds=2.0, size=3_000_000))
    makers.artwork(photo)

    response = as_alice.get(SETTINGS)

    assert before is None
    assert response.context["cost"] == accounts.Cost(paintings=4, bytes=3_000_000, cpu_seconds=2.4)
    assert "4 paintings, about 2.9\xa0MB and 2.4 s of computing time" in response.content.decode()


def test_person_sees_browsers_and_signs_out_the_others(as_alice: Client, alice: User):
    other = makers.browser(alice)

    page = as_alice.get("/settings/browsers/").content.decode()
    told = [said(as_alice.post("/settings/browsers/"))[-1] for _ in range(2)]

    assert page.count("A browser") == 2
    assert "Sign out everywhere else" in page
    assert told == ["1 other browser was signed out.", "You are signed in nowhere else."]
    assert other.get("/settings/").status_code == 302
    assert "Sign out everywhere else" not in as_alice.get("/settings/browsers/").content.decode()


def test_person_signs_a_single_browser_out(as_alice: Client, alice: User):
    makers.browser(alice)
    [_, other] = as_alice.get("/settings/browsers/").context["browsers"]

    told = [said(as_alice.post("/settings/browsers/", {"browser": other.handle}))[-1] for _ in range(2)]

    assert told == ["That browser was signed out.", "That browser is signed in no more."]
    assert len(as_alice.get("/settings/browsers/").context["browsers"]) == 1


def test_door_asks_for_the_names_that_open_it(client: Client):
    page = client.get(reverse("account_login")).content.decode()

    assert re.search(r'<label for="id_login">Username or e-mail address</label>', page)
    assert "placeholder" not in page


def test_account_is_closed_with_password_and_yes(browser: Client, person: User):
    makers.finished_photo(person)

    response = browser.post(CLOSE, {"password": PASSWORD, "confirm": "on"})

    assert (response.headers["Location"], said(response)) == (
        "/#left",
        ["Your account and everything in it is deleted."],
    )
    assert (User.objects.count(), Photo.objects.count(), "_auth_user_id" in browser.session) == (0, 0, False)


@pytest.mark.parametrize(
    ("sent", "errors"),
    [
        ({"password": "wrong", "confirm": "on"}, {"password": ["This is not your password."]}),
        ({"password": PASSWORD}, {"confirm": ["This field is required."]}),
        ({}, {"password": ["This field is required."], "confirm": ["This field is required."]}),
    ],
)
def test_account_stays_without_password_or_yes(browser: Client, sent: dict[str, str], errors: dict[str, list[str]]):
    response = browser.post(CLOSE, sent)

    assert response.context["form"].errors == errors
    assert User.objects.count() == 1


def test_guessing_the_password_to_close_an_account_is_slowed(browser: Client):
    for _ in range(10):
        browser.post(CLOSE, {"password": "wrong", "confirm": "on"})

    response = browser.post(CLOSE, {"password": PASSWORD, "confirm": "on"})

    assert (response.status_code, User.objects.count()) == (429, 1)


def test_last_admin_stays(db: None):
    admin = makers.person("ada", password=PASSWORD, is_superuser=True)

    response = makers.browser(admin).post(CLOSE, {"password": PASSWORD, "confirm": "on"})

    sentence = "You are the only admin here. Make somebody else an admin first."
    assert (response.context["form"].non_field_errors(), User.objects.count()) == ([sentence], 1)


def test_language_of_a_visitor_is_kept_in_a_cookie(db: None):
    browser = Client()

    response = browser.post("/language/", {"language": "zh-hans", "next": "/accounts/login/"})

    assert (response.headers["Location"], cookies(response)) == ("/accounts/login/", {"django_language": "zh-hans"})
    assert browser.get("/accounts/login/").headers["Content-Language"] == "zh-hans"


def test_language_of_a_person_is_kept_for_all_browsers(as_alice: Client, alice: User):
    as_alice.post("/language/", {"language": "zh-hans"})

    assert makers.browser(alice).get("/history/").headers["Content-Language"] == "zh-hans"


def test_theme_is_kept_for_all_browsers_and_this_one(as_alice: Client, alice: User):
    response = as_alice.post("/theme/", {"theme": "dark", "next": "/history/"})

    alice.refresh_from_db()
    assert (response.headers["Location"], alice.theme, cookies(response)) == ("/history/", "dark", {"theme": "dark"})


@pytest.mark.parametrize(("path", "sent"), [("/language/", {"language": "xx"}), ("/theme/", {"theme": "pink"})])
def test_choices_that_do_not_exist_change_nothing(as_alice: Client, alice: User, path: str, sent: dict[str, str]):
    response = as_alice.post(path, {**sent, "next": "https://evil.example/"})

    alice.refresh_from_db()
    assert (response.headers["Location"], cookies(response)) == ("/", {})
    assert (alice.language, alice.theme) == ("", "auto")


def test_first_admin_is_made_by_the_link_and_is_in(db: None):
    path = reverse("setup", args=[accounts.setup_token()])
    browser = Client()

    response = browser.post(path, {"username": "ada", "email": "", "password": PASSWORD})

    admin = User.objects.get()
    assert (response.headers["Location"], browser.session["_auth_user_id"]) == ("/", str(admin.pk))
    assert (admin.username, admin.is_superuser) == ("ada", True)
    assert Client().get(path).status_code == 404


@pytest.mark.parametrize(
    ("sent", "field"),
    [
        ({"username": "ada", "password": "short"}, "password"),
        ({"username": "ada", "password": "password123"}, "password"),
        ({"username": "adalovelace", "password": "adalovelace1"}, "password"),
        ({"username": "a", "password": PASSWORD}, "username"),
        ({"username": "ada lovelace", "password": PASSWORD}, "username"),
        ({"username": "Alice", "password": PASSWORD}, "username"),
        ({"username": "ada", "email": "nobody", "password": PASSWORD}, "email"),
    ],
)
def test_first_admin_needs_a_free_name_and_a_good_password(alice: User, sent: dict[str, str], field: str):
    response = Client().post(reverse("setup", args=[accounts.setup_token()]), sent)

    assert list(response.context["form"].errors) == [field]
    assert User.objects.filter(is_superuser=True).count() == 0


def test_invitation_leads_to_sign_up(admin: User, settings: Settings):
    settings.SIGN_UP = "invitation"
    invitation = accounts.invite(by=admin, note="", now=NOON.replace(year=2126))
    browser = Client()

    response = browser.get(reverse("invitation", args=[invitation.key]))

    assert response.headers["Location"] == "/accounts/signup/"
    assert browser.get("/accounts/signup/").templates[0].name == "account/signup.html"
    assert browser.get("/").context["sign_up_open"] is True


def test_invitation_that_does_not_exist_leads_to_a_closed_door(db: None, settings: Settings):
    settings.SIGN_UP = "invitation"
    browser = Client()

    browser.get(reverse("invitation", args=["0" * 22]))

    assert browser.get("/accounts/signup/").templates[0].name == "account/signup_closed.html"
    assert "invitation" not in browser.session


def test_invitations_are_made_and_shown_to_admins(as_admin: Client, admin: User):
    as_admin.post("/staff/invitations/", {"note": "For Mum"})

    invitation = Invitation.objects.get()
    page = as_admin.get("/staff/invitations/")
    assert (invitation.note, invitation.invited_by) == ("For Mum", admin)
    assert list(page.context["invitations"]) == [invitation]
    assert f"/invitations/{invitation.key}/" in page.content.decode()


def test_signing_in_is_seen_and_not_said(client: Client, person: User):
    page = client.post(reverse("account_login"), {"login": "carol", "password": PASSWORD}, follow=True)

    assert page.redirect_chain == [("/", 302)]
    assert said(page) == []
    assert '<span class="menu-name">carol</span>' in page.content.decode()
