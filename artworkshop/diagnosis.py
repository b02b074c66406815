"""What may be wrong with an installation, in words, and what to do about it."""

import ipaddress
import secrets
import shutil
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from enum import Enum
from urllib.parse import urlsplit

import redis
from django.conf import settings
from django.core.files.base import ContentFile
from django.core.files.storage import default_storage
from django.db import DatabaseError, connection

from artworkshop import environment
from artworkshop.standalone import CannotStart, preparation, valkey
from rendering import queue

GIGABYTE = 1_000_000_000


class Level(Enum):
    """How bad it is."""

    GOOD = "good"
    HINT = "hint"
    PROBLEM = "problem"


@dataclass(frozen=True)
class Finding:
    """One answer: what was found, and what to do if it is not good."""

    level: Level
    words: str
    advice: str = ""


def examine() -> Iterator[Finding]:
    """Look at everything, one after the other."""
    for check in CHECKS:
        yield check()


def check_hosts() -> Finding:
    """Whether the site answers to its own name alone."""
    if "*" not in settings.ALLOWED_HOSTS:
        return Finding(Level.GOOD, f"The site answers to {', '.join(settings.ALLOWED_HOSTS)} alone.")
    if not _others_can_reach_it():
        return Finding(Level.GOOD, "The site answers to every name, and only this machine can reach it.")
    advice = "Set ALLOWED_HOSTS to the site's own names, such as photos.example.org."
    return Finding(Level.PROBLEM, "The site answers to every name.", advice)


def check_https() -> Finding:
    """Whether passwords travel encrypted."""
    if settings.HTTPS:
        return Finding(Level.GOOD, "The site is reached by https.")
    if not _others_can_reach_it():
        return Finding(Level.GOOD, "The site is reached by http, and only from this machine.")
    advice = "Put a web server with https in front (docs/deploy.md), and set SITE_URL=https://... and PROXIES=1."
    return Finding(Level.PROBLEM, "Passwords and photos travel unencrypted: the site is reached by http.", advice)


def check_debug() -> Finding:
    """Whether errors stay inside."""
    if settings.DEBUG:
        return Finding(Level.PROBLEM, "DEBUG=yes shows settings and code to whoever meets an error.", "Set DEBUG=no.")
    return Finding(Level.GOOD, "Errors show no code: DEBUG is off.")


def check_sharing() -> Finding:
    """Whether several hosts of one site would agree with each other."""
    if settings.EMBEDDED_VALKEY or environment.text("SECRET_KEY"):
        return Finding(Level.GOOD, "All hosts of this site have the same secret key.")
    advice = "Set the same SECRET_KEY on all; it is in the file secret-key of the first one's DATA_DIR."
    return Finding(Level.HINT, "This host has a secret key of its own: no other host may serve this site.", advice)


def check_mail() -> Finding:
    """Whether people can get a new password."""
    if settings.EMAIL_BACKEND.endswith("console.EmailBackend"):
        advice = "Set EMAIL_BACKEND=django.core.mail.backends.smtp.EmailBackend, EMAIL_HOST and EMAIL_FROM."
        return Finding(Level.HINT, "Mail, such as for a new password, is only written into the log.", advice)
    return Finding(Level.GOOD, f"Mail is sent by {settings.EMAIL_HOST}.")


def check_database() -> Finding:
    """Whether the database answers and has all tables."""
    try:
        preparation.wait_for_database(0)
        missing = preparation.pending_migrations()
    except (CannotStart, DatabaseError) as error:
        return Finding(Level.PROBLEM, str(error), "Check DATABASE_URL, and that the database server runs.")
    if missing:
        return Finding(Level.PROBLEM, f"The database lacks {missing} migrations.", "Run `manage.py migrate`.")
    return Finding(Level.GOOD, f"The database ({connection.vendor}) is reachable and up to date.")


def check_redis() -> Finding:
    """Whether the queue answers, and outlives its server."""
    try:
        with redis.Redis.from_url(settings.REDIS_URL, socket_connect_timeout=3, socket_timeout=3) as client:
            facts = {**client.info("persistence"), **client.info("memory")}
    except redis.RedisError as error:
        advice = "Start the product (`make run`)." if settings.EMBEDDED_VALKEY else "Check REDIS_URL and its server."
        return Finding(Level.PROBLEM, f"Redis at {valkey.public_address()} cannot be used: {error}", advice)
    if facts.get("maxmemory_policy", "noeviction") != "noeviction":
        return Finding(
            Level.PROBLEM, "Redis may drop work when its memory is full.", "Set maxmemory-policy noeviction."
        )
    if not facts.get("aof_enabled"):
        advice = "Set appendonly yes there. No work is lost for good: the caretaker brings it back from the database."
        return Finding(Level.HINT, "Redis forgets the waiting work when it is restarted.", advice)
    return Finding(Level.GOOD, "The queue (Redis) is reachable, and outlives a restart.")


def check_storage() -> Finding:
    """Whether files can be written, read and removed."""
    name, content = f"doctor/{secrets.token_hex(8)}", secrets.token_bytes(32)
    try:
        name = default_storage.save(name, ContentFile(content))
        with default_storage.open(name) as file:
            same = file.read() == content
        default_storage.delete(name)
    except Exception as error:  # noqa: BLE001 - each storage library raises its own
        return Finding(
            Level.PROBLEM, f"Files cannot be stored: {error}", "Check STORAGE, S3_... or the rights on DATA_DIR."
        )
    if not same:
        return Finding(
            Level.PROBLEM, "The storage returns other bytes than it was given.", "Check the storage's server."
        )
    return Finding(Level.GOOD, f"Files can be written, read and removed ({settings.STORAGE}).")


def check_static_files() -> Finding:
    """Whether the pages' own files are those of this code."""
    if not settings.WEB or preparation.static_files_are_ready():
        return Finding(Level.GOOD, "The static files are up to date.")
    return Finding(
        Level.PROBLEM, "The static files are not those of this code.", "Start the product again (`make run`)."
    )


def check_kernels() -> Finding:
    """Whether the painting kernels are compiled, and run."""
    if not settings.WORKERS:
        return Finding(Level.GOOD, "This host does not paint: WORKERS=0.")
    if not preparation.kernels_are_ready():
        advice = "Run `manage.py compilekernels`, or start the product again (`make run`)."
        return Finding(Level.PROBLEM, "The painting kernels are not compiled for this code and processor.", advice)
    try:
        seconds = preparation.compile_kernels()
    except Exception as error:  # noqa: BLE001 - a compiler may fail in any way
        return Finding(Level.PROBLEM, f"The painting kernels do not run: {error}", "Remove the folder KERNEL_CACHE.")
    return Finding(Level.GOOD, f"The painting kernels are compiled, and loaded in {seconds:.1f} s.")


def check_workers() -> Finding:
    """Whether anybody paints."""
    try:
        names = [worker.name for worker in queue.workers()]
    except redis.RedisError:
        names = []
    if names:
        return Finding(Level.GOOD, f"{len(names)} workers are alive.")
    return Finding(Level.PROBLEM, "No worker is alive: nothing will be painted.", "Start the product (`make run`).")


def check_disk() -> Finding:
    """Whether there is room for more photos."""
    free = shutil.disk_usage(settings.DATA_DIR).free
    words = f"{free / GIGABYTE:.1f} GB are free in {settings.DATA_DIR}."
    if free < GIGABYTE:
        return Finding(Level.PROBLEM, words, "Make room, or move DATA_DIR to a larger disk.")
    if free < 5 * GIGABYTE:
        return Finding(Level.HINT, words, "That is some hundreds of photos: make room soon.")
    return Finding(Level.GOOD, words)


def _others_can_reach_it() -> bool:
    return not (_is_here(settings.HOST) and _is_here(urlsplit(settings.SITE_URL).hostname or ""))


def _is_here(host: str) -> bool:
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return host == "localhost" or host.endswith(".localhost")


CHECKS: tuple[Callable[[], Finding], ...] = (
    check_hosts,
    check_https,
    check_debug,
    check_sharing,
    check_mail,
    check_database,
    check_redis,
    check_storage,
    check_static_files,
    check_kernels,
    check_workers,
    check_disk,
)
