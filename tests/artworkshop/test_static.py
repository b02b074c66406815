"""Style sheets as browsers get them: one file, in layers, and nothing lost but comments and blanks."""

import re
from pathlib import Path

from django.conf import settings
from django.core.files.storage import FileSystemStorage

from artworkshop import static

FOLDER = Path(settings.BASE_DIR) / "static" / "css"
STRING = re.compile(r'"[^"]*"')


def joined(sheet: str = "app.css") -> str:
    return static._whole(FileSystemStorage(FOLDER.parent), f"css/{sheet}", (FOLDER / sheet).read_text())


def test_sheets_of_one_layer_are_one_block():
    layers = re.findall(r"@layer ([\w-]+)\{", joined())

    assert layers == ["reset", "tokens", "base", "layout", "components", "utilities"]
    assert "@import" not in joined()
    assert "/*" not in joined()


def test_what_is_written_in_strings_stays_as_it_is():
    sheets = [static.LAYERED_IMPORT.sub("", path.read_text()) for path in FOLDER.rglob("*.css")]
    written = {text for sheet in sheets for text in STRING.findall(static.COMMENT.sub("", sheet))}
    sent = {text for sheet in FOLDER.glob("*.css") for text in STRING.findall(joined(sheet.name))}

    assert '": "' in written
    assert written - sent == set()


def test_rules_lose_their_blanks_alone():
    rules = 'a > b, c :hover {\n  color: red; /* why */\n  content: ": ";\n}\n\n'
    wide = "@media (width >= 2rem) {\n  d {\n    top: 0;\n  }\n}\n"

    assert static._for_browsers(rules + wide) == 'a>b,c :hover{color:red;content:": ";}@media (width>= 2rem){d{top:0;}}'
