"""ICC profiles that tests make themselves (ICC.1:2001-04): matrix profiles for RGB, a table for CMYK."""

import struct
from collections.abc import Mapping

import numpy as np
from numpy.typing import NDArray

# Red, green and blue in XYZ, adapted to D50.
DISPLAY_P3 = ((0.5151, 0.2412, -0.0011), (0.2919, 0.6922, 0.0419), (0.1572, 0.0666, 0.7841))
ADOBE_RGB = ((0.6097, 0.3111, 0.0195), (0.2053, 0.6257, 0.0609), (0.1492, 0.0632, 0.7446))
SRGB = ((0.4361, 0.2225, 0.0139), (0.3851, 0.7169, 0.0971), (0.1431, 0.0606, 0.7141))
GAMMA = 2.2
WHITE = (0.9642, 1.0, 0.8249)


def matrix(primaries: tuple[tuple[float, float, float], ...]) -> bytes:
    """An RGB profile of these primaries with a gamma of 2.2."""
    tags = {name: _xyz(color) for name, color in zip((b"rXYZ", b"gXYZ", b"bXYZ"), primaries, strict=True)}
    curves = dict.fromkeys((b"rTRC", b"gTRC", b"bTRC"), _gamma())
    return _profile(b"mntr", b"RGB ", b"XYZ ", {**tags, **curves, b"wtpt": _xyz(WHITE)})


def grey(gamma: float) -> bytes:
    return _profile(b"mntr", b"GRAY", b"XYZ ", {b"kTRC": _gamma(gamma), b"wtpt": _xyz(WHITE)})


def inks(lab_of_inks: Mapping[tuple[int, int, int, int], tuple[int, int, int]]) -> bytes:
    """A CMYK profile: Lab bytes of the 16 corners of the ink cube, white paper where none is named."""
    corners = [(c, m, y, k) for c in (0, 1) for m in (0, 1) for y in (0, 1) for k in (0, 1)]
    table = b"".join(bytes(lab_of_inks.get(corner, (255, 128, 128))) for corner in corners)
    straight = bytes(range(256))
    identity = struct.pack(">9l", 65536, 0, 0, 0, 65536, 0, 0, 0, 65536)
    lut = b"mft1" + bytes(4) + bytes([4, 3, 2, 0]) + identity + straight * 4 + table + straight * 3
    return _profile(b"prtr", b"CMYK", b"Lab ", {b"A2B0": lut, b"wtpt": _xyz(WHITE)})


def expected_srgb(
    color: tuple[int, int, int], primaries: tuple[tuple[float, float, float], ...]
) -> NDArray[np.float64]:
    """What a color of a matrix profile is in sRGB, computed by hand."""
    linear = (np.array(color) / 255) ** GAMMA
    srgb = np.clip(np.linalg.inv(np.array(SRGB).T) @ (np.array(primaries).T @ linear), 0, 1)
    return 255 * np.where(srgb <= 0.0031308, 12.92 * srgb, 1.055 * srgb ** (1 / 2.4) - 0.055)


def _gamma(gamma: float = GAMMA) -> bytes:
    return b"curv" + bytes(4) + struct.pack(">LH", 1, round(gamma * 256)) + bytes(2)


def _xyz(color: tuple[float, float, float]) -> bytes:
    return b"XYZ " + bytes(4) + struct.pack(">3l", *(round(value * 65536) for value in color))


def _profile(kind: bytes, space: bytes, connection: bytes, tags: Mapping[bytes, bytes]) -> bytes:
    tags = {b"desc": b"desc" + bytes(4) + struct.pack(">L", 5) + b"test\0" + bytes(82), **tags}
    start, table, content = 128 + 4 + 12 * len(tags), b"", b""
    for name, tag in tags.items():
        table += name + struct.pack(">LL", start + len(content), len(tag))
        content += tag + bytes(-len(tag) % 4)
    size = start + len(content)
    header = struct.pack(">L4sL4s4s4s", size, bytes(4), 0x02400000, kind, space, connection)
    header += struct.pack(">6H", 2026, 1, 1, 0, 0, 0) + b"acsp" + bytes(28) + _xyz(WHITE)[8:] + bytes(48)
    return header[:128] + struct.pack(">L", len(tags)) + table + content
