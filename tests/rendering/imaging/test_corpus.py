"""Strangers' files in a child process with the limits of a worker's child: no signal, no hang, bounded memory."""

import itertools
import json
import random
import subprocess
import sys
from collections import Counter
from collections.abc import Iterable
from pathlib import Path
from typing import get_args

import pytest
from PIL import Image

from rendering.imaging.header import Reason
from tests.rendering.imaging import pictures, profiles

ROOT = Path(__file__).parents[3]
GIBIBYTE = 1 << 30
MOST_SECONDS = 10
OUTCOMES = {"read", *get_args(Reason)}
NEAR_THE_LIMIT = (7000, 7000)  # 49 megapixels
PILLOW_PICTURES = ROOT / "var" / "pillow-images"


def outcomes(files: Iterable[Path]) -> dict[str, str]:
    """What became of each file; fails for a signal, a hang, too much memory, and anything but a reading or refusal."""
    names = [str(file) for file in files]
    ended = subprocess.run(
        [sys.executable, "-m", "tests.rendering.imaging.reader"],
        input="\n".join(names),
        cwd=ROOT,
        capture_output=True,
        text=True,
        timeout=600,
        check=False,
    )
    lines = [json.loads(line) for line in ended.stdout.splitlines()]
    assert (ended.returncode, len(lines)) == (0, len(names)), (
        f"ended at {names[len(lines) :][:1]}: {ended.stderr[-2000:]}"
    )
    assert [line for line in lines if line["seconds"] > MOST_SECONDS or line["peak"] > GIBIBYTE] == []
    assert {line["outcome"] for line in lines} <= OUTCOMES
    return {Path(line["file"]).name: line["outcome"] for line in lines}


def kept(folder: Path, files: dict[str, bytes]) -> list[Path]:
    paths = [folder / name for name in files]
    for path in paths:
        path.write_bytes(files[path.name])
    return paths


def samples() -> dict[str, bytes]:
    """A small file of each format and of the kinds that decoders treat apart."""
    image, clear = pictures.scene(96, 64), pictures.scene(96, 64).convert("RGBA")
    profile = profiles.matrix(profiles.DISPLAY_P3)
    return {
        **{kind: pictures.turned(image, kind, 6) for kind in pictures.TURNING_FORMATS},
        "bmp": pictures.saved(image, "bmp"),
        "gif": pictures.saved(image, "gif", save_all=True, append_images=[pictures.scene(96, 64, seed=1)]),
        "mpo": pictures.saved(image, "mpo", save_all=True, append_images=[pictures.scene(50, 40)]),
        "progressive.jpeg": pictures.saved(image, "jpeg", progressive=True, icc_profile=profile),
        "ink.jpeg": pictures.saved(image.convert("CMYK"), "jpeg"),
        "palette.png": pictures.saved(image.convert("P"), "png", transparency=3),
        "clear.png": pictures.saved(clear, "png", icc_profile=profile),
        "moving.png": pictures.saved(image, "png", save_all=True, append_images=[pictures.scene(96, 64, seed=1)]),
        "clear.webp": pictures.saved(clear, "webp", lossless=True, icc_profile=profile),
        "moving.webp": pictures.saved(image, "webp", save_all=True, append_images=[pictures.scene(96, 64, seed=1)]),
        "clear.avif": pictures.saved(clear, "avif", icc_profile=profile),
        "packed.tiff": pictures.saved(image, "tiff", compression="tiff_lzw"),
        "jpeg.tiff": pictures.saved(image, "tiff", compression="jpeg"),
        "deep.tiff": pictures.saved(image.convert("I"), "tiff", compression="tiff_adobe_deflate"),
    }


def test_corpus_samples_are_read(tmp_path):
    files = samples()

    assert set(outcomes(kept(tmp_path, files)).values()) == {"read"}


def test_corpus_of_lies_and_bombs_is_refused(tmp_path):
    files = {
        "claims.webp": pictures.webp_claiming(16_383, 16_383),
        "claims.png": pictures.png_claiming(18_000, 18_000),
        "claims.jpeg": pictures.jpeg_claiming(18_000, 18_000),
        "claims.gif": pictures.gif_claiming(18_000, 18_000),
        "claims.bmp": pictures.bmp_claiming(18_000, 18_000),
        "claims.avif": pictures.avif_claiming(18_000, 18_000),
        "claims.tiff": pictures.tiff({256: 18_000, 257: 18_000}),
        "scans.jpeg": pictures.jpeg_of_scans(1000),
        "lies.png": pictures.png_claiming(6000, 6000),
        "lies.bmp": pictures.bmp_claiming(6000, 6000),
        "lies.gif": pictures.gif_claiming(6000, 6000),
        "lies.webp": pictures.webp_claiming(6000, 6000),
        "lies.tiff": pictures.tiff({256: 6000, 257: 6000}),
        "samples.tiff": pictures.tiff({256: 64, 257: 64, 277: 65_535}),
        "tiles.tiff": pictures.tiff({256: 64, 257: 64, 322: 1 << 30, 323: 1 << 30}),
    }

    found = outcomes(kept(tmp_path, files))

    assert found == {
        **{name: "too_many_pixels" for name in files if name.startswith("claims")},
        **{name: "damaged" for name in files if name.startswith("lies")},
        "lies.gif": "read",  # its first frame covers a corner of a large screen, which is allowed
        "scans.jpeg": "too_many_scans",
        "samples.tiff": "damaged",
        "tiles.tiff": "damaged",
    }


@pytest.mark.slow
def test_corpus_of_flat_giants_is_read_within_memory(tmp_path):
    color, clear = Image.new("RGB", NEAR_THE_LIMIT, "teal"), Image.new("RGBA", NEAR_THE_LIMIT, (1, 2, 3, 99))
    files = {
        "clear.png": pictures.saved(clear, "png", compress_level=1),
        "clear.webp": pictures.saved(clear, "webp", lossless=True, method=0),
        "clear.tiff": pictures.saved(clear, "tiff", compression="tiff_adobe_deflate"),
        "float.tiff": pictures.saved(Image.new("F", NEAR_THE_LIMIT), "tiff", compression="tiff_adobe_deflate"),
        "scans.jpeg": pictures.jpeg_of_scans(64, color),
        "ink.jpeg": pictures.saved(Image.new("CMYK", NEAR_THE_LIMIT), "jpeg", progressive=True),
        "palette.gif": pictures.saved(Image.new("P", NEAR_THE_LIMIT), "gif"),
    }

    assert set(outcomes(kept(tmp_path, files)).values()) == {"read"}


def test_corpus_of_truncated_files_is_answered(tmp_path):
    files = {
        f"{share}.{name}": content[: len(content) * share // 100]
        for name, content in samples().items()
        for share in (0, 1, 5, 20, 50, 80, 95, 99)
    }

    found = outcomes(kept(tmp_path, files))

    assert found["0.png"] == "not_an_image"
    assert found["80.jpeg"] == found["95.progressive.jpeg"] == "read"
    assert found["80.png"] == found["80.webp"] == found["80.avif"] == "damaged"


def test_corpus_of_mutated_files_is_answered(tmp_path):
    chance = random.Random(20261122)  # noqa: S311 - the same files in each run
    files = {
        f"{number}.{name}": mutated(content, chance)
        for (name, content), number in itertools.product(samples().items(), range(25))
    }

    found = Counter(outcomes(kept(tmp_path, files)).values())

    assert found.total() == 25 * len(samples())
    assert found["read"] > 50
    assert found["damaged"] > 50


def mutated(content: bytes, chance: random.Random) -> bytes:
    """The file with a few bytes changed, or a piece cut out, doubled or zeroed; half of the time near its head."""
    changed = bytearray(content)
    reach = len(changed) if chance.random() < 0.5 else min(len(changed), 300)
    for _ in range(chance.choice((1, 2, 8, 40))):
        changed[chance.randrange(reach)] = chance.choice((0, 1, 0x7F, 0x80, 0xFF, chance.randrange(256)))
    start, size = chance.randrange(reach), chance.randrange(64)
    piece = bytes(changed[start : start + size])
    changed[start : start + size] = chance.choice((piece, piece, piece, b"", piece * 2, bytes(len(piece))))
    return bytes(changed)


@pytest.mark.slow
def test_corpus_of_pillow_is_answered():
    if not PILLOW_PICTURES.exists():
        pytest.skip("`python deploy/corpus.py` could not fetch Pillow's own pictures, from its source distribution")
    files = sorted(path for path in PILLOW_PICTURES.rglob("*") if path.is_file())

    found = Counter(outcomes(files).values())

    assert found["read"] > 500
