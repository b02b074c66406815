"""The index of pictures that look alike, and the closer look at their files."""

import secrets

import numpy as np
import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from rendering import pipeline, store, twins
from rendering.imaging import fingerprint
from rendering.models import Source, State
from tests.rendering import makers
from tests.rendering.imaging import copies
from tests.rendering.imaging.copies import bgr

LANE = "person-1"


def row(phash: str = "", **facts: object) -> Source:
    return makers.source_row(bytes_key=secrets.token_hex(32), phash=phash, **facts)


def rows():
    return Source.objects.values_list("pk", "phash")


def index(lane: str = LANE) -> twins.Index:
    return twins.index(lane, rows())


def hash_with(*bits: int) -> str:
    """Return a hash in which only these bits are set."""
    return sum(1 << bit for bit in bits).to_bytes(32, "big").hex()


def packed(hashes: list[str]) -> twins.Index:
    words = np.frombuffer(bytes.fromhex("".join(hashes)), np.uint64).reshape(-1, 4)
    return twins.Index(np.arange(1, len(hashes) + 1), words, len(hashes))


def keep(picture) -> Source:
    """Return a read source with the picture's own fingerprint and page files."""
    pixels = bgr(picture)
    pages = store.put_pages("photos", pipeline.outputs(pixels, (160, 480)))
    facts = {"folder": pages.folder, "widths": pages.widths, "canvas_key": fingerprint.digest(pixels).hex()}
    return row(fingerprint.perceptual_hash(pixels).hex(), state=State.DONE, **facts)


def test_near_ones_are_found_the_nearest_first(db: None):
    far, near, same = row(hash_with(*range(30))), row(hash_with(1, 2, 3)), row(hash_with(1))

    found = index().near(hash_with(1), within=8)

    assert found == [same.pk, near.pk]
    assert index().near(hash_with(1), within=40) == [same.pk, near.pk, far.pk]


def test_newest_of_equals_comes_first(db: None):
    older, newer = row(hash_with(1)), row(hash_with(1))

    assert index().near(hash_with(1), within=0) == [newer.pk, older.pk]


def test_bound_is_met_to_the_bit(db: None):
    made = row(hash_with(*range(8)))

    assert index().near(hash_with(), within=8) == [made.pk]
    assert index().near(hash_with(), within=7) == []


def test_empty_index_finds_nothing(db: None):
    assert index().near(hash_with(1), within=256) == []
    assert index().groups(within=8) == []


def test_index_learns_what_is_new(db: None):
    first = row(hash_with(1))
    index()

    second = row(hash_with(1))

    assert index().near(hash_with(1), within=0) == [second.pk, first.pk]


def test_index_learns_what_was_read_later(db: None):
    unread, read = row(), row(hash_with(1))
    index()

    Source.objects.filter(pk=unread.pk).update(phash=hash_with(1))

    assert index().near(hash_with(1), within=0) == [read.pk, unread.pk]
    assert len(index().keys) == 2


def test_index_learns_what_was_committed_late(db: None):
    late, early = row(hash_with(1)), row(hash_with(1))
    content = Source.objects.filter(pk=late.pk).values().get()
    late.delete()
    index()

    Source.objects.create(**content)

    assert index().near(hash_with(1), within=0) == [early.pk, content["id"]]


def test_index_reads_only_new_rows(db: None):
    for number in range(300):
        row(hash_with(number % 256))
    index()

    with CaptureQueriesContext(connection) as asked:
        index()

    assert len(asked) == 1
    assert f"> {Source.objects.order_by('-pk')[0].pk - 200}" in asked[0]["sql"]


def test_index_of_a_lane_holds_its_own_rows(db: None):
    mine, other = row(hash_with(1), lane="person-1"), row(hash_with(1), lane="person-2")

    found = [
        twins.index(lane, rows().filter(lane=lane)).near(hash_with(1), within=0) for lane in ("person-1", "person-2")
    ]

    assert found == [[mine.pk], [other.pk]]


def test_memory_is_bounded_and_the_last_used_stays(db: None, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(twins, "MOST", 3)
    for _ in range(2):
        row(hash_with(1))

    for lane in ("first", "second", "third"):
        index(lane)

    assert list(twins._indexes) == ["third"]


def test_forgotten_index_is_read_anew(db: None):
    made = row(hash_with(1))
    index()
    made.delete()

    twins.forget(LANE)

    assert index().near(hash_with(1), within=0) == []


def test_groups_join_what_is_near_directly_or_through_another():
    chain = [hash_with(), hash_with(*range(10)), hash_with(*range(20))]
    alone = hash_with(*range(100, 200))
    pair = [hash_with(*range(200, 256)), hash_with(*range(201, 256))]

    groups = packed([chain[0], alone, pair[0], chain[1], pair[1], chain[2]]).groups(within=12)

    assert groups == [[1, 4, 6], [3, 5]]


def test_groups_find_every_pair_that_is_near_enough():
    random = np.random.default_rng(5)
    hashes = [random.bytes(32) for _ in range(2_000)]
    copied = []
    for original in hashes[:200]:
        bits = int.from_bytes(original, "big")
        for bit in random.choice(256, 12, replace=False):
            bits ^= 1 << int(bit)
        copied.append(bits.to_bytes(32, "big"))

    groups = packed([each.hex() for each in hashes + copied]).groups(within=12)

    assert groups == [[number + 1, number + 2_001] for number in reversed(range(200))]


def test_group_of_thousands_of_flat_pictures_is_one_group():
    groups = packed([hash_with(1)] * 5_000 + [hash_with(1, 2)]).groups(within=8)

    assert [len(group) for group in groups] == [5_001]


def test_first_that_passes_the_closer_look_is_taken(db: None):
    picture = makers.picture(3, width=640, height=480)
    source, copy = keep(picture), keep(copies.saved_again(picture))
    recolored = keep(copies.recolored(picture))

    assert twins.first_alike(source, [recolored, copy]) == copy
    assert twins.first_alike(source, [recolored]) is None
    assert twins.first_alike(source, []) is None


def test_closer_look_is_at_a_few_only(db: None):
    picture = makers.picture(3, width=640, height=480)
    source, copy = keep(picture), keep(copies.saved_again(picture))
    others = [keep(copies.recolored(picture)) for _ in range(twins.CLOSER_LOOKS)]

    assert twins.first_alike(source, [*others, copy]) is None


def test_picture_without_its_file_is_like_no_other(db: None):
    picture = makers.picture(3, width=640, height=480)
    source, gone, unread = keep(picture), keep(copies.saved_again(picture)), row()
    store.remove_pages(gone.folder, gone.widths)

    assert twins.first_alike(source, [gone, unread]) is None
    assert twins.first_alike(gone, [source]) is None


def test_same_picture_is_alike_without_a_look(db: None):
    picture = makers.picture(3, width=640, height=480)
    source, same, other = keep(picture), keep(picture), keep(copies.recolored(picture))
    store.remove_pages(same.folder, same.widths)

    assert twins.all_alike(source, [same, other]) == [same]
