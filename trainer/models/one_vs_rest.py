"""Linear heads on frozen features for several labels a photo: one yes or no for each label."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
from numpy.typing import NDArray

from trainer.models.network import Floats

# Shrinkage of the least-squares answer, in units of the features' mean variance. On 480 pairs of
# clothing photos 2 to 8 were best, and as good as logistic regression (2026-11-21).
RIDGES = tuple(float(ridge) for ridge in np.geomspace(0.1, 100.0, 10))
FEWEST_TO_CALIBRATE = 5
NEWTON_STEPS = 50
STILL = 1e-9

Truths = NDArray[np.bool_]
Numbers = NDArray[np.float64]


def heads(features: Floats, truth: Truths) -> Iterator[tuple[float, Numbers, Numbers]]:
    """For each of RIDGES: the ridge, weights `(width, labels)` and bias `(labels,)`.

    Each label's column is the least-squares answer (0 or 1) to the features `(photos, width)`; for
    two classes its direction is the discriminant's (Hastie, Tibshirani and Friedman, 4.3). One
    decomposition serves all ridges.
    """
    values, answers = features.astype(np.float64), truth.astype(np.float64)
    middle, share = values.mean(axis=0), answers.mean(axis=0)
    spread = np.sqrt(values.var(axis=0))
    scale = np.maximum(spread, 1e-3 * spread.mean() + 1e-9)
    centred = (values - middle) / scale
    sizes, axes = np.linalg.eigh(centred.T @ centred / len(values))
    along = axes.T @ (centred.T @ (answers - share) / len(values))
    for ridge in RIDGES:
        shrunk = along / (np.maximum(sizes, 0.0) + ridge)[:, None]
        weights = (axes @ shrunk) / scale[:, None]
        yield ridge, weights, share - middle @ weights


def calibration(answers: Numbers, truth: Truths) -> tuple[Numbers, Numbers]:
    """Slope and offset `(labels,)` that make answers `(photos, labels)` the logits of a chance.

    Platt (1999), "Probabilistic outputs for support vector machines", with his softened targets: a
    few photos do not make the model surer than they can show. A label with fewer than five photos
    for or against, or with answers that mislead, gets the slope and offset of all labels together.
    """
    shared = _platt(answers.ravel(), truth.ravel())
    found = [_own(answers[:, place], truth[:, place], shared) for place in range(answers.shape[1])]
    return np.array([slope for slope, _ in found]), np.array([offset for _, offset in found])


def _own(answers: Numbers, truth: Truths, shared: tuple[float, float]) -> tuple[float, float]:
    rarer = min(int(truth.sum()), int((~truth).sum()))
    if rarer < FEWEST_TO_CALIBRATE:
        return shared
    slope, offset = _platt(answers, truth)
    return (slope, offset) if slope > 0 else shared


def _platt(answers: Numbers, truth: Truths) -> tuple[float, float]:
    """The slope and offset with the least log loss against softened targets, by Newton's method."""
    yes, no = int(truth.sum()), int((~truth).sum())
    targets = np.where(truth, (yes + 1) / (yes + 2), 1 / (no + 2))
    middle, spread = float(answers.mean()), float(answers.std()) or 1.0
    inputs = np.stack([(answers - middle) / spread, np.ones(len(answers))], axis=1)
    found = np.array([0.0, np.log((yes + 1) / (no + 1))])
    loss = _loss(inputs @ found, targets)
    for _ in range(NEWTON_STEPS):
        chance = 1 / (1 + np.exp(-inputs @ found))
        slope = inputs.T @ (chance - targets)
        bend = (inputs * (chance * (1 - chance))[:, None]).T @ inputs + STILL * np.eye(2)
        step = np.linalg.solve(bend, slope)
        while (closer := _loss(inputs @ (found - step), targets)) > loss and np.abs(
            step
        ).max() > STILL:
            step = step / 2
        if loss - closer <= STILL * len(answers):
            break
        found, loss = found - step, closer
    return float(found[0] / spread), float(found[1] - found[0] * middle / spread)


def _loss(logits: Numbers, targets: Numbers) -> float:
    return float((np.logaddexp(0.0, logits) - targets * logits).sum())
