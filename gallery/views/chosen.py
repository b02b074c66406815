"""What is done with several photos at once, and with the heart of one."""

from collections.abc import Callable
from datetime import datetime

from django.contrib import messages
from django.http import Http404, HttpResponse, JsonResponse
from django.shortcuts import redirect
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import ngettext
from django.views.decorators.http import require_POST

from gallery import artworks, photos
from gallery.forms import PaintForm, sentence
from gallery.http import PersonRequest, for_person, next_or, prefers_json, with_photo
from gallery.models import Photo, PhotoQuerySet, Stage, User
from gallery.views.bins import removed

MOST = 250
"""So many photos at once: a page has 24, and somebody may have let more be shown below."""


@for_person
@require_POST
def chosen(request: PersonRequest) -> HttpResponse:
    """Do with the chosen photos what the pressed button says."""
    act = ACTS.get(request.POST.get("do", ""))
    if act is None:
        raise Http404
    these = request.user.photos.kept().filter(key__in=request.POST.getlist("photo")[:MOST])
    return act(request, these, timezone.now())


@with_photo
@require_POST
def favorite(request: PersonRequest, photo: Photo) -> HttpResponse:
    """Make a photo a favorite, or no favorite any more."""
    wanted = bool(request.POST.get("favorite"))
    photos.favor(request.user.photos.filter(pk=photo.pk), of=request.user, favorite=wanted)
    if prefers_json(request):
        return JsonResponse({"text": _("Favorite") if wanted else _("No favorite any more"), "favorite": wanted})
    address = next_or(request, reverse("photo", args=[photo.key]))
    # Back to the place in the album where the heart was pressed.
    return redirect(f"{address}#title-{photo.key}")


def chosen_form(person: User) -> PaintForm:
    """Return what the chosen photos may be painted in."""
    form = PaintForm(person=person)
    form.auto_id = "chosen_%s"
    return form


def _favor(request: PersonRequest, these: PhotoQuerySet, now: datetime) -> HttpResponse:
    count = photos.favor(these, of=request.user, favorite=True)
    text = ngettext("%(count)s photo is a favorite.", "%(count)s photos are favorites.", count)
    return _told(request, text, count)


def _unfavor(request: PersonRequest, these: PhotoQuerySet, now: datetime) -> HttpResponse:
    count = photos.favor(these, of=request.user, favorite=False)
    text = ngettext("%(count)s photo is no favorite.", "%(count)s photos are no favorites.", count)
    return _told(request, text, count)


def _remove(request: PersonRequest, these: PhotoQuerySet, now: datetime) -> HttpResponse:
    count = photos.remove_many(these, of=request.user, now=now)
    if not count:
        return _told(request, "", 0)
    text = ngettext("%(count)s photo was removed.", "%(count)s photos were removed.", count)
    return removed(request, text % {"count": count}, now=now)


def _retry(request: PersonRequest, these: PhotoQuerySet, now: datetime) -> HttpResponse:
    count = artworks.retry_photos(these, Stage.FAILED, by=request.user, now=now)
    if not count:
        return _answer(request, _("There was nothing to try again."))
    text = ngettext("%(count)s painting waits again.", "%(count)s paintings wait again.", count)
    return _told(request, text, count)


def _paint(request: PersonRequest, these: PhotoQuerySet, now: datetime) -> HttpResponse:
    form = PaintForm(request.POST, person=request.user)
    if not form.is_valid():
        return _answer(request, sentence(form), level=messages.ERROR)
    found = list(these.select_related("source", "owner").order_by("pk"))
    for photo in found:
        artworks.commission(photo, **form.cleaned_data, now=now)
    text = ngettext("%(count)s photo is being painted.", "%(count)s photos are being painted.", len(found))
    return _told(request, text, len(found))


def _share(request: PersonRequest, these: PhotoQuerySet, now: datetime) -> HttpResponse:
    keys = ",".join(these.order_by("-pk").values_list("key", flat=True))
    return redirect(reverse("new_share", query={"photos": keys})) if keys else _told(request, "", 0)


def _told(request: PersonRequest, text: str, count: int) -> HttpResponse:
    return _answer(request, text % {"count": count} if count else _("Choose at least one photo."))


def _answer(request: PersonRequest, text: str, *, level: int = messages.SUCCESS) -> HttpResponse:
    if prefers_json(request):
        return JsonResponse({"text": text})
    messages.add_message(request, level, text)
    return redirect(next_or(request, reverse("album")))


ACTS: dict[str, Callable[[PersonRequest, PhotoQuerySet, datetime], HttpResponse]] = {
    "favor": _favor,
    "unfavor": _unfavor,
    "remove": _remove,
    "retry": _retry,
    "paint": _paint,
    "share": _share,
}
