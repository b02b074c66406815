"""Words on pages: styles, looks, times, and how a photo stands."""

import pytest
from django.utils import translation

from gallery.models import Photo
from gallery.templatetags import words
from gallery.templatetags.words import InHand, Standing
from rendering.estimates import Estimate
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

    assert words.standing(fresh(photo)) == Standing("waiting", "Waiting to be looked at", 0)


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


@pytest.mark.parametrize(
    ("seconds", "text"),
    [
        (0, "a few seconds"),
        (7, "a few seconds"),
        (8, "about 10 seconds"),
        (34, "about 30 seconds"),
        (41.7, "about 40 seconds"),
        (54, "about 50 seconds"),
        (55, "about 1 minute"),
        (170, "about 3 minutes"),
        (9 * 60 + 40, "about 10 minutes"),
        (23 * 60, "about 25 minutes"),
        (59 * 60, "about 1 hour"),
        (5 * 3600, "about 5 hours"),
    ],
)
def test_time_to_come_is_said_as_coarsely_as_it_is_known(seconds, text):
    assert words.about(seconds) == text


@pytest.mark.parametrize(
    ("place", "text"),
    [
        (1, "Next in line"),
        (2, "Number 2 in line"),
        (5, "Number 5 in line"),
        (6, "About number 5 in line"),
        (18, "About number 20 in line"),
        (43, "About number 40 in line"),
        (1234, "About number 1200 in line"),
    ],
)
def test_place_in_line_is_rounded_far_behind(place, text):
    assert words.in_line(place) == text


def test_standing_tells_the_place_and_the_time(alice):
    photo = makers.photo(alice)
    makers.artwork(photo, state=State.WAITING)
    shown = fresh(photo)
    shown.estimate = Estimate(3, 42)

    assert words.standing(shown) == Standing("waiting", "Number 3 in line, about 40 seconds", 1)


def test_standing_tells_how_long_the_rest_takes(alice):
    photo = makers.photo(alice)
    makers.artwork(photo, style="oil")
    makers.artwork(photo, style="pencil", state=State.WAITING)
    shown = fresh(photo)
    shown.estimate = Estimate(3, 42)

    assert words.standing(shown) == Standing("painting", "Painting: 1 of 2 done, about 40 seconds", 1)


def test_standing_of_what_was_put_away_says_what_to_do(alice):
    photo = makers.photo(alice)
    makers.artwork(photo, state=State.EVICTED)

    assert words.standing(fresh(photo)) == Standing("evicted", "Put away: open the photo to have it painted again", 0)


def test_hand_counts_what_may_be_tried_again(alice):
    photo = makers.photo(alice)
    makers.artwork(photo, style="oil", state=State.FAILED)
    makers.artwork(photo, style="pencil", state=State.CANCELLED)
    makers.artwork(photo, style="watercolor", state=State.FAILED)

    assert words.in_hand(fresh(photo)) == InHand(unfinished=0, failed=2, cancelled=1)
