"""Photos and their paintings side by side, for looking at looks."""

from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
from django.conf import settings
from django.core.management.base import BaseCommand, CommandError, CommandParser
from PIL import Image, ImageDraw, ImageFont

from rendering import easel, pipeline, recipes, styles
from rendering.imaging import Pixels, encode, scale
from rendering.imaging.header import Limits, Refused
from rendering.styles.base import ParameterError

LOOKS = ("classic", "studio")
CELL = 360
LABEL = 24
GAP = 8


class Picture(NamedTuple):
    """A cell of the sheet: what stands under the picture, and the picture."""

    label: str
    pixels: Pixels


class Command(BaseCommand):
    """Paint every photo in every style, in two looks, and put all on one sheet."""

    help = "Photos in rows; in columns the photo, then each style in the looks classic and studio, labelled."
    requires_system_checks: list[str] = []

    def add_arguments(self, parser: CommandParser) -> None:
        """Offer photos, the sheet's file and the sizes."""
        parser.add_argument("photos", nargs="+", type=Path, metavar="PHOTO")
        parser.add_argument("--out", type=Path, required=True, metavar="FILE.png", help="the sheet")
        parser.add_argument("--long-edge", type=int, default=1024, help="of the paintings (default: %(default)s)")
        parser.add_argument("--cell", type=int, default=CELL, help="pixels of a picture's sides (default: %(default)s)")
        parser.add_argument("--looks", default=",".join(LOOKS), help="default: %(default)s")

    def handle(self, *, photos: list[Path], out: Path, long_edge: int, cell: int, looks: str, **_: Any) -> None:
        """Paint, lay out, and write the sheet; raise CommandError for what cannot be read or painted."""
        easel.prepare()
        chosen = looks.split(",")
        try:
            rows = [self._row(photo, long_edge, chosen) for photo in photos]
            out.write_bytes(encode.encode(_sheet(rows, cell), format="png"))
        except (Refused, OSError, ParameterError) as error:
            raise CommandError(str(error)) from error

    def _row(self, photo: Path, long_edge: int, looks: Sequence[str]) -> list[Picture]:
        self.stderr.write(str(photo), self.style.HTTP_INFO)
        limits = Limits(max_megapixels=settings.MAX_MEGAPIXELS)
        with photo.open("rb") as file:
            canvas = pipeline.open_canvas(file, long_edge=long_edge, limits=limits)
        return [Picture(photo.name, canvas), *_paintings(canvas, long_edge, looks)]


def _paintings(canvas: Pixels, long_edge: int, looks: Sequence[str]) -> Iterator[Picture]:
    names = [(style, look) for style in styles.NAMES for look in looks]
    wanted = [recipes.compose(style, look=look, long_edge=long_edge) for style, look in names]
    for (style, look), painting in zip(names, pipeline.paint(canvas, wanted), strict=True):
        yield Picture(f"{style} {look}, {painting.cpu_seconds:.2f} s", painting.pixels)


def _sheet(rows: Sequence[Sequence[Picture]], cell: int) -> Pixels:
    """Return the rows as one white picture, each cell as wide and high as told, labels below."""
    width = GAP + len(rows[0]) * (cell + GAP)
    sheet = Image.new("RGB", (width, GAP + len(rows) * (cell + LABEL + GAP)), "white")
    pen, font = ImageDraw.Draw(sheet), ImageFont.load_default(14)
    for row, pictures in enumerate(rows):
        for column, picture in enumerate(pictures):
            left, top = GAP + column * (cell + GAP), GAP + row * (cell + LABEL + GAP)
            small = scale.to_long_edge(picture.pixels, cell)
            sheet.paste(Image.fromarray(np.ascontiguousarray(small[:, :, ::-1])), (left, top))
            pen.text((left, top + cell + 2), picture.label, fill="black", font=font)
    return np.ascontiguousarray(np.asarray(sheet)[:, :, ::-1])
