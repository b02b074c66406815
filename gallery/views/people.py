"""People, for staff: who is here, what each uses, who comes in, and who may do what."""

from collections.abc import Callable, Iterator
from typing import Any, cast

from django.contrib import messages
from django.core.paginator import Paginator
from django.db.models import QuerySet
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseBase, StreamingHttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.utils import timezone
from django.utils.translation import gettext as _
from django.views.decorators.http import require_POST, require_safe

from gallery import accounts, allowances, people
from gallery.forms import LimitsForm, PeopleForm, RoleForm, StandingForm, sentence
from gallery.http import PersonRequest, View, for_staff_with, table_file
from gallery.models import User

PAGE = 50
BATCH = 500
DONE = {
    "approve": lambda: _("%(name)s is let in."),
    "refuse": lambda: _("%(name)s is not let in; the account is deleted."),
    "disable": lambda: _("%(name)s is switched off."),
    "enable": lambda: _("%(name)s is switched on again."),
}


@for_staff_with("gallery.view_user")
@require_safe
def people_page(request: PersonRequest) -> HttpResponse:
    """Show everybody who is here, as far as they are asked for."""
    form = PeopleForm(request.GET)
    page = Paginator(people.everybody(**form.chosen), PAGE).get_page(request.GET.get("page"))
    asked = request.GET.copy()
    asked.pop("page", None)
    context = {
        "form": form,
        "page": page,
        "found": people.facts_of(cast("Any", page.object_list)),  # a query set: of one the page is a slice
        "waiting": people.waiting_for_approval(),
        "asked": asked.urlencode(),
    }
    return render(request, "gallery/people.html", context)


@for_staff_with("gallery.view_user")
@require_safe
def people_file(request: PersonRequest) -> StreamingHttpResponse:
    """Send everybody who is asked for, with what each uses, as a table."""
    return table_file(request, _("People"), _lines(people.everybody(**PeopleForm(request.GET).chosen)))


@for_staff_with("gallery.view_user")
@require_safe
def person(request: PersonRequest, pk: int) -> HttpResponse:
    """Show what one person uses, and what may be done about it."""
    return _show(request, _fetch(pk))


def _acting(permission: str) -> Callable[[Callable[[PersonRequest, User], HttpResponse]], View]:
    """Have a person acted on by staff who may; for all others the address does not exist."""

    def guard(view: Callable[[PersonRequest, User], HttpResponse]) -> View:
        @for_staff_with(permission)
        @require_POST
        def acting(request: HttpRequest, pk: int) -> HttpResponseBase:
            try:
                return view(cast("PersonRequest", request), _fetch(pk))
            except people.NotTheirs as error:
                raise Http404 from error

        return acting

    return guard


@_acting("gallery.change_user")
def standing(request: PersonRequest, person: User) -> HttpResponse:
    """Let somebody in or not, or switch an account off or on."""
    form = StandingForm(request.POST)
    if not form.is_valid():
        return _not_understood(request, person, sentence(form))
    action, reason = form.cleaned_data["action"], form.cleaned_data["reason"]
    now, by = timezone.now(), request.user
    done = {
        "approve": lambda: people.approve(person, by=by, reason=reason, now=now),
        "refuse": lambda: people.refuse(person, by=by, reason=reason, now=now),
        "disable": lambda: people.disable(person, by=by, reason=reason, now=now),
        "enable": lambda: people.enable(person, by=by, reason=reason, now=now),
    }[action]()
    if not done:
        return _not_understood(request, person, _("That was done already."))
    messages.success(request, DONE[action]() % {"name": person})
    return redirect("people") if action == "refuse" else redirect("person", person.pk)


@_acting("gallery.change_allowance")
def limits(request: PersonRequest, person: User) -> HttpResponse:
    """Give somebody a named allowance and own limits."""
    form = LimitsForm(request.POST)
    if not form.is_valid():
        return _show(request, person, limits_form=form)
    preset, reason = people.Preset(form.cleaned_data["preset"]), form.cleaned_data["reason"]
    people.allow(person, preset=preset, limits=form.limits, by=request.user, reason=reason, now=timezone.now())
    messages.success(request, _("Saved."))
    return redirect("person", person.pk)


@_acting("gallery.change_user")
def role(request: PersonRequest, person: User) -> HttpResponse:
    """Give somebody a role, or take it away."""
    form = RoleForm(request.POST)
    if not form.is_valid():
        return _not_understood(request, person, sentence(form))
    role, reason = people.Role(form.cleaned_data["role"]), form.cleaned_data["reason"]
    people.give_role(person, role=role, by=request.user, reason=reason, now=timezone.now())
    messages.success(request, _("Saved."))
    return redirect("person", person.pk)


def _fetch(pk: int) -> User:
    return get_object_or_404(User.objects.select_related("allowance").prefetch_related("groups__allowance"), pk=pk)


def _not_understood(request: PersonRequest, person: User, text: str) -> HttpResponse:
    messages.error(request, text)
    return redirect("person", person.pk)


def _show(request: PersonRequest, person: User, *, limits_form: LimitsForm | None = None) -> HttpResponse:
    may_act = people.may_act(request.user, person)
    may_allow = may_act and request.user.has_perm("gallery.change_allowance")
    context = {
        "person": person,
        "standing": people.standing_of(person),
        "usage": accounts.usage_of(person),
        "uses": allowances.uses_of(person, now=timezone.now()),
        "may_stand": may_act and request.user.has_perm("gallery.change_user"),
        "limits_form": (limits_form or _limits_form(person)) if may_allow else None,
        "role_form": _role_form(person) if may_act and request.user.is_superuser else None,
    }
    return render(request, "gallery/person.html", context)


def _limits_form(person: User) -> LimitsForm:
    own = getattr(person, "allowance", None)
    figures = {name: getattr(own, name, None) for name in people.LIMITS}
    return LimitsForm(initial={"preset": people.preset_of(person), **figures})


def _role_form(person: User) -> RoleForm:
    # Names of their own: the page has another form with a reason.
    return RoleForm(initial={"role": people.role_of(person)}, auto_id="id_role_%s")


def _lines(found: QuerySet[User]) -> Iterator[tuple[object, ...]]:
    yield ("name", "standing", "photos", "paintings", "bytes", "storage_limit", "last_here")
    for page in Paginator(found, BATCH):
        for facts in people.facts_of(cast("Any", page.object_list)):  # a query set: of one the page is a slice
            used = (facts.photos, facts.paintings, facts.bytes, facts.storage.limit)
            last = facts.person.last_login
            yield (facts.person.username, facts.standing.value, *used, last.isoformat() if last else "")
