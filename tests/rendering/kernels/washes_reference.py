"""Washes, written down plainly: what rendering.kernels.washes.settle does, a picture at a time."""

import cv2
import numpy as np

WHITE = np.array([0.945, 0.972, 0.985])


def settle(density, thinnest, thickest, around, clouds, tile, pooling, grain, shape):
    """Return the painting of this shape (height, width, 3), as fractions of levels."""
    height, width = density.shape[:2]
    between = (density.sum(2) - thinnest.sum(2)) / np.maximum(thickest.sum(2) - thinnest.sum(2), 1e-4)
    between += 0.05 * clouds[2, :height, :width]
    paper = [np.tile(each, (3, 3))[:height, :width] for each in tile]
    fields = np.dstack([thinnest, thickest - thinnest, between, around, *paper]).astype(np.float32)
    planes = [cv2.resize(each, shape[1::-1], interpolation=cv2.INTER_LINEAR) for each in np.dsplit(fields, 10)]
    scale = max(shape[0] / height, shape[1] / width, 1)
    contrast = planes[3] + planes[4] + planes[5]
    soft = np.clip(planes[6], 0, 1)
    hard = eased((soft - 0.5) * 1.6 * scale**0.7 + 0.5)
    side = soft + (hard - soft) * np.minimum(contrast / 0.9, 1)
    pigment = np.dstack([planes[channel] + planes[3 + channel] * side for channel in range(3)])
    mean = pigment.mean(2)
    excess = np.clip(1.7 * mean - planes[7], -0.5, 0.5)
    fine = np.tile(tile[0], (3, 3))[: shape[0], : shape[1]]
    gathered = np.where(excess > 0, pooling, pooling / 3) * excess
    gathered += grain * (planes[8] + (0.5 - 0.5 / scale) * fine)
    amount = np.clip(1 + gathered / (0.35 + mean), 0.15, 3)
    relief = 1 + 0.018 * planes[9]
    return np.minimum(255 * np.exp(-pigment * amount[..., None]) * WHITE * relief[..., None], 255)


def eased(part):
    """Return a part from 0 to 1 that starts and ends slowly."""
    kept = np.clip(part, 0, 1)
    return kept * kept * (3 - 2 * kept)
