"""Costs and savings on pages: computing time, money, and what one artwork has saved."""

from django import template
from django.conf import settings
from django.utils.formats import number_format
from django.utils.translation import gettext as _

from gallery import ledger
from gallery.ledger import Cost
from gallery.models import Artwork
from gallery.templatetags.words import duration

register = template.Library()

MINUTE, HOUR = 60, 3600


@register.simple_tag
def cost(artwork: Artwork) -> Cost | None:
    """Return what an artwork would have cost and what it did; None until it is painted."""
    return ledger.cost_of(artwork)


@register.filter
def cpu(seconds: float) -> str:
    """Return computing time as people say it: `20 ms`, `0.3 s`, `3 min 5 s`, `4.2 h`."""
    if abs(seconds) < 0.0995:
        return milliseconds(seconds)
    if seconds >= 100 * MINUTE:
        return _("%(hours)s h") % {"hours": _number(seconds / HOUR, 1)}
    return duration(seconds)


@register.filter
def milliseconds(seconds: float) -> str:
    """Return computing time in milliseconds, for comparing."""
    return _("%(milliseconds)s ms") % {"milliseconds": _number(seconds * 1000, 0)}


@register.filter
def money(amount: float) -> str:
    """Return a sum with the site's currency; small ones with as many digits as they need."""
    digits = 4 if 0.00005 <= abs(amount) < 1 else 2
    return _("%(amount)s %(currency)s") % {"amount": _number(amount, digits), "currency": settings.CURRENCY}


@register.filter
def percent(share: float) -> str:
    """Return a share of one in whole percent."""
    return f"{round(share * 100)}%"


def _number(value: float, digits: int) -> str:
    # Rounded first: Django's own cuts what is too long.
    return number_format(round(value, digits), digits, force_grouping=True)
