"""Pictures on pages: placeholders, sizes and addresses."""

import base64
import io

import pytest
from PIL import Image

from gallery.models import Artwork
from gallery.templatetags.pictures import artwork_picture, card_picture, column_place, photo_picture, placeholder
from rendering.models import Rendition, State
from tests import makers

SIX_COLORS = "ff000000ff000000ff000000808080ffffff"


def test_placeholder_is_a_bitmap_of_the_six_colors():
    encoded = placeholder(SIX_COLORS).removeprefix("data:image/bmp;base64,")

    bitmap = Image.open(io.BytesIO(base64.b64decode(encoded)))

    assert bitmap.size == (3, 2)
    assert bitmap.convert("RGB").tobytes().hex() == SIX_COLORS


def test_photo_picture_waits_until_the_photo_is_read(alice):
    photo = makers.photo(alice, of=makers.source(state=State.WAITING))

    assert photo_picture(photo) is None


@pytest.mark.parametrize(
    ("wanted", "width", "sharp"), [(160, 160, ""), (300, 480, "1024"), (480, 480, "1024"), (5000, 2000, "")]
)
def test_photo_picture_is_the_next_larger_file(alice, wanted, width, sharp):
    source = makers.source(widths=[160, 480, 1024, 2000], canvas_width=2000, canvas_height=1000)
    photo = makers.photo(alice, of=source)

    picture = photo_picture(photo, wanted)

    assert picture is not None
    assert (picture.src, picture.width) == (f"/media/photos/{photo.key}/{width}.jpg", width)
    assert picture.height == width // 2
    assert picture.sharp == (f"/media/photos/{photo.key}/{sharp}.jpg" if sharp else "")


def test_photo_picture_offers_no_file_that_is_too_large_for_a_page(alice):
    source = makers.source(widths=[160, 480, 1024, 4000], canvas_width=4000, canvas_height=3000)
    photo = makers.photo(alice, of=source)

    picture = photo_picture(photo, 1024)

    assert picture is not None
    assert picture.srcset == f"/media/photos/{photo.key}/480.jpg 480w, /media/photos/{photo.key}/1024.jpg 1024w"


@pytest.mark.parametrize(("wanted", "thumb"), [(1024, "160"), (160, "")])
def test_picture_knows_the_smallest_file_for_the_time_until_it_has_come(alice, wanted, thumb):
    photo = makers.photo(alice, of=makers.source(widths=[160, 480, 1024], canvas_width=1024, canvas_height=768))

    picture = photo_picture(photo, wanted)

    assert picture is not None
    assert picture.thumb == (f"/media/photos/{photo.key}/{thumb}.jpg" if thumb else "")


def test_big_picture_is_half_as_wide_for_dense_screens_at_first_and_never_higher_than_the_window(alice):
    photo = makers.photo(alice, of=makers.source(widths=[480, 1000], canvas_width=1000, canvas_height=2000))
    picture = photo_picture(photo, 1000)
    assert picture is not None

    place = column_place(picture)

    assert place.full == "(max-width: 62rem) calc(100vw - 3.5rem), min(50rem, 36vh)"
    assert place.first == (
        "(min-resolution: 1.5dppx) and (max-width: 62rem) calc(45vw - 1.6rem),"
        f" (min-resolution: 1.5dppx) min(26rem, 19vh), {place.full}"
    )


def test_artwork_picture_says_what_it_shows(alice):
    artwork = makers.artwork(makers.photo(alice, title="Falcon"), style="watercolor")

    picture = artwork_picture(artwork)

    assert picture is not None
    assert (picture.alt, picture.style) == ("Falcon as Watercolor", "watercolor")


def test_artwork_picture_waits_until_it_is_painted(alice):
    artwork = makers.artwork(makers.photo(alice), state=State.WORKING)

    assert artwork_picture(artwork) is None


def test_artwork_picture_is_the_preview_until_the_painting_is_done(alice):
    artwork = makers.artwork(makers.photo(alice), state=State.WAITING)
    Rendition.objects.update(preview="previews/aa")
    shown = Artwork.objects.with_paintings().get(pk=artwork.pk)

    picture = artwork_picture(shown, 1024)

    assert picture is not None
    assert (picture.src, picture.sharp) == (f"/media/artworks/{artwork.key}/preview.jpg", "")
    assert (picture.width, picture.height, picture.srcset) == (480, 360, f"{picture.src} 480w")


@pytest.mark.parametrize("state", [State.WAITING, State.FAILED, State.EVICTED])
def test_artwork_without_files_has_no_picture(alice, state):
    assert artwork_picture(makers.artwork(makers.photo(alice), state=state)) is None


def test_cancelled_artwork_has_no_picture_though_somebody_else_has_it_done(alice):
    assert artwork_picture(makers.artwork(makers.photo(alice), cancelled_at=makers.NOON)) is None


def test_card_shows_finished_paintings_out_of_one_file(alice):
    photo = makers.finished_photo(alice)
    shown = list(photo.artworks.all())

    found = [card_picture(each, shown) for each in shown]

    assert [each.at for each in found if each] == ["0", "33", "67", "100"]
    assert len({each.src for each in found if each}) == 1


def test_card_shows_each_painting_by_itself_while_another_is_painted(alice):
    photo = makers.photo(alice)
    shown = [makers.artwork(photo, style=style) for style in ("pencil", "oil")]
    shown.append(makers.artwork(photo, style="watercolor", state=State.WORKING))

    assert [card_picture(each, shown) for each in shown] == [artwork_picture(each) for each in shown]


def test_card_leaves_what_failed_out_of_the_file(alice):
    photo = makers.photo(alice)
    shown = [makers.artwork(photo, style=style) for style in ("pencil", "oil")]
    shown.insert(1, makers.artwork(photo, style="watercolor", state=State.FAILED))

    found = [card_picture(each, shown) for each in shown]

    assert [each and each.at for each in found] == ["0", None, "100"]


def test_card_with_one_painting_asks_for_its_own_file(alice):
    one = makers.artwork(makers.photo(alice))

    assert card_picture(one, [one]) == artwork_picture(one)
