"""Words of the trade on pages: styles, looks, times, icons, and how a photo stands."""

from dataclasses import dataclass

from django import template
from django.templatetags.static import static
from django.utils import timezone
from django.utils.html import format_html
from django.utils.safestring import SafeString
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, ngettext, to_locale

from gallery.models import Artwork, Invitation, Photo, Stage
from rendering import styles
from rendering.models import ExportFormat, State

register = template.Library()

LOOK_LABELS = {
    "studio": gettext_lazy("Studio"),
    "classic": gettext_lazy("Classic"),
    "fast": gettext_lazy("Fast"),
}
WORKER_STATES = {
    "started": gettext_lazy("starting"),
    "idle": gettext_lazy("free"),
    "busy": gettext_lazy("painting"),
    "suspended": gettext_lazy("resting"),
}
UNFINISHED = (Stage.WAITING, Stage.READING, Stage.PAINTING)


@dataclass(frozen=True)
class Standing:
    """How a photo stands: a stage for the icon, words for people, and how many paintings are to come."""

    stage: str
    text: str
    coming: int


@register.filter
def style_label(name: str) -> str:
    """Return the name of a style in the person's language."""
    style = styles.find(name)
    return _(style.label) if style else name


@register.filter
def style_summary(name: str) -> str:
    """Return what a style looks like, in a sentence."""
    style = styles.find(name)
    return _(style.summary) if style else ""


@register.filter
def look_label(name: str) -> str:
    """Return the name of a look in the person's language."""
    return str(LOOK_LABELS.get(name, name))


@register.filter
def worker_state(name: str) -> str:
    """Return what a worker does, in the person's language."""
    return str(WORKER_STATES.get(name, name))


@register.filter
def duration(seconds: float | None) -> str:
    """Return a time as people say it: `0.8 s`, `12 s`, `3 min 5 s`; empty for none."""
    if seconds is None:
        return ""
    if seconds < 9.95:
        return _("%(seconds)s s") % {"seconds": f"{seconds:.1f}"}
    if seconds < 59.5:
        return _("%(seconds)s s") % {"seconds": round(seconds)}
    minutes, rest = divmod(round(seconds), 60)
    return _("%(minutes)s min %(seconds)s s") % {"minutes": minutes, "seconds": rest}


@register.filter
def language_tag(code: str) -> str:
    """Return a language in the spelling of the standard, such as `zh-Hans` for Django's `zh-hans`."""
    return to_locale(code).replace("_", "-")


@register.filter
def is_open(invitation: Invitation) -> bool:
    """Say whether somebody may still sign up with an invitation."""
    return invitation.is_open(now=timezone.now())


@register.simple_tag
def save_formats() -> list[tuple[str, str]]:
    """Return the formats in which a painting can be saved, with their names."""
    return ExportFormat.choices


@register.simple_tag
def icon(name: str) -> SafeString:
    """Return a picture sign of the one icon file; words stand beside it, so that it is silent."""
    return format_html('<svg class="icon" aria-hidden="true"><use href="{}#{}"/></svg>', static("img/icons.svg"), name)


@register.simple_tag
def on_card(photo: Photo) -> list[Artwork]:
    """Return one artwork of each style for the card: the newest that is shown or to come, else the newest."""
    best: dict[str, Artwork] = {}
    for artwork in photo.artworks.all():
        worse = artwork.stage in (Stage.FAILED, Stage.CANCELLED)
        if artwork.style not in best or not worse or best[artwork.style].stage in (Stage.FAILED, Stage.CANCELLED):
            best[artwork.style] = artwork
    order = {name: place for place, name in enumerate(styles.NAMES)}
    return sorted(best.values(), key=lambda artwork: order.get(artwork.style, len(order)))


@register.simple_tag
def standing(photo: Photo) -> Standing:
    """Say how a photo stands, all its artworks taken together."""
    stages = [artwork.stage for artwork in photo.artworks.all()]
    coming = sum(stage in UNFINISHED for stage in stages)
    if coming or photo.source.state in (State.WAITING, State.WORKING):
        return _coming(photo, stages, coming)
    return _ended(photo, stages)


def _coming(photo: Photo, stages: list[Stage], coming: int) -> Standing:
    if photo.source.state == State.WORKING:
        return Standing(Stage.READING, _("Looking at the photo"), coming)
    if Stage.PAINTING in stages or (Stage.DONE in stages and coming):
        numbers = {"number": stages.count(Stage.DONE), "total": len(stages) - stages.count(Stage.CANCELLED)}
        return Standing(Stage.PAINTING, _("Painting: %(number)s of %(total)s done") % numbers, coming)
    return Standing(Stage.WAITING, _("Waiting for a painter"), coming)


def _ended(photo: Photo, stages: list[Stage]) -> Standing:
    done, failed = stages.count(Stage.DONE), stages.count(Stage.FAILED)
    if photo.source.state == State.FAILED:
        return Standing(Stage.FAILED, str(photo.source.get_reason_display()), 0)
    if failed:
        text = ngettext("%(failed)s painting failed", "%(failed)s paintings failed", failed) % {"failed": failed}
        return Standing(Stage.FAILED, text, 0)
    if done:
        text = ngettext("%(done)s painting", "%(done)s paintings", done) % {"done": done}
        return Standing(Stage.DONE, text, 0)
    return Standing(Stage.CANCELLED, _("No paintings yet"), 0)
