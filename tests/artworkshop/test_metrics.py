"""Figures for Prometheus: for those alone who may see them, each as its rows say, quick, and named as in deploy/."""

import json
import re
import secrets
import shutil
import subprocess
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from django.conf import settings as site
from django.test import Client
from django.utils import timezone
from prometheus_client.parser import text_string_to_metric_families
from pytest_django import Settings

from artworkshop import metrics
from artworkshop.tallies import Buckets, Ended, Steps, Tallies
from gallery.models import User
from rendering import turns
from rendering.models import Commission, Found, Priority, Reason, Rendition, State
from tests import makers
from tests.copies import copies
from tests.makers import NOON
from tests.processes import ROOT, Valkey
from tests.rendering import makers as painters
from tests.stopwatch import quickest

BEGIN = NOON - timedelta(hours=1)
TOKEN = "a token of enough characters"

Figures = dict[tuple[str, tuple[tuple[str, str], ...]], float]


@pytest.fixture(autouse=True)
def fresh(monkeypatch: pytest.MonkeyPatch) -> Tallies:
    """Count from before the first row, and give nothing a second time."""
    tallies = Tallies(since=BEGIN, after=0)
    monkeypatch.setattr("artworkshop.metrics.tallies", tallies)
    monkeypatch.setattr("artworkshop.tallies.FRESH", -1)
    monkeypatch.setattr("artworkshop.tallies.STORED_FRESH", -1)
    return tallies


def scraped() -> Figures:
    """Return every figure of a scrape by its name and labels."""
    text = metrics.scrape("", parts=dict).content.decode()
    samples = (sample for family in text_string_to_metric_families(text) for sample in family.samples)
    return {(sample.name, tuple(sorted(sample.labels.items()))): sample.value for sample in samples}


def figure(figures: Figures, name: str, **labels: str) -> float:
    """Return one figure."""
    return figures[name, tuple(sorted(labels.items()))]


@pytest.mark.parametrize(
    ("mode", "address", "headers", "status"),
    [
        ("off", "127.0.0.1", {"authorization": f"Bearer {TOKEN}"}, 404),
        ("token", "127.0.0.1", {}, 401),
        ("token", "127.0.0.1", {"authorization": "Bearer "}, 401),
        ("token", "127.0.0.1", {"authorization": f"Basic {TOKEN}"}, 401),
        ("token", "203.0.113.9", {"authorization": f"Bearer {TOKEN}"}, 200),
        ("open", "127.0.0.1", {}, 200),
        ("open", "::1", {}, 200),
        ("open", "192.168.1.7", {}, 200),
        ("open", "203.0.113.9", {}, 404),
        ("open", "::ffff:203.0.113.9", {}, 404),
        ("open", "::ffff:10.0.0.9", {}, 200),
        ("open", "", {}, 404),
        ("open", "127.0.0.1", {"x-forwarded-for": "203.0.113.9"}, 404),
        ("open", "127.0.0.1", {"forwarded": "for=203.0.113.9"}, 404),
    ],
)
@pytest.mark.django_db(transaction=True)
def test_figures_are_for_those_who_may_see_them(
    settings: Settings, valkey: Valkey, mode: str, address: str, headers: dict[str, str], status: int
) -> None:
    settings.METRICS, settings.METRICS_TOKEN = mode, TOKEN

    answer = Client(REMOTE_ADDR=address, headers=headers).get("/metrics")

    assert answer.status_code == status
    assert (b"artworkshop_ready{" in answer.content) == (status == 200)


def test_figures_are_for_nobody_unless_the_site_says_so() -> None:
    assert (site.METRICS, Client().get("/metrics").status_code) == ("off", 404)


def test_empty_token_opens_nothing(settings: Settings) -> None:
    settings.METRICS, settings.METRICS_TOKEN = "token", ""

    assert Client(headers={"authorization": "Bearer "}).get("/metrics").status_code == 401


@pytest.mark.django_db
def test_requests_are_counted_by_address_and_status(valkey: Valkey, as_alice: Client) -> None:
    names = [
        ("artworkshop_request_seconds_count", {"route": route, "status": status})
        for route, status in (("album", "200"), ("photo", "404"))
    ]
    before = [scraped().get((name, tuple(sorted(labels.items()))), 0.0) for name, labels in names]

    as_alice.get("/")
    as_alice.get("/photos/nobody-knows-this/")

    after = scraped()
    assert [figure(after, name, **labels) for name, labels in names] == [count + 1 for count in before]
    assert "nobody-knows-this" not in str(after)


@pytest.mark.django_db
def test_queue_is_told_by_kind_and_priority_and_names_nobody(valkey: Valkey) -> None:
    now = timezone.now()
    for lane, age, priority in (("person-71", 30, 1), ("person-72", 90, 1), ("person-72", 10, 0)):
        painters.rendition_row(lane=lane, waiting_since=now - timedelta(seconds=age), priority=priority)
    painters.source_row(lane="person-73", waiting_since=now + timedelta(seconds=20))
    painters.source_row(lane="person-73", state=State.WORKING)

    figures = scraped()

    usual = {"kind": "rendition", "priority": Priority.USUAL.name.lower()}
    assert figure(figures, "artworkshop_waiting", **usual) == 2
    assert 90 <= figure(figures, "artworkshop_oldest_waiting_seconds", **usual) < 95
    assert figure(figures, "artworkshop_waiting", kind="rendition", priority="watched") == 1
    assert figure(figures, "artworkshop_waiting", kind="export", priority="last") == 0
    assert figure(figures, "artworkshop_oldest_waiting_seconds", kind="source", priority="usual") == 0
    assert figure(figures, "artworkshop_working", kind="source") == 1
    assert figure(figures, "artworkshop_lanes_waiting") == 3
    assert "person-7" not in str(figures)


@pytest.mark.django_db
def test_paintings_are_counted_once_each_with_their_time(fresh: Tallies) -> None:
    for seconds in (0.02, 0.2):
        makers.rendition(style="oil", cpu_seconds=seconds, waiting_since=NOON - timedelta(seconds=4))
    makers.rendition(style="pencil", state=State.FAILED, reason=Reason.TOO_SLOW, finished_at=NOON)
    makers.rendition(style="pencil", state=State.CANCELLED, finished_at=NOON)
    makers.rendition(style="pencil", finished_at=BEGIN - timedelta(seconds=1))
    makers.source(cpu_seconds=0.07)

    fresh.ended.read()
    fresh.ended.read()
    late = makers.rendition(style="oil", cpu_seconds=0.02, finished_at=NOON - timedelta(seconds=10))
    Rendition.objects.filter(pk=late.pk).update(waiting_since=NOON - timedelta(seconds=14))
    figures = scraped()

    oil = {"style": "oil"}
    assert figure(figures, "artworkshop_render_seconds_count", **oil) == 3
    assert figure(figures, "artworkshop_render_seconds_sum", **oil) == pytest.approx(0.24)
    assert [
        figure(figures, "artworkshop_render_seconds_bucket", **oil, le=le) for le in ("0.01", "0.025", "0.25", "+Inf")
    ] == [0, 2, 3, 3]
    assert figure(figures, "artworkshop_render_wait_seconds_sum", **oil) == pytest.approx(12)
    assert figure(figures, "artworkshop_render_seconds_count", style="pencil") == 0
    assert figure(figures, "artworkshop_failures_total", kind="rendition", reason="too_slow") == 1
    assert figure(figures, "artworkshop_failures_total", kind="source", reason="damaged") == 0
    assert figure(figures, "artworkshop_ended_total", kind="rendition", outcome="done") == 3
    assert figure(figures, "artworkshop_read_seconds_sum") == pytest.approx(0.07)


@pytest.mark.django_db
def test_many_that_ended_at_once_are_counted_page_by_page(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("artworkshop.tallies.MOST", 3)
    for place in range(7):
        painters.rendition_row(state=State.FAILED, reason=Reason.CRASHED, finished_at=NOON + timedelta(minutes=place))
    ended = Ended(since=BEGIN)

    for _ in range(4):
        ended.read()

    assert ended.failures["rendition", "crashed"] == 7


def test_bucket_holds_what_is_at_most_so_large() -> None:
    buckets = Buckets((1, 2), [])
    for value in (-5, 1, 1.5, 2, 9):
        buckets.add(("x",), value)

    [metric] = [buckets.family("seconds", "", ("of",))]

    assert [sample.value for sample in metric.samples if sample.name == "seconds_bucket"] == [2, 4, 5]


@pytest.mark.django_db
def test_artworks_are_counted_by_how_they_were_got_once_that_is_known(alice: User) -> None:
    photo = makers.photo(alice)
    ways: dict[str, dict[str, Any]] = {
        "oil": {},
        "pencil": {"same_file": True},
        "watercolor": {"twin": True},
        "color-pencil": {},
    }
    made = {style: makers.artwork(photo, style=style, **facts) for style, facts in ways.items()}
    Commission.objects.filter(pk=made["oil"].commission_id).update(found=Found.PAINTED)
    steps = Steps(after=0)

    steps.read()
    early = dict(steps.counts)
    Commission.objects.filter(pk=made["color-pencil"].commission_id).update(found=Found.SAME_PICTURE)
    for _ in range(2):
        steps.read()

    assert early == {("twin",): 1, ("same_file",): 1, ("same_picture",): 0, ("painted",): 1}
    assert steps.counts == {("twin",): 1, ("same_file",): 1, ("same_picture",): 1, ("painted",): 1}


@pytest.mark.django_db
def test_store_and_halts_are_told(valkey: Valkey) -> None:
    makers.rendition(stored_bytes=700)
    makers.rendition(stored_bytes=0, state=State.EVICTED)
    makers.source(size=5000, stored_bytes=300)
    turns.rest(now=NOON)

    figures = scraped()

    stored = [
        figure(figures, "artworkshop_stored_bytes", what=what)
        for what in ("originals", "thumbnails", "paintings", "exports")
    ]
    assert stored == [5000, 300, 700, 0]
    assert figure(figures, "artworkshop_renditions", state="evicted") == 1
    assert figure(figures, "artworkshop_halts") == 1
    assert figure(figures, "artworkshop_disk_free_bytes", disk="data") > 0


@pytest.mark.django_db
def test_queue_server_that_is_away_is_told(valkey: Valkey) -> None:
    up = figure(scraped(), "artworkshop_redis_up")
    valkey.stop()

    figures = scraped()

    assert (up, figure(figures, "artworkshop_redis_up")) == (1, 0)
    assert not [name for name, _ in figures if name == "artworkshop_workers"]


def names_in(folder_text: str) -> set[str]:
    """Return the names of our figures in a text."""
    return set(re.findall(r"\b(?:artworkshop|process)_[a-z_]+\b", folder_text))


@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize("file", ["grafana-dashboard.json", "prometheus-alerts.yaml"])
def test_every_figure_that_is_watched_exists(valkey: Valkey, as_alice: Client, file: str, settings: Settings) -> None:
    settings.METRICS = "open"
    as_alice.get("/")
    text = (ROOT / "deploy" / file).read_text()
    queries = "\n".join(re.findall(r'"expr": "(.*)"', text) or re.findall(r"expr: (.*)", text))

    existing = {
        line.partition("{")[0].partition(" ")[0] for line in Client().get("/metrics").content.decode().splitlines()
    }

    assert names_in(queries) - existing == set()
    assert len(names_in(queries)) >= 8


PROMTOOL = shutil.which("promtool")
with_promtool = pytest.mark.skipif(not PROMTOOL, reason="needs promtool (Debian: apt-get install prometheus)")
RULES = ROOT / "deploy" / "prometheus-alerts.yaml"


def promtool(*words: str) -> str:
    """Return what promtool says; fail with it when it finds something wrong."""
    run = subprocess.run([str(PROMTOOL), *words], check=False, capture_output=True, text=True, timeout=60)
    assert run.returncode == 0, run.stdout + run.stderr
    return run.stdout


@with_promtool
def test_alerts_fire_when_something_is_wrong_and_only_then(tmp_path: Path) -> None:
    played = tmp_path / "alerts.yaml"
    played.write_text((ROOT / "tests/artworkshop/alerts.yaml").read_text().replace("RULES", str(RULES)))

    assert "SUCCESS" in promtool("check", "rules", str(RULES))
    assert "SUCCESS" in promtool("test", "rules", str(played))


def test_every_alert_is_played() -> None:
    alerts = re.findall(r"- alert: (\w+)", RULES.read_text())
    played = re.findall(r'alertname="(\w+)"', (ROOT / "tests/artworkshop/alerts.yaml").read_text())

    assert played == alerts


@with_promtool
def test_queries_of_the_dashboard_are_understood(tmp_path: Path) -> None:
    board = json.loads((ROOT / "deploy/grafana-dashboard.json").read_text())
    queries = [target["expr"] for panel in board["panels"] for target in panel.get("targets", ())]
    known = [query.replace("$__rate_interval", "5m") for query in queries]
    rules = [{"record": f"panel:{number}", "expr": query} for number, query in enumerate(known)]
    file = tmp_path / "queries.yaml"
    file.write_text(json.dumps({"groups": [{"name": "panels", "rules": rules}]}))  # JSON is YAML

    assert f"SUCCESS: {len(queries)} rules found" in promtool("check", "rules", str(file))


@with_promtool
@pytest.mark.django_db(transaction=True)
def test_figures_are_as_prometheus_wants_them(valkey: Valkey, as_alice: Client, settings: Settings) -> None:
    settings.METRICS = "open"
    as_alice.get("/")
    text = Client().get("/metrics").content

    run = subprocess.run([str(PROMTOOL), "check", "metrics"], check=False, input=text, capture_output=True, timeout=60)

    # It advises against histograms without units and the like: only what it cannot read is an error.
    assert run.returncode in (0, 3), run.stderr


def test_figures_are_explained() -> None:
    text = (ROOT / "docs/monitoring.md").read_text()
    described = set(re.findall(r"`(artworkshop_[a-z_]+)", text))
    tree = "".join((ROOT / "artworkshop" / name).read_text() for name in ("metrics.py", "tallies.py"))

    made = set(re.findall(r'"(artworkshop_[a-z_]+)"', tree))

    assert {name.removesuffix("_total") for name in described} == made


def test_dashboard_is_whole() -> None:
    board = json.loads((ROOT / "deploy/grafana-dashboard.json").read_text())

    places = [(panel["gridPos"]["x"], panel["gridPos"]["y"]) for panel in board["panels"]]

    assert len({panel["id"] for panel in board["panels"]}) == len(set(places)) == len(places) >= 8


def rows(count: int) -> Iterator[Rendition]:
    """Yield many paintings of the last days, and some that wait."""
    now = timezone.now()
    states = [State.WAITING, State.FAILED, *[State.DONE] * 18]
    for place in range(count):
        state = states[place % len(states)]
        ended = None if state == State.WAITING else now - timedelta(seconds=place * 5)
        yield Rendition(
            canvas_key=secrets.token_hex(32), recipe_digest=secrets.token_hex(32), recipe=f"oil v1 {'x' * 150}",
            style="oil", style_version=1, waiting_since=now - timedelta(seconds=place * 5 + 3), finished_at=ended,
            state=state, lane=f"person-{place % 500}", folder="renditions/aa", widths=[160, 480, 800, 1024], width=1024,
            height=768, stored_bytes=300_000, cpu_seconds=0.1, used_at=now,
            reason=Reason.CRASHED if state == State.FAILED else "",
        )  # fmt: skip


@pytest.mark.slow
@pytest.mark.no_cover
@pytest.mark.django_db(transaction=True)
def test_scrape_of_a_hundred_thousand_paintings_is_quick(valkey: Valkey, fresh: Tallies) -> None:
    ago = "datetime('now', '-' || ((20 * n + m) * 5) || ' seconds')"
    ended = f"CASE WHEN finished_at IS NULL THEN NULL ELSE {ago} END"
    copies(
        Rendition.objects.bulk_create(rows(20)), 5_000, canvas_key="'canvas ' || n || ' ' || m",
        lane="'person-' || ((20 * n + m) % 500)", waiting_since=ago, finished_at=ended,
    )  # fmt: skip
    copies([makers.source(notes=["x"] * 5)], 25_000, bytes_key="'file ' || n")
    fresh.ended = Ended(since=timezone.now() - timedelta(hours=1))

    took = quickest(lambda: metrics.scrape("", parts=dict), within=0.5)

    print(f"scrape of 100,000 paintings: {1000 * took:.0f} ms")  # noqa: T201
    assert took <= 0.5
