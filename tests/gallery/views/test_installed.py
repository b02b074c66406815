"""The site as an app: manifest, service worker, offline page, photos shared to it."""

import json
import re

from django.contrib.staticfiles import finders
from django.test import Client
from django.urls import reverse

from gallery.models import User
from tests import makers


def test_manifest_names_icons_that_there_are(db: None):
    said = Client().get(reverse("manifest")).json()

    names = [icon["src"].removeprefix("/static/") for icon in said["icons"]]
    assert [finders.find(re.sub(r"\.\w{12}(?=\.png$)", "", name)) is not None for name in names] == [True] * 3
    assert {icon["purpose"] for icon in said["icons"]} == {"any", "maskable"}


def test_manifest_is_in_the_persons_language(db: None):
    said = [Client().get(reverse("manifest"), headers={"Accept-Language": each}).json() for each in ("en", "zh-CN")]

    assert [each["lang"] for each in said] == ["en", "zh-Hans"]
    assert said[0]["short_name"] != said[1]["short_name"]


def test_manifest_takes_photos_that_other_apps_share(db: None):
    target = Client().get(reverse("manifest")).json()["share_target"]

    assert (target["action"], target["method"]) == (reverse("incoming"), "POST")
    assert "image/*" in target["params"]["files"][0]["accept"]


def test_shared_photos_lead_to_the_album_without_the_script(as_alice: Client, alice: User):
    strict = Client(enforce_csrf_checks=True)
    strict.force_login(alice)

    response = strict.post(reverse("incoming"), {"photos": makers.upload("a.jpg", makers.jpeg())})

    assert (response.status_code, response.headers["Location"]) == (302, reverse("album"))
    assert alice.photos.count() == 0


def test_service_worker_keeps_the_offline_page_and_nothing_of_anybody(as_alice: Client):
    response = as_alice.get(reverse("service_worker"))

    found = re.match(r"const SITE = (.+);\n", response.content.decode())
    assert found
    site = json.loads(found[1])
    assert response.headers["Content-Type"] == "text/javascript"
    assert response.headers["Cache-Control"] == "no-cache"
    assert site["kept"][0] == reverse("offline")
    assert [path for path in site["kept"][1:] if not path.startswith("/static/")] == []


def test_offline_page_says_nothing_of_the_person(as_alice: Client, alice: User):
    page = as_alice.get(reverse("offline")).content.decode()

    assert "You are offline" in page
    assert alice.username not in page
    assert "csrf" not in page
