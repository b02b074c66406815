"""The workshop's own photo: painted before anybody asks, and kept."""

from datetime import timedelta

import pytest
from django.core.management import call_command
from django.test import Client
from django.urls import reverse
from django.utils import timezone

from gallery import artworks, photos, sample
from gallery.models import Artwork, How, Stage, User
from rendering import lifetimes, queue, renditions, sources, turns
from rendering.models import Commission, Rendition, Source, State
from tests import makers

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture(autouse=True)
def awake(monkeypatch: pytest.MonkeyPatch) -> None:
    """Wake nobody: the tests are the worker."""
    monkeypatch.setattr(queue, "wake", lambda **_: None)


def paint_all() -> None:
    while turns.do_next(now=timezone.now()):
        pass


def stages(owner: User) -> list[str]:
    return [each.stage for each in Artwork.objects.filter(photo__owner=owner).with_paintings()]


def test_first_person_sees_the_sample_finished_in_the_answer(as_alice: Client, alice: User):
    sample.prepare(now=timezone.now())
    paint_all()

    page = as_alice.post(reverse("hang_sample"), follow=True)

    assert page.redirect_chain == [(reverse("photo", args=[alice.photos.get().key]), 302)]
    assert stages(alice) == [Stage.DONE] * 4
    assert {each.how for each in Artwork.objects.with_paintings()} == {How.SAME_FILE}
    assert Rendition.objects.count() == 4


def test_sample_is_ready_for_those_who_share_nothing_too(settings):
    settings.SHARED_CACHE = False
    sample.prepare(now=timezone.now())
    paint_all()

    sample.hang(owner=makers.person("alice"), now=timezone.now())
    sample.hang(owner=(bob := makers.person("bob", private=True)), now=timezone.now())

    assert stages(bob) == [Stage.DONE] * 4
    assert Source.objects.count() == 1


def test_sample_that_is_prepared_again_costs_nothing():
    sample.prepare(now=timezone.now())
    paint_all()
    before = list(Rendition.objects.values("pk", "folder", "tries"))

    sample.prepare(now=timezone.now())
    paint_all()

    assert list(Rendition.objects.values("pk", "folder", "tries")) == before
    assert Commission.objects.count() == 4


def test_sample_outlives_the_album_that_it_hung_in(alice: User, bob: User):
    sample.prepare(now=timezone.now())
    paint_all()
    photo = sample.hang(owner=alice, now=timezone.now()).photo

    assert photo is not None
    photos.erase(photo, now=timezone.now())
    sample.hang(owner=bob, now=timezone.now())

    assert not alice.photos.exists()
    assert stages(bob) == [Stage.DONE] * 4
    assert set(Rendition.objects.values_list("tries", flat=True)) == {1}


def test_sample_that_somebody_brought_before_becomes_the_workshops_own(alice: User):
    sample.hang(owner=alice, now=timezone.now())
    assert Source.objects.get().lane == alice.lane

    sample.prepare(now=timezone.now())

    assert Source.objects.get().lane == sources.WORKSHOP
    assert stages(alice) == [Stage.WAITING] * 4


def test_caretaker_keeps_the_sample_that_nobody_has_looked_at_for_long(settings):
    settings.KEEP_DAYS, long = 30, timedelta(days=60)
    sample.prepare(now=timezone.now())
    paint_all()
    Rendition.objects.update(used_at=timezone.now() - long, finished_at=timezone.now() - long)

    call_command("tend", once=True)

    assert set(Rendition.objects.values_list("state", flat=True)) == {State.DONE}


def test_caretaker_prepares_no_sample_where_no_web_server_did():
    call_command("tend", once=True)

    assert not Source.objects.exists()


def test_what_was_given_up_or_put_away_is_painted_again(alice: User):
    sample.prepare(now=timezone.now())
    photo = sample.hang(owner=alice, now=timezone.now()).photo
    assert photo is not None
    turns.do_next(now=timezone.now())
    lifetimes.purge(Rendition.objects.filter(state=State.DONE))
    artworks.cancel_photo(photo, by=alice, now=timezone.now())

    sample.keep(now=timezone.now())
    paint_all()

    assert set(Rendition.objects.values_list("state", flat=True)) == {State.DONE}


def test_paintings_of_an_earlier_version_are_kept_by_histories_alone(alice: User):
    sample.prepare(now=timezone.now())
    paint_all()
    sample.hang(owner=alice, now=timezone.now())
    source = Source.objects.get()
    held = alice.photos.get().artworks.get(style="oil").commission
    Commission.objects.filter(pk=held.pk).update(recipe_digest="0" * 64)
    [(unheld, _)] = renditions.commission(
        source, styles=["oil"], look="fast", full_size=False, lane=sources.WORKSHOP, now=timezone.now()
    )

    sample.prepare(now=timezone.now())

    kept = set(Commission.objects.values_list("pk", flat=True))
    assert held.pk in kept
    assert unheld.pk not in kept
    assert len(kept) == 5
