"""What goes on in the workshop, what it costs and what it saves, for staff."""

from django.http import HttpResponse, StreamingHttpResponse
from django.shortcuts import render
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from django.views.decorators.http import require_safe

from gallery import desk, ledger, stretches
from gallery.http import PersonRequest, for_staff_with, table_file
from gallery.models import Artwork, Photo, User
from rendering.stats import Span

HEADINGS = ("table", "row", "column", "figure")
DRAWN_BY = {
    "cpu_seconds": gettext_lazy("Computing time"),
    "bytes": gettext_lazy("Bytes kept or sent"),
    "money": gettext_lazy("Money"),
}
"""Which figure of the savings the bars of the waterfall show."""


@for_staff_with("gallery.see_desk")
@require_safe
def dashboard(request: PersonRequest) -> HttpResponse:
    """Show workers, figures and savings of a period."""
    now, span = timezone.now(), _span(request)
    context = {
        "now": now,
        "spans": Span,
        "desk": desk.open_desk(span, now=now),
        "by": _drawn_by(request),
        "drawn_by": DRAWN_BY.items(),
        "people": User.objects.count(),
        "photos": Photo.objects.count(),
        "artworks": Artwork.objects.count(),
    }
    return render(request, "gallery/dashboard.html", context)


@for_staff_with("gallery.see_desk")
@require_safe
def savings(request: PersonRequest) -> HttpResponse:
    """Show what was spent and what each way to save saved: today, in 7 and in 30 days."""
    book = ledger.open_book(now=timezone.now(), read=stretches.read)
    context = {
        "spent": [book.spent(days) for days in ledger.PERIODS],
        "techniques": book.by_technique(),
        "steps": book.by_step(),
        "days": book.by_day(),
        "models": book.by_model(),
        "savers": book.by_person(),
    }
    return render(request, "gallery/savings.html", context)


@for_staff_with("gallery.see_desk")
@require_safe
def figures(request: PersonRequest) -> StreamingHttpResponse:
    """Send every figure of the dashboard and of the savings as one table."""
    now = timezone.now()
    shown, book = desk.open_desk(_span(request), now=now), ledger.open_book(now=now, read=stretches.read)
    return table_file(request, _("Workshop"), iter([HEADINGS, *desk.tables(shown), *desk.saving_tables(book)]))


def _span(request: PersonRequest) -> Span:
    asked = request.GET.get("span", "")
    return Span(asked) if asked in Span.values else Span.DAY


def _drawn_by(request: PersonRequest) -> str:
    asked = request.GET.get("by", "")
    return asked if asked in DRAWN_BY else "cpu_seconds"
