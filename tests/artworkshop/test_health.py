"""Probes are answered whatever the rest of the site thinks of them."""

import pytest
from django.test import Client
from pytest_django import Settings


@pytest.mark.parametrize("host", ["10.0.0.7:8000", "photos.example.org"])
def test_probe_is_answered_by_any_name(settings: Settings, host: str) -> None:
    settings.ALLOWED_HOSTS = ["photos.example.org"]

    answer = Client(headers={"host": host}).get("/livez")

    assert (answer.status_code, answer.content, answer["Content-Type"]) == (200, b"alive\n", "text/plain")


def test_other_addresses_are_refused_under_another_name(settings: Settings) -> None:
    settings.ALLOWED_HOSTS = ["photos.example.org"]

    answer = Client(headers={"host": "evil.example.com"}).get("/accounts/login/")

    assert answer.status_code == 400
