"""Pictures on pages: their addresses, sizes, words, and what is shown until they have come."""

import base64
import struct
from collections.abc import Sequence
from dataclasses import dataclass, replace

from django import template
from django.urls import reverse
from django.utils.translation import gettext as _

from gallery.models import UNFINISHED, Artwork, Photo, Stage
from gallery.templatetags.words import on_card, style_label
from rendering import strips

register = template.Library()

SMALL = 160
MEDIUM = 480
LARGE = 1024
LARGEST = 1600  # beyond that a file is for keeping, not for a page

BITMAP_SIZE = (3, 2)
BITMAP_FILE_HEADER = struct.Struct("<2sIHHI")
BITMAP_PICTURE_HEADER = struct.Struct("<IiiHHIIiiII")


@dataclass(frozen=True)
class Picture:
    """What an `img` needs to know.

    `sharp` is the same picture for large places, empty if there is no larger one. In a large place `srcset` names all
    files among which the browser may choose, and `thumb` is the smallest of all, for the time until that one has come;
    both are empty elsewhere. `at` is its place in a strip of several, in percent from the left; empty if it has the
    file for itself.
    """

    src: str
    sharp: str
    srcset: str
    width: int
    height: int
    alt: str
    placeholder: str
    style: str = ""
    at: str = ""
    thumb: str = ""

    @property
    def tenths(self) -> int:
        """How wide it is for its height, in tenths, 3 to 20: so much a style sheet can know of a picture's shape."""
        return min(20, max(3, 10 * self.width // self.height))


@dataclass(frozen=True)
class Opening:
    """One of the small pictures of a card: an artwork, how it stands, its style's name; no picture until it has one."""

    artwork: Artwork
    stage: Stage
    style: str
    picture: Picture | None


@dataclass(frozen=True)
class Strip:
    """Where several paintings are side by side, and which, by their numbers."""

    address: str
    artworks: Sequence[int]


@dataclass(frozen=True)
class Place:
    """How wide a page shows its big picture, as `sizes` says it.

    On the first look a dense screen is content with a plain screen's file, so that something to look at is there soon;
    what is sharp on it comes when the page has loaded.
    """

    first: str
    full: str


@register.simple_tag
def photo_picture(photo: Photo, wanted: int = MEDIUM) -> Picture | None:
    """Return the photo at the wanted width or a little more; None until it has been read."""
    source = photo.source
    if not source.widths:
        return None
    size = (source.canvas_width, source.canvas_height)
    alt = photo.description or _("%(title)s, the photo") % {"title": photo}
    return _picture("photo_file", photo.key, source.widths, size, wanted, (alt, source.signature, ""))


@register.simple_tag
def artwork_picture(artwork: Artwork | None, wanted: int = SMALL) -> Picture | None:
    """Return the painting at the wanted width or a little more; None until it is done, or if there is none.

    While it waits it is a quick small one, if that was painted.
    """
    rendition = artwork.rendition if artwork else None
    if artwork is None or rendition is None:
        return None
    if artwork.preview:
        return _preview(artwork)
    if artwork.stage != Stage.DONE or not rendition.widths:
        return None
    size = (rendition.width, rendition.height)
    return _picture("artwork_file", artwork.key, rendition.widths, size, wanted, _words_of(artwork))


@register.simple_tag
def card_picture(artwork: Artwork, shown: Sequence[Artwork]) -> Picture | None:
    """Return an artwork among those that a card shows: once all are finished they come together in one file."""
    return _cut(artwork, _strip(shown))


@register.simple_tag
def openings(photo: Photo) -> list[Opening]:
    """Return the small pictures of a photo's card, one of each style."""
    shown = on_card(photo)
    strip = _strip(shown)
    return [Opening(each, each.stage, style_label(each.style), _cut(each, strip)) for each in shown]


def strip_address(photo: Photo, together: Sequence[Artwork]) -> str:
    """Return where these paintings of a photo are side by side; another painting is another address."""
    address = reverse("strip_file", args=[photo.key, strips.digest([each.rendition for each in together])])
    return f"{address}?of={','.join(each.style for each in together)}"


def _strip(shown: Sequence[Artwork]) -> Strip | None:
    stages = [each.stage for each in shown]
    together = [each for each, stage in zip(shown, stages, strict=True) if stage == Stage.DONE][: strips.LONGEST]
    # While they are painted each comes by itself: the strip would come anew with every one of them.
    if len(together) < 2 or any(stage in UNFINISHED for stage in stages):
        return None
    return Strip(strip_address(together[0].photo, together), [each.pk for each in together])


def _cut(artwork: Artwork, strip: Strip | None) -> Picture | None:
    own = artwork_picture(artwork, SMALL)
    if own is None or strip is None or artwork.pk not in strip.artworks:
        return own
    at = f"{100 * strip.artworks.index(artwork.pk) / (len(strip.artworks) - 1):.0f}"
    return replace(own, src=strip.address, width=strips.CELL, height=strips.CELL, at=at)


def _preview(artwork: Artwork) -> Picture:
    source = artwork.photo.source
    address = reverse("preview_file", args=[artwork.key])
    alt, signature, style = _words_of(artwork)
    return Picture(
        src=address,
        sharp="",
        srcset=f"{address} {MEDIUM}w",
        width=MEDIUM,
        height=max(1, round(MEDIUM * source.canvas_height / source.canvas_width)),
        alt=alt,
        placeholder=placeholder(signature),
        style=style,
    )


def _words_of(artwork: Artwork) -> tuple[str, str, str]:
    alt = _("%(title)s as %(style)s") % {
        "title": artwork.photo.description or artwork.photo,
        "style": style_label(artwork.style),
    }
    return alt, artwork.photo.source.signature, artwork.style


@register.simple_tag
def column_place(picture: Picture) -> Place:
    """Return the place of the big picture on a photo's page: its column."""
    return place(picture, page=62, column=50)


def place(picture: Picture, *, page: int, column: int) -> Place:
    """Return a place in a column that is so many rem wide where the page is wider than that, and else the page.

    No picture is higher than the window.
    """
    high = round(72 * picture.width / picture.height)
    full = f"(max-width: {page}rem) calc(100vw - 3.5rem), min({column}rem, {high}vh)"
    dense = "(min-resolution: 1.5dppx)"
    narrow = f"{dense} and (max-width: {page}rem) calc(45vw - 1.6rem)"
    return Place(f"{narrow}, {dense} min({0.52 * column:.0f}rem, {0.52 * high:.0f}vh), {full}", full)


@register.filter
def placeholder(signature: str) -> str:
    """Return six colors (3 by 2, as 36 hexadecimal digits) as the address of a tiny bitmap; browsers smooth it.

    A bitmap is 24 bytes of its own and a header that is the same each time, which compresses to almost nothing
    in a page of many; a PNG adds two checksums, a WebP its own tables.
    """
    width, height = BITMAP_SIZE
    cells = bytes.fromhex(signature)
    rows = (cells[row * width * 3 : (row + 1) * width * 3] for row in reversed(range(height)))
    body = b"".join(_bitmap_row(row) for row in rows)
    start = BITMAP_FILE_HEADER.size + BITMAP_PICTURE_HEADER.size
    opening = BITMAP_FILE_HEADER.pack(b"BM", start + len(body), 0, 0, start)
    shape = BITMAP_PICTURE_HEADER.pack(BITMAP_PICTURE_HEADER.size, width, height, 1, 24, 0, 0, 0, 0, 0, 0)
    return "data:image/bmp;base64," + base64.b64encode(opening + shape + body).decode()


def _bitmap_row(cells: bytes) -> bytes:
    pixels = b"".join(cells[at : at + 3][::-1] for at in range(0, len(cells), 3))
    return pixels + bytes(-len(pixels) % 4)


def _picture(
    address: str, key: str, widths: list[int], size: tuple[int, int], wanted: int, words: tuple[str, str, str]
) -> Picture:
    alt, signature, style = words
    width = _at_least(wanted, widths)
    # A small opening stays as it is: nobody sees a sharper file in it, but everybody would wait for it.
    sharp = _at_least(LARGE, widths) if wanted > SMALL else 0
    offered = [each for each in widths if MEDIUM <= each <= LARGEST or each == width] if wanted > MEDIUM else []
    small = min(widths) if offered else 0
    # Only these: a page of the album has more than a hundred pictures.
    addresses = {each: reverse(address, args=[key, each]) for each in {width, sharp, small, *offered} - {0}}
    return Picture(
        src=addresses[width],
        sharp=addresses[sharp] if sharp > width else "",
        srcset=", ".join(f"{addresses[each]} {each}w" for each in offered),
        width=width,
        height=max(1, round(width * size[1] / size[0])),
        alt=alt,
        placeholder=placeholder(signature),
        style=style,
        thumb=addresses[small] if 0 < small < width else "",
    )


def _at_least(wanted: int, widths: list[int]) -> int:
    return min((width for width in widths if width >= wanted), default=max(widths))
