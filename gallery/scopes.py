"""Scopes: with whom a person's photos share what was painted before."""

from django.conf import settings

from gallery.models import User

EVERYBODY = ""


def scope_of(person: User) -> str:
    """Return within which circle a person's new photos are known: everybody's, or the person's own.

    A person's own is the lane: it names nobody, and it is never given to another person.
    """
    shared = settings.SHARED_CACHE and not person.private
    return EVERYBODY if shared else person.lane
