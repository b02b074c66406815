"""Live news: who hears what, how many, how fast, and what happens when something goes away."""

import asyncio
import selectors
import statistics
import time
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import pytest

from artworkshop import live, seats
from gallery.models import User
from rendering import events
from rendering.models import Source, State
from tests import makers
from tests.artworkshop.web import Stream, Web, cookie_of, web
from tests.processes import Valkey, wait_until

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture(scope="module")
def lasting_site(valkey_server: Valkey, django_db_setup: None) -> Iterator[Web]:
    """Keep one web process for all tests that leave it alive."""
    with web() as running:
        yield running


@pytest.fixture
def site(lasting_site: Web, valkey: Valkey) -> Web:
    """Return the running web process."""
    return lasting_site


@pytest.fixture
def mortal_site(valkey: Valkey, transactional_db: None) -> Iterator[Web]:
    """Return a web process of this test alone."""
    with web() as running:
        yield running


@pytest.fixture(autouse=True)
def rested(monkeypatch: pytest.MonkeyPatch) -> None:
    """Forget that Redis was away in another test."""
    monkeypatch.setitem(events._rest, "until", 0.0)


def test_stream_begins_with_where_things_stand(site: Web, alice: User):
    before = events.version(alice.lane)

    with Stream(site, cookie_of(alice)) as stream:
        heard = stream.hear(1)

    assert (stream.status, heard) == (200, [before])
    assert "content-type: text/event-stream" in stream.head
    assert "x-accel-buffering: no" in stream.head
    assert "retry: " in stream.text


def test_stream_hears_of_its_own_lane_alone(site: Web, alice: User, bob: User):
    with Stream(site, cookie_of(alice)) as hers, Stream(site, cookie_of(bob)) as his:
        hers.hear(1)
        his.hear(1)

        events.tell(alice.lane)

        assert hers.hear(2)[1:] == [events.version(alice.lane)]
        assert his.hear(2, seconds=1)[1:] == []
        assert alice.lane not in hers.text


def test_stream_brings_the_newest_of_much_news_at_most_twice_a_second(site: Web, alice: User):
    with Stream(site, cookie_of(alice)) as stream:
        stream.hear(1)
        started = time.monotonic()
        while time.monotonic() - started < 2:
            events.tell(alice.lane)
            time.sleep(0.01)

        wait_until(lambda: stream.hear(99, seconds=0.1)[-1] == events.version(alice.lane), seconds=3)

    assert 3 <= len(stream.versions) <= 7


@pytest.mark.parametrize("cookie", ["", "sessionid=", "sessionid=nobodys", "sessionid=\x80\xff;;="])
def test_stream_is_refused_to_whoever_is_not_signed_in(site: Web, cookie: str):
    with Stream(site, cookie) as stream:
        assert (stream.status, stream.text) == (401, "")


def test_stream_is_refused_after_signing_out(site: Web, alice: User):
    browser = makers.browser(alice)
    cookie = f"sessionid={browser.cookies['sessionid'].value}"
    browser.logout()

    with Stream(site, cookie) as stream:
        assert stream.status == 401


def test_stream_is_got_and_not_posted(site: Web, alice: User):
    with Stream(site, cookie_of(alice), method="POST") as stream:
        assert (stream.status, "allow: GET" in stream.head) == (405, True)


def test_fourth_stream_of_a_person_is_refused_until_one_ends(site: Web, alice: User, bob: User):
    cookie = cookie_of(alice)
    with Stream(site, cookie) as first, Stream(site, cookie) as second, Stream(site, cookie) as third:
        with Stream(site, cookie) as fourth, Stream(site, cookie_of(bob)) as his:
            got = [each.status for each in (first, second, third, fourth, his)]
            told = "retry-after: 10" in fourth.head
        first.socket.close()
        wait_until(lambda: _status(site, cookie) == 200, seconds=3, pause=0.1)

    assert (got, told) == ([200, 200, 200, 503, 200], True)


def test_fourth_stream_is_refused_by_another_process_until_the_killed_one_is_forgotten(
    mortal_site: Web, site: Web, valkey: Valkey, alice: User
):
    cookie, key = cookie_of(alice), f"live:seats:{alice.lane}"
    with Stream(mortal_site, cookie), Stream(mortal_site, cookie), Stream(mortal_site, cookie):
        with Stream(site, cookie) as elsewhere:
            refused = elsewhere.status
        mortal_site.running.kill()
        left = [end - time.time() for end in _seats(valkey, key).values()]
    _pass_the_time(valkey, key)

    assert refused == 503
    assert (len(left), all(0 < seconds <= seats.KEPT for seconds in left)) == (3, True)
    assert _status(site, cookie) == 200


def test_seat_is_prolonged_while_its_stream_is_open(valkey: Valkey, alice: User, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(seats, "PROLONG", 0.01)

    async def sit() -> tuple[list[bool], int]:
        redis = live.connect(retries=1)
        mine = seats.Seats(redis)
        name = await mine.take(alice.lane)
        _pass_the_time(valkey, f"live:seats:{alice.lane}")
        await asyncio.sleep(0.3)
        taken = [bool(await mine.take(alice.lane)) for _ in range(3)]
        await mine.free(name)
        left = await redis.zcard(f"live:seats:{alice.lane}")
        await mine.close()
        await redis.aclose()
        return taken, left

    assert asyncio.run(sit()) == ([True, True, False], 2)


def test_streams_beyond_the_setting_are_refused(valkey: Valkey, alice: User, bob: User):
    with web(LIVE_STREAMS="1") as site, Stream(site, cookie_of(alice)) as hers, Stream(site, cookie_of(bob)) as his:
        assert (hers.status, his.status, "retry-after" in his.head) == (200, 503, True)


def test_stream_says_that_redis_went_away_and_is_refused_until_it_is_back(
    mortal_site: Web, alice: User, valkey: Valkey
):
    cookie = cookie_of(alice)
    with Stream(mortal_site, cookie) as stream:
        stream.hear(1)
        valkey.stop()
        said = stream.to_the_end()
    away = _status(mortal_site, cookie)
    valkey.start()
    with Stream(mortal_site, cookie) as again:
        again.hear(1)
        wait_until(lambda: events.version(alice.lane), seconds=5)
        events.tell(alice.lane)

        assert again.hear(2)[-1] == events.version(alice.lane)
    assert ("event: away" in said, away) == (True, 503)


def test_server_with_open_streams_ends_in_time(mortal_site: Web, alice: User, bob: User):
    with Stream(mortal_site, cookie_of(alice)) as hers, Stream(mortal_site, cookie_of(bob)) as his:
        for stream in (hers, his):
            stream.hear(1)
        started = time.monotonic()

        mortal_site.running.stop()

        assert time.monotonic() - started < 2
        assert "Cancel" not in mortal_site.running.said
        assert [each.to_the_end()[-5:] for each in (hers, his)] == ["0\r\n\r\n"] * 2


def test_news_reaches_250_streams_of_one_process_at_once(site: Web):
    people = [makers.person(f"person{number}") for number in range(84)]
    cookies = [cookie_of(person) for person in people]
    with ExitStack() as stack:
        streams = [stack.enter_context(Stream(site, cookies[number % 84])) for number in range(250)]
        for stream in streams:
            stream.hear(1)
        time.sleep(live.GAP)

        started = time.monotonic()
        for person in people:
            events.tell(person.lane)
        times = _times_of_news(streams, started)
        idle = _cpu_seconds(site)
        time.sleep(1)
        idle = _cpu_seconds(site) - idle

    print(  # noqa: T201 - a measurement
        f"250 streams: told {len(people)} lanes, p50 {statistics.median(times) * 1000:.0f} ms, "
        f"all {max(times) * 1000:.0f} ms, {idle * 100:.1f} % of a core when idle"
    )
    assert len(times) == 250
    assert max(times) < 3


def test_stream_ends_after_its_life_and_shows_signs_of_life(
    alice: User, valkey: Valkey, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.setattr(live, "LIFE", 1.2)
    monkeypatch.setattr(live, "GAP", 0.05)
    monkeypatch.setattr(live, "PING", 0.2)
    cookie = cookie_of(alice)

    started = time.monotonic()
    sent = asyncio.run(_listen_in_process(cookie))

    assert 0.9 < time.monotonic() - started < 2.5
    assert 2 <= sum(message.get("body") == b": ping\n\n" for message in sent) <= 8
    assert sent[-1] == {"type": "http.response.body", "body": b""}


@pytest.mark.parametrize("change", ["told", "too long ago"])
def test_status_is_answered_without_the_database_until_something_changes(
    site: Web, alice: User, valkey: Valkey, change: str
):
    photo = makers.photo(alice, of=makers.source(state=State.WAITING))
    cookie, path = cookie_of(alice), f"/status/?photos={photo.key}"
    etag = _etag(site, path, cookie)
    # Behind the back of the page: who does not look at the database does not see it.
    Source.objects.filter(pk=photo.source_id).update(state=State.WORKING)

    unseen = site.get(path, Cookie=cookie, If_None_Match=etag)
    if change == "told":
        events.tell(alice.lane)
    else:
        _let_answers_run_out(valkey)
    seen = site.get(path, Cookie=cookie, If_None_Match=etag)

    assert (unseen, seen) == (304, 200)


def test_status_of_another_question_is_not_answered_in_short(site: Web, alice: User, bob: User):
    photo = makers.photo(alice, of=makers.source(state=State.WAITING))
    cookie, path = cookie_of(alice), f"/status/?photos={photo.key}"
    etag = _etag(site, path, cookie)

    got = [
        site.get(path, Cookie=cookie_of(bob), If_None_Match=etag),
        site.get(path, If_None_Match=etag),
        site.get(path + ",other", Cookie=cookie, If_None_Match='"x"'),
        site.get(path, Cookie=cookie, If_None_Match=etag),
    ]

    assert got == [200, 302, 200, 304]


def _status(site: Web, cookie: str) -> int:
    with Stream(site, cookie) as stream:
        return stream.status


def _etag(site: Web, path: str, cookie: str) -> str:
    with site.connection() as connection:
        connection.request("GET", path, headers={"Cookie": cookie})
        return str(connection.getresponse().headers["ETag"])


def _let_answers_run_out(valkey: Valkey) -> None:
    keys = valkey.client.keys("live:answer:*")
    times = [valkey.client.ttl(key) for key in keys]
    valkey.client.delete(*keys)
    assert 0 < max(times) <= events.VALID


def _times_of_news(streams: list[Stream], started: float) -> list[float]:
    """Return after how many seconds each stream had its second message."""
    times = []
    with selectors.DefaultSelector() as selector:
        for stream in streams:
            selector.register(stream.socket, selectors.EVENT_READ, stream)
        while selector.get_map() and time.monotonic() - started < 10:
            for key, _ in selector.select(0.1):
                if len(key.data.hear(2)) >= 2:
                    times.append(time.monotonic() - started)
                    selector.unregister(key.fileobj)
    return times


def _cpu_seconds(site: Web) -> float:
    words = Path(f"/proc/{site.running.pid}/stat").read_text().rpartition(")")[2].split()
    return (int(words[11]) + int(words[12])) / 100


async def _listen_in_process(cookie: str) -> list[dict[str, Any]]:
    """Return what a route that is driven without a server sends to the end."""
    hub, sent = live.Hub(), []
    scope = {"type": "http", "method": "GET", "path": live.PATH, "headers": [(b"cookie", cookie.encode())]}

    async def receive() -> dict[str, Any]:
        return await asyncio.Future()

    async def send(message: Any) -> None:
        sent.append(message)

    await live.in_front_of(_nothing_behind, hub=hub)(scope, receive, send)
    await hub.close()
    return sent


async def _nothing_behind(*_: object) -> None:
    raise AssertionError("the route let something through")


def _seats(valkey: Valkey, key: str) -> dict[bytes, float]:
    """Return the seats that are taken of a lane, and until when."""
    found: Any = valkey.client.zrange(key, 0, -1, withscores=True)  # Any: redis' own types promise too much
    return dict(found)


def _pass_the_time(valkey: Valkey, key: str) -> None:
    """Have all seats of a lane run out at once."""
    valkey.client.zadd(key, dict.fromkeys(_seats(valkey, key), 1))
