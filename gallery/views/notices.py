"""Notices, for staff: what everybody is told, and whether photos are taken meanwhile."""

from django.contrib import messages
from django.http import HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.utils import timezone
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods, require_POST

from gallery import notices
from gallery.forms import NoticeForm
from gallery.http import PersonRequest, for_staff_with
from gallery.models import Notice


@for_staff_with("gallery.change_notice")
@require_http_methods(["GET", "HEAD", "POST"])
def notices_page(request: PersonRequest) -> HttpResponse:
    """Show what everybody is told and will be, and put up more."""
    form = NoticeForm(request.POST if request.method == "POST" else None)
    if request.method == "POST" and form.is_valid():
        notices.put_up(**form.cleaned_data, by=request.user, now=timezone.now())
        messages.success(request, _("The notice is put up."))
        return redirect("notices")
    now = timezone.now()
    shown = [(notice, notice.is_shown(now=now)) for notice in notices.still_to_be_shown(now=now)]
    return render(request, "gallery/notices.html", {"form": form, "shown": shown})


@for_staff_with("gallery.change_notice")
@require_POST
def end(request: PersonRequest, pk: int) -> HttpResponse:
    """Take a notice down."""
    if notices.take_down(get_object_or_404(Notice, pk=pk), by=request.user, now=timezone.now()):
        messages.success(request, _("The notice is taken down."))
    return redirect("notices")
