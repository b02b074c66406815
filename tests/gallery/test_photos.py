"""Photos: added to an album, renamed, removed."""

import hashlib
import struct
import zlib
from collections import Counter
from pathlib import Path

import pytest
from pytest_django import DjangoCaptureOnCommitCallbacks as Committing

from gallery import photos
from gallery.models import Artwork, Photo, User
from gallery.photos import Outcome, Result
from gallery.uploads import HashedUpload
from rendering.models import Commission, Rendition, Source, State
from tests import makers
from tests.makers import NOON, PHOTOS
from tests.rendering.makers import simultaneously

STYLES = ["pencil", "oil"]


def hashed(name: str, content: bytes | None = None, *, limit: int = 40_000_000) -> HashedUpload:
    file = HashedUpload(name, "image/jpeg")
    file.add((PHOTOS / name).read_bytes() if content is None else content, limit=limit)
    file.flush()
    file.seek(0)
    return file


def add(owner: User, file: HashedUpload, *, styles: list[str] = STYLES) -> Result:
    try:
        return photos.add_photo(owner=owner, file=file, styles=styles, look="studio", full_size=False, now=NOON)
    finally:
        file.close()


def bomb() -> bytes:
    """Return a PNG whose header promises 12,000 by 12,000 pixels."""
    head = b"IHDR" + struct.pack(">2I5B", 12_000, 12_000, 8, 2, 0, 0, 0)
    body = b"IDAT" + zlib.compress(bytes(1000))
    chunks = (head, body, b"IEND")
    parts = (struct.pack(">I", len(chunk) - 4) + chunk + struct.pack(">I", zlib.crc32(chunk)) for chunk in chunks)
    return b"\x89PNG\r\n\x1a\n" + b"".join(parts)


@pytest.mark.parametrize(
    ("name", "size"),
    [
        ("prairie_falcon.jpg", (800, 533)),
        ("portrait-orientation-6.jpg", (840, 700)),
        ("denali.webp", (600, 315)),
        ("8bit-sRGB.avif", (1617, 1080)),
    ],
)
def test_photo_is_added_and_commissioned(alice: User, name: str, size: tuple[int, int]):
    result = add(alice, hashed(name))

    photo = alice.photos.get()
    assert result == Result(name, Outcome.ADDED, "Added to your album.", photo)
    assert (photo.source.width, photo.source.height) == size
    assert photo.source.size == (PHOTOS / name).stat().st_size
    assert photo.source.state == State.WAITING
    assert [(artwork.style, artwork.look, artwork.same_file) for artwork in photo.artworks.order_by("pk")] == [
        ("pencil", "studio", False),
        ("oil", "studio", False),
    ]


def test_photo_keeps_the_original_bytes(alice: User, media: Path):
    add(alice, hashed("denali.webp"))

    kept = media / alice.photos.get().source.original
    assert (
        hashlib.sha256(kept.read_bytes()).hexdigest()
        == hashlib.sha256((PHOTOS / "denali.webp").read_bytes()).hexdigest()
    )


def test_photo_that_is_there_already_is_shown_and_gets_what_it_lacks(alice: User):
    first = add(alice, hashed("denali.webp"), styles=["pencil"])

    again = add(alice, hashed("another name.webp", (PHOTOS / "denali.webp").read_bytes()), styles=["pencil", "oil"])

    assert again == Result("another name.webp", Outcome.KNOWN, "This photo is in your album already.", first.photo)
    assert list(Artwork.objects.order_by("pk").values_list("style", flat=True)) == ["pencil", "oil"]
    assert alice.photos.get().title == "denali"


def test_photo_of_another_person_with_the_same_file_shares_source_and_commissions(alice: User, bob: User):
    add(alice, hashed("denali.webp"))

    result = add(bob, hashed("denali.webp"))

    assert result.outcome == Outcome.ADDED
    assert (Source.objects.count(), Commission.objects.count(), Photo.objects.count()) == (1, 2, 2)
    assert list(bob.photos.get().artworks.values_list("same_file", flat=True)) == [True, True]


@pytest.mark.parametrize(
    ("name", "content", "text"),
    [
        ("letter.jpg", b"Dear Sir or Madam,\n" * 100, "This file is not a picture."),
        ("empty.jpg", b"", "This file is empty."),
        ("bomb.png", bomb(), "This picture has more pixels than are allowed here."),
        ("half.jpg", makers.jpeg()[:20], "This picture is damaged and cannot be read."),
        ("dot.jpg", makers.jpeg(8, 8), "This picture is too small to paint: it needs at least 16 pixels each way."),
    ],
)
def test_file_that_cannot_be_a_photo_is_refused_in_words(
    alice: User, media: Path, name: str, content: bytes, text: str
):
    result = add(alice, hashed(name, content))

    assert result == Result(name, Outcome.REFUSED, text)
    assert (Photo.objects.count(), Source.objects.count()) == (0, 0)
    assert [path for path in media.rglob("*") if path.is_file()] == []


def test_file_that_was_cut_is_refused_in_words(alice: User):
    result = add(alice, hashed("large.jpg", makers.jpeg(), limit=100))

    assert result == Result("large.jpg", Outcome.REFUSED, "This file is larger than is allowed here.")


def test_photos_are_added_one_by_one_whatever_their_neighbors_are(alice: User):
    files = [hashed("denali.webp"), hashed("letter.jpg", b"Dear Sir"), hashed("portrait.jpg")]

    results = photos.add_photos(owner=alice, files=files, styles=["pencil"], look="fast", full_size=False, now=NOON)

    for file in files:
        file.close()
    assert [result.outcome for result in results] == [Outcome.ADDED, Outcome.REFUSED, Outcome.ADDED]
    assert sorted(alice.photos.values_list("title", flat=True)) == ["denali", "portrait"]


@pytest.mark.django_db(transaction=True)
def test_file_that_is_sent_many_times_at_once_is_one_photo():
    alice = makers.person("alice")

    results = simultaneously(8, lambda: add(alice, hashed("denali.webp")))

    assert Counter(result.outcome for result in results) == {Outcome.ADDED: 1, Outcome.KNOWN: 7}
    assert [model.objects.count() for model in (Photo, Source, Artwork, Commission)] == [1, 1, 2, 2]


@pytest.mark.parametrize(
    ("file_name", "title"),
    [
        ("Prairie falcon.jpg", "Prairie falcon"),
        ("holiday.2024.JPEG", "holiday.2024"),
        ("Mt. Denali", "Mt. Denali"),
        ("雪山.heic", "雪山"),
        ("cafe\u0301.png", "café"),
        ("evil\u202egpj.exe", "evilgpj"),
        ("two\nlines\t here.png", "two lines here"),
        ("x" * 200 + ".png", "x" * 120),
        (".jpg", ""),
        ("<b>bold</b>.jpg", "<b>bold</b>"),
    ],
)
def test_title_comes_from_the_file_name(file_name: str, title: str):
    assert photos.title_of(file_name) == title


def test_photo_is_renamed(alice: User):
    photo = makers.photo(alice)

    photos.rename(photo, title="  A\u202e new\nname ")

    photo.refresh_from_db()
    assert photo.title == "A new name"


def test_removed_photo_leaves_nothing_behind(alice: User, media: Path, django_capture_on_commit_callbacks: Committing):
    photo = makers.finished_photo(alice)

    with django_capture_on_commit_callbacks(execute=True):
        photos.remove(photo, now=NOON)

    counts = [model.objects.count() for model in (Photo, Artwork, Commission, Source, Rendition)]
    assert counts == [0, 0, 0, 0, 0]
    assert [path for path in media.rglob("*") if path.is_file()] == []


def test_removed_photo_leaves_what_another_person_has(
    alice: User, bob: User, media: Path, django_capture_on_commit_callbacks: Committing
):
    photo = makers.finished_photo(alice)
    shared = makers.photo(bob, of=photo.source)
    kept = Artwork.objects.filter(photo=photo, style="oil").get()
    Artwork.objects.create(photo=shared, commission=kept.commission, style="oil", look="studio", created_at=NOON)

    with django_capture_on_commit_callbacks(execute=True):
        photos.remove(photo, now=NOON)

    assert [artwork.style for artwork in Artwork.objects.all()] == ["oil"]
    assert (Source.objects.count(), Rendition.objects.get()) == (1, kept.commission.rendition)
    assert len([path for path in media.rglob("*") if path.is_file()]) == 5


def test_removed_photo_stops_its_painting(alice: User, bob: User):
    photo = makers.photo(alice)
    alices = makers.artwork(photo, state=State.WAITING)
    gave_up = makers.photo(bob, of=photo.source)
    Artwork.objects.create(
        photo=gave_up, commission=alices.commission, style="oil", look="studio", created_at=NOON, cancelled_at=NOON
    )

    photos.remove(photo, now=NOON)

    assert Rendition.objects.get().state == State.CANCELLED
