"""Downloads: the painting as it is filed at once; other formats and intensities when a worker has made the file."""

from http import HTTPStatus

from django.contrib import messages
from django.http import Http404, HttpResponse, HttpResponseBase, JsonResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils import timezone
from django.utils.formats import date_format
from django.utils.translation import gettext as _
from django.utils.translation import ngettext
from django.views.decorators.http import require_http_methods, require_POST

from gallery import parcels
from gallery.forms import DownloadForm, sentence
from gallery.http import (
    JPEG,
    PersonRequest,
    attachment,
    for_person,
    next_or,
    prefers_json,
    private_file,
    streamed,
    with_artwork,
)
from gallery.models import Artwork, PhotoQuerySet, Stage
from gallery.templatetags.words import style_label
from rendering import exports, store
from rendering.models import Export, State

# The same address says "wait" first and sends the file later.
UNKEPT = "private, no-store"
ZIP = "application/zip"


@with_artwork
@require_http_methods(["GET", "HEAD", "POST"])
def download(request: PersonRequest, artwork: Artwork) -> HttpResponse:
    """Send the painting as it is wanted, or say how far the file is; a POST tries again what could not be made."""
    painting = artwork.rendition
    if artwork.stage != Stage.DONE or painting is None:
        raise Http404
    form = DownloadForm(request.GET)
    if not form.is_valid():
        return _told(request, artwork, sentence(form), HTTPStatus.BAD_REQUEST)
    variant = form.variant(artwork)
    if form.is_plain and variant == exports.AS_PAINTED:
        plain = store.page_file(painting.folder, max(painting.widths))
        return private_file(plain, content_type=JPEG, disposition=_disposition(artwork, plain))
    now = timezone.now()
    export = exports.ask(painting, **form.file, lane=request.user.lane, now=now, variant=variant)
    if request.method == "POST":
        exports.retry(export, now=now)
        return redirect(request.get_full_path())
    return _answer(request, artwork, export)


@for_person
@require_POST
def photos_in_one(request: PersonRequest) -> HttpResponseBase:
    """Send the chosen photos, with their paintings and recipes, in one file."""
    keys = set(request.POST.getlist("photo"))
    if len(keys) > parcels.MOST:
        said = ngettext(
            "Choose at most %(count)s photo at once.", "Choose at most %(count)s photos at once.", parcels.MOST
        )
        return _sent_back(request, said % {"count": parcels.MOST})
    chosen = request.user.photos.filter(removed_at=None, key__in=keys)
    if not chosen.exists():
        return _sent_back(request, _("Choose at least one photo."))
    return _packed(request, chosen)


@for_person
@require_POST
def everything(request: PersonRequest) -> HttpResponseBase:
    """Send all photos of the album, with their paintings and recipes, in one file."""
    return _packed(request, request.user.photos.filter(removed_at=None))


def _sent_back(request: PersonRequest, text: str) -> HttpResponse:
    messages.warning(request, text)
    return redirect(next_or(request, reverse("album")))


def _packed(request: PersonRequest, chosen: PhotoQuerySet) -> HttpResponseBase:
    today = date_format(timezone.localtime(timezone.now()), "Y-m-d")
    disposition = attachment(f"{_('Art Workshop')} {today}", "zip")
    return streamed(request, parcels.pack(chosen), content_type=ZIP, disposition=disposition)


def _answer(request: PersonRequest, artwork: Artwork, export: Export) -> HttpResponse:
    if export.state == State.FAILED:
        return _told(request, artwork, str(export.get_reason_display()), HTTPStatus.CONFLICT)
    if export.state != State.DONE:
        text = _("The file is being made.") if export.state == State.WORKING else _("The file waits for its turn.")
        return _told(request, artwork, text, HTTPStatus.ACCEPTED)
    if prefers_json(request):
        return _told(request, artwork, _("The file is ready."), HTTPStatus.OK)
    content_type = f"image/{export.format}"
    file = private_file(export.file, content_type=content_type, disposition=_disposition(artwork, export.file))
    file.headers["Cache-Control"] = UNKEPT
    return file


def _told(request: PersonRequest, artwork: Artwork, text: str, status: HTTPStatus) -> HttpResponse:
    if prefers_json(request):
        return JsonResponse({"text": text}, status=status, headers={"Cache-Control": UNKEPT})
    template = "download_wait" if status == HTTPStatus.ACCEPTED else "download_failed"
    context = {"artwork": artwork, "text": text, "retryable": status == HTTPStatus.CONFLICT}
    answer = render(request, f"gallery/{template}.html", context, status=status)
    answer.headers["Cache-Control"] = UNKEPT
    return answer


def _disposition(artwork: Artwork, file: str) -> str:
    return attachment(f"{artwork.photo} - {style_label(artwork.style)}", file.rpartition(".")[2])
