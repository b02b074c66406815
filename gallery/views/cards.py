"""Cards of photos, for pages that watch them: only those that have changed."""

import hashlib
from collections.abc import Mapping, Sequence
from typing import Any

from django.http import HttpRequest, HttpResponse, JsonResponse
from django.template.loader import render_to_string
from django.utils.cache import get_conditional_response
from django.utils.translation import get_language
from django.views.decorators.http import require_safe

from gallery import artworks, traffic, twins
from gallery.http import PersonRequest, for_person
from gallery.models import Photo
from gallery.templatetags import words
from gallery.templatetags.twinned import likeness
from rendering import events

MOST = 100
CACHING = "private, no-cache"


def card(request: HttpRequest, photo: Photo) -> str:
    """Return a photo's card as the album shows it."""
    return render_to_string("components/card.html", {"photo": photo}, request)


@for_person
@require_safe
def status(request: PersonRequest) -> HttpResponse:
    """Return versions of the asked photos, and cards of those whose version the page does not have."""
    # Before the rows are read: what changes while they are makes another version.
    lane, lane_version = request.user.lane, events.version(request.user.lane)
    asked = request.GET.get("photos", "").split(",")[:MOST]
    had = dict(zip(asked, request.GET.get("have", "").split(","), strict=False))
    found = list(request.user.photos.in_album().filter(key__in=asked))
    twins.look(found, owner=request.user)
    artworks.foretell(found)
    photos = {_version(photo): photo for photo in found}
    etag = f'"{_digest(list(photos))}"'
    events.keep_answer(_question(request), etag, lane=lane, version=lane_version)
    unchanged = get_conditional_response(request, etag=etag)
    if unchanged is not None:
        return unchanged
    fresh = [photo for version, photo in photos.items() if had.get(photo.key) != version]
    traffic.show(fresh, browser=request.session.session_key)
    cards = {
        photo.key: {"version": version, "unfinished": photo.unfinished, "card": _news(request, photo, version, had)}
        for version, photo in photos.items()
    }
    return JsonResponse({"photos": cards}, headers={"ETag": etag, "Cache-Control": CACHING})


def question_of(scope: Mapping[str, Any]) -> str:  # Any: ASGI's own type
    """Return all that an answer depends on besides the rows, as a raw request says it: who asks, in which language."""
    headers = dict(scope["headers"])
    parts = (headers.get(b"cookie", b""), headers.get(b"accept-language", b""), scope["query_string"])
    return b"\n".join(parts).decode("latin-1")


def _question(request: HttpRequest) -> str:
    parts = ("HTTP_COOKIE", "HTTP_ACCEPT_LANGUAGE", "QUERY_STRING")
    return "\n".join(request.META.get(part, "") for part in parts)


def _news(request: HttpRequest, photo: Photo, version: str, had: Mapping[str, str]) -> str | None:
    return None if had.get(photo.key) == version else card(request, photo)


def _version(photo: Photo) -> str:
    source = photo.source
    shown: list[object] = [photo.key, photo.title, photo.description, photo.favorite, get_language()]
    shown += [source.state, source.reason, source.folder]
    # How it stands in words, not in seconds: a card is sent again when it says something else.
    shown += [likeness(photo), words.standing(photo).text]
    for artwork in photo.artworks.all():
        painting = artwork.rendition
        shown += [artwork.key, str(artwork.stage), painting and (painting.folder, painting.reason, painting.preview)]
    return _digest(shown)


def _digest(shown: Sequence[object]) -> str:
    return hashlib.sha256(repr(shown).encode()).hexdigest()[:16]
