"""Trains the model types that know nothing yet: linear, dense and convolutional networks."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from trainer import scratch, transfer
from trainer.course import Course, Result, Room
from trainer.data.augment_trial import Trial
from trainer.data.manifest import Photo, truth_matrix
from trainer.data.resize import Pixels
from trainer.fit import fit
from trainer.hyper import Hyper
from trainer.imports import tensorflow
from trainer.models.learner import Learner
from trainer.models.linear import log_loss, temperature
from trainer.models.network import Classifier, Floats
from trainer.models.one_vs_rest import calibration
from trainer.models.zoo import blocks

Logits = NDArray[np.float64]


@dataclass(frozen=True)
class Lesson:
    """The photos that teach and those that judge, as squares, with the names of the labels."""

    labels: tuple[str, ...]
    training: Sequence[Photo]
    judges: Sequence[Photo]
    multi_label: bool


@dataclass(frozen=True)
class Squares:
    """Squares `(photos, size, size, 3)` uint8 and labels `(photos, labels)`, of either sort."""

    training: Pixels
    targets: NDArray[np.bool_]
    judges: Pixels
    truth: NDArray[np.bool_]

    def trial(self, lesson: Lesson, seed: int) -> Trial:
        """What these photos have to say about random changes of them."""
        several = lesson.multi_label
        tf = tensorflow()
        return Trial(tf, self.training, self.targets, self.judges, self.truth, several, seed)


def read(lesson: Lesson, hyper: Hyper) -> Squares:
    """The photos of a lesson. Raises ConfigError where the layers do not fit the size."""
    blocks(hyper)
    return Squares(
        scratch.read(lesson.training, hyper.image_size),
        truth_matrix(lesson.training, len(lesson.labels)),
        scratch.read(lesson.judges, hyper.image_size),
        truth_matrix(lesson.judges, len(lesson.labels)),
    )


def train(
    lesson: Lesson, squares: Squares, hyper: Hyper, course: Course, room: Callable[[Judge], Room]
) -> tuple[Classifier, Result]:
    """The classifier of the best epoch, its scores made honest on the photos that judge."""
    targets = squares.targets.astype(np.float32)
    learner = Learner(blocks(hyper), squares.training, targets, hyper, lesson.multi_label)
    judge = Judge(learner, squares.judges, squares.truth)
    result = fit(learner, course, room(judge))
    return _classifier(learner, judge, lesson), result


@dataclass(frozen=True)
class Judge:
    """Judges a learner by photos that do not teach it; by those that do if there are no others."""

    learner: Learner
    pixels: Pixels
    truth: NDArray[np.bool_]

    def __call__(self) -> tuple[float, float]:
        """Loss in nats a photo, and accuracy 0–1."""
        if not len(self.pixels):
            return self._score(self.learner.logits(self.learner.pixels), self.learner.targets > 0.5)
        return self._score(self.logits(), self.truth)

    def logits(self) -> Logits:
        """Logits `(photos, labels)` of the photos that judge."""
        return self.learner.logits(self.pixels).astype(np.float64)

    def _score(self, logits: Floats | Logits, truth: NDArray[np.bool_]) -> tuple[float, float]:
        if self.learner.multi_label:
            pairs = np.logaddexp(0.0, logits) - truth * logits
            return float(pairs.sum(1).mean()), float(((logits >= 0) == truth).all(1).mean())
        labels = truth.argmax(1)
        right = float((logits.argmax(1) == labels).mean())
        return log_loss(logits.astype(np.float64), labels), right


def _classifier(learner: Learner, judge: Judge, lesson: Lesson) -> Classifier:
    network, weights, bias = learner.network()
    slope, offset = _honest(judge, lesson)
    return Classifier(
        network,
        (weights * slope).astype(np.float32),
        (bias * slope + offset).astype(np.float32),
        lesson.labels,
        mirrored=False,
        multi_label=lesson.multi_label,
    )


def _honest(judge: Judge, lesson: Lesson) -> tuple[Logits, Logits]:
    """What to multiply logits by and add to them so that scores are chances (Guo, Platt)."""
    ones = np.ones(len(lesson.labels))
    if not len(lesson.judges):
        return ones, ones * 0
    if lesson.multi_label:
        return calibration(judge.logits(), judge.truth)
    return ones / temperature(judge.logits(), transfer.label_array(lesson.judges)), ones * 0
