"""Regions of a photo at every scale, ranked by how densely attributions lie in them.

Kapishnikov et al., "XRAI: Better Attributions Through Regions", ICCV 2019: over-segment the photo
at several scales, then take, again and again, the region whose pixels not yet taken have the
highest mean attribution. Here the scales are one tree: superpixels, joined two by two by Ward's
criterion (Salembier and Garrido 2000 call it a binary partition tree).
"""

from __future__ import annotations

import heapq
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from trainer.explaining.superpixels import Parts, lab, superpixels
from trainer.models.network import Floats

# Sides of what is segmented: of a photo of 224 every second pixel is enough.
MOST_PIXELS = 112
CELLS = 20
# No region is smaller than this share of the photo.
LEAST_SHARE = 0.003


@dataclass(frozen=True)
class Regions:
    """Parts `(side, side)` of a photo, and regions as rows of which parts belong to them."""

    parts: Parts
    members: NDArray[np.bool_]

    @property
    def areas(self) -> Floats:
        """Pixels of each part."""
        return np.bincount(self.parts.ravel()).astype(np.float32)


def segment(pixels: Floats) -> Regions:
    """The regions of a photo `(size, size, 3)`, 0–255, on a grid of at most 112 × 112."""
    small = pooled(pixels)
    colours = lab(small)
    parts = superpixels(colours, max(1, round(len(small) / CELLS)))
    return Regions(parts, _tree(parts, colours))


def pooled(pixels: Floats, most_pixels: int = MOST_PIXELS) -> Floats:
    """Means over whole blocks, so that no side is above so many pixels."""
    step = -(-len(pixels) // most_pixels)
    side = len(pixels) // step
    cut = pixels[: side * step, : side * step].astype(np.float32)
    means: Floats = cut.reshape(side, step, side, step, *pixels.shape[2:]).mean(axis=(1, 3))
    return means


def ranked(regions: Regions, attributions: Floats) -> Floats:
    """The region map `(side, side)`: the mean attribution of the region that each pixel came with.

    `attributions` is `(side, side)`, as `pooled` leaves them. A region's value is that of what it
    added, so that the map's sum is that of the attributions.
    """
    count = regions.members.shape[1]
    weight = np.bincount(regions.parts.ravel(), attributions.ravel(), minlength=count)
    area = regions.areas.astype(np.float64)
    members = regions.members.astype(np.float64)
    sums, sizes = members @ weight, members @ area
    values, is_left = np.zeros(count), np.ones(count, bool)
    while is_left.any():
        gains = np.where(sizes > 0.5, sums / np.maximum(sizes, 0.5), -np.inf)
        chosen = int(gains.argmax())
        taken = regions.members[chosen] & is_left
        values[taken] = gains[chosen]
        is_left &= ~taken
        sums -= members[:, taken] @ weight[taken]
        sizes -= members[:, taken] @ area[taken]
    found: Floats = values.astype(np.float32)[regions.parts]
    return found


def _tree(parts: Parts, colours: Floats) -> NDArray[np.bool_]:
    """Every region of the tree that is large enough, `(regions, parts)`; the whole photo too."""
    count = int(parts.max()) + 1
    sizes = [float(size) for size in np.bincount(parts.ravel(), minlength=count)]
    flat = colours.reshape(-1, 3)
    means = [
        np.bincount(parts.ravel(), column, minlength=count) / np.maximum(sizes, 1)
        for column in flat.T
    ]
    centres = list(np.stack(means, 1))
    members: list[NDArray[np.bool_]] = list(np.eye(count, dtype=bool))
    beside = _neighbours(parts, count)
    heap = [
        (_cost(sizes, centres, one, two), one, two)
        for one in range(count)
        for two in beside[one]
        if one < two
    ]
    heapq.heapify(heap)
    alive = [True] * count
    while heap:
        _, one, two = heapq.heappop(heap)
        if not (alive[one] and alive[two]):
            continue
        new = len(sizes)
        alive[one] = alive[two] = False
        alive.append(True)
        sizes.append(sizes[one] + sizes[two])
        centres.append((sizes[one] * centres[one] + sizes[two] * centres[two]) / sizes[new])
        members.append(members[one] | members[two])
        beside.append((beside[one] | beside[two]) - {one, two})
        for near in beside[new]:
            beside[near].add(new)
            if alive[near]:
                heapq.heappush(heap, (_cost(sizes, centres, near, new), near, new))
    least = LEAST_SHARE * parts.size
    return np.stack([row for row, size in zip(members, sizes, strict=True) if size >= least])


def _cost(sizes: list[float], centres: list[Floats], one: int, two: int) -> float:
    """By how much the squared colour error grows when two regions become one (Ward 1963)."""
    apart = centres[one] - centres[two]
    return float(sizes[one] * sizes[two] / (sizes[one] + sizes[two]) * (apart @ apart))


def _neighbours(parts: Parts, count: int) -> list[set[int]]:
    beside: list[set[int]] = [set() for _ in range(count)]
    for first, second in ((parts[:, :-1], parts[:, 1:]), (parts[:-1], parts[1:])):
        apart = first != second
        for one, two in np.unique(np.stack([first[apart], second[apart]], 1), axis=0).tolist():
            beside[one].add(two)
            beside[two].add(one)
    return beside
