"""Makers of people, photos and artworks, with real small files in the storage."""

import io
import secrets
from datetime import UTC, datetime
from pathlib import Path

from django.conf import settings
from django.contrib.auth.models import Permission
from django.core.files.uploadedfile import SimpleUploadedFile
from django.test import Client
from django.utils import timezone
from PIL import Image

from gallery import browsers
from gallery.models import Artwork, Photo, TwinAnswer, User
from rendering import recipes, store
from rendering.models import Commission, Rendition, Source, State

NOON = datetime(2026, 5, 3, 12, tzinfo=UTC)
PASSWORD = "a long enough password"
PHOTOS = Path(__file__).resolve().parent / "photos"


def person(name: str, *, password: str = "", **facts: object) -> User:
    """Return a new person; without a password unless the test signs in with it."""
    user = User(username=name, **facts)
    if password:
        user.set_password(password)
    user.save()
    return user


def staff_with(*permissions: str, name: str = "holder") -> User:
    """Return a member of the staff who holds these permissions of the gallery."""
    holder = person(name, is_staff=True)
    held = Permission.objects.filter(codename__in=permissions, content_type__app_label="gallery")
    holder.user_permissions.set(held)
    return holder


def browser(user: User) -> Client:
    """Return a browser in which somebody is signed in."""
    client = Client()
    client.force_login(user)
    session = client.session
    browsers.note(session, agent="", now=timezone.now())  # as the page after signing in does
    session.save()
    return client


def upload(name: str, content: bytes | None = None) -> SimpleUploadedFile:
    """Return a file to post: one of the real photos, or the given bytes under this name."""
    return SimpleUploadedFile(name, (PHOTOS / name).read_bytes() if content is None else content)


def jpeg(width: int = 64, height: int = 48, color: str = "teal") -> bytes:
    """Return a small picture as a file."""
    file = io.BytesIO()
    Image.new("RGB", (width, height), color).save(file, "JPEG")
    return file.getvalue()


def source(*, state: State = State.DONE, **facts: object) -> Source:
    """Return a source with its original, and with page files once it has been read."""
    content = jpeg()
    waiting = {
        "bytes_key": secrets.token_hex(32),
        "original": store.put_original(io.BytesIO(content), extension="jpeg"),
        "size": len(content),
        "format": "jpeg",
        "width": 64,
        "height": 48,
        "waiting_since": NOON,
        "state": state,
    }
    return Source.objects.create(**{**waiting, **(_read() if state == State.DONE else {}), **facts})


def photo(owner: User, *, title: str = "Falcon", of: Source | None = None, created_at: datetime = NOON) -> Photo:
    """Return a photo in somebody's album that looks like no other; its source has been read unless one is given."""
    looked_at = {"twin_answer": TwinAnswer.ALONE, "created_at": created_at}
    return Photo.objects.create(owner=owner, source=of or source(), title=title, **looked_at)


def rendition(*, state: State = State.DONE, style: str = "oil", look: str = "studio", **facts: object) -> Rendition:
    """Return a rendition, with page files if it is done."""
    recipe = recipes.compose(style, look=look, long_edge=settings.LONG_EDGE)
    asked = {
        "canvas_key": secrets.token_hex(32),
        "recipe": recipe.text,
        "recipe_digest": recipe.digest,
        "style": style,
        "style_version": recipe.version,
        "waiting_since": NOON,
        "state": state,
    }
    return Rendition.objects.create(**{**asked, **(_painted() if state == State.DONE else {}), **facts})


def commission(
    of: Source, *, style: str = "oil", look: str = "studio", painting: Rendition | None = None
) -> Commission:
    """Return a commission; it has no rendition unless one is given."""
    recipe = recipes.compose(style, look=look, long_edge=settings.LONG_EDGE)
    return Commission.objects.create(
        source=of, recipe=recipe.text, recipe_digest=recipe.digest, rendition=painting, created_at=NOON
    )


def artwork(
    of: Photo, *, style: str = "oil", look: str = "studio", state: State = State.DONE, **facts: object
) -> Artwork:
    """Return an artwork whose rendition is in this state."""
    asked = commission(of.source, style=style, look=look, painting=rendition(state=state, style=style, look=look))
    return Artwork.objects.create(
        **{"photo": of, "commission": asked, "style": style, "look": look, "created_at": NOON, **facts}
    )


def finished_photo(owner: User, *, title: str = "Falcon") -> Photo:
    """Return a photo with all four paintings done."""
    made = photo(owner, title=title)
    for style in ("pencil", "color-pencil", "oil", "watercolor"):
        artwork(made, style=style)
    return made


def _read() -> dict[str, object]:
    pages = store.put_pages("photos", {48: jpeg(48, 36), 64: jpeg()})
    return {
        "canvas_key": secrets.token_hex(32),
        "canvas_width": 64,
        "canvas_height": 48,
        "phash": secrets.token_hex(32),
        "signature": "20" * 18,
        "folder": pages.folder,
        "widths": pages.widths,
        "stored_bytes": pages.size,
        "largest_bytes": pages.largest,
        "finished_at": NOON,
    }


def _painted() -> dict[str, object]:
    pages = store.put_pages("renditions", {48: jpeg(48, 36, "maroon"), 64: jpeg(64, 48, "maroon")})
    return {
        "width": 64,
        "height": 48,
        "folder": pages.folder,
        "widths": pages.widths,
        "stored_bytes": pages.size,
        "largest_bytes": pages.largest,
        "cpu_seconds": 0.1,
        "finished_at": NOON,
        "used_at": timezone.now(),
    }
