"""Pictures of one album that look alike: an index of perceptual hashes, and a closer look at the few that are near.

What is found here is proposed to a person, and never served in silence. The index is a copy in this process's memory
(40 bytes a picture) that reads only the new rows each time; what was removed meanwhile is still in it, so that the
caller looks at the rows before believing it.
"""

import threading
from collections import OrderedDict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field, replace
from typing import Any, Final, TypeAlias

import numpy as np
from django.db.models import QuerySet
from numpy.typing import NDArray

from rendering import store
from rendering.imaging import Pixels, likeness
from rendering.imaging.decode import open_page
from rendering.models import Source

Rows: TypeAlias = QuerySet[Any, tuple[int, str]]
"""Pairs of a row's primary key and its perceptual hash, which is empty until the picture has been read."""

# Bits of 256. Of 200 photos, copies and frames of a burst were within 8, and unrelated ones never nearer than 96.
TWIN: Final = 8
COPY: Final = 12
SIMILAR: Final = 40
CLOSER_LOOKS: Final = 3  # at the nearest: each costs a small JPEG file and a comparison, 2.5 ms

MOST: Final = 1_000_000  # pictures in the memory of one process: 40 MB
_OVERLAP: Final = 200  # a row that was begun earlier may be committed later than its successors
_MOST_UNREAD: Final = 500
_RECENT: Final = 1_000
_WORDS: Final = 4
_BANDS: Final = 16  # of 16 bits each: two hashes within 15 bits have one of them in common
_LONGEST_RUN: Final = 32


@dataclass(frozen=True)
class Index:
    """The perceptual hashes of one album, packed."""

    keys: NDArray[np.int64] = field(default_factory=lambda: np.zeros(0, np.int64))
    words: NDArray[np.uint64] = field(default_factory=lambda: np.zeros((0, _WORDS), np.uint64))
    last: int = 0
    unread: tuple[int, ...] = ()

    def near(self, phash: str, *, within: int) -> list[int]:
        """Return the keys of the pictures within so many bits, the nearest first and the newest of equals."""
        distances = np.bitwise_count(self.words ^ _packed([phash])).sum(axis=1, dtype=np.int64)
        found = np.flatnonzero(distances <= within)
        order = np.lexsort((-self.keys[found], distances[found]))
        return [int(key) for key in self.keys[found][order]]

    def groups(self, *, within: int) -> list[list[int]]:
        """Return groups of pictures of which each is within so many bits (15 at most) of another of its group.

        The group with the newest picture comes first, and in a group the oldest picture.
        """
        first, distinct = _equal(self.words)
        parents = first.copy()
        for band in range(_BANDS):
            for one, other in _near_pairs(self.words, distinct, band, within):
                parents[_root(parents, int(one))] = _root(parents, int(other))
        gathered: dict[int, list[int]] = {}
        for place in np.flatnonzero(_in_company(parents)):
            gathered.setdefault(_root(parents, int(place)), []).append(int(self.keys[place]))
        return sorted((sorted(group) for group in gathered.values()), key=max, reverse=True)


_indexes: "OrderedDict[str, Index]" = OrderedDict()
_lock = threading.Lock()


def index(lane: str, rows: Rows) -> Index:
    """Return the index of a lane's pictures, with those that are new since this process last asked."""
    fresh = _extended(_indexes.get(lane, Index()), rows)
    with _lock:
        _indexes[lane] = fresh
        _indexes.move_to_end(lane)
        while len(_indexes) > 1 and sum(len(each.keys) for each in _indexes.values()) > MOST:
            _indexes.popitem(last=False)
    return fresh


def forget(lane: str | None = None) -> None:
    """Forget a lane's index, or all: it is read anew when it is asked for."""
    with _lock:
        if lane is None:
            _indexes.clear()
        else:
            _indexes.pop(lane, None)


def first_alike(source: Source, candidates: Iterable[Source]) -> Source | None:
    """Return the first of the candidates that looks like the source in every place; None if none of them does."""
    nearest = list(candidates)[:CLOSER_LOOKS]
    seen = _small(source) if nearest else None
    if seen is None:
        return None
    return next((each for each in nearest if _looks_like(seen, each)), None)


def all_alike(source: Source, candidates: Iterable[Source]) -> list[Source]:
    """Return those of the candidates that are the source's picture, or look like it in every place."""
    seen = _small(source)
    return [each for each in candidates if each.canvas_key == source.canvas_key or _looks_like(seen, each)]


def _looks_like(seen: Pixels | None, other: Source) -> bool:
    picture = _small(other) if seen is not None else None
    return seen is not None and picture is not None and likeness.alike(seen, picture)


def _small(source: Source) -> Pixels | None:
    """Return a read picture at the width at which pictures are compared, or a little more; None without its file."""
    widths = sorted(source.widths)
    if not widths:
        return None
    width = next((each for each in widths if each >= likeness.WIDTH), widths[-1])
    try:
        return open_page(store.read(store.page_file(source.folder, width)))
    except (store.Unavailable, OSError):
        return None


def _extended(known: Index, rows: Rows) -> Index:
    fresh = dict(_unknown(known, rows))
    read = {key: phash for key, phash in fresh.items() if phash}
    unread = tuple(sorted(fresh.keys() - read.keys())[-_MOST_UNREAD:])
    last = max(fresh, default=known.last)
    if not read:
        return replace(known, last=max(last, known.last), unread=unread)
    return Index(
        keys=np.concatenate([known.keys, np.fromiter(read, np.int64, len(read))]),
        words=np.concatenate([known.words, _packed(list(read.values()))]),
        last=max(last, known.last),
        unread=unread,
    )


def _unknown(known: Index, rows: Rows) -> list[tuple[int, str]]:
    if not known.last:
        return list(rows.order_by("pk"))
    # What is within the overlap was added lately, and so is among the last of the keys.
    recent = set(known.keys[-_RECENT:].tolist())
    later = [row for row in rows.filter(pk__gt=known.last - _OVERLAP) if row[0] not in recent]
    return later + list(rows.filter(pk__in=known.unread)) if known.unread else later


def _packed(hashes: Sequence[str]) -> NDArray[np.uint64]:
    return np.frombuffer(bytes.fromhex("".join(hashes)), np.uint64).reshape(-1, _WORDS)


def _equal(words: NDArray[np.uint64]) -> tuple[NDArray[np.intp], NDArray[np.intp]]:
    """Return for each place the first one that has an equal hash, and which places are such first ones."""
    order = np.lexsort(words.T)
    begins = np.ones(len(order), np.bool_)
    begins[1:] = (words[order[1:]] != words[order[:-1]]).any(axis=1)
    first = np.empty(len(order), np.intp)
    first[order] = order[begins][np.cumsum(begins) - 1]
    return first, order[begins]


def _near_pairs(words: NDArray[np.uint64], places: NDArray[np.intp], band: int, within: int) -> NDArray[np.intp]:
    """Return pairs of these places that are equal in one band of 16 bits and near as a whole."""
    values = words.view(np.uint16)[places, band]
    order = np.argsort(values, kind="stable")
    values, places = values[order], places[order]
    pairs = [np.zeros((0, 2), np.intp)]
    # Neighbors in the order of the band; whoever has many near pictures is a few places from one of them.
    for step in range(1, min(_LONGEST_RUN, len(places))):
        same = np.flatnonzero(values[:-step] == values[step:])
        if not len(same):
            break
        one, other = places[same], places[same + step]
        near = np.bitwise_count(words[one] ^ words[other]).sum(axis=1) <= within
        pairs.append(np.stack([one[near], other[near]], axis=1))
    return np.concatenate(pairs)


def _root(parents: NDArray[np.intp], place: int) -> int:
    while parents[place] != place:
        parents[place] = parents[parents[place]]
        place = int(parents[place])
    return place


def _in_company(parents: NDArray[np.intp]) -> NDArray[np.bool_]:
    """Say for each place whether it was joined to another."""
    places = np.arange(len(parents))
    alone: NDArray[np.bool_] = parents == places
    alone[parents[~alone]] = False
    return ~alone
