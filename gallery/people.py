"""People as staff see them: who is here and what each uses, who comes in, who may do what, and nobody in their place.

Whoever acts here leaves a line in the audit log. Staff act on people; only superusers act on staff, and nobody on
themselves.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime

from django.contrib.auth.models import Group, Permission
from django.db import models, transaction
from django.db.models import Count, OuterRef, Q, QuerySet, Subquery, Sum
from django.db.models.functions import Coalesce
from django.utils.translation import gettext_lazy as _

from gallery import accounts, allowances, audit
from gallery.allowances import MEGABYTE, Kind, Use
from gallery.models import Allowance, Artwork, Invitation, Photo, User

LIMITS = ("paintings_an_hour", "uploads_an_hour", "photos_at_once", "megabytes")


class Preset(models.TextChoices):
    """Allowances with a name; each is a group, whose figures can be changed in the admin."""

    NONE = "", _("as the site has it")
    GUEST = "guest", _("guest")
    MEMBER = "member", _("member")
    STUDIO = "studio", _("studio")


class Role(models.TextChoices):
    """What a member of the staff may do; each is a group, whose permissions can be changed in the admin."""

    NONE = "", _("no staff")
    HELPER = "helper", _("helper: sees the desk, has paintings tried again")
    MANAGER = "manager", _("manager: looks after people, paintings and notices")


class Standing(models.TextChoices):
    """How a person stands."""

    ACTIVE = "active", _("active")
    WAITING = "waiting", _("waits for approval")
    OFF = "off", _("switched off")
    STAFF = "staff", _("staff")


GUEST = {"paintings_an_hour": 100, "uploads_an_hour": 25, "photos_at_once": 25, "megabytes": 1000}
MEMBER: dict[str, int | None] = dict.fromkeys(LIMITS)
STUDIO = {"paintings_an_hour": 20_000, "uploads_an_hour": 5000, "photos_at_once": 5000, "megabytes": 200_000}
FIGURES: Mapping[Preset, Mapping[str, int | None]] = {
    Preset.GUEST: GUEST,
    Preset.MEMBER: MEMBER,
    Preset.STUDIO: STUDIO,
}

HELPS = ("see_desk", "manage_jobs")
MANAGES = (
    *HELPS,
    "pause_painting",
    "view_user",
    "change_user",
    "view_allowance",
    "change_allowance",
    "view_invitation",
    "add_invitation",
    "view_notice",
    "add_notice",
    "change_notice",
    "view_auditentry",
)
PERMISSIONS: Mapping[Role, Iterable[str]] = {Role.HELPER: HELPS, Role.MANAGER: MANAGES}


class NotTheirs(Exception):  # noqa: N818 - reads as what it says: it is not theirs to do
    """Somebody acts on a person who is not theirs to act on."""


@dataclass(frozen=True)
class Facts:
    """A person in the list, with what is shown beside the name."""

    person: User
    standing: Standing
    photos: int
    paintings: int
    bytes: int
    storage: Use


def everybody(*, words: str = "", standing: str = "") -> QuerySet[User]:
    """Return the people whose name or address has these words, who stand so, by name."""
    found = User.objects.filter(_named(words), STANDS.get(standing, Q()))
    return found.select_related("allowance").prefetch_related("groups__allowance").order_by("username")


def facts_of(people: QuerySet[User]) -> list[Facts]:
    """Return what each of these people has here, in a constant number of queries."""
    photos = Photo.objects.filter(owner=OuterRef("pk")).order_by().values("owner")
    paintings = Artwork.objects.filter(photo__owner=OuterRef("pk")).order_by().values("photo__owner")
    counted = people.annotate(
        photo_count=Coalesce(Subquery(photos.annotate(count=Count("pk")).values("count")), 0),
        painting_count=Coalesce(Subquery(paintings.annotate(count=Count("pk")).values("count")), 0),
        original_bytes=Coalesce(Subquery(photos.annotate(sum=Sum("source__size")).values("sum")), 0),
        page_bytes=Coalesce(Subquery(photos.annotate(sum=Sum("source__stored_bytes")).values("sum")), 0),
    )
    return [_facts(person) for person in counted]


def standing_of(person: User) -> Standing:
    """Return how a person stands."""
    if person.awaits_approval:
        return Standing.WAITING
    if not person.is_active:
        return Standing.OFF
    return Standing.STAFF if person.is_staff else Standing.ACTIVE


def may_act(by: User, person: User) -> bool:
    """Return whether somebody may act on this person."""
    return by.pk != person.pk and (by.is_superuser or not (person.is_staff or person.is_superuser))


def waiting_for_approval() -> int:
    """Return how many people wait to be let in."""
    return User.objects.filter(awaits_approval=True).count()


def approve(person: User, *, by: User, reason: str = "", now: datetime) -> bool:
    """Let somebody in who waits for it; False if nobody does any more."""
    _check(by, person)
    waiting = User.objects.filter(pk=person.pk, awaits_approval=True)
    with transaction.atomic():
        if not waiting.update(awaits_approval=False, is_active=True):
            return False
        audit.note(by=by, action="person.approve", subject=person.username, reason=reason, now=now)
    return True


def refuse(person: User, *, by: User, reason: str, now: datetime) -> bool:
    """Delete the account of somebody who waits to be let in; False if nobody does any more."""
    _check(by, person)
    with transaction.atomic():
        found = User.objects.select_for_update().filter(pk=person.pk, awaits_approval=True).first()
        if found is None:
            return False
        accounts.close_account(found)
        audit.note(by=by, action="person.refuse", subject=person.username, reason=reason, now=now)
    return True


def disable(person: User, *, by: User, reason: str, now: datetime) -> bool:
    """Switch an account off: its browsers are out with the next page, its photos stay; False if it was off."""
    _check(by, person)
    with transaction.atomic():
        if not User.objects.filter(pk=person.pk, is_active=True).update(is_active=False):
            return False
        audit.note(by=by, action="person.disable", subject=person.username, reason=reason, now=now)
    return True


def enable(person: User, *, by: User, reason: str, now: datetime) -> bool:
    """Switch an account on again; False if it is on, or was never let in."""
    _check(by, person)
    off = User.objects.filter(pk=person.pk, is_active=False, awaits_approval=False)
    with transaction.atomic():
        if not off.update(is_active=True):
            return False
        audit.note(by=by, action="person.enable", subject=person.username, reason=reason, now=now)
    return True


def preset_of(person: User) -> Preset:
    """Return the named allowance that a person has."""
    names = {group.name for group in person.groups.all()}
    return next((preset for preset in FIGURES if preset.value in names), Preset.NONE)


def allow(
    person: User, *, preset: Preset, limits: Mapping[str, int | None], by: User, reason: str, now: datetime
) -> None:
    """Give somebody a named allowance, and limits of their own, which count before it; None: no own limit."""
    _check(by, person)
    with transaction.atomic():
        person.groups.remove(*Group.objects.filter(name__in=[each.value for each in FIGURES]))
        if preset in FIGURES:
            person.groups.add(_preset_group(preset))
        _set_own_limits(person, limits)
        facts = {"preset": preset.value, **limits}
        audit.note(by=by, action="person.allow", subject=person.username, reason=reason, now=now, **facts)


def role_of(person: User) -> Role:
    """Return the role that a person has, whose permissions are those of its group."""
    names = {group.name for group in person.groups.all()}
    return next((role for role in (Role.MANAGER, Role.HELPER) if role.value in names), Role.NONE)


def give_role(person: User, *, role: Role, by: User, reason: str, now: datetime) -> None:
    """Make somebody staff in a role, or no longer; superusers alone do that."""
    _check(by, person)
    if not by.is_superuser:
        raise NotTheirs
    with transaction.atomic():
        person.groups.remove(*Group.objects.filter(name__in=[each.value for each in PERMISSIONS]))
        if role in PERMISSIONS:
            person.groups.add(_role_group(role))
        person.is_staff = person.is_superuser or role in PERMISSIONS
        person.save(update_fields=["is_staff"])
        audit.note(by=by, action="person.role", subject=person.username, reason=reason, now=now, role=role.value)


def invite(*, by: User, note: str, now: datetime) -> Invitation:
    """Make an invitation, and write down who did."""
    with transaction.atomic():
        invitation = accounts.invite(by=by, note=note, now=now)
        audit.note(by=by, action="person.invite", subject=note, now=now)
    return invitation


def _named(words: str) -> Q:
    asked = Q()
    for word in words.split():
        asked &= Q(username__icontains=word) | Q(email__icontains=word)
    return asked


STANDS = {
    Standing.ACTIVE.value: Q(is_active=True, is_staff=False),
    Standing.WAITING.value: Q(awaits_approval=True),
    Standing.OFF.value: Q(is_active=False, awaits_approval=False),
    Standing.STAFF.value: Q(is_active=True, is_staff=True),
}


def _facts(person: User) -> Facts:
    counted = vars(person)
    rows = [group.allowance for group in person.groups.all() if hasattr(group, "allowance")]
    own = [person.allowance] if hasattr(person, "allowance") else []
    allowed = allowances.weigh(person, [*own, *rows])
    return Facts(
        person=person,
        standing=standing_of(person),
        photos=counted["photo_count"],
        paintings=counted["painting_count"],
        bytes=counted["original_bytes"] + counted["page_bytes"],
        storage=Use(Kind.STORAGE, counted["original_bytes"], allowed.megabytes * MEGABYTE),
    )


def _check(by: User, person: User) -> None:
    if not may_act(by, person):
        raise NotTheirs


def _preset_group(preset: Preset) -> Group:
    group, _made = Group.objects.get_or_create(name=preset.value)
    Allowance.objects.get_or_create(group=group, defaults=dict(FIGURES[preset]))
    return group


def _role_group(role: Role) -> Group:
    group, made = Group.objects.get_or_create(name=role.value)
    if made:
        ours = Permission.objects.filter(content_type__app_label="gallery", codename__in=PERMISSIONS[role])
        group.permissions.set(ours)
    return group


def _set_own_limits(person: User, limits: Mapping[str, int | None]) -> None:
    if any(limits.get(name) is not None for name in LIMITS):
        Allowance.objects.update_or_create(person=person, defaults={name: limits.get(name) for name in LIMITS})
    else:
        Allowance.objects.filter(person=person).update(**dict.fromkeys(LIMITS))
