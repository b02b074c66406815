"""How many streams of live news a person holds, whichever web processes they are in: counted in Redis, with an end.

A process prolongs the seats of its streams; those of one that was killed free themselves.
"""

import asyncio
import secrets
from collections.abc import Iterable
from contextlib import suppress
from typing import Any

from redis.exceptions import RedisError

A_PERSON = 3  # streams at once: a browser needs one for all its tabs
KEPT = 45  # seconds for which a seat is kept that nobody prolongs
PROLONG = 15.0  # seconds between two times

# One stroke, so that two processes never give the last seat twice; by Redis' clock, which is one for all hosts.
TAKE = """
local now = tonumber(redis.call('TIME')[1])
redis.call('ZREMRANGEBYSCORE', KEYS[1], '-inf', now)
if not redis.call('ZSCORE', KEYS[1], ARGV[1]) and redis.call('ZCARD', KEYS[1]) >= tonumber(ARGV[2]) then return 0 end
redis.call('ZADD', KEYS[1], now + ARGV[3], ARGV[1])
redis.call('EXPIRE', KEYS[1], ARGV[3])
return 1
"""


class Seats:
    """The seats that the streams of this process have taken, by lane."""

    def __init__(self, redis: Any) -> None:  # Any: redis' own types promise an answer at once or later
        """Have taken none yet."""
        self.redis = redis
        self.taken: dict[str, str] = {}
        self.prolonging: asyncio.Task[None] | None = None

    async def take(self, lane: str) -> str:
        """Take one of a lane's seats and return its name, empty if all are taken; raise RedisError if Redis is away."""
        name = secrets.token_hex(8)
        if not await self._ask(lane, name):
            return ""
        self.taken[name] = lane
        if self.prolonging is None or self.prolonging.done():
            self.prolonging = asyncio.create_task(self._prolong())
        return name

    async def free(self, name: str) -> None:
        """Give a seat back; with Redis away it frees itself."""
        lane = self.taken.pop(name, "")
        with suppress(RedisError, OSError):
            await self.redis.zrem(_key(lane), name)

    async def close(self) -> None:
        """Prolong nothing any more."""
        # Not by the cancellation alone: the client may take it for its own time-out, and the loop would go on for ever.
        self.taken.clear()
        if self.prolonging:
            self.prolonging.cancel()
            await asyncio.gather(self.prolonging, return_exceptions=True)

    async def _prolong(self) -> None:
        while self.taken:
            await asyncio.sleep(PROLONG)
            with suppress(RedisError, OSError):
                await self._ask_all(list(self.taken.items()))

    async def _ask_all(self, seats: Iterable[tuple[str, str]]) -> None:
        for name, lane in seats:
            await self._ask(lane, name)

    async def _ask(self, lane: str, name: str) -> bool:
        return bool(await self.redis.eval(TAKE, 1, _key(lane), name, A_PERSON, KEPT))


def _key(lane: str) -> str:
    return f"live:seats:{lane}"
