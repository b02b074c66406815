"""What views share about HTTP: fetching for this person, going back, and sending files that nobody else may see."""

import csv
import io
import re
import unicodedata
from collections.abc import AsyncIterator, Callable, Generator, Iterable, Sequence
from functools import wraps
from itertools import islice
from typing import TypeAlias, cast
from urllib.parse import quote

from asgiref.sync import sync_to_async
from django.contrib.auth.decorators import login_required
from django.core.handlers.asgi import ASGIRequest
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseBase, StreamingHttpResponse
from django.shortcuts import get_object_or_404
from django.utils.http import url_has_allowed_host_and_scheme

from gallery.models import Artwork, Photo, User
from rendering import store

JPEG = "image/jpeg"
WEBP = "image/webp"
FORMULA = ("=", "+", "-", "@", "\t", "\r", "\n")
BYTE_ORDER_MARK = b"\xef\xbb\xbf"  # spreadsheets take a file without it for one in the computer's old code page
LINES = 500
"""So many lines of a table are sent at once."""
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


def for_staff_with(permission: str) -> Callable[[View], View]:
    """Show a page to staff who have this permission; for everybody else it does not exist."""

    def guard(view: View) -> View:
        @for_staff
        @wraps(view)
        def shown(request: HttpRequest, *args: object, **named: object) -> HttpResponseBase:
            if not cast("PersonRequest", request).user.has_perm(permission):
                raise Http404
            return view(request, *args, **named)

        return shown

    return guard


def for_superusers(view: View) -> View:
    """Show a page to superusers; for everybody else it does not exist."""

    @for_staff
    @wraps(view)
    def shown(request: HttpRequest, *args: object, **named: object) -> HttpResponseBase:
        if not request.user.is_superuser:
            raise Http404
        return view(request, *args, **named)

    return shown


def table_file(request: HttpRequest, name: str, rows: Iterable[Sequence[object]]) -> StreamingHttpResponse:
    """Return rows as a CSV file, sent as they come; no cell of it is a formula to the program that opens it."""
    disposition = attachment(name, "csv")
    return streamed(request, _lines(rows), content_type="text/csv; charset=utf-8", disposition=disposition)


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


def private_picture(draw: Callable[[], bytes], content_type: str, *, lasting: bool) -> HttpResponse:
    """Return a picture that is made for its owner just now; the browser may keep it if its address tells what it is."""
    try:
        content = draw()
    except store.Unavailable:
        return HttpResponse(status=503, headers={"Retry-After": "10"})
    headers = PRIVATE_FILE if lasting else PRIVATE_FILE | {"Cache-Control": "private, no-store"}
    return HttpResponse(content, content_type=content_type, headers=headers)


def streamed(
    request: HttpRequest, pieces: Generator[bytes], *, content_type: str, disposition: str
) -> StreamingHttpResponse:
    """Send what is still being made, piece by piece: no more of it is in memory than one piece."""
    # Django reads a plain generator whole before it sends it over ASGI, and an asynchronous one over WSGI.
    content = _at_leisure(pieces) if isinstance(request, ASGIRequest) else pieces
    headers = {"Content-Disposition": disposition, "Cache-Control": "private, no-store", "X-Accel-Buffering": "no"}
    return StreamingHttpResponse(content, content_type=content_type, headers=headers)


async def _at_leisure(pieces: Generator[bytes]) -> AsyncIterator[bytes]:
    # In the request's own thread: Django closes the database connection that was opened there.
    try:
        while piece := await sync_to_async(_next_of)(pieces):
            yield piece
    finally:
        await sync_to_async(pieces.close)()


def _next_of(pieces: Generator[bytes]) -> bytes:
    return next(pieces, b"")


def attachment(name: str, extension: str) -> str:
    """Return a disposition that has a file saved under this name: in ASCII for old programs, and as it is."""
    plain = unicodedata.normalize("NFKD", name).encode("ascii", "ignore").decode()
    safe = UNSAFE.sub("-", plain).strip(" .-") or "picture"
    full = quote(f"{name.replace('/', '-')}.{extension}", safe="")
    return f"attachment; filename=\"{safe}.{extension}\"; filename*=UTF-8''{full}"


def _lines(rows: Iterable[Sequence[object]]) -> Generator[bytes]:
    yield BYTE_ORDER_MARK
    left = iter(rows)
    while some := list(islice(left, LINES)):
        lines = io.StringIO()
        csv.writer(lines).writerows([_harmless(cell) for cell in row] for row in some)
        yield lines.getvalue().encode()


def _harmless(cell: object) -> object:
    return f"'{cell}" if isinstance(cell, str) and cell.startswith(FORMULA) else cell
