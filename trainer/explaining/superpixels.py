"""A photo in a few hundred superpixels, by simple linear iterative clustering.

Achanta et al., "SLIC Superpixels Compared to State-of-the-art Superpixel Methods", PAMI 2012:
k-means in colour and place, begun on a grid. Here each pixel looks at the nine clusters around its
cell of the grid, so that a round is nine passes over arrays.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from trainer.models.network import Floats

Parts = NDArray[np.int64]
ROUNDS = 6
# Colour distance, in CIELAB, that weighs as much as the side of a cell: the paper's m.
COMPACTNESS = 10.0
_TO_XYZ = (
    (0.4124564, 0.3575761, 0.1804375),
    (0.2126729, 0.7151522, 0.0721750),
    (0.0193339, 0.1191920, 0.9503041),
)
_WHITE = (0.95047, 1.0, 1.08883)


def lab(pixels: Floats) -> Floats:
    """CIELAB `(height, width, 3)`, lightness 0–100, of sRGB pixels 0–255 (IEC 61966-2-1, D65)."""
    share = np.clip(pixels, 0, 255) / 255.0
    linear = np.where(share <= 0.04045, share / 12.92, ((share + 0.055) / 1.055) ** 2.4)
    ratio = linear @ np.array(_TO_XYZ).T / np.array(_WHITE)
    cubic = np.where(ratio > 216 / 24389, np.cbrt(ratio), (ratio * 24389 / 27 + 16) / 116)
    x, y, z = np.moveaxis(cubic, -1, 0)
    return np.stack([116 * y - 16, 500 * (x - y), 200 * (y - z)], axis=-1).astype(np.float32)


def superpixels(colours: Floats, cell: int) -> Parts:
    """The part `(height, width)`, numbered from 0, that each pixel belongs to; each is connected.

    `colours` is CIELAB `(height, width, 3)`; a part is about `cell` × `cell` pixels.
    """
    height, width = colours.shape[:2]
    rows, columns = max(1, round(height / cell)), max(1, round(width / cell))
    down, across = np.mgrid[0:height, 0:width].astype(np.float32)
    home = (down * rows // height).astype(np.int64), (across * columns // width).astype(np.int64)
    scale = COMPACTNESS / cell
    features = np.concatenate([colours, scale * np.stack([down, across], -1)], -1)
    belongs = home[0] * columns + home[1]
    for _ in range(ROUNDS):
        centres = _centres(features, belongs, rows * columns)
        belongs = _nearest(features, centres, home, (rows, columns))
    return connected(belongs)


def _centres(features: Floats, belongs: Parts, count: int) -> Floats:
    """The mean features `(count, 5)` of each cluster; an empty one is far from everything."""
    flat, places = features.reshape(-1, features.shape[-1]), belongs.ravel()
    sizes = np.bincount(places, minlength=count)
    sums = [np.bincount(places, column, minlength=count) for column in flat.T]
    means = np.stack(sums, 1) / np.maximum(sizes, 1)[:, None]
    means[sizes == 0] = 1e6
    return means.astype(np.float32)


def _nearest(
    features: Floats, centres: Floats, home: tuple[Parts, Parts], grid: tuple[int, int]
) -> Parts:
    best: Any = np.full(features.shape[:2], np.inf, np.float32)
    found = np.zeros(features.shape[:2], np.int64)
    for down in (-1, 0, 1):
        for across in (-1, 0, 1):
            row = np.clip(home[0] + down, 0, grid[0] - 1)
            place = row * grid[1] + np.clip(home[1] + across, 0, grid[1] - 1)
            distance = ((features - centres[place]) ** 2).sum(-1)
            nearer = distance < best
            best = np.where(nearer, distance, best)
            found = np.where(nearer, place, found)
    return found


def connected(parts: Parts) -> Parts:
    """Each connected piece (by sides) as a part of its own, numbered from 0 by its first pixel."""
    height, width = parts.shape
    ids = np.arange(height * width).reshape(height, width)
    pairs = [
        (ids[:, :-1], ids[:, 1:], parts[:, :-1] == parts[:, 1:]),
        (ids[:-1], ids[1:], parts[:-1] == parts[1:]),
    ]
    one = np.concatenate([first[same] for first, _, same in pairs])
    other = np.concatenate([second[same] for _, second, same in pairs])
    root = ids.ravel().copy()
    while True:
        low = np.minimum(root[one], root[other])
        before = root.copy()
        np.minimum.at(root, root[one], low)
        np.minimum.at(root, root[other], low)
        root = root[root]
        if np.array_equal(root, before):
            break
    return np.unique(root, return_inverse=True)[1].reshape(height, width).astype(np.int64)
