"""Walks through single sign-on on a site of its own, and prints what happened: `python -m tests.gallery.sso_walk`.

A process of its own, since the parts for it are installed only where the settings name a provider.
"""

import json
import os
from urllib.parse import urlsplit

import django

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "tests.settings")
django.setup()

import requests  # noqa: E402 - after the setup
from allauth.socialaccount.models import SocialAccount  # noqa: E402 - after the setup
from django.contrib.admin import site  # noqa: E402 - after the setup
from django.core.management import call_command  # noqa: E402 - after the setup
from django.test import Client, override_settings  # noqa: E402 - after the setup
from django.test.utils import setup_test_environment  # noqa: E402 - after the setup
from django.urls import reverse  # noqa: E402 - after the setup
from django.utils import timezone  # noqa: E402 - after the setup

from gallery import accounts, people  # noqa: E402 - after the setup
from gallery.models import AuditEntry, User  # noqa: E402 - after the setup

BEGIN = "/accounts/oidc/sso/login/"


def come(browser: Client, name: str) -> dict[str, object]:
    """Sign in at the provider and come back; return where that ended."""
    sent_to = browser.post(BEGIN).headers["Location"]
    back = requests.get(f"{sent_to}&login_hint={name}", allow_redirects=False, timeout=5).headers["Location"]
    response = browser.get(back.removeprefix("http://testserver"), follow=True)
    shown = [*response.redirect_chain, ("", response.status_code)]
    return {
        "at": urlsplit(next((address for address, _ in reversed(shown) if address), "")).path,
        "page": response.templates[0].name if response.templates else "",
        "in": "_auth_user_id" in browser.session,
    }


def standing(name: str) -> list[object]:
    return list(User.objects.filter(username=name).values_list("is_active", "awaits_approval", "email"))


def walk() -> dict[str, object]:
    admin = User.objects.create_superuser("ada")
    told: dict[str, object] = {}
    door = Client().get("/accounts/login/")
    told["door"] = [BEGIN in door.content.decode(), door.headers["Content-Security-Policy"]]
    told["open"] = [come(Client(), "nora"), standing("nora")]
    told["again"] = [come(Client(), "nora"), User.objects.filter(username__startswith="nora").count()]
    told["cancelled"] = come(Client(), "nobody")
    told["name is taken"] = [
        come(Client(), "ada"),
        User.objects.filter(email="ada@example.org").get().username != "ada",
    ]
    with override_settings(SIGN_UP="closed"):
        told["closed"] = [come(Client(), "carl"), standing("carl")]
        told["closed for new people alone"] = come(Client(), "nora")
    with override_settings(SIGN_UP="invitation"):
        told["not invited"] = [come(Client(), "ivan"), standing("ivan")]
        invitation = accounts.invite(by=admin, note="", now=timezone.now())
        browser = Client()
        browser.get(f"/invitations/{invitation.key}/")
        told["invited"] = [come(browser, "ivan"), standing("ivan")]
    with override_settings(SIGN_UP="approval"):
        told["waits"] = [come(Client(), "walter"), standing("walter")]
        told["still waits"] = come(Client(), "walter")
        people.approve(User.objects.get(username="walter"), by=admin, now=timezone.now())
        told["approved"] = come(Client(), "walter")
    told["admin"] = unlinked(admin)
    forged = Client()
    forged.post(BEGIN)
    told["forged"] = [forged.get(f"{BEGIN}callback/?code=x&state=y").status_code, "_auth_user_id" in forged.session]
    return told


def unlinked(admin: User) -> list[object]:
    """Have the admin take the provider away from an account; return what the admin may do there, and what was noted."""
    browser, linked = Client(), SocialAccount.objects.get(user__username="nora")
    browser.force_login(admin)
    shown = [model._meta.label for model in site._registry if model._meta.app_label == "socialaccount"]
    pages = [reverse(f"admin:socialaccount_socialaccount_{what}", args=[linked.pk]) for what in ("change", "delete")]
    codes = [browser.get(reverse("admin:socialaccount_socialaccount_changelist"), {"q": "nora"}).status_code]
    codes += [browser.get(pages[0]).status_code, browser.post(pages[0], {"uid": "x"}).status_code]
    codes += [browser.post(pages[1], {"post": "yes"}).status_code]
    left = SocialAccount.objects.filter(pk=linked.pk).count()
    noted = AuditEntry.objects.filter(action__startswith="socialaccount")
    return [shown, codes, left, list(noted.values_list("actor_name", "action"))]


def lonely() -> list[object]:
    """Return what the site answers while the provider is away."""
    response = Client().post(BEGIN, follow=True)
    return [response.status_code, response.templates[0].name]


if __name__ == "__main__":
    setup_test_environment()
    call_command("migrate", verbosity=0)
    answer = {"away": lonely()} if os.environ.get("AWAY") else walk()
    print(json.dumps(answer))  # noqa: T201 - the test reads it
