"""Answers whether this process serves at all: no database, no queue, no name of the site."""

from collections.abc import Callable

from django.http import HttpRequest, HttpResponse, HttpResponseBase

LIVE = "/livez"


def answer_probes(serve: Callable[[HttpRequest], HttpResponseBase]) -> Callable[[HttpRequest], HttpResponseBase]:
    """Answer the probes of load balancers before anything else: they ask by address, which ALLOWED_HOSTS refuses."""

    def serve_or_live(request: HttpRequest) -> HttpResponseBase:
        return HttpResponse("alive\n", content_type="text/plain") if request.path == LIVE else serve(request)

    return serve_or_live
