"""Drawn signs of which one thing alone says the class: which way it points, or its colour."""

import colorsys
import math
from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from PIL import Image

SIDE_PIXELS = 240
WAYS = ("left", "right")
# Hues in turns of the colour wheel; 60° apart at least, but for orange between red and yellow.
HUES = {"red": 0.0, "orange": 0.083, "yellow": 0.167, "green": 0.333, "blue": 0.611, "purple": 0.8}
ARROW = ((-1, -0.25), (0.1, -0.25), (0.1, -0.7), (1, 0), (0.1, 0.7), (0.1, 0.25), (-1, 0.25))

Points = Sequence[tuple[float, float]]


def arrow(label: str, dice: np.random.Generator) -> "Image.Image":
    """An arrow to the left or to the right, tilted by at most 30°; colour and place say nothing."""
    tilt = dice.uniform(-math.pi / 6, math.pi / 6) + (math.pi if label == "left" else 0.0)
    return _drawn(turned(ARROW, tilt), dice.uniform(0, 1), dice)


def coloured(label: str, dice: np.random.Generator) -> "Image.Image":
    """A shape of three to eight corners in the label's hue; shape, size and place say nothing."""
    corners = int(dice.integers(3, 9))
    angles = [2 * math.pi * place / corners for place in range(corners)]
    shape = [(math.cos(angle), math.sin(angle)) for angle in angles]
    hue = HUES[label] + dice.uniform(-0.015, 0.015)
    return _drawn(turned(shape, dice.uniform(0, 2 * math.pi)), hue, dice)


def turned(points: Points, angle: float) -> Points:
    """The points, turned about (0, 0) by an angle in radians."""
    c, s = math.cos(angle), math.sin(angle)
    return [(x * c - y * s, x * s + y * c) for x, y in points]


def _drawn(points: Points, hue: float, dice: np.random.Generator) -> "Image.Image":
    """The shape, 40–110 pixels from its middle to its tip, somewhere on a blurred grey ground."""
    from PIL import Image, ImageDraw

    coarse = dice.integers(40, 216, (6, 6), dtype=np.uint8)
    ground = Image.fromarray(coarse).resize((SIDE_PIXELS, SIDE_PIXELS), Image.Resampling.BICUBIC)
    image = ground.convert("RGB")
    reach = dice.uniform(40, 110)
    x, y = dice.uniform(reach, SIDE_PIXELS - reach, 2)
    rgb = colorsys.hsv_to_rgb(hue % 1.0, dice.uniform(0.65, 1.0), dice.uniform(0.6, 1.0))
    ImageDraw.Draw(image).polygon(
        [(x + reach * px, y + reach * py) for px, py in points],
        fill=tuple(round(255 * part) for part in rgb),
    )
    return image
