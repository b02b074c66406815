"""A photo for people who have none at hand: it comes with the workshop, and is painted as theirs would be."""

from django.conf import settings
from django.contrib import messages
from django.http import HttpResponse
from django.shortcuts import redirect
from django.utils import timezone
from django.utils.translation import gettext as _
from django.views.decorators.http import require_POST

from gallery import photos
from gallery.http import PersonRequest, for_person
from gallery.photos import Result
from gallery.uploads import HashedUpload


@for_person
@require_POST
def hang_sample(request: PersonRequest) -> HttpResponse:
    """Put the workshop's own photo into the album, and show it; for all but the first person it is painted already."""
    result = _hang(request)
    if result.photo is None:
        messages.error(request, f"{result.name}: {result.text}")
        return redirect("album")
    return redirect("photo", result.photo.key)


def _hang(request: PersonRequest) -> Result:
    person = request.user
    wishes = {"styles": person.styles, "look": person.look, "full_size": False}
    content = (settings.BASE_DIR / "static" / "img" / "sample-photo.webp").read_bytes()
    # A copy: what is put away may be moved, not copied.
    file = HashedUpload(_("A frozen river") + ".webp", "image/webp")
    try:
        file.add(content, limit=len(content))
        file.flush()
        file.seek(0)
        return photos.add_photo(owner=person, file=file, **wishes, now=timezone.now())
    finally:
        file.close()
