"""A person at the other end of the wire: signs up, uploads and watches over real HTTP, and costs little."""

import http.client
import json
import re
import secrets
import time
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from http.cookies import SimpleCookie
from typing import Any
from urllib.parse import quote, urlencode, urlsplit

PASSWORD = "correct-horse-battery"
ALL_STYLES = ("pencil", "color-pencil", "oil", "watercolor")
SECONDS = 60  # for one answer
IDLE = 3.0  # seconds after which the server may be about to close the connection
# What a page that waits asks for at once.
WATCHED = 24
FORETOLD = re.compile(r"about (\d+) (second|minute)")


class Refused(Exception):  # noqa: N818 - reads as what it says
    """The server did not answer as a person hopes; holds the status and the beginning of the answer."""


@dataclass(frozen=True)
class Answer:
    """What came back, and how long it took from the first byte sent to the last one received."""

    status: int
    headers: http.client.HTTPMessage
    body: bytes
    seconds: float


@dataclass(frozen=True)
class Uploaded:
    """What the server said about one file."""

    outcome: str
    text: str
    photo: str
    finished: int  # paintings that are shown already
    seconds: float


@dataclass(frozen=True)
class Foretold:
    """What a card said at a moment: in so many seconds this photo will be painted."""

    photo: str
    at: datetime
    seconds: int


@dataclass
class Visitor:
    """One person with one connection; two threads need two, see `again()`."""

    address: str
    name: str
    cookies: dict[str, str] = field(default_factory=dict)
    have: dict[str, str] = field(default_factory=dict)  # versions of the cards that the page has
    foretold: list[Foretold] = field(default_factory=list)
    wire: http.client.HTTPConnection | None = None
    used_at: float = 0.0

    def again(self) -> "Visitor":
        """Return the same person with a connection of their own."""
        return Visitor(self.address, self.name, dict(self.cookies), have=self.have, foretold=self.foretold)

    def sign_up(self) -> None:
        """Make an account."""
        self.request("GET", "/accounts/signup/")
        sent = {"username": self.name, "password1": PASSWORD, "password2": PASSWORD}
        answer = self.post("/accounts/signup/", sent)
        if answer.status != http.client.FOUND or "sessionid" not in self.cookies:
            raise Refused(answer.status, answer.body[:300])

    def upload(
        self, content: bytes, *, name: str, styles: Sequence[str] = ALL_STYLES, look: str = "studio"
    ) -> Uploaded:
        """Send one file as the page's script does."""
        fields = [("csrfmiddlewaretoken", self.cookies["csrftoken"]), ("look", look)]
        fields += [("styles", style) for style in styles]
        body, kind = multipart(fields, name, content)
        headers = {"Content-Type": kind, "Accept": "application/json"}
        answer = self.request("POST", "/photos/", body=body, headers=headers)
        if answer.status != http.client.OK:
            raise Refused(answer.status, answer.body[:300])
        [told] = json.loads(answer.body)["results"]
        self._listen(told["photo"], told["card"])
        if told["photo"]:
            self.have[told["photo"]] = told["version"]
        finished = (told["card"] or "").count('data-state="done"') - 1
        return Uploaded(told["outcome"], told["text"], told["photo"] or "", max(0, finished), answer.seconds)

    def unfinished(self, keys: Iterable[str]) -> set[str]:
        """Ask as a page does that shows these photos; return those that still change by themselves."""
        asked = list(keys)[:WATCHED]
        have = ",".join(self.have.get(key, "") for key in asked)
        answer = self.request("GET", f"/status/?photos={quote(','.join(asked))}&have={quote(have)}")
        if answer.status != http.client.OK:
            raise Refused(answer.status, answer.body[:300])
        told: dict[str, dict[str, Any]] = json.loads(answer.body)["photos"]
        self.have |= {key: each["version"] for key, each in told.items()}
        for key, each in told.items():
            self._listen(key, each["card"] or each["standing"])
        return {key for key, each in told.items() if each["unfinished"]}

    def wait_for(self, keys: Iterable[str], *, seconds: float, pause: float = 0.3) -> None:
        """Watch until all of these are finished; raise TimeoutError."""
        left = list(keys)
        deadline = time.monotonic() + seconds
        while left:
            shown = left[:WATCHED]
            still = self.unfinished(shown)
            left = [key for key in left if key in still or key not in shown]
            if len(still) < len(shown):
                continue
            if time.monotonic() > deadline:
                message = f"{len(left)} photos were not finished within {seconds:.0f} s"
                raise TimeoutError(message)
            time.sleep(pause)

    def close(self) -> None:
        """Close the connection; the next request opens another."""
        if self.wire:
            self.wire.close()
        self.wire = None

    def remove(self, key: str) -> bool:
        """Take a photo out of the album; False if the server did not."""
        return self.post(f"/photos/{key}/remove/", {}).status == http.client.FOUND

    def post(self, path: str, sent: dict[str, str]) -> Answer:
        """Send a form."""
        body = urlencode({**sent, "csrfmiddlewaretoken": self.cookies.get("csrftoken", "")}).encode()
        return self.request("POST", path, body=body, headers={"Content-Type": "application/x-www-form-urlencoded"})

    def request(self, method: str, path: str, *, body: bytes = b"", headers: dict[str, str] | None = None) -> Answer:
        """Send a request on the open connection and read the whole answer."""
        wire = self._connected()
        cookies = "; ".join(f"{name}={value}" for name, value in self.cookies.items())
        started = time.perf_counter()
        try:
            wire.request(method, path, body=body or None, headers={"Cookie": cookies, **(headers or {})})
            response = wire.getresponse()
            content = response.read()
        except (OSError, http.client.HTTPException):
            self.used_at = 0.0
            raise
        seconds = time.perf_counter() - started
        self.used_at = time.monotonic()
        for line in response.headers.get_all("Set-Cookie", []):
            self.cookies |= {name: each.value for name, each in SimpleCookie(line).items()}
        return Answer(response.status, response.headers, content, seconds)

    def _listen(self, photo: str | None, card: str | None) -> None:
        said = FORETOLD.search(card or "")
        if photo and said:
            seconds = int(said[1]) * (60 if said[2] == "minute" else 1)
            self.foretold.append(Foretold(photo, datetime.now(UTC), seconds))

    def _connected(self) -> http.client.HTTPConnection:
        if self.wire is None or time.monotonic() - self.used_at > IDLE:
            if self.wire is not None:
                self.wire.close()
            self.wire = http.client.HTTPConnection(urlsplit(self.address).netloc, timeout=SECONDS)
        return self.wire


def multipart(fields: Iterable[tuple[str, str]], name: str, content: bytes) -> tuple[bytes, str]:
    """Return the body of a form with one photo, and its content type."""
    border = secrets.token_hex(16)
    parts = [
        f'--{border}\r\nContent-Disposition: form-data; name="{key}"\r\n\r\n{value}\r\n'.encode()
        for key, value in fields
    ]
    safe = re.sub(r'["\r\n]', "_", name)
    opening = f'--{border}\r\nContent-Disposition: form-data; name="photos"; filename="{safe}"\r\n'
    parts.append(f"{opening}Content-Type: application/octet-stream\r\n\r\n".encode())
    return b"".join([*parts, content, f"\r\n--{border}--\r\n".encode()]), f"multipart/form-data; boundary={border}"
