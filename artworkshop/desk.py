"""The doctor's page: what is wrong with this installation, in words, each with a button or a command that mends it."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime

from django.contrib import messages
from django.http import Http404, HttpResponse
from django.shortcuts import redirect, render
from django.utils import timezone
from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _
from django.views.decorators.http import require_POST, require_safe

from artworkshop.diagnosis import Finding, Level, examine_at_once
from gallery import audit
from gallery.http import PersonRequest, for_staff_with
from rendering import exports, lifetimes, turns
from rendering.models import Halt

SEE = "gallery.view_auditentry"
LEVELS = {Level.PROBLEM: _("Problem"), Level.HINT: _("Hint"), Level.GOOD: _("Good")}
WORST_FIRST = (Level.PROBLEM, Level.HINT, Level.GOOD)


@dataclass(frozen=True)
class Mend:
    """What a button does, who may press it, and what they are told afterwards."""

    label: Promise
    done: Promise
    permission: str
    act: Callable[[datetime], None]


@dataclass(frozen=True)
class Line:
    """A finding, with the button that this person may press."""

    finding: Finding
    label: Promise | None

    @property
    def level(self) -> Promise:
        """How bad it is, in a word."""
        return LEVELS[self.finding.level]

    @property
    def stage(self) -> str:
        """The icon that shows how bad it is."""
        return {Level.GOOD: "done", Level.HINT: "waiting", Level.PROBLEM: "failed"}[self.finding.level]


def _go_on(_now: datetime) -> None:
    for worker in list(Halt.objects.values_list("worker", flat=True)):
        turns.go_on(worker)


def _revive(now: datetime) -> None:
    turns.revive(now=now)


def _tidy(now: datetime) -> None:
    exports.expire(now=now)
    lifetimes.evict(now=now)


MENDS: Mapping[str, Mend] = {
    "go_on": Mend(_("Let them go on"), _("All workers go on."), "gallery.pause_painting", _go_on),
    "revive": Mend(_("Bring it back now"), _("What was left behind waits again."), "gallery.manage_jobs", _revive),
    "tidy": Mend(_("Remove what nobody needs"), _("What nobody needs is removed."), "gallery.manage_jobs", _tidy),
}


@for_staff_with(SEE)
@require_safe
def doctor(request: PersonRequest) -> HttpResponse:
    """Look at everything that is quick, and show what is wrong first."""
    found = sorted(examine_at_once(), key=lambda finding: WORST_FIRST.index(finding.level))
    lines = [Line(finding, _label(finding, request)) for finding in found]
    problems = sum(finding.level == Level.PROBLEM for finding in found)
    return render(request, "gallery/doctor.html", {"lines": lines, "problems": problems})


@for_staff_with(SEE)
@require_POST
def mend(request: PersonRequest) -> HttpResponse:
    """Do what a button says, and write down who pressed it; for those who may not, there is no such button."""
    name, now = request.POST.get("mend", ""), timezone.now()
    chosen = MENDS.get(name)
    if chosen is None or not request.user.has_perm(chosen.permission):
        raise Http404
    chosen.act(now)
    audit.note(by=request.user, action=f"doctor: {name}", reason=request.POST.get("why", ""), now=now)
    messages.success(request, str(chosen.done))
    return redirect("doctor")


def _label(finding: Finding, request: PersonRequest) -> Promise | None:
    chosen = MENDS.get(finding.mend)
    return chosen.label if chosen and request.user.has_perm(chosen.permission) else None
