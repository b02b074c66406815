"""Answers whether this process lives, and whether all that it needs is ready: for load balancers and monitors."""

import logging
import secrets
import threading
import time
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from functools import cache

from django.conf import settings
from django.core.files.base import ContentFile
from django.core.files.storage import default_storage
from django.db import connection, connections
from django.http import HttpRequest, HttpResponse, HttpResponseBase, JsonResponse

from artworkshop import metrics
from artworkshop.standalone import preparation
from rendering import queue

log = logging.getLogger(__name__)

LIVE, READY = "/livez", "/readyz"
PATIENCE = 1.5
"""Seconds that all parts together have to answer."""
BRIEFLY = 3.0
"""So many seconds an answer holds, and a bad one in any case: what is mended is seen soon."""
LONG = 30.0
"""So many seconds a good answer holds that costs something, or seldom changes."""


class NotReady(Exception):  # noqa: N818 - reads as what it says
    """A part that cannot be used; its text is for everybody."""


@dataclass(frozen=True)
class Check:
    """How one part is looked at: it raises when the part cannot be used."""

    name: str
    look: Callable[[], None]
    holds: float = BRIEFLY


@dataclass(frozen=True)
class Seen:
    """What was seen of a part: nothing is wrong if there are no words."""

    words: str
    seconds: float
    at: float

    @property
    def ready(self) -> bool:
        """Whether the part can be used."""
        return not self.words


class Readiness:
    """Looks at all parts at once, each in a thread of its own: one that hangs holds up nobody else."""

    def __init__(self, checks: Iterable[Check], *, patience: float = PATIENCE) -> None:
        """Look at nothing yet."""
        self.checks = tuple(checks)
        self.patience = patience
        self.seen: dict[str, Seen] = {}
        self._running: dict[str, threading.Thread] = {}
        self._lock = threading.Lock()

    def look(self) -> Mapping[str, Seen]:
        """Return what is known of each part, newly looked at where that is due; in bounded time."""
        # One at a time: however many ask, the parts are looked at once.
        with self._lock:
            until = time.monotonic() + self.patience
            due = [check for check in self.checks if self._is_due(check)]
            for check in due:
                self._begin(check)
            for check in due:
                self._await(check, until)
            return {check.name: self.seen[check.name] for check in self.checks}

    def _is_due(self, check: Check) -> bool:
        seen = self.seen.get(check.name)
        return seen is None or time.monotonic() - seen.at > (check.holds if seen.ready else BRIEFLY)

    def _begin(self, check: Check) -> None:
        # What still hangs is not asked again: its threads would become more and more.
        if check.name not in self._running or not self._running[check.name].is_alive():
            # A daemon: what hangs does not keep the process from ending.
            self._running[check.name] = threading.Thread(target=self._run, args=[check], daemon=True)
            self._running[check.name].start()

    def _await(self, check: Check, until: float) -> None:
        thread = self._running[check.name]
        thread.join(max(0.0, until - time.monotonic()))
        if thread.is_alive():
            self.seen[check.name] = Seen("It does not answer in time.", self.patience, time.monotonic())

    def _run(self, check: Check) -> None:
        began, words = time.monotonic(), ""
        try:
            check.look()
        except NotReady as error:
            words = str(error)
        except Exception:  # the answer is public: what went wrong is in the log alone
            log.exception("%s cannot be used", check.name)
            words = "It cannot be used; the log says why."
        finally:
            connections.close_all()
        self.seen[check.name] = Seen(words, time.monotonic() - began, time.monotonic())


def answer_probes(serve: Callable[[HttpRequest], HttpResponseBase]) -> Callable[[HttpRequest], HttpResponseBase]:
    """Answer the probes of load balancers before anything else: they ask by address, which ALLOWED_HOSTS refuses."""
    answers: dict[str, Callable[[HttpRequest], HttpResponse]] = {
        LIVE: lambda _: HttpResponse("alive\n", content_type="text/plain"),
        READY: lambda _: ready(readiness()),
        metrics.PATH: lambda request: metrics.answer(request, parts=readiness().look),
    }

    def serve_or_answer(request: HttpRequest) -> HttpResponseBase:
        answer = answers.get(request.path)
        if answer is None:
            return serve(request)
        response = answer(request)
        response.headers["Cache-Control"] = "no-store"
        return response

    return serve_or_answer


def ready(parts: Readiness) -> HttpResponse:
    """Answer 200 if all parts can be used, else 503, with what is wrong with which."""
    seen = parts.look()
    well = all(part.ready for part in seen.values())
    told = {
        name: {"ready": part.ready, "seconds": round(part.seconds, 4), **({} if part.ready else {"words": part.words})}
        for name, part in seen.items()
    }
    return JsonResponse({"ready": well, "parts": told}, status=200 if well else 503)


@cache
def readiness() -> Readiness:
    """Return the site's own parts."""
    return Readiness(
        [
            Check("database", look_at_database),
            Check("migrations", look_at_migrations, 10 * LONG),
            Check("redis", look_at_redis),
            Check("storage", try_storage, LONG),
            Check("kernels", look_at_kernels, LONG),
            Check("static_files", look_at_static_files, LONG),
        ]
    )


def look_at_database() -> None:
    """Ask the database for nothing."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT 1")


def look_at_migrations() -> None:
    """Raise NotReady if the database lacks tables or columns."""
    missing = preparation.pending_migrations()
    if missing:
        message = f"The database lacks {missing} migrations."
        raise NotReady(message)


def look_at_redis() -> None:
    """Raise NotReady if the queue does not answer."""
    if not queue.is_reachable():
        message = "The queue server does not answer."
        raise NotReady(message)


def try_storage() -> None:
    """Write, read and remove a small file; raise NotReady if it comes back as something else."""
    content = secrets.token_bytes(32)
    name = default_storage.save(f"doctor/{secrets.token_hex(8)}", ContentFile(content))
    with default_storage.open(name) as file:
        same = file.read() == content
    default_storage.delete(name)
    if not same:
        message = "The storage returns other bytes than it was given."
        raise NotReady(message)


def look_at_kernels() -> None:
    """Raise NotReady if this host paints and its kernels are not compiled."""
    if settings.WORKERS and not preparation.kernels_are_ready():
        message = "The painting kernels are not compiled for this code and processor."
        raise NotReady(message)


def look_at_static_files() -> None:
    """Raise NotReady if the pages' own files are not those of this code."""
    if not preparation.static_files_are_ready():
        message = "The static files are not those of this code."
        raise NotReady(message)
