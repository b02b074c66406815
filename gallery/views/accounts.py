"""Settings, languages and themes, the end of an account, the first admin, invitations."""

from typing import cast

from allauth.account.decorators import reauthentication_required
from allauth.core.ratelimit import consume_or_429
from django.conf import settings
from django.contrib import messages
from django.contrib.auth import login, logout
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils import timezone, translation
from django.utils.crypto import constant_time_compare
from django.utils.translation import gettext as _
from django.utils.translation import ngettext
from django.views.decorators.debug import sensitive_post_parameters
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from gallery import accounts, allowances, people
from gallery import browsers as signed_in
from gallery.forms import CloseAccountForm, InvitationForm, LanguageForm, PreferencesForm, SetupForm, ThemeForm
from gallery.http import PersonRequest, for_person, for_staff_with, next_or
from gallery.languages import THEME_COOKIE
from gallery.models import Invitation, User

page_with_form = require_http_methods(["GET", "HEAD", "POST"])


@for_person
@page_with_form
def preferences(request: PersonRequest) -> HttpResponse:
    """Show and keep what a person likes."""
    form = PreferencesForm(request.POST if request.method == "POST" else None, person=request.user)
    if request.method != "POST" or not form.is_valid():
        uses = allowances.uses_of(request.user, now=timezone.now())
        context = {
            "form": form,
            "usage": accounts.usage_of(request.user),
            "uses": uses,
            "cost": accounts.cost_of_next_photo(request.user),
        }
        return render(request, "gallery/preferences.html", context)
    if form.changes_email:
        # Who gets the mail for a forgotten password owns the account: a borrowed session is not enough.
        return cast("HttpResponse", _keep_after_password(request, form))
    return _keep(request, form)


@for_person
@page_with_form
def browsers(request: PersonRequest) -> HttpResponse:
    """Show where the person is signed in; a POST signs out there, or everywhere else."""
    here, now = request.session.session_key or "", timezone.now()
    if request.method != "POST":
        found = signed_in.of(request.user, current=here, now=now)
        return render(request, "gallery/browsers.html", {"browsers": found})
    if "browser" in request.POST:
        ended = signed_in.sign_out(request.user, request.POST["browser"], current=here, now=now)
        text = _("That browser was signed out.") if ended else _("That browser is signed in no more.")
    else:
        text = _signed_out(signed_in.sign_out_others(request.user, current=here, now=now))
    messages.success(request, text)
    return redirect("browsers")


def _signed_out(count: int) -> str:
    text = ngettext("%(count)s other browser was signed out.", "%(count)s other browsers were signed out.", count)
    return text % {"count": count} if count else _("You are signed in nowhere else.")


@for_person
@page_with_form
@sensitive_post_parameters("password")
def close_account(request: PersonRequest) -> HttpResponse:
    """Ask for the password, then delete the account with everything in it."""
    slowed = consume_or_429(request, action="reauthenticate", user=request.user)
    if slowed is not None:
        return cast("HttpResponse", slowed)
    form = CloseAccountForm(request.POST if request.method == "POST" else None, person=request.user)
    if request.method != "POST" or not form.is_valid():
        context = {"form": form, "usage": accounts.usage_of(request.user)}
        return render(request, "gallery/close_account.html", context)
    accounts.close_account(request.user)
    logout(request)
    messages.success(request, _("Your account and everything in it is deleted."))
    return redirect(f"{reverse('album')}#left")


@require_POST
def language(request: HttpRequest) -> HttpResponse:
    """Speak another language from now on."""
    response = redirect(next_or(request, reverse("album")))
    form = LanguageForm(request.POST)
    if form.is_valid():
        chosen = form.cleaned_data["language"]
        _set_cookie(response, settings.LANGUAGE_COOKIE_NAME, chosen)
        if isinstance(request.user, User):
            accounts.change_language(request.user, language=chosen)
    return response


@require_POST
def theme(request: HttpRequest) -> HttpResponse:
    """Show light or dark pages from now on."""
    response = redirect(next_or(request, reverse("album")))
    form = ThemeForm(request.POST)
    if form.is_valid():
        chosen = form.cleaned_data["theme"]
        _set_cookie(response, THEME_COOKIE, chosen)
        if isinstance(request.user, User):
            accounts.change_theme(request.user, theme=chosen)
    return response


@page_with_form
@sensitive_post_parameters("password")
def setup(request: HttpRequest, token: str) -> HttpResponse:
    """Make the first admin; once there is one, this page does not exist."""
    expected = accounts.setup_token()
    if expected is None or not constant_time_compare(token, expected):
        raise Http404
    form = SetupForm(request.POST if request.method == "POST" else None)
    if request.method != "POST" or not form.is_valid():
        return render(request, "gallery/setup.html", {"form": form})
    try:
        admin = accounts.make_first_admin(**form.cleaned_data)
    except accounts.AdminExists as error:
        raise Http404 from error
    login(request, admin)
    return redirect("album")


@require_safe
def waiting(request: HttpRequest) -> HttpResponse:
    """Tell somebody who has signed up that staff let people in."""
    return render(request, "gallery/waiting.html")


@require_safe
def invitation(request: HttpRequest, key: str) -> HttpResponse:
    """Remember an invitation, and go to sign up; used ones lead to a page that says that sign-up is closed."""
    if accounts.find_invitation(key, now=timezone.now()):
        request.session[accounts.INVITATION] = key
    return redirect("account_signup")


@for_staff_with("gallery.add_invitation")
@page_with_form
def invitations(request: PersonRequest) -> HttpResponse:
    """Show and make invitations."""
    form = InvitationForm(request.POST if request.method == "POST" else None)
    if request.method == "POST" and form.is_valid():
        people.invite(by=request.user, note=form.cleaned_data["note"], now=timezone.now())
        return redirect("invitations")
    made = Invitation.objects.select_related("invited_by", "used_by").order_by("-pk")[:100]
    return render(request, "gallery/invitations.html", {"form": form, "invitations": made})


def _keep(request: PersonRequest, form: PreferencesForm) -> HttpResponse:
    wishes = dict(form.cleaned_data)
    accounts.keep_private(request.user, private=wishes.pop("private", request.user.private))
    accounts.change_preferences(request.user, **wishes)
    language, theme = form.cleaned_data["language"], form.cleaned_data["theme"]
    response = redirect("preferences")
    _set_cookie(response, THEME_COOKIE, theme)
    if language:
        _set_cookie(response, settings.LANGUAGE_COOKIE_NAME, language)
    with translation.override(language or translation.get_language()):
        messages.success(request, _("Saved."))
    return response


_keep_after_password = reauthentication_required(_keep)


def _set_cookie(response: HttpResponse, name: str, value: str) -> None:
    age = settings.LANGUAGE_COOKIE_AGE
    response.set_cookie(name, value, max_age=age, secure=settings.SESSION_COOKIE_SECURE, samesite="Lax")
