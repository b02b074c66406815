"""Threads that serve one request after the other, each with its database connection.

By itself Django takes a new thread for each request on ASGI, and with it a new connection; asgiref takes another one to
wait for its end. Of the 6.2 ms of CPU that the picture of a card took, these were 1.6.
"""

from concurrent.futures import ThreadPoolExecutor

from asgiref.sync import ThreadSensitiveContext
from django.db import connections

from gallery.uploads import Application, Message, Receive, Send

KEPT = 8
"""So many threads wait for requests at most; what comes at once beyond that has threads of its own, which then end."""


def in_front_of(application: Application) -> Application:
    """Return the application, each request of which is served by one thread that may have served others before."""
    free: list[ThreadPoolExecutor] = []  # of the event loop's thread alone

    async def on_a_thread(scope: Message, receive: Receive, send: Send) -> None:
        thread = free.pop() if free else ThreadPoolExecutor(max_workers=1, thread_name_prefix="request")
        try:
            async with ThreadSensitiveContext(executor=thread):
                await application(scope, receive, send)
        except BaseException:
            # Perhaps it was not waited for: who knows what the thread still does.
            _end(thread)
            raise
        if len(free) < KEPT:
            free.append(thread)
        else:
            _end(thread)

    return on_a_thread


def _end(thread: ThreadPoolExecutor) -> None:
    thread.submit(connections.close_all)
    thread.shutdown(wait=False)
