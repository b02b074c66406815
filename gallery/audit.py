"""The audit log: who of the staff did what, of what, when and why."""

from datetime import datetime

from django.db.models import Q, QuerySet

from gallery.models import AuditEntry, User


def note(*, by: User, action: str, subject: str = "", reason: str = "", now: datetime, **facts: object) -> AuditEntry:
    """Write down what a member of the staff has just done; the name stays when the account goes."""
    cut = {"action": action[:60], "subject": subject[:200], "reason": reason[:300]}  # as long as the columns are
    return AuditEntry.objects.create(at=now, actor=by, actor_name=by.get_username(), facts=facts, **cut)


def entries(
    *, actor: str = "", action: str = "", words: str = "", since: datetime | None = None
) -> QuerySet[AuditEntry]:
    """Return what was done, the latest first, as far as it is asked for."""
    asked = Q()
    if actor:
        asked &= Q(actor_name__iexact=actor)
    if action:
        asked &= Q(action=action)
    if words:
        asked &= Q(subject__icontains=words) | Q(reason__icontains=words)
    if since:
        asked &= Q(at__gte=since)
    return AuditEntry.objects.filter(asked).order_by("-at", "-pk")


def actions() -> list[str]:
    """Return every kind of action that was ever done."""
    return sorted(AuditEntry.objects.order_by().values_list("action", flat=True).distinct())
