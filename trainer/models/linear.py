"""A linear head on frozen features: discriminant analysis with shrinkage; temperatures."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from trainer.models.network import Floats

# Of the covariance towards its diagonal, 0–1: the best of 0.1–0.7 on the validation photos of ten
# classes (clothing, 2026-11-21).
SHRINKAGE = 0.3
RIDGE, STEEPNESS = 3.0, 8.0
FEWEST_TO_SHARPEN = 30
# A discriminant of eight photos a label can be a hundred times too sure (clothing, 2026-11-22).
COARSE = tuple(2.0**power for power in range(-2, 13))
FINE = tuple(2.0 ** (step / 8) for step in range(-7, 8))

Labels = NDArray[np.int64]


def discriminant(features: Floats, labels: Labels, classes: int) -> tuple[Floats, Floats]:
    """Weights `(width, classes)` and bias `(classes,)` whose softmax is the posterior of a label.

    The classes share one covariance, shrunk towards its diagonal; priors are the labels' shares.
    """
    counts = np.bincount(labels, minlength=classes)
    sums = np.zeros((classes, features.shape[1]))
    np.add.at(sums, labels, features.astype(np.float64))
    means = sums / np.maximum(counts, 1)[:, None]
    centred = features - means[labels]
    covariance = centred.T @ centred / len(labels)
    spread = np.diag(covariance).copy()
    floor = 1e-3 * spread.mean() + 1e-9
    covariance *= 1 - SHRINKAGE
    np.fill_diagonal(covariance, np.maximum(spread, floor))
    weights = np.linalg.solve(covariance, means.T)
    priors = np.maximum(counts, 0.5) / np.maximum(counts, 0.5).sum()
    bias = np.log(priors) - 0.5 * (means.T * weights).sum(axis=0)
    return weights.astype(np.float32), bias.astype(np.float32)


def ridge(features: Floats, labels: Labels, classes: int) -> tuple[Floats, Floats]:
    """Weights `(width, classes)` and bias `(classes,)` of a least-squares head, to train on from.

    It is shrunk hard and then made eight times as steep, as logits have to be. A discriminant fits
    the photos that teach too well to leave anything to learn.
    """
    values = features.astype(np.float64)
    middle = values.mean(axis=0)
    values -= middle
    shares = np.bincount(labels, minlength=classes) / len(labels)
    wanted = np.eye(classes)[labels] - shares
    penalty = RIDGE * len(values) * values.var(axis=0).mean() + 1e-9
    matrix = values.T @ values + penalty * np.eye(values.shape[1])
    weights = STEEPNESS * np.linalg.solve(matrix, values.T @ wanted)
    bias = np.log(np.maximum(shares, 1e-6)) - middle @ weights
    return weights.astype(np.float32), bias.astype(np.float32)


def log_loss(logits: NDArray[np.float64], labels: Labels) -> float:
    """Mean negative log-likelihood, in nats, of the true labels under softmax(logits)."""
    top = logits.max(axis=1, keepdims=True)
    log_sums = np.log(np.exp(logits - top).sum(axis=1)) + top[:, 0]
    return float((log_sums - logits[np.arange(len(labels)), labels]).mean())


def softened(logits: NDArray[np.float64], labels: Labels) -> float:
    """The log loss, in nats, where each of n photos is of any label with a chance of 1 in n + 2."""
    doubt = 1 / (len(labels) + 2)
    top = logits.max(axis=1)
    log_sums = np.log(np.exp(logits - top[:, None]).sum(axis=1)) + top
    true = logits[np.arange(len(labels)), labels]
    return float((log_sums - (1 - doubt) * true - doubt * logits.mean(axis=1)).mean())


def temperature(logits: NDArray[np.float64], labels: Labels) -> float:
    """The divisor of logits with the least log loss, 0.25–4096 (Guo et al. 2017, arXiv:1706.04599).

    It changes how sure the model says it is, never which label comes first. So that few photos,
    perhaps all answered rightly, do not make it surer than they can show, of n photos 1 in n + 2
    counts as of any label (Platt, 1999, has such targets), and fewer than 30 can only make it less
    sure. No photos change nothing.
    """
    if len(labels) == 0:
        return 1.0
    least = COARSE[0] if len(labels) >= FEWEST_TO_SHARPEN else 1.0

    def best(divisors: Sequence[float]) -> float:
        allowed = [one for one in divisors if least <= one <= COARSE[-1]]
        return min(allowed, key=lambda divisor: softened(logits / divisor, labels))

    # The log loss has one minimum, so what is next to the best power of two has it.
    near = best((1.0, *COARSE))
    return best([near, *(near * factor for factor in FINE)])
