"""What views share about HTTP: fetching for this person, going back, and sending files that nobody else may see."""

import re
import unicodedata
from collections.abc import Callable
from functools import wraps
from typing import TypeAlias, cast
from urllib.parse import quote

from django.contrib.auth.decorators import login_required
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseBase
from django.shortcuts import get_object_or_404
from django.utils.http import url_has_allowed_host_and_scheme

from gallery.models import Artwork, Photo, User
from rendering import store

JPEG = "image/jpeg"
UNSAFE = re.compile(r"[^A-Za-z0-9 ._()-]")
PRIVATE_FILE = {
    "Cache-Control": "private, max-age=31536000, immutable",
    "Content-Security-Policy": "default-src 'none'; sandbox",
    "X-Content-Type-Options": "nosniff",
}


class PersonRequest(HttpRequest):
    """A request of somebody who has signed in."""

    user: User


View: TypeAlias = Callable[..., HttpResponseBase]


def for_person(view: Callable[[PersonRequest], HttpResponseBase]) -> View:
    """Let only people in who have signed in; send the others to the door."""

    @login_required
    @wraps(view)
    def signed_in(request: HttpRequest) -> HttpResponseBase:
        return view(cast("PersonRequest", request))

    return signed_in


def with_photo(view: Callable[[PersonRequest, Photo], HttpResponseBase]) -> View:
    """Fetch the person's own photo; before anything else is checked, somebody else's does not exist."""

    @login_required
    @wraps(view)
    def fetched(request: HttpRequest, key: str) -> HttpResponseBase:
        person = cast("PersonRequest", request)
        return view(person, get_object_or_404(person.user.photos.in_album(), key=key))

    return fetched


def with_artwork(view: Callable[[PersonRequest, Artwork], HttpResponseBase]) -> View:
    """Fetch the person's own artwork; before anything else is checked, somebody else's does not exist."""

    @login_required
    @wraps(view)
    def fetched(request: HttpRequest, key: str) -> HttpResponseBase:
        person = cast("PersonRequest", request)
        return view(person, get_object_or_404(Artwork.objects.history_of(person.user), key=key))

    return fetched


def for_staff(view: View) -> View:
    """Show a page to staff; for everybody else it does not exist."""

    @wraps(view)
    def shown(request: HttpRequest, *args: object, **named: object) -> HttpResponseBase:
        if not request.user.is_staff:
            raise Http404
        return view(request, *args, **named)

    return shown


def for_superusers(view: View) -> View:
    """Show a page to superusers; for everybody else it does not exist."""

    @for_staff
    @wraps(view)
    def shown(request: HttpRequest, *args: object, **named: object) -> HttpResponseBase:
        if not request.user.is_superuser:
            raise Http404
        return view(request, *args, **named)

    return shown


def next_or(request: HttpRequest, address: str) -> str:
    """Return the address of this site that the form asked to go to next, else the given one."""
    wanted = request.POST.get("next", "")
    allowed = url_has_allowed_host_and_scheme(wanted, {request.get_host()}, require_https=request.is_secure())
    return wanted if allowed else address


def prefers_json(request: HttpRequest) -> bool:
    """Return whether the page's script asks rather than the browser."""
    return request.get_preferred_type(["text/html", "application/json"]) == "application/json"


def private_file(name: str, *, content_type: str, disposition: str = "inline") -> HttpResponse:
    """Return a stored file for its owner alone; raise Http404 if it is gone.

    Read whole: a streamed answer of a synchronous view would be read whole by an ASGI server as well.
    """
    try:
        content = store.read(name)
    except store.Missing as error:
        raise Http404 from error
    except store.Unavailable:
        return HttpResponse(status=503, headers={"Retry-After": "10"})
    headers = {**PRIVATE_FILE, "Content-Disposition": disposition}
    return HttpResponse(content, content_type=content_type, headers=headers)


def attachment(name: str, extension: str) -> str:
    """Return a disposition that has a file saved under this name: in ASCII for old programs, and as it is."""
    plain = unicodedata.normalize("NFKD", name).encode("ascii", "ignore").decode()
    safe = UNSAFE.sub("-", plain).strip(" .-") or "picture"
    full = quote(f"{name.replace('/', '-')}.{extension}", safe="")
    return f"attachment; filename=\"{safe}.{extension}\"; filename*=UTF-8''{full}"
