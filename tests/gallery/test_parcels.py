"""Parcels: ZIP files that every system can open, whole, and packed in little memory."""

import io
import json
import os
import tracemalloc
import zipfile
from pathlib import Path

import pytest
from django.core.files.base import ContentFile
from django.core.files.storage import default_storage
from django.utils import translation

from gallery import parcels
from gallery.models import Photo, User
from rendering import store
from rendering.models import Rendition, Source, State
from tests import makers

pytestmark = pytest.mark.django_db


def opened(photos) -> zipfile.ZipFile:
    parcel = zipfile.ZipFile(io.BytesIO(b"".join(parcels.pack(photos))))
    assert parcel.testzip() is None
    return parcel


def recipes(parcel: zipfile.ZipFile) -> list[dict[str, object]]:
    return list(json.loads(parcel.read("recipes.json")))


def test_parcel_holds_originals_paintings_and_recipes(alice: User):
    makers.finished_photo(alice, title="Falcon")
    waiting = makers.photo(alice, title="雪山")
    makers.artwork(waiting, state=State.WAITING)

    parcel = opened(alice.photos.all())

    assert parcel.namelist() == [
        "Falcon/Falcon.jpeg",
        "Falcon/Falcon - pencil, studio.jpg",
        "Falcon/Falcon - color-pencil, studio.jpg",
        "Falcon/Falcon - oil, studio.jpg",
        "Falcon/Falcon - watercolor, studio.jpg",
        "雪山/雪山.jpeg",
        "recipes.json",
    ]
    assert parcel.read("Falcon/Falcon.jpeg") == makers.jpeg()
    assert parcel.read("Falcon/Falcon - oil, studio.jpg") == makers.jpeg(64, 48, "maroon")


def test_recipes_say_how_each_file_was_painted(alice: User):
    photo = makers.photo(alice, title="Falcon")
    artwork = makers.artwork(photo, look="classic", same_file=True, full_size=True)

    [told] = recipes(opened(alice.photos.all()))

    assert (told["title"], told["file"], told["width"]) == ("Falcon", "Falcon/Falcon.jpeg", 64)
    assert told["paintings"] == [
        {
            "file": "Falcon/Falcon - oil, classic, full size.jpg",
            "style": "oil",
            "look": "classic",
            "full_size": True,
            "recipe": artwork.commission.recipe,
            "got": "same_file",
        }
    ]


def test_parcel_of_nothing_is_a_file_as_well(alice: User):
    parcel = opened(alice.photos.all())

    assert (parcel.namelist(), recipes(parcel)) == (["recipes.json"], [])


def test_names_are_unique_in_whatever_case(alice: User):
    for title in ("Falcon", "falcon", "Falcon", "Falcon (2)", "", ""):
        makers.photo(alice, title=title)

    names = [name.partition("/")[0] for name in opened(alice.photos.all()).namelist()]

    assert names == ["Falcon", "falcon (2)", "Falcon (3)", "Falcon (2) (2)", "Untitled", "Untitled (2)", "recipes.json"]
    assert len({name.casefold() for name in names}) == len(names)


@pytest.mark.parametrize(
    ("title", "name"),
    [
        ("a/b\\c", "a-b-c"),
        ("../../etc/passwd", "etc-passwd"),
        ('what? "x" <y> | *:', "what- -x- -y- - --"),
        ("con", "_con"),
        ("LPT1.txt", "_LPT1.txt"),
        ("console", "console"),
        (".hidden.", "hidden"),
        ("tab\tand\x00null\u202e", "tabandnull"),
        ("...", ""),
        ("é" * 100, "é" * 60),
        ("雪" * 100, "雪" * 40),
        ("x" * 119 + "雪", "x" * 119),
    ],
)
def test_names_are_safe_on_every_system(title: str, name: str):
    assert parcels.safe_name(title).rstrip("- ") == name.rstrip("- ")


def test_missing_files_are_named_and_the_rest_comes(alice: User):
    gone, kept = makers.photo(alice, title="Gone"), makers.photo(alice, title="Kept")
    makers.artwork(kept)
    store.remove([gone.source.original, store.page_file(Rendition.objects.get().folder, 64)])

    parcel = opened(alice.photos.all())

    assert parcel.namelist() == ["Kept/Kept.jpeg", "recipes.json", "missing.txt"]
    assert parcel.read("missing.txt").decode() == (
        "These files could not be read. Please try again later.\n\nGone/Gone.jpeg\nKept/Kept - oil, studio.jpg\n"
    )


def test_parcel_is_packed_on_in_the_language_in_which_it_was_begun(alice: User):
    makers.photo(alice, title="")
    with translation.override("de"):
        pieces = parcels.pack(alice.photos.all())
        first = next(pieces)

    with translation.override("zh-hans"):
        rest = b"".join(pieces)

    assert zipfile.ZipFile(io.BytesIO(first + rest)).namelist()[0] == "Untitled/Untitled.jpeg"


def test_parcel_that_nobody_wants_any_more_leaves_nothing(alice: User, uploads: Path, monkeypatch):
    monkeypatch.setattr(parcels, "PIECE", 1000)
    for _ in range(5):
        makers.finished_photo(alice)
    pieces = parcels.pack(alice.photos.all())
    next(pieces)

    pieces.close()

    assert list(uploads.iterdir()) == []


@pytest.mark.parametrize("count", [1, 3])
def test_parcel_asks_the_database_three_times_for_each_batch(alice: User, count: int, django_assert_num_queries):
    for _ in range(count):
        makers.finished_photo(alice)

    with django_assert_num_queries(3):
        opened(alice.photos.all())


@pytest.fixture
def large_album(alice: User) -> int:
    """Make an album of 200 photos of 400 KB each, and return how many bytes it has."""
    content = os.urandom(400_000)
    name = default_storage.save("originals/large.jpeg", ContentFile(content))
    rows = [
        Source(
            bytes_key=f"{number:064}",
            original=name,
            size=len(content),
            format="jpeg",
            width=9,
            height=9,
            waiting_since=makers.NOON,
        )
        for number in range(200)
    ]
    made = Source.objects.bulk_create(rows)
    Photo.objects.bulk_create(
        Photo(owner=alice, source=source, title=f"Photo {source.pk}", created_at=makers.NOON) for source in made
    )
    return 200 * len(content)


def test_two_hundred_photos_are_packed_in_little_memory(alice: User, large_album: int):
    tracemalloc.start()
    sent = sum(len(piece) for piece in parcels.pack(alice.photos.all()))
    _, most = tracemalloc.get_traced_memory()
    tracemalloc.stop()

    assert sent > large_album
    assert most < 4_000_000
