"""Brings Pillow's own test pictures, from its source distribution, for the test that reads them all."""

import subprocess
import sys
import tarfile
import tempfile
from importlib.metadata import version
from pathlib import Path

FOLDER = Path(__file__).resolve().parent.parent / "var" / "pillow-images"


def main() -> None:
    """Fetch and unpack the pictures once; without them the test is skipped, and says so."""
    if FOLDER.exists():
        return
    sys.stdout.write("Fetching Pillow's own test pictures ...\n")
    sys.stdout.flush()
    with tempfile.TemporaryDirectory() as scratch:
        # The source of Pillow alone: what pip needs to look into it comes as wheels.
        wanted = ["--no-deps", "--no-binary", "pillow", f"pillow=={version('pillow')}"]
        command = [sys.executable, "-m", "pip", "download", "--quiet", "--dest", scratch, *wanted]
        subprocess.run(command, check=False, stdin=subprocess.DEVNULL)  # noqa: S603 - our own command line
        for archive in Path(scratch).glob("*.tar.gz"):
            unpack(archive, Path(scratch))


def unpack(archive: Path, scratch: Path) -> None:
    """Take the pictures out of the archive."""
    with tarfile.open(archive) as opened:
        pictures = [each for each in opened.getmembers() if "/Tests/images/" in each.name]
        opened.extractall(scratch / "unpacked", members=pictures)  # noqa: S202 - Pillow's own archive, from the index
    (found,) = (scratch / "unpacked").glob("*/Tests/images")
    FOLDER.parent.mkdir(exist_ok=True)
    found.rename(FOLDER)


if __name__ == "__main__":
    main()
