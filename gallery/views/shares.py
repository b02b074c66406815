"""Share links: their owner's pages, and what whoever has the link sees without signing in."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import wraps
from http import HTTPStatus
from typing import cast

from allauth.account.adapter import get_adapter
from django.conf import settings
from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.core.paginator import Paginator
from django.db.models import Count, QuerySet
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseBase
from django.shortcuts import get_object_or_404, redirect, render
from django.urls import reverse
from django.utils import timezone
from django.utils.cache import add_never_cache_headers, get_conditional_response
from django.utils.crypto import constant_time_compare, salted_hmac
from django.utils.translation import gettext as _
from django.views.decorators.debug import sensitive_post_parameters
from django.views.decorators.http import require_http_methods, require_safe

from gallery import shares
from gallery.forms import DoorForm, ShareForm
from gallery.http import JPEG, WEBP, PersonRequest, View, for_person, private_file, private_picture
from gallery.models import Artwork, Photo, Share, User
from gallery.templatetags import shared as shared_tags
from gallery.templatetags.pictures import Picture
from gallery.templatetags.words import on_card
from rendering import lifetimes, store, strips
from rendering.models import Rendition, Source

PAGE = 24
DAY = 24 * 60 * 60
DOOR, SEEN = "share_door", "share_seen"  # cookies, sent to the pages of their share alone
PAUSE = 15 * 60
GUEST_HEADERS = {"X-Robots-Tag": "noindex, nofollow, noarchive", "Referrer-Policy": "no-referrer"}

page_with_form = require_http_methods(["GET", "HEAD", "POST"])


@dataclass(frozen=True)
class Shown:
    """A photo in a share: its place from 1, and the finished paintings."""

    photo: Photo
    number: int
    paintings: Sequence[Artwork]


def with_own_share(view: Callable[[PersonRequest, Share], HttpResponseBase]) -> View:
    """Fetch the person's own share that was not ended by hand; somebody else's does not exist."""

    @login_required
    @wraps(view)
    def fetched(request: HttpRequest, key: str) -> HttpResponseBase:
        person = cast("PersonRequest", request)
        return view(person, get_object_or_404(person.user.shares.filter(revoked_at=None), key=key))

    return fetched


def with_open_share(view: Callable[..., HttpResponse]) -> View:
    """Fetch a share that is open; unknown and ended ones look the same, and no page of one is kept or found."""

    @wraps(view)
    def fetched(request: HttpRequest, key: str, *args: object, **named: object) -> HttpResponseBase:
        share = shares.find(key, now=timezone.now())
        if share is None:
            raise Http404
        response = view(request, share, *args, **named)
        for name, value in GUEST_HEADERS.items():
            response.headers.setdefault(name, value)
        return response

    return fetched


@for_person
@require_safe
def mine(request: PersonRequest) -> HttpResponse:
    """Show the links that a person has given."""
    given = Paginator(request.user.shares.annotate(shown=Count("photos")).order_by("-pk"), PAGE)
    return render(request, "gallery/shares.html", {"page": given.get_page(request.GET.get("page"))})


@for_person
@page_with_form
@sensitive_post_parameters("password")
def new(request: PersonRequest) -> HttpResponse:
    """Ask on which terms these photos are to be seen, then make the link."""
    now = timezone.now()
    if request.method != "POST":
        wanted = {"photos": request.user.photos.filter(key__in=_asked_for(request))}
        return _form_page(request, ShareForm(person=request.user, now=now, initial=wanted))
    form = ShareForm(request.POST, person=request.user, now=now)
    if not form.is_valid():
        return _form_page(request, form)
    share = shares.create(owner=request.user, photos=form.cleaned_data["photos"], terms=form.terms, now=now)
    messages.success(request, _("The link is ready. Copy it and send it to whom you like."))
    return redirect(f"{reverse('shares')}#share-{share.key}")


@with_own_share
@page_with_form
@sensitive_post_parameters("password")
def edit(request: PersonRequest, share: Share) -> HttpResponse:
    """Change what a link shows, and its terms."""
    form = ShareForm.of(share, request.POST if request.method == "POST" else None, now=timezone.now())
    if request.method != "POST" or not form.is_valid():
        return _form_page(request, form)
    shares.change(share, photos=form.cleaned_data["photos"], terms=form.terms)
    messages.success(request, _("Saved."))
    return redirect(f"{reverse('shares')}#share-{share.key}")


@with_own_share
@page_with_form
def revoke(request: PersonRequest, share: Share) -> HttpResponse:
    """Ask, then end a link for good."""
    if request.method != "POST":
        return render(request, "gallery/share_revoke.html", {"share": share})
    shares.revoke(share, now=timezone.now())
    messages.success(request, _("The link has ended: nobody sees anything by it any more."))
    return redirect("shares")


@page_with_form
@sensitive_post_parameters("password")
@with_open_share
def shared(request: HttpRequest, share: Share) -> HttpResponse:
    """Show what is shared; a single photo at once, and nothing before the password is said."""
    if not _is_inside(request, share):
        return _door(request, share)
    found = Paginator(shares.photos_of(share), PAGE)
    if found.count == 1:
        return _look(request, share, _numbered(share, found.page(1)[0].key))
    page = found.get_page(request.GET.get("page"))
    shown = [Shown(photo, number, on_card(photo)) for number, photo in enumerate(page, page.start_index())]
    context = {"page": page, "shown": shown, **_frame(request, share, shown[0] if shown else None)}
    return _counted(request, share, render(request, "gallery/shared.html", context))


@require_safe
@with_open_share
def shared_photo(request: HttpRequest, share: Share, photo: str) -> HttpResponse:
    """Show one photo of a share with its paintings."""
    if not _is_inside(request, share):
        return redirect("shared", share.key)
    return _look(request, share, _numbered(share, photo))


@require_safe
@with_open_share
def photo_file(request: HttpRequest, share: Share, photo: str, width: int) -> HttpResponse:
    """Send a photo of a share in one of the widths that it gives."""
    found = shares.photo_in(share, photo) if _is_inside(request, share) else None
    if found is None:
        raise Http404
    return _file(request, share, found.source, width)


@require_safe
@with_open_share
def painting_file(request: HttpRequest, share: Share, painting: str, width: int) -> HttpResponse:
    """Send a painting of a share in one of the widths that it gives."""
    found = shares.painting_in(share, painting) if _is_inside(request, share) else None
    if found is None or found.rendition is None:
        raise Http404
    lifetimes.touch([found.rendition], now=timezone.now())
    return _file(request, share, found.rendition, width)


@require_safe
@with_open_share
def strip_file(request: HttpRequest, share: Share, photo: str) -> HttpResponse:
    """Send the small paintings of a photo of a share side by side, in the order of the styles asked for."""
    found = shares.photos_of(share).filter(key=photo).first() if _is_inside(request, share) else None
    done = {each.style: each.rendition for each in on_card(found)} if found else {}
    asked = [done.get(style) for style in request.GET.get("of", "").split(",")[: strips.LONGEST]]
    shown = [each for each in asked if each]
    if not shown:
        raise Http404
    lifetimes.touch(shown, now=timezone.now())
    etag = _etag(share, strips.digest(asked))
    drawn = get_conditional_response(request, etag=etag) or private_picture(
        lambda: strips.draw(asked), WEBP, lasting=False
    )
    return _asked_again(drawn, etag)


def _asked_for(request: HttpRequest) -> list[str]:
    keys = [key for text in request.GET.getlist("photos") for key in text.split(",")]
    return keys[: shares.PHOTOS_A_SHARE]


def _form_page(request: PersonRequest, form: ShareForm) -> HttpResponse:
    chosen = {str(getattr(each, "key", each)) for each in form["photos"].value() or ()}
    offered = request.user.photos.filter(removed_at=None, key__in=chosen) | _shown_now(request.user, form.share)
    photos = offered.select_related("source").order_by("-pk").distinct()
    if not photos and not form.is_bound:
        messages.error(request, _("Choose at least one photo."))
        return redirect("album")
    return render(request, "gallery/share_form.html", {"form": form, "photos": photos, "chosen": chosen})


def _shown_now(person: User, share: Share | None) -> QuerySet[Photo]:
    return person.photos.filter(removed_at=None, shares=share) if share else person.photos.none()


def _is_inside(request: HttpRequest, share: Share) -> bool:
    if not share.password:
        return True
    kept = request.get_signed_cookie(DOOR, default="", salt=share.key, max_age=DAY)
    return constant_time_compare(kept or "", shares.lock_of(share))


def _door(request: HttpRequest, share: Share) -> HttpResponse:
    form = DoorForm(request.POST if request.method == "POST" else None)
    if request.method != "POST" or not form.is_valid():
        return _door_page(request, form)
    if not shares.may_try(share, get_adapter().get_client_ip(request)):
        form.add_error("password", _("There were too many tries. Wait a quarter of an hour, then try again."))
        response = _door_page(request, form)
        response.status_code, response.headers["Retry-After"] = HTTPStatus.TOO_MANY_REQUESTS, str(PAUSE)
        return response
    if not shares.fits(share, form.cleaned_data["password"]):
        form.add_error("password", _("This is not the password."))
        return _door_page(request, form)
    response = redirect("shared", share.key)
    _set_cookie(response, share, DOOR, shares.lock_of(share))
    return response


def _door_page(request: HttpRequest, form: DoorForm) -> HttpResponse:
    response = render(request, "gallery/shared_door.html", {"form": form})
    add_never_cache_headers(response)
    # Under "no-referrer" browsers do not say where a form comes from, and it would be refused as forged.
    response.headers["Referrer-Policy"] = "same-origin"
    return response


def _numbered(share: Share, key: str) -> tuple[int, list[str]]:
    keys = list(shares.photos_of(share).values_list("key", flat=True))
    if key not in keys:
        raise Http404
    return keys.index(key), keys


def _look(request: HttpRequest, share: Share, place: tuple[int, list[str]]) -> HttpResponse:
    at, keys = place
    photo = get_object_or_404(shares.photos_of(share), key=keys[at])
    paintings = list(photo.artworks.all())
    named = [each for each in paintings if each.key == request.GET.get("painting", "")]
    chosen = named[:1] + paintings[:1]
    shown = Shown(photo, at + 1, paintings)
    context = {
        **_frame(request, share, Shown(photo, at + 1, chosen)),
        "shown": shown,
        "chosen": next(iter(chosen), None),
        "previous": keys[at - 1] if at else None,
        "following": keys[at + 1] if at + 1 < len(keys) else None,
        "total": len(keys),
    }
    return _counted(request, share, render(request, "gallery/shared_photo.html", context))


def _frame(request: HttpRequest, share: Share, first: Shown | None) -> dict[str, object]:
    """Return what every page of a share has: the share, and a card for messages that quote its address."""
    # Who has no password gets no picture, and a messenger that asks for one has none.
    card = None if share.password or first is None else _card(share, first)
    return {"share": share, "card": card, "site": f"{request.scheme}://{request.get_host()}"}


def _card(share: Share, first: Shown) -> Picture | None:
    name = shared_tags.shared_name(first.photo, first.number)
    if not first.paintings:
        return shared_tags.shared_photo(share, first.photo, name, shares.LARGEST)
    return shared_tags.shared_painting(share, first.paintings[0], name, shares.LARGEST)


def _counted(request: HttpRequest, share: Share, response: HttpResponse) -> HttpResponse:
    """Count a visitor's first look of a day; the visitor keeps a note that says so, the site keeps none."""
    add_never_cache_headers(response)
    known = request.get_signed_cookie(SEEN, default="", salt=share.key, max_age=DAY)
    if request.method == "GET" and not known and request.user.pk != share.owner_id:
        shares.count_view(share)
        _set_cookie(response, share, SEEN, "1")
    return response


def _set_cookie(response: HttpResponse, share: Share, name: str, value: str) -> None:
    response.set_signed_cookie(
        name,
        value,
        salt=share.key,
        max_age=DAY,
        path=reverse("shared", args=[share.key]),
        secure=settings.SESSION_COOKIE_SECURE,
        httponly=True,
        samesite="Lax",
    )


def _file(request: HttpRequest, share: Share, of: Source | Rendition, width: int) -> HttpResponse:
    if width not in shares.widths_in(share, of.widths):
        raise Http404
    name = store.page_file(of.folder, width)
    etag = _etag(share, name)
    return _asked_again(get_conditional_response(request, etag=etag) or private_file(name, content_type=JPEG), etag)


def _etag(share: Share, name: str) -> str:
    return f'"{salted_hmac("gallery.shares.file", f"{share.key} {name}").hexdigest()[:22]}"'


def _asked_again(response: HttpResponse, etag: str) -> HttpResponse:
    # Asked again each time: what the owner takes back is gone at once, and what is not costs a line.
    if response.status_code != HTTPStatus.SERVICE_UNAVAILABLE:
        response.headers["Cache-Control"], response.headers["ETag"] = "private, no-cache", etag
    return response
