"""Single sign-on, end to end: the site against a real OpenID Connect provider."""

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from django.conf import settings

from tests.gallery import oidc
from tests.processes import free_port

ALBUM = {"at": "/", "page": "gallery/album.html", "in": True}


def told_by_walk(folder: Path, address: str, **more: str) -> dict[str, Any]:
    """Walk through a site whose settings name this provider, and return what happened."""
    place = {
        "TEST_DATA_DIR": str(folder),
        "OIDC_NAME": "Home",
        "OIDC_SERVER_URL": address,
        "OIDC_CLIENT_ID": oidc.CLIENT,
        "OIDC_CLIENT_SECRET": oidc.SECRET,
    }
    command = [sys.executable, "-m", "tests.gallery.sso_walk"]
    done = subprocess.run(
        command, cwd=settings.BASE_DIR, env={**os.environ, **place, **more}, capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr
    told: dict[str, Any] = json.loads(done.stdout.splitlines()[-1])
    return told


@pytest.fixture(scope="module")
def told(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Any]:
    with oidc.running() as provider:
        walked = told_by_walk(tmp_path_factory.mktemp("site"), provider.address)
        return {**walked, "address": provider.address}


def test_door_has_a_button_that_may_lead_to_the_provider(told: dict[str, Any]):
    shown, policy = told["door"]

    assert shown
    assert f"form-action 'self' {told['address']}" in policy


def test_new_person_is_in_with_name_and_address(told: dict[str, Any]):
    assert told["open"] == [ALBUM, [[True, False, "nora@example.org"]]]


def test_person_who_comes_again_has_the_same_account(told: dict[str, Any]):
    assert told["again"] == [ALBUM, 1]


def test_name_that_is_taken_is_nobody_elses_door(told: dict[str, Any]):
    assert told["name is taken"] == [ALBUM, True]


def test_nobody_is_in_who_cancels_or_comes_with_a_forged_answer(told: dict[str, Any]):
    assert told["cancelled"]["in"] is False
    assert told["forged"][1] is False
    assert told["forged"][0] < 500


def test_closed_sign_up_holds_for_those_who_come_by_the_provider(told: dict[str, Any]):
    arrived, kept = told["closed"]

    assert (arrived["page"], arrived["in"], kept) == ("account/signup_closed.html", False, [])
    assert told["closed for new people alone"] == ALBUM


def test_invitations_hold_for_those_who_come_by_the_provider(told: dict[str, Any]):
    arrived, kept = told["not invited"]

    assert (arrived["page"], arrived["in"], kept) == ("account/signup_closed.html", False, [])
    assert told["invited"] == [ALBUM, [[True, False, "ivan@example.org"]]]


def test_approval_holds_for_those_who_come_by_the_provider(told: dict[str, Any]):
    waiting = {"at": "/waiting/", "page": "gallery/waiting.html", "in": False}

    assert told["waits"] == [waiting, [[False, True, "walter@example.org"]]]
    assert (told["still waits"], told["approved"]) == (waiting, ALBUM)


def test_admin_takes_the_provider_away_from_an_account_and_that_is_written_down(told: dict[str, Any]):
    shown, codes, left, noted = told["admin"]

    assert shown == ["socialaccount.SocialAccount"]
    assert codes == [200, 200, 403, 302]
    assert (left, noted) == (0, [["ada", "socialaccount.delete"]])


def test_provider_that_is_away_is_no_fault_of_the_site(tmp_path: Path):
    told = told_by_walk(tmp_path, f"http://127.0.0.1:{free_port()}", AWAY="yes")

    assert told == {"away": [401, "socialaccount/authentication_error.html"]}


def test_half_set_single_sign_on_does_not_start(tmp_path: Path):
    place = {**os.environ, "TEST_DATA_DIR": str(tmp_path), "OIDC_NAME": "Home"}
    command = [sys.executable, "manage.py", "check"]

    done = subprocess.run(command, cwd=settings.BASE_DIR, env=place, capture_output=True, text=True, check=False)

    assert done.returncode != 0
    assert "Single sign-on needs OIDC_NAME, OIDC_SERVER_URL, OIDC_CLIENT_ID and OIDC_CLIENT_SECRET." in done.stderr
