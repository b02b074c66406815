"""The kernels of drawing in plain NumPy: the same numbers, without a trick."""

import numpy as np

from rendering.kernels.drawing import COLORS, CONTOURS, GRAIN, HATCHING, HUES, TONES


def trace(edges, offsets):
    directions, reach, _ = offsets.shape
    responses = []
    for direction in range(directions):
        ahead = sum(_shifted(edges, down, right, reach) for down, right in offsets[direction])
        behind = sum(_shifted(edges, -down, -right, reach) for down, right in offsets[direction])
        responses.append(5 * np.minimum(ahead, behind) + np.maximum(ahead, behind))
    return np.max(responses, axis=0), sum(response // 8 for response in responses), np.argmax(responses, axis=0)


def stroke(planes, offsets):
    reach = offsets.shape[1]
    ink = 0
    for plane, steps in zip(planes, offsets, strict=True):
        ink = ink + (reach + 1) * _shifted(plane, 0, 0, reach)
        for tap, (down, right) in enumerate(steps):
            ink = ink + (reach - tap) * (_shifted(plane, down, right, reach) + _shifted(plane, -down, -right, reach))
    return ink


def draw_gray(sheet, fine, hand):
    paper, gain, strength, tooth, fine_tooth, _ = hand
    planes = sheet / 255
    tone = np.clip((planes[TONES] - paper) * gain, 0, 1)
    speck = (planes[GRAIN] - 0.5) * tooth + (fine / 255 - 0.5) * fine_tooth
    light = 1 - 0.36 * strength * _soft((tone * 1.5 - np.maximum(planes[HATCHING] + speck, 0) * 0.85) / 0.7)
    light *= 1 - 0.42 * strength * _soft((tone * 1.2 - 0.33 - (planes[HATCHING + 1] + speck) * 0.5) / 0.55)
    light *= 1 - 0.45 * strength * _soft((tone * 1.1 - 0.60 - (planes[HATCHING + 2] + speck) * 0.4) / 0.5)
    light *= 1 - 0.78 * _soft(planes[CONTOURS] * (1.2 + 2.4 * speck) - 0.03)
    return 255 * np.maximum(light, 0.165)


def draw_colors(sheet, fine, hand):
    paper, gain, strength, tooth, fine_tooth, cover = hand
    planes = sheet / 255
    own, hue = planes[COLORS : COLORS + 3], planes[HUES : HUES + 3]
    tone = np.clip((planes[TONES] - paper) * gain, 0, 1)
    chroma = own.max(axis=0) - own.min(axis=0)
    colored = np.minimum(chroma * 3.2, 1)
    covered = np.minimum(chroma * 2.2, 1) * (0.42 + 0.36 * planes[TONES]) * cover
    coat = np.minimum(np.maximum(tone * (0.95 - 0.25 * colored), covered), 0.9)
    speck = (planes[GRAIN] - 0.5) * tooth + (fine / 255 - 0.5) * fine_tooth
    noises = planes[HATCHING : HATCHING + 3] + speck
    first = min(0.92 * strength, 1) * _soft((coat * 1.5 - np.maximum(noises[0], 0) * 0.85) / 0.7)
    second = 0.60 * strength * _soft((coat * 1.2 - 0.33 - noises[1] * 0.5) / 0.55)
    shadow = min(0.70 * strength, 1) * _soft((tone * 1.2 - 0.42 - noises[1] * 0.5) / 0.55)
    deep = 0.60 * strength * _soft((tone * 1.1 - 0.65 - noises[2] * 0.4) / 0.5)
    line = 0.85 * _soft(planes[CONTOURS] * (1.2 + 2.4 * speck) - 0.03)
    light = 1 - first * (1 - hue * colored - (0.30 + 0.45 * own) * (1 - colored))
    light *= 1 - second * 0.65 * (1 - hue)
    light *= 1 - shadow * (0.78 - 0.30 * own - 0.45 * hue)
    light *= 1 - deep * (0.70 - 0.40 * own - 0.20 * hue)
    light *= 1 - line * (0.88 - 0.50 * own)
    return 41 + 214 * light


def _shifted(plane, down, right, border):
    height, width = plane.shape[0] - 2 * border, plane.shape[1] - 2 * border
    return plane[border + down :, border + right :][:height, :width].astype(np.int64)


def _soft(values):
    x = np.clip(values, 0, 1)
    return x * x * (3 - 2 * x)
