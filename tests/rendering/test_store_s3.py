"""The store on a real S3 server, with the site's own settings for it, up to a whole painting by a real worker."""

import io
from collections.abc import Callable, Iterator
from typing import cast

import pytest
from django.core.files.storage import default_storage
from django.core.management import call_command
from storages.backends.s3 import S3Storage

from artworkshop import settings as site
from rendering import store, styles
from rendering.models import Rendition, Source, State
from tests import makers
from tests.processes import Crew, bucket, object_storage, same_site, wait_until
from tests.rendering.makers import admit, commission_all, photo

Listed = Callable[[], list[str]]


@pytest.fixture(scope="module")
def chosen() -> Iterator[dict[str, str]]:
    """Keep one S3 server for this file, and return the settings that lead there."""
    with object_storage() as chosen:
        yield chosen


@pytest.fixture
def listed(chosen: dict[str, str], settings, monkeypatch: pytest.MonkeyPatch) -> Iterator[Listed]:
    """Use the S3 server as an admin would, and return a function that lists its files."""
    for name, value in chosen.items():
        monkeypatch.setenv(name, value)
    monkeypatch.setattr(site, "STORAGE", "s3")
    settings.STORAGES = {**settings.STORAGES, "default": site._media_storage()}
    client = bucket(chosen)

    def names() -> list[str]:
        return sorted(each["Key"] for each in client.list_objects_v2(Bucket="photographs").get("Contents", []))

    yield names
    for name in names():
        client.delete_object(Bucket="photographs", Key=name)
    client.close()
    cast("S3Storage", default_storage).connection.meta.client.close()


def test_original_comes_back_as_it_was(listed):
    name = store.put_original(io.BytesIO(b"a photo" * 1000), extension="jpeg")

    assert listed() == [name]
    assert store.read(name) == b"a photo" * 1000


def test_pages_come_and_go(listed):
    pages = store.put_pages("photos", {480: b"small", 1024: b"larger"})
    filed = listed()

    store.remove_pages(pages.folder, pages.widths)

    assert filed == [f"{pages.folder}/1024.jpg", f"{pages.folder}/480.jpg"]
    assert listed() == []


def test_missing_file_is_told_apart(listed):
    with pytest.raises(store.Missing):
        store.read("photos/no/such.jpg")


def test_files_are_for_nobody_who_is_not_signed_in(listed, chosen):
    name = store.put_original(io.BytesIO(b"a photo"), extension="jpeg")
    stranger = bucket({**chosen, "S3_ACCESS_KEY": "tests", "S3_SECRET_KEY": "a guess"})

    with pytest.raises(stranger.exceptions.ClientError, match="SignatureDoesNotMatch"):
        stranger.get_object(Bucket="photographs", Key=name)
    stranger.close()


def test_wrong_key_is_unavailable(listed, settings):
    options = {**settings.STORAGES["default"]["OPTIONS"], "secret_key": "a guess"}
    settings.STORAGES = {**settings.STORAGES, "default": {**settings.STORAGES["default"], "OPTIONS": options}}

    with pytest.raises(store.Unavailable):
        store.put_original(io.BytesIO(b"a photo"), extension="jpeg")


def test_bad_server_does_not_hold_anybody_for_minutes(listed):
    config = cast("S3Storage", default_storage).client_config

    assert (config.connect_timeout, config.read_timeout) == (3, 10)
    assert config.retries == {"mode": "standard", "total_max_attempts": 5}
    assert config.s3 == {"addressing_style": "path"}


@pytest.mark.django_db
def test_sweep_removes_what_nobody_knows(listed, chosen):
    kept, painting = makers.source(), makers.rendition()
    known = listed()
    store.put_original(io.BytesIO(b"a photo"), extension="jpeg")
    store.put_pages("renditions", {48: b"a painting"})
    client = bucket(chosen)
    client.create_multipart_upload(Bucket="photographs", Key="originals/ab/half.jpeg")

    young, swept = io.StringIO(), io.StringIO()
    call_command("sweep", stdout=young)
    before = listed()
    call_command("sweep", "--older-than", "0", stdout=swept)

    assert "removed 0 files (0.0 MB), 0 empty folders, 0 uploads" in young.getvalue()
    assert "removed 2 files (0.0 MB), 0 empty folders, 1 uploads" in swept.getvalue()
    assert (len(before), listed()) == (len(known) + 2, known)
    assert client.list_multipart_uploads(Bucket="photographs").get("Uploads", []) == []
    assert {kept.original, f"{painting.folder}/48.jpg"} < set(known)
    client.close()


@pytest.mark.django_db
def test_sweep_finds_lost_paintings(listed):
    painting = makers.rendition()
    store.remove_pages(painting.folder, painting.widths)

    call_command("sweep", "--repair", stdout=io.StringIO())

    painting.refresh_from_db()
    assert painting.state == State.EVICTED


@pytest.mark.django_db(transaction=True)
def test_worker_paints_from_there_to_there(listed, chosen, valkey):
    with Crew({**same_site(), **chosen}) as crew:
        crew.worker()
        commission_all(admit(photo(width=600, height=450)))
        done = Rendition.objects.filter(state=State.DONE)
        wait_until(lambda: done.count() == len(styles.NAMES), seconds=60)

    source = Source.objects.get()
    pages = [f"{each.folder}/{width}.jpg" for each in (source, *done) for width in each.widths]
    assert listed() == sorted([source.original, *pages])
    assert store.read(pages[0]).startswith(b"\xff\xd8\xff")
