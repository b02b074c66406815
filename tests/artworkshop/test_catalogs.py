"""Translations compiled without gettext read the same as those of msgfmt."""

import gettext
import io
import os
import shutil
import subprocess
from pathlib import Path

import pytest

from artworkshop import catalogs

PO = r"""
# A translator's remark
msgid ""
msgstr ""
"Content-Type: text/plain; charset=UTF-8\n"
"Plural-Forms: nplurals=2; plural=(n != 1);\n"

#: gallery/views.py:3
msgid "Album"
msgstr "相册"

msgctxt "verb"
msgid "Paint"
msgstr "绘制"

#, python-format
msgid "%(n)d photo"
msgid_plural "%(n)d photos"
msgstr[0] "%(n)d 张照片"
msgstr[1] "%(n)d 张照片们"

msgid ""
"Two lines,\n"
"a \"quote\", a tab\t and a back\\slash"
msgstr "一"
"二\n三"

#, fuzzy
msgid "Guessed"
msgstr "猜"

msgid "Untranslated"
msgstr ""

#~ msgid "Gone"
#~ msgstr "没"
msgid "Last"
msgstr "末"
"""


@pytest.fixture
def read() -> gettext.GNUTranslations:
    return gettext.GNUTranslations(io.BytesIO(catalogs.encode(catalogs.parse(PO))))


def test_compiled_texts_are_read_by_gettext(read: gettext.GNUTranslations) -> None:
    assert read.gettext("Album") == "相册"
    assert read.pgettext("verb", "Paint") == "绘制"
    assert read.ngettext("%(n)d photo", "%(n)d photos", 1) == "%(n)d 张照片"
    assert read.ngettext("%(n)d photo", "%(n)d photos", 2) == "%(n)d 张照片们"
    assert read.gettext('Two lines,\na "quote", a tab\t and a back\\slash') == "一二\n三"
    assert read.gettext("Last") == "末"


@pytest.mark.parametrize("text", ["Guessed", "Untranslated", "Gone", "Paint"])
def test_texts_that_are_not_ready_stay_as_they_are(read: gettext.GNUTranslations, text: str) -> None:
    assert read.gettext(text) == text


@pytest.mark.skipif(shutil.which("msgfmt") is None, reason="msgfmt is the reference here")
@pytest.mark.parametrize("source", ["example", *sorted(map(str, Path(__file__).parents[2].glob("locale/**/*.po")))])
def test_compiled_texts_equal_those_of_msgfmt(tmp_path: Path, source: str) -> None:
    po = PO if source == "example" else Path(source).read_text("utf-8")
    (tmp_path / "a.po").write_text(po, "utf-8")
    subprocess.run(["msgfmt", "-o", tmp_path / "a.mo", tmp_path / "a.po"], check=True)

    ours = catalog(catalogs.encode(catalogs.parse(po)))

    assert ours == catalog((tmp_path / "a.mo").read_bytes())


def test_only_changed_files_are_compiled(tmp_path: Path) -> None:
    path = tmp_path / "zh_Hans" / "LC_MESSAGES" / "django.po"
    path.parent.mkdir(parents=True)
    path.write_text(PO, "utf-8")

    counts = [catalogs.compile_all(tmp_path), catalogs.compile_all(tmp_path)]
    os.utime(path, (path.stat().st_atime + 5, path.stat().st_mtime + 5))

    assert [*counts, catalogs.compile_all(tmp_path)] == [1, 0, 1]
    assert sorted(file.name for file in path.parent.iterdir()) == ["django.mo", "django.po"]


@pytest.mark.parametrize(
    "line", ['msgstring "x"', 'msgid "x', "nonsense", 'msgid "x" + "y"', '"text without a message']
)
def test_unreadable_line_is_named(line: str) -> None:
    with pytest.raises(ValueError, match=r"^line 1 is neither a message nor a comment"):
        catalogs.parse(line)


def catalog(compiled: bytes) -> dict[object, str]:
    """Return all texts of a .mo file but the header, in which msgfmt leaves out a date."""
    texts = gettext.GNUTranslations(io.BytesIO(compiled))._catalog  # type: ignore[attr-defined] # not in typeshed
    return {source: target for source, target in texts.items() if source}
