"""The address of the product: held open by the supervisor, so that a restarted web server loses no connection."""

import http.client
import socket
from collections.abc import Iterator
from contextlib import contextmanager

from django.conf import settings

from artworkshop import health
from artworkshop.standalone import CannotStart

BACKLOG = 512
ANSWER = 5.0  # seconds


@contextmanager
def held_open() -> Iterator[socket.socket]:
    """Listen at HOST and PORT; raise CannotStart with the reason when that cannot be."""
    try:
        listener = _listen()
    except OSError as error:
        message = (
            f"Port {settings.PORT} on {settings.HOST} cannot be used ({error.strerror}): choose another PORT or HOST."
        )
        raise CannotStart(message) from error
    with listener:
        yield listener


def is_answered(listener: socket.socket) -> bool:
    """Whether the web server behind the listener answers."""
    host, port = listener.getsockname()[:2]
    # An address that means "all of this machine's" is reached through the loop.
    host = {"0.0.0.0": "127.0.0.1", "::": "::1"}.get(host, host)  # noqa: S104 - it is looked up, not bound
    connection = http.client.HTTPConnection(host, port, timeout=ANSWER)
    try:
        connection.request("GET", health.LIVE)
        return connection.getresponse().status < http.client.INTERNAL_SERVER_ERROR
    except (OSError, http.client.HTTPException):
        return False
    finally:
        connection.close()


def _listen() -> socket.socket:
    family, kind, protocol, _, address = socket.getaddrinfo(settings.HOST, settings.PORT, type=socket.SOCK_STREAM)[0]
    listener = socket.socket(family, kind, protocol)
    try:
        # Connections of an earlier run that linger must not block the port.
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        listener.bind(address)
        listener.listen(BACKLOG)
    except OSError:
        listener.close()
        raise
    return listener
