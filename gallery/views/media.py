"""Files, for their owner alone; what is private, missing or forbidden looks the same."""

from django.db.models import Prefetch
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404
from django.utils import timezone
from django.views.decorators.http import require_safe

from gallery import traffic
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
    """Send a photo in one of its widths; also from the bin, where its owner sees it, and while a card leaves a page."""
    source = get_object_or_404(_person(request).photos.select_related("source"), key=key).source
    return _page_file(source.folder, source.widths, width)


@require_safe
def artwork_file(request: HttpRequest, key: str, width: int) -> HttpResponse:
    """Send a painting in one of its widths."""
    artwork = _artwork(request, key)
    if artwork.stage != Stage.DONE or artwork.rendition is None:
        raise Http404
    lifetimes.touch([artwork.rendition], now=timezone.now())
    return _page_file(artwork.rendition.folder, artwork.rendition.widths, width)


@require_safe
def strip_file(request: HttpRequest, key: str, digest: str) -> HttpResponse:
    """Send the small paintings of a photo's card side by side, in the order of the styles asked for."""
    artworks = Prefetch("artworks", queryset=Artwork.objects.select_related("commission__rendition").order_by("pk"))
    mine = _person(request).photos.select_related("source")
    photo = get_object_or_404(mine.prefetch_related(artworks), key=key)
    done = {each.style: each.rendition for each in words.on_card(photo) if each.stage == Stage.DONE}
    asked = [done.get(style) for style in request.GET.get("of", "").split(",")[: strips.LONGEST]]
    found = [each for each in asked if each]
    if not found:
        raise Http404
    lifetimes.touch(found, now=timezone.now())
    # A page that is older than the paintings gets what there is now, for this once.
    return traffic.sent(private_picture(lambda: strips.draw(asked), WEBP, lasting=strips.digest(asked) == digest))


@require_safe
def preview_file(request: HttpRequest, key: str) -> HttpResponse:
    """Send the quick small painting that is shown while the full one waits."""
    artwork = _artwork(request, key)
    if artwork.stage == Stage.DONE:
        return _finished_meanwhile(artwork)
    binned = artwork.photo.removed_at and artwork.rendition  # its card may be on a page for a moment more
    folder = artwork.preview or (binned and binned.preview)
    if not folder:
        raise Http404
    return traffic.sent(private_file(store.page_file(folder, PREVIEW_WIDTH), content_type=JPEG))


def _finished_meanwhile(artwork: Artwork) -> HttpResponse:
    painting = artwork.rendition
    if painting is None or not painting.widths:
        raise Http404
    width = min((each for each in painting.widths if each >= PREVIEW_WIDTH), default=max(painting.widths))
    answer = _page_file(painting.folder, painting.widths, width)
    answer.headers["Cache-Control"] = "private, no-store"  # the address is another picture's
    return answer


def _photo(request: HttpRequest, key: str) -> Photo:
    return get_object_or_404(_person(request).photos.kept().select_related("source"), key=key)


def _artwork(request: HttpRequest, key: str) -> Artwork:
    """Return the person's own artwork, whether its photo is in the bin or not: what a page shows may still come."""
    return get_object_or_404(Artwork.objects.with_paintings().filter(photo__owner=_person(request)), key=key)


def _person(request: HttpRequest) -> User:
    if not isinstance(request.user, User):
        raise Http404
    return request.user


def _page_file(folder: str, widths: list[int], width: int) -> HttpResponse:
    if width not in widths:
        raise Http404
    return traffic.sent(private_file(store.page_file(folder, width), content_type=JPEG))
