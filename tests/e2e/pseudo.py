"""Languages that nobody speaks: English with texts 40 % longer, and the same written from right to left.

A page that fits these fits every translation, and a text without an accent was never marked for translation.
"""

import re
from pathlib import Path

from artworkshop import catalogs

SOURCES = Path(__file__).resolve().parents[2] / "locale" / "zh_Hans" / "LC_MESSAGES" / "django.po"

LONGER, FROM_THE_RIGHT = "en-xa", "ar-xb"
"""As Chromium and Android call them."""

KEPT = re.compile(r"(<[^>]*>|&\w+;|%\(\w+\)[sd]|%[sd%]|\{[^}]*\}|\s+)")  # what a text is filled with, and its markup
ACCENTS = str.maketrans("AEIOUaeiouycnszCNSZ", "ÀÉÎÕÜàéîõüýçñšžÇÑŠŽ")
FILLING = "one two three four five six seven eight nine ten eleven twelve"
HEADER = "Content-Type: text/plain; charset=UTF-8\nPlural-Forms: nplurals=2; plural=(n != 1);\n"
OVERRIDE, END = "\u202e", "\u202c"  # between these, letters run from right to left whatever they are


def write(folder: Path) -> Path:
    """Write both catalogs from the sources of the real one, and return the folder, for LOCALE_PATHS."""
    known = catalogs.parse(SOURCES.read_text("utf-8"))
    for name, say in (("en_XA", longer), ("ar_XB", from_the_right)):
        said = {source: "\0".join(map(say, _texts(source))) for source in known if source}
        place = folder / name / "LC_MESSAGES"
        place.mkdir(parents=True)
        (place / "django.mo").write_bytes(catalogs.encode({"": HEADER, **said}))
    return folder


def longer(text: str) -> str:
    """Return a text with accents that is at least 40 % longer."""
    return _accented(text) + _filling(text)


def from_the_right(text: str) -> str:
    """Return the longer text with each of its words running from right to left."""
    pieces = KEPT.split(longer(text))
    return "".join(f"{OVERRIDE}{piece}{END}" if at % 2 == 0 and piece else piece for at, piece in enumerate(pieces))


def _texts(source: str) -> list[str]:
    return source.rpartition("\x04")[2].split("\0")


def _accented(text: str) -> str:
    pieces = KEPT.split(text)
    return "".join(piece.translate(ACCENTS) if at % 2 == 0 else piece for at, piece in enumerate(pieces))


def _filling(text: str) -> str:
    missing = round(0.4 * len(KEPT.sub(" ", text)))
    return f" {FILLING[:missing].strip()}" if missing else ""
