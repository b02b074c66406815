"""Uploads: bounded before they are kept, hashed while they stream to disk."""

import asyncio
import errno
import hashlib
import tempfile
from collections.abc import Awaitable, Callable, Iterator, MutableMapping
from contextlib import contextmanager, suppress
from typing import Any, TypeAlias

from django.conf import settings
from django.core.exceptions import RequestDataTooBig, SuspiciousOperation
from django.core.files.uploadedfile import UploadedFile
from django.core.files.uploadhandler import FileUploadHandler
from django.db import connections
from django.urls import reverse
from django.utils import timezone

from gallery import notices
from gallery.notices import Closed
from rendering.room import Full, room

FILES_AT_ONCE = 25
"""So many of the largest files fit into one request; the scripts of the pages send one file a request."""

Message: TypeAlias = MutableMapping[str, Any]  # Any: ASGI's own type
Receive: TypeAlias = Callable[[], Awaitable[Message]]
Send: TypeAlias = Callable[[Message], Awaitable[None]]
Application: TypeAlias = Callable[[Message, Receive, Send], Awaitable[None]]

NO_ROOM = "artworkshop.no_room"
"""Where an ASGI request tells the upload handler that its body was dropped, and why."""

DISK_IS_FULL = (errno.ENOSPC, errno.EDQUOT)


class NoRoom(SuspiciousOperation):
    """Nothing more is taken just now; Django answers this kind by the site's page for bad requests."""

    def __init__(self, full: Full | Closed) -> None:
        """Keep why; its label is the sentence."""
        super().__init__(str(full.label))
        self.full = full


class HashedUpload(UploadedFile):  # type: ignore[type-arg]  # generic in the stubs alone
    """A file on disk with the SHA-256 of its bytes; one that is too large is marked and has no content."""

    def __init__(self, name: str, content_type: str) -> None:
        """Open an empty file in the upload folder; its name there has nothing of the person's."""
        self._spool = tempfile.NamedTemporaryFile(dir=settings.FILE_UPLOAD_TEMP_DIR, prefix="upload-")  # noqa: SIM115 - closed with the request
        super().__init__(self._spool, name, content_type, 0)
        self.too_large = False
        self._hash = hashlib.sha256()

    @property
    def sha256(self) -> str:
        """The SHA-256 of what has come so far, as 64 hexadecimal digits."""
        return self._hash.hexdigest()

    def add(self, chunk: bytes, *, limit: int) -> None:
        """Keep the next bytes; drop everything once there are more than the limit."""
        self.size = (self.size or 0) + len(chunk)
        self.too_large = self.size > limit
        if self.too_large:
            self._spool.truncate(0)
            return
        self._spool.write(chunk)
        self._hash.update(chunk)

    def temporary_file_path(self) -> str:
        """Return where it is, so that a storage on the same disk moves it instead of copying it."""
        return self._spool.name

    def close(self) -> None:
        """Close and delete it, unless a storage has moved it away."""
        with suppress(OSError):  # it is not there; or the disk is full, which its last bytes need no more
            self._spool.close()


class HashingUploadHandler(FileUploadHandler):
    """Django's door for files: each is cut at the limit of one file, and all together refused above theirs."""

    file: HashedUpload

    def handle_raw_input(self, input_data: Any, META: Any, content_length: int, *rest: Any) -> None:  # noqa: N803 - Django's signature; Any: unused
        """Refuse a body that is too large as a whole or has no room here, before any of it is read."""
        full = getattr(self.request, "scope", {}).get(NO_ROOM) or self._closed()
        if full:
            raise NoRoom(full)
        if content_length > largest_body():
            message = "the request is larger than is allowed here"
            raise RequestDataTooBig(message)

    def new_file(
        self, field_name: str, file_name: str, content_type: str, *rest: Any, **more: Any
    ) -> None:  # Any: unused
        """Begin a file."""
        super().new_file(field_name, file_name, content_type, *rest, **more)
        with self._refusing():
            self.file = HashedUpload(file_name, content_type)

    def receive_data_chunk(self, raw_data: bytes, start: int) -> None:
        """Keep the next bytes of it."""
        with self._refusing():
            self.file.add(raw_data, limit=settings.MAX_MEGABYTES * 1_000_000)

    def file_complete(self, file_size: int) -> HashedUpload:
        """End the file."""
        with self._refusing():
            self.file.flush()
        self.file.seek(0)
        return self.file

    def upload_interrupted(self) -> None:
        """Delete a file that did not come to its end."""
        self.file.close()

    def _closed(self) -> Closed | None:
        is_upload = self.request is not None and self.request.path == reverse("upload")
        return notices.closure(now=timezone.now()) if is_upload else None

    @contextmanager
    def _refusing(self) -> Iterator[None]:
        try:
            yield
        except OSError as error:
            if error.errno not in DISK_IS_FULL:
                raise
            if hasattr(self, "file"):
                self.file.close()  # Django closes only those that have come to their end
            raise NoRoom(Full.DISK) from error


def largest_body() -> int:
    """Return how many bytes one request may have."""
    return FILES_AT_ONCE * settings.MAX_MEGABYTES * 1_000_000


def bounded(application: Application) -> Application:
    """Return the ASGI application, with bodies that are too large or have no room here dropped before it spools them.

    They are read to their end all the same: a browser shows an answer only when it has sent everything.
    """

    async def with_bounded_body(scope: Message, receive: Receive, send: Send) -> None:
        length = _declared_length(scope)
        full = await asyncio.to_thread(_refusal, length) if _is_upload(scope) else None
        body = _Body(receive, room=0 if full or length > largest_body() else largest_body())
        try:
            await application({**scope, NO_ROOM: full}, body, send)
        except OSError as error:
            # Django answers for everything but the body, which it was spooling: once more, without it.
            if error.errno not in DISK_IS_FULL:
                raise
            body.drop()
            await application({**scope, NO_ROOM: Full.DISK}, body, send)

    return with_bounded_body


class _Body:
    """A request's body, of which no more comes than there is room for."""

    def __init__(self, receive: Receive, *, room: int) -> None:
        self._receive = receive
        self._room = room
        self._more = True
        self._ends_again = False

    async def __call__(self) -> Message:
        if self._ends_again:
            self._ends_again = False
            return {"type": "http.request", "body": b"", "more_body": False}
        message = await self._receive()
        self._room -= len(message.get("body", b""))
        self._more = message.get("more_body", False)
        return message if self._room >= 0 else {**message, "body": b""}

    def drop(self) -> None:
        """Begin the request once more, with nothing in its body."""
        self._room, self._ends_again = -1, not self._more


def _is_upload(scope: Message) -> bool:
    return bool(scope["type"] == "http" and scope["method"] == "POST" and scope["path"] == reverse("upload"))


def _refusal(size: int) -> Full | Closed | None:
    try:
        return notices.closure(now=timezone.now()) or room.refusal(size)
    finally:
        connections.close_all()  # this thread's own, which no end of a request would close


def _declared_length(scope: Message) -> int:
    declared = dict(scope.get("headers", ())).get(b"content-length", b"")
    return int(declared) if declared.isdigit() else 0
