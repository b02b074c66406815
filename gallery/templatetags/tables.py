"""The tables of the desk: each column is said once, and one template (`components/table.html`) draws them all."""

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, TypeAlias
from urllib.parse import urlencode

from django import template
from django.template.defaultfilters import filesizeformat
from django.urls import reverse
from django.utils.formats import date_format, number_format
from django.utils.functional import Promise
from django.utils.html import format_html
from django.utils.safestring import SafeString
from django.utils.timesince import timesince
from django.utils.timezone import localtime
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from gallery import ledger
from gallery.desk import Fall, NamedLane, PersonLine, StorageLine, Waterfall
from gallery.ledger import DayLine, ModelLine, Saving, StepLine, TechniqueLine
from gallery.templatetags.charts import fall_bar, share_bar
from gallery.templatetags.savings import cpu, milliseconds, money, percent
from gallery.templatetags.words import icon, look_label, style_label
from rendering.models import Kind
from rendering.stats import Bar, FailureLine, StyleTimes

register = template.Library()

Cell: TypeAlias = Callable[[Any], object]  # Any: a line of whichever table
NUMBER, WORDS, BAR = "number", "words", "bar"
LANES = 50
"""So many lanes are shown at most."""


@dataclass(frozen=True)
class Column:
    """What is over a column, and what stands in it for a line; a table's first column has its lines' names."""

    label: str | Promise
    cell: Cell
    holds: str = NUMBER


@dataclass(frozen=True)
class Table:
    """Columns, and the lines under them."""

    columns: Sequence[Column]
    lines: Iterable[object]

    @property
    def rows(self) -> list[list[tuple[Column, object]]]:
        """Return each line's cells, with their columns."""
        return [[(column, column.cell(line)) for column in self.columns] for line in self.lines]


@register.simple_tag
def finished_table(bars: Sequence[Bar]) -> Table:
    """Return what was finished in each part of a period: the numbers of the chart."""
    columns = (
        Column(_("From"), lambda bar: _moment(bar.begins)),
        Column(_("Photos"), lambda bar: _count(bar.photos)),
        Column(_("an hour"), lambda bar: _rate(bar.photos_an_hour)),
        Column(_("Paintings"), lambda bar: _count(bar.paintings)),
        Column(_("an hour"), lambda bar: _rate(bar.paintings_an_hour)),
    )
    return Table(columns, bars)


@register.simple_tag
def times_table(lines: Sequence[StyleTimes]) -> Table:
    """Return how long each style's paintings waited and were painted."""
    columns = (
        Column(_("Style"), lambda line: style_label(line.style)),
        Column(_("Paintings"), lambda line: _count(line.paintings)),
        Column(_("Waited: half"), lambda line: cpu(line.wait.p50)),
        Column(_("Waited: 95%"), lambda line: cpu(line.wait.p95)),
        Column(_("Waited: 99%"), lambda line: cpu(line.wait.p99)),
        Column(_("Painted: half"), lambda line: cpu(line.paint.p50)),
        Column(_("Painted: 95%"), lambda line: cpu(line.paint.p95)),
        Column(_("Painted: 99%"), lambda line: cpu(line.paint.p99)),
    )
    return Table(columns, lines)


@register.simple_tag
def queue_table(lanes: Sequence[NamedLane], now: datetime) -> Table:
    """Return who waits for how much, and for how long."""
    columns = (
        Column(_("Person"), _whose),
        Column(_("Photos to be read"), _readings_waiting),
        Column(_("Paintings waiting"), lambda lane: _count(lane.line.waiting.get(Kind.PAINTING, 0))),
        Column(_("Files to be saved"), lambda lane: _count(lane.line.waiting.get(Kind.SAVING, 0))),
        Column(_("In work"), lambda lane: _count(lane.line.working)),
        Column(_("The oldest waits"), lambda lane: timesince(lane.line.oldest, now) if lane.line.oldest else ""),
    )
    return Table(columns, lanes[:LANES])


@register.simple_tag
def failures_table(lines: Sequence[FailureLine]) -> Table:
    """Return why how much failed."""
    columns = (
        Column(_("Reason"), lambda line: _link(line.label, state="failed", reason=line.reason)),
        Column(_("Photos"), lambda line: _failed(line, Kind.READING)),
        Column(_("Paintings"), lambda line: _failed(line, Kind.PAINTING)),
        Column(_("Files"), lambda line: _failed(line, Kind.SAVING)),
    )
    return Table(columns, lines)


@register.simple_tag
def fall_table(fall: Waterfall, figure: str) -> Table:
    """Return the waterfall from everything done naively to what was spent; its bars are drawn by one of the figures."""
    columns = (
        Column(_("From everything done naively to what was spent"), _step),
        Column(_("As a waterfall"), lambda line: _step_bar(line, fall, figure), BAR),
        Column(_("Computing time"), lambda line: cpu(_saving(line).cpu_seconds)),
        Column(_("Bytes kept or sent"), lambda line: filesizeformat(_saving(line).bytes)),
        Column(_("Money"), lambda line: money(_saving(line).money)),
    )
    return Table(columns, [(_("Done naively"), fall.naive), *fall.falls, (_("Spent"), fall.actual)])


@register.simple_tag
def steps_table(lines: Sequence[StepLine]) -> Table:
    """Return how paintings were got, by scope, and what that saved."""
    columns = (
        Column(_("How it was got"), lambda line: line.how.label),
        Column(_("Scope"), lambda line: _("private") if line.private else _("shared"), WORDS),
        Column(_("Paintings"), lambda line: _count(line.artworks)),
        Column(_("Saved"), lambda line: cpu(line.saving.cpu_seconds) if line.saving.count else ""),
    )
    return Table(columns, lines)


@register.simple_tag
def storage_table(lines: Sequence[StorageLine]) -> Table:
    """Return whose photos take most room."""
    columns = (
        Column(_("Person"), lambda line: line.username),
        Column(_("Room"), lambda line: share_bar(line.bytes, lines[0].bytes), BAR),
        Column(_("Photos"), lambda line: _count(line.photos)),
        Column(_("Storage"), lambda line: filesizeformat(line.bytes)),
    )
    return Table(columns, lines)


@register.simple_tag
def people_table(lines: Sequence[PersonLine]) -> Table:
    """Return who asked for most."""
    columns = (
        Column(_("Person"), lambda line: _link(line.username, person=line.username)),
        Column(_("Paintings"), lambda line: share_bar(line.paintings, lines[0].paintings), BAR),
        Column(_("Paintings"), lambda line: _count(line.paintings)),
        Column(_("Computing time"), lambda line: cpu(line.cpu_seconds)),
    )
    return Table(columns, lines)


@register.simple_tag
def savings_table(spent: Sequence[Saving], techniques: Sequence[TechniqueLine]) -> Table:
    """Return what was spent and what each technique saved: today, in 7 and in 30 days."""
    periods = [_("Today"), _("7 days"), _("30 days")]
    lines = [(_("Spent on reading and painting"), spent), *((_saved_by(line), line.periods) for line in techniques)]
    columns = [Column(label, _in_period(place)) for place, label in enumerate(periods)]
    return Table([Column(_("Computing time"), lambda line: line[0]), *columns], lines)


@register.simple_tag
def days_table(lines: Sequence[DayLine]) -> Table:
    """Return what each day has cost, and what it has saved."""
    columns = (
        Column(_("Day"), lambda line: date_format(line.day, "SHORT_DATE_FORMAT")),
        Column(_("Painted"), lambda line: _count(line.spent.count)),
        Column(_("Spent"), lambda line: cpu(line.spent.cpu_seconds)),
        Column(_("Not painted again"), lambda line: _count(line.saved.count)),
        Column(_("Saved"), lambda line: cpu(line.saved.cpu_seconds)),
    )
    return Table(columns, lines)


@register.simple_tag
def savers_table(lines: Sequence[ledger.PersonLine]) -> Table:
    """Return whose uploads have saved most."""
    columns = (
        Column(_("Name"), lambda line: line.username),
        Column(_("Not painted again"), lambda line: _count(line.saved.count)),
        Column(_("Saved"), lambda line: cpu(line.saved.cpu_seconds)),
        Column(_("Money"), lambda line: money(line.saved.money)),
    )
    return Table(columns, lines)


@register.simple_tag
def models_table(lines: Sequence[ModelLine]) -> Table:
    """Return what paintings cost by their size."""
    columns = (
        Column(_("Style"), lambda line: f"{style_label(line.style)}, {look_label(line.look)}"),
        Column(_("Whatever the size"), lambda line: milliseconds(line.model.curve.fixed)),
        Column(_("For each megapixel"), lambda line: milliseconds(line.model.curve.per_megapixel)),
        Column(_("From paintings"), lambda line: _count(line.model.paintings)),
        Column(_("Error"), lambda line: KERNELS if line.model.error is None else percent(line.model.error)),
    )
    return Table(columns, lines)


KERNELS = gettext_lazy("too few paintings: the kernels' own figures")


def _in_period(place: int) -> Cell:
    return lambda line: _with_money(line[1][place])


def _whose(lane: NamedLane) -> SafeString:
    if lane.person is None:
        return format_html('<code class="address">{}</code>', lane.line.lane)
    name = lane.person.get_username()
    return _link(name, person=name, state="waiting")


def _readings_waiting(lane: NamedLane) -> str:
    count = lane.line.waiting.get(Kind.READING, 0)
    if not lane.person or not count:
        return _count(count)
    return _link(_count(count), kind=Kind.READING, person=lane.person.get_username(), state="waiting")


def _failed(line: FailureLine, kind: Kind) -> str:
    count = line.counts.get(kind, 0)
    of = {} if kind == Kind.PAINTING else {"kind": kind.value}
    return _link(_count(count), **of, state="failed", reason=line.reason) if count else "0"


def _saving(line: Fall | tuple[str, Saving]) -> Saving:
    return line.saved if isinstance(line, Fall) else line[1]


def _step(line: Fall | tuple[str, Saving]) -> str:
    return _saved_by(line) if isinstance(line, Fall) else line[0]


def _step_bar(line: Fall | tuple[str, Saving], fall: Waterfall, figure: str) -> object:
    if isinstance(line, Fall):
        return fall_bar(line.before, line.after, fall.naive, figure)
    return share_bar(getattr(line[1], figure), getattr(fall.naive, figure))


def _saved_by(line: Fall | TechniqueLine) -> SafeString:
    """Return the name of a technique, that unfolds to how its figures are computed."""
    named = _("Saved: %(technique)s") % {"technique": line.technique.label}
    folded = '<details class="fold"><summary>{}{}</summary><p class="help">{}</p></details>'
    return format_html(folded, icon("forward"), named, line.explanation)


def _with_money(saving: Saving) -> SafeString:
    room = f", {filesizeformat(saving.bytes)}" if saving.bytes else ""
    return format_html('{} <span class="help">{}{}</span>', cpu(saving.cpu_seconds), money(saving.money), room)


def _link(text: str, **filters: str) -> SafeString:
    return format_html('<a href="{}?{}">{}</a>', reverse("jobs"), urlencode(filters), text)


def _moment(at: datetime) -> str:
    return date_format(localtime(at), "SHORT_DATETIME_FORMAT")


def _count(number: int) -> str:
    return number_format(number, 0, force_grouping=True)


def _rate(figure: float) -> str:
    tenths = round(figure, 1)
    return number_format(tenths, 0 if tenths.is_integer() else 1, force_grouping=True)
