"""Tables to be taken home: the person's own history for a spreadsheet."""

import csv
import io
from collections.abc import Generator, Iterable

from django.http import StreamingHttpResponse
from django.utils import timezone, translation
from django.utils.translation import gettext as _
from django.views.decorators.http import require_safe

from gallery import history as lines
from gallery import ledger
from gallery.forms import HistoryForm
from gallery.http import PersonRequest, attachment, for_person, streamed
from gallery.models import Artwork, ArtworkQuerySet
from gallery.templatetags.words import look_label, style_label

CSV = "text/csv; charset=utf-8"
BYTE_ORDER_MARK = "\ufeff"  # without it Excel takes the text for another alphabet
FORMULAS = ("=", "+", "-", "@", "\t", "\r", "\n", "\uff1d", "\uff0b", "\uff0d", "\uff20")


@for_person
@require_safe
def history(request: PersonRequest) -> StreamingHttpResponse:
    """Send the history, filtered as the page is, as a table."""
    found = lines.find(request.user, HistoryForm(request.GET).chosen)
    disposition = attachment(_("My history"), "csv")
    return streamed(request, _table(found), content_type=CSV, disposition=disposition)


def _table(found: ArtworkQuerySet) -> Generator[bytes]:
    # The request is over, with its language and time zone, while the lines are still being sent.
    language, zone = translation.get_language(), timezone.get_current_timezone()
    with translation.override(language):
        yield _text([_headings()], start=BYTE_ORDER_MARK)
    for batch in lines.in_batches(found):
        with translation.override(language), timezone.override(zone):
            text = _text(_line(artwork) for artwork in batch)
        yield text


def _text(rows: Iterable[Iterable[object]], *, start: str = "") -> bytes:
    file = io.StringIO()
    csv.writer(file).writerows([_plain(cell) for cell in row] for row in rows)
    return (start + file.getvalue()).encode()


def _plain(cell: object) -> object:
    """Return what a spreadsheet shows and never computes: a title may look like a formula."""
    return f"'{cell}" if isinstance(cell, str) and cell.lstrip(" ").startswith(FORMULAS) else cell


def _headings() -> list[str]:
    return [
        _("Asked for"),
        _("Photo"),
        _("Style"),
        _("Look"),
        _("Full size"),
        _("State"),
        _("How it was got"),
        _("Waited, seconds"),
        _("Computing time, seconds"),
        _("Saved, seconds"),
        _("Recipe"),
    ]


def _line(artwork: Artwork) -> list[object]:
    cost = ledger.cost_of(artwork)
    return [
        timezone.localtime(artwork.created_at).strftime("%Y-%m-%d %H:%M:%S"),
        str(artwork.photo),
        style_label(artwork.style),
        look_label(artwork.look),
        _("yes") if artwork.full_size else _("no"),
        str(artwork.stage.label),
        str(artwork.how.label) if cost else "",
        _seconds(artwork.seconds),
        _seconds(cost.did if cost else None),
        _seconds(cost.saved if cost else None),
        artwork.commission.recipe,
    ]


def _seconds(value: float | None) -> str:
    return "" if value is None else f"{value:.3f}"
