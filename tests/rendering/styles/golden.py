"""Golden pictures: small paintings that were looked at, kept to notice when pixels change.

`python -m tests.rendering.styles.golden` paints those that are missing, such as after a style's version was raised.
"""

from pathlib import Path

import cv2
import numpy as np
from PIL import Image

from rendering import kernels, styles
from rendering.imaging import scale
from rendering.styles.base import Bench, Pixels, Style

FOLDER = Path(__file__).parent / "golden"
PHOTOS = Path(__file__).parents[2] / "photos"
SUBJECTS = ("portrait", "tanners_ridge")
EDGE = 128
CASES = [(style, look, subject) for style in styles.CATALOG for look in styles.LOOKS for subject in SUBJECTS]


def path_of(style: Style, look: str, subject: str) -> Path:
    """Return where a golden picture is kept; its name holds the style's version."""
    return FOLDER / f"{style.name}-{style.version}-{look}-{subject}.png"


def painted(style: Style, look: str, subject: str) -> Pixels:
    """Return the subject, 128 pixels long, in a style's look."""
    with Image.open(PHOTOS / f"{subject}.jpg") as image:
        photo = np.ascontiguousarray(np.asarray(image.convert("RGB"))[:, :, ::-1])
    return style.paint(Bench(scale.to_long_edge(photo, EDGE)), style.values(look))


def load(path: Path) -> Pixels:
    """Return a golden picture."""
    with Image.open(path) as image:
        return np.ascontiguousarray(np.asarray(image.convert("RGB"))[:, :, ::-1])


def save(path: Path, pixels: Pixels) -> None:
    """Keep a picture."""
    path.parent.mkdir(parents=True, exist_ok=True)
    Image.fromarray(np.ascontiguousarray(pixels[:, :, ::-1])).save(path, optimize=True)


def main() -> None:
    """Paint the golden pictures that are missing."""
    cv2.setNumThreads(1)
    kernels.compile_all()
    for case in CASES:
        if not path_of(*case).exists():
            save(path_of(*case), painted(*case))


if __name__ == "__main__":
    main()
