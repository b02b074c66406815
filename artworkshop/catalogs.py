"""Translations made ready without gettext: .po texts become the .mo files that Python reads."""

import ast
import re
import struct
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

MAGIC = 0x950412DE
QUOTED = re.compile(r'"([^"\\]|\\.)*"')
FIELDS = ("msgctxt", "msgid", "msgid_plural", "msgstr")


@dataclass
class Entry:
    """One message of a .po file; `texts` maps msgctxt, msgid, msgid_plural, msgstr, msgstr[0] … to their texts."""

    texts: dict[str, str] = field(default_factory=dict)
    fuzzy: bool = False

    @property
    def source(self) -> str:
        """The key of a .mo file: context, text, and plural, parted as gettext does it."""
        context = self.texts["msgctxt"] + "\x04" if "msgctxt" in self.texts else ""
        plural = "\0" + self.texts["msgid_plural"] if "msgid_plural" in self.texts else ""
        return context + self.texts["msgid"] + plural

    @property
    def target(self) -> str:
        """The translations, one for each plural form."""
        return "\0".join(text for name, text in self.texts.items() if name.startswith("msgstr"))

    @property
    def ready(self) -> bool:
        """Whether people may see it: translated, and not marked as a guess."""
        translations = [text for name, text in self.texts.items() if name.startswith("msgstr")]
        return "msgid" in self.texts and all(translations) and not (self.fuzzy and self.texts["msgid"])


def compile_all(folder: Path) -> int:
    """Compile each .po file below the folder that is newer than its .mo file; return how many."""
    changed = [path for path in sorted(folder.rglob("*.po")) if _is_newer(path, path.with_suffix(".mo"))]
    for path in changed:
        compiled = encode(parse(path.read_text("utf-8")))
        draft = path.with_suffix(".mo.draft")
        draft.write_bytes(compiled)
        draft.replace(path.with_suffix(".mo"))
    return len(changed)


def parse(text: str) -> dict[str, str]:
    """Return the ready messages of a .po file; raise ValueError with the line that cannot be read."""
    return {entry.source: entry.target for entry in _entries(text) if entry.ready}


def encode(messages: dict[str, str]) -> bytes:
    """Return the messages as a .mo file: a header, two tables of lengths and offsets, the texts, each ended by 0."""
    pairs = sorted((source.encode(), target.encode()) for source, target in messages.items())
    texts = [source for source, _ in pairs] + [target for _, target in pairs]
    start = 28 + 8 * len(texts)
    table, body = b"", b""
    for text in texts:
        table += struct.pack("<2I", len(text), start + len(body))
        body += text + b"\0"
    header = struct.pack("<7I", MAGIC, 0, len(pairs), 28, 28 + 8 * len(pairs), 0, start)
    return header + table + body


def _is_newer(path: Path, other: Path) -> bool:
    return not other.exists() or path.stat().st_mtime_ns > other.stat().st_mtime_ns


def _entries(text: str) -> Iterator[Entry]:
    entry, name = Entry(), ""
    for number, line in enumerate(map(str.strip, text.splitlines()), start=1):
        if entry.texts and _begins(line, name):
            yield entry
            entry = Entry()
        if line.startswith("#,") and "fuzzy" in line:
            entry.fuzzy = True
        if line and not line.startswith("#"):
            name, piece = _read(line, name, number)
            entry.texts[name] = entry.texts.get(name, "") + piece
    yield entry


def _begins(line: str, name: str) -> bool:
    # A message ends at its translation: a comment, a context or a source text after that is the next one's.
    return name.startswith("msgstr") and line.startswith(("#", "msgctxt", "msgid"))


def _read(line: str, name: str, number: int) -> tuple[str, str]:
    word, quote, rest = line.partition('"')
    word = word.strip() or name
    if word.partition("[")[0] not in FIELDS or not QUOTED.fullmatch(quote + rest):
        message = f"line {number} is neither a message nor a comment: {line}"
        raise ValueError(message)
    # Escapes of .po files are those of C, which Python's literals share.
    return word, str(ast.literal_eval(quote + rest))
