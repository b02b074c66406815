"""The language and the theme of a person's pages."""

from django.conf import settings
from django.contrib.auth.middleware import get_user
from django.http import HttpRequest
from django.middleware.locale import LocaleMiddleware
from django.utils import translation

from gallery.models import Theme, User

THEME_COOKIE = "theme"


class PersonLocaleMiddleware(LocaleMiddleware):
    """Speaks the person's stored language, else the cookie's, else the browser's."""

    def process_request(self, request: HttpRequest) -> None:
        """Choose the language; the person is read once here and kept for the rest of the request."""
        super().process_request(request)
        person = get_user(request)
        if isinstance(person, User) and person.language:
            translation.activate(person.language)
            request.LANGUAGE_CODE = translation.get_language()


def page(request: HttpRequest) -> dict[str, object]:
    """Return what the frame of every page shows: theme, languages to choose from, whether anybody may sign up."""
    return {
        "theme": _theme(request),
        "language_choices": settings.LANGUAGES,
        "sign_up_open": settings.SIGN_UP == "open",
    }


def _theme(request: HttpRequest) -> str:
    person = getattr(request, "user", None)
    chosen = person.theme if isinstance(person, User) else request.COOKIES.get(THEME_COOKIE, "")
    return chosen if chosen in Theme.values else Theme.AUTO
