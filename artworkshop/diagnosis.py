"""What may be wrong with an installation, in words, and what to do about it: for the command and the page."""

import getpass
import ipaddress
import shutil
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from datetime import timedelta
from enum import Enum
from functools import reduce
from operator import or_
from urllib.parse import urlsplit

import redis
from django.conf import settings
from django.db import DatabaseError, connection, connections
from django.db.models import Q
from django.utils import timezone, translation
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from artworkshop import environment
from artworkshop.health import NotReady, try_storage
from artworkshop.standalone import CannotStart, preparation, valkey
from rendering import queue, styles, supervision
from rendering.models import Halt, Rendition, State

GIGABYTE = 1_000_000_000
PATIENCE = 5.0
"""Seconds that the page waits for all answers together."""
LOST = timedelta(minutes=1)
"""Work whose worker was not heard of for so long beyond its lease is looked after by nobody."""


class Level(Enum):
    """How bad it is."""

    GOOD = "good"
    HINT = "hint"
    PROBLEM = "problem"


@dataclass(frozen=True)
class Finding:
    """One answer: what was found, and what to do if it is not good; a command, or the name of a button (`desk`)."""

    level: Level
    words: str
    advice: str = ""
    command: str = ""
    mend: str = ""


Check = Callable[[], Finding]
DATABASE = "DATABASE_URL=postgres://user:password@host/name"


def examine() -> Iterator[Finding]:
    """Look at everything, one after the other."""
    for check in CHECKS:
        yield _tried(check)


def examine_at_once(checks: Sequence[Check] | None = None, *, patience: float = PATIENCE) -> list[Finding]:
    """Look at everything that is quick, in bounded time: each check in a thread, so that none holds up the others."""
    chosen, language, found = (PAGE_CHECKS if checks is None else checks), translation.get_language(), {}

    def look(check: Check) -> None:
        try:
            with translation.override(language):
                found[check] = _tried(check)
        finally:
            connections.close_all()

    threads = [threading.Thread(target=look, args=[check], daemon=True) for check in chosen]
    for thread in threads:
        thread.start()
    until = time.monotonic() + patience
    for thread in threads:
        thread.join(max(0.0, until - time.monotonic()))
    return [found.get(check) or _late(check) for check in chosen]


def check_hosts() -> Finding:
    """Whether the site answers to its own name alone."""
    if "*" not in settings.ALLOWED_HOSTS:
        names = ", ".join(settings.ALLOWED_HOSTS)
        return Finding(Level.GOOD, _("The site answers to %(names)s alone.") % {"names": names})
    if not _others_can_reach_it():
        return Finding(Level.GOOD, _("The site answers to every name, and only this machine can reach it."))
    advice = _("Set ALLOWED_HOSTS to the site's own names, such as photos.example.org.")
    command = f"ALLOWED_HOSTS={urlsplit(settings.SITE_URL).hostname}"
    return Finding(Level.PROBLEM, _("The site answers to every name."), advice, command=command)


def check_https() -> Finding:
    """Whether passwords travel encrypted."""
    if settings.HTTPS:
        return Finding(Level.GOOD, _("The site is reached by https."))
    if not _others_can_reach_it():
        return Finding(Level.GOOD, _("The site is reached by http, and only from this machine."))
    advice = _("Put a web server with https in front (docs/deploy.md), and set SITE_URL=https://... and PROXIES=1.")
    words = _("Passwords and photos travel unencrypted: the site is reached by http.")
    return Finding(Level.PROBLEM, words, advice, command="PROXIES=1 SITE_URL=https://photos.example.org")


def check_debug() -> Finding:
    """Whether errors stay inside."""
    if settings.DEBUG:
        words = _("DEBUG=yes shows settings and code to whoever meets an error.")
        return Finding(Level.PROBLEM, words, _("Set DEBUG=no."), command="DEBUG=no")
    return Finding(Level.GOOD, _("Errors show no code: DEBUG is off."))


def check_sharing() -> Finding:
    """Whether several hosts of one site would agree with each other."""
    if settings.EMBEDDED_VALKEY or environment.text("SECRET_KEY"):
        return Finding(Level.GOOD, _("All hosts of this site have the same secret key."))
    advice = _("Set the same SECRET_KEY on all; it is in the file secret-key of the first one's DATA_DIR.")
    words = _("This host has a secret key of its own: no other host may serve this site.")
    return Finding(Level.HINT, words, advice, command=f"SECRET_KEY=$(cat {settings.DATA_DIR}/secret-key)")


def check_mail() -> Finding:
    """Whether people can get a new password."""
    if settings.EMAIL_BACKEND.endswith("console.EmailBackend"):
        advice = _("Set EMAIL_BACKEND=django.core.mail.backends.smtp.EmailBackend, EMAIL_HOST and EMAIL_FROM.")
        words = _("Mail, such as for a new password, is only written into the log.")
        command = "EMAIL_BACKEND=django.core.mail.backends.smtp.EmailBackend EMAIL_HOST=mail.example.org"
        return Finding(Level.HINT, words, advice, command=command)
    return Finding(Level.GOOD, _("Mail is sent by %(host)s.") % {"host": settings.EMAIL_HOST})


def check_database() -> Finding:
    """Whether the database answers and has all tables."""
    try:
        preparation.wait_for_database(0)
        return check_tables()
    except (CannotStart, DatabaseError) as error:
        return Finding(Level.PROBLEM, str(error), _("Check DATABASE_URL, and that the database server runs."), DATABASE)


def check_tables() -> Finding:
    """Whether the database has all tables."""
    missing = preparation.pending_migrations()
    if missing:
        words = ngettext("The database lacks %(count)s migration.", "The database lacks %(count)s migrations.", missing)
        advice = _("Run `manage.py migrate`.")
        return Finding(Level.PROBLEM, words % {"count": missing}, advice, command="manage.py migrate")
    words = _("The database (%(kind)s) is reachable and up to date.") % {"kind": connection.vendor}
    return Finding(Level.GOOD, words)


def check_redis() -> Finding:
    """Whether the queue answers, and outlives its server."""
    try:
        with redis.Redis.from_url(settings.REDIS_URL, socket_connect_timeout=3, socket_timeout=3) as client:
            facts = {**client.info("persistence"), **client.info("memory")}
    except redis.RedisError as error:
        advice = (
            _("Start the product (`make run`).") if settings.EMBEDDED_VALKEY else _("Check REDIS_URL and its server.")
        )
        words = _("Redis at %(address)s cannot be used: %(error)s")
        words = words % {"address": valkey.public_address(), "error": error}
        command = "manage.py up" if settings.EMBEDDED_VALKEY else f"redis-cli -u {valkey.public_address()} PING"
        return Finding(Level.PROBLEM, words, advice, command=command)
    if facts.get("maxmemory_policy", "noeviction") != "noeviction":
        words = _("Redis may drop work when its memory is full.")
        command = "redis-cli CONFIG SET maxmemory-policy noeviction"
        return Finding(Level.PROBLEM, words, _("Set maxmemory-policy noeviction."), command=command)
    if not facts.get("aof_enabled"):
        advice = _(
            "Set appendonly yes there. No work is lost for good: the caretaker brings it back from the database."
        )
        words = _("Redis forgets the waiting work when it is restarted.")
        return Finding(Level.HINT, words, advice, command="redis-cli CONFIG SET appendonly yes")
    return Finding(Level.GOOD, _("The queue (Redis) is reachable, and outlives a restart."))


def check_storage() -> Finding:
    """Whether files can be written, read and removed."""
    try:
        try_storage()
    except NotReady:
        words = _("The storage returns other bytes than it was given.")
        return Finding(Level.PROBLEM, words, _("Check the storage's server."), command="manage.py sweep --dry-run")
    except Exception as error:  # noqa: BLE001 - each storage library raises its own
        words = _("Files cannot be stored: %(error)s") % {"error": error}
        advice = _("Check STORAGE, S3_... or the rights on DATA_DIR.")
        mended = f"chown -R {getpass.getuser()} {settings.DATA_DIR}"
        command = mended if settings.STORAGE == "files" else "S3_BUCKET=... S3_ACCESS_KEY=... S3_SECRET_KEY=..."
        return Finding(Level.PROBLEM, words, advice, command=command)
    return Finding(Level.GOOD, _("Files can be written, read and removed (%(where)s).") % {"where": settings.STORAGE})


def check_static_files() -> Finding:
    """Whether the pages' own files are those of this code."""
    if not settings.WEB or preparation.static_files_are_ready():
        return Finding(Level.GOOD, _("The static files are up to date."))
    words = _("The static files are not those of this code.")
    return Finding(Level.PROBLEM, words, _("Start the product again (`make run`)."), command="manage.py up")


def check_kernels() -> Finding:
    """Whether the painting kernels are compiled, and run."""
    found = check_compiled()
    if not settings.WORKERS or found.level != Level.GOOD:
        return found
    try:
        seconds = preparation.compile_kernels()
    except Exception as error:  # noqa: BLE001 - a compiler may fail in any way
        words = _("The painting kernels do not run: %(error)s") % {"error": error}
        command = f"rm -r {settings.KERNEL_CACHE}"
        return Finding(Level.PROBLEM, words, _("Remove the folder KERNEL_CACHE."), command=command)
    words = _("The painting kernels are compiled, and loaded in %(seconds)s s.") % {"seconds": f"{seconds:.1f}"}
    return Finding(Level.GOOD, words)


def check_compiled() -> Finding:
    """Whether the painting kernels are compiled; they are not tried."""
    if not settings.WORKERS:
        return Finding(Level.GOOD, _("This host does not paint: WORKERS=0."))
    if preparation.kernels_are_ready():
        return Finding(Level.GOOD, _("The painting kernels are compiled."))
    words = _("The painting kernels are not compiled for this code and processor.")
    advice = _("Run `manage.py compilekernels`, or start the product again (`make run`).")
    return Finding(Level.PROBLEM, words, advice, command="manage.py compilekernels")


def check_workers() -> Finding:
    """Whether anybody paints."""
    try:
        names = [worker.name for worker in queue.workers()]
    except redis.RedisError:
        names = []
    if names:
        words = ngettext("%(count)s worker is alive.", "%(count)s workers are alive.", len(names))
        return Finding(Level.GOOD, words % {"count": len(names)})
    words = _("No worker is alive: nothing will be painted.")
    return Finding(Level.PROBLEM, words, _("Start the product (`make run`)."), command="manage.py up")


def check_disk() -> Finding:
    """Whether there is room for more photos."""
    free = shutil.disk_usage(settings.DATA_DIR).free
    room = {"gigabytes": f"{free / GIGABYTE:.1f}", "folder": settings.DATA_DIR}
    words = _("%(gigabytes)s GB are free in %(folder)s.") % room
    if free < GIGABYTE:
        return Finding(Level.PROBLEM, words, _("Make room, or move DATA_DIR to a larger disk."), mend="tidy")
    if free < 5 * GIGABYTE:
        return Finding(Level.HINT, words, _("That is some hundreds of photos: make room soon."), mend="tidy")
    return Finding(Level.GOOD, words)


def check_halts() -> Finding:
    """Whether workers were told to rest."""
    halts = list(Halt.objects.order_by("since"))
    if not halts:
        return Finding(Level.GOOD, _("No worker was told to rest."))
    if any(not halt.worker for halt in halts):
        return Finding(Level.HINT, _("Painting is paused: all workers rest."), _("Let them go on."), mend="go_on")
    words = ngettext("%(count)s worker was told to rest.", "%(count)s workers were told to rest.", len(halts))
    return Finding(Level.HINT, words % {"count": len(halts)}, _("Let them go on."), mend="go_on")


def check_lost_work() -> Finding:
    """Whether somebody looks after work whose worker has died."""
    before = timezone.now() - LOST
    lost = sum(kind.objects.filter(state=State.WORKING, lease_until__lt=before).count() for kind in supervision.KINDS)
    if not lost:
        return Finding(Level.GOOD, _("No work was left behind."))
    words = ngettext(
        "%(count)s piece of work was left behind by a worker that died.",
        "%(count)s pieces of work were left behind by workers that died.",
        lost,
    )
    advice = _("The caretaker does not run. Start the product (`make run`), or bring the work back once.")
    return Finding(Level.PROBLEM, words % {"count": lost}, advice, command="manage.py tend", mend="revive")


def check_old_versions() -> Finding:
    """Whether paintings are kept that an earlier version of their style has made."""
    current = (Q(style=style.name, style_version=style.version) for style in styles.CATALOG)
    done = Rendition.objects.filter(state=State.DONE).exclude(reduce(or_, current))
    old = sorted(set(done.order_by().values_list("style", "style_version").distinct()))
    if not old:
        return Finding(Level.GOOD, _("All paintings are of the present versions of their styles."))
    style, version = old[0]
    words = _("Paintings of earlier versions of a style are kept: %(versions)s.")
    named = ", ".join(f"{style} {version}" for style, version in old)
    advice = _("They cannot be painted again as they are. To free their room, purge one version after the other.")
    command = f"manage.py purge --style {style} --style-version {version} --dry-run"
    return Finding(Level.HINT, words % {"versions": named}, advice, command=command)


def check_orphans() -> Finding:
    """Say how files are found that nobody knows; that takes too long for a page."""
    words = _("Files that no record knows, and records that have lost their files, are looked for by a command.")
    advice = _("Run it now and then: it only tells; without --dry-run it cleans up.")
    return Finding(Level.GOOD, words, advice, command="manage.py sweep --dry-run")


def _tried(check: Check) -> Finding:
    try:
        return check()
    except DatabaseError as error:
        words = _("The database cannot be asked: %(error)s") % {"error": str(error).partition("\n")[0]}
        return Finding(Level.PROBLEM, words, _("Check DATABASE_URL, and that the database server runs."), DATABASE)


def _late(check: Check) -> Finding:
    words = _("One of the checks did not answer in time: %(name)s.") % {"name": check.__name__.removeprefix("check_")}
    return Finding(
        Level.PROBLEM, words, _("Look into the log, and run `manage.py doctor`."), command="manage.py doctor"
    )


def _others_can_reach_it() -> bool:
    return not (_is_here(settings.HOST) and _is_here(urlsplit(settings.SITE_URL).hostname or ""))


def _is_here(host: str) -> bool:
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return host == "localhost" or host.endswith(".localhost")


_OUTSIDE: tuple[Check, ...] = (check_hosts, check_https, check_debug, check_sharing, check_mail)
_INSIDE: tuple[Check, ...] = (check_workers, check_halts, check_lost_work, check_disk, check_old_versions)
CHECKS: tuple[Check, ...] = (
    *_OUTSIDE,
    check_database,
    check_redis,
    check_storage,
    check_static_files,
    check_kernels,
    *_INSIDE,
)
# A web process must not compile, nor take the pool away from its own connections.
PAGE_CHECKS: tuple[Check, ...] = (
    *_OUTSIDE,
    check_tables,
    check_redis,
    check_storage,
    check_static_files,
    check_compiled,
    *_INSIDE,
    check_orphans,
)
