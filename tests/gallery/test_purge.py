"""The command that removes painting files: a person's, a style's, or all; nothing that another person needs."""

from pathlib import Path

import pytest
from django.core.management import CommandError, call_command
from django.urls import reverse

from gallery.models import Artwork, Stage, User
from rendering.models import Rendition, State
from tests import makers
from tests.makers import NOON

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture
def shared(alice: User, bob: User) -> Artwork:
    """Return alice's oil painting, which bob has as well; the others of her four are hers alone."""
    hers = makers.finished_photo(alice)
    oil = hers.artworks.get(style="oil")
    his = makers.photo(bob, of=hers.source)
    Artwork.objects.create(photo=his, commission=oil.commission, style="oil", look="studio", created_at=NOON)
    return oil


def put_away() -> list[str]:
    return sorted(Rendition.objects.filter(state=State.EVICTED).values_list("style", flat=True))


def files(media: Path) -> list[str]:
    return [str(path) for path in (media / "renditions").rglob("*.jpg")]


def test_purge_by_person_leaves_what_others_have(shared: Artwork, alice: User, media: Path, capsys):
    before = len(files(media))

    call_command("purge", "--person", "ALICE", "--yes")

    assert put_away() == ["color-pencil", "pencil", "watercolor"]
    assert (before, len(files(media))) == (8, 2)
    assert capsys.readouterr().out == "3 paintings, 0.0 MB removed\n"
    assert alice.photos.get().artworks.at_stage(Stage.EVICTED).count() == 3


@pytest.mark.parametrize(
    ("chosen", "gone"),
    [
        (["--style", "oil"], ["oil"]),
        (["--style", "oil", "--style-version", "99"], []),
        (["--person", "bob", "--style", "pencil"], []),
        (["--everything"], ["color-pencil", "oil", "pencil", "watercolor"]),
    ],
)
def test_purge_takes_what_was_chosen(shared: Artwork, chosen: list[str], gone: list[str]):
    call_command("purge", *chosen, "--yes")

    assert put_away() == gone


def test_purge_by_version_takes_what_cannot_be_painted_again(shared: Artwork):
    Rendition.objects.filter(style="oil").update(style_version=99)

    call_command("purge", "--style", "oil", "--style-version", "99", "--yes")

    assert put_away() == ["oil"]


def test_history_stays(shared: Artwork, alice: User):
    call_command("purge", "--everything", "--yes")

    assert Artwork.objects.count() == 5
    assert {artwork.stage for artwork in alice.photos.get().artworks.all()} == {Stage.EVICTED}


def test_dry_run_leaves_everything(shared: Artwork, media: Path, capsys):
    before = files(media)

    call_command("purge", "--everything", "--dry-run")

    assert (put_away(), files(media)) == ([], before)
    assert capsys.readouterr().out == "4 paintings, 0.0 MB would be removed\n"


@pytest.mark.parametrize(
    ("chosen", "words"),
    [
        ([], "Choose by"),
        (["--everything", "--style", "oil"], "Choose by"),
        (["--style-version", "1", "--yes"], "Choose by"),
        (["--everything"], "Add --yes"),
        (["--person", "nobody", "--yes"], "There is nobody of the name 'nobody'"),
        (["--style", "ink", "--yes"], "invalid choice"),
    ],
)
def test_what_is_not_clear_removes_nothing(shared: Artwork, chosen: list[str], words: str):
    with pytest.raises(CommandError, match=words):
        call_command("purge", *chosen)

    assert put_away() == []


def test_visit_paints_again_what_was_put_away_unless_it_was_given_up(shared: Artwork, alice: User, valkey):
    call_command("purge", "--everything", "--yes")
    alice.photos.get().artworks.filter(style="pencil").update(cancelled_at=NOON)

    page = makers.browser(alice).get(reverse("photo", args=[alice.photos.get().key]))

    assert [artwork.stage for artwork in page.context["artworks"]] == [Stage.CANCELLED] + [Stage.WAITING] * 3
    assert put_away() == ["pencil"]
