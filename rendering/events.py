"""Tells open pages that something of a lane has changed, so that they look again; what it was stays in the database."""

import hashlib
import hmac
import logging
import secrets
import time
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from functools import cache
from typing import TypeVar

from django.conf import settings
from django.db import connection, transaction
from redis import Redis
from redis.backoff import NoBackoff
from redis.exceptions import ConnectionError as ConnectionLost
from redis.exceptions import RedisError
from redis.retry import Retry

log = logging.getLogger(__name__)

Answer = TypeVar("Answer")

KEPT = 24 * 60 * 60
"""Seconds for which a lane's version is kept; a lane without one has just changed."""
VALID = 10
"""Seconds for which "nothing has changed" holds without a look at the database: places in the queue change untold."""
REST = 3.0
"""Seconds in which Redis is left alone after it did not answer: nobody waits for news twice."""


@dataclass(frozen=True)
class Telling:
    """News of a lane, to be told when the transaction is committed; two of one lane are the same."""

    lane: str

    def __call__(self) -> None:
        """Give the lane another version and publish it."""
        version = new_version()

        def publish(redis: Redis) -> None:
            with redis.pipeline(transaction=False) as pipeline:
                pipeline.set(version_key(self.lane), version, ex=KEPT)
                pipeline.publish(channel(), f"{self.lane} {version}")
                pipeline.execute()

        _ask(publish)


def tell(lane: str) -> None:
    """Have a lane's pages look again, once after the commit; with Redis away they find out by asking."""
    telling = Telling(lane)
    # Told in a savepoint that was rolled back, it is not in the list any more.
    if not any(entry[1] == telling for entry in connection.run_on_commit):
        transaction.on_commit(telling, robust=True)


def tell_all(lanes: Iterable[str]) -> None:
    """Have the pages of these lanes look again."""
    for lane in lanes:
        tell(lane)


def version(lane: str) -> str:
    """Return a text that is another one after every change of the lane; empty when Redis is away."""
    return _ask(lambda redis: read_version(redis, lane)) or ""


def keep_answer(question: str, etag: str, *, lane: str, version: str) -> None:
    """Remember for some seconds that this is the answer, as long as the lane has this version."""
    if version:
        _ask(lambda redis: redis.set(answer_key(question), f"{lane} {version} {etag}", ex=VALID))


def read_version(redis: Redis, lane: str) -> str:
    """Return a lane's version, made if there is none; raise RedisError when Redis is away."""
    with redis.pipeline(transaction=False) as pipeline:
        pipeline.set(version_key(lane), new_version(), nx=True, ex=KEPT)
        pipeline.get(version_key(lane))
        return str(pipeline.execute()[1])


def new_version() -> str:
    """Return a version that never was: no count, as a Redis that has lost its data would count from one again."""
    return secrets.token_hex(8)


def version_key(lane: str) -> str:
    """Return under which name Redis keeps a lane's version."""
    return f"live:version:{lane}"


def answer_key(question: str) -> str:
    """Return under which name Redis keeps an answer; the question, with its cookie, cannot be read from it."""
    return f"live:answer:{_digest(question)}"


def channel() -> str:
    """Return where news is published: numbered databases share their channels, so each site has its own."""
    return f"live:news:{_digest('news')[:16]}"


def _digest(text: str) -> str:
    return hmac.new(settings.SECRET_KEY.encode(), text.encode(), hashlib.sha256).hexdigest()


def _ask(question: Callable[[Redis], Answer]) -> Answer | None:
    if time.monotonic() < _rest["until"]:
        return None
    try:
        return question(_redis(settings.QUEUE_URL))
    except RedisError:
        _rest["until"] = time.monotonic() + REST
        log.warning("the queue is away; pages find out by asking")
        return None


_rest = {"until": 0.0}


@cache
def _redis(address: str) -> Redis:
    # Its pool keeps one connection for each thread that asks, and a forked child makes its own. One that was lost is
    # made again at once; one that does not answer is not asked twice.
    retry = Retry(NoBackoff(), 1, supported_errors=(ConnectionLost,))
    return Redis.from_url(address, decode_responses=True, retry=retry)
