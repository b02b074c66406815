"""Watercolor as plain NumPy, line by line: the algorithm that the fast kernel must equal."""

import cv2
import numpy as np

UNIT = 65536  # of distance; as in the kernel, so that both find the same windows


def stylize(canvas, *, sigma_s, sigma_r, outline=1.0):
    smoothed = smooth(canvas, sigma_s=sigma_s, sigma_r=sigma_r)
    across = cv2.Sobel(smoothed / 255, cv2.CV_64F, 1, 0).reshape(smoothed.shape)
    down = cv2.Sobel(smoothed / 255, cv2.CV_64F, 0, 1).reshape(smoothed.shape)
    light = 1 - outline * np.hypot(across, down).sum(axis=2, keepdims=True)
    return np.clip(np.rint(smoothed * light), 0, 255).astype(np.uint8)


def smooth(canvas, *, sigma_s, sigma_r):
    picture = canvas.astype(np.float64)
    to_left = _distances(picture, sigma_s / sigma_r / 255)
    to_above = _distances(picture.swapaxes(0, 1), sigma_s / sigma_r / 255)
    for turn in range(3):
        reach = np.floor(UNIT * 3 * sigma_s * 2 ** (2 - turn) / np.sqrt(63))
        picture = _averaged(picture, to_left, reach)
        picture = _averaged(picture.swapaxes(0, 1), to_above, reach).swapaxes(0, 1)
    return np.ascontiguousarray(picture)


def _distances(lines, ratio):
    differences = np.abs(np.diff(lines, axis=1, prepend=lines[:, :1])).sum(axis=2)
    return np.cumsum(np.rint(UNIT * (1 + ratio * differences)), axis=1)


def _averaged(lines, distances, reach):
    averaged = np.empty_like(lines)
    for line, distance, average in zip(lines, distances, averaged, strict=True):
        first = np.searchsorted(distance, distance - reach, side="left")
        last = np.searchsorted(distance, distance + reach, side="right")
        sums = np.concatenate([np.zeros((1, 3)), np.cumsum(line, axis=0)])
        average[:] = (sums[last] - sums[first]) / (last - first)[:, None]
    return averaged
