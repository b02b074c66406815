"""A photo for people who have none at hand: it comes with the workshop, and is painted before they ask."""

from django.contrib import messages
from django.http import HttpResponse
from django.shortcuts import redirect
from django.utils import timezone
from django.views.decorators.http import require_POST

from gallery import sample
from gallery.http import PersonRequest, for_person


@for_person
@require_POST
def hang_sample(request: PersonRequest) -> HttpResponse:
    """Put the workshop's own photo into the album, and show it."""
    result = sample.hang(owner=request.user, now=timezone.now())
    if result.photo is None:
        messages.error(request, f"{result.name}: {result.text}")
        return redirect("album")
    return redirect("photo", result.photo.key)
