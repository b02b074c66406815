"""Photos of one album that look alike: what is proposed, what the answers do, and what never happens in silence."""

from datetime import timedelta

import pytest
from django.utils import timezone
from pytest_django import DjangoAssertNumQueries, DjangoCaptureOnCommitCallbacks

from gallery import artworks, photos, twins
from gallery.models import Artwork, How, Photo, Stage, TwinAnswer, User
from rendering.models import Commission, Rendition, Source, State
from tests import makers
from tests.gallery.likenesses import FOLDER, photo, picture, source
from tests.makers import NOON
from tests.processes import Valkey
from tests.rendering import makers as rendered
from tests.rendering.imaging import copies

LATER = NOON + timedelta(hours=1)
EVERY = {
    **copies.HONEST,
    **copies.CHANGED,
    **copies.SMALL,
    "collision": lambda victim: copies.collision(victim, picture("wood_anemones.jpg")),
}


def look(made: Photo) -> Photo:
    """Look at a photo as a page does, and return it as it is afterwards."""
    shown = made.owner.photos.in_album().get(pk=made.pk)
    twins.look([shown], owner=made.owner)
    return made.owner.photos.in_album().get(pk=made.pk)


def pair(owner: User) -> tuple[Photo, Photo]:
    """Return a finished photo, and the next frame of the burst that waits and has been looked at."""
    first = photo(owner, picture())
    return first, look(photo(owner, copies.burst(picture()), paintings=State.WAITING))


def wishes(made: Photo, **facts: object) -> list[tuple[str, str]]:
    found = Artwork.objects.with_paintings().filter(photo=made, **facts).order_by("style", "pk")
    return [(artwork.style, str(artwork.stage)) for artwork in found]


@pytest.mark.parametrize("copy", copies.HONEST)
def test_honest_copy_is_proposed(alice: User, copy: str):
    first = photo(alice, picture())

    second = look(photo(alice, copies.HONEST[copy](picture()), paintings=State.WAITING))

    assert (second.proposed, second.twin_answer) == (first, TwinAnswer.NONE)


@pytest.mark.parametrize("copy", copies.CHANGED)
def test_changed_copy_is_not_proposed(alice: User, copy: str):
    photo(alice, picture())

    second = look(photo(alice, copies.CHANGED[copy](picture()), paintings=State.WAITING))

    assert (second.twin_of, second.twin_answer) == (None, TwinAnswer.ALONE)


def test_crafted_collision_is_not_proposed(alice: User):
    victim = picture("wood_anemones.jpg")
    photo(alice, victim)

    crafted = look(photo(alice, copies.collision(victim, picture()), paintings=State.WAITING))

    assert crafted.twin_of is None


def test_other_number_plate_and_other_grey_are_not_proposed(alice: User):
    photo(alice, copies.one_plate(picture()))
    photo(alice, copies.flat(100))

    edited = look(photo(alice, copies.other_plate(picture()), paintings=State.WAITING))
    lighter = look(photo(alice, copies.flat(140), paintings=State.WAITING))

    assert (edited.twin_of, lighter.twin_of) == (None, None)


@pytest.mark.parametrize("copy", EVERY)
def test_no_copy_gets_a_painting_of_another_picture_in_silence(
    db: None, valkey: Valkey, django_capture_on_commit_callbacks: DjangoCaptureOnCommitCallbacks, copy: str
):
    changed = EVERY[copy](picture())
    read = [rendered.read(rendered.encoded(each, form="PNG")) for each in (picture(), changed)]

    with django_capture_on_commit_callbacks(execute=True):
        made = [rendered.commission(each) for each in read]

    asked = Commission.objects.filter(pk__in=[each.pk for each in made]).exclude(rendition=None)
    assert read[0].canvas_key != read[1].canvas_key
    assert len({each.rendition_id for each in asked}) == 2


@pytest.mark.parametrize("copy", EVERY)
def test_nobody_elses_photo_is_ever_proposed(alice: User, bob: User, copy: str):
    photo(bob, picture())
    made = EVERY[copy](picture())

    alices = look(photo(alice, made, paintings=State.WAITING))

    assert alices.twin_of is None
    assert twins.similar(alices, owner=alice) == []
    assert twins.duplicates(alice) == ([], None)


def test_same_picture_in_another_file_needs_no_question(alice: User):
    photo(alice, picture())

    assert look(photo(alice, picture())).twin_of is None


def test_of_two_new_photos_the_later_is_proposed_the_earlier(alice: User):
    first = photo(alice, picture(), paintings=State.WAITING)
    second = photo(alice, copies.burst(picture()), paintings=State.WAITING)

    looked = [look(each).twin_of for each in (first, second, first)]

    assert looked == [None, first, None]


def test_photo_that_was_read_late_is_proposed_one_that_was_looked_at_before(alice: User):
    late = photo(alice, copies.burst(picture()), paintings=State.WAITING)
    phash = late.source.phash
    Source.objects.update(state=State.WAITING, phash="")
    early = photo(alice, picture())
    look(early)
    Source.objects.filter(pk=late.source_id).update(state=State.DONE, phash=phash)

    assert look(late).proposed == early


def test_photo_without_paintings_is_not_worth_a_question(alice: User):
    photo(alice, picture(), paintings=None)
    photo(alice, copies.half_size(picture()), paintings=State.FAILED)

    assert look(photo(alice, copies.burst(picture()), paintings=State.WAITING)).twin_of is None


@pytest.mark.parametrize("state", [State.WAITING, State.WORKING, State.FAILED])
def test_photo_that_is_not_read_is_not_looked_at(alice: User, state: State):
    photo(alice, picture())
    second = photo(alice, copies.burst(picture()), paintings=State.WAITING)
    Source.objects.filter(pk=second.source_id).update(state=state)

    assert look(second).twin_answer == TwinAnswer.NONE


@pytest.mark.parametrize("count", [1, 3])
def test_looking_asks_the_database_twice_for_photos_that_are_like_no_other(
    alice: User, count: int, django_assert_num_queries: DjangoAssertNumQueries
):
    for number in range(count):
        photo(alice, picture(sorted(path.name for path in FOLDER.glob("*.jpg"))[number]))
    shown = list(alice.photos.in_album())

    with django_assert_num_queries(2):
        twins.look(shown, owner=alice)


def test_photo_is_looked_at_once(alice: User, django_assert_num_queries: DjangoAssertNumQueries):
    looked_at = [pair(alice)[1], look(photo(alice, copies.flat(9)))]

    with django_assert_num_queries(0):
        twins.look(looked_at, owner=alice)


def test_page_looks_at_a_few_photos_at_a_time(alice: User):
    made = [photo(alice, copies.flat(20 * number)) for number in range(twins.LOOKS + 2)]
    shown = list(alice.photos.in_album())

    twins.look(shown, owner=alice)

    assert Photo.objects.filter(twin_answer=TwinAnswer.NONE).count() == 2
    assert len(made) == twins.LOOKS + 2


def test_painting_goes_on_while_nothing_is_answered(alice: User):
    _, second = pair(alice)

    assert wishes(second) == [("oil", "waiting"), ("pencil", "waiting")]


def test_use_shows_the_twins_paintings_and_stops_its_own(alice: User):
    first, second = pair(alice)

    used = twins.use(second, by=alice, now=LATER)

    assert used
    assert wishes(second, twin=True) == [("oil", "done"), ("pencil", "done")]
    assert wishes(second, twin=False) == [("oil", "cancelled"), ("pencil", "cancelled")]
    adopted = second.artworks.filter(twin=True)
    assert {each.rendition for each in adopted} == {each.rendition for each in first.artworks.all()}
    assert {each.how for each in adopted} == {How.TWIN}
    own = Rendition.objects.filter(commissions__source=second.source)
    assert {each.state for each in own} == {State.CANCELLED}


def test_use_paints_on_what_the_twin_lacks(alice: User):
    _, second = pair(alice)
    makers.artwork(second, style="watercolor", state=State.WAITING)

    twins.use(second, by=alice, now=LATER)

    assert wishes(second, cancelled_at=None) == [("oil", "done"), ("pencil", "done"), ("watercolor", "waiting")]


def test_use_keeps_what_has_been_painted_meanwhile(alice: User):
    _, second = pair(alice)
    makers.artwork(second, style="watercolor", state=State.DONE)
    done = second.artworks.get(style="oil").commission_id
    pages = Rendition.objects.filter(state=State.DONE).values("folder", "widths", "width", "height")[0]
    Rendition.objects.filter(commissions=done).update(state=State.DONE, **pages)

    twins.use(second, by=alice, now=LATER)

    shown = [(artwork.style, artwork.twin) for artwork in second.artworks.wanted().order_by("style")]
    assert shown == [("oil", False), ("pencil", True), ("watercolor", False)]


def test_use_of_a_twin_that_is_still_painted_waits_with_it(alice: User):
    first = photo(alice, picture(), paintings=State.WORKING)
    second = look(photo(alice, copies.burst(picture()), paintings=State.WAITING))

    twins.use(second, by=alice, now=LATER)

    assert second.proposed is None
    assert wishes(second, twin=True) == [("oil", "painting"), ("pencil", "painting")]
    assert wishes(first) == [("oil", "painting"), ("pencil", "painting")]


def test_use_is_an_answer_to_a_question_alone(alice: User, bob: User):
    _, second = pair(alice)
    lonely = look(photo(alice, copies.flat(9), paintings=State.WAITING))
    stale = alice.photos.in_album().get(pk=second.pk)

    answers = [
        twins.use(lonely, by=alice, now=LATER),
        twins.use(second, by=bob, now=LATER),
        twins.use(second, by=alice, now=LATER),
        twins.use(stale, by=alice, now=LATER),
    ]

    assert answers == [False, False, True, False]
    assert second.artworks.filter(twin=True).count() == 2


def test_paint_dismisses_the_question(alice: User):
    _, second = pair(alice)

    answered = twins.paint(second, by=alice, now=LATER)

    assert answered
    assert look(second).proposed is None
    assert wishes(second) == [("oil", "waiting"), ("pencil", "waiting")]


def test_paint_after_all_brings_everything_back(alice: User):
    first, second = pair(alice)
    twins.use(second, by=alice, now=LATER)

    answered = twins.paint(alice.photos.in_album().get(pk=second.pk), by=alice, now=LATER)

    assert answered
    assert wishes(second) == [("oil", "waiting"), ("pencil", "waiting")]
    assert wishes(first) == [("oil", "done"), ("pencil", "done")]


def test_paint_without_a_question_does_nothing(alice: User):
    lonely = look(photo(alice, copies.flat(9), paintings=State.CANCELLED))

    assert twins.paint(lonely, by=alice, now=LATER) is False
    assert wishes(lonely) == [("oil", "cancelled"), ("pencil", "cancelled")]


def test_question_goes_when_the_twin_is_removed_and_another_is_found(alice: User):
    third = photo(alice, copies.half_size(picture()))
    first, second = pair(alice)
    photos.remove(alice.photos.get(twins=second), now=LATER)

    again = look(second)

    assert {second.twin_of_id, again.twin_of_id} == {first.pk, third.pk}


def test_paintings_of_a_twin_outlive_it_and_go_with_the_last_that_shows_them(alice: User):
    first, second = pair(alice)
    twins.use(second, by=alice, now=LATER)

    photos.erase(first, now=LATER)
    kept = wishes(second, twin=True), Source.objects.filter(pk=first.source_id).exists()
    photos.erase(alice.photos.get(), now=LATER)

    assert kept == ([("oil", "done"), ("pencil", "done")], True)
    assert (Source.objects.count(), Commission.objects.count(), Rendition.objects.count()) == (0, 0, 0)


def test_file_of_a_removed_twin_goes_with_its_last_painting(alice: User):
    first, second = pair(alice)
    twins.use(second, by=alice, now=LATER)
    photos.erase(first, now=LATER)

    for artwork in second.artworks.filter(twin=True):
        artworks.remove(artwork, by=alice, now=LATER)

    assert not Source.objects.filter(pk=first.source_id).exists()
    assert alice.photos.get() == second


def test_similar_photos_are_the_nearest_first_without_itself(alice: User):
    grey, captioned = photo(alice, copies.grey(picture())), photo(alice, copies.captioned(picture()))
    photo(alice, picture("wood_anemones.jpg"))
    made = photo(alice, picture())

    assert twins.similar(made, owner=alice) == [grey, captioned]


def test_similar_photos_are_a_few_that_are_still_there(alice: User):
    made = [photo(alice, picture(), title=str(number)) for number in range(9)]
    twins.similar(made[0], owner=alice)
    photos.remove(made[8], now=LATER)

    assert twins.similar(made[0], owner=alice) == [made[7], made[6], made[5], made[4], made[3], made[2]]


def test_unread_photo_has_no_similar_ones(alice: User):
    unread = makers.photo(alice, of=makers.source(state=State.WAITING))

    assert twins.similar(unread, owner=alice) == []


def test_duplicates_are_grouped_with_the_largest_first(alice: User):
    small = photo(alice, copies.half_size(picture()))
    large, again = photo(alice, picture()), photo(alice, copies.saved_again(picture()))
    photo(alice, copies.recolored(picture()))
    photo(alice, picture("wood_anemones.jpg"))

    [group], following = twins.duplicates(alice)

    assert group.kept == large
    assert set(group.others) == {small, again}
    assert following is None


def test_duplicates_go_on_in_pages(alice: User, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(twins, "GROUPS", 1)
    names = ("prairie_falcon.jpg", "wood_anemones.jpg")
    pairs = [(photo(alice, picture(name)), photo(alice, copies.half_size(picture(name)))) for name in names]

    first, following = twins.duplicates(alice)
    second, end = twins.duplicates(alice, start=following or 0)

    assert [group[0].kept for group in (first, second)] == [pairs[1][0], pairs[0][0]]
    assert (following, end) == (1, None)
    assert twins.duplicates(alice, start=99) == ([], None)


def test_merge_says_what_is_lost(alice: User):
    kept = photo(alice, picture())
    other = photo(alice, copies.half_size(picture()))
    lost = makers.artwork(other, style="watercolor")
    makers.artwork(other, style="color-pencil", state=State.WAITING)

    plan = twins.plan(kept, [other])

    assert (list(plan.moved), list(plan.lost)) == ([], [lost])


def test_merge_moves_paintings_of_the_same_picture(
    alice: User, valkey: Valkey, django_capture_on_commit_callbacks: DjangoCaptureOnCommitCallbacks
):
    kept = photo(alice, picture())
    other = makers.photo(alice, of=source(picture()))
    same = makers.rendition(style="watercolor", look="studio", canvas_key=kept.source.canvas_key)
    asked = makers.commission(other.source, style="watercolor", painting=same)
    Artwork.objects.create(photo=other, commission=asked, style="watercolor", look="studio", created_at=NOON)
    plan = twins.plan(kept, [other])

    with django_capture_on_commit_callbacks(execute=True):
        twins.merge(kept, [other], by=alice, now=timezone.now())

    assert ([artwork.style for artwork in plan.moved], list(plan.lost)) == (["watercolor"], [])
    assert list(alice.photos.kept()) == [kept]
    assert sorted(style for style, _ in wishes(kept)) == ["oil", "pencil", "watercolor"]


def test_merge_removes_nothing_of_others_and_never_the_kept_one(alice: User, bob: User):
    kept, bobs = photo(alice, picture()), photo(bob, picture())

    twins.merge(kept, [kept, bobs], by=alice, now=LATER)

    assert set(Photo.objects.all()) == {kept, bobs}


def test_given_up_paintings_are_hidden_while_the_twins_are_shown(alice: User):
    _, second = pair(alice)
    before = twins.hung(second)
    twins.use(second, by=alice, now=LATER)
    fresh = alice.photos.in_album().get(pk=second.pk)

    assert [artwork.twin for artwork in before] == [False, False]
    assert [(artwork.twin, artwork.stage) for artwork in twins.hung(fresh)] == [(True, Stage.DONE)] * 2
