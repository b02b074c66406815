"""The shape that a reader may rely on: what the docs name, what the painter needs, how long functions are."""

import ast
import re
import subprocess
import sys
from collections.abc import Iterator

import pytest

from rendering import styles
from tests.processes import ROOT

PACKAGES = ("artworkshop", "gallery", "rendering")
DOCS = {path.name: path.read_text() for path in (ROOT / "README.md", *(ROOT / "docs").glob("*.md"))}
EVERYTHING = "\n".join(DOCS.values())
SOURCES = [path for package in PACKAGES for path in (ROOT / package).rglob("*.py") if "migrations" not in path.parts]
EMPTY_NAMES = {"utils", "helpers", "helper", "services", "common", "manager", "managers", "misc", "base_utils", "tools"}
WITHOUT_DJANGO = """
import sys
sys.modules["django"] = None
import rendering.easel, rendering.pipeline, rendering.styles, rendering.recipes
"""


def settings_of_the_site() -> set[str]:
    """Return the names that the settings read from the environment."""
    tree = ast.parse((ROOT / "artworkshop" / "settings.py").read_text())
    calls = [node for node in ast.walk(tree) if isinstance(node, ast.Call) and node.args]
    readers = [call for call in calls if re.fullmatch(r"environment\.\w+", ast.unparse(call.func))]
    return {str(name.value) for call in readers if isinstance(name := call.args[0], ast.Constant)}


def commands_of_the_product() -> list[str]:
    """Return the management commands."""
    found = [path for package in PACKAGES for path in (ROOT / package / "management" / "commands").glob("[!_]*.py")]
    return sorted(path.stem for path in found)


def functions() -> Iterator[tuple[str, int]]:
    """Yield every function and how many lines it has."""
    for path in SOURCES:
        for node in ast.walk(ast.parse(path.read_text())):
            if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
                yield f"{path.name}: {node.name}", (node.end_lineno or 0) - node.lineno + 1


def test_settings_table_names_every_setting_and_no_other():
    documented = set(re.findall(r"^\| `([A-Z0-9_]+)`", DOCS["settings.md"], re.MULTILINE))

    assert documented == settings_of_the_site()


@pytest.mark.parametrize("command", commands_of_the_product())
def test_docs_name_every_command(command):
    assert re.search(rf"(manage\.py |`){command}\b", EVERYTHING)


@pytest.mark.parametrize("word", [*styles.NAMES, *styles.LOOKS])
def test_docs_name_every_style_and_look(word):
    assert re.search(rf"(?<![\w-]){word}(?![\w-])", EVERYTHING)


@pytest.mark.parametrize(("name", "text"), DOCS.items())
def test_docs_point_to_what_there_is(name, text):
    folder = ROOT if name == "README.md" else ROOT / "docs"
    addresses = re.findall(r"\]\(([^)#\s]+)[^)]*\)", text)

    missing = [each for each in addresses if "://" not in each and not (folder / each).exists()]

    assert missing == []


def test_painter_runs_where_there_is_no_django():
    run = subprocess.run([sys.executable, "-c", WITHOUT_DJANGO], cwd=ROOT, capture_output=True, text=True, check=False)

    assert run.returncode == 0, run.stderr


def test_functions_are_short():
    lengths = sorted(length for _, length in functions())

    ninetieth = lengths[len(lengths) * 9 // 10]

    assert ninetieth <= 20


def test_files_are_named_by_what_they_hold():
    assert {path.stem for path in SOURCES} & EMPTY_NAMES == set()
