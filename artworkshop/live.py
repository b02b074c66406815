"""Live news for open pages: server-sent events from a raw ASGI route in front of Django, without a thread for each.

A message says only that something of this person has changed: the page asks for what has, as it does without a stream.
"""

import asyncio
import json
import random
import signal
import threading
from contextlib import suppress
from dataclasses import dataclass, field
from importlib import import_module
from types import FrameType
from typing import Any

from django.conf import settings
from django.contrib.auth import get_user
from django.db import DatabaseError, connections
from django.http import HttpRequest
from django.http.cookie import parse_cookie
from redis.asyncio import Redis
from redis.asyncio.client import PubSub
from redis.asyncio.retry import Retry
from redis.backoff import NoBackoff
from redis.exceptions import RedisError

from artworkshop.seats import Seats
from gallery.models import User
from gallery.uploads import Application, Message, Receive, Send
from rendering import events

PATH = "/live/"
LIFE = 300.0  # seconds; then the browser comes again, and its session is looked at again
PING = 15.0  # seconds without news until a sign of life, for proxies that end what is silent
GAP = 0.5  # seconds between two messages of a stream
FAREWELL = 1.0  # seconds that the last words of a stream may take
RETURN = (1000, 4000)  # ms after which a browser comes back: not all at the same moment when a server starts again

HEADERS = {
    b"content-type": b"text/event-stream; charset=utf-8",
    b"cache-control": b"no-store, no-transform",
    b"x-accel-buffering": b"no",
    b"x-content-type-options": b"nosniff",
    b"content-security-policy": b"default-src 'none'; sandbox",
}


@dataclass(frozen=True)
class Refusal:
    """No stream: the page asks by itself."""

    status: int
    headers: dict[bytes, bytes]


WRONG_METHOD = Refusal(405, {b"allow": b"GET"})
NOBODY = Refusal(401, {})
BUSY = Refusal(503, {b"retry-after": b"10"})


@dataclass(eq=False)
class Listener:
    """One open stream: the newest version of its lane, and whether it is to end."""

    lane: str
    seat: str = ""
    version: str = ""
    away: bool = False
    over: bool = False
    news: asyncio.Event = field(default_factory=asyncio.Event)

    def hear(self, version: str) -> None:
        """Take the newest version; what was not sent yet is old."""
        self.version = version
        self.news.set()

    def end(self, *, away: bool = False) -> None:
        """End soon; with Redis away the page is told so, and asks by itself from then on."""
        self.over, self.away = True, away
        self.news.set()


class Hub:
    """All streams of this process, and their one subscription."""

    def __init__(self) -> None:
        """Begin without streams; Redis is asked when the first one comes."""
        self.listeners: set[Listener] = set()
        self.closed = False
        self.subscribing = asyncio.Lock()
        self.hearing: asyncio.Task[None] | None = None
        self.redis = connect(retries=1)
        self.seats = Seats(self.redis)

    def has_room(self) -> bool:
        """Whether this process takes one more stream."""
        return not self.closed and len(self.listeners) < settings.LIVE_STREAMS

    def join(self, lane: str) -> Listener | None:
        """Return a new stream of a lane, or None if there are too many in this process."""
        if not self.has_room():
            return None
        listener = Listener(lane)
        self.listeners.add(listener)
        return listener

    async def leave(self, listener: Listener) -> None:
        """Forget a stream."""
        self.listeners.discard(listener)
        if listener.seat:
            await self.seats.free(listener.seat)

    async def seat(self, listener: Listener) -> bool:
        """Count a stream as its person's; False if there are too many. Raises RedisError when Redis is away."""
        listener.seat = await self.seats.take(listener.lane)
        return bool(listener.seat)

    async def catch_up(self, listener: Listener) -> None:
        """Give a stream that has joined the version of its lane; raise RedisError when Redis is away."""
        async with self.subscribing:
            if self.hearing is None or self.hearing.done():
                self.hearing = asyncio.create_task(self._hear(await _subscribe()))
        async with self.redis.pipeline(transaction=False) as pipeline:
            pipeline.set(events.version_key(listener.lane), events.new_version(), nx=True, ex=events.KEPT)
            pipeline.get(events.version_key(listener.lane))
            _, version = await pipeline.execute()
        # News that came meanwhile is newer.
        listener.hear(listener.version or version)

    def end(self) -> None:
        """End all streams, as the server does."""
        self.closed = True
        for listener in self.listeners:
            listener.end()

    async def close(self) -> None:
        """Let go of Redis."""
        self.end()
        await self.seats.close()
        if self.hearing:
            self.hearing.cancel()
            await asyncio.gather(self.hearing, return_exceptions=True)
        await self.redis.aclose()

    async def _hear(self, subscription: PubSub) -> None:
        try:
            await self._pass_on_all(subscription)
        except (RedisError, OSError):
            for listener in self.listeners:
                listener.end(away=True)
        finally:
            await _close(subscription)

    async def _pass_on_all(self, subscription: PubSub) -> None:
        silences = 0
        # A line that was cut without a word is silent as well: it gets one question.
        while silences < 2:
            got = await subscription.get_message(timeout=PING)
            silences = 0 if got else silences + 1
            await (self._pass_on(got) if got else subscription.ping())
        message = "no sign of life from the subscription"
        raise RedisError(message)

    async def _pass_on(self, message: dict[str, Any]) -> None:  # Any: redis' own
        if message["type"] != "message":
            return
        lane, _, version = message["data"].partition(" ")
        for listener in self.listeners:
            if listener.lane == lane:
                listener.hear(version)


def in_front_of(application: Application, *, hub: Hub | None = None) -> Application:
    """Return the application with the route of live news in front."""
    hub = hub or Hub()

    async def with_live_news(scope: Message, receive: Receive, send: Send) -> None:
        if scope["type"] == "lifespan":
            await _live(hub, receive, send)
        elif scope["type"] == "http" and scope["path"] == PATH:
            await _answer(hub, scope, receive, send)
        else:
            await application(scope, receive, send)

    return with_live_news


def connect(*, retries: int) -> Any:  # Any: redis' own types promise an answer at once or later
    """Return a client of the site's Redis for an event loop; it connects when it is first used."""
    return Redis.from_url(settings.QUEUE_URL, decode_responses=True, retry=Retry(NoBackoff(), retries))


async def _live(hub: Hub, receive: Receive, send: Send) -> None:
    await receive()
    _end_on_signal(hub)
    await send({"type": "lifespan.startup.complete"})
    await receive()
    await hub.close()
    await send({"type": "lifespan.shutdown.complete"})


def _end_on_signal(hub: Hub) -> None:
    # The server waits for open answers before it says that it ends: these would be open for minutes.
    if threading.current_thread() is threading.main_thread():
        for number in (signal.SIGTERM, signal.SIGINT):
            _also_on(number, hub, asyncio.get_running_loop())


def _also_on(number: int, hub: Hub, loop: asyncio.AbstractEventLoop) -> None:
    before = signal.getsignal(number)

    def end(got: int, frame: FrameType | None) -> None:
        loop.call_soon_threadsafe(hub.end)
        if callable(before):
            before(got, frame)

    signal.signal(number, end)


async def _answer(hub: Hub, scope: Message, receive: Receive, send: Send) -> None:
    try:
        listener = await _admit(hub, scope)
    except DatabaseError:
        listener = BUSY
    if isinstance(listener, Refusal):
        return await _refuse(send, listener)
    try:
        return await _begin(hub, listener, receive, send)
    finally:
        await hub.leave(listener)


async def _admit(hub: Hub, scope: Message) -> Listener | Refusal:
    if scope["method"] != "GET":
        return WRONG_METHOD
    if not hub.has_room():
        return BUSY
    lane = await _lane_of(scope)
    return (hub.join(lane) or BUSY) if lane else NOBODY


async def _begin(hub: Hub, listener: Listener, receive: Receive, send: Send) -> None:
    try:
        is_seated = await hub.seat(listener)
        if is_seated:
            await hub.catch_up(listener)
    except (RedisError, OSError):
        is_seated = False
    if not is_seated:
        await _refuse(send, BUSY)
        return
    await send({"type": "http.response.start", "status": 200, "headers": list(HEADERS.items())})
    await _stream(listener, receive, send)
    # Who does not read any more cannot be told that it is over.
    with suppress(TimeoutError):
        async with asyncio.timeout(FAREWELL):
            last = b"event: away\ndata: {}\n\n" if listener.away else b""
            await send({"type": "http.response.body", "body": last})


async def _stream(listener: Listener, receive: Receive, send: Send) -> None:
    talking = asyncio.create_task(_talk(listener, send))
    leaving = asyncio.create_task(_left(receive))
    try:
        life = LIFE * random.uniform(0.8, 1.2)  # noqa: S311 - so that not all come again at once
        await asyncio.wait({talking, leaving}, timeout=life, return_when=asyncio.FIRST_COMPLETED)
    finally:
        for task in (talking, leaving):
            task.cancel()
        await asyncio.gather(talking, leaving, return_exceptions=True)


async def _talk(listener: Listener, send: Send) -> None:
    retry = random.randint(*RETURN)  # noqa: S311 - as above
    await _say(send, f"retry: {retry}\n\n")
    while not listener.over:
        listener.news.clear()
        await _say(send, f"data: {json.dumps({'version': listener.version})}\n\n")
        await asyncio.sleep(GAP)
        while not await _has_news(listener):
            await _say(send, ": ping\n\n")


async def _has_news(listener: Listener) -> bool:
    with suppress(TimeoutError):
        return await asyncio.wait_for(listener.news.wait(), PING)
    return False


async def _left(receive: Receive) -> None:
    while (await receive())["type"] != "http.disconnect":
        pass


async def _say(send: Send, text: str) -> None:
    await send({"type": "http.response.body", "body": text.encode(), "more_body": True})


async def _refuse(send: Send, refusal: Refusal) -> None:
    headers = {b"content-length": b"0", b"cache-control": b"no-store", **refusal.headers}
    await send({"type": "http.response.start", "status": refusal.status, "headers": list(headers.items())})
    await send({"type": "http.response.body", "body": b""})


async def _lane_of(scope: Message) -> str:
    """Return the lane of whoever asks; empty if nobody is signed in."""
    cookies = dict(scope["headers"]).get(b"cookie", b"").decode("latin-1")
    key = parse_cookie(cookies).get(settings.SESSION_COOKIE_NAME, "")
    return await asyncio.to_thread(_lane_of_session, key) if key else ""


def _lane_of_session(key: str) -> str:
    request = HttpRequest()
    request.session = import_module(settings.SESSION_ENGINE).SessionStore(key)
    try:
        person = get_user(request)
        return person.lane if isinstance(person, User) else ""
    finally:
        connections.close_all()


async def _subscribe() -> PubSub:
    # Without tries of its own: what is said while it is away would be missed, so every stream must begin again.
    subscription: PubSub = connect(retries=0).pubsub()
    try:
        await subscription.subscribe(events.channel())
    except (RedisError, OSError):
        await _close(subscription)
        raise
    return subscription


async def _close(subscription: PubSub) -> None:
    with suppress(RedisError, OSError):
        await subscription.aclose()  # type: ignore[no-untyped-call]  # redis' own
        await subscription.connection_pool.disconnect()
