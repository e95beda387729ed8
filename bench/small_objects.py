"""Pictures whose label is the pattern of a small object at a random place, among other things.

The object takes at most a tenth of the picture; its exact pixels are known, so that one can measure
how much of an explanation lies on it. Its shape, colours and place, and the boxes, discs and bars
of the background, are drawn alike for every label.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

SIDE = 240
AREAS = 0.06, 0.10
THINGS = 40
PERIODS = 9.0, 14.0
LEAST_CONTRAST = 200
Points = list[tuple[float, float]]
Grid = NDArray[np.float64]


@dataclass(frozen=True)
class Picture:
    """Pixels `(240, 240, 3)` uint8, the mask `(240, 240)` of the object, and what it is."""

    pixels: NDArray[np.uint8]
    mask: NDArray[np.bool_]
    label: str


def pictures(label: str, count: int, seed: int) -> Iterator[Picture]:
    """Pictures of one label; the same seed gives the same."""
    randomly = np.random.default_rng([seed, LABELS.index(label)])
    for _ in range(count):
        background = _background(randomly)
        mask = _mask(randomly)
        yield Picture(_filled(background, mask, label, randomly), mask, label)


def _star(turn: float) -> Points:
    return [_at(turn + place / 10, 1.0 if place % 2 else 0.42) for place in range(10)]


def _cross(turn: float) -> Points:
    corners = [(0.33, 1), (0.33, 0.33), (1, 0.33), (1, -0.33), (0.33, -0.33), (0.33, -1)]
    corners += [(-x, -y) for x, y in corners]
    return [_turned(x, y, turn) for x, y in corners]


def _arrow(turn: float) -> Points:
    corners = [(0, -1), (0.85, 0), (0.35, 0), (0.35, 1), (-0.35, 1), (-0.35, 0), (-0.85, 0)]
    return [_turned(x, y, turn) for x, y in corners]


def _heart(turn: float) -> Points:
    """The curve x = 16 sin³ t, y = 13 cos t − 5 cos 2t − 2 cos 3t − cos 4t."""
    found = []
    for t in np.linspace(0, 2 * math.pi, 60, endpoint=False):
        down = 13 * math.cos(t) - 5 * math.cos(2 * t) - 2 * math.cos(3 * t) - math.cos(4 * t)
        found.append(_turned(math.sin(t) ** 3, -down / 16, turn))
    return found


SHAPES: tuple[Callable[[float], Points], ...] = (_star, _cross, _arrow, _heart)
PATTERNS: dict[str, Callable[[Grid, Grid], Grid]] = {
    "checks": lambda x, y: np.sign(np.sin(x) * np.sin(y)),
    "dots": lambda x, y: np.where(np.cos(x) + np.cos(y) > 0.9, 1.0, -1.0),
    "rings": lambda x, y: np.sign(np.sin(np.hypot(x, y))),
    "stripes": lambda x, y: np.sign(np.sin(x) + 0 * y),
    "waves": lambda x, y: np.sign(np.sin(x + 2 * np.sin(y / 2))),
}
LABELS = tuple(PATTERNS)


def _at(turn: float, radius: float) -> tuple[float, float]:
    return radius * math.cos(2 * math.pi * turn), radius * math.sin(2 * math.pi * turn)


def _turned(x: float, y: float, turn: float) -> tuple[float, float]:
    along, up = math.cos(2 * math.pi * turn), math.sin(2 * math.pi * turn)
    return x * along - y * up, x * up + y * along


def _mask(randomly: np.random.Generator) -> NDArray[np.bool_]:
    """The object's pixels: of the size wanted, wholly inside the picture."""
    shape = SHAPES[randomly.integers(len(SHAPES))](randomly.uniform())
    unit = _drawn([(64 + 60 * x, 64 + 60 * y) for x, y in shape], 128).sum() / 60**2
    radius = math.sqrt(randomly.uniform(*AREAS) * SIDE * SIDE / unit)
    reach = max(max(abs(x), abs(y)) for x, y in shape) * radius + 1
    across, down = randomly.uniform(reach, SIDE - reach, 2)
    return _drawn([(across + radius * x, down + radius * y) for x, y in shape], SIDE)


def _drawn(points: Points, side: int) -> NDArray[np.bool_]:
    from PIL import Image, ImageDraw

    image = Image.new("1", (side, side))
    ImageDraw.Draw(image).polygon(points, fill=1)
    return np.asarray(image).copy()


def _background(randomly: np.random.Generator) -> NDArray[np.float32]:
    from PIL import Image, ImageDraw

    image = Image.new("RGB", (SIDE, SIDE), _colour(randomly))
    draw = ImageDraw.Draw(image)
    for _ in range(THINGS):
        x, y, width, height = randomly.uniform((-40, -40, 10, 10), (SIDE, SIDE, 90, 90))
        thing = randomly.integers(3)
        if thing == 0:
            draw.rectangle((x, y, x + width, y + height), fill=_colour(randomly))
        elif thing == 1:
            draw.ellipse((x, y, x + width, y + height), fill=_colour(randomly))
        else:
            ends = x, y, x + 2 * width - 90, y + 2 * height - 90
            draw.line(ends, fill=_colour(randomly), width=int(width // 8) + 1)
    return _noisy(np.asarray(image), randomly)


def _filled(
    background: NDArray[np.float32],
    mask: NDArray[np.bool_],
    label: str,
    randomly: np.random.Generator,
) -> NDArray[np.uint8]:
    """The object with its label's pattern in two colours, noisy as the rest is."""
    turn, scale = randomly.uniform(0, 2 * math.pi), 2 * math.pi / randomly.uniform(*PERIODS)
    down, across = np.nonzero(mask)
    y, x = np.mgrid[0:SIDE, 0:SIDE] - np.array([down.mean(), across.mean()])[:, None, None]
    along, up = x * math.cos(turn) + y * math.sin(turn), y * math.cos(turn) - x * math.sin(turn)
    is_light = PATTERNS[label](scale * along, scale * up)[..., None] > 0
    dark, light = _two_colours(randomly)
    painted = _noisy(np.where(is_light, light, dark), randomly)
    return np.clip(np.where(mask[..., None], painted, background), 0, 255).astype(np.uint8)


def _two_colours(randomly: np.random.Generator) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """Two colours that are well apart."""
    while True:
        one, other = randomly.integers(0, 256, (2, 3))
        if np.abs(one - other).sum() >= LEAST_CONTRAST:
            return one, other


def _noisy(pixels: Any, randomly: np.random.Generator) -> NDArray[np.float32]:
    return np.asarray(pixels + randomly.normal(0, 12, pixels.shape), np.float32)


def _colour(randomly: np.random.Generator) -> tuple[int, int, int]:
    red, green, blue = randomly.integers(0, 256, 3)
    return int(red), int(green), int(blue)
