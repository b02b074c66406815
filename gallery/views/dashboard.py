"""What goes on in the workshop, for staff."""

from django.http import HttpResponse
from django.shortcuts import render
from django.utils import timezone
from django.views.decorators.http import require_safe

from gallery.http import PersonRequest, for_staff
from gallery.models import Artwork, Photo, User
from rendering import stats


@for_staff
@require_safe
def dashboard(request: PersonRequest) -> HttpResponse:
    """Show queue, workers and counts."""
    context = {
        "overview": stats.overview(timezone.now()),
        "people": User.objects.count(),
        "photos": Photo.objects.count(),
        "artworks": Artwork.objects.count(),
    }
    return render(request, "gallery/dashboard.html", context)
