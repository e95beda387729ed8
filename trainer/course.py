"""What a training is given and what comes of it; how the step length goes."""

from __future__ import annotations

import math
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from trainer.checkpoints import Arrays, Checkpoint
from trainer.journal import Journal

CONVERGED, BUDGET = "MODEL_CONVERGED", "BUDGET_REACHED"
NOT_FINITE, DIVERGED = "LOSS_NOT_FINITE", "LOSS_DIVERGED"
WARM_UP = 0.1


class Student(Protocol):
    """What is taught: a network with its training photos."""

    @property
    def photos(self) -> int:
        """How many photos teach."""
        ...

    def step(
        self, chosen: NDArray[np.int64], random: np.random.Generator, rate: float
    ) -> tuple[float, float]:
        """Loss and share of right answers of one step on the chosen photos."""
        ...

    def weights(self) -> Arrays:
        """What the finished model is made of."""
        ...

    def arrays(self) -> Arrays:
        """Everything to go on from."""
        ...

    def restore(self, arrays: Arrays) -> None:
        """Takes back either of the two."""
        ...


class Kept(Protocol):
    """Keeps what an interrupted training goes on from."""

    def newest(self) -> Checkpoint | None:
        """The last whole checkpoint; None if there is none."""
        ...

    def save(self, epoch: int, checkpoint: Checkpoint) -> object:
        """Keeps one after so many epochs."""
        ...


class Curve(Protocol):
    """Keeps figures by epoch and run."""

    def write(self, epoch: int, run: str, figures: Mapping[str, float]) -> None:
        """Adds one point to each named curve of a run."""
        ...


@dataclass(frozen=True)
class Course:
    """How long and how fast: see `flags.toml`; `max_seconds` counts earlier attempts too."""

    epochs: int
    batch_size: int
    learning_rate: float
    seed: int
    patience: int
    max_seconds: float
    checkpoint_every: int


@dataclass(frozen=True)
class Room:
    """What stands around a training. `judge` gives validation loss and accuracy (0–1)."""

    judge: Callable[[], tuple[float, float]]
    journal: Journal
    checkpoints: Kept
    curves: Curve
    clock: Callable[[], float] = time.monotonic


@dataclass(frozen=True)
class Result:
    """How it ended: the reason, the epochs made, the best one (from 1), each epoch's figures."""

    stop_reason: str
    epochs: int
    best_epoch: int
    history: tuple[dict[str, float], ...]
    seconds: float


def rate_at(share: float, highest: float) -> float:
    """The step length at a share (0–1) of the course: a warm-up, then a half cosine to zero.

    Loshchilov and Hutter, 2017 (arXiv:1608.03983); warm-up: Goyal et al., 2017 (arXiv:1706.02677).
    """
    if share < WARM_UP:
        return highest * share / WARM_UP
    return highest * 0.5 * (1 + math.cos(math.pi * (share - WARM_UP) / (1 - WARM_UP)))
