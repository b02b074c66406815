"""The pencil's kernel in plain NumPy: the same numbers, without a trick."""

import math

import numpy as np


def neighbors(canvas, *, sigma_s, sigma_r, shade_factor):
    most = math.ceil(1.886 / shade_factor)
    across = _counts(canvas, sigma_s, sigma_r, most)
    down = _counts(canvas.swapaxes(0, 1), sigma_s, sigma_r, most).T
    return (across + down).astype(np.uint8)


def gray(counts, *, shade_factor):
    tones = np.float32(shade_factor) * counts.astype(np.float32) * np.float32(255)
    levels = np.clip(np.rint(tones), 0, 255).astype(np.uint8)
    return np.repeat(levels[:, :, None], 3, axis=2)


def color(canvas, counts, *, shade_factor):
    blue, green, red = (canvas[:, :, channel].astype(np.float64) / 255 for channel in range(3))
    luma = 0.299 * red + 0.587 * green + 0.114 * blue
    more_red, more_blue = (red - luma) * 0.713, (blue - luma) * 0.564
    tone = shade_factor * counts
    painted = [tone + 1.773 * more_blue, tone - 0.714 * more_red - 0.344 * more_blue, tone + 1.403 * more_red]
    return np.stack([np.clip(np.rint(255 * plane), 0, 255) for plane in painted], axis=2).astype(np.uint8)


def _counts(canvas, sigma_s, sigma_r, most):
    """Count in each row: prefix sums, and one comparison for each distance k."""
    height, width = canvas.shape[:2]
    radius, scale = sigma_s * 12 / math.sqrt(63), 255 * sigma_r / sigma_s
    sums = np.zeros((height, width), np.int64)
    np.cumsum(np.abs(np.diff(canvas.astype(np.int64), axis=1)).sum(axis=2), axis=1, out=sums[:, 1:])
    counts = np.ones((height, width), np.int64)
    for k in range(1, min(most - 1, width - 1, math.floor(radius)) + 1):
        near = sums[:, k:] - sums[:, :-k] <= math.floor((radius - k) * scale)
        counts[:, :-k] += near
        counts[:, k:] += near
    counts = np.minimum(counts, most)
    counts[sums[:, -1] <= math.floor((radius - width + 1) * scale), 0] = 0  # OpenCV's first pixel
    return counts
