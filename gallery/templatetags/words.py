"""Words of the trade on pages: styles, looks, times, icons, and how a photo stands."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from functools import cache

from django import template
from django.templatetags.static import static
from django.utils import timezone
from django.utils.html import format_html
from django.utils.safestring import SafeString
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, ngettext, to_locale

from gallery import allowances, looks
from gallery.allowances import Kind, Use
from gallery.models import UNFINISHED, Artwork, Invitation, Photo, Stage
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
COMING = (Stage.WAITING, Stage.READING, Stage.PAINTING)


@dataclass(frozen=True)
class Standing:
    """How a photo stands: a stage for the icon, words for people, and how many paintings are to come."""

    stage: str
    text: str
    coming: int


@dataclass(frozen=True)
class InHand:
    """How many paintings of a photo are to come, how many failed, and how many were cancelled."""

    unfinished: int
    failed: int
    cancelled: int


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
def look_of(artwork: Artwork) -> str:
    """Return the name of an artwork's look; that some of its values are the person's own is said."""
    label = look_label(artwork.look)
    return _("%(look)s, changed") % {"look": label} if looks.changed(artwork) else label


@register.filter
def look_changes(artwork: Artwork) -> list[looks.Change]:
    """Return which values of a look were changed."""
    return looks.changes(artwork)


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
def clock(moment: datetime) -> str:
    """Return a time that is to come: `14:05`, with the day if that is not today."""
    return allowances.clock(moment, now=timezone.now())


@register.filter
def begun(uses: Sequence[Use] | None) -> list[Use]:
    """Return what the upload area shows: paintings and storage once something is used, the rest when it is near."""
    return [use for use in uses or () if use.used and (use.near or use.kind in (Kind.PAINTINGS, Kind.STORAGE))]


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
@cache  # a page of the album has two hundred, and their file's address took an eighth of its time
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
def in_hand(photo: Photo) -> InHand:
    """Return how many paintings of a photo a person may cancel or have tried again."""
    stages = [artwork.stage for artwork in photo.artworks.all()]
    unfinished = sum(stage in UNFINISHED for stage in stages)
    return InHand(unfinished, failed=stages.count(Stage.FAILED), cancelled=stages.count(Stage.CANCELLED))


@register.simple_tag
def standing(photo: Photo) -> Standing:
    """Say how a photo stands, all its artworks taken together."""
    stages = [artwork.stage for artwork in photo.artworks.all()]
    coming = sum(stage in COMING for stage in stages)
    if coming or photo.source.state in (State.WAITING, State.WORKING):
        return _coming(photo, stages, coming)
    return _held(photo) if Stage.HELD in stages else _ended(photo, stages)


@register.filter
def about(seconds: float) -> str:
    """Return a time to come, as coarsely as it is known: `a few seconds`, `about 20 seconds`, `about 3 minutes`."""
    if seconds <= 7:
        return _("a few seconds")
    if seconds < 55:
        return _("about %(seconds)s seconds") % {"seconds": 10 * max(1, round(seconds / 10))}
    minutes = max(1, round(seconds / 60))
    if minutes < 55:
        shown = minutes if minutes < 10 else 5 * round(minutes / 5)
        return ngettext("about %(minutes)s minute", "about %(minutes)s minutes", shown) % {"minutes": shown}
    hours = max(1, round(minutes / 60))
    return ngettext("about %(hours)s hour", "about %(hours)s hours", hours) % {"hours": hours}


def in_line(place: int) -> str:
    """Return a place in the queue; a far one is rounded, so that not every card changes with every painting."""
    if place <= 1:
        return _("Next in line")
    if place <= 5:
        return _("Number %(place)s in line") % {"place": place}
    step = 5 if place < 20 else 10 if place < 100 else 100
    return _("About number %(place)s in line") % {"place": step * max(1, round(place / step))}


def _coming(photo: Photo, stages: list[Stage], coming: int) -> Standing:
    if photo.source.state == State.WORKING:
        return Standing(Stage.READING, _("Looking at the photo"), coming)
    if Stage.PAINTING in stages or (Stage.DONE in stages and coming):
        numbers = {"number": stages.count(Stage.DONE), "total": len(stages) - stages.count(Stage.CANCELLED)}
        return Standing(Stage.PAINTING, _painting(photo, numbers), coming)
    return Standing(Stage.WAITING, _waiting(photo, coming), coming)


def _painting(photo: Photo, numbers: dict[str, int]) -> str:
    if photo.estimate is None:
        return _("Painting: %(number)s of %(total)s done") % numbers
    return _("Painting: %(number)s of %(total)s done, %(time)s") % {**numbers, "time": about(photo.estimate.seconds)}


def _waiting(photo: Photo, coming: int) -> str:
    if not coming:
        return _("Waiting to be looked at")
    if photo.estimate is None:
        return _("Waiting for a painter")
    told = {"place": in_line(photo.estimate.place), "time": about(photo.estimate.seconds)}
    return _("%(place)s, %(time)s") % told


def _held(photo: Photo) -> Standing:
    times = [artwork.held_until for artwork in photo.artworks.all()]
    first = min((time for time in times if time), default=timezone.now())  # it may have come just now
    return Standing(Stage.HELD, _("Held: goes by itself at %(time)s") % {"time": clock(first)}, 0)


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
    if Stage.EVICTED in stages:
        return Standing(Stage.EVICTED, _("Put away: open the photo to have it painted again"), 0)
    return Standing(Stage.CANCELLED, _("No paintings yet"), 0)
