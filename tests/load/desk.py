"""Prints what the desk's pages cost with 100,000 renditions: milliseconds of a request, CPU time, and its queries.

Usage: python -m tests.load.desk [--json] [--renditions 100000]; on PostgreSQL with DATABASE_URL of an empty database,
or with --postgresql, which starts one if it is installed. The table can be copied into docs/benchmarks.md.
"""

import argparse
import json
import os
import statistics
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import asdict, dataclass
from datetime import datetime, timedelta
from pathlib import Path
from random import Random
from typing import Any

from django.conf import settings
from django.core.management import call_command
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from gallery import stretches
from gallery.models import Artwork, Photo, User
from rendering import recipes
from rendering.models import Commission, Reason, Rendition, Source, State
from rendering.stats import Span
from tests import makers
from tests.processes import postgresql, postgresql_programs

HEAD = """On {database}, {cores} cores, load {load:.1f} at the beginning; milliseconds:

| page | half of the requests | the slowest | CPU | CPU of PostgreSQL | queries |
|---|---|---|---|---|---|
"""
STYLES = ("pencil", "color-pencil", "oil", "watercolor")
ROUNDS = 5
BOUND = 300.0
BATCH = 2000
DONE = 0.9


@dataclass(frozen=True)
class Line:
    """One page: the median and the worst of some requests in milliseconds, CPU time, the database's, and queries."""

    page: str
    median: float
    worst: float
    cpu: float
    database: float
    queries: int
    bound: float

    @property
    def held(self) -> bool:
        """Whether the median is within its bound."""
        return self.median <= self.bound


def crowd(count: int) -> list[User]:
    """Return so many people."""
    return User.objects.bulk_create(User(username=f"person {number}") for number in range(count))


def fill(count: int, *, people: Sequence[User], when: Callable[[float], datetime] | None = None) -> None:
    """Fill the tables with so many renditions, four of each photo, over half a year; nine of ten are done.

    `when` says at what share of them (0 to 1) it was what time, if they did not come evenly.
    """
    chance, now = Random(1), timezone.now()  # noqa: S311 - the same tables each time, no secret
    moment = when or (lambda share: now - timedelta(days=180) * (1 - share))
    for first in range(0, count // len(STYLES), BATCH):
        numbers = range(first, min(first + BATCH, count // len(STYLES)))
        photos = [_photo(number, people, moment(len(STYLES) * number / count)) for number in numbers]
        Source.objects.bulk_create([photo.source for photo in photos])
        Photo.objects.bulk_create(photos)
        made = [(photo, style, _rendition(photo, style, chance)) for photo in photos for style in STYLES]
        Rendition.objects.bulk_create([rendition for _, _, rendition in made])
        asked = [_commission(photo, rendition) for photo, _, rendition in made]
        Commission.objects.bulk_create(asked)
        Artwork.objects.bulk_create(
            Artwork(photo=photo, commission=commission, style=style, look="studio", created_at=photo.created_at)
            for (photo, style, _), commission in zip(made, asked, strict=True)
        )


def lately(now: datetime) -> Callable[[float], datetime]:
    """Return moments that become denser towards now, by day rather than by night, as on a site that is liked."""
    chance = Random(2)  # noqa: S311 - the same days each time, no secret

    def moment(share: float) -> datetime:
        day = now - timedelta(days=180 * (1 - share) ** 3)
        awake = day.replace(hour=min(22, max(7, round(chance.gauss(16, 4)))), minute=chance.randrange(60))
        return awake if awake < now else day

    return moment


def pages() -> dict[str, str]:
    """Return the addresses of the desk, each with what it is hard at."""
    middle = Rendition.objects.order_by("pk").values_list("pk", flat=True)[Rendition.objects.count() // 2]
    person = User.objects.order_by("pk").values_list("pk", flat=True)[0]
    rare = "/staff/jobs/?state=failed&reason=too_slow&style=oil"
    return {
        "newest": "/staff/jobs/",
        "the middle": f"/staff/jobs/?before={middle}",
        "a person": "/staff/jobs/?person=alice",
        "a person's title": "/staff/jobs/?person=alice&title=photo+1",
        "a title that many have": "/staff/jobs/?title=photo",
        "a title that nobody has": "/staff/jobs/?title=zebra",
        "a title that is on old photos alone": "/staff/jobs/?title=photo+3",
        "a state": "/staff/jobs/?state=failed",
        "a reason that nothing has": rare,
        "a long time ago": "/staff/jobs/?until=2020-01-01T00:00",
        "one job": f"/staff/jobs/{middle}/",
        "confirmation": "/staff/jobs/act/?action=cancel",
        "confirmation of a title": "/staff/jobs/act/?action=retry&title=photo",
        "readings": "/staff/jobs/?kind=reading",
        "readings that failed": "/staff/jobs/?kind=reading&state=failed",
        "readings of a title": "/staff/jobs/?kind=reading&title=photo+1",
        "readings of a style": "/staff/jobs/?kind=reading&style=oil&state=failed",
        "confirmation of readings": "/staff/jobs/act/?action=retry&kind=reading&title=photo",
        "files": "/staff/jobs/?kind=saving",
        "audit log": "/staff/audit/",
        "people": "/staff/people/",
        "people of a name": "/staff/people/?q=person",
        "a person's page": f"/staff/people/{person}/",
        "savings": "/staff/savings/",
        **{f"dashboard, {span.value}": f"/staff/?span={span.value}" for span in Span},
        "all figures": "/staff/figures.csv?span=180d",
    }


def tend() -> None:
    """Keep the sums of what is over, as the caretaker does within minutes."""
    while stretches.keep(now=timezone.now()):
        pass


def measure(count: int) -> Iterator[Line]:
    """Fill the tables, have them tended, then ask for every page."""
    fill(count, people=[makers.person("alice"), *crowd(99)])
    tend()
    if connection.vendor == "postgresql":
        with connection.cursor() as cursor:
            cursor.execute("ANALYZE")  # as it does by itself a minute after so many rows
    browser = makers.browser(makers.person("ada", is_staff=True, is_superuser=True))
    for name, address in pages().items():
        yield _measured(browser, name, address)


def _measured(browser: Client, name: str, address: str) -> Line:
    took, spent, queries = [], [], 0
    browser.get(address)  # what is loaded once, such as templates, is no page's cost
    before = _database_seconds()
    for _ in range(ROUNDS):
        with CaptureQueriesContext(connection) as asked:
            began, clock = time.perf_counter(), time.process_time()
            _read(browser.get(address))
            took.append(1000 * (time.perf_counter() - began))
            spent.append(1000 * (time.process_time() - clock))
        queries = len(asked)
    database = 1000 * (_database_seconds() - before) / ROUNDS
    median, cpu = round(statistics.median(took), 1), round(statistics.median(spent), 1)
    return Line(name, median, round(max(took), 1), cpu, round(database, 1), queries, BOUND)


def _database_seconds() -> float:
    """Return the CPU seconds of this connection's PostgreSQL process, if it runs here; SQLite is in our own."""
    if connection.vendor != "postgresql":
        return 0.0
    place = Path(f"/proc/{connection.connection.info.backend_pid}/stat")
    fields = place.read_text().rpartition(")")[2].split() if place.exists() else ["0"] * 13
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


def _read(answer: Any) -> None:  # Any: a test client's answer
    for _ in answer.streaming_content if answer.streaming else ():
        pass


def main() -> None:
    """Print the table; fail if a bound is broken."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--json", action="store_true")
    parser.add_argument("--postgresql", action="store_true")
    parser.add_argument("--renditions", type=int, default=100_000)
    options = parser.parse_args()
    if options.postgresql:
        sys.exit(_on_postgresql([word for word in sys.argv[1:] if word != "--postgresql"]))
    Path(settings.STATIC_ROOT).mkdir(parents=True, exist_ok=True)
    call_command("migrate", verbosity=0)
    if not options.json:
        sys.stdout.write(HEAD.format(database=connection.vendor, cores=os.cpu_count(), load=os.getloadavg()[0]))
    lines = [_told(line, as_json=options.json) for line in measure(options.renditions)]
    sys.exit(not all(line.held for line in lines))


def _on_postgresql(words: Sequence[str]) -> int:
    programs = postgresql_programs()
    if programs is None:
        sys.stderr.write("No PostgreSQL server is installed (on Debian: apt-get install postgresql).\n")
        return 2
    with postgresql(programs) as address:
        # Another process: settings are read when a program starts.
        command = [sys.executable, "-m", "tests.load.desk", *words]
        return subprocess.run(command, env={**os.environ, "DATABASE_URL": address}, check=False).returncode


def _told(line: Line, *, as_json: bool) -> Line:
    cells = (line.page, line.median, line.worst, line.cpu, line.database, line.queries)
    text = "| " + " | ".join(f"{cell:g}" if isinstance(cell, float) else str(cell) for cell in cells) + " |"
    sys.stdout.write((json.dumps(asdict(line)) if as_json else text) + "\n")
    sys.stdout.flush()
    return line


def _photo(number: int, people: Sequence[User], at: datetime) -> Photo:
    facts = {"bytes_key": f"{number:064x}", "original": "originals/none.jpg", "size": 3_000_000, "format": "jpeg"}
    read = {"canvas_key": f"{number:064x}", "phash": f"{number:064x}", "folder": f"photos/{number}"}
    sized = {"width": 4000, "height": 3000, "canvas_width": 1600, "canvas_height": 1200, "stored_bytes": 400_000}
    owner = people[number % len(people)]
    moments = {"waiting_since": at, "started_at": at, "finished_at": at}
    source = Source(
        **facts, **read, **sized, **moments, state=State.DONE, lane=owner.lane, holder=f"{number // 8:036d}"
    )
    return Photo(owner=owner, source=source, title=f"Photo {number}", created_at=at)


def _rendition(photo: Photo, style: str, chance: Random) -> Rendition:
    recipe = recipes.compose(style, look="studio", long_edge=settings.LONG_EDGE)
    asked = {"recipe": recipe.text, "recipe_digest": recipe.digest, "style": style, "style_version": recipe.version}
    begun = photo.created_at + timedelta(seconds=chance.expovariate(1 / 20))
    source = photo.source
    common = {"canvas_key": source.canvas_key, "lane": source.lane, "waiting_since": photo.created_at}
    if chance.random() > DONE:
        state = chance.choice([State.FAILED, State.FAILED, State.CANCELLED, State.WAITING])
        reason = Reason.CRASHED if state == State.FAILED else ""
        return Rendition(**asked, **common, state=state, reason=reason, finished_at=begun)
    done = {"state": State.DONE, "folder": "renditions/none", "width": 1600, "height": 1200, "stored_bytes": 600_000}
    moments = {"started_at": begun, "finished_at": begun + timedelta(seconds=chance.expovariate(2))}
    did = {"holder": source.holder, "worker": "easel-1", "cpu_seconds": chance.uniform(0.1, 0.4)}
    return Rendition(**asked, **common, **done, **moments, **did)


def _commission(photo: Photo, rendition: Rendition) -> Commission:
    asked = {"recipe": rendition.recipe, "recipe_digest": rendition.recipe_digest, "created_at": photo.created_at}
    return Commission(source=photo.source, rendition=rendition, lane=photo.owner.lane, **asked)


if __name__ == "__main__":
    main()
