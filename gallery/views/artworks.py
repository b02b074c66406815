"""The history, and what is done with single artworks."""

from django.contrib import messages
from django.http import HttpResponse, JsonResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import ngettext
from django.views.decorators.http import require_POST, require_safe

from gallery import artworks
from gallery.forms import HistoryForm
from gallery.http import PersonRequest, for_person, next_or, prefers_json, with_artwork, with_photo
from gallery.models import Artwork, ArtworkQuerySet, How, Photo, Stage

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


@with_photo
@require_POST
def cancel_photo(request: PersonRequest, photo: Photo) -> HttpResponse:
    """Stop all that is not finished of a photo."""
    count = artworks.cancel_photo(photo, by=request.user, now=timezone.now())
    return _told(request, _cancelled(count), address=reverse("photo", args=[photo.key]))


@with_photo
@require_POST
def retry_photo(request: PersonRequest, photo: Photo) -> HttpResponse:
    """Try all again of a photo that failed, or that was cancelled."""
    count = artworks.retry_photo(photo, _ended(request), by=request.user, now=timezone.now())
    return _told(request, _tried_again(count), address=reverse("photo", args=[photo.key]))


@for_person
@require_POST
def cancel_all(request: PersonRequest) -> HttpResponse:
    """Stop everything of the person that is not finished."""
    count = artworks.cancel_all(of=request.user, now=timezone.now())
    return _told(request, _cancelled(count), address=reverse("album"))


@for_person
@require_POST
def retry_all(request: PersonRequest) -> HttpResponse:
    """Try everything of the person again that failed, or that was cancelled."""
    count = artworks.retry_all(_ended(request), of=request.user, now=timezone.now())
    return _told(request, _tried_again(count), address=reverse("history"))


def _ended(request: PersonRequest) -> Stage:
    return Stage.CANCELLED if request.POST.get("stage") == Stage.CANCELLED else Stage.FAILED


def _cancelled(count: int) -> str:
    text = ngettext("%(count)s painting was cancelled.", "%(count)s paintings were cancelled.", count)
    return text % {"count": count} if count else _("There was nothing to cancel.")


def _tried_again(count: int) -> str:
    text = ngettext("%(count)s painting waits again.", "%(count)s paintings wait again.", count)
    return text % {"count": count} if count else _("There was nothing to try again.")


def _told(request: PersonRequest, text: str, *, address: str) -> HttpResponse:
    if prefers_json(request):
        return JsonResponse({"text": text})
    messages.success(request, text)
    return redirect(next_or(request, address))


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
