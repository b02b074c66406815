"""The sweep removes what nobody knows, lets live what is young or known, and finds what is lost."""

import io
import os
from datetime import timedelta
from pathlib import Path

import pytest
from django.core.files.base import ContentFile
from django.core.files.storage import default_storage
from django.core.management import CommandError, call_command
from django.utils import timezone

from gallery.uploads import HashedUpload
from rendering import store, sweep
from rendering.models import Export, ExportFormat, Rendition, State
from tests import makers
from tests.makers import NOON

pytestmark = pytest.mark.django_db
HOUR = timedelta(hours=1)
NAME = "ab" * 16


def swept(*words: str) -> str:
    """Return what the command says, which looks at files of any age unless it is told otherwise."""
    out = io.StringIO()
    call_command("sweep", *(words or ("--older-than", "0")), stdout=out)
    return out.getvalue()


def one_of_each() -> None:
    """Make a source, a rendition with a preview, and an export, with all their files."""
    makers.source()
    preview = store.put_pages("previews", {480: b"preview"})
    painted = makers.rendition(preview=preview.folder)
    file = store.put_export(b"export", extension="png")
    Export.objects.create(
        rendition=painted,
        format=ExportFormat.PNG,
        intensity=100,
        file=file,
        size=6,
        state=State.DONE,
        used_at=NOON,
        waiting_since=NOON,
    )


def leave(name: str, *, hours_ago: float = 0) -> str:
    """Leave a file that nobody knows."""
    name = default_storage.save(name, ContentFile(b"content"))
    age(Path(default_storage.path(name)), hours_ago)
    return name


def age(path: Path, hours: float) -> None:
    then = timezone.now().timestamp() - 3600 * hours
    os.utime(path, (then, then))


def test_known_files_stay(media):
    one_of_each()
    before = media()

    said = swept("--older-than", "0", "--repair")

    assert media() == before
    assert len(before) == 7
    assert "removed 0 files (0.0 MB), 0 empty folders, 0 uploads that never ended" in said
    assert "renditions: 2 files, 0.0 MB, 0 unknown, 0 of 1 rows without their files" in said
    assert not Rendition.objects.filter(state=State.EVICTED).exists()


@pytest.mark.parametrize(
    "name",
    [
        f"originals/ab/{NAME}.jpeg",
        f"photos/ab/{NAME}/480.jpg",
        f"renditions/ab/{NAME}/480.jpg",
        f"previews/ab/{NAME}/480.jpg",
        f"exports/ab/{NAME}.png",
        f"doctor/{NAME}",
        f"renditions/ab/{NAME}/.part-1234",
        "doctor/.part-1234",
    ],
)
def test_files_that_nobody_knows_go(media, name):
    one_of_each()
    known = media()
    leave(name, hours_ago=2)

    said = swept("--dry-run")
    assert len(media()) == len(known) + 1
    assert " 1 unknown" in said

    said = swept()
    assert media() == known
    assert "removed 1 files" in said


def test_swept_folders_go_with_their_files(media):
    leave(f"renditions/ab/{NAME}/480.jpg")

    swept()

    assert default_storage.listdir("renditions") == ([], [])


def test_file_that_was_written_just_now_stays(media):
    """Whoever wrote it has not yet committed its row."""
    young = leave(f"originals/ab/{NAME}.jpeg")
    half = leave(f"originals/ab/.part-{NAME}")

    said = swept("--older-than", "1")

    assert media() == sorted([young, half])
    assert "originals: 2 files, 0.0 MB, 0 unknown" in said


def test_old_file_goes_after_a_second_look(media, monkeypatch):
    monkeypatch.setattr(sweep, "SECOND_LOOK_SECONDS", 0.01)
    leave(f"originals/ab/{NAME}.jpeg", hours_ago=2)

    swept("--older-than", "1")

    assert media() == []


def test_file_whose_row_comes_between_the_looks_stays(media):
    """As when the clock jumps an hour ahead: what was written a second ago looks old."""
    name = leave(f"originals/ab/{NAME}.jpeg", hours_ago=2)
    found = sweep.look(before=timezone.now() - HOUR)

    makers.source(original=name)
    removed = sweep.remove_unknown(found)

    assert [file.name for _, file in found.unknown] == [name]
    assert removed.files == 0
    assert name in media()


def test_files_of_others_are_left_alone(media):
    strange = [leave("notes.txt", hours_ago=9), leave("originals/README", hours_ago=9)]

    swept()

    assert media() == sorted(strange)


def test_uploads_of_killed_web_processes_go(settings, tmp_path):
    settings.FILE_UPLOAD_TEMP_DIR = str(tmp_path)
    running, dead = HashedUpload("a.jpg", "image/jpeg"), HashedUpload("b.jpg", "image/jpeg")
    age(Path(dead.temporary_file_path()), 2)
    (tmp_path / "upload-of-somebody-else").touch()
    age(tmp_path / "upload-of-somebody-else", 2)

    said = swept("--older-than", "1")

    left = [Path(running.temporary_file_path()).name, "upload-of-somebody-else"]
    assert sorted(path.name for path in tmp_path.iterdir()) == sorted(left)
    assert "1 uploads that never ended" in said
    running.close()
    dead.close()


def test_old_empty_folders_go(media):
    folder = Path(default_storage.path(f"photos/ab/{NAME}"))
    folder.mkdir(parents=True)

    assert "0 empty folders" in swept("--older-than", "1")
    assert "2 empty folders" in swept()


def test_lost_painting_is_painted_again_when_somebody_wants_it(media):
    one_of_each()
    painting = Rendition.objects.get()
    default_storage.delete(store.page_file(painting.folder, 48))

    told = swept()
    painting.refresh_from_db()
    assert f"lost: rendition {painting.pk}: {painting.folder}" in told
    assert painting.state == State.DONE

    swept("--repair", "--older-than", "0")
    painting.refresh_from_db()
    assert (painting.state, painting.folder, painting.widths, painting.stored_bytes) == (State.EVICTED, "", [], 0)
    assert "renditions: 1 files" in swept()  # its other width was left, and is gone now
    assert [name for name in media() if name.startswith("renditions/")] == []


def test_painting_that_a_power_cut_emptied_is_lost(media):
    painting = makers.rendition()
    Path(default_storage.path(store.page_file(painting.folder, 64))).write_bytes(b"")

    swept("--repair")

    painting.refresh_from_db()
    assert painting.state == State.EVICTED


def test_lost_thumbnails_are_made_again_from_the_photo(media):
    source = makers.source()
    store.remove_pages(source.folder, source.widths)

    said = swept("--repair", "--older-than", "0")

    source.refresh_from_db()
    assert (source.state, source.folder, source.widths) == (State.WAITING, "", [])
    assert "1 rows have their files made again" in said


def test_lost_photo_is_told_and_nothing_is_changed(media):
    source = makers.source()
    store.remove([source.original])
    store.remove_pages(source.folder, source.widths)

    said = swept("--repair", "--older-than", "0")

    source.refresh_from_db()
    assert source.state == State.DONE
    assert f"cannot be made again: source {source.pk}: {source.original}" in said
    assert f"cannot be made again: source {source.pk}: {source.folder}" in said


def test_lost_export_and_preview_are_forgotten(media):
    one_of_each()
    painting = Rendition.objects.get()
    store.remove([Export.objects.get().file])
    store.remove_pages(painting.preview, [480])

    swept("--repair", "--older-than", "0")

    painting.refresh_from_db()
    assert (painting.preview, painting.state) == ("", State.DONE)
    assert not Export.objects.exists()


def test_row_that_is_removed_between_the_looks_is_not_lost(media):
    painting = makers.rendition()
    store.remove_pages(painting.folder, painting.widths)
    found = sweep.look(before=timezone.now())
    painting.delete()

    hopeless = sweep.mend(found, now=timezone.now())

    assert (len(found.lost), hopeless) == (1, [])


def test_sweep_of_the_wrong_database_changes_nothing(media):
    """A database that knows hardly any of many photos is not the one of this storage."""
    for index in range(101):
        leave(f"originals/{index % 16:x}0/{index:032x}.jpeg")

    with pytest.raises(CommandError, match="Most of originals seems wrong"):
        swept()
    assert len(media()) == 101

    swept("--older-than", "0", "--yes")
    assert media() == []


def test_storage_that_is_not_mounted_evicts_nothing(media):
    Rendition.objects.bulk_create(
        Rendition(
            canvas_key=f"{index:064d}",
            recipe_digest="",
            style_version=1,
            waiting_since=NOON,
            state=State.DONE,
            width=1,
            folder=f"renditions/{index % 16:x}0/{index}",
            widths=[48],
        )
        for index in range(101)
    )

    with pytest.raises(CommandError, match="Most of renditions seems wrong"):
        swept("--repair", "--older-than", "0")

    assert Rendition.objects.filter(state=State.DONE).count() == 101


def test_storage_that_cannot_be_read_is_told(settings, tmp_path):
    (tmp_path / "originals").touch()
    options = {**settings.STORAGES["default"]["OPTIONS"], "location": str(tmp_path)}
    settings.STORAGES = {**settings.STORAGES, "default": {"BACKEND": "rendering.disk.WholeFiles", "OPTIONS": options}}

    with pytest.raises(CommandError, match="The storage cannot be read"):
        swept()


def test_sweep_asks_the_database_no_more_for_more_files(media, django_assert_max_num_queries):
    for _ in range(30):
        makers.source()

    with django_assert_max_num_queries(6 * len(sweep.SHELVES)):
        sweep.look(before=timezone.now())
