"""The workshop's own photo: for people who have none at hand, and painted before anybody asks."""

import hashlib
import io
from datetime import datetime

from django.conf import settings
from django.db import transaction
from django.utils.translation import gettext as _

from gallery import photos
from gallery.models import User, all_styles
from gallery.photos import Result
from gallery.scopes import EVERYBODY
from rendering import cache, lifetimes, renditions, sources
from rendering.models import Rendition, Source, State

FILE = settings.BASE_DIR / "static" / "img" / "sample-photo.webp"
LOOK = User._meta.get_field("look").default  # noqa: SLF001 - Django's name of what is public
GIVEN_UP = (State.CANCELLED, State.EVICTED)


class SampleFile(io.BytesIO):
    """The photo as if somebody had sent it."""

    too_large = False

    def __init__(self) -> None:
        """Read it; its name becomes the photo's title."""
        content = FILE.read_bytes()
        super().__init__(content)
        self.name, self.size = _("A frozen river") + FILE.suffix, len(content)
        self.sha256 = hashlib.sha256(content).hexdigest()


def prepare(*, now: datetime) -> None:
    """Have it painted as the photos of new people are; what is painted already is only kept.

    Raises RefusedFile when it cannot be stored now.
    """
    file = SampleFile()
    staged = sources.stage(file, sha256=file.sha256, size=file.size, scope=EVERYBODY)
    with transaction.atomic():
        source = sources.adopt(sources.admit(staged, lane=sources.WORKSHOP, now=now))
        wishes = {"styles": all_styles(), "look": LOOK, "full_size": False, "lane": sources.WORKSHOP}
        asked = [each for each, _ in renditions.commission(source, **wishes, now=now)]
        for each in asked:
            if each.rendition and each.rendition.state in GIVEN_UP:
                renditions.retry(each, now=now)
        # What a style's earlier version painted stays with those who have it in their history.
        stale = source.commissions.exclude(pk__in=[each.pk for each in asked])
        renditions.release(stale.values_list("pk", flat=True))
    lifetimes.touch(Rendition.objects.filter(commissions__in=asked), now=now)


def keep(*, now: datetime) -> None:
    """Keep its paintings, as if somebody looked at them, wherever they were prepared."""
    key = cache.bytes_key(SampleFile().sha256, scope=EVERYBODY)
    if Source.objects.filter(bytes_key=key, lane=sources.WORKSHOP).exists():
        prepare(now=now)


def hang(*, owner: User, now: datetime) -> Result:
    """Put it into somebody's album: everybody's file, also for those who share nothing."""
    wishes = {"styles": owner.styles, "look": owner.look, "full_size": False}
    return photos.add_photo(owner=owner, file=SampleFile(), **wishes, scope=EVERYBODY, now=now)
