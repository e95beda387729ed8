"""How a pretrained network is trained on: pure functions of the data's size and its likeness.

Likeness, 0–1, is how much of the way from guessing to always right a head on the frozen features
goes, by validation photos: where ImageNet's features say all there is to say, it is 1. The head of
the frozen network comes first and is what everything starts from (Kumar et al., 2022,
arXiv:2202.10054: a head that is right from the start distorts the features less).
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

NOTHING, TAIL, ALL, AUTO = "none", "tail", "all", "auto"

# Photos from which training on has paid here (trainer/schedule.py, clothing photos, 2026-11-21).
FEW_PHOTOS = 1000
# Where BiT's rule of hyper-parameters ends to call data small (Kolesnikov et al., 2020,
# arXiv:1912.11370, section 3.3), and its steps there.
MANY_PHOTOS = 20_000
TAIL_SHARE = 0.25
SAMPLES = 16_000
SAMPLES_FROM_NOTHING = 64_000
MOST_EPOCHS, FEWEST_EPOCHS = 30, 2
MOST_EPOCHS_FROM_NOTHING, FEWEST_EPOCHS_FROM_NOTHING = 60, 4
NEAR_RATE, FAR_RATE = 3e-3, 1e-2
GROUPS, GROUP_FACTOR = 4, 2.6
RATE_FROM_NOTHING, BATCH_OF_THAT_RATE = 0.1, 256


@dataclass(frozen=True)
class Case:
    """What the rules look at: photos that teach, likeness (0–1), whether anything is known yet."""

    photos: int
    likeness: float
    pretrained: bool = True


def likeness(accuracy: float, truth: NDArray[np.bool_]) -> float:
    """How far the frozen features go, 0–1, of an accuracy on photos with truth `(photos, labels)`.

    Nought is what the most frequent answer would reach. The accuracy of a linear head ranks
    networks as their accuracy after training on does (Kornblith et al., 2019, arXiv:1805.08974).
    """
    if not len(truth):
        return 0.0
    guessed = float(np.unique(truth, axis=0, return_counts=True)[1].max() / len(truth))
    return 1.0 if guessed == 1 else min(max((accuracy - guessed) / (1 - guessed), 0.0), 1.0)


def unfrozen(unfreeze: str | int, layers: int, case: Case) -> int:
    """How many of the network's layers with weights are trained on, counted from the top."""
    if not case.pretrained:
        return layers
    if isinstance(unfreeze, int):
        return min(unfreeze, layers)
    shares = {NOTHING: 0.0, TAIL: TAIL_SHARE, ALL: 1.0}
    return math.ceil(layers * shares.get(unfreeze, share(case)))


def share(case: Case) -> float:
    """The share of layers, from the top, that is trained on when nobody says.

    Lower layers fit any photo, upper ones ImageNet; the more unlike the photos, the lower the first
    layer that has to change, and few photos cannot teach many weights (Yosinski et al., 2014,
    arXiv:1411.1792).
    """
    if not case.pretrained or case.photos >= MANY_PHOTOS:
        return 1.0
    if case.photos < FEW_PHOTOS:
        return 0.0 if case.likeness >= 0.5 else TAIL_SHARE
    return TAIL_SHARE if case.likeness >= 0.75 else 2 * TAIL_SHARE


def epochs(case: Case) -> int:
    """Passes over the photos: BiT's 500 steps of small data at 32 a step, twice that if unlike.

    What starts from nothing needs several times as many (He et al., 2019, arXiv:1811.08883).
    """
    if not case.pretrained:
        fewest, most = FEWEST_EPOCHS_FROM_NOTHING, MOST_EPOCHS_FROM_NOTHING
        return min(max(SAMPLES_FROM_NOTHING // max(case.photos, 1), fewest), most)
    samples = int(SAMPLES * (2 - case.likeness))
    return min(max(samples // max(case.photos, 1), FEWEST_EPOCHS), MOST_EPOCHS)


def learning_rate(case: Case, batch_size: int) -> float:
    """The highest step length, of SGD with momentum 0.9.

    The more alike the data, the smaller the best one (Li et al., 2020, arXiv:2002.11770); both ends
    are of Lite0's tail on clothing photos, where 0.03 diverged (2026-11-21). From nothing: 0.1 for
    256 photos a step, less for fewer (Goyal et al., 2017, arXiv:1706.02677).
    """
    if not case.pretrained:
        return RATE_FROM_NOTHING * batch_size / BATCH_OF_THAT_RATE
    return float(NEAR_RATE * (FAR_RATE / NEAR_RATE) ** (1 - case.likeness))


def rate_factors(layers: int, case: Case) -> tuple[float, ...]:
    """What each trained layer multiplies the step length by, from the lowest to the top one.

    Four groups, each 2.6 times slower than the one above it (Howard and Ruder, 2018,
    arXiv:1801.06146). From nothing all are alike.
    """
    if not case.pretrained:
        return (1.0,) * layers
    depths = [(layers - 1 - place) * GROUPS // layers for place in range(layers)]
    return tuple(GROUP_FACTOR**-depth for depth in depths)


def dropout(case: Case) -> float:
    """The share of features left out before the head: the fewer the photos the more.

    0.2 to 0.5 are EfficientNet's own (Tan and Le, 2019, arXiv:1905.11946); that small data need
    more: Srivastava et al., 2014 (JMLR 15).
    """
    if case.photos < FEW_PHOTOS:
        return 0.5
    return 0.3 if case.photos < MANY_PHOTOS else 0.2


def mixes(case: Case) -> bool:
    """Whether photos are laid over one another: not with small data (BiT, section 3.3)."""
    return case.photos >= MANY_PHOTOS


def normalises_anew(case: Case) -> bool:
    """Whether batch normalisation takes its statistics from these photos.

    Not where it has good ones: it then stays in inference mode also in layers that learn, as Keras'
    guide to transfer learning says; its gains and shifts, which are then a scale of each channel,
    learn with their layer.
    """
    return not case.pretrained
