"""The job console, for staff: finding paintings, acting on one or on all that were found, and the audit log."""

from collections.abc import Iterator
from typing import Any

from django.contrib import messages
from django.db.models import QuerySet
from django.http import Http404, HttpResponse, StreamingHttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import ngettext
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from gallery import audit, desk
from gallery.forms import AuditForm, JobForm
from gallery.http import PersonRequest, for_staff_with, table_file
from rendering import console, recipes
from rendering.console import Action, Wanted
from rendering.models import Rendition
from rendering.styles.base import ParameterError

PAGE = 50
BATCH = 1000
HEADINGS = (
    *("id", "person", "photo", "style", "recipe", "state", "reason", "lane", "priority", "worker", "tries"),
    *("waiting_since", "started_at", "finished_at", "cpu_seconds", "bytes"),
)


@for_staff_with("gallery.see_desk")
@require_safe
def jobs(request: PersonRequest) -> HttpResponse:
    """Show the paintings that are looked for, newest first."""
    form = JobForm(request.GET)
    rows = desk.with_artworks(_before(_found(form), request.GET.get("before", ""))[: PAGE + 1])
    context = {
        "filter_form": form,
        "jobs": rows[:PAGE],
        "older": rows[PAGE - 1][0].pk if len(rows) > PAGE else None,
        "actions": Action,
        "asked": _asked(form),
    }
    return render(request, "gallery/console.html", context)


@for_staff_with("gallery.see_desk")
@require_safe
def jobs_file(request: PersonRequest) -> StreamingHttpResponse:
    """Send all paintings that are looked for as a table."""
    return table_file(request, _("Jobs"), _lines(_found(JobForm(request.GET))))


@for_staff_with("gallery.see_desk")
@require_safe
def job(request: PersonRequest, pk: int) -> HttpResponse:
    """Show one painting: its way, its recipe, why it failed, and who has it."""
    rendition = get_object_or_404(Rendition, pk=pk)
    [(_row, artwork)] = desk.with_artworks(Rendition.objects.filter(pk=pk))
    context = {
        "job": rendition,
        "artwork": artwork,
        "events": console.history(rendition),
        "parameters": _parameters(rendition),
        "actions": [action for action in Action if console.fitting(Rendition.objects.filter(pk=pk), action, most=1)],
        "notes": audit.entries(words=f"rendition {pk}").filter(subject=f"rendition {pk}")[:20],
    }
    return render(request, "gallery/console_job.html", context)


@for_staff_with("gallery.manage_jobs")
@require_http_methods(["GET", "HEAD", "POST"])
def act(request: PersonRequest) -> HttpResponse:
    """Say how many paintings an action fits and ask for the reason; then do it."""
    sent = request.POST if request.method == "POST" else request.GET
    if sent.get("action") not in Action.values:
        raise Http404
    action, form = Action(sent["action"]), JobForm(sent)
    ids = desk.fitting(_found(form), action)
    if request.method == "POST":
        return _done(request, action, form, ids)
    asked = _asked(form)
    told = [(form.fields[name].label or name, value) for name, value in asked.items()]
    context = {"action": action, "count": len(ids), "most": desk.MOST, "asked": asked, "told": told}
    return render(request, "gallery/console_act.html", context)


@for_staff_with("gallery.pause_painting")
@require_POST
def painting(request: PersonRequest) -> HttpResponse:
    """Have one worker or all of them rest, or go on."""
    facts: dict[str, Any] = {"by": request.user, "reason": request.POST.get("reason", ""), "now": timezone.now()}
    change = desk.rest if request.POST.get("rest") else desk.go_on
    change(request.POST.get("worker", "")[:100], **facts)
    return redirect("dashboard")


@for_staff_with("gallery.see_desk")
@require_safe
def audit_log(request: PersonRequest) -> HttpResponse:
    """Show what staff did, the latest first."""
    form = AuditForm(request.GET, actions=audit.actions())
    found = audit.entries(**form.chosen)
    before = request.GET.get("before", "")
    rows = list((found.filter(pk__lt=int(before)) if before.isdecimal() else found)[: PAGE + 1])
    context = {"filter_form": form, "entries": rows[:PAGE], "older": rows[PAGE - 1].pk if len(rows) > PAGE else None}
    return render(request, "gallery/audit.html", context)


def _found(form: JobForm) -> QuerySet[Rendition]:
    chosen = form.chosen
    if form.errors:
        # What is not understood must not make an action reach further than was meant.
        return Rendition.objects.none()
    pk, person, title = (chosen.pop(name, "") for name in ("job", "person", "title"))
    found = desk.find_jobs(Wanted(**chosen), person=person, title=title)
    return found.filter(pk=pk) if pk else found


def _before(found: QuerySet[Rendition], marker: str) -> QuerySet[Rendition]:
    return found.filter(pk__lt=int(marker)) if marker.isdecimal() else found


def _asked(form: JobForm) -> dict[str, str]:
    """Return the filters that are set as they were sent, for addresses and hidden fields."""
    return {name: str(form.data[name]) for name in form.chosen}


def _done(request: PersonRequest, action: Action, form: JobForm, ids: list[int]) -> HttpResponse:
    reason = request.POST.get("why", "")
    count = (
        desk.act(action, ids, by=request.user, reason=reason, now=timezone.now(), filters=_asked(form)) if ids else 0
    )
    text = ngettext("%(action)s: %(count)s painting.", "%(action)s: %(count)s paintings.", count)
    messages.success(request, text % {"action": action.label, "count": count})
    one = form.chosen.get("job")
    return redirect(reverse("job", args=[one]) if one and action != Action.DELETE else reverse("jobs"))


def _parameters(rendition: Rendition) -> list[tuple[str, object]]:
    try:
        recipe = recipes.parse(rendition.recipe)
    except ParameterError:
        return []
    return [("long edge", recipe.long_edge), *recipe.values]


def _lines(found: QuerySet[Rendition]) -> Iterator[tuple[object, ...]]:
    yield HEADINGS
    marker: int | None = None
    # By pages, not by one long query: a table that somebody fetches slowly must keep nothing open.
    while rows := desk.with_artworks((found.filter(pk__lt=marker) if marker else found)[:BATCH]):
        yield from (_line(rendition, artwork) for rendition, artwork in rows)
        marker = rows[-1][0].pk


def _line(job: Rendition, artwork: Any) -> tuple[object, ...]:  # Any: an artwork, or None
    owner, title = (artwork.photo.owner.get_username(), artwork.photo.title) if artwork else ("", "")
    moments = [at.isoformat() if at else "" for at in (job.waiting_since, job.started_at, job.finished_at)]
    told = (job.state, job.reason, job.lane, job.priority, job.worker, job.tries)
    return (job.pk, owner, title, job.style, job.recipe, *told, *moments, job.cpu_seconds, job.stored_bytes)
