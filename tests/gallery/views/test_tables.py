"""The history as a table: the same lines as the page, safe in a spreadsheet."""

import csv
import io
from typing import Any

import pytest
from asgiref.sync import async_to_sync
from django.test import AsyncClient, Client

from gallery.models import User
from rendering.models import State
from tests import makers

TABLE = "/history/table.csv"


def text(response) -> str:
    return str(response.getvalue().decode("utf-8-sig"))


def rows(response) -> list[dict[str, str]]:
    return list(csv.DictReader(io.StringIO(text(response))))


def test_table_holds_every_line_with_its_costs(as_alice: Client, alice: User, bob: User):
    makers.artwork(makers.photo(bob))
    photo = makers.photo(alice, of=makers.source(cpu_seconds=2.0), title="Falcon, flying")
    artwork = makers.artwork(photo, same_file=True)
    makers.artwork(photo, style="pencil", state=State.WAITING)

    response = as_alice.get(TABLE)

    waiting, done = rows(response)
    assert (waiting["Style"], waiting["State"], waiting["Saved, seconds"]) == ("Pencil sketch", "waiting", "")
    assert done == {
        "Asked for": "2026-05-03 12:00:00",
        "Photo": "Falcon, flying",
        "Style": "Oil painting",
        "Look": "Studio",
        "Full size": "no",
        "State": "done",
        "How it was got": "same file",
        "Waited, seconds": "0.000",
        "Computing time, seconds": "0.000",
        "Saved, seconds": "2.100",
        "Recipe": artwork.commission.recipe,
    }
    assert response.headers["Content-Type"] == "text/csv; charset=utf-8"
    assert response.headers["Content-Disposition"].startswith('attachment; filename="My history.csv"')
    assert response.headers["Cache-Control"] == "private, no-store"


@pytest.mark.parametrize("sign", ["=", "+", "-", "@", "\t", "\uff1d", " ="])
def test_titles_are_no_formulas(as_alice: Client, alice: User, sign: str):
    makers.artwork(makers.photo(alice, title=f'{sign}HYPERLINK("https://evil.example")'))

    [row] = rows(as_alice.get(TABLE))

    assert row["Photo"] == f'\'{sign}HYPERLINK("https://evil.example")'


def test_table_is_filtered_as_the_page_is(as_alice: Client, alice: User):
    photo = makers.photo(alice)
    for style in ("oil", "pencil"):
        makers.artwork(photo, style=style)

    shown = rows(as_alice.get(TABLE, {"style": "oil", "since": "2026-05-03", "until": "odd"}))
    none = rows(as_alice.get(TABLE, {"since": "2026-05-04"}))

    assert ([row["Style"] for row in shown], none) == (["Oil painting"], [])


def test_table_speaks_the_persons_language_and_clock(as_alice: Client, alice: User):
    User.objects.update(language="zh-hans")
    as_alice.cookies["zone"] = "Asia/Shanghai"
    makers.artwork(makers.photo(alice))

    lines = text(as_alice.get(TABLE)).splitlines()

    assert lines[1].startswith("2026-05-03 20:00:00,Falcon,油画")


@async_to_sync
async def sent_over_asgi(person: User) -> bytes:
    browser = AsyncClient()
    await browser.aforce_login(person)
    response: Any = await browser.get(TABLE)
    return b"".join([piece async for piece in response.streaming_content])


def test_table_is_sent_by_an_asynchronous_server(alice: User):
    assert sent_over_asgi(alice).startswith(b"\xef\xbb\xbfAsked for,")
