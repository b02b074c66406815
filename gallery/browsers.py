"""Browsers: where a person is signed in, and the end of that.

Django's sessions do not say whose they are without being opened. So they are opened one after another: those of a month
at most, and only where somebody asks.
"""

import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from itertools import islice

from django.contrib.auth import SESSION_KEY
from django.contrib.sessions.backends.base import SessionBase
from django.contrib.sessions.models import Session
from django.http import HttpRequest
from django.http.response import HttpResponseBase
from django.utils import timezone
from django.utils.crypto import salted_hmac

from gallery.models import User

SINCE, SEEN, AGENT = "since", "seen", "agent"
NOTED_EVERY = timedelta(hours=1)
AGENT_LENGTH = 300
LOOKED_AT = 20_000
"""So many sessions are opened for the list at most, the latest first; for signing out, all."""
SHOWN = 50
PROGRAMS = {
    "Edge": r"Edg",
    "Opera": r"OPR",
    "Samsung Internet": r"SamsungBrowser",
    "Firefox": r"Firefox|FxiOS",
    "Chrome": r"Chrome|CriOS",
    "Safari": r"Safari",
}
"""What names itself after others as well comes before those."""
SYSTEMS = {
    "iPhone": r"iPhone",
    "iPad": r"iPad",
    "Android": r"Android",
    "Windows": r"Windows",
    "macOS": r"Macintosh",
    "ChromeOS": r"CrOS",
    "Linux": r"Linux",
}


@dataclass(frozen=True)
class Browser:
    """A browser in which somebody is signed in; without words for what is not known."""

    handle: str
    program: str
    system: str
    since: datetime | None
    seen_at: datetime | None
    current: bool


def note(session: SessionBase, *, agent: str, now: datetime) -> bool:
    """Keep in a session that its browser was here, once an hour at most; False if that is known."""
    seen_at = _moment(session.get(SEEN))
    if seen_at and now - seen_at < NOTED_EVERY:
        return False
    if seen_at is None:
        session[SINCE] = now.isoformat(timespec="seconds")
    session[SEEN], session[AGENT] = now.isoformat(timespec="seconds"), agent[:AGENT_LENGTH]
    return True


def of(person: User, *, current: str, now: datetime) -> list[Browser]:
    """Return where a person is signed in: this browser (by its session's key) first, then by last use."""
    found = islice(_sessions_of(person, now=now, most=LOOKED_AT), SHOWN)
    browsers = [_browser(session, opened, current=session.session_key == current) for session, opened in found]
    return sorted(browsers, key=lambda each: (not each.current, -(each.seen_at.timestamp() if each.seen_at else 0)))


def sign_out_others(person: User, *, current: str, now: datetime) -> int:
    """End all sessions of a person but this one; count them."""
    return _end(_others(person, current=current, now=now))


def sign_out(person: User, handle: str, *, current: str, now: datetime) -> bool:
    """End one session of a person, which is not this one; False if there is none of this handle."""
    return _end(each for each in _others(person, current=current, now=now) if _handle(each) == handle) > 0


def middleware(get_response):  # type: ignore[no-untyped-def]
    """Note in which browsers people are, as they see pages; before the session is kept."""

    def noted(request: HttpRequest) -> HttpResponseBase:
        response: HttpResponseBase = get_response(request)
        # Pages alone: the two dozen pictures of a page come at once, and each would write.
        if response.headers.get("Content-Type", "").startswith("text/html") and request.user.is_authenticated:
            note(request.session, agent=request.headers.get("User-Agent", ""), now=timezone.now())
        return response

    return noted


def _sessions_of(
    person: User, *, now: datetime, most: int | None = None
) -> Iterator[tuple[Session, dict[str, object]]]:
    lasting = Session.objects.filter(expire_date__gt=now).order_by("-expire_date")[:most]
    for session in lasting.iterator(chunk_size=500):
        opened = session.get_decoded()
        if opened.get(SESSION_KEY) == str(person.pk):
            yield session, opened


def _others(person: User, *, current: str, now: datetime) -> Iterator[Session]:
    return (session for session, _ in _sessions_of(person, now=now) if session.session_key != current)


def _end(sessions: Iterable[Session]) -> int:
    return Session.objects.filter(pk__in=[session.pk for session in sessions]).delete()[0]


def _handle(session: Session) -> str:
    """Return what a page calls a session: its key would let whoever sees the page in."""
    return salted_hmac("gallery.browsers", session.session_key, algorithm="sha256").hexdigest()[:32]


def _browser(session: Session, opened: dict[str, object], *, current: bool) -> Browser:
    agent = str(opened.get(AGENT, ""))
    return Browser(
        handle=_handle(session),
        program=_named(PROGRAMS, agent),
        system=_named(SYSTEMS, agent),
        since=_moment(opened.get(SINCE)),
        seen_at=_moment(opened.get(SEEN)),
        current=current,
    )


def _named(kinds: Mapping[str, str], agent: str) -> str:
    return next((name for name, pattern in kinds.items() if re.search(pattern, agent)), "")


def _moment(text: object) -> datetime | None:
    return datetime.fromisoformat(text) if isinstance(text, str) else None
