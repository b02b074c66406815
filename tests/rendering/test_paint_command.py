"""`manage.py paint` and `manage.py contact_sheet`, run as people run them: as processes of their own."""

import contextlib
import dataclasses
import io
import json
import os
import shutil
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from django.core.management import CommandError, call_command
from PIL import Image

from rendering import labels, pipeline, recipes, styles
from rendering.imaging.header import Limits
from rendering.labels import Label

ROOT = Path(__file__).parents[2]
PHOTOS = ROOT / "tests" / "photos"
SMALL = str(PHOTOS / "silver_fir.jpg")
KEYS = ["file", "style", "look", "width", "height", "cpu_seconds", "output"]


def painted(*arguments: str) -> list[dict[str, object]]:
    """The lines of a run inside this process."""
    out = io.StringIO()
    with contextlib.suppress(CommandError):  # its words are tested by the run as a process
        call_command("paint", *arguments, stdout=out, stderr=io.StringIO())
    return [json.loads(line) for line in out.getvalue().splitlines()]


def manage(*arguments: str, cwd: Path, **environment: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, str(ROOT / "manage.py"), *arguments],
        cwd=cwd,
        env={**os.environ, **environment},
        capture_output=True,
        text=True,
        timeout=300,
        check=False,
    )


def test_paint_runs_without_database_or_queue(tmp_path):
    ended = manage(
        *("paint", SMALL, str(tmp_path / "missing.jpg"), "--out", "paintings", "--style", "oil,pencil"),
        cwd=tmp_path,
        DATA_DIR=str(tmp_path / "data"),
        DATABASE_URL="postgres://nobody@127.0.0.1:1/nothing",
        REDIS_URL="redis://127.0.0.1:1/0",
    )

    lines = [json.loads(line) for line in ended.stdout.splitlines()]
    assert (ended.returncode, len(lines)) == (1, 4)
    assert [list(line) for line in lines] == [KEYS, KEYS, *[["file", "style", "look", "error"]] * 2]
    assert lines[3]["error"] == "No such file or directory"
    assert "silver_fir.jpg (1 of 2)" in ended.stderr
    assert ended.stderr.splitlines()[-1] == "CommandError: 2 of 4 pictures failed"
    assert sorted(path.name for path in (tmp_path / "paintings").iterdir()) == [
        "silver_fir-oil-studio.png",
        "silver_fir-pencil-studio.png",
    ]


def test_paint_paints_all_four_styles_by_default(tmp_path):
    lines = painted(SMALL, "--out", str(tmp_path))

    assert [line["style"] for line in lines] == list(styles.NAMES)
    assert {(line["file"], line["look"], line["width"], line["height"]) for line in lines} == {
        (SMALL, "studio", 511, 323)
    }
    assert all(isinstance(line["cpu_seconds"], float) and line["cpu_seconds"] > 0 for line in lines)
    assert [line["output"] for line in lines] == [
        str(tmp_path / f"silver_fir-{style}-studio.png") for style in styles.NAMES
    ]


def test_paint_writes_what_the_pipeline_paints(tmp_path):
    (line,) = painted(SMALL, "--out", str(tmp_path), "--style", "oil", "--look", "classic", "--long-edge", "200")

    canvas = pipeline.open_canvas(io.BytesIO(Path(SMALL).read_bytes()), long_edge=200, limits=Limits())
    (painting,) = pipeline.paint(canvas, [recipes.compose("oil", look="classic", long_edge=200)])
    with Image.open(str(line["output"])) as image:
        assert np.array_equal(np.asarray(image)[:, :, ::-1], painting.pixels)


@pytest.mark.parametrize(("kind", "extension"), [("png", "png"), ("jpeg", "jpg"), ("webp", "webp"), ("avif", "avif")])
def test_paint_writes_every_format(tmp_path, kind, extension):
    (line,) = painted(SMALL, "--out", str(tmp_path), "--style", "oil", "--format", kind, "--long-edge", "120")

    assert str(line["output"]).endswith(f".{extension}")
    with Image.open(str(line["output"])) as image:
        assert (image.format, image.size) == (kind.upper(), (120, 76))


def test_paint_paints_the_full_size(tmp_path):
    (line,) = painted(
        str(PHOTOS / "portrait-orientation-6.jpg"), "--out", str(tmp_path), "--style", "pencil", "--long-edge", "full"
    )

    assert (line["width"], line["height"]) == (840, 700)


def test_paint_goes_on_after_a_file_that_fails(tmp_path):
    lines = painted(str(PHOTOS / "README.md"), str(tmp_path), SMALL, "--out", str(tmp_path / "out"), "--style", "oil")

    assert [line.get("error") for line in lines] == ["This file is not a picture.", "Is a directory", None]


def test_paint_keeps_files_of_one_name_apart(tmp_path):
    for folder in ("a", "b"):
        (tmp_path / folder).mkdir()
        shutil.copy(SMALL, tmp_path / folder / "tree.jpg")

    lines = painted(*(str(tmp_path / folder / "tree.jpg") for folder in "ab"), "--out", str(tmp_path), "--style", "oil")

    assert [Path(str(line["output"])).name for line in lines] == ["tree-oil-studio.png", "tree-2-oil-studio.png"]


def test_paint_tells_when_it_cannot_write(tmp_path):
    blocked = tmp_path / "silver_fir-oil-studio.png"
    blocked.mkdir()

    (line,) = painted(SMALL, "--out", str(tmp_path), "--style", "oil")

    assert line["error"] == "Is a directory"
    assert list(tmp_path.iterdir()) == [blocked]


@pytest.mark.parametrize("kind", ["png", "jpeg", "webp", "avif"])
def test_paint_repaints_by_recipe_byte_for_byte(tmp_path, kind):
    (first,) = painted(
        *(SMALL, "--out", str(tmp_path / "first"), "--style", "color-pencil", "--look", "fast"),
        *("--long-edge", "150", "--format", kind, *(() if kind == "png" else ("--quality", "77"))),
    )

    (second,) = painted(SMALL, "--out", str(tmp_path / "second"), "--recipe", str(first["output"]))

    assert Path(str(second["output"])).read_bytes() == Path(str(first["output"])).read_bytes()
    assert [second[key] for key in ("style", "look", "width")] == ["color-pencil", "fast", 150]


def test_paint_tells_which_recipes_are_of_another_version(tmp_path):
    recipe = dataclasses.replace(recipes.compose("oil", look="classic", long_edge=150), version=99)
    download = tmp_path / "download.png"
    download.write_bytes(labels.write(np.zeros((20, 20, 3), np.uint8), Label(recipe, "classic", "png", None)))

    (line,) = painted(SMALL, "--out", str(tmp_path), "--recipe", str(download))

    assert line["error"] == "oil of version 99 cannot be painted here"


def test_paint_repaints_a_download_at_its_intensity(tmp_path):
    recipe = recipes.compose("oil", look="classic", long_edge=150)
    canvas = pipeline.open_canvas(io.BytesIO(Path(SMALL).read_bytes()), long_edge=150, limits=Limits())
    (painting,) = pipeline.paint(canvas, [recipe])
    pixels = pipeline.blend(canvas, painting.pixels, 60)
    download = tmp_path / "download.jpg"
    download.write_bytes(labels.write(pixels, Label(recipe, "classic", "jpeg", 92, intensity=60)))

    (line,) = painted(SMALL, "--out", str(tmp_path), "--recipe", str(download))

    assert Path(str(line["output"])).read_bytes() == download.read_bytes()


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["--style", "crayon"], "there is no style 'crayon'"),
        (["--look", "baroque"], "has no look 'baroque'"),
        (["--long-edge", "7"], "'7' is not full, or pixels from 16 to 20000"),
        (["--long-edge", "big"], "'big' is not full"),
        (["--quality", "101"], "'101' is not a number from 0 to 100"),
        (["--format", "gif"], "invalid choice: 'gif'"),
        (["--recipe", SMALL], "does not say how it was painted"),
        (["--recipe", str(PHOTOS / "README.md")], "not a JPEG, PNG, WebP or AVIF file"),
        (["--recipe", "/nowhere/x.png"], "No such file or directory"),
        (["--out", "/proc/nowhere"], "cannot use the folder"),
    ],
)
def test_paint_refuses_in_words(arguments, words):
    with pytest.raises(CommandError, match=words):
        call_command("paint", SMALL, *arguments, stdout=io.StringIO(), stderr=io.StringIO())


def test_contact_sheet_shows_photo_and_styles(tmp_path):
    out = tmp_path / "sheet.png"

    call_command(
        *(
            "contact_sheet",
            SMALL,
            str(PHOTOS / "portrait.jpg"),
            "--out",
            str(out),
            "--long-edge",
            "200",
            "--cell",
            "100",
        ),
        stderr=io.StringIO(),
    )

    with Image.open(out) as sheet:
        assert sheet.size == (8 + 9 * 108, 8 + 2 * 132)


@pytest.mark.parametrize(
    ("arguments", "words"),
    [([str(PHOTOS / "README.md")], "not a picture"), ([SMALL, "--looks", "baroque"], "no look 'baroque'")],
)
def test_contact_sheet_refuses_in_words(tmp_path, arguments, words):
    with pytest.raises(CommandError, match=words):
        call_command("contact_sheet", *arguments, "--out", str(tmp_path / "sheet.png"), stderr=io.StringIO())
