"""What visitors of a share see: pictures at the share's own addresses, and words that tell nothing of their owner."""

from collections.abc import Sequence
from dataclasses import replace

from django import template
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext as _

from gallery import shares
from gallery.models import Artwork, Photo, Share
from gallery.templatetags.pictures import LARGEST, MEDIUM, SMALL, Picture, Place, place, placeholder
from gallery.templatetags.words import style_label
from rendering import strips

register = template.Library()


@register.simple_tag
def shared_name(photo: Photo, number: int) -> str:
    """Return what the owner wrote for those who cannot see the photo, else its number; its title may be a file's."""
    return photo.description or _("Photo %(number)s") % {"number": number}


@register.simple_tag
def shared_photo(share: Share, photo: Photo, name: str, wanted: int = MEDIUM) -> Picture:
    """Return a photo at the wanted width or a little more, as far as the share gives it."""
    source = photo.source
    files = _files("shared_photo_file", share, photo.key, source.widths)
    shape = source.canvas_height / source.canvas_width
    return _picture(files, wanted, shape, placeholder(source.signature), name)


@register.simple_tag
def shared_painting(share: Share, artwork: Artwork, name: str, wanted: int = MEDIUM) -> Picture | None:
    """Return a painting at the wanted width or a little more, as far as the share gives it."""
    painted = artwork.rendition
    if painted is None:
        return None
    files = _files("shared_painting_file", share, artwork.key, painted.widths)
    alt = _("%(title)s as %(style)s") % {"title": name, "style": style_label(artwork.style)}
    ground = placeholder(artwork.photo.source.signature)
    return _picture(files, wanted, painted.height / painted.width, ground, alt, style=artwork.style)


@register.simple_tag
def shared_on_card(share: Share, artwork: Artwork, shown: Sequence[Artwork], name: str) -> Picture | None:
    """Return a painting among those that a card of a share shows: several come together in one file."""
    own = shared_painting(share, artwork, name, SMALL)
    together = list(shown[: strips.LONGEST])
    if own is None or artwork not in together or len(together) < 2:
        return own
    address = reverse("shared_strip_file", args=[share.key, artwork.photo.key])
    at = f"{100 * together.index(artwork) / (len(together) - 1):.0f}"
    src = f"{address}?of={','.join(each.style for each in together)}"
    return replace(own, src=src, width=strips.CELL, height=strips.CELL, at=at)


@register.simple_tag
def shared_place(share: Share, picture: Picture) -> Place:
    """Return the place of the big picture on a page of a share: the page is as wide as the share's files are."""
    return place(picture, page=84, column=76) if share.full_size else place(picture, page=56, column=51)


@register.simple_tag
def largest_shared(share: Share, artwork: Artwork) -> str:
    """Return the address of the largest file of a painting that the share gives."""
    files = _files("shared_painting_file", share, artwork.key, artwork.rendition.widths if artwork.rendition else ())
    return files[max(files)] if files else ""


@register.filter
def has_ended(share: Share) -> bool:
    """Return whether the share shows nothing any more."""
    return share.revoked_at is not None or (share.expires_at is not None and share.expires_at <= timezone.now())


def _files(address: str, share: Share, key: str, widths: Sequence[int]) -> dict[int, str]:
    return {width: reverse(address, args=[share.key, key, width]) for width in shares.widths_in(share, widths)}


def _picture(files: dict[int, str], wanted: int, shape: float, ground: str, alt: str, *, style: str = "") -> Picture:
    width = _at_least(wanted, files)
    offered = [f"{files[each]} {each}w" for each in files if MEDIUM <= each <= LARGEST or each == width]
    height = max(1, round(width * shape))
    sharp = files[_at_least(MEDIUM, files)] if width < MEDIUM and not style else ""
    thumb = files[min(files)] if min(files) < width else ""
    return Picture(files[width], sharp, ", ".join(offered), width, height, alt, ground, style, thumb=thumb)


def _at_least(wanted: int, files: dict[int, str]) -> int:
    return min((each for each in files if each >= wanted), default=max(files))
