"""Integrated gradients: how much each pixel of a photo raised a label's score.

Sundararajan, Taly and Yan, "Axiomatic Attribution for Deep Networks", ICML 2017: the gradient is
integrated along the straight line from a baseline to the photo and multiplied by their difference.
The attributions add up to the photo's score less the baseline's (completeness); what is missing is
the integral's own error, which is told with every explanation.
"""

from __future__ import annotations

import itertools
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from trainer.models.network import MIDDLE, Floats

# Gradients of two photos at once cost least on two cores, and little memory (Lite0 at 224 with its
# mirror image: 0.07 s of a core each, 0.10 one by one; 2026-11-22).
BATCH = 4
Outputs = Callable[[Any], Any]
"""A differentiable graph: pixels `(batch, size, size, 3)` float32, 0–255 → values `(batch, n)`."""


@dataclass(frozen=True)
class Integrated:
    """Attributions `(size, size)` of one label, a pixel's colours added; and what they add up to.

    `value` is what is explained at the photo, `baseline_value` the mean over the baselines;
    `missed` is the error of attributions that were scaled afterwards.
    """

    attributions: Floats
    value: float
    baseline_value: float
    missed: float | None = None

    @property
    def rise(self) -> float:
        """What the attributions should add up to."""
        return self.value - self.baseline_value

    @property
    def error(self) -> float:
        """The share of the rise by which the sum of the attributions misses it; 0 is exact.

        Of a rise below 0.01 it is the share of 0.01: there is next to nothing to explain.
        """
        if self.missed is not None:
            return self.missed
        missed = abs(float(self.attributions.sum(dtype=np.float64)) - self.rise)
        return missed / max(abs(self.rise), 0.01)


class Slopes:
    """Values and summed gradients of a differentiable graph, a few photos at a time."""

    def __init__(
        self,
        outputs: Outputs,
        batch: int = BATCH,
        owner: Any = None,
        scores: Outputs | None = None,
    ) -> None:
        """`scores` is a graph like `outputs`, of what a person is told; `outputs` without it."""
        from trainer.imports import tensorflow

        tf = tensorflow()
        self._batch = batch
        # A loaded model's functions do not keep the model alive.
        self._owner = owner

        def values(pixels: Any, place: Any) -> Any:
            return tf.gather(outputs(pixels), place, axis=1)

        def slopes(pixels: Any, weights: Any, place: Any) -> Any:
            with tf.GradientTape() as tape:
                tape.watch(pixels)
                found = values(pixels, place)
            return tf.tensordot(weights, tape.gradient(found, pixels), 1)

        self._every = tf.function(scores or outputs, autograph=False, reduce_retracing=True)
        # Shapes may vary between networks, not between calls: each is traced once.
        self._values = tf.function(values, autograph=False, reduce_retracing=True)
        self._slopes = tf.function(slopes, autograph=False, reduce_retracing=True)
        self._place: Callable[[int], Any] = lambda place: tf.constant(place, tf.int32)

    def every(self, pixels: Floats) -> Floats:
        """All scores `(n,)` of one photo `(size, size, 3)`."""
        found: Floats = self._every(pixels[None]).numpy()[0]
        return found

    def values(self, pixels: Floats, place: int) -> Floats:
        """The outputs `(photos,)` at `place` of pixels `(photos, size, size, 3)`."""
        found: Floats = self._values(pixels, self._place(place)).numpy()
        return found

    def summed(self, points: Sequence[Floats], weights: Sequence[float], place: int) -> Floats:
        """The weighted sum `(size, size, 3)` of the gradients at some points."""
        total = np.zeros(points[0].shape, np.float64)
        pairs = iter(zip(points, weights, strict=True))
        while some := list(itertools.islice(pairs, self._batch)):
            # A batch that is not full is filled up with weight 0, so that no new shape is traced.
            some += [(some[0][0], 0.0)] * (self._batch - len(some))
            pixels = np.stack([point for point, _ in some]).astype(np.float32)
            given = np.array([weight for _, weight in some], np.float32)
            total += self._slopes(pixels, given, self._place(place)).numpy()
        return total.astype(np.float32)


def integrate(
    slopes: Slopes,
    pixels: Floats,
    place: int,
    baselines: Sequence[Floats],
    steps: int,
    noise: float = 0.0,
) -> Integrated:
    """The attributions of the output at `place`, the mean over the baselines.

    `pixels` and each baseline are `(size, size, 3)`, 0–255; `steps` gradients for each baseline, at
    the points of Gauss and Legendre's quadrature. With `noise`, in grey levels, each gradient is
    taken beside its point, at random but the same each time: what the gradients have in common then
    stands out (SmoothGrad; Smilkov et al., 2017, arXiv:1706.03825).
    """
    randomly = np.random.default_rng(0)
    nodes, weights = np.polynomial.legendre.leggauss(steps)
    alphas, shares = (nodes + 1) / 2, [float(weight) / 2 for weight in weights]
    total = np.zeros(pixels.shape[:2], np.float64)
    for baseline in baselines:
        way = pixels.astype(np.float32) - baseline
        points = [
            baseline + np.float32(alpha) * way + _beside(randomly, way.shape, noise)
            for alpha in alphas
        ]
        mean = slopes.summed(points, shares, place)
        total += (mean * way).sum(axis=2, dtype=np.float64) / len(baselines)
    ends = slopes.values(np.stack([pixels, *baselines]).astype(np.float32), place)
    return Integrated(total.astype(np.float32), float(ends[0]), float(ends[1:].mean()))


def grey(size: int) -> Floats:
    """The baseline `(size, size, 3)` that is grey everywhere: next to 0 for a first layer."""
    return np.full((size, size, 3), MIDDLE, np.float32)


def _beside(randomly: np.random.Generator, shape: tuple[int, ...], noise: float) -> Floats:
    if not noise:
        return np.zeros(shape, np.float32)
    return randomly.normal(0, noise, shape).astype(np.float32)
