"""What goes on in the workshop, what it costs and what it saves, for staff."""

from datetime import datetime
from typing import Any

from django.http import HttpResponse
from django.shortcuts import render
from django.utils import timezone
from django.views.decorators.http import require_safe

from gallery import ledger
from gallery.http import PersonRequest, for_staff
from gallery.models import Artwork, Photo, User
from rendering import stats


@for_staff
@require_safe
def dashboard(request: PersonRequest) -> HttpResponse:
    """Show workers, counts and savings."""
    now = timezone.now()
    context = {
        "overview": stats.overview(now),
        "people": User.objects.count(),
        "photos": Photo.objects.count(),
        "artworks": Artwork.objects.count(),
        **_savings(now),
    }
    return render(request, "gallery/dashboard.html", context)


def _savings(now: datetime) -> dict[str, Any]:  # Any: what a template is given
    book = ledger.open_book(now=now)
    return {
        "spent": [book.spent(days) for days in ledger.PERIODS],
        "techniques": book.by_technique(),
        "steps": book.by_step(),
        "days": book.by_day(),
        "models": book.by_model(),
        "savers": ledger.by_person(now=now),
    }
