"""The job console, for staff: finding paintings, acting on one or on all that were found, and the audit log."""

import json
from collections.abc import Iterator
from typing import Any
from urllib.parse import urlencode

from django.contrib import messages
from django.core.paginator import Paginator
from django.db.models import QuerySet
from django.http import Http404, HttpResponse, StreamingHttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import ngettext
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from gallery import audit, desk
from gallery.desk import Job
from gallery.forms import AuditForm, JobForm
from gallery.http import PersonRequest, for_staff_with, table_file
from gallery.models import AuditEntry, Photo
from rendering import console, recipes, styles
from rendering.console import Action, Wanted
from rendering.models import KINDS, Kind, Rendition, Work
from rendering.recipes import FULL_SIZE
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
    """Show the paintings (or readings, or files) that are looked for, newest first."""
    form = JobForm(request.GET)
    found = _before(_found(form), request.GET.get("before", ""))
    rows = desk.newest(found, PAGE + 1, kind=form.of)
    context = {
        "kind": form.of,
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
    """Send all work that is looked for as a table."""
    form = JobForm(request.GET)
    return table_file(request, _("Jobs"), _lines(_found(form), form.of))


@for_staff_with("gallery.see_desk")
@require_safe
def job(request: PersonRequest, pk: int, kind: str = Kind.PAINTING) -> HttpResponse:
    """Show one piece of work: its way, its recipe, why it failed, and who has it."""
    if kind not in Kind.values:
        raise Http404
    of = Kind(kind)
    found: QuerySet[Work] = KINDS[of].objects.filter(pk=pk)
    rows = desk.with_photos(found, kind=of)
    if not rows:
        raise Http404
    [(work, photo)] = rows
    context = {
        "kind": of,
        "job": work,
        "photo": photo,
        "events": console.history(work),
        "parameters": _parameters(work),
        "actions": [action for action in Action if desk.fitting(found, action, kind=of)],
        "notes": audit.entries(words=desk.subject_of(of, pk)).filter(subject=desk.subject_of(of, pk))[:20],
    }
    return render(request, "gallery/console_job.html", context)


@for_staff_with("gallery.manage_jobs")
@require_http_methods(["GET", "HEAD", "POST"])
def act(request: PersonRequest) -> HttpResponse:
    """Say to how many pieces of work an action fits and ask for the reason; then do it."""
    sent = request.POST if request.method == "POST" else request.GET
    if sent.get("action") not in Action.values:
        raise Http404
    action, form = Action(sent["action"]), JobForm(sent)
    ids = desk.fitting(_found(form), action, kind=form.of)
    if request.method == "POST":
        return _done(request, action, form, ids)
    asked = _asked(form)
    told = [(form.fields[name].label or name, value) for name, value in asked.items()]
    context = {"action": action, "kind": form.of, "count": len(ids), "most": desk.MOST, "asked": asked, "told": told}
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


@for_staff_with("gallery.see_desk")
@require_safe
def audit_file(request: PersonRequest) -> StreamingHttpResponse:
    """Send what staff did, as far as it is asked for, as a table."""
    found = audit.entries(**AuditForm(request.GET, actions=audit.actions()).chosen)
    return table_file(request, _("Audit log"), _entries(found))


def _found(form: JobForm) -> QuerySet[Work]:
    chosen = form.chosen
    if form.errors:
        # What is not understood must not make an action reach further than was meant.
        return Rendition.objects.none()
    pk, person, title = (chosen.pop(name, "") for name in ("job", "person", "title"))
    chosen.pop("kind", None)
    found = desk.find_jobs(Wanted(**chosen), kind=form.of, person=person, title=title)
    return found.filter(pk=pk) if pk else found


def _before(found: QuerySet[Work], marker: str) -> QuerySet[Work]:
    return found.filter(pk__lt=int(marker)) if marker.isdecimal() else found


def _asked(form: JobForm) -> dict[str, str]:
    """Return the filters that are set as they were sent, for addresses and hidden fields."""
    return {name: str(form.data[name]) for name in form.chosen}


def _done(request: PersonRequest, action: Action, form: JobForm, ids: list[int]) -> HttpResponse:
    job, reason = Job(action, form.of), request.POST.get("why", "")
    count = desk.act(job, ids, by=request.user, reason=reason, now=timezone.now(), filters=_asked(form)) if ids else 0
    text = ngettext("%(action)s: done to %(count)s.", "%(action)s: done to %(count)s.", count)
    messages.success(request, text % {"action": action.label, "count": count})
    one = form.chosen.get("job")
    if one and action != Action.DELETE:
        return redirect("work", form.of.value, one)
    return redirect(f"{reverse('jobs')}?{urlencode({'kind': form.of.value})}" if form.of != Kind.PAINTING else "jobs")


def _parameters(work: Work) -> list[tuple[str, object]]:
    text = getattr(work, "recipe", "")
    try:
        recipe = recipes.parse(text) if text else None
    except ParameterError:
        return []
    if recipe is None:
        return []
    style = styles.find(recipe.style)
    labels = {each.name: _(each.label) for each in style.parameters} if style else {}
    edge = _("as large as the photo") if recipe.long_edge == FULL_SIZE else recipe.long_edge
    return [(_("longer side in pixels"), edge), *((labels.get(name, name), value) for name, value in recipe.values)]


def _lines(found: QuerySet[Work], kind: Kind) -> Iterator[tuple[object, ...]]:
    yield HEADINGS
    marker: int | None = None
    # By pages, not by one long query: a table that somebody fetches slowly must keep nothing open.
    while rows := desk.with_photos((found.filter(pk__lt=marker) if marker else found)[:BATCH], kind=kind):
        yield from (_line(work, photo) for work, photo in rows)
        marker = rows[-1][0].pk


def _line(job: Any, photo: Photo | None) -> tuple[object, ...]:  # Any: a source, a rendition or an export
    owner, title = (photo.owner.get_username(), photo.title) if photo else ("", "")
    moments = [at.isoformat() if at else "" for at in (job.waiting_since, job.started_at, job.finished_at)]
    told = (job.state, job.reason, job.lane, job.priority, job.worker, job.tries)
    made = (getattr(job, "style", ""), getattr(job, "recipe", ""))
    size = getattr(job, "stored_bytes", None)
    return (job.pk, owner, title, *made, *told, *moments, job.cpu_seconds, job.size if size is None else size)


def _entries(found: QuerySet[AuditEntry]) -> Iterator[tuple[object, ...]]:
    yield ("at", "who", "what", "of_what", "why", "facts")
    for page in Paginator(found, BATCH):
        for entry in page.object_list:
            told = (entry.actor_name, entry.action, entry.subject, entry.reason)
            yield (entry.at.isoformat(), *told, json.dumps(entry.facts, ensure_ascii=False))
