"""Uploads: bounded before they are kept, hashed while they stream to disk."""

import hashlib
import tempfile
from collections.abc import Awaitable, Callable, MutableMapping
from contextlib import suppress
from typing import Any, TypeAlias

from django.conf import settings
from django.core.exceptions import RequestDataTooBig
from django.core.files.uploadedfile import UploadedFile
from django.core.files.uploadhandler import FileUploadHandler

FILES_AT_ONCE = 25
"""So many of the largest files fit into one request; the scripts of the pages send one file a request."""

Message: TypeAlias = MutableMapping[str, Any]  # Any: ASGI's own type
Receive: TypeAlias = Callable[[], Awaitable[Message]]
Send: TypeAlias = Callable[[Message], Awaitable[None]]
Application: TypeAlias = Callable[[Message, Receive, Send], Awaitable[None]]


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
        with suppress(FileNotFoundError):
            self._spool.close()


class HashingUploadHandler(FileUploadHandler):
    """Django's door for files: each is cut at the limit of one file, and all together refused above theirs."""

    file: HashedUpload

    def handle_raw_input(self, input_data: Any, META: Any, content_length: int, *rest: Any) -> None:  # noqa: N803 - Django's signature; Any: unused
        """Refuse a body that is too large as a whole, before any of it is read."""
        if content_length > largest_body():
            message = "the request is larger than is allowed here"
            raise RequestDataTooBig(message)

    def new_file(
        self, field_name: str, file_name: str, content_type: str, *rest: Any, **more: Any
    ) -> None:  # Any: unused
        """Begin a file."""
        super().new_file(field_name, file_name, content_type, *rest, **more)
        self.file = HashedUpload(file_name, content_type)

    def receive_data_chunk(self, raw_data: bytes, start: int) -> None:
        """Keep the next bytes of it."""
        self.file.add(raw_data, limit=settings.MAX_MEGABYTES * 1_000_000)

    def file_complete(self, file_size: int) -> HashedUpload:
        """End the file."""
        self.file.flush()
        self.file.seek(0)
        return self.file

    def upload_interrupted(self) -> None:
        """Delete a file that did not come to its end."""
        self.file.close()


def largest_body() -> int:
    """Return how many bytes one request may have."""
    return FILES_AT_ONCE * settings.MAX_MEGABYTES * 1_000_000


def bounded(application: Application) -> Application:
    """Return the ASGI application, with bodies that are too large emptied before it spools them to disk."""

    async def with_bounded_body(scope: Message, receive: Receive, send: Send) -> None:
        room = largest_body()
        if _declared_length(scope) > room:
            room = 0

        async def receive_bounded() -> Message:
            nonlocal room
            message = await receive()
            room -= len(message.get("body", b""))
            return message if room >= 0 else {**message, "body": b""}

        await application(scope, receive_bounded, send)

    return with_bounded_body


def _declared_length(scope: Message) -> int:
    declared = dict(scope.get("headers", ())).get(b"content-length", b"")
    return int(declared) if declared.isdigit() else 0
