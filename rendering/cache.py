"""What makes two pictures the same: keyed hashes of bytes and canvases, so that digests are in no row and no page."""

import hashlib
import hmac

from django.conf import settings

from rendering.models import Source
from rendering.recipes import FULL_SIZE, Recipe


def bytes_key(sha256: str, *, scope: str) -> str:
    """Return the key of a file's content: equal for equal bytes within one scope, as 64 hexadecimal digits."""
    return _keyed(f"bytes {scope} {sha256}")


def canvas_key(digest: bytes, *, scope: str) -> str:
    """Return the key of a canvas: equal for equal canonical pixels within one scope, as 64 hexadecimal digits."""
    return _keyed(f"canvas {scope} {digest.hex()}")


def painted_key(source: Source, recipe: Recipe) -> str:
    """Return the key of the canvas that this recipe paints.

    A canvas that was not digested (full size, or read when the site had another LONG_EDGE) is known by its file.
    """
    long_edge = max(source.width, source.height)
    painted = long_edge if recipe.long_edge == FULL_SIZE else min(recipe.long_edge, long_edge)
    if painted == max(source.canvas_width, source.canvas_height):
        return source.canvas_key
    return _keyed(f"{painted} {source.bytes_key}")


def painted_keys(source: Source) -> set[str]:
    """Return the keys of all canvases of a source that the site's recipes paint: the digested one and the others."""
    long_edge = max(source.width, source.height)
    sizes = {long_edge, min(settings.LONG_EDGE, long_edge)}
    by_file = {_keyed(f"{size} {source.bytes_key}") for size in sizes}
    return by_file | {source.canvas_key} if source.canvas_key else by_file


def _keyed(text: str) -> str:
    return hmac.new(settings.SECRET_KEY.encode(), text.encode(), hashlib.sha256).hexdigest()
