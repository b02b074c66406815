"""Allowances: how much a person may do, how much of it is used, and when there is more.

Uploads of the last hour are counted by the moving window of `limits`, one time stamp for each upload: exact, and it
knows when the next one frees. (Its sliding-window counter guesses from two totals.) One script in Redis asks and
counts, so that a hundred requests at once, in any number of processes, pass no more than the limit.

Paintings are not refused but put off, and a time that is promised must be kept. So each painting that costs something
books a slot at once, in one script of our own: now, if fewer than the limit are booked in the last hour; else an hour
after the one that is `limit` places before it. In no hour more slots come due than the limit, a thousand paintings go
by themselves at the limit's pace, and what is asked later stands behind them. When a held painting becomes due it
takes nothing more: it was counted when it was booked. What is cancelled while it is held gives its slot back.

Bytes and photos in work are no counters but sums in the database. With Redis away nothing is refused or held.
"""

import logging
import secrets
import time
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, fields
from datetime import UTC, datetime, timedelta
from functools import cache, partial
from typing import Self, TypeVar

from django.conf import settings
from django.db import models
from django.db.models import Q, Sum
from django.utils import timezone
from django.utils.formats import date_format, number_format
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from limits.storage import RedisStorage
from redis import Redis
from redis.backoff import NoBackoff
from redis.exceptions import RedisError
from redis.retry import Retry

from gallery.models import Allowance, User
from rendering.models import Commission, Rendition, Source, State

log = logging.getLogger(__name__)

HOUR = timedelta(hours=1)
SECONDS = int(HOUR.total_seconds())
SOON = timedelta(seconds=15)  # when photos are in work: the next is likely to be done by then
PATIENCE = 0.5  # s for an answer of Redis; somebody waits for the page
REST = 2.0  # s in which a Redis that was away is not asked again
MEGABYTE, GIGABYTE = 1_000_000, 1_000_000_000
BATCH = 1000  # slots in one call of a script
BUSY = (State.WAITING, State.WORKING)

# KEYS: the slots of one person. ARGV: now and the window in ms, the limit, how many, a name that nobody else has.
BOOK = """
local now, window, limit = tonumber(ARGV[1]), tonumber(ARGV[2]), tonumber(ARGV[3])
redis.call('ZREMRANGEBYSCORE', KEYS[1], '-inf', now - window)
local slots = {}
for place = 1, tonumber(ARGV[4]) do
  local nth = redis.call('ZREVRANGE', KEYS[1], limit - 1, limit - 1, 'WITHSCORES')
  local slot = math.max(now, nth[2] and tonumber(nth[2]) + window or now)
  redis.call('ZADD', KEYS[1], slot, ARGV[5] .. place)
  slots[place] = slot
end
local last = redis.call('ZREVRANGE', KEYS[1], 0, 0, 'WITHSCORES')
redis.call('PEXPIRE', KEYS[1], tonumber(last[2]) + window - now)
return slots
"""
GIVE_BACK = """
for place = 1, #ARGV do
  local booked = redis.call('ZRANGEBYSCORE', KEYS[1], ARGV[place], ARGV[place], 'LIMIT', 0, 1)
  if booked[1] then redis.call('ZREM', KEYS[1], booked[1]) end
end
"""

Answer = TypeVar("Answer")


class Kind(models.TextChoices):
    """What is limited."""

    PAINTINGS = "paintings", gettext_lazy("Paintings in the last hour")
    UPLOADS = "uploads", gettext_lazy("Photos sent in the last hour")
    PHOTOS = "photos", gettext_lazy("Photos in work")
    STORAGE = "storage", gettext_lazy("Files of your photos")


@dataclass(frozen=True)
class Allowed:
    """How much a person may do; 0 is without limit."""

    paintings_an_hour: int = 0
    uploads_an_hour: int = 0
    photos_at_once: int = 0
    megabytes: int = 0


UNLIMITED = Allowed()


@dataclass(frozen=True)
class Use:
    """How much of one allowance is used; bytes for the storage. `frees_at` is when there is more, if time brings it."""

    kind: Kind
    used: int
    limit: int
    frees_at: datetime | None = None

    @property
    def near(self) -> bool:
        """Whether a person should see it coming: four fifths are used."""
        return 5 * self.used >= 4 * self.limit

    def __str__(self) -> str:
        """Say it in the person's language, such as `12 of 200`."""
        if self.kind == Kind.STORAGE:
            return self._stored()
        return _("%(used)s of %(limit)s") % {"used": self.used, "limit": self.limit}

    def _stored(self) -> str:
        if self.limit < GIGABYTE:
            sentence, unit, whole = _("%(used)s of %(limit)s MB"), MEGABYTE, MEGABYTE
        elif self.used < GIGABYTE / 10:
            # "0.0 of 20 GB" would say that nothing is stored.
            sentence, unit, whole = _("%(used)s MB of %(limit)s GB"), MEGABYTE, GIGABYTE
        else:
            sentence, unit, whole = _("%(used)s of %(limit)s GB"), GIGABYTE, GIGABYTE
        used = number_format(round(self.used / unit, 1), decimal_pos=1)
        return sentence % {"used": used, "limit": f"{self.limit / whole:g}"}


class Exceeded(Exception):  # noqa: N818 - reads as what it says: the allowance is exceeded
    """A limit bites; the text is for people."""

    def __init__(self, use: Use) -> None:
        """Keep what is used up."""
        super().__init__(_sentence(use))
        self.use = use


def allowed_to(person: User) -> Allowed:
    """Return what a person may: by the own allowance, else as staff, else by the kindest group, else by the site."""
    return weigh(person, list(Allowance.objects.filter(Q(person=person) | Q(group__user=person))))


def weigh(person: User, rows: Sequence[Allowance]) -> Allowed:
    """Return what a person may by these allowances, which are the person's own and those of the groups."""
    own = [row for row in rows if row.person_id]
    if any(row.unlimited for row in own):
        return UNLIMITED
    groups = [row for row in rows if not row.person_id]
    exempt = person.is_staff and settings.STAFF_UNLIMITED
    chosen = {each.name: _own(each.name, own) for each in fields(Allowed)}
    shared = {name: 0 if exempt else _shared(name, groups) for name in chosen}
    return Allowed(**{name: shared[name] if value is None else value for name, value in chosen.items()})


def uses_of(person: User, *, now: datetime) -> list[Use]:
    """Return how much a person has used of each limited thing, to be shown before a limit bites."""
    allowed = allowed_to(person)
    found = [
        _painted(person, allowed.paintings_an_hour, now=now),
        _uploaded(person, allowed.uploads_an_hour, now=now),
        _in_work(person, allowed.photos_at_once, now=now),
        _stored(person, allowed.megabytes),
    ]
    return [use for use in found if use.limit]


def find_room(person: User, allowed: Allowed, *, size: int, now: datetime) -> None:
    """Raise Exceeded if one photo of this size is one too many: asked before a file is stored."""
    _check_room(person, allowed, photos=1, size=size, now=now)


def keep_to_room(person: User, allowed: Allowed, *, now: datetime) -> None:
    """Raise Exceeded if what has just been added is too much: asked in its transaction, which is then rolled back.

    The person's row is locked to the commit: two uploads at once must not both get the last place. NO KEY: rows that
    point to the person may still be added.
    """
    User.objects.select_for_update(no_key=True).values_list("pk").get(pk=person.pk)
    _check_room(person, allowed, photos=0, size=0, now=now)


def take_upload(person: User, allowed: Allowed, *, now: datetime) -> None:
    """Count an upload; raise Exceeded if the hour's are used up."""
    limit = allowed.uploads_an_hour
    if limit and not ask(lambda door: door.window.acquire_entry(_uploads(person), limit, SECONDS), otherwise=True):
        raise Exceeded(_uploaded(person, limit, now=now))


def book_paintings(person: User, *, count: int, now: datetime) -> list[datetime | None]:
    """Book a slot for each painting, the earliest first: None may be painted at once, the others not before then."""
    limit = allowed_to(person).paintings_an_hour if count else 0
    if not limit:
        return [None] * count
    asked: list[int | str] = [_in_ms(now), SECONDS * 1000, limit, count, secrets.token_urlsafe(9)]
    at_once = [_in_ms(now)] * count
    slots: list[int] = ask(lambda door: door.book([_slots(person)], asked), otherwise=at_once)
    return [_at(slot) if slot > _in_ms(now) else None for slot in slots]


def give_back(person: User, slots: Iterable[datetime], *, now: datetime) -> None:
    """Free the slots of paintings that nobody wants any more; a time that has come stays used."""
    free = [_in_ms(slot) for slot in slots if slot > now]
    for first in range(0, len(free), BATCH):
        ask(partial(_free, person, free[first : first + BATCH]), otherwise=None)


def take_try(name: str, limit: int, within: timedelta) -> bool:
    """Count one try of what may be guessed; False if there were too many, or nobody can count them."""
    seconds = int(within.total_seconds())
    return ask(lambda door: door.window.acquire_entry(f"tries/{name}", limit, seconds), otherwise=False)


def held_sentence(until: datetime, *, now: datetime) -> str:
    """Say when held paintings go on."""
    return _("Your paintings of this hour are used up; it goes on by itself at %(time)s.") % {
        "time": clock(until, now=now)
    }


def clock(moment: datetime, *, now: datetime) -> str:
    """Return a time as people say it: `14:05`, with the day if it is another day than today's."""
    local = timezone.localtime(moment)
    if local.date() == timezone.localtime(now).date():
        return date_format(local, "H:i")
    return f"{date_format(local, 'SHORT_DATE_FORMAT')} {date_format(local, 'H:i')}"


def _own(name: str, rows: Sequence[Allowance]) -> int | None:
    return next((getattr(row, name) for row in rows), None)


def _shared(name: str, groups: Sequence[Allowance]) -> int:
    offered = [0 if row.unlimited else getattr(row, name) for row in groups]
    said = [value for value in offered if value is not None]
    if said:
        return 0 if 0 in said else max(said)
    site: dict[str, int] = {
        "paintings_an_hour": settings.PAINTINGS_AN_HOUR,
        "uploads_an_hour": settings.UPLOADS_AN_HOUR,
        "photos_at_once": settings.PHOTOS_AT_ONCE,
        "megabytes": settings.MEGABYTES_A_PERSON,
    }
    return site[name]


def _painted(person: User, limit: int, *, now: datetime) -> Use:
    if not limit:
        return Use(Kind.PAINTINGS, 0, 0)
    begin = _in_ms(now - HOUR)
    nothing: tuple[int, int | None] = (0, None)
    used, nth = ask(lambda door: _booked(door.client, person, begin, limit), otherwise=nothing)
    # Whatever is asked next stands an hour behind the slot that is `limit` places before it.
    return Use(Kind.PAINTINGS, min(used, limit), limit, _at(nth) + HOUR if nth and used >= limit else None)


def _uploaded(person: User, limit: int, *, now: datetime) -> Use:
    if not limit:
        return Use(Kind.UPLOADS, 0, 0)
    key = _uploads(person)
    first, used = ask(lambda door: door.window.get_moving_window(key, limit, SECONDS), otherwise=(0.0, 0))
    frees_at = max(now, datetime.fromtimestamp(first, UTC) + HOUR) if used >= limit else None
    return Use(Kind.UPLOADS, used, limit, frees_at)


def _in_work(person: User, limit: int, *, now: datetime) -> Use:
    if not limit:
        return Use(Kind.PHOTOS, 0, 0)
    # One question for each index of the queue: a large album is not looked through. What another person's lane does
    # for this one costs nothing here.
    lane = person.lane
    busy = [Source.objects.filter(lane=lane, state=state).order_by().values_list("pk") for state in BUSY]
    painted = [Commission.objects.filter(rendition__lane=lane, rendition__state=state) for state in BUSY]
    asked = [each.order_by().values_list("source") for each in painted]
    used = busy[0].union(busy[1], *asked).count()
    return Use(Kind.PHOTOS, used, limit, now + SOON if used >= limit else None)


def _most_in_work(person: User) -> int:
    """Return how many rows wait or are in work in a person's lane: each picture in work has at least one."""
    return sum(kind.objects.filter(lane=person.lane, state__in=BUSY).count() for kind in (Source, Rendition))


def _stored(person: User, megabytes: int) -> Use:
    # An album has a file once, so that no file is summed twice.
    if not megabytes:
        return Use(Kind.STORAGE, 0, 0)
    total: int | None = person.photos.aggregate(total=Sum("source__size"))["total"]
    return Use(Kind.STORAGE, total or 0, megabytes * MEGABYTE)


def _check_room(person: User, allowed: Allowed, *, photos: int, size: int, now: datetime) -> None:
    stored = _stored(person, allowed.megabytes)
    if stored.limit and stored.used + size > stored.limit:
        raise Exceeded(stored)
    limit = allowed.photos_at_once
    # The exact number costs three times as much, and most people are far from their limit.
    if limit and _most_in_work(person) + photos > limit:
        in_work = _in_work(person, limit, now=now)
        if in_work.used + photos > limit:
            raise Exceeded(in_work)


def _sentence(use: Use) -> str:
    now = timezone.now()
    facts = {"limit": use.limit, "use": use, "time": clock(use.frees_at, now=now) if use.frees_at else ""}
    if use.kind == Kind.STORAGE:
        return _("There is no room for this photo: %(use)s are used. Remove photos that you need no more.") % facts
    if use.kind == Kind.PHOTOS:
        return _("%(limit)s photos are in work, the most at once. More can come when some are done.") % facts
    return _("That makes more than %(limit)s photos within an hour. The next can come at %(time)s.") % facts


def _free(person: User, slots: Sequence[int], door: "Door") -> None:
    door.give_back([_slots(person)], slots)


def _uploads(person: User) -> str:
    return f"uploads/{person.lane}"


def _slots(person: User) -> str:
    return f"LIMITS:paintings/{person.lane}"


def _booked(client: Redis, person: User, begin: int, limit: int) -> tuple[int, int | None]:
    nth = client.zrevrange(_slots(person), limit - 1, limit - 1, withscores=True)
    return client.zcount(_slots(person), f"({begin}", "+inf"), int(nth[0][1]) if nth else None


def _in_ms(moment: datetime) -> int:
    return int(moment.timestamp() * 1000)


def _at(slot: int) -> datetime:
    return datetime.fromtimestamp(0, UTC) + timedelta(milliseconds=slot)


class Door:
    """The way to Redis; shut for a moment after nobody answered, so that not every page waits for it."""

    def __init__(self, address: str) -> None:
        """Connect at the first question."""
        # Once more without a pause: a connection from before Redis was started anew is noticed only when it is used.
        again = Retry(NoBackoff(), 1)
        self.client = Redis.from_url(
            address, retry=again, socket_timeout=PATIENCE, socket_connect_timeout=PATIENCE, protocol=2
        )
        self.window = RedisStorage(address, connection_pool=self.client.connection_pool)
        self.book = self.client.register_script(BOOK)
        self.give_back = self.client.register_script(GIVE_BACK)
        self.shut_until = 0.0

    def ask(self, question: Callable[[Self], Answer], *, otherwise: Answer) -> Answer:
        """Return what Redis answers; the other answer if it is away."""
        if time.monotonic() < self.shut_until:
            return otherwise
        try:
            return question(self)
        except RedisError:
            self.shut_until = time.monotonic() + REST
            log.warning("the counts are away; nobody is limited")
            return otherwise


@cache
def _door(address: str) -> Door:
    return Door(address)


def ask(question: Callable[[Door], Answer], *, otherwise: Answer) -> Answer:
    """Return what Redis answers; the other answer if it is away."""
    return _door(settings.REDIS_URL).ask(question, otherwise=otherwise)
