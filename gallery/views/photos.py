"""The album, one photo, and what is done with photos."""

import math
from datetime import datetime
from http import HTTPStatus
from typing import Any, cast

from django.contrib import messages
from django.core.exceptions import RequestDataTooBig, TooManyFilesSent
from django.http import HttpRequest, HttpResponse, JsonResponse
from django.shortcuts import redirect, render
from django.template.loader import render_to_string
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext as _
from django.views import defaults
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from gallery import accounts, ahead, allowances, artworks, photos, traffic, twins
from gallery import album as album_pages
from gallery.forms import AlbumForm, KnownForm, PaintForm, TitleForm, UploadForm, sentence
from gallery.http import PersonRequest, for_person, prefers_json, with_photo
from gallery.models import Artwork, Photo, Stage
from gallery.notices import Closed
from gallery.photos import Claim, Outcome, Result
from gallery.uploads import NoRoom
from gallery.views.bins import removed
from gallery.views.cards import card, version_of
from gallery.views.chosen import chosen_form
from rendering import lifetimes, renditions
from rendering.room import Full

LEVELS = {
    Outcome.ADDED: messages.SUCCESS,
    Outcome.KNOWN: messages.INFO,
    Outcome.HELD: messages.WARNING,
    Outcome.LIMITED: messages.WARNING,
    Outcome.FULL: messages.ERROR,
    Outcome.REFUSED: messages.ERROR,
}
LATER = (Outcome.HELD, Outcome.LIMITED)
OVER = (*LATER, Outcome.FULL)


@require_safe
def album(request: HttpRequest) -> HttpResponse:
    """Show the album; visitors see what this place is."""
    if not request.user.is_authenticated:
        return _welcome(request)
    return _show_album(cast("PersonRequest", request))


@for_person
@require_POST
def upload(request: PersonRequest) -> HttpResponse:
    """Add photos; say for each what became of it."""
    form = UploadForm(request.POST, request.FILES, person=request.user)
    if not form.is_valid():
        return _not_understood(request, sentence(form))
    wishes = form.cleaned_data
    now = timezone.now()
    results = photos.add_photos(owner=request.user, files=wishes.pop("photos"), **wishes, now=now)
    if prefers_json(request):
        answer: HttpResponse = JsonResponse(_news(request, results, now=now))
        return _limited(answer, results, now=now)
    for result in results:
        messages.add_message(request, LEVELS[result.outcome], f"{result.name}: {result.text}")
    within = all(result.outcome not in OVER for result in results)
    return redirect("album") if within else _limited(_show_album(request), results, now=now)


@for_person
@require_POST
def known(request: PersonRequest) -> HttpResponse:
    """Say of a file by its hash, before it is sent, whether this person has brought it before."""
    form = KnownForm(request.POST, person=request.user)
    if not form.is_valid():
        return JsonResponse({"text": sentence(form)}, status=HTTPStatus.BAD_REQUEST)
    wishes, now = form.cleaned_data, timezone.now()
    claim = Claim(wishes.pop("name"), wishes.pop("sha256"))
    result = photos.add_known(owner=request.user, claim=claim, **wishes, now=now)
    results = [result] if result else []
    return _limited(JsonResponse(_news(request, results, now=now)), results, now=now)


def bad_request(request: HttpRequest, exception: Exception) -> HttpResponse:
    """Answer a request that Django did not read: in words, if it was too large or there is no room."""
    if isinstance(exception, NoRoom):
        return _no_room(request, exception.full)
    if not isinstance(exception, RequestDataTooBig | TooManyFilesSent):
        return defaults.bad_request(request, exception)
    if prefers_json(request):
        text = _("That was too much at once. Please send fewer or smaller photos.")
        return JsonResponse({"text": text}, status=HTTPStatus.REQUEST_ENTITY_TOO_LARGE)
    return render(request, "413.html", status=HTTPStatus.REQUEST_ENTITY_TOO_LARGE)


def _no_room(request: HttpRequest, full: Full | Closed) -> HttpResponse:
    said = {"text": str(full.label)}
    answer = JsonResponse(said) if prefers_json(request) else render(request, "503.html", said)
    answer.status_code = HTTPStatus.SERVICE_UNAVAILABLE
    answer.headers["Retry-After"] = str(full.seconds)
    return answer


@with_photo
@require_safe
def photo(request: PersonRequest, photo: Photo) -> HttpResponse:
    """Show a photo with all its artworks; ahead of time only if it will be the same when somebody comes to see it."""
    if ahead.is_asked(request) and _would_change(request, photo):
        return HttpResponse(status=HTTPStatus.TOO_EARLY)
    return _show(request, photo, paint_form=PaintForm(person=request.user), title_form=_title_form(photo))


@with_photo
@require_POST
def rename(request: PersonRequest, photo: Photo) -> HttpResponse:
    """Give a photo another title, and say what it shows."""
    form = TitleForm(request.POST)
    if not form.is_valid():
        return _show(request, photo, paint_form=PaintForm(person=request.user), title_form=form)
    photos.describe(photo, **form.cleaned_data)
    return redirect("photo", photo.key)


@with_photo
@require_POST
def paint_again(request: PersonRequest, photo: Photo) -> HttpResponse:
    """Have a photo painted in other styles, another look or another size."""
    form = PaintForm(request.POST, person=request.user)
    if not form.is_valid():
        return _show(request, photo, paint_form=form, title_form=_title_form(photo))
    now = timezone.now()
    held = artworks.held(artworks.commission(photo, **form.cleaned_data, now=now), now=now)
    if not held:
        return redirect("photo", photo.key)
    messages.warning(request, allowances.held_sentence(held[0], now=now))
    fresh = request.user.photos.in_album().get(pk=photo.pk)
    answer = _show(request, fresh, paint_form=PaintForm(person=request.user), title_form=_title_form(photo))
    return _later(answer, held[0], now=now)


@with_photo
@require_http_methods(["GET", "HEAD", "POST"])
def remove(request: PersonRequest, photo: Photo) -> HttpResponse:
    """Ask, then put a photo with all its artworks into the bin; scripts do not ask, as they offer to undo it."""
    if request.method != "POST":
        return render(request, "gallery/remove_photo.html", {"photo": photo})
    now = timezone.now()
    photos.remove(photo, now=now)
    return removed(request, _("%(title)s was removed.") % {"title": photo}, now=now)


def _welcome(request: HttpRequest) -> HttpResponse:
    invitation = request.session.get(accounts.INVITATION, "")
    context = {"sign_up_open": accounts.may_sign_up(invitation, now=timezone.now())}
    return render(request, "gallery/landing.html", context)


def _show_album(request: PersonRequest) -> HttpResponse:
    before, form, now = request.GET.get("before", ""), AlbumForm(request.GET), timezone.now()
    binned = photos.in_bin(of=request.user, now=now)
    page = album_pages.page(request.user, form.wish, after=before)
    twins.look(page.photos, owner=request.user)
    artworks.foretell(page.photos)
    traffic.show(page.photos, browser=request.session.session_key, pages=1)
    context = {
        "photos": page.photos,
        "page": page,
        "older": page.after or None,
        "newer": bool(before),
        "filter_form": form,
        "upload_form": UploadForm(person=request.user),
        "chosen_form": chosen_form(request.user),
        "unfinished": any(photo.unfinished for photo in page.photos),
        "total": request.user.photos.kept().count(),
        "binned": binned,
        "uses": allowances.uses_of(request.user, now=now),
    }
    return ahead.offer(request, render(request, "gallery/album.html", context))


def _not_understood(request: HttpRequest, text: str) -> HttpResponse:
    if prefers_json(request):
        return JsonResponse({"text": text}, status=HTTPStatus.BAD_REQUEST)
    messages.error(request, text)
    return redirect("album")


def _news(request: PersonRequest, results: list[Result], *, now: datetime) -> dict[str, Any]:  # Any: JSON
    uses = {"uses": allowances.uses_of(request.user, now=now)}
    used = render_to_string("components/allowance.html", uses, request)
    return {"results": _with_cards(request, results), "allowance": used}


def _limited(answer: HttpResponse, results: list[Result], *, now: datetime) -> HttpResponse:
    frees_at = [result.frees_at for result in results if result.outcome in LATER and result.frees_at]
    if frees_at:
        return _later(answer, min(frees_at), now=now)
    if any(result.outcome == Outcome.FULL for result in results):
        answer.status_code = HTTPStatus.REQUEST_ENTITY_TOO_LARGE
    return answer


def _later(answer: HttpResponse, frees_at: datetime, *, now: datetime) -> HttpResponse:
    answer.status_code = HTTPStatus.TOO_MANY_REQUESTS
    answer.headers["Retry-After"] = str(max(1, math.ceil((frees_at - now).total_seconds())))
    return answer


def _with_cards(request: PersonRequest, results: list[Result]) -> list[dict[str, Any]]:  # Any: JSON
    found = [result.photo.pk for result in results if result.photo]
    fresh = {photo.pk: photo for photo in request.user.photos.in_album().filter(pk__in=found)}
    artworks.foretell(fresh.values())
    return [
        {
            "name": result.name,
            "outcome": result.outcome,
            "text": result.text,
            "photo": result.photo.key if result.photo else None,
            "address": reverse("photo", args=[result.photo.key]) if result.photo else None,
            "card": card(request, fresh[result.photo.pk]) if result.photo else None,
            "version": version_of(fresh[result.photo.pk]) if result.photo else None,
        }
        for result in results
    ]


def _would_change(request: PersonRequest, photo: Photo) -> bool:
    """Return whether looking at a photo does or says something that is for its person's eyes."""
    put_away = any(artwork.stage == Stage.EVICTED for artwork in photo.artworks.all())
    return photo.unfinished or put_away or len(messages.get_messages(request)) > 0


def _title_form(photo: Photo) -> TitleForm:
    return TitleForm(initial={"title": photo.title, "description": photo.description})


def _show(request: PersonRequest, photo: Photo, *, paint_form: PaintForm, title_form: TitleForm) -> HttpResponse:
    twins.look([photo], owner=request.user)
    traffic.show([photo], browser=request.session.session_key, pages=0 if ahead.is_asked(request) else 1)
    shown = twins.hung(photo)
    wanted = [artwork.rendition for artwork in shown if artwork.rendition and not artwork.cancelled_at]
    lifetimes.visit(wanted, now=timezone.now())
    if photo.unfinished:
        # Somebody looks at it: it comes first.
        renditions.watch([photo.source_id])
        artworks.foretell([photo])
    album = request.user.photos.kept().only("key", "title")
    context = {
        "photo": photo,
        "artworks": shown,
        **_on_the_wall(shown, request),
        "paint_form": paint_form,
        "title_form": title_form,
        "previous": album.filter(pk__gt=photo.pk).order_by("pk").first(),
        "similar": twins.similar(photo, owner=request.user),
        "following": album.filter(pk__lt=photo.pk).order_by("-pk").first(),
    }
    return ahead.offer(request, render(request, "gallery/photo.html", context))


def _on_the_wall(shown: list[Artwork], request: PersonRequest) -> dict[str, Any]:  # Any: a part of the page's context
    """Return the chosen artwork, all versions of its style, and the one among them that it is compared with."""
    chosen = _chosen(shown, request.GET.get("artwork", ""))
    versions = [artwork for artwork in shown if chosen and artwork.style == chosen.style]
    others = (each for each in versions if each != chosen and each.stage == Stage.DONE)
    against = next((each for each in others if each.key == request.GET.get("with")), None)
    return {"chosen": chosen, "versions": versions, "against": against}


def _chosen(shown: list[Artwork], key: str) -> Artwork | None:
    named = [artwork for artwork in shown if artwork.key == key]
    done = [artwork for artwork in shown if artwork.stage == Stage.DONE]
    return next(iter(named + done + shown), None)
