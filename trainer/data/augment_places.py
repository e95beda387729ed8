"""Changes of where a photo's pixels are, each as an affine map; many are one resampling.

A map `(batch, 3, 3)` leads from a pixel of the changed photo to the place in the photo it comes
from, in pixels, the first pixel's centre being (0, 0). What lies outside is the nearest edge.
"""

from __future__ import annotations

import math
from typing import Any

CROP_PIXELS = 10.0
CROP_MOST_SHARE = 1 / 8


def crop(tf: Any, draws: Any, size: int) -> Any:
    """Enlarged by 10 px, then a random part of the old size (`draws` `(batch, 2)`, 0–1).

    Of less than 80 px by an eighth of the side: as much as 4 px of 32, the CIFAR recipe's border.
    """
    more = min(CROP_PIXELS, size * CROP_MOST_SHARE)
    share = size / (size + more)
    start = (draws * more + 0.5) * share - 0.5
    ones = tf.ones_like(draws[:, 0]) * share
    return _rows(tf, ones, 0 * ones, start[:, 0], 0 * ones, ones, start[:, 1])


def flip(tf: Any, draws: Any, size: int) -> Any:
    """Left and right exchanged where the draw `(batch, 1)` is below a half."""
    turned = tf.cast(draws[:, 0] < 0.5, tf.float32)
    nought, one = tf.zeros_like(turned), tf.ones_like(turned)
    return _rows(tf, 1 - 2 * turned, nought, turned * (size - 1.0), nought, one, nought)


def zoom(tf: Any, factors: Any, size: int) -> Any:
    """Larger by factors `(batch, 1)` about the middle; below 1 smaller."""
    share = 1 / factors[:, 0]
    nought = tf.zeros_like(share)
    return _about_middle(tf, size, (share, nought, nought, share), (nought, nought))


def rotation(tf: Any, degrees: Any, size: int) -> Any:
    """Turned about the middle by degrees `(batch, 1)`."""
    angle = degrees[:, 0] * (math.pi / 180)
    turned = (tf.cos(angle), -tf.sin(angle), tf.sin(angle), tf.cos(angle))
    nought = tf.zeros_like(angle)
    return _about_middle(tf, size, turned, (nought, nought))


ANGLE, SCALE, SLANT, SHIFT = 0.14, 0.08, 0.08, 0.06


def affine(tf: Any, amounts: Any, size: int) -> Any:
    """Turned, scaled each way, slanted and moved a little; `amounts` `(batch, 6)`, −1 to 1.

    At most 0.14 rad (8 degrees), 8 % larger or smaller, slanted by 0.08, moved by 6 % of the side.
    """
    angle = amounts[:, 0] * ANGLE
    wide, high = 1 + amounts[:, 1] * SCALE, 1 + amounts[:, 2] * SCALE
    matrix = (
        wide * tf.cos(angle),
        amounts[:, 3] * SLANT - high * tf.sin(angle),
        wide * tf.sin(angle),
        high * tf.cos(angle),
    )
    moved = SHIFT * size
    return _about_middle(tf, size, matrix, (amounts[:, 4] * moved, amounts[:, 5] * moved))


def resampled(tf: Any, pixels: Any, maps: Any) -> Any:
    """Pixels `(batch, height, width, channels)` float32, moved by maps, between pixels bilinear."""
    flat = tf.reshape(maps, (-1, 9))[:, :8]
    return tf.raw_ops.ImageProjectiveTransformV3(
        images=pixels,
        transforms=flat,
        output_shape=tf.shape(pixels)[1:3],
        fill_value=0.0,
        interpolation="BILINEAR",
        fill_mode="NEAREST",
    )


def _about_middle(tf: Any, size: int, matrix: tuple[Any, ...], moved: tuple[Any, Any]) -> Any:
    a, b, c, d = matrix
    middle = (size - 1) / 2
    x = middle + moved[0] - (a + b) * middle
    y = middle + moved[1] - (c + d) * middle
    return _rows(tf, a, b, x, c, d, y)


def _rows(tf: Any, a: Any, b: Any, x: Any, c: Any, d: Any, y: Any) -> Any:
    nought, one = tf.zeros_like(a), tf.ones_like(a)
    return tf.reshape(tf.stack([a, b, x, c, d, y, nought, nought, one], 1), (-1, 3, 3))
