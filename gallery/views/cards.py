"""Cards of photos, for pages that watch them: only those that have changed."""

import hashlib
from collections.abc import Mapping, Sequence

from django.http import HttpRequest, HttpResponse, JsonResponse
from django.template.loader import render_to_string
from django.utils.cache import get_conditional_response
from django.utils.translation import get_language
from django.views.decorators.http import require_safe

from gallery.http import PersonRequest, for_person
from gallery.models import Photo

MOST = 100


def card(request: HttpRequest, photo: Photo) -> str:
    """Return a photo's card as the album shows it."""
    return render_to_string("components/card.html", {"photo": photo}, request)


@for_person
@require_safe
def status(request: PersonRequest) -> HttpResponse:
    """Return versions of the asked photos, and cards of those whose version the page does not have."""
    asked = request.GET.get("photos", "").split(",")[:MOST]
    had = dict(zip(asked, request.GET.get("have", "").split(","), strict=False))
    photos = {_version(photo): photo for photo in request.user.photos.in_album().filter(key__in=asked)}
    etag = f'"{_digest(list(photos))}"'
    unchanged = get_conditional_response(request, etag=etag)
    if unchanged is not None:
        return unchanged
    cards = {
        photo.key: {"version": version, "unfinished": photo.unfinished, "card": _news(request, photo, version, had)}
        for version, photo in photos.items()
    }
    return JsonResponse({"photos": cards}, headers={"ETag": etag, "Cache-Control": "private, no-cache"})


def _news(request: HttpRequest, photo: Photo, version: str, had: Mapping[str, str]) -> str | None:
    return None if had.get(photo.key) == version else card(request, photo)


def _version(photo: Photo) -> str:
    source = photo.source
    shown: list[object] = [photo.key, photo.title, source.state, source.reason, source.folder, get_language()]
    for artwork in photo.artworks.all():
        painting = artwork.rendition
        shown += [artwork.key, str(artwork.stage), painting and (painting.folder, painting.reason)]
    return _digest(shown)


def _digest(shown: Sequence[object]) -> str:
    return hashlib.sha256(repr(shown).encode()).hexdigest()[:16]
