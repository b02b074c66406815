"""The storage against the database: files that nobody knows are removed, rows whose files are lost are mended.

Both are looked at twice: what the first look finds is only a suspicion, since photos come and go meanwhile.
"""

import re
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from django.conf import settings
from django.db.models import QuerySet

from rendering import renditions, store
from rendering.disk import Stored
from rendering.models import Export, Rendition, Source, State

SHELVES = ".0123456789abcdef"
"""What the names inside a kind's folder begin with; compared one after the other, since all do not fit into memory."""

MOST = 50_000
"""So many files and rows are mended by one sweep; the next one does the rest."""

ALARMING = 100
"""When more files than these, and more than half of a kind, seem wrong, it is rather the sweep that is wrong."""

SECOND_LOOK_SECONDS = 25
"""Between the looks: longer than an upload may wait for the database. A clock that jumps ahead makes every file look
old, also one whose row is about to be committed."""

SPOOLED = re.compile(r"upload-[a-z0-9_]{8}")
BATCH = 500


@dataclass(frozen=True)
class Kind:
    """What one folder of the storage holds, and the column of the database that knows it."""

    folder: str
    rows: QuerySet[Any]
    column: str = "folder"
    widths: tuple[int, ...] = ()

    @property
    def in_folders(self) -> bool:
        """Whether the column names folders of page files rather than files."""
        return self.column not in ("original", "file")

    def key_of(self, name: str) -> str:
        """Return what the column holds for a file of this name."""
        return name.rpartition("/")[0] if self.in_folders else name

    def known(self, start: str) -> list["Row"]:
        """Return the rows whose files' names begin so."""
        rows = self.rows.filter(**{f"{self.column}__startswith": start})
        columns = ("pk", self.column, *(("widths",) if self.column == "folder" else ()))
        found = rows.values_list(*columns).iterator()
        return [Row(self, pk, key, tuple(widths[0] if widths else self.widths)) for pk, key, *widths in found]

    def knows(self, keys: list[str]) -> set[str]:
        """Return which of these the column holds now."""
        return set(self.rows.filter(**{f"{self.column}__in": keys}).values_list(self.column, flat=True))


@dataclass(frozen=True)
class Row:
    """A row of the database and the files that it says there are."""

    kind: Kind
    pk: int
    key: str
    widths: tuple[int, ...]

    def __str__(self) -> str:
        """Say what is lost, without anybody's name."""
        return f"{self.kind.rows.model.__name__.lower()} {self.pk}: {self.key}"

    @property
    def files(self) -> list[str]:
        """The names of its files."""
        return [store.page_file(self.key, width) for width in self.widths] if self.kind.in_folders else [self.key]

    def is_lost(self) -> bool:
        """Whether it still is as it was seen, and a file of it cannot be read."""
        same = self.kind.rows.filter(pk=self.pk, **{self.kind.column: self.key})
        return same.exists() and not all(store.has_content(name) for name in self.files)


@dataclass
class Tally:
    """What there is of one kind."""

    files: int = 0
    size: int = 0
    unknown: int = 0
    rows: int = 0
    lost: int = 0

    @property
    def is_alarming(self) -> bool:
        """Whether so much seems wrong that the database or the storage is rather not the right one."""
        return self.unknown > max(ALARMING, self.files / 2) or self.lost > max(ALARMING, self.rows / 2)


@dataclass
class Suspicion:
    """What a first look has found."""

    tallies: dict[str, Tally] = field(default_factory=dict)
    unknown: list[tuple[Kind, Stored]] = field(default_factory=list)
    lost: list[Row] = field(default_factory=list)

    @property
    def alarming(self) -> list[str]:
        """The folders in which too much seems wrong."""
        return [folder for folder, tally in self.tallies.items() if tally.is_alarming]


@dataclass
class Removed:
    """What has gone."""

    files: int = 0
    size: int = 0
    folders: int = 0
    halves: int = 0
    spooled: int = 0


def look(*, before: datetime) -> Suspicion:
    """Compare all files with all rows; files that have changed since then are too young to be judged.

    Raises store.Unavailable.
    """
    found = Suspicion()
    for kind in KINDS:
        tally = found.tallies[kind.folder] = Tally()
        for shelf in SHELVES:
            _compare(kind, f"{kind.folder}/{shelf}", before, found, tally)
    return found


def remove_unknown(found: Suspicion) -> Removed:
    """Remove the files of the first look that still nobody knows."""
    removed = Removed()
    for kind in KINDS:
        files = [file for suspected, file in found.unknown if suspected is kind]
        for index in range(0, len(files), BATCH):
            batch = files[index : index + BATCH]
            known = kind.knows([kind.key_of(file.name) for file in batch])
            gone = [file for file in batch if kind.key_of(file.name) not in known and store.discard(file.name)]
            removed.files += len(gone)
            removed.size += sum(file.size for file in gone)
    return removed


def remove_leftovers(removed: Removed, *, before: datetime) -> None:
    """Remove empty folders, uploads into a bucket that were never ended, and what killed web processes spooled."""
    removed.folders += sum(store.prune(kind.folder, before=before) for kind in KINDS)
    removed.halves += store.abort_halves(before=before)
    for path in Path(settings.FILE_UPLOAD_TEMP_DIR).iterdir():
        if SPOOLED.fullmatch(path.name):
            removed.spooled += _remove_spooled(path, before)


def mend(found: Suspicion, *, now: datetime) -> list[Row]:
    """Have what is still lost made again, and return the rows of what nobody can make again: the photos themselves."""
    return [row for row in found.lost if row.is_lost() and not MENDERS[row.kind.folder](row, now)]


def _compare(kind: Kind, start: str, before: datetime, found: Suspicion, tally: Tally) -> None:
    # Rows first: a file that comes meanwhile is too young to be unknown, one that goes is looked for once more.
    rows = kind.known(start)
    keys = {row.key for row in rows}
    sizes = {}
    for file in store.walk(start):
        tally.files += 1
        tally.size += file.size
        if kind.key_of(file.name) in keys and not file.is_part:
            sizes[file.name] = file.size
        elif file.modified_at <= before:
            tally.unknown += 1
            found.unknown.append((kind, file))
    lost = [row for row in rows if not all(sizes.get(name) for name in row.files) and row.is_lost()]
    tally.rows += len(rows)
    tally.lost += len(lost)
    found.lost.extend(lost)
    del found.unknown[MOST:], found.lost[MOST:]


def _remove_spooled(path: Path, before: datetime) -> int:
    try:
        if datetime.fromtimestamp(path.stat().st_mtime, tz=UTC) > before:
            return 0
        path.unlink()
    except FileNotFoundError:  # its request has ended
        return 0
    return 1


def _not_at_all(row: Row, now: datetime) -> bool:
    return False


def _read_again(row: Row, now: datetime) -> bool:
    """Have thumbnails made again from the photo, if that is there."""
    source = Source.objects.filter(pk=row.pk, folder=row.key, state=State.DONE)
    original = source.values_list("original", flat=True).first()
    if original is None or not store.has_content(original):
        return original is None
    fresh = {"state": State.WAITING, "waiting_since": now, "tries": 0, "crashes": 0}
    source.update(**fresh, **NO_FILES)
    return True


def _put_away(row: Row, now: datetime) -> bool:
    """Take a painting for evicted: it is painted again when somebody wants to see it."""
    Rendition.objects.filter(pk=row.pk, folder=row.key, state=State.DONE).update(state=State.EVICTED, **NO_FILES)
    return True


def _without_preview(row: Row, now: datetime) -> bool:
    Rendition.objects.filter(pk=row.pk, preview=row.key).update(preview="")
    return True


def _forget_export(row: Row, now: datetime) -> bool:
    Export.objects.filter(pk=row.pk, file=row.key, state=State.DONE).delete()
    return True


NO_FILES: dict[str, Any] = {"folder": "", "widths": [], "stored_bytes": 0}
KINDS = (
    Kind("originals", Source.objects.all(), "original"),
    Kind("photos", Source.objects.all()),
    Kind("renditions", Rendition.objects.all()),
    Kind("previews", Rendition.objects.all(), "preview", (renditions.PREVIEW_WIDTH,)),
    Kind("exports", Export.objects.all(), "file"),
    Kind("doctor", Source.objects.none()),
)
MENDERS: dict[str, Callable[[Row, datetime], bool]] = {
    "originals": _not_at_all,
    "photos": _read_again,
    "renditions": _put_away,
    "previews": _without_preview,
    "exports": _forget_export,
}
