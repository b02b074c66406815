"""The raw queue's own pages: for superusers alone, and whatever they do there is in the audit log."""

from collections.abc import Callable
from functools import wraps
from typing import cast

from django.contrib import admin
from django.http import HttpRequest, HttpResponse
from django.urls import URLPattern, path
from django.utils import timezone
from django_rq.models import Dashboard
from django_rq.stats_views import prometheus_metrics, stats_json
from django_rq.urls import get_admin_urlpatterns

from gallery import audit
from gallery.http import PersonRequest, View, for_superusers

CHANGES_NOTHING = ("confirm_action",)
"""Pages that are posted to and only ask once more."""
TOLD = 20
"""So many jobs are named in the audit log."""

# django-rq's own entry lets any staff member empty the queue, and has pages for tokens: ours is below.
admin.site.unregister(Dashboard)


def guarded(view: Callable[..., HttpResponse]) -> View:
    """Show a page of the queue to superusers; what is posted to it is written down."""

    @for_superusers
    @wraps(view)
    def shown(request: HttpRequest, *args: object, **named: object) -> HttpResponse:
        response = view(request, *args, **named)
        if request.method == "POST" and response.status_code < 400:
            _note(cast("PersonRequest", request), str(named.get("job_id", "")))
        return response

    return shown


def _note(request: PersonRequest, job: str) -> None:
    name = request.resolver_match.url_name if request.resolver_match else ""
    if name in CHANGES_NOTHING:
        return
    facts = {"chosen": request.POST["action"]} if "action" in request.POST else {}
    jobs = [job] if job else request.POST.getlist("job_ids")[:TOLD]
    audit.note(by=request.user, action=f"queue.{name}", subject=", ".join(jobs), now=timezone.now(), **facts)


pages: list[URLPattern] = [
    *get_admin_urlpatterns(view_wrapper=guarded),
    path("stats.json", guarded(stats_json), name="home_json"),
    path("metrics", guarded(prometheus_metrics), name="metrics"),
]
