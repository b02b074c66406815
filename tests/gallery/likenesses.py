"""Photos in albums that look alike, with files and fingerprints of their own."""

import secrets
from pathlib import Path

from PIL import Image

from gallery.models import Photo, User
from rendering import pipeline, store
from rendering.imaging import fingerprint
from rendering.models import Source, State
from tests import makers
from tests.makers import NOON
from tests.rendering.imaging.copies import bgr

FOLDER = Path(__file__).parents[1] / "photos"


def picture(name: str = "prairie_falcon.jpg") -> Image.Image:
    """Return one of the real photos, 640 pixels wide or high."""
    with Image.open(FOLDER / name) as image:
        small = image.convert("RGB")
    small.thumbnail((640, 640))
    return small


def source(of: Image.Image, **facts: object) -> Source:
    """Return a read source with the picture's own fingerprints and page files."""
    pixels = bgr(of)
    pages = store.put_pages("photos", pipeline.outputs(pixels, (160, 480)))
    seen = {
        "canvas_key": fingerprint.digest(pixels).hex(),
        "canvas_width": of.width,
        "canvas_height": of.height,
        "phash": fingerprint.perceptual_hash(pixels).hex(),
        "signature": fingerprint.signature(pixels).hex(),
        "folder": pages.folder,
        "widths": pages.widths,
    }
    known = {"bytes_key": secrets.token_hex(32), "original": "originals/none.jpg", "size": 1000, "format": "jpeg"}
    sized = {"width": of.width, "height": of.height, "waiting_since": NOON, "state": State.DONE}
    return Source.objects.create(**{**known, **sized, **seen, **facts})


def photo(owner: User, of: Image.Image, *, title: str = "Falcon", paintings: State | None = State.DONE) -> Photo:
    """Return a photo in somebody's album with two artworks in this state; with none for None."""
    made = Photo.objects.create(owner=owner, source=source(of), title=title, created_at=NOON)
    for style in ("pencil", "oil"):
        if paintings:
            makers.artwork(made, style=style, state=paintings)
    return made
