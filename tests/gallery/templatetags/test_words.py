"""Words on pages: styles, looks, times, and how a photo stands."""

import pytest
from django.utils import translation

from gallery.models import Photo
from gallery.templatetags import words
from gallery.templatetags.words import Standing
from rendering.models import Reason, State
from tests import makers


def fresh(photo):
    return Photo.objects.in_album().get(pk=photo.pk)


@pytest.mark.parametrize(
    ("seconds", "text"), [(None, ""), (0, "0.0 s"), (0.84, "0.8 s"), (9.96, "10 s"), (12.4, "12 s"), (185, "3 min 5 s")]
)
def test_duration_is_said_as_people_say_it(seconds, text):
    assert words.duration(seconds) == text


@pytest.mark.parametrize(("code", "tag"), [("en", "en"), ("zh-hans", "zh-Hans"), ("pt-br", "pt-BR")])
def test_language_tag_is_spelled_as_the_standard_says(code, tag):
    assert words.language_tag(code) == tag


def test_labels_speak_the_language_of_the_page():
    with translation.override("zh-hans"):
        assert (words.style_label("oil"), words.look_label("studio")) == ("油画", "画室")


def test_label_of_an_unknown_style_is_its_name():
    assert (words.style_label("cubism"), words.style_summary("cubism"), words.look_label("wild")) == (
        "cubism",
        "",
        "wild",
    )


def test_icon_is_silent_and_comes_from_the_one_file():
    assert words.icon("done") == '<svg class="icon" aria-hidden="true"><use href="/static/img/icons.svg#done"/></svg>'


def test_card_shows_one_artwork_of_each_style_in_the_catalog_s_order(alice):
    photo = makers.photo(alice)
    oil = makers.artwork(photo, style="oil")
    pencil = makers.artwork(photo, style="pencil")

    assert words.on_card(fresh(photo)) == [pencil, oil]


def test_card_prefers_the_newest_artwork_that_did_not_fail(alice):
    photo = makers.photo(alice)
    makers.artwork(photo, look="studio")
    better = makers.artwork(photo, look="classic")
    makers.artwork(photo, look="fast", state=State.FAILED)

    assert words.on_card(fresh(photo)) == [better]


def test_standing_of_a_photo_that_nobody_has_looked_at(alice):
    photo = makers.photo(alice, of=makers.source(state=State.WAITING))

    assert words.standing(fresh(photo)) == Standing("waiting", "Waiting for a painter", 0)


def test_standing_counts_what_is_done(alice):
    photo = makers.photo(alice)
    makers.artwork(photo, style="oil")
    makers.artwork(photo, style="pencil", state=State.WORKING)
    makers.artwork(photo, style="watercolor", state=State.WAITING)

    assert words.standing(fresh(photo)) == Standing("painting", "Painting: 1 of 3 done", 2)


def test_standing_of_a_finished_photo(alice):
    photo = makers.finished_photo(alice)

    assert words.standing(fresh(photo)) == Standing("done", "4 paintings", 0)


def test_standing_names_failures_rather_than_successes(alice):
    photo = makers.photo(alice)
    makers.artwork(photo, style="oil")
    makers.artwork(photo, style="pencil", state=State.FAILED)

    assert words.standing(fresh(photo)) == Standing("failed", "1 painting failed", 0)


def test_standing_says_why_a_photo_could_not_be_read(alice):
    photo = makers.photo(alice, of=makers.source(state=State.FAILED, reason=Reason.DAMAGED))

    assert words.standing(fresh(photo)) == Standing("failed", "This picture is damaged and cannot be read.", 0)


def test_standing_of_a_photo_without_paintings(alice):
    assert words.standing(fresh(makers.photo(alice))) == Standing("cancelled", "No paintings yet", 0)
