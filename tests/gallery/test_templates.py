"""Templates, style sheets and translations: what the gate asks of them."""

import ast
import re
import subprocess
import sys
from pathlib import Path

import pytest
from django.conf import settings
from django.template import Engine
from django.utils.translation.template import templatize

from artworkshop import catalogs

ROOT = Path(settings.BASE_DIR)
TEMPLATES = sorted((ROOT / "templates").rglob("*.html"))
SOURCES = sorted(path for app in ("artworkshop", "gallery", "rendering") for path in (ROOT / app).rglob("*.py"))
CATALOG = ROOT / "locale/zh_Hans/LC_MESSAGES/django.po"

TAG = re.compile(r"{%.*?%}|{#.*?#}")
INLINE_SCRIPT = re.compile(r"<script(?![^>]*\bsrc=)|\son\w+\s*=|javascript:", re.IGNORECASE)
INLINE_STYLE = re.compile(r"<style|\sstyle\s*=", re.IGNORECASE)
LAYERED = re.compile(r'^@import url\("([^"]+)"\) layer\(\w+\);$', re.MULTILINE)
OUTSIDE = re.compile(r"""(?:src|href|action|srcset)=["'](?:https?:)?//""", re.IGNORECASE)
PICTURE = re.compile(r"<img\b[^>]*>")
TRANSLATED = {"_", "gettext", "gettext_lazy", "gettext_noop", "ngettext"}
EXTRACTED = re.compile(
    r"n?gettext\(u?(?P<text>'''(?:.|\n)*?'''|\"\"\"(?:.|\n)*?\"\"\"|'[^'\n]*'|\"[^\"\n]*\")|_\((?P<short>'[^'\n]*'|\"[^\"\n]*\")\)"
)


def named(path: Path) -> str:
    return str(path.relative_to(ROOT))


def texts_of_python(path: Path) -> set[str]:
    calls = (node for node in ast.walk(ast.parse(path.read_text("utf-8"))) if isinstance(node, ast.Call))
    marked = (call for call in calls if isinstance(call.func, ast.Name) and call.func.id in TRANSLATED)
    firsts = (call.args[0] for call in marked if call.args)
    return {first.value for first in firsts if isinstance(first, ast.Constant) and isinstance(first.value, str)}


def texts_of_template(path: Path) -> set[str]:
    found = EXTRACTED.finditer(templatize(path.read_text("utf-8"), origin=named(path)))
    return {ast.literal_eval(match["text"] or match["short"]) for match in found}


@pytest.mark.parametrize("path", TEMPLATES, ids=named)
def test_template_compiles(path):
    template = Engine.get_default().get_template(str(path.relative_to(ROOT / "templates")))

    assert template.origin.name == str(path)


@pytest.mark.parametrize("path", TEMPLATES, ids=named)
def test_template_keeps_to_the_content_security_policy(path):
    text = TAG.sub("", path.read_text("utf-8"))

    assert INLINE_SCRIPT.findall(text) == []
    assert INLINE_STYLE.findall(text) == []
    assert OUTSIDE.findall(text) == []


@pytest.mark.parametrize("path", TEMPLATES, ids=named)
def test_template_gives_every_picture_a_place_before_it_is_loaded(path):
    pictures = PICTURE.findall(path.read_text("utf-8"))

    lacking = [picture for picture in pictures for word in ("width=", "height=", "alt=") if word not in picture]

    assert lacking == []


def test_templates_are_formatted():
    djade = Path(sys.executable).with_name("djade")

    checked = subprocess.run([djade, "--check", *TEMPLATES], capture_output=True, text=True, cwd=ROOT, check=False)

    assert checked.returncode == 0, checked.stderr


def test_style_sheets_and_scripts_fetch_nothing_from_elsewhere():
    files = [path for kind in ("css", "js") for path in (ROOT / "static").rglob(f"*.{kind}")]
    without_namespace = {path: path.read_text("utf-8").replace("http://www.w3.org/2000/svg", "") for path in files}

    assert [named(path) for path, text in without_namespace.items() if re.search(r"https?://", text)] == []


def test_every_style_sheet_is_imported_once_into_a_layer():
    folder = ROOT / "static/css"
    pages = [folder / f"{name}.css" for name in ("app", "album", "desk", "exhibit")]
    beside_djangos_own = folder / "admin.css"
    texts = {path: path.read_text("utf-8") for path in pages}
    imported = [each for text in texts.values() for each in LAYERED.findall(text)]

    parts = {
        str(path.relative_to(folder)) for path in folder.rglob("*.css") if path not in (*pages, beside_djangos_own)
    }

    assert sorted(imported) == sorted(parts)
    assert len({text.partition("@layer")[2].partition(";")[0] for text in texts.values()}) == 1


def test_catalog_has_every_text_of_the_product():
    wanted = set().union(*map(texts_of_python, SOURCES), *map(texts_of_template, TEMPLATES))
    messages = catalogs.parse(CATALOG.read_text("utf-8"))
    translated = {text for source in messages for text in source.rpartition("\x04")[2].split("\0")}

    assert sorted(wanted - translated) == []


def test_catalog_holds_no_guesses_and_no_gaps():
    text = CATALOG.read_text("utf-8")
    empty = re.findall(r'^msgid "(.+)"\n(?:msgid_plural .*\n)?msgstr(?:\[0\])? ""\n(?!")', text, re.MULTILINE)

    assert "#, fuzzy" not in text
    assert "#~" not in text
    assert empty == []
