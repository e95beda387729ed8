"""Where the weight of a map lies: its heaviest connected places, as boxes with their shares."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from trainer.explaining.superpixels import connected
from trainer.models.network import Floats

# The heaviest pixels are taken until they hold half of the weight, or cover a quarter.
WEIGHT_SHARE = 0.5
MOST_AREA = 0.25
MOST_PLACES = 5
# A place with less than a twentieth of the weight is not worth a box.
LEAST_WEIGHT = 0.05


@dataclass(frozen=True)
class Place:
    """A connected place: edges as shares (0–1) of the map's sides, and its shares of the whole.

    `weight` is its share of all positive attributions, `area` of the map.
    """

    left: float
    top: float
    right: float
    bottom: float
    weight: float
    area: float


def heaviest(values: Floats) -> NDArray[np.bool_]:
    """The pixels `(side, side)` that hold half of the map's positive weight, a quarter at most."""
    positive = np.clip(values, 0, None).astype(np.float64).ravel()
    order = np.argsort(-positive, kind="stable")
    before = np.cumsum(positive[order]) - positive[order]
    taken = (before < WEIGHT_SHARE * positive.sum()) & (positive[order] > 0)
    taken[int(MOST_AREA * taken.size) :] = False
    found = np.zeros(taken.size, bool)
    found[order[taken]] = True
    return found.reshape(values.shape)


def places(values: Floats) -> list[Place]:
    """The heaviest connected places of a map, at most five, the heaviest first."""
    inside = heaviest(values)
    positive = np.clip(values, 0, None).astype(np.float64)
    parts = np.where(inside, connected(inside.astype(np.int64)), -1)
    found = [_place(parts == part, positive) for part in np.unique(parts[inside])]
    worth = [place for place in found if place.weight >= LEAST_WEIGHT]
    return sorted(worth, key=lambda place: -place.weight)[:MOST_PLACES]


def _place(inside: NDArray[np.bool_], positive: NDArray[np.float64]) -> Place:
    down, across = np.nonzero(inside)
    height, width = inside.shape
    return Place(
        left=float(across.min()) / width,
        top=float(down.min()) / height,
        right=float(across.max() + 1) / width,
        bottom=float(down.max() + 1) / height,
        weight=float(positive[inside].sum() / max(positive.sum(), 1e-12)),
        area=float(inside.mean()),
    )
