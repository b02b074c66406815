"""Words for photos that look alike."""

from datetime import datetime

from django import template
from django.utils import formats, timezone
from django.utils.translation import gettext as _

from gallery.models import Artwork, How, Photo, TwinAnswer

register = template.Library()


@register.filter
def day(moment: datetime) -> str:
    """Return a day as people say it: without the year if it is this year's."""
    local = timezone.localtime(moment)
    this_year = local.year == timezone.localtime().year
    return formats.date_format(local, "MONTH_DAY_FORMAT" if this_year else "DATE_FORMAT")


@register.filter
def how_got(artwork: Artwork) -> str:
    """Say how an artwork was got; a twin's by the day of the photo that it was painted from."""
    twin = artwork.photo.twin_of
    if artwork.how != How.TWIN or twin is None:
        return str(artwork.how.label)
    return _("twin of your photo of %(day)s") % {"day": day(twin.created_at)}


@register.filter
def uses_twin(photo: Photo) -> bool:
    """Return whether the person said that the paintings of a photo's twin will do."""
    return photo.twin_answer == TwinAnswer.USE


@register.filter
def likeness(photo: Photo) -> str:
    """Return what changes whenever that changes what is said of a photo's twin."""
    twin = photo.proposed
    paintings = [f"{artwork.key} {artwork.stage}" for artwork in twin.artworks.all()] if twin else []
    return " ".join([photo.twin_answer, twin.key if twin else "", *paintings, "coming" if photo.unfinished else ""])
