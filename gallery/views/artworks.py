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
from gallery import history as lines
from gallery.forms import HistoryForm
from gallery.http import PersonRequest, for_person, next_or, prefers_json, with_artwork, with_photo
from gallery.models import UNFINISHED, Artwork, ArtworkQuerySet, Photo, Stage
from rendering.styles.base import ParameterError

PAGE = 50


@for_person
@require_safe
def history(request: PersonRequest) -> HttpResponse:
    """Show everything that the person ever had painted."""
    form = HistoryForm(request.GET)
    everything = lines.find(request.user, form.chosen)
    found = lines.first_of(_before(request, everything), PAGE + 1)
    shown = found[:PAGE]
    total = lines.total_of(everything)
    context = {
        "artworks": shown,
        "days": lines.by_day(shown),
        "unfinished_stages": UNFINISHED,
        "older": shown[-1].key if len(found) > PAGE else None,
        "filter_form": form,
        "total": total.lines,
        "saved": total.saved,
        "saved_here": lines.saved_by(shown),
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
def again(request: PersonRequest, artwork: Artwork) -> HttpResponse:
    """Have any line of the history painted once more."""
    try:
        waits = lines.again(artwork, by=request.user, now=timezone.now())
    except ParameterError:
        messages.info(request, _("The workshop does not paint in this style or look any more."))
    else:
        said = _tried_again(1) if waits else _("This painting is as it would be painted today.")
        messages.add_message(request, messages.SUCCESS if waits else messages.INFO, said)
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


def _before(request: PersonRequest, everything: ArtworkQuerySet) -> ArtworkQuerySet:
    # The line that the page before ended with may match no longer: its place counts, not whether it is shown.
    key = request.GET.get("before", "")
    marker = Artwork.objects.history_of(request.user).filter(key=key).values_list("pk", flat=True).first() if key else 0
    return everything.filter(pk__lt=marker) if marker else everything


def _address(artwork: Artwork) -> str:
    return f"{reverse('photo', args=[artwork.photo.key])}?artwork={artwork.key}"
