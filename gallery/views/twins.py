"""Photos that look alike: the answer to a proposed twin, and the album's duplicates."""

from django.contrib import messages
from django.http import HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import ngettext
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from gallery import twins
from gallery.forms import MergeForm
from gallery.http import PersonRequest, for_person, next_or, with_photo
from gallery.models import Photo


@with_photo
@require_POST
def use(request: PersonRequest, photo: Photo) -> HttpResponse:
    """Give a photo the paintings of its twin."""
    if twins.use(photo, by=request.user, now=timezone.now()):
        messages.success(request, _("This photo shows the paintings of the other one."))
    return redirect(next_or(request, reverse("photo", args=[photo.key])))


@with_photo
@require_POST
def paint(request: PersonRequest, photo: Photo) -> HttpResponse:
    """Paint a photo itself, whatever it looks like."""
    twins.paint(photo, by=request.user, now=timezone.now())
    return redirect(next_or(request, reverse("photo", args=[photo.key])))


@for_person
@require_safe
def duplicates(request: PersonRequest) -> HttpResponse:
    """Show which photos of the album look the same."""
    start = request.GET.get("from", "")
    groups, following = twins.duplicates(request.user, start=int(start[:9]) if start.isdecimal() else 0)
    return render(request, "gallery/duplicates.html", {"groups": groups, "following": following})


@for_person
@require_http_methods(["GET", "HEAD", "POST"])
def merge(request: PersonRequest) -> HttpResponse:
    """Say what goes and what stays, then keep one photo and remove the others."""
    form = MergeForm(request.POST if request.method == "POST" else request.GET, person=request.user)
    if not form.is_valid():
        messages.error(request, _("Choose the photo to keep, and at least one other to remove."))
        return redirect("duplicates")
    kept, others = form.cleaned_data["keep"], form.cleaned_data["photo"]
    if request.method != "POST":
        return render(request, "gallery/merge_photos.html", {"plan": twins.plan(kept, others)})
    twins.merge(kept, others, by=request.user, now=timezone.now())
    removed = ngettext("%(count)s photo was removed.", "%(count)s photos were removed.", len(others))
    messages.success(request, removed % {"count": len(others)})
    return redirect("duplicates")
