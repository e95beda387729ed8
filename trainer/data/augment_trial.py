"""Whether a random change of photos does harm: a small trial on the photos that judge.

Training long enough to tell would cost minutes. Instead the photos, changed one way or another, go
through a layer of random filters and a mean of each of 16 places (Coates, Lee and Ng, 2011; Saxe et
al., 2011), and a ridge regression learns the labels at once. It knows colours, edges and where they
are: what a change takes away from it, it takes away from a network too.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from trainer.data.augment import apply
from trainer.data.augment_draws import Seeds, photo_seeds
from trainer.data.resize import Pixels
from trainer.judge import Score
from trainer.schedule import TRIAL_TRAINING, TRIAL_VALIDATION

SIDE = 32
FILTERS, WINDOW, PLACES = 32, 5, 4
THRESHOLD = 0.3
RIDGE = 0.1
EPOCHS = 2
AT_ONCE = 128

Rows = NDArray[np.float64]
Truth = NDArray[np.bool_]


@dataclass(frozen=True)
class Trial:
    """Squares `(photos, size, size, 3)` uint8 and their labels `(photos, labels)`, two sorts of."""

    tf: Any
    pixels: Pixels
    truth: Truth
    judged: Pixels
    judged_truth: Truth
    multi_label: bool
    seed: int

    def score(self, names: Sequence[str]) -> Score:
        """How photos are answered when training changes them by these names."""
        learned = np.concatenate([self._rows(names, epoch) for epoch in range(EPOCHS)])
        taught = self.truth[:TRIAL_TRAINING]
        answers = _ridge(learned, np.tile(taught, (EPOCHS, 1)), self._judged_rows())
        truth = self.judged_truth[:TRIAL_VALIDATION]
        if self.multi_label:
            return Score(((answers >= 0.5) == truth).ravel(), 0.0)
        return Score(answers.argmax(1) == truth.argmax(1), 0.0)

    @property
    def judges(self) -> int:
        """How many photos judge."""
        return len(self.judged[:TRIAL_VALIDATION])

    @property
    def grey(self) -> bool:
        """Whether the photos have no colour: channels differ by less than 2 of 255."""
        seen = self.pixels[:TRIAL_TRAINING].astype(np.int16)
        return bool(len(seen)) and float(np.abs(seen - seen[..., ::-1]).mean()) < 2

    def _rows(self, names: Sequence[str], epoch: int) -> Rows:
        pixels = self.pixels[:TRIAL_TRAINING]
        seeds = photo_seeds(self.seed, epoch, range(len(pixels)))
        return self._featured(pixels, names, seeds)

    def _judged_rows(self) -> Rows:
        pixels = self.judged[:TRIAL_VALIDATION]
        return self._featured(pixels, (), photo_seeds(self.seed, 0, range(len(pixels))))

    def _featured(self, pixels: Pixels, names: Sequence[str], seeds: Seeds) -> Rows:
        """Rows `(photos, 2 · 32 · 16)` of changed photos, which are made small first."""
        tf, filters = self.tf, _filters(self.seed)
        parts = []
        for start in range(0, len(pixels), AT_ONCE):
            values = tf.cast(pixels[start : start + AT_ONCE], tf.float32)
            if pixels.shape[1] > SIDE:
                values = tf.image.resize(values, (SIDE, SIDE), "area")
            values = apply(tf, values, names, seeds[start : start + AT_ONCE])
            parts.append(_pooled(tf, values / 127.5 - 1, filters).numpy())
        return np.concatenate(parts).astype(np.float64)


def _filters(seed: int) -> NDArray[np.float32]:
    drawn = np.random.default_rng(seed).normal(size=(WINDOW, WINDOW, 3, FILTERS))
    filters: NDArray[np.float32] = (drawn / np.sqrt((drawn**2).sum((0, 1, 2)))).astype(np.float32)
    return filters


def _pooled(tf: Any, values: Any, filters: Any) -> Any:
    maps = tf.nn.conv2d(values, filters, 1, "VALID")
    maps = tf.concat([tf.nn.relu(maps - THRESHOLD), tf.nn.relu(-maps - THRESHOLD)], 3)
    window = -(-int(maps.shape[1]) // PLACES)
    pooled = tf.nn.avg_pool2d(maps, window, window, "SAME")
    return tf.reshape(pooled, (tf.shape(pooled)[0], -1))


def _ridge(learned: Rows, truth: Truth, asked: Rows) -> Rows:
    """Answers `(photos, labels)`, near 1 for yes and 0 for no."""
    mean, spread = learned.mean(0), learned.std(0) + 1e-3
    rows, share = (learned - mean) / spread, truth.mean(0)
    products = rows @ rows.T / rows.shape[1] + RIDGE * np.eye(len(rows))
    factors = np.linalg.solve(products, truth - share)
    answers: Rows = (asked - mean) / spread @ (rows.T @ factors) / rows.shape[1] + share
    return answers
