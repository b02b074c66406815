"""The site as an app on somebody's device: its manifest, what it shows without a line, photos shared to it."""

import hashlib
import json

from django.http import HttpRequest, HttpResponse, JsonResponse
from django.shortcuts import redirect, render
from django.template.loader import render_to_string
from django.templatetags.static import static
from django.urls import reverse
from django.utils.translation import get_language, get_language_bidi
from django.utils.translation import gettext as _
from django.views.decorators.csrf import csrf_exempt
from django.views.decorators.http import require_POST, require_safe

from gallery.templatetags.words import language_tag

PAPER, INK = "#f7f1e5", "#2b251e"
ICONS = ((192, "any"), (512, "any"), (512, "maskable"))
PICTURES = ["image/*", ".heic", ".heif", ".avif"]


@require_safe
def manifest(request: HttpRequest) -> HttpResponse:
    """Say what the site is called, looks like and can do when it is installed."""
    said = {
        "id": "/",
        "name": _("AI Impressionist Art Workshop"),
        "short_name": _("Art Workshop"),
        "description": _("Your photos as pencil sketches, color pencil drawings, oil paintings and watercolors."),
        "lang": language_tag(get_language() or "en"),
        "dir": "rtl" if get_language_bidi() else "ltr",
        "start_url": reverse("album"),
        "scope": "/",
        "display": "standalone",
        "background_color": PAPER,
        "theme_color": PAPER,
        "icons": [_icon(size, purpose) for size, purpose in ICONS],
        "share_target": {
            "action": reverse("incoming"),
            "method": "POST",
            "enctype": "multipart/form-data",
            "params": {"files": [{"name": "photos", "accept": PICTURES}]},
        },
    }
    return JsonResponse(said, content_type="application/manifest+json", headers={"Cache-Control": "private, no-cache"})


@require_safe
def service_worker(request: HttpRequest) -> HttpResponse:
    """Send the script that answers when there is no line; it keeps the offline page, and never anybody's pages."""
    kept = [reverse("offline"), static("css/app.css"), static("img/mark.svg")]
    shown = render_to_string("offline.html", request=request)
    version = hashlib.sha256("\n".join([*kept, shown]).encode()).hexdigest()[:16]
    facts = {"version": f"offline-{version}", "kept": kept, "incoming": reverse("incoming"), "album": reverse("album")}
    script = f"const SITE = {json.dumps(facts)};\n{render_to_string('service-worker.js')}"
    return HttpResponse(script, content_type="text/javascript", headers={"Cache-Control": "no-cache"})


@require_safe
def offline(request: HttpRequest) -> HttpResponse:
    """Show what people see when there is no line; nothing of it is anybody's."""
    return render(request, "offline.html")


# The device sends no token, and nothing is done with what it sends: the service worker takes the photos before.
@csrf_exempt
@require_POST
def incoming(request: HttpRequest) -> HttpResponse:
    """Lead people to the album who share photos while the service worker is not there."""
    return redirect("album")


def _icon(size: int, purpose: str) -> dict[str, str]:
    name = f"img/icon-{size}{'-maskable' if purpose == 'maskable' else ''}.png"
    return {"src": static(name), "sizes": f"{size}x{size}", "type": "image/png", "purpose": purpose}
