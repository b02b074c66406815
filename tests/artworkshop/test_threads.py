"""Threads of requests: kept for the next ones, as many as are needed, and none that may still be at work."""

import asyncio
import threading
import time
from collections.abc import Callable

import pytest
from asgiref.sync import async_to_sync, sync_to_async

from artworkshop import threads
from gallery.uploads import Application, Message, Receive, Send

SCOPE: Message = {"type": "http"}


def served(*work: Callable[[], object]) -> Application:
    """Return an application that does all of this where Django serves a request."""

    async def application(scope: Message, receive: Receive, send: Send) -> None:
        for each in work:
            await sync_to_async(each)()

    return threads.in_front_of(application)


async def ask(application: Application) -> None:
    async def receive() -> Message:
        return {"type": "http.disconnect"}

    async def send(message: Message) -> None:
        pass

    await application(SCOPE, receive, send)


async def ask_at_once(application: Application, times: int) -> None:
    await asyncio.gather(*(ask(application) for _ in range(times)))


def of_requests() -> set[int]:
    return {each.ident or 0 for each in threading.enumerate() if each.name.startswith("request")}


def test_requests_one_after_the_other_are_served_by_one_thread():
    seen: list[int] = []
    application = served(lambda: seen.append(threading.get_ident()), lambda: seen.append(threading.get_ident()))

    for _ in range(3):
        async_to_sync(ask)(application)

    assert len(set(seen)) == 1
    assert threading.get_ident() not in seen


def test_requests_at_once_have_threads_of_their_own_of_which_some_are_kept():
    before = of_requests()
    at_once = threads.KEPT + 3
    together = threading.Barrier(at_once, timeout=10)
    application = served(together.wait)

    async_to_sync(ask_at_once)(application, at_once)

    deadline = time.monotonic() + 10
    while len(of_requests() - before) > threads.KEPT and time.monotonic() < deadline:
        time.sleep(0.01)
    assert len(of_requests() - before) == threads.KEPT


def test_thread_of_a_request_that_broke_off_serves_no_other():
    seen: list[threading.Thread] = []

    def work() -> None:
        seen.append(threading.current_thread())
        if len(seen) == 1:
            raise ConnectionError

    application = served(work)
    with pytest.raises(ConnectionError):
        async_to_sync(ask)(application)
    async_to_sync(ask)(application)

    seen[0].join(10)
    assert [each.is_alive() for each in seen] == [False, True]
