"""Costs and savings in words."""

import pytest
from django.template.loader import render_to_string

from gallery.models import User
from gallery.templatetags import savings
from rendering.models import State
from tests import makers


@pytest.mark.parametrize(
    ("seconds", "text"),
    [(0, "0 ms"), (0.0203, "20 ms"), (-0.05, "-50 ms"), (0.3, "0.3 s"), (185, "3 min 5 s"), (15_120, "4.2 h")],
)
def test_computing_time_is_said_as_people_say_it(seconds: float, text: str):
    assert savings.cpu(seconds) == text


@pytest.mark.parametrize(
    ("amount", "text"),
    [
        (0, "0.00 EUR"),
        (0.00001, "0.00 EUR"),
        (0.00006, "0.0001 EUR"),
        (0.00123, "0.0012 EUR"),
        (1234.5, "1,234.50 EUR"),
    ],
)
def test_money_has_the_sites_currency(settings, amount: float, text: str):
    settings.CURRENCY = "EUR"

    assert savings.money(amount) == text


def test_share_is_in_whole_percent():
    assert savings.percent(0.126) == "13%"


def test_artwork_says_what_it_saved_or_cost(alice: User):
    painted = makers.artwork(makers.photo(alice))
    shared = makers.artwork(makers.photo(alice), same_file=True)
    unread = makers.artwork(makers.photo(alice), state=State.WAITING)

    said = [render_to_string("components/cost.html", {"artwork": each}).strip() for each in (painted, shared, unread)]

    assert said == ["0.1 s of computing time", "0.1 s of computing time saved", ""]
