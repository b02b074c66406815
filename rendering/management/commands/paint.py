"""Paint files without web, queue or database."""

import argparse
import json
import time
from pathlib import Path
from typing import Any

from django.conf import settings
from django.core.management.base import BaseCommand, CommandError, CommandParser

from rendering import easel, labels, recipes, styles
from rendering.imaging.encode import FORMATS, QUALITIES
from rendering.imaging.header import Limits
from rendering.labels import Label
from rendering.styles.base import ParameterError

EDGES = range(16, 20_001)
PERCENT = range(101)


class Command(BaseCommand):
    """Paint files; a JSON line per picture on standard output, progress on standard error, status 1 for failures."""

    help = (
        "Paint files without web, queue or database. Prints one JSON line per picture: file, style, look, width, "
        "height, cpu_seconds (the painting alone; work that styles share counts for the first), output; or error."
    )
    requires_system_checks: list[str] = []

    def add_arguments(self, parser: CommandParser) -> None:
        """Offer files, what to paint of them, and where to."""
        parser.add_argument("files", nargs="+", metavar="FILE", help="photos to paint")
        parser.add_argument("--style", default=",".join(styles.NAMES), help="styles, with commas (default: all)")
        parser.add_argument("--look", default=styles.LOOKS[0], help=f"{', '.join(styles.LOOKS)} (default: %(default)s)")
        parser.add_argument("--long-edge", default=1024, type=_long_edge, help="pixels, or full (default: 1024)")
        parser.add_argument("--format", default="png", choices=FORMATS, help="default: %(default)s")
        parser.add_argument("--quality", type=_percent, help="0 to 100 (default: the format's own; PNG has none)")
        parser.add_argument("--out", type=Path, default=Path(), help="folder for the paintings (default: this one)")
        parser.add_argument("--recipe", type=Path, help="a painting made here: paint these photos just like it")

    def handle(self, *, files: list[str], out: Path, **options: Any) -> None:
        """Paint, tell, and raise CommandError if any picture failed."""
        limits = Limits(max_bytes=settings.MAX_MEGABYTES * 1_000_000, max_megapixels=settings.MAX_MEGAPIXELS)
        order = easel.Order(_labels(options), out, limits)
        self._tell("making the kernels ready")
        easel.prepare()
        try:
            failed = sum(self._told(line) for line in easel.paint(files, order, tell=self._tell))
        except OSError as error:
            message = f"cannot use the folder {out}: {error.strerror}"
            raise CommandError(message) from error
        if failed:
            message = f"{failed} of {len(files) * len(order.labels)} pictures failed"
            raise CommandError(message)

    def _told(self, line: easel.Line) -> bool:
        """Print a picture's line and say whether it failed."""
        self.stdout.write(json.dumps(line))
        self.stdout.flush()
        self._tell(f"  {line['style']}: {line.get('error') or line['output']}")
        return "error" in line

    def _tell(self, text: str) -> None:
        self.stderr.write(f"{time.strftime('%H:%M:%S')} {text}", self.style.HTTP_INFO)


def _labels(options: dict[str, Any]) -> list[Label]:
    """Return a label per picture of a photo; raise CommandError for what cannot be painted."""
    try:
        if options["recipe"]:
            return [_label_of(options["recipe"])]
        return [_label(style.strip(), options) for style in options["style"].split(",")]
    except ParameterError as error:
        raise CommandError(str(error)) from error


def _label_of(painting: Path) -> Label:
    try:
        with painting.open("rb") as file:
            return labels.read(file)
    except OSError as error:
        message = f"{painting}: {error.strerror or 'not a JPEG, PNG, WebP or AVIF file'}"
        raise CommandError(message) from error


def _label(style: str, options: dict[str, Any]) -> Label:
    recipe = recipes.compose(style, look=options["look"], long_edge=options["long_edge"])
    quality = QUALITIES[options["format"]] if options["quality"] is None else options["quality"]
    return Label(recipe, options["look"], options["format"], quality)


def _long_edge(text: str) -> int:
    if text == "full":
        return recipes.FULL_SIZE
    return _number(text, EDGES, f"full, or pixels from {EDGES[0]} to {EDGES[-1]}")


def _percent(text: str) -> int:
    return _number(text, PERCENT, "a number from 0 to 100")


def _number(text: str, allowed: range, wanted: str) -> int:
    if text.isdecimal() and int(text) in allowed:
        return int(text)
    message = f"{text!r} is not {wanted}"
    raise argparse.ArgumentTypeError(message)
