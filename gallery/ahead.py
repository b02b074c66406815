"""Pages ahead of time: a browser fetches a photo's page while a pointer rests on its link.

The rules are a file that a header names, so that no page has a script in it. Browsers fetch so over https or from this
machine alone, and not while they save bytes or power.
"""

from django.http import HttpRequest, HttpResponse
from django.http.response import HttpResponseBase
from django.templatetags.static import static

SAFE = ("GET", "HEAD", "OPTIONS")


def is_asked(request: HttpRequest) -> bool:
    """Return whether a browser asks before its person does."""
    return request.headers.get("Sec-Purpose", "").startswith("prefetch")


def offer(request: HttpRequest, page: HttpResponse) -> HttpResponse:
    """Have a page's links to photos fetched ahead; not for those who save bytes."""
    if request.headers.get("Save-Data") != "on":
        page.headers["Speculation-Rules"] = f'"{static("photos.speculationrules")}"'
    return page


def middleware(get_response):  # type: ignore[no-untyped-def]
    """Have browsers forget what they have fetched ahead whenever people do something: it may not be true any more."""

    def forgotten(request: HttpRequest) -> HttpResponseBase:
        response: HttpResponseBase = get_response(request)
        # Who says where a request comes from fetches ahead; over plain http browsers do neither.
        if request.method not in SAFE and "Sec-Fetch-Site" in request.headers:
            response.headers["Clear-Site-Data"] = '"prefetchCache"'
        return response

    return forgotten
