"""Downloads: the painting as it is filed at once; other formats and intensities when a worker has made the file."""

from http import HTTPStatus

from django.http import Http404, HttpResponse, JsonResponse
from django.shortcuts import redirect, render
from django.utils import timezone
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods

from gallery.forms import DownloadForm, sentence
from gallery.http import JPEG, PersonRequest, attachment, prefers_json, private_file, with_artwork
from gallery.models import Artwork, Stage
from gallery.templatetags.words import style_label
from rendering import exports, store
from rendering.models import Export, State

# The same address says "wait" first and sends the file later.
UNKEPT = "private, no-store"


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
    if form.is_plain:
        plain = store.page_file(painting.folder, max(painting.widths))
        return private_file(plain, content_type=JPEG, disposition=_disposition(artwork, plain))
    now = timezone.now()
    export = exports.ask(painting, **form.cleaned_data, lane=request.user.lane, now=now)
    if request.method == "POST":
        exports.retry(export, now=now)
        return redirect(request.get_full_path())
    return _answer(request, artwork, export)


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
