"""The bin: what was removed can be brought back for 30 days, or erased at once."""

from datetime import datetime, timedelta

from django.contrib import messages
from django.db.models import Q
from django.http import HttpResponse, JsonResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils import timezone
from django.utils.dateparse import parse_datetime
from django.utils.translation import gettext as _
from django.utils.translation import ngettext
from django.views.decorators.http import require_POST, require_safe

from gallery import photos
from gallery.http import PersonRequest, for_person, next_or, prefers_json
from gallery.models import Photo, PhotoQuerySet

PAGE = 48
AT_ONCE = 200
"""So many are erased by one request: each takes its files with it."""


@for_person
@require_safe
def bin_page(request: PersonRequest) -> HttpResponse:
    """Show what is in the bin, the latest first."""
    total = photos.in_bin(of=request.user, now=timezone.now())
    binned = request.user.photos.in_bin()
    marker = binned.filter(key=request.GET.get("before", "")).first()
    found = list((_beyond(binned, marker) if marker else binned)[: PAGE + 1])
    older = found[PAGE - 1].key if len(found) > PAGE else None
    return render(request, "gallery/bin.html", {"photos": found[:PAGE], "older": older, "total": total})


@for_person
@require_POST
def bring_back(request: PersonRequest) -> HttpResponse:
    """Bring chosen photos back from the bin."""
    count = photos.bring_back(_chosen(request), of=request.user, now=timezone.now())
    return _told(request, _brought_back(count), address=reverse("bin"))


@for_person
@require_POST
def undo(request: PersonRequest) -> HttpResponse:
    """Bring back all that was removed at one moment."""
    moment = _moment(request.POST.get("at", ""))
    went = request.user.photos.filter(removed_at=moment) if moment else request.user.photos.none()
    count = photos.bring_back(went, of=request.user, now=timezone.now())
    return _told(request, _brought_back(count), address=reverse("album"))


@for_person
@require_POST
def erase(request: PersonRequest) -> HttpResponse:
    """Erase chosen photos of the bin for good."""
    count = photos.erase_many(_chosen(request), of=request.user, now=timezone.now())
    return _told(request, _erased(count), address=reverse("bin"))


@for_person
@require_POST
def empty(request: PersonRequest) -> HttpResponse:
    """Erase what is in the bin for good; of very much so much at a time as a request has time for."""
    count = photos.empty_bin(of=request.user, now=timezone.now(), longer_than=timedelta(0), most=AT_ONCE)
    return _told(request, _erased(count), address=reverse("bin"))


def removed(request: PersonRequest, text: str, *, now: datetime) -> HttpResponse:
    """Say that photos went into the bin at this moment, and offer to undo it."""
    if prefers_json(request):
        return JsonResponse({"text": text, "undo": now.isoformat()})
    request.session["undo"] = now.isoformat()
    messages.success(request, text, extra_tags="undo")
    return redirect(next_or(request, reverse("album")))


def _beyond(binned: PhotoQuerySet, marker: Photo) -> PhotoQuerySet:
    at = marker.removed_at
    return binned.filter(Q(removed_at__lt=at) | Q(removed_at=at, pk__lt=marker.pk), removed_at__lte=at)


def _chosen(request: PersonRequest) -> PhotoQuerySet:
    return request.user.photos.filter(key__in=request.POST.getlist("photo")[:AT_ONCE])


def _moment(text: str) -> datetime | None:
    try:
        moment = parse_datetime(text)
    except ValueError:
        return None
    return moment if moment and timezone.is_aware(moment) else None


def _brought_back(count: int) -> str:
    text = ngettext("%(count)s photo is back in your album.", "%(count)s photos are back in your album.", count)
    return text % {"count": count} if count else _("There was nothing to bring back.")


def _erased(count: int) -> str:
    text = ngettext("%(count)s photo was erased for good.", "%(count)s photos were erased for good.", count)
    return text % {"count": count} if count else _("There was nothing to erase.")


def _told(request: PersonRequest, text: str, *, address: str) -> HttpResponse:
    if prefers_json(request):
        return JsonResponse({"text": text})
    messages.success(request, text)
    return redirect(next_or(request, address))
