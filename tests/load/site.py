"""The whole product under a bench: started as an admin starts it, and seen from outside: rows, CPU, memory."""

import os
import shutil
import sqlite3
import tempfile
from collections.abc import Iterator, Mapping
from contextlib import closing, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from tests.e2e.product import Product, product
from tests.load.visitor import Visitor
from tests.processes import manage, processes, wait_until

TICKS = os.sysconf("SC_CLK_TCK")
PAGE = os.sysconf("SC_PAGE_SIZE")
# Each kind of process by what its command line has.
KINDS = {"worker": "manage.py work", "web": "uvicorn", "caretaker": "manage.py tend", "valkey": "valkey-server"}
UNLIMITED = """
from gallery.models import Allowance, User
for person in User.objects.all():
    Allowance.objects.update_or_create(person=person, defaults={"unlimited": True})
"""


@dataclass(frozen=True)
class Site:
    """The product as it runs."""

    product: Product
    supervisor: int

    @property
    def address(self) -> str:
        """Where people reach it."""
        return self.product.address

    def rows(self, query: str, *values: object) -> list[tuple[Any, ...]]:  # Any: whatever the columns are
        """Return what the database holds."""
        file = self.product.folder / "artworkshop.sqlite3"
        with closing(sqlite3.connect(f"file:{file}?mode=ro", uri=True, timeout=20)) as database:
            return database.execute(query, values).fetchall()

    def number(self, query: str, *values: object) -> float:
        """Return the one number that a query gives; nothing counts as 0."""
        return float(self.rows(query, *values)[0][0] or 0)

    def command(self, *words: str) -> str:
        """Run a management command on this site and return what it said; raise RuntimeError if it failed."""
        running = manage(*words, environment=self.product.environment)
        if running.run.wait(180) != 0:
            raise RuntimeError(running.said)
        return running.said

    def let_everything(self) -> None:
        """Lift all limits of all people: what is measured is the machine."""
        self.command("shell", "-c", UNLIMITED)

    def processes(self, kind: str) -> list[int]:
        """Return the product's own processes of a kind: worker, web, caretaker or valkey."""
        own = [pid for pid, parent, state in processes() if parent == self.supervisor and state != "Z"]
        return [pid for pid in own if KINDS[kind] in command_line(pid)]

    def cpu_seconds(self, kind: str) -> float:
        """Return the CPU seconds of all processes of a kind, with all that they have forked."""
        table = [(pid, parent) for pid, parent, _ in processes()]
        return sum(_cpu_seconds(pid, table) for pid in self.processes(kind))

    def visitor(self, name: str) -> Visitor:
        """Return a person who has just signed up."""
        person = Visitor(self.address, name)
        person.sign_up()
        return person


@contextmanager
def running(*, workers: int, environment: Mapping[str, str] | None = None) -> Iterator[Site]:
    """Run the product in a folder of its own until it is left; the workers are ready."""
    folder = Path(tempfile.mkdtemp(prefix="bench-"))
    try:
        with product(folder / "var", workers=workers, more=environment) as started:
            site = Site(started, _supervisor(started))
            wait_until(lambda: len(site.processes("worker")) == workers, seconds=60)
            yield site
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def memory(pid: int) -> int:
    """Return the bytes of memory that a process holds now; 0 if it is gone."""
    try:
        return int(Path(f"/proc/{pid}/statm").read_text().split()[1]) * PAGE
    except OSError:
        return 0


def command_line(pid: int) -> str:
    """Return how a process was started; empty if it is gone."""
    try:
        return Path(f"/proc/{pid}/cmdline").read_bytes().replace(b"\0", b" ").decode(errors="replace")
    except OSError:
        return ""


def machine() -> str:
    """Return the processor's name and how many cores this process may use."""
    lines = Path("/proc/cpuinfo").read_text().splitlines()
    name = next((line.partition(":")[2].strip() for line in lines if line.startswith("model name")), "unknown")
    return f"{name}, {len(os.sched_getaffinity(0))} cores"


def _supervisor(started: Product) -> int:
    mine = [pid for pid, parent, _ in processes() if parent == os.getpid()]
    folder = f"DATA_DIR={started.folder}".encode()
    return next(pid for pid in mine if folder in Path(f"/proc/{pid}/environ").read_bytes().split(b"\0"))


def _cpu_seconds(pid: int, table: list[tuple[int, int]]) -> float:
    try:
        words = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    except OSError:
        return 0.0
    own = sum(map(int, words[11:15])) / TICKS  # its own, and that of the children which it has waited for
    return own + sum(_cpu_seconds(child, table) for child, parent in table if parent == pid)
