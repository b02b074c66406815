"""Figures for Prometheus: what this process answers, and what the rows tell (`tallies`), for those who may see them."""

import ipaddress
import time
from collections.abc import Callable, Iterator, Mapping
from hmac import compare_digest
from typing import Protocol

from django.conf import settings
from django.http import HttpRequest, HttpResponse, HttpResponseBase, HttpResponseNotFound
from django.utils import timezone
from prometheus_client import CollectorRegistry, Histogram, ProcessCollector
from prometheus_client.core import GaugeMetricFamily, Metric
from prometheus_client.exposition import choose_encoder
from prometheus_client.registry import Collector

from artworkshop.logs import route_of
from artworkshop.tallies import Tallies

PATH = "/metrics"
FORWARDED = ("X-Forwarded-For", "Forwarded", "X-Real-IP", "Via")
"""Headers of proxies: behind one, everybody comes from a private address."""
NEAR = tuple(
    map(
        ipaddress.ip_network,
        ("127.0.0.0/8", "10.0.0.0/8", "172.16.0.0/12", "192.168.0.0/16", "::1/128", "fc00::/7", "fe80::/10"),
    )
)


class Part(Protocol):
    """What was seen of a part of the site."""

    @property
    def ready(self) -> bool:
        """Whether it can be used."""


Parts = Callable[[], Mapping[str, Part]]

registry = CollectorRegistry()
ProcessCollector(registry=registry)
request_seconds = Histogram(
    "artworkshop_request_seconds",
    "Time to answer, by the name of the address and the status.",
    ["route", "status"],
    buckets=(0.01, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 10),
    registry=registry,
)


def measure_requests(serve: Callable[[HttpRequest], HttpResponseBase]) -> Callable[[HttpRequest], HttpResponseBase]:
    """Count and time what Django answers."""

    def serve_measured(request: HttpRequest) -> HttpResponseBase:
        began = time.perf_counter()
        response = serve(request)
        measured = request_seconds.labels(route_of(request), str(response.status_code))
        measured.observe(time.perf_counter() - began)
        return response

    return serve_measured


def answer(request: HttpRequest, *, parts: Parts) -> HttpResponse:
    """Return all figures to whoever may see them; for others there is nothing here."""
    if settings.METRICS == "off" or (settings.METRICS == "open" and not comes_from_near(request)):
        return HttpResponseNotFound("Not found.\n", content_type="text/plain")
    if settings.METRICS == "token" and not knows_the_token(request):
        headers = {"WWW-Authenticate": "Bearer"}
        return HttpResponse("A token is needed.\n", status=401, content_type="text/plain", headers=headers)
    return scrape(request.headers.get("Accept", ""), parts=parts)


def scrape(accepted: str, *, parts: Parts) -> HttpResponse:
    """Return all figures in the form that the scraper reads best."""
    encode, content_type = choose_encoder(accepted)
    return HttpResponse(encode(Scrape(parts)), content_type=content_type)


def comes_from_near(request: HttpRequest) -> bool:
    """Whether this machine or its own network asks, and no proxy on somebody's behalf."""
    if any(name in request.headers for name in FORWARDED):
        return False
    try:
        address = ipaddress.ip_address(request.META.get("REMOTE_ADDR", ""))
    except ValueError:
        return False
    # A socket for both kinds of addresses gives those of IPv4 a prefix.
    mapped = address.ipv4_mapped if isinstance(address, ipaddress.IPv6Address) else None
    return any((mapped or address) in network for network in NEAR)


def knows_the_token(request: HttpRequest) -> bool:
    """Whether the request carries METRICS_TOKEN."""
    given = request.headers.get("Authorization", "").encode()
    return bool(settings.METRICS_TOKEN) and compare_digest(given, f"Bearer {settings.METRICS_TOKEN}".encode())


class Scrape(Collector):
    """All figures of one moment."""

    def __init__(self, parts: Parts) -> None:
        """Know how to look at the site's parts."""
        self.parts = parts

    def collect(self) -> Iterator[Metric]:
        """Yield the figures of this process, then those of the site, then what this took."""
        began = time.perf_counter()
        yield from registry.collect()
        yield from tallies.collect(now=timezone.now())
        ready = GaugeMetricFamily("artworkshop_ready", "Whether a part can be used (1) or not (0).", labels=["part"])
        for name, part in self.parts().items():
            ready.add_metric([name], float(part.ready))
        yield ready
        took = time.perf_counter() - began
        yield GaugeMetricFamily("artworkshop_scrape_seconds", "Time to gather these figures.", value=took)


tallies = Tallies(since=timezone.now())
