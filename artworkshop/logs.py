"""Log lines as text or JSON: each with the id of its request and the work at hand, none with a secret in it."""

import json
import logging
import os
import re
import secrets
import time
from collections.abc import Callable
from contextvars import ContextVar
from datetime import UTC, datetime

from django.apps import apps
from django.conf import settings
from django.http import HttpRequest, HttpResponseBase

log = logging.getLogger(__name__)

HEADER = "X-Request-ID"
SANE = re.compile(r"[A-Za-z0-9._-]{8,64}")
KEPT = "artworkshop.request_id"
"""Where a request has its id: Django's own line of a refusal comes when all middleware is done."""
LONGEST = 4_000
LONGEST_TRACE = 40_000

# What ends lines, moves the cursor, or turns the direction of writing: a log must look like what it says.
CONTROLS = re.compile("[\x00-\x1f\x7f-\x9f\u061c\u200e\u200f\u2028-\u202e\u2066-\u2069]")
# Each begins where a word begins: on long words without a match the others would take quadratic time.
SECRETS = (
    (re.compile(r"://[^/\s@]+@"), "://…@"),  # a name and a password in an address
    (re.compile(r"(?<![\w.+-])[\w.+-]+@[\w-]+(?:\.[\w-]+)+"), "…@…"),  # e-mail
    (re.compile(r"(?<![^\s'\"<>])([^\s?'\"<>]*)\?[^\s'\"<>]*=[^\s'\"<>]*"), r"\1?…"),  # signatures are in the query
    (re.compile(r"/(setup|invitations|key|shares?|shared|s)/[^/\s'\"<>]+"), r"/\1/…"),  # who has these may come in
)

request_id: ContextVar[str] = ContextVar("request_id", default="")


def mark_requests(serve: Callable[[HttpRequest], HttpResponseBase]) -> Callable[[HttpRequest], HttpResponseBase]:
    """Give each request an id, the caller's own if it is a sane one: its log lines and its answer carry it."""

    def serve_marked(request: HttpRequest) -> HttpResponseBase:
        mark, began = _id_of(request), time.perf_counter()
        request_id.set(mark)
        request.META[KEPT] = mark
        try:
            response = serve(request)
            # What changes something leaves a line; the names of routes hold no secrets, as addresses may.
            level = logging.DEBUG if request.method in ("GET", "HEAD") else logging.INFO
            took = 1000 * (time.perf_counter() - began)
            log.log(level, "%s %s: %d in %.0f ms", request.method, route_of(request), response.status_code, took)
        finally:
            request_id.set("")
        response.headers[HEADER] = mark
        return response

    return serve_marked


def route_of(request: HttpRequest) -> str:
    """Return the name of the request's address, which is the same for all photos and people."""
    if request.resolver_match:
        return request.resolver_match.view_name or "unnamed"
    return "static" if request.path.startswith(settings.STATIC_URL) else "none"


def clean(text: str, *, longest: int = LONGEST) -> str:
    """Return a text as one line of bounded length, without e-mail addresses, signatures and passwords in addresses."""
    cut = text if len(text) <= longest else f"{text[:longest]}…"
    for secret, mask in SECRETS:
        cut = secret.sub(mask, cut)
    return CONTROLS.sub(lambda found: f"\\u{ord(found[0]):04x}", cut)


class TextLine(logging.Formatter):
    """One line for people; the lines of a traceback are indented, so that none can pass for a line of its own."""

    def format(self, record: logging.LogRecord) -> str:
        """Return the line, then the traceback if there is one."""
        message = clean(record.getMessage())
        marks = " ".join(f"{name}={value}" for name, value in _marks(record).items())
        said = f"{_time(record)} {record.levelname} {record.name}: {message}{f' [{marks}]' if marks else ''}"
        return "\n".join([said, *(f"    {line}" for line in _trace(record))])


class JsonLine(logging.Formatter):
    """One JSON object a line, for programs."""

    def format(self, record: logging.LogRecord) -> str:
        """Return the object."""
        facts = {"time": _time(record), "level": record.levelname, "logger": record.name}
        said = {**facts, "message": clean(record.getMessage()), **_marks(record)}
        trace = _trace(record)
        return json.dumps({**said, "trace": "\n".join(trace)} if trace else said, ensure_ascii=False)


def _id_of(request: HttpRequest) -> str:
    given = request.headers.get(HEADER, "")
    return given if SANE.fullmatch(given) else secrets.token_hex(8)


def _marks(record: logging.LogRecord) -> dict[str, str]:
    meta = getattr(getattr(record, "request", None), "META", {})
    marks = {
        "request": request_id.get() or meta.get(KEPT, ""),
        "work": _work(),
        "job": os.environ.get("RQ_JOB_ID", ""),
        "worker": os.environ.get("RQ_WORKER_ID", ""),
    }
    return {name: value for name, value in marks.items() if value}


def _work() -> str:
    """Return what this worker's child is at, such as source-12; empty outside of work."""
    if not apps.ready:
        return ""
    from rendering import supervision  # noqa: PLC0415 - logging is set up before there are models

    at = supervision.current()
    if at is None:
        return ""
    kind = at.kind.__name__.lower()
    return f"{kind}-{at.row}" if at.row else f"{kind}s"


def _time(record: logging.LogRecord) -> str:
    return datetime.fromtimestamp(record.created, UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")


def _trace(record: logging.LogRecord) -> list[str]:
    if not record.exc_info or record.exc_info[0] is None:
        return []
    text = logging.Formatter().formatException(record.exc_info)
    # The end of a long one says what happened.
    return [clean(line) for line in text[-LONGEST_TRACE:].split("\n")]
