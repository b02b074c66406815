"""The album, one photo, and what is done with photos."""

from http import HTTPStatus
from typing import Any

from django.contrib import messages
from django.core.exceptions import RequestDataTooBig, TooManyFilesSent
from django.http import HttpRequest, HttpResponse, JsonResponse
from django.shortcuts import redirect, render
from django.utils import timezone
from django.utils.translation import gettext as _
from django.views import defaults
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from gallery import accounts, artworks, photos
from gallery.forms import PaintForm, TitleForm, UploadForm, sentence
from gallery.http import PersonRequest, for_person, prefers_json, with_photo
from gallery.models import Artwork, Photo, Stage
from gallery.photos import Outcome, Result
from gallery.views.cards import card

PAGE = 24
LEVELS = {Outcome.ADDED: messages.SUCCESS, Outcome.KNOWN: messages.INFO, Outcome.REFUSED: messages.ERROR}


@require_safe
def album(request: HttpRequest) -> HttpResponse:
    """Show the album; visitors see what this place is."""
    if not request.user.is_authenticated:
        return _welcome(request)
    before = request.GET.get("before", "")
    found = list(request.user.photos.in_album().before(before)[: PAGE + 1])
    shown = found[:PAGE]
    context = {
        "photos": shown,
        "older": shown[-1].key if len(found) > PAGE else None,
        "newer": bool(before),
        "upload_form": UploadForm(person=request.user),
        "unfinished": any(photo.unfinished for photo in shown),
        "total": request.user.photos.count(),
    }
    return render(request, "gallery/album.html", context)


@for_person
@require_POST
def upload(request: PersonRequest) -> HttpResponse:
    """Add photos; say for each what became of it."""
    form = UploadForm(request.POST, request.FILES, person=request.user)
    if not form.is_valid():
        return _not_understood(request, sentence(form))
    wishes = form.cleaned_data
    results = photos.add_photos(owner=request.user, files=wishes.pop("photos"), **wishes, now=timezone.now())
    if prefers_json(request):
        return JsonResponse({"results": _with_cards(request, results)})
    for result in results:
        messages.add_message(request, LEVELS[result.outcome], f"{result.name}: {result.text}")
    return redirect("album")


def bad_request(request: HttpRequest, exception: Exception) -> HttpResponse:
    """Answer a request that Django did not read: in words, if it was too large."""
    if not isinstance(exception, RequestDataTooBig | TooManyFilesSent):
        return defaults.bad_request(request, exception)
    if prefers_json(request):
        text = _("That was too much at once. Please send fewer or smaller photos.")
        return JsonResponse({"text": text}, status=HTTPStatus.REQUEST_ENTITY_TOO_LARGE)
    return render(request, "413.html", status=HTTPStatus.REQUEST_ENTITY_TOO_LARGE)


@with_photo
@require_safe
def photo(request: PersonRequest, photo: Photo) -> HttpResponse:
    """Show a photo with all its artworks."""
    return _show(request, photo, paint_form=PaintForm(person=request.user), title_form=_title_form(photo))


@with_photo
@require_POST
def rename(request: PersonRequest, photo: Photo) -> HttpResponse:
    """Give a photo another title."""
    form = TitleForm(request.POST)
    if not form.is_valid():
        return _show(request, photo, paint_form=PaintForm(person=request.user), title_form=form)
    photos.rename(photo, title=form.cleaned_data["title"])
    return redirect("photo", photo.key)


@with_photo
@require_POST
def paint_again(request: PersonRequest, photo: Photo) -> HttpResponse:
    """Have a photo painted in other styles, another look or another size."""
    form = PaintForm(request.POST, person=request.user)
    if not form.is_valid():
        return _show(request, photo, paint_form=form, title_form=_title_form(photo))
    artworks.commission(photo, **form.cleaned_data, now=timezone.now())
    return redirect("photo", photo.key)


@with_photo
@require_http_methods(["GET", "HEAD", "POST"])
def remove(request: PersonRequest, photo: Photo) -> HttpResponse:
    """Ask, then remove a photo with all its artworks."""
    if request.method != "POST":
        return render(request, "gallery/remove_photo.html", {"photo": photo})
    photos.remove(photo, now=timezone.now())
    messages.success(request, _("%(title)s was removed.") % {"title": photo})
    return redirect("album")


def _welcome(request: HttpRequest) -> HttpResponse:
    invitation = request.session.get(accounts.INVITATION, "")
    context = {"sign_up_open": accounts.may_sign_up(invitation, now=timezone.now())}
    return render(request, "gallery/landing.html", context)


def _not_understood(request: HttpRequest, text: str) -> HttpResponse:
    if prefers_json(request):
        return JsonResponse({"text": text}, status=HTTPStatus.BAD_REQUEST)
    messages.error(request, text)
    return redirect("album")


def _with_cards(request: PersonRequest, results: list[Result]) -> list[dict[str, Any]]:  # Any: JSON
    found = [result.photo.pk for result in results if result.photo]
    fresh = {photo.pk: photo for photo in request.user.photos.in_album().filter(pk__in=found)}
    return [
        {
            "name": result.name,
            "outcome": result.outcome,
            "text": result.text,
            "photo": result.photo.key if result.photo else None,
            "card": card(request, fresh[result.photo.pk]) if result.photo else None,
        }
        for result in results
    ]


def _title_form(photo: Photo) -> TitleForm:
    return TitleForm(initial={"title": photo.title})


def _show(request: PersonRequest, photo: Photo, *, paint_form: PaintForm, title_form: TitleForm) -> HttpResponse:
    shown = list(photo.artworks.all())
    album = request.user.photos.only("key", "title")
    context = {
        "photo": photo,
        "artworks": shown,
        "chosen": _chosen(shown, request.GET.get("artwork", "")),
        "paint_form": paint_form,
        "title_form": title_form,
        "previous": album.filter(pk__gt=photo.pk).order_by("pk").first(),
        "following": album.filter(pk__lt=photo.pk).order_by("-pk").first(),
    }
    return render(request, "gallery/photo.html", context)


def _chosen(shown: list[Artwork], key: str) -> Artwork | None:
    named = [artwork for artwork in shown if artwork.key == key]
    done = [artwork for artwork in shown if artwork.stage == Stage.DONE]
    return next(iter(named + done + shown), None)
