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
    """Return versions of the asked photos, and what the page does not have: cards, or only how they stand now."""
    # Before the rows are read: what changes while they are makes another version.
    lane, lane_version = request.user.lane, events.version(request.user.lane)
    asked = request.GET.get("photos", "").split(",")[:MOST]
    had = dict(zip(asked, request.GET.get("have", "").split(","), strict=False))
    found = list(request.user.photos.in_album().filter(key__in=asked))
    twins.look(found, owner=request.user)
    artworks.foretell(found)
    photos = {version_of(photo): photo for photo in found}
    etag = f'"{_digest(list(photos))}"'
    events.keep_answer(_question(request), etag, lane=lane, version=lane_version)
    unchanged = get_conditional_response(request, etag=etag)
    if unchanged is not None:
        return unchanged
    fresh = [photo for version, photo in photos.items() if _card_of(had.get(photo.key, "")) != _card_of(version)]
    traffic.show(fresh, browser=request.session.session_key)
    cards = {
        photo.key: {
            "version": version,
            "unfinished": photo.unfinished,
            "card": card(request, photo) if photo in fresh else None,
            "standing": _standing(photo) if photo not in fresh and had[photo.key] != version else None,
        }
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


def _standing(photo: Photo) -> str:
    # While many wait, each second tells another place or time of each: a tenth of a card, for the line and for us.
    return render_to_string("components/standing.html", {"photo": photo, "standing": words.standing(photo)})


def _card_of(version: str) -> str:
    return version.partition("-")[0]


def version_of(photo: Photo) -> str:
    """Return what differs as soon as a card does: one part for the card, one for the words that say how it stands."""
    source = photo.source
    shown: list[object] = [photo.key, photo.title, photo.description, photo.favorite, get_language()]
    shown += [source.state, source.reason, source.folder]
    shown += [likeness(photo)]
    for artwork in photo.artworks.all():
        painting = artwork.rendition
        shown += [artwork.key, str(artwork.stage), painting and (painting.folder, painting.reason, painting.preview)]
    # In words, not in seconds: it is sent again when it says something else.
    return f"{_digest(shown)}-{_digest([words.standing(photo).text])}"


def _digest(shown: Sequence[object]) -> str:
    return hashlib.sha256(repr(shown).encode()).hexdigest()[:16]
