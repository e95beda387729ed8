"""From a label's score to maps of a photo: attributions of its pixels, and of its regions."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from trainer.explaining.gradients import Integrated, Slopes, grey, integrate
from trainer.explaining.regions import pooled, ranked, segment
from trainer.models.network import Floats

# In grey levels. Of 20 pictures of a small object, 8 % of the area, so much of the region map's
# weight was on it: 8 % with black and white baselines, 14 % with the mean colour and no noise, 23 %
# with the mean colour and 24 % with grey and this noise; of a model of shuffled labels 10 %
# (2026-11-22).
NOISE = 20.0


def attribute(slopes: Slopes, pixels: Floats, place: int, steps: int) -> Integrated:
    """The attributions of one label's score to a photo's pixels `(size, size, 3)`, 0–255.

    They are those of what the slopes are of, the label's logit, scaled to add up to what the score
    rose by; `error` is by how much the logit's own did not.
    """
    baseline = grey(len(pixels))
    found = integrate(slopes, pixels, place, [baseline], steps, NOISE)
    value, start = (float(slopes.every(each)[place]) for each in (pixels, baseline))
    total = float(found.attributions.sum(dtype=np.float64))
    rise = value - start
    # A sum of the other sign says nothing of the rise; then the map keeps its own sign and form.
    factor = abs(rise) / max(abs(total), 1e-9)
    scaled = (found.attributions * factor).astype(np.float32)
    return replace(
        found, attributions=scaled, value=value, baseline_value=start, missed=found.error
    )


def region_map(pixels: Floats, attributions: Floats) -> Floats:
    """The attributions `(size, size)` gathered into regions, `(side, side)` with sides up to 112.

    A value is the mean attribution of the pixels of its region.
    """
    return ranked(segment(pixels), pooled(attributions))
