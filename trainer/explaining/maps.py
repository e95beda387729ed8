"""From a label's score to maps of a photo: attributions of its pixels, and of its regions."""

from __future__ import annotations

from trainer.explaining.gradients import Integrated, Slopes, black_and_white, integrate
from trainer.explaining.regions import pooled, ranked, segment
from trainer.models.network import Floats


def attribute(slopes: Slopes, pixels: Floats, place: int, steps: int) -> Integrated:
    """The attributions of one output to a photo's pixels `(size, size, 3)`, 0–255."""
    return integrate(slopes, pixels, place, black_and_white(len(pixels)), steps)


def region_map(pixels: Floats, attributions: Floats) -> Floats:
    """The attributions `(size, size)` gathered into regions, `(side, side)` with sides up to 112.

    A value is the mean attribution of the pixels of its region.
    """
    return ranked(segment(pixels), pooled(attributions))
