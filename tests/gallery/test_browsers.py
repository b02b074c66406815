"""Browsers: where a person is signed in, by the sessions themselves."""

from datetime import timedelta

import pytest
from django.contrib.sessions.backends.db import SessionStore
from django.contrib.sessions.models import Session
from django.test import Client
from django.utils import timezone

from gallery import browsers
from gallery.models import User
from tests import makers
from tests.makers import NOON

pytestmark = pytest.mark.django_db

AGENTS = {
    "Mozilla/5.0 (X11; Linux x86_64; rv:140.0) Gecko/20100101 Firefox/140.0": ("Firefox", "Linux"),
    "Mozilla/5.0 (Linux; Android 10; K) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/141.0 Mobile Safari/537.36": (
        "Chrome",
        "Android",
    ),
    "Mozilla/5.0 (Windows NT 10.0) AppleWebKit/537.36 Chrome/141.0 Safari/537.36 Edg/141.0": ("Edge", "Windows"),
    "Mozilla/5.0 (iPhone; CPU iPhone OS 18_5) AppleWebKit/605.1.15 Version/18.5 Mobile/15E148 Safari/604.1": (
        "Safari",
        "iPhone",
    ),
    "Mozilla/5.0 (Macintosh; Intel Mac OS X 10_15_7) AppleWebKit/605.1.15 Version/18.5 Safari/605.1.15": (
        "Safari",
        "macOS",
    ),
    "curl/8.0": ("", ""),
    "": ("", ""),
}


def test_session_remembers_its_browser_once_an_hour():
    session = SessionStore()

    noted = [browsers.note(session, agent="x" * 999, now=NOON + timedelta(minutes=minutes)) for minutes in (0, 59, 61)]

    assert noted == [True, False, True]
    assert (session["seen"], len(session["agent"])) == ("2026-05-03T13:01:00+00:00", 300)
    assert session["since"] == "2026-05-03T12:00:00+00:00"


@pytest.mark.parametrize("agent", AGENTS)
def test_browser_is_named(alice: User, agent: str):
    client = makers.browser(alice)
    session = client.session
    session["agent"] = agent
    session.save()

    [browser] = browsers.of(alice, current="", now=timezone.now())

    assert (browser.program, browser.system) == AGENTS[agent]


def test_list_has_the_persons_own_browsers_this_one_first(alice: User, bob: User):
    here, there = makers.browser(alice), makers.browser(alice)
    makers.browser(bob)
    later = there.session
    later["seen"] = (timezone.now() + timedelta(hours=1)).isoformat()
    later.save()

    found = browsers.of(alice, current=here.session.session_key or "", now=timezone.now())

    assert [browser.current for browser in found] == [True, False]


def test_sessions_that_are_over_are_not_listed(alice: User):
    makers.browser(alice)

    assert browsers.of(alice, current="", now=timezone.now() + timedelta(days=31)) == []


def test_others_are_signed_out_and_nobody_else(alice: User, bob: User):
    here, there, elsewhere = makers.browser(alice), makers.browser(alice), makers.browser(bob)

    count = browsers.sign_out_others(alice, current=here.session.session_key or "", now=timezone.now())

    reached = [browser.get("/settings/").status_code for browser in (here, there, elsewhere)]
    assert (count, reached, Session.objects.count()) == (1, [200, 302, 200], 2)


def test_one_browser_is_signed_out_and_no_other(alice: User, bob: User):
    here, there, third, elsewhere = (makers.browser(each) for each in (alice, alice, alice, bob))
    current, now = here.session.session_key or "", timezone.now()
    handles = {each: handle_of(alice, each) for each in (here, there)} | {elsewhere: handle_of(bob, elsewhere)}

    ended = [browsers.sign_out(alice, each, current=current, now=now) for each in handles.values()]

    reached = [browser.get("/settings/").status_code for browser in (here, there, third, elsewhere)]
    assert (ended, reached) == ([False, True, False], [200, 302, 200, 200])


def test_pages_do_not_tell_the_keys_of_sessions(alice: User):
    here, there = makers.browser(alice), makers.browser(alice)

    page = here.get("/settings/browsers/").content.decode()

    keys = [each.session.session_key or "" for each in (here, there)]
    assert handle_of(alice, there) in page
    assert [key for key in keys if key in page] == []


def handle_of(person: User, client: Client) -> str:
    found = browsers.of(person, current=client.session.session_key or "", now=timezone.now())
    return next(each.handle for each in found if each.current)


def test_page_notes_the_browser_once(alice: User):
    client = makers.browser(alice)
    session = client.session
    del session["seen"]
    session.save()

    client.get("/settings/", headers={"User-Agent": "Firefox/140"})
    client.get("/settings/", headers={"User-Agent": "Firefox/141"})

    assert client.session["agent"] == "Firefox/140"
