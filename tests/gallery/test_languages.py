"""The language and the theme of a person's pages."""

import pytest
from django.test import Client
from pytest_django import DjangoAssertNumQueries

from gallery.models import User

CHINESE = {"Accept-Language": "zh-CN,zh;q=0.9,en;q=0.5"}


def language(browser: Client, **headers: str) -> str:
    return str(browser.get("/history/", headers=headers).headers["Content-Language"])


@pytest.mark.parametrize(
    ("stored", "cookie", "accepted", "spoken"),
    [
        ("zh-hans", "en", "en", "zh-hans"),
        ("en", "zh-hans", "zh-CN", "en"),
        ("", "zh-hans", "en", "zh-hans"),
        ("", "", "zh-CN,zh;q=0.9", "zh-hans"),
        ("", "", "fr, en;q=0.5", "en"),
        ("", "xx", "", "en"),
    ],
)
def test_stored_language_wins_then_cookie_then_browser(
    alice: User, as_alice: Client, stored: str, cookie: str, accepted: str, spoken: str
):
    User.objects.filter(pk=alice.pk).update(language=stored)
    as_alice.cookies["django_language"] = cookie

    assert language(as_alice, **{"Accept-Language": accepted}) == spoken


def test_visitors_read_in_the_language_of_their_browser(db: None):
    response = Client().get("/accounts/login/", headers=CHINESE)

    assert response.headers["Content-Language"] == "zh-hans"
    assert '<html lang="zh-Hans"' in response.content.decode()


def test_language_of_a_visitor_asks_no_database(django_assert_num_queries: DjangoAssertNumQueries, db: None):
    with django_assert_num_queries(0):
        Client().get("/accounts/login/", headers=CHINESE)


@pytest.mark.parametrize(
    ("stored", "cookie", "shown"), [("dark", "light", "dark"), ("auto", "light", "auto"), ("light", "", "light")]
)
def test_theme_of_a_person_is_the_stored_one(alice: User, as_alice: Client, stored: str, cookie: str, shown: str):
    User.objects.filter(pk=alice.pk).update(theme=stored)
    as_alice.cookies["theme"] = cookie

    assert as_alice.get("/history/").context["theme"] == shown


@pytest.mark.parametrize(("cookie", "shown"), [("dark", "dark"), ("light", "light"), ("", "auto"), ("<b>", "auto")])
def test_theme_of_a_visitor_is_in_the_cookie(db: None, cookie: str, shown: str):
    browser = Client()
    browser.cookies["theme"] = cookie

    assert browser.get("/accounts/login/").context["theme"] == shown
