"""The oil votes in plain NumPy: a window for each pixel, and a count of its tones."""

import cv2
import numpy as np


def oil_painting(pixels, size, dyn_ratio):
    """Return what cv2.xphoto.oilPainting does, by counting each window's tones anew."""
    painted = np.empty_like(pixels)
    for place, tones, colors in _windows(pixels, size, dyn_ratio):
        counts = np.bincount(tones)
        winner = counts.argmax()
        mean = colors[tones == winner].sum(axis=0) * (1.0 / counts[winner])
        painted[place] = np.rint(mean.astype(np.float32))
    return painted


def soft_oil_painting(pixels, size, dyn_ratio, exponent):
    """Return the mean of each window's tones, a tone weighing its count to the power of the exponent."""
    painted = np.empty(pixels.shape)
    for place, tones, colors in _windows(pixels, size, dyn_ratio):
        weights = np.bincount(tones)[tones].astype(float) ** (exponent - 1)
        painted[place] = weights @ colors / weights.sum()
    return painted


def _windows(pixels, size, dyn_ratio):
    tones = np.rint(cv2.cvtColor(pixels, cv2.COLOR_BGR2GRAY) * (1.0 / dyn_ratio)).astype(int)
    for y, x in np.ndindex(tones.shape):
        window = np.s_[max(y - size, 0) : y + size + 1, max(x - size, 0) : x + size + 1]
        yield (y, x), tones[window].ravel(), pixels[window].reshape(-1, 3)
