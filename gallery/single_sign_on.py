"""Single sign-on: who comes from an OpenID Connect provider is let in by the rules that hold for everybody."""

import logging
from collections.abc import Callable
from functools import wraps
from typing import TYPE_CHECKING

from allauth.core.exceptions import ImmediateHttpResponse
from allauth.socialaccount.adapter import DefaultSocialAccountAdapter
from django.db import transaction
from django.forms import BaseForm
from django.http import HttpRequest
from django.shortcuts import redirect
from django.utils import timezone
from requests import RequestException, Response, Session

from gallery import accounts
from gallery.models import User

if TYPE_CHECKING:
    from allauth.socialaccount.models import SocialLogin  # an app that is there only where single sign-on is set

log = logging.getLogger(__name__)


class SingleSignOnAdapter(DefaultSocialAccountAdapter):  # type: ignore[misc]  # allauth brings no types
    """What allauth asks the site about people who come from the provider."""

    def save_user(self, request: HttpRequest, sociallogin: "SocialLogin", form: BaseForm | None = None) -> User:
        """Keep a new person; with a form, the account's own adapter keeps it and uses the invitation."""
        if form is not None:
            saved: User = super().save_user(request, sociallogin, form)
            return saved
        with transaction.atomic():
            person: User = super().save_user(request, sociallogin)
            key = request.session.get(accounts.INVITATION, "")
            accounts.let_in(person, invitation_key=key, now=timezone.now())
        request.session.pop(accounts.INVITATION, None)
        return person

    def get_requests_session(self) -> Session:
        """Return the way to the provider; when nobody answers there, a page says so."""
        session: Session = super().get_requests_session()
        session.request = _answered(session.request)  # type: ignore[method-assign]  # as allauth itself sets its time limit
        return session


def _answered(ask: Callable[..., Response]) -> Callable[..., Response]:
    @wraps(ask)
    def asking(*args: object, **named: object) -> Response:
        try:
            response = ask(*args, **named)
            response.raise_for_status()
        except RequestException as error:
            log.warning("the provider of the single sign-on did not answer: %s", error)
            raise ImmediateHttpResponse(redirect("socialaccount_login_error")) from error
        return response

    return asking
