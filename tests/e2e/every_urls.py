"""All addresses of the site, and one for each page that is seldom seen: errors, a closed door, the first admin's."""

from collections.abc import Callable
from functools import partial

from allauth.account.forms import SetPasswordForm
from allauth.core.internal.ratelimit import handler429
from django.core.exceptions import PermissionDenied, RequestDataTooBig, SuspiciousOperation
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.urls import URLPattern, URLResolver, path
from django.views.csrf import csrf_failure

from artworkshop import urls
from gallery.forms import SetupForm
from gallery.uploads import NoRoom
from rendering.room import Full

SELDOM: dict[str, Exception | Callable[[HttpRequest], HttpResponse]] = {
    "400": SuspiciousOperation("this was made up"),
    "403": PermissionDenied(),
    "403_csrf": csrf_failure,
    "413": RequestDataTooBig(),
    "429": handler429,
    "500": RuntimeError("this is only a test of the page"),
    "503": NoRoom(Full.DISK),
    "closed": lambda request: render(request, "account/signup_closed.html"),
    "set-up": lambda request: render(request, "gallery/setup.html", {"form": SetupForm()}),
    "first-password": lambda request: render(request, "account/password_set.html", {"form": SetPasswordForm()}),
}


def show(request: HttpRequest, name: str) -> HttpResponse:
    """Show a page that is seldom seen, or fail as its name says."""
    page = SELDOM[name]
    if isinstance(page, Exception):
        raise page
    return page(request)


handler400 = urls.handler400
urlpatterns: list[URLPattern | URLResolver] = [
    *(path(f"seldom/{name}/", partial(show, name=name)) for name in SELDOM),
    *urls.urlpatterns,
]
