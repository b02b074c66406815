"""What must be ready before anybody is served: database, translations, static files, kernels; only what changed."""

import hashlib
import importlib.metadata
import io
import platform
import time
from collections.abc import Iterable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

import llvmlite.binding
from django.conf import settings
from django.contrib.staticfiles.finders import get_finders
from django.core.management import call_command
from django.db import DatabaseError, connection
from django.db.migrations.executor import MigrationExecutor

from artworkshop import catalogs, static
from artworkshop.standalone import CannotStart
from rendering import kernels

MIGRATION_LOCK = 0x41525457  # any number, the same on every host


def migrate() -> int:
    """Bring the database up to date and return how many migrations that took; raise CannotStart when it fails.

    Hosts that start together take turns.
    """
    try:
        with _alone():
            plan = pending_migrations()
            if plan:
                call_command("migrate", interactive=False, verbosity=0)
    except DatabaseError as error:
        message = f"The database cannot be brought up to date: {_first_line(error)}"
        raise CannotStart(message) from error
    return plan


def pending_migrations() -> int:
    """Return how many migrations the database lacks."""
    executor = MigrationExecutor(connection)
    return len(executor.migration_plan(executor.loader.graph.leaf_nodes()))


def wait_for_database(seconds: float) -> None:
    """Wait until the database takes a connection; raise CannotStart with its own words when it does not."""
    deadline = time.monotonic() + seconds
    # A pool would retry by itself for half a minute, and log each try.
    connection.settings_dict["OPTIONS"].pop("pool", None)
    while True:
        try:
            connection.ensure_connection()
        except DatabaseError as error:
            if time.monotonic() > deadline:
                message = f"The database cannot be reached: {_first_line(error)}"
                raise CannotStart(message) from error
            time.sleep(0.5)
        else:
            return


def translate() -> int:
    """Compile the translations that changed and return how many; raise CannotStart for one that cannot be read."""
    try:
        return sum(catalogs.compile_all(Path(folder)) for folder in settings.LOCALE_PATHS)
    except (OSError, ValueError) as error:
        message = f"The translations cannot be compiled: {error}"
        raise CannotStart(message) from error


def static_files_are_ready() -> bool:
    """Whether the collected static files are those of this code."""
    manifest = Path(settings.STATIC_ROOT) / "staticfiles.json"
    return manifest.exists() and _stamp("static").exists() and _stamp("static").read_text() == _static_fingerprint()


def collect_static_files() -> None:
    """Collect, hash and compress the static files."""
    fingerprint = _static_fingerprint()
    call_command("collectstatic", interactive=False, verbosity=0, stdout=io.StringIO())
    _stamp("static").write_text(fingerprint)


def kernels_are_ready() -> bool:
    """Whether the kernels of this code were compiled for this processor."""
    path = _kernel_stamp()
    return path.exists() and path.read_text() == _kernel_fingerprint()


def compile_kernels() -> float:
    """Compile all kernels into the cache folder and return the seconds that it took."""
    fingerprint = _kernel_fingerprint()
    seconds = kernels.compile_all()
    with suppress(OSError):  # a folder that was filled while an image was built may be read-only
        _kernel_stamp().write_text(fingerprint)
    return seconds


@contextmanager
def _alone() -> Iterator[None]:
    if connection.vendor != "postgresql":
        yield
        return
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_advisory_lock(%s)", [MIGRATION_LOCK])
        try:
            yield
        finally:
            cursor.execute("SELECT pg_advisory_unlock(%s)", [MIGRATION_LOCK])


def _first_line(error: Exception) -> str:
    return str(error).strip().partition("\n")[0]


def _stamp(name: str) -> Path:
    folder = Path(settings.DATA_DIR) / "prepared"
    folder.mkdir(exist_ok=True)
    return folder / name


def _kernel_stamp() -> Path:
    return Path(settings.KERNEL_CACHE) / "prepared"


def _static_fingerprint() -> str:
    files = (Path(storage.path(name)) for finder in get_finders() for name, storage in finder.list([]))
    versions = [f"{name} {importlib.metadata.version(name)}" for name in ("django", "whitenoise", "brotli")]
    return _fingerprint([*files, Path(static.__file__)], versions)


def _kernel_fingerprint() -> str:
    files = Path(kernels.__file__).parent.glob("*.py")
    versions = [f"{name} {importlib.metadata.version(name)}" for name in ("numba", "llvmlite")]
    return _fingerprint(files, [*versions, platform.python_version(), llvmlite.binding.get_host_cpu_name()])


def _fingerprint(files: Iterable[Path], words: Iterable[str]) -> str:
    lines = [f"{path} {path.stat().st_size} {path.stat().st_mtime_ns}" for path in sorted(files)]
    return hashlib.sha256("\n".join([*words, *lines]).encode()).hexdigest()
