"""The language, the theme and the time zone of a person's pages."""

from functools import cache
from zoneinfo import ZoneInfo, available_timezones

from django.conf import settings
from django.contrib.auth.middleware import get_user
from django.http import HttpRequest
from django.middleware.locale import LocaleMiddleware
from django.utils import timezone, translation

from gallery import notices
from gallery.models import Theme, User

THEME_COOKIE = "theme"
ZONE_COOKIE = "zone"  # set by the pages' script: no browser tells it by itself


class PersonLocaleMiddleware(LocaleMiddleware):
    """Speaks the person's stored language, else the cookie's, else the browser's; says times by the person's clock."""

    def process_request(self, request: HttpRequest) -> None:
        """Choose the language; the person is read once here and kept for the rest of the request."""
        super().process_request(request)
        person = get_user(request)
        if isinstance(person, User) and person.language:
            translation.activate(person.language)
            request.LANGUAGE_CODE = translation.get_language()
        zone = request.COOKIES.get(ZONE_COOKIE, "")
        timezone.activate(ZoneInfo(zone) if zone in _zones() else timezone.get_default_timezone())


def page(request: HttpRequest) -> dict[str, object]:
    """Return what the frame of every page shows: theme, languages to choose from, whether anybody may sign up."""
    return {
        "theme": _theme(request),
        "language_choices": settings.LANGUAGES,
        "sign_up_open": settings.SIGN_UP in ("open", "approval"),
        "notices": lambda: notices.standing(now=timezone.now()),
        "single_sign_on": settings.OIDC_NAME,
    }


@cache
def _zones() -> frozenset[str]:
    return frozenset(available_timezones())


def _theme(request: HttpRequest) -> str:
    person = getattr(request, "user", None)
    chosen = person.theme if isinstance(person, User) else request.COOKIES.get(THEME_COOKIE, "")
    return chosen if chosen in Theme.values else Theme.AUTO
