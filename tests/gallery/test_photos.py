"""Photos: added to an album, described, favored, put into the bin, brought back, erased."""

import hashlib
import struct
import zlib
from collections import Counter
from datetime import timedelta
from pathlib import Path

import pytest
from django.core.management import call_command
from pytest_django import DjangoAssertNumQueries
from pytest_django import DjangoCaptureOnCommitCallbacks as Committing

from gallery import accounts, photos
from gallery.models import Artwork, Photo, Stage, User
from gallery.photos import Outcome, Result
from gallery.uploads import HashedUpload
from rendering.models import Commission, Rendition, Source, State
from tests import makers
from tests.makers import NOON, PHOTOS
from tests.rendering.makers import simultaneously

STYLES = ["pencil", "oil"]
LATER = NOON + timedelta(minutes=5)


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

    assert again == Result(
        "another name.webp", Outcome.KNOWN, "In your album already; what it lacks is painted.", first.photo
    )
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

    photos.describe(photo, title="  A\u202e new\nname ", description="x" * 301)

    photo.refresh_from_db()
    assert (photo.title, photo.description) == ("A new name", "x" * 300)


def test_erased_photo_leaves_nothing_behind(alice: User, media: Path, django_capture_on_commit_callbacks: Committing):
    photo = makers.finished_photo(alice)

    with django_capture_on_commit_callbacks(execute=True):
        photos.erase(photo, now=NOON)

    counts = [model.objects.count() for model in (Photo, Artwork, Commission, Source, Rendition)]
    assert counts == [0, 0, 0, 0, 0]
    assert [path for path in media.rglob("*") if path.is_file()] == []


def test_erased_photo_leaves_what_another_person_has(
    alice: User, bob: User, media: Path, django_capture_on_commit_callbacks: Committing
):
    photo = makers.finished_photo(alice)
    shared = makers.photo(bob, of=photo.source)
    kept = Artwork.objects.filter(photo=photo, style="oil").get()
    Artwork.objects.create(photo=shared, commission=kept.commission, style="oil", look="studio", created_at=NOON)

    with django_capture_on_commit_callbacks(execute=True):
        photos.erase(photo, now=NOON)

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


def test_removed_photo_is_in_the_bin_and_keeps_its_paintings(alice: User):
    photo = makers.finished_photo(alice)

    photos.remove(photo, now=NOON)

    assert (list(alice.photos.kept()), list(alice.photos.in_album()), list(alice.photos.in_bin())) == ([], [], [photo])
    assert list(Artwork.objects.history_of(alice)) == []
    assert photo.artworks.at_stage(Stage.DONE).count() == 4
    assert accounts.usage_of(alice).bytes > photo.source.size


def test_photo_goes_on_where_it_stopped_when_it_comes_back(alice: User):
    photo = makers.photo(alice)
    stopped = makers.artwork(photo, state=State.WAITING)
    given_up = makers.artwork(photo, style="pencil", cancelled_at=NOON)
    photos.remove(photo, now=LATER)

    count = photos.bring_back(alice.photos.all(), of=alice, now=LATER)

    assert (count, list(alice.photos.kept())) == (1, [photo])
    assert photo.artworks.at_stage(Stage.WAITING).get() == stopped
    assert photo.artworks.at_stage(Stage.CANCELLED).get() == given_up


def test_nobody_touches_the_photos_of_others(alice: User, bob: User):
    kept, binned = makers.photo(alice), makers.photo(alice)
    photos.remove(binned, now=NOON)
    hers = Photo.objects.filter(owner=alice)

    counts = [
        photos.favor(hers, of=bob, favorite=True),
        photos.remove_many(hers, of=bob, now=NOON),
        photos.bring_back(hers, of=bob, now=NOON),
        photos.erase_many(hers, of=bob, now=NOON),
    ]

    assert counts == [0, 0, 0, 0]
    assert (list(alice.photos.kept()), list(alice.photos.in_bin())) == ([kept], [binned])


def test_same_file_brings_its_photo_back_from_the_bin(alice: User):
    first = add(alice, hashed("denali.webp"), styles=["pencil"])
    photos.remove(alice.photos.get(), now=LATER)

    again = add(alice, hashed("denali.webp"), styles=["pencil"])

    text = "This photo was in the bin, and is back in your album."
    assert again == Result("denali.webp", Outcome.KNOWN, text, first.photo)
    assert [artwork.stage for artwork in alice.photos.kept().get().artworks.all()] == [Stage.WAITING]


def test_only_what_is_in_the_bin_is_erased(alice: User):
    kept, binned = makers.finished_photo(alice), makers.finished_photo(alice)
    photos.remove(binned, now=NOON)

    count = photos.erase_many(alice.photos.all(), of=alice, now=NOON)

    assert (count, list(alice.photos.all())) == (1, [kept])


def test_bins_are_emptied_after_thirty_days(alice: User, bob: User):
    kept, old, young = makers.photo(alice), makers.photo(alice), makers.photo(alice)
    bobs = makers.photo(bob)
    for photo, moment in ((old, NOON), (bobs, NOON), (young, NOON + timedelta(seconds=1))):
        photos.remove(photo, now=moment)

    assert photos.empty_bins(now=NOON + photos.IN_BIN - timedelta(seconds=1)) == 0
    assert photos.empty_bins(now=NOON + photos.IN_BIN) == 2
    assert set(Photo.objects.all()) == {kept, young}


def test_opening_the_bin_erases_what_is_there_for_too_long(alice: User):
    old, young = makers.photo(alice), makers.photo(alice)
    photos.remove(old, now=NOON)
    photos.remove(young, now=LATER)

    assert photos.in_bin(of=alice, now=NOON + photos.IN_BIN) == 1
    assert alice.photos.get() == young


def test_caretaker_erases_what_was_removed_long_ago(alice: User):
    photos.remove(makers.finished_photo(alice), now=NOON)

    call_command("tend", "--once")

    assert not Photo.objects.exists()


def test_closed_account_leaves_nothing_in_the_bin(alice: User, bob: User):
    photos.remove(makers.finished_photo(alice), now=NOON)
    makers.finished_photo(alice)
    bobs = makers.photo(bob)

    accounts.close_account(alice)

    assert (Photo.objects.get(), Source.objects.get()) == (bobs, bobs.source)


@pytest.mark.parametrize("count", [1, 30])
def test_many_are_removed_and_favored_in_few_statements(
    alice: User, count: int, django_assert_max_num_queries: DjangoAssertNumQueries
):
    for _ in range(count):
        makers.artwork(makers.photo(alice), state=State.DONE)

    with django_assert_max_num_queries(9):
        photos.favor(alice.photos.all(), of=alice, favorite=True)
        photos.remove_many(alice.photos.all(), of=alice, now=NOON)

    assert alice.photos.in_bin().filter(favorite=True).count() == count
