"""The history, and what is done with single artworks."""

from django.http import HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils import timezone
from django.views.decorators.http import require_POST, require_safe

from gallery import artworks
from gallery.forms import HistoryForm
from gallery.http import PersonRequest, for_person, next_or, with_artwork
from gallery.models import Artwork, ArtworkQuerySet, How, Stage

PAGE = 50


@for_person
@require_safe
def history(request: PersonRequest) -> HttpResponse:
    """Show everything that the person ever had painted."""
    form = HistoryForm(request.GET)
    everything = Artwork.objects.history_of(request.user)
    found = list(_filtered(everything.before(request.GET.get("before", "")), form.chosen)[: PAGE + 1])
    shown = found[:PAGE]
    context = {
        "artworks": shown,
        "older": shown[-1].key if len(found) > PAGE else None,
        "filter_form": form,
        "total": _filtered(everything, form.chosen).count(),
    }
    return render(request, "gallery/history.html", context)


@with_artwork
@require_POST
def cancel(request: PersonRequest, artwork: Artwork) -> HttpResponse:
    """Stop a painting that is not finished."""
    artworks.cancel(artwork, by=request.user, now=timezone.now())
    return redirect(next_or(request, _address(artwork)))


@with_artwork
@require_POST
def retry(request: PersonRequest, artwork: Artwork) -> HttpResponse:
    """Try again what failed or was cancelled."""
    artworks.retry(artwork, by=request.user, now=timezone.now())
    return redirect(next_or(request, _address(artwork)))


@with_artwork
@require_POST
def remove(request: PersonRequest, artwork: Artwork) -> HttpResponse:
    """Take an artwork out of the history."""
    artworks.remove(artwork, by=request.user, now=timezone.now())
    return redirect(next_or(request, reverse("photo", args=[artwork.photo.key])))


def _filtered(artworks: ArtworkQuerySet, chosen: dict[str, str]) -> ArtworkQuerySet:
    columns = {name: chosen[name] for name in ("style", "look") if name in chosen}
    found = artworks.filter(**columns)
    if "stage" in chosen:
        found = found.at_stage(Stage(chosen["stage"]))
    if "how" in chosen:
        found = found.got_by(How(chosen["how"]))
    return found


def _address(artwork: Artwork) -> str:
    return f"{reverse('photo', args=[artwork.photo.key])}?artwork={artwork.key}"
