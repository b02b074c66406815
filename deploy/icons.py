"""Makes the icons of the installed app with our own painters: `.venv/bin/python deploy/icons.py`.

One photo in the four styles, on the paper of the site. They change only when this or a style does, and are kept in
static/img.
"""

import sys
from pathlib import Path

import numpy as np
from PIL import Image

ROOT = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT))

from rendering import pipeline, recipes, styles  # noqa: E402 - found only now
from rendering.imaging.header import Limits  # noqa: E402

PHOTO = ROOT / "static" / "img" / "sample-photo.webp"
PAPER = (247, 241, 229)
# Edge of the icon, and the part of it that is left free: launchers cut maskable ones to a circle.
ICONS = {"icon-192": (192, 0.06), "icon-512": (512, 0.06), "icon-512-maskable": (512, 0.16)}
COLORS = 128  # a painting needs no more in an icon, and the file is a third of the size


def main() -> None:
    """Paint and write all of them."""
    paintings = [_paint(style) for style in styles.NAMES]
    for name, (edge, free) in ICONS.items():
        made = _hang(paintings, edge=edge, free=free).quantize(COLORS, dither=Image.Dither.NONE)
        made.save(ROOT / "static" / "img" / f"{name}.png", optimize=True)


def _paint(style: str) -> Image.Image:
    limits = Limits(max_bytes=50_000_000, max_megapixels=50)
    with PHOTO.open("rb") as file:
        canvas = pipeline.open_canvas(file, long_edge=512, limits=limits)
    [painting] = pipeline.paint(canvas, [recipes.compose(style, look="studio", long_edge=512)])
    image = Image.fromarray(np.ascontiguousarray(painting.pixels[:, :, ::-1]))
    side = min(image.size)
    left, top = (image.width - side) // 2, (image.height - side) // 2
    return image.crop((left, top, left + side, top + side))


def _hang(paintings: list[Image.Image], *, edge: int, free: float) -> Image.Image:
    wall = Image.new("RGB", (edge, edge), PAPER)
    gap = max(2, edge // 40)
    start = round(edge * free)
    cell = (edge - 2 * start - gap) // 2
    for number, painting in enumerate(paintings[:4]):
        place = (start + number % 2 * (cell + gap), start + number // 2 * (cell + gap))
        wall.paste(painting.resize((cell, cell), Image.Resampling.LANCZOS), place)
    return wall


if __name__ == "__main__":
    main()
