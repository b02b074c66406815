"""People: who may sign up, the first admin, preferences, invitations, and the end of an account."""

from dataclasses import dataclass
from datetime import datetime, timedelta
from statistics import fmean
from typing import Any
from urllib.parse import urlsplit

from allauth.account.adapter import DefaultAccountAdapter
from allauth.account.models import EmailAddress
from allauth.core.exceptions import ImmediateHttpResponse
from django.conf import settings
from django.contrib import messages
from django.db import IntegrityError, transaction
from django.db.models import Avg, Exists, OuterRef, QuerySet, Sum
from django.forms import BaseForm
from django.http import HttpRequest, HttpResponseBase
from django.shortcuts import redirect
from django.utils import timezone
from django.utils.crypto import salted_hmac
from django.utils.translation import gettext as _

from gallery import photos
from gallery.models import Artwork, Invitation, User
from rendering.models import Rendition

INVITATION = "invitation"
LATEST = 100
INVITATION_LASTS = timedelta(days=14)
LIKED = ("language", "theme", "styles", "look", "full_size", "keys_off", "mail_when_done")
"""What a person chooses once, for every page, every upload, and for mail."""


class InvitationUsed(Exception):  # noqa: N818 - reads as what it says: the invitation is used
    """The invitation does not exist, is used, or has expired."""


class AdminExists(Exception):  # noqa: N818 - reads as what it says: an admin exists
    """The site has an admin already."""


@dataclass(frozen=True)
class Usage:
    """What one person keeps here."""

    photos: int
    artworks: int
    bytes: int


@dataclass(frozen=True)
class Cost:
    """What a person's next photo is likely to take: paintings, bytes of the file, CPU seconds."""

    paintings: int
    bytes: float
    cpu_seconds: float


class AccountAdapter(DefaultAccountAdapter):  # type: ignore[misc]  # allauth brings no types
    """What allauth asks the site: who may sign up, which names are free, and where the links in mails lead."""

    def is_open_for_signup(self, request: HttpRequest) -> bool:
        """Say whether this visitor may sign up."""
        return may_sign_up(request.session.get(INVITATION, ""), now=timezone.now())

    def get_logout_redirect_url(self, request: HttpRequest) -> str:
        """Lead to the door, with a word for the script that forgets what this browser kept to upload it."""
        return f"{super().get_logout_redirect_url(request)}#left"

    def clean_username(self, username: str, shallow: bool = False) -> str:
        """Return the name in its one spelling; raise ValidationError for a name that is taken, in whatever case."""
        cleaned: str = super().clean_username(User.normalize_username(username), shallow)
        return cleaned

    def save_user(self, request: HttpRequest, user: User, form: BaseForm, commit: bool = True) -> User:
        """Keep a new person, together with the use of the invitation."""
        try:
            with transaction.atomic():
                super().save_user(request, user, form, commit)
                let_in(user, invitation_key=request.session.get(INVITATION, ""), now=timezone.now())
        except InvitationUsed as error:
            raise _sign_up_again(request, _("This invitation has been used already.")) from error
        except IntegrityError as error:
            # Somebody else was faster by an instant.
            raise _sign_up_again(request, _("A user with that username already exists.")) from error
        request.session.pop(INVITATION, None)
        return user

    def respond_user_inactive(self, request: HttpRequest, user: User) -> HttpResponseBase:
        """Tell somebody who is not let in whether that may change by itself."""
        return redirect("waiting" if user.awaits_approval else "account_inactive")

    def get_reset_password_from_key_url(self, key: str) -> str:
        """Return the link of the mail; never by the request's own host, which a stranger may have made up."""
        return _on_this_site(super().get_reset_password_from_key_url(key))

    def get_email_confirmation_url(self, request: HttpRequest, emailconfirmation: Any) -> str:  # Any: one of two models
        """Return the link of the mail; never by the request's own host, which a stranger may have made up."""
        return _on_this_site(super().get_email_confirmation_url(request, emailconfirmation))


def may_sign_up(invitation_key: str, *, now: datetime) -> bool:
    """Return whether somebody with this invitation (or none: "") may make an account."""
    if settings.SIGN_UP == "invitation":
        return find_invitation(invitation_key, now=now) is not None
    return settings.SIGN_UP in ("open", "approval")


def let_in(person: User, *, invitation_key: str, now: datetime) -> None:
    """Use a new person's invitation; without one, the person waits where staff say who comes in.

    Raises InvitationUsed where nobody comes in without.
    """
    invited = settings.SIGN_UP in ("invitation", "approval") and _uses_invitation(invitation_key, by=person, now=now)
    if settings.SIGN_UP == "invitation" and not invited:
        raise InvitationUsed
    if settings.SIGN_UP == "approval" and not invited:
        person.is_active, person.awaits_approval = False, True
        person.save(update_fields=["is_active", "awaits_approval"])


def setup_token() -> str | None:
    """Return the secret of the link that makes the first admin; None when there is one."""
    if User.objects.filter(is_superuser=True).exists():
        return None
    return salted_hmac("gallery.accounts.setup_token", "the first admin", algorithm="sha256").hexdigest()


def make_first_admin(*, username: str, email: str, password: str) -> User:
    """Make the first superuser; raise AdminExists if there is one."""
    with transaction.atomic():
        if setup_token() is None:
            raise AdminExists
        admin = User.objects.create_superuser(username, email, password)
        _set_email(admin, email)
    return admin


def change_preferences(person: User, *, email: str, **liked: object) -> None:
    """Keep what a person chose for the pages, for new photos, and for mail: any of LIKED."""
    for name, value in liked.items():
        setattr(person, name, value)
    with transaction.atomic():
        person.save(update_fields=[name for name in LIKED if name in liked])
        if email.lower() != person.email.lower():
            _set_email(person, email)


def keep_private(person: User, *, private: bool) -> None:
    """Keep whether a person's photos stay out of the shared cache, from the next upload on."""
    person.private = private
    person.save(update_fields=["private"])


def change_language(person: User, *, language: str) -> None:
    """Keep the language in which a person reads."""
    person.language = language
    person.save(update_fields=["language"])


def change_theme(person: User, *, theme: str) -> None:
    """Keep the theme that a person likes."""
    person.theme = theme
    person.save(update_fields=["theme"])


def is_only_admin(person: User) -> bool:
    """Return whether the site would be without an admin if this person left."""
    return person.is_superuser and not User.objects.filter(is_superuser=True).exclude(pk=person.pk).exists()


def close_account(person: User) -> None:
    """Delete a person with every photo, artwork and file that nobody else needs."""
    with transaction.atomic():
        photos.erase_all(of=person, now=timezone.now())
        person.delete()


def usage_of(person: User) -> Usage:
    """Return how much a person keeps here; bytes count originals, thumbnails and paintings, in the bin as well."""
    sources = person.photos.aggregate(originals=Sum("source__size"), pages=Sum("source__stored_bytes"))
    paintings = Rendition.objects.filter(commissions__artworks__photo__owner=person).distinct()
    return Usage(
        photos=person.photos.kept().count(),
        artworks=Artwork.objects.filter(photo__owner=person, photo__removed_at=None).count(),
        bytes=sum(total or 0 for total in (*sources.values(), paintings.aggregate(pages=Sum("stored_bytes"))["pages"])),
    )


def cost_of_next_photo(person: User) -> Cost | None:
    """Return what one more photo takes with the person's own styles, by the latest ones; None before the first."""
    latest = person.photos.order_by("-pk").values_list("pk", "source__size", "source__cpu_seconds")[:LATEST]
    pks, sizes, readings = zip(*latest, strict=True) if latest else ((), (), ())
    painted = Artwork.objects.filter(photo__in=pks, style__in=person.styles, look=person.look)
    known = painted.filter(commission__rendition__cpu_seconds__gt=0)
    seconds = known.aggregate(mean=Avg("commission__rendition__cpu_seconds"))["mean"]
    if seconds is None:
        return None
    return Cost(len(person.styles), fmean(sizes), fmean(readings) + len(person.styles) * seconds)


def paintings_of_nobody_but(person: User) -> QuerySet[Rendition]:
    """Return the paintings that this person's history holds, and nobody else's."""
    others = Artwork.objects.exclude(photo__owner=person).filter(commission__rendition=OuterRef("pk"))
    return Rendition.objects.filter(~Exists(others), commissions__artworks__photo__owner=person).distinct()


def invite(*, by: User, note: str, now: datetime) -> Invitation:
    """Make an invitation for one person; it lasts for two weeks."""
    return Invitation.objects.create(invited_by=by, note=note, expires_at=now + INVITATION_LASTS)


def find_invitation(key: str, *, now: datetime) -> Invitation | None:
    """Return the invitation with this key with which somebody may still sign up, or None."""
    invitation = Invitation.objects.filter(key=key).first()
    return invitation if invitation and invitation.is_open(now=now) else None


def _sign_up_again(request: HttpRequest, text: str) -> ImmediateHttpResponse:
    messages.error(request, text)
    return ImmediateHttpResponse(redirect("account_signup"))


def _uses_invitation(key: str, *, by: User, now: datetime) -> bool:
    still_open = Invitation.objects.filter(key=key, used_at=None, expires_at__gt=now)
    # One UPDATE decides: of two people with one invitation, one gets in.
    return still_open.update(used_at=now, used_by=by) == 1


def _set_email(person: User, email: str) -> None:
    person.email = email.lower()
    person.save(update_fields=["email"])
    EmailAddress.objects.filter(user=person, primary=True).delete()
    if email:
        EmailAddress.objects.update_or_create(user=person, email=person.email, defaults={"primary": True})


def _on_this_site(address: str) -> str:
    return settings.SITE_URL + urlsplit(address)._replace(scheme="", netloc="").geturl()
