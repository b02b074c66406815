"""One product per data folder: a lock that ends with its holder, and says who that is."""

import fcntl
import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from artworkshop.standalone import CannotStart


@contextmanager
def held(folder: Path, address: str) -> Iterator[None]:
    """Hold the folder for this process; raise CannotStart with the process and address that hold it already."""
    path = folder / "up.lock"
    descriptor = take(path)
    if descriptor is None:
        message = (
            f"The Art Workshop is already running on {folder}: {holder(path)}. Stop it, or choose another DATA_DIR."
        )
        raise CannotStart(message)
    try:
        os.ftruncate(descriptor, 0)
        os.write(descriptor, f"process {os.getpid()}, {address}".encode())
        yield
    finally:
        os.close(descriptor)


def take(path: Path) -> int | None:
    """Return a descriptor that holds the lock until its last copy is closed, or None when somebody else holds it.

    Raises CannotStart where files cannot be locked, as on some network file systems.
    """
    descriptor = os.open(path, os.O_RDWR | os.O_CREAT, 0o600)
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        os.close(descriptor)
        return None
    except OSError as error:
        message = f"{path} cannot be locked ({error.strerror}): choose a DATA_DIR on a disk of this machine."
        raise CannotStart(message) from error
    return descriptor


def holder(path: Path) -> str:
    """Return what the holder wrote about itself."""
    # The holder may not have written its line yet.
    return path.read_text().strip() or "it is just starting"
