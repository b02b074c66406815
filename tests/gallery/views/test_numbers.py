"""Each number that a page of the desk shows is computed once more from the rows alone, and looked for on the page.

A section, a table or a column that is added to a page fails a test until its numbers are checked as well.
"""

import html
import re
import shutil
from collections.abc import Iterable
from datetime import datetime, timedelta

import pytest
from django.conf import settings
from django.template.defaultfilters import filesizeformat
from django.test import Client
from django.utils import timezone

from gallery.models import Artwork, Photo, Traffic, User
from gallery.templatetags.words import look_label
from rendering.models import Commission, Export, Found, Reason, Rendition, Source, State
from tests import makers
from tests.processes import Valkey

TODAY = timedelta(minutes=1)
STYLES = {"pencil": "Pencil sketch", "oil": "Oil painting"}


def words(markup: str) -> str:
    return " ".join(html.unescape(re.sub(r"<[^>]+>", " ", markup)).split())


def section(page: str, name: str) -> str:
    found = re.search(rf'<section [^>]*aria-labelledby="{name}".*?</section>', page, re.DOTALL)
    assert found
    return found[0]


def rows(markup: str) -> list[list[str]]:
    """Return the cells of the first table: without its head, and without what unfolds."""
    table = re.search(r"<table.*?</table>", markup, re.DOTALL)
    assert table
    body = re.sub(r'<p class="help">.*?</p>', "", table[0].partition("<tbody>")[2], flags=re.DOTALL)
    lines = re.findall(r"<tr>(.*?)</tr>", body, re.DOTALL)
    return [[words(cell) for cell in re.findall(r"<t[hd][^>]*>(.*?)</t[hd]>", line, re.DOTALL)] for line in lines]


def figures(markup: str) -> dict[str, str]:
    return {
        words(label): words(value) for label, value in re.findall(r"<dt>(.*?)</dt>\s*<dd>(.*?)</dd>", markup, re.DOTALL)
    }


def seconds(text: str) -> float:
    """Return what a text such as `1 min 5 s` says."""
    worth = {"ms": 0.001, "s": 1.0, "min": 60.0, "h": 3600.0}
    return sum(float(number) * worth[unit] for number, unit in re.findall(r"([\d.]+) (ms|min|s|h)\b", text))


def middle(values: Iterable[float], share: float) -> float:
    """Return the value that so many of a hundred do not exceed."""
    ordered = sorted(values)
    return ordered[max(0, -(-round(share * len(ordered) * 100) // 100) - 1)]


@pytest.fixture
def work(alice: User, bob: User, valkey: Valkey) -> datetime:
    """Have two people's work in every state, of the last minutes; return the time."""
    now = timezone.now()
    at = now - TODAY
    for place, owner in enumerate((alice, alice, alice, bob)):
        source = makers.source(
            finished_at=at, cpu_seconds=0.5 + place, holder=f"turn-{place}", lane=owner.lane, waiting_since=at
        )
        photo = makers.photo(owner, title=f"Photo {place}", of=source, created_at=at)
        for style in STYLES:
            made = makers.artwork(photo, style=style, created_at=at)
            _painted(made, now=now, place=place, lane=owner.lane)
    first = Artwork.objects.earliest("pk")
    later = at + timedelta(seconds=1)
    hers = makers.photo(bob, of=first.photo.source, created_at=later)
    Artwork.objects.create(
        photo=hers, commission=first.commission, style="pencil", look="studio", created_at=later, same_file=True
    )
    same = Artwork.objects.filter(photo__owner=bob, style="oil").get()
    Commission.objects.filter(pk=same.commission_id).update(found=Found.SAME_PICTURE)
    _unfinished(alice, at)
    Traffic.objects.create(
        hour=now.replace(minute=0, second=0, microsecond=0), pages=3, naive_bytes=9_000_000, sent_bytes=400_000
    )
    return now


def _painted(made: Artwork, *, now: datetime, place: int, lane: str) -> None:
    started = now - TODAY - timedelta(seconds=2 * place + 1)
    facts = {"started_at": started, "waiting_since": started - timedelta(seconds=10 * (place + 1)), "lane": lane}
    did = {"finished_at": now - TODAY, "cpu_seconds": 0.2 * (place + 1), "holder": f"turn-{place}"}
    Rendition.objects.filter(commissions=made.commission).update(**facts, **did)


def _unfinished(owner: User, at: datetime) -> None:
    ended = {"finished_at": at, "lane": owner.lane}
    makers.photo(owner, of=makers.source(state=State.WAITING, lane=owner.lane, waiting_since=at), created_at=at)
    makers.photo(
        owner, of=makers.source(state=State.FAILED, reason=Reason.DAMAGED, waiting_since=at, **ended), created_at=at
    )
    waiting = makers.rendition(state=State.WAITING, lane=owner.lane, waiting_since=at)
    makers.rendition(state=State.WORKING, lane=owner.lane, worker="easel-1", started_at=at)
    makers.rendition(state=State.FAILED, reason=Reason.CRASHED, finished_at=at, lane=owner.lane)
    facts = {"format": "png", "intensity": 100, "used_at": at, "waiting_since": at, "lane": owner.lane}
    Export.objects.create(rendition=waiting, state=State.WAITING, **facts)
    failed = {"state": State.FAILED, "reason": Reason.STORAGE, "finished_at": at, "size": 0}
    Export.objects.create(rendition=makers.rendition(), **{**facts, **failed})
    Rendition.objects.filter(exports__state=State.FAILED).update(finished_at=at - timedelta(days=400))


@pytest.fixture
def page(work: datetime, as_admin: Client) -> str:
    return as_admin.get("/staff/").content.decode()


def done() -> list[Rendition]:
    """Return what was painted in the period."""
    since = timezone.now() - timedelta(hours=23)
    return list(Rendition.objects.filter(state=State.DONE, finished_at__gte=since))


def test_every_section_of_the_dashboard_is_checked_here(page: str):
    sections = re.findall(r'<section [^>]*aria-labelledby="([\w-]+)"', page)

    assert sections == ["finished", "times", "queue", "painters", "failures", "fall", "hits", "room", "most"]


def test_figures_at_the_top(page: str):
    unfinished = {
        state: sum(kind.objects.filter(state=state).count() for kind in (Source, Rendition, Export))
        for state in (State.WAITING, State.WORKING)
    }

    assert figures(section(page, "finished")) == {
        "Photos read": str(
            Source.objects.filter(state=State.DONE, finished_at__gte=timezone.now() - timedelta(hours=23)).count()
        ),
        "Painted": str(len(done())),
        "Waiting": str(unfinished[State.WAITING]),
        "In work": str(unfinished[State.WORKING]),
        "People": str(User.objects.count()),
        "Photos": str(Photo.objects.count()),
        "Paintings": str(Artwork.objects.count()),
    }


def test_numbers_of_the_chart(page: str):
    lines = rows(section(page, "finished"))

    counted = [[int(line[1]), float(line[2]), int(line[3]), float(line[4])] for line in lines]
    assert len(lines) == 24
    assert [sum(column) for column in zip(*counted, strict=True)] == [4, 4, len(done()), len(done())]
    highest = max(max(line[1], line[3]) for line in counted)
    assert f"highest: {highest:g} an hour" in words(section(page, "finished"))


def test_waiting_and_painting_by_style(page: str):
    lines = {line[0]: line[1:] for line in rows(section(page, "times"))}

    assert set(lines) == set(STYLES.values())
    for style, label in STYLES.items():
        painted = [each for each in done() if each.style == style]
        waited = [(each.started_at - each.waiting_since).total_seconds() for each in painted if each.started_at]
        took = [
            (each.finished_at - each.started_at).total_seconds()
            for each in painted
            if each.started_at and each.finished_at
        ]
        expected = [middle(values, share) for values in (waited, took) for share in (0.5, 0.95, 0.99)]
        assert lines[label][0] == str(len(painted))
        assert [seconds(text) for text in lines[label][1:]] == pytest.approx(expected, rel=0.08)


def test_who_waits(page: str, alice: User):
    mine = {"lane": alice.lane}
    waiting = [kind.objects.filter(**mine, state=State.WAITING).count() for kind in (Source, Rendition, Export)]
    working = Rendition.objects.filter(**mine, state=State.WORKING).count()

    [line] = rows(section(page, "queue"))

    assert line[:5] == ["alice", *map(str, waiting), str(working)]
    assert line[5].replace("\xa0", " ") == "1 minute"


def test_what_failed(page: str):
    counts = {
        Reason.DAMAGED: ["1", "0", "0"],
        Reason.CRASHED: ["0", "1", "0"],
        Reason.STORAGE: ["0", "0", "1"],
    }
    kinds = (Source, Rendition, Export)

    lines = {line[0]: line[1:] for line in rows(section(page, "failures"))}

    assert lines == {str(reason.label): figures for reason, figures in counts.items()}
    for reason, shown in counts.items():
        assert shown == [str(kind.objects.filter(state=State.FAILED, reason=reason).count()) for kind in kinds]


def test_what_was_spent_and_what_the_techniques_saved(page: str):
    lines = {line[0]: line[1:] for line in rows(section(page, "fall"))}
    own = Artwork.objects.filter(same_file=False).exclude(commission__found=Found.SAME_PICTURE)
    painted = Rendition.objects.filter(commissions__artworks__in=own, state=State.DONE)
    read = Source.objects.filter(state=State.DONE)
    paid = sum(each.cpu_seconds for each in (*painted, *read))
    # Files of photos that wait or have failed are kept as well.
    kept = sum(each.stored_bytes for each in painted) + sum(
        each.size + each.stored_bytes for each in Source.objects.all()
    )
    shared = Artwork.objects.get(same_file=True)
    again = sum(each.cpu_seconds for each in Rendition.objects.filter(commissions__found=Found.SAME_PICTURE))
    assert shared.rendition
    cached = shared.rendition.cpu_seconds + shared.photo.source.cpu_seconds + again
    falls = [name for name in lines if name.startswith("Saved: ")]
    [traffic] = Traffic.objects.all()

    assert seconds(lines["Spent"][1]) == pytest.approx(paid, rel=0.02)
    assert lines["Spent"][2] == filesizeformat(kept).replace("\xa0", " ")
    assert seconds(lines["Saved: Cache"][1]) == pytest.approx(cached, rel=0.03)
    lazy = lines["Saved: Pages that load what is looked at"][2]
    assert lazy == filesizeformat(traffic.naive_bytes - traffic.sent_bytes).replace("\xa0", " ")
    whole = seconds(lines["Spent"][1]) + sum(seconds(lines[name][1]) for name in falls)
    assert seconds(lines["Done naively"][1]) == pytest.approx(whole, rel=0.05)
    prices = [float(line[3].split()[0]) for line in lines.values()]
    assert prices[0] == pytest.approx(sum(prices[1:]), abs=0.0003)
    assert len(falls) == 5


def test_how_paintings_were_got(page: str):
    [same_file, same_picture, painted] = [
        Artwork.objects.filter(same_file=True).count(),
        Artwork.objects.filter(commission__found=Found.SAME_PICTURE).count(),
        len(done()) - 1,
    ]

    lines = {line[0]: line[1:] for line in rows(section(page, "hits"))}

    assert {name: line[:2] for name, line in lines.items()} == {
        "painted": ["shared", str(painted)],
        "same file": ["shared", str(same_file)],
        "same picture": ["shared", str(same_picture)],
    }
    again = Rendition.objects.get(commissions__found=Found.SAME_PICTURE).cpu_seconds
    assert lines["painted"][2] == ""
    assert seconds(lines["same picture"][2]) == pytest.approx(again, rel=0.05)


def test_room(page: str, alice: User, bob: User):
    shown = section(page, "room")
    sources, renditions = Source.objects.all(), Rendition.objects.all()
    sizes = {
        "Original files": sum(each.size for each in sources),
        "Pages of photos": sum(each.stored_bytes for each in sources),
        "Paintings": sum(each.stored_bytes for each in renditions),
        "Saved files": sum(each.size for each in Export.objects.all()),
    }
    kept = {
        owner.username: [
            photo.source.size + photo.source.stored_bytes for photo in owner.photos.select_related("source")
        ]
        for owner in (alice, bob)
    }

    told = figures(shown)

    free = told.pop("Free on the disk")
    assert told == {name: plain(filesizeformat(size)) for name, size in sizes.items()}
    assert free.split()[1] == plain(filesizeformat(shutil.disk_usage(settings.DATA_DIR).free)).split()[1]
    assert [[line[0], *line[2:]] for line in rows(shown)] == [
        [name, str(len(each)), plain(filesizeformat(sum(each)))]
        for name, each in sorted(kept.items(), key=lambda pair: -sum(pair[1]))
    ]


def test_who_asked_for_most(page: str, alice: User, bob: User):
    for line, owner in zip(rows(section(page, "most")), (alice, bob), strict=True):
        asked = Artwork.objects.filter(photo__owner=owner)
        own = asked.filter(same_file=False).exclude(commission__found=Found.SAME_PICTURE)
        spent = sum(each.cpu_seconds for each in Rendition.objects.filter(commissions__artworks__in=own))
        assert (line[0], line[2]) == (owner.username, str(asked.count()))
        assert seconds(line[3]) == pytest.approx(spent, rel=0.05)


def test_numbers_of_the_savings(work: datetime, as_admin: Client, bob: User):
    page = as_admin.get("/staff/savings/").content.decode()
    tables = [rows(table) for table in re.findall(r"<table.*?</table>", page, re.DOTALL)]
    techniques, steps, days, savers, models = tables
    named = {line[0]: line[1:] for line in techniques}
    shared = Artwork.objects.get(same_file=True)
    again = Rendition.objects.get(commissions__found=Found.SAME_PICTURE)
    assert shared.rendition
    own = Artwork.objects.filter(same_file=False).exclude(commission__found=Found.SAME_PICTURE)
    painted = sum(each.cpu_seconds for each in Rendition.objects.filter(commissions__artworks__in=own))
    read = sum(each.cpu_seconds for each in Source.objects.filter(state=State.DONE))
    by_file = shared.rendition.cpu_seconds + shared.photo.source.cpu_seconds

    assert len(named) == 6
    for period in range(3):
        assert seconds(named["Spent on reading and painting"][period].partition(" s ")[0] + " s") == pytest.approx(
            painted + read, rel=0.03
        )
        assert seconds(named["Saved: Same file"][period].partition(" s ")[0] + " s") == pytest.approx(by_file, rel=0.05)
        assert seconds(named["Saved: Same picture"][period].partition(" s ")[0] + " s") == pytest.approx(
            again.cpu_seconds, rel=0.05
        )
    assert sorted([line[0], line[2]] for line in steps) == [
        ["painted", str(own.count())],
        ["same file", "1"],
        ["same picture", "1"],
    ]
    assert days[0][1] == str(own.count())
    assert seconds(days[0][2]) == pytest.approx(painted + read, rel=0.03)
    assert (days[0][3], len(days)) == ("2", 30)
    assert [line[:2] for line in savers] == [[bob.username, "2"]]
    assert seconds(savers[0][2]) == pytest.approx(by_file + again.cpu_seconds, rel=0.05)
    oil = Rendition.objects.filter(style="oil", cpu_seconds__gt=0, recipe=again.recipe).count()
    assert {line[0]: line[3] for line in models}[f"Oil painting, {look_label('studio')}"] == str(oil)


def test_numbers_of_the_people(work: datetime, as_admin: Client, alice: User, bob: User):
    page = as_admin.get("/staff/people/").content.decode()

    lines = {line[0].split()[0]: line[2:6] for line in rows(page)}

    for owner in (alice, bob):
        sources = [photo.source for photo in owner.photos.select_related("source")]
        files = sum(each.size for each in sources)
        told = lines[owner.username]
        assert told[:2] == [str(len(sources)), str(Artwork.objects.filter(photo__owner=owner).count())]
        assert told[2] == plain(filesizeformat(files + sum(each.stored_bytes for each in sources)))
        assert told[3].startswith(f"{files / 1e6:.1f} MB of")
        own = figures(as_admin.get(f"/staff/people/{owner.pk}/").content.decode())
        assert (own["Photos"], own["Paintings"]) == (told[0], told[1])
        painted = {each.commission.rendition for each in Artwork.objects.filter(photo__owner=owner)}
        shown = sum(each.size + each.stored_bytes for each in sources) + sum(
            each.stored_bytes for each in painted if each
        )
        assert own["Storage"] == plain(filesizeformat(shown))


@pytest.mark.django_db(transaction=True)
def test_numbers_of_the_doctor(work: datetime, as_admin: Client):
    Rendition.objects.filter(state=State.WORKING).update(lease_until=work - timedelta(minutes=5))

    page = words(as_admin.get("/staff/doctor/").content.decode())

    lost = Rendition.objects.filter(state=State.WORKING).count()
    assert f"{lost} piece of work was left behind by a worker that died." in page
    free = shutil.disk_usage(settings.DATA_DIR).free / 1e9
    [told] = re.findall(r"([\d.]+) GB are free", page)
    assert float(told) == pytest.approx(free, abs=0.5)


def plain(text: str) -> str:
    return text.replace("\xa0", " ")
