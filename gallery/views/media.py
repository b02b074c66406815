"""Files, for their owner alone; what is private, missing or forbidden looks the same."""

from django.db.models import Prefetch
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404
from django.utils import timezone
from django.views.decorators.http import require_safe

from gallery.http import JPEG, WEBP, attachment, private_file, private_picture
from gallery.models import Artwork, Photo, Stage, User
from gallery.templatetags import words
from rendering import lifetimes, store, strips
from rendering.renditions import PREVIEW_WIDTH

TYPES = {"jpeg": "image/jpeg", "png": "image/png", "webp": "image/webp", "avif": "image/avif", "heif": "image/heif"}
EXTENSIONS = {"jpeg": "jpg", "heif": "heic"}


@require_safe
def photo_original(request: HttpRequest, key: str) -> HttpResponse:
    """Send the file that was uploaded, only to be saved."""
    photo = _photo(request, key)
    kind = photo.source.format
    disposition = attachment(str(photo), EXTENSIONS.get(kind, kind))
    content_type = TYPES.get(kind, "application/octet-stream")
    return private_file(photo.source.original, content_type=content_type, disposition=disposition)


@require_safe
def photo_file(request: HttpRequest, key: str, width: int) -> HttpResponse:
    """Send a photo in one of its widths."""
    source = _photo(request, key).source
    return _page_file(source.folder, source.widths, width)


@require_safe
def bin_file(request: HttpRequest, key: str, width: int) -> HttpResponse:
    """Send a photo that is in the bin in one of its widths."""
    source = get_object_or_404(_person(request).photos.in_bin(), key=key).source
    return _page_file(source.folder, source.widths, width)


@require_safe
def artwork_file(request: HttpRequest, key: str, width: int) -> HttpResponse:
    """Send a painting in one of its widths."""
    artwork = get_object_or_404(Artwork.objects.history_of(_person(request)), key=key)
    if artwork.stage != Stage.DONE or artwork.rendition is None:
        raise Http404
    lifetimes.touch([artwork.rendition], now=timezone.now())
    return _page_file(artwork.rendition.folder, artwork.rendition.widths, width)


@require_safe
def strip_file(request: HttpRequest, key: str, digest: str) -> HttpResponse:
    """Send the small paintings of a photo's card side by side, in the order of the styles asked for."""
    artworks = Prefetch("artworks", queryset=Artwork.objects.select_related("commission__rendition").order_by("pk"))
    mine = _person(request).photos.kept().select_related("source")
    photo = get_object_or_404(mine.prefetch_related(artworks), key=key)
    done = {each.style: each.rendition for each in words.on_card(photo) if each.stage == Stage.DONE}
    asked = [done.get(style) for style in request.GET.get("of", "").split(",")[: strips.LONGEST]]
    found = [each for each in asked if each]
    if not found:
        raise Http404
    lifetimes.touch(found, now=timezone.now())
    # A page that is older than the paintings gets what there is now, for this once.
    return private_picture(lambda: strips.draw(asked), WEBP, lasting=strips.digest(asked) == digest)


@require_safe
def preview_file(request: HttpRequest, key: str) -> HttpResponse:
    """Send the quick small painting that is shown while the full one waits."""
    artwork = get_object_or_404(Artwork.objects.history_of(_person(request)), key=key)
    if not artwork.preview:
        raise Http404
    return private_file(store.page_file(artwork.preview, PREVIEW_WIDTH), content_type=JPEG)


def _photo(request: HttpRequest, key: str) -> Photo:
    return get_object_or_404(_person(request).photos.kept().select_related("source"), key=key)


def _person(request: HttpRequest) -> User:
    if not isinstance(request.user, User):
        raise Http404
    return request.user


def _page_file(folder: str, widths: list[int], width: int) -> HttpResponse:
    if width not in widths:
        raise Http404
    return private_file(store.page_file(folder, width), content_type=JPEG)
