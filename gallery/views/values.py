"""Painting again with values of one's own: the style's form, and sketches while its knobs are turned."""

from http import HTTPStatus

from django.contrib import messages
from django.http import Http404, HttpResponse, JsonResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods, require_safe

from gallery import allowances, artworks, looks
from gallery.forms import ValuesForm, look_choices
from gallery.http import JPEG, PersonRequest, prefers_json, private_file, with_artwork
from gallery.models import Artwork, Stage
from rendering import exports, recipes
from rendering.models import State
from rendering.styles.base import Style

# The same address says "wait" first and sends the picture later.
UNKEPT = "private, no-store"


@with_artwork
@require_http_methods(["GET", "HEAD", "POST"])
def values(request: PersonRequest, artwork: Artwork) -> HttpResponse:
    """Show the knobs of an artwork's style, and have its photo painted as they were turned."""
    form = _form(request, artwork)
    if request.method == "POST" and form.is_valid():
        return _paint(request, artwork, form)
    context = {
        "artwork": artwork,
        "photo": artwork.photo,
        "form": form,
        "knobs": [form[parameter.name] for parameter in form.style.parameters],
        "looks": [choice for choice in look_choices() if choice[0] in form.style.looks],
        "sketchable": _is_sketchable(artwork),
    }
    return render(request, "gallery/own_values.html", context)


@with_artwork
@require_safe
def sketch(request: PersonRequest, artwork: Artwork) -> HttpResponse:
    """Send a small quick painting in these values, or say that it is being made."""
    style = _style(artwork)
    painting = artwork.rendition
    if painting is None or not _is_sketchable(artwork):
        raise Http404
    form = ValuesForm(request.GET, style=style, look=artwork.look, values=style.values(artwork.look))
    if not form.is_valid():
        return JsonResponse({"text": _("These values cannot be painted.")}, status=HTTPStatus.BAD_REQUEST)
    recipe = recipes.compose(style.name, look=artwork.look, long_edge=exports.SKETCH_EDGE, changes=form.values)
    lane, now = request.user.lane, timezone.now()
    export = exports.sketch(painting, recipe, source=artwork.source, lane=lane, now=now)
    if export.state == State.DONE and not prefers_json(request):
        answer = private_file(export.file, content_type=JPEG)
    else:
        ended = {State.DONE: HTTPStatus.OK, State.FAILED: HTTPStatus.CONFLICT}
        status = ended.get(State(export.state), HTTPStatus.ACCEPTED)
        answer = JsonResponse({"text": str(export.get_reason_display())}, status=status)
    answer.headers["Cache-Control"] = UNKEPT
    return answer


def _paint(request: PersonRequest, artwork: Artwork, form: ValuesForm) -> HttpResponse:
    now = timezone.now()
    made = artworks.commission(artwork.photo, **form.wanted, now=now)
    held = artworks.held(made, now=now)
    if held:
        messages.warning(request, allowances.held_sentence(held[0], now=now))
    return redirect(reverse("photo", args=[artwork.photo.key], query={"artwork": made[0].key}))


def _form(request: PersonRequest, artwork: Artwork) -> ValuesForm:
    style = _style(artwork)
    look = request.GET.get("look", "")
    sent = request.POST if request.method == "POST" else None
    if look in style.looks:
        return ValuesForm(sent, style=style, look=look, values=style.values(look), full_size=artwork.full_size)
    begun = looks.values_of(artwork)
    return ValuesForm(sent, style=style, look=artwork.look, values=begun, full_size=artwork.full_size)


def _style(artwork: Artwork) -> Style:
    """Return the artwork's style as it is today; its own values are the beginning if they are still understood."""
    style = looks.style_of(artwork)
    if style is None:
        raise Http404
    return style


def _is_sketchable(artwork: Artwork) -> bool:
    return artwork.stage == Stage.DONE and artwork.rendition is not None
