"""Changes of a photo's colours, each linear in red, green and blue; many are one product.

Each function takes what was drawn `(batch, 1)` and the photos' mean colours `(batch, 3)`, and gives
a matrix `(batch, 3, 3)` and an offset `(batch, 3)`: a changed pixel is the row of its three values
times the matrix, plus the offset. Values are 0–255.
"""

from __future__ import annotations

import math
from typing import Any

import numpy as np

# Brightness and the two colour differences of NTSC (FCC, 1953), of which hue is the angle.
_TO_YIQ = np.array(
    [[0.299, 0.596, 0.211], [0.587, -0.274, -0.523], [0.114, -0.322, 0.312]], np.float64
)
_FROM_YIQ = np.linalg.inv(_TO_YIQ)
_TO_GREY = np.repeat(_TO_YIQ[:, :1], 3, axis=1)

Linear = tuple[Any, Any]


def brightness(tf: Any, shares: Any, mean: Any) -> Linear:
    """Lighter by a share of 255, or darker."""
    return _same(tf, mean), tf.repeat(shares * 255.0, 3, 1)


def contrast(tf: Any, factors: Any, mean: Any) -> Linear:
    """Further from the photo's mean colour by a factor, or nearer."""
    return factors[:, :, None] * _same(tf, mean), (1 - factors) * mean


def saturation(tf: Any, factors: Any, mean: Any) -> Linear:
    """Further from the pixel's own grey by a factor, or nearer."""
    grey = tf.constant(_TO_GREY, tf.float32)[None]
    kept = factors[:, :, None]
    return kept * _same(tf, mean) + (1 - kept) * grey, tf.zeros_like(mean)


def hue(tf: Any, turns: Any, mean: Any) -> Linear:
    """Every colour moved round the circle of hues by a share of a whole turn."""
    angle = turns[:, 0] * (2 * math.pi)
    nought, one = tf.zeros_like(angle), tf.ones_like(angle)
    across = [one, nought, nought, nought, tf.cos(angle), tf.sin(angle)]
    turned = tf.reshape(tf.stack([*across, nought, -tf.sin(angle), tf.cos(angle)], 1), (-1, 3, 3))
    there, back = (tf.constant(matrix, tf.float32) for matrix in (_TO_YIQ, _FROM_YIQ))
    return there @ turned @ back, tf.zeros_like(mean)


def joined(first: Linear, second: Linear) -> Linear:
    """One change that does both, the first one first."""
    return first[0] @ second[0], moved(first[1], second)


def moved(colours: Any, change: Linear) -> Any:
    """Colours `(batch, 3)` after a change."""
    return (colours[:, None] @ change[0])[:, 0] + change[1]


def painted(tf: Any, pixels: Any, change: Linear) -> Any:
    """Pixels `(batch, height, width, 3)` float32 after a change, cut off at 0 and 255."""
    rows = tf.reshape(pixels, (tf.shape(pixels)[0], -1, 3))
    changed = tf.reshape(rows @ change[0] + change[1][:, None], tf.shape(pixels))
    return tf.clip_by_value(changed, 0.0, 255.0)


def unchanged(tf: Any, mean: Any) -> Linear:
    """The change that changes nothing."""
    return _same(tf, mean), tf.zeros_like(mean)


def _same(tf: Any, mean: Any) -> Any:
    return tf.eye(3, batch_shape=[tf.shape(mean)[0]])
