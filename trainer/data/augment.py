"""Small random changes of photos in training: turned, scaled, slanted, moved."""

from __future__ import annotations

import numpy as np

from trainer.models.network import Floats


def random_maps(random: np.random.Generator, count: int, size: int) -> Floats:
    """Affine maps `(count, 8)` from output to input pixels, as TensorFlow's image transform has."""
    angle = random.uniform(-0.14, 0.14, count)
    scale = random.uniform(0.92, 1.08, (count, 2))
    slant = random.uniform(-0.08, 0.08, count)
    centre = (size - 1) / 2
    moved = random.uniform(-0.06, 0.06, (count, 2)) * size
    a, b = scale[:, 0] * np.cos(angle), -scale[:, 1] * np.sin(angle) + slant
    c, d = scale[:, 0] * np.sin(angle), scale[:, 1] * np.cos(angle)
    x = centre + moved[:, 0] - a * centre - b * centre
    y = centre + moved[:, 1] - c * centre - d * centre
    nothing = np.zeros(count)
    return np.stack([a, b, x, c, d, y, nothing, nothing], 1).astype(np.float32)


def no_maps(count: int) -> Floats:
    """Maps `(count, 8)` that leave every photo as it is."""
    return np.tile(np.array([1, 0, 0, 0, 1, 0, 0, 0], np.float32), (count, 1))
