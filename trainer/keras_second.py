"""Phase two of a transfer with a Keras backbone; kept only if it is better than phase one."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Any, cast

import numpy as np
from numpy.typing import NDArray

from trainer.artifacts import Candidate
from trainer.choice import BUDGET, TRANSFER, Choice
from trainer.course import Course, Result, Room
from trainer.data.manifest import Photo, truth_matrix
from trainer.data.square_array import SquareArray
from trainer.errors import TrainingError
from trainer.fit import fit
from trainer.hyper import Hyper
from trainer.journal import Journal
from trainer.judge import Score, score, score_of_several, scratch_wins
from trainer.models.keras_backbone import Backbone
from trainer.models.keras_classifier import classifier
from trainer.models.keras_student import KerasStudent, PixelArray
from trainer.models.linear import temperature
from trainer.models.network import Classifier, Floats
from trainer.models.one_vs_rest import calibration

Logits = NDArray[np.float64]


@dataclass(frozen=True)
class Lesson:
    """The photos, the settings of phase two, a multiple of the rate for each layer that learns."""

    training: list[Photo]
    judges: list[Photo]
    labels: tuple[str, ...]
    hyper: Hyper
    course: Course
    multi_label: bool
    factors: tuple[float, ...]


@dataclass(frozen=True)
class Head:
    """Where phase two begins: phase one's head, or None for nothing; its use of mirror images."""

    values: tuple[Floats, Floats] | None
    mirrored: bool

    def for_width(self, width: int, labels: int) -> tuple[Floats, Floats]:
        """Weights `(width, labels)` and bias `(labels,)`."""
        return self.values or (np.zeros((width, labels), np.float32), np.zeros(labels, np.float32))


@dataclass(frozen=True)
class Judge:
    """Judges a student by photos that do not teach it; by those that do if there are no others."""

    student: KerasStudent
    pixels: PixelArray
    truth: NDArray[np.bool_]

    def __call__(self) -> tuple[float, float]:
        """Loss in nats, and accuracy 0–1."""
        if len(self.pixels):
            found = self.score(self.logits(), self.truth)
        else:
            answers = self.student.logits(self.student.pixels).astype(np.float64)
            found = self.score(answers, self.student.targets > 0.5)
        return found.log_loss, found.accuracy

    def logits(self) -> Logits:
        """Logits `(photos, labels)` of the photos that judge."""
        return self.student.logits(self.pixels).astype(np.float64)

    def score(self, logits: Logits, truth: NDArray[np.bool_]) -> Score:
        """How logits `(photos, labels)` do against the truth of the same photos."""
        several = self.student.multi_label
        return score_of_several(logits, truth) if several else score(logits, truth.argmax(1))

    def honest(self) -> Honest:
        """What makes the logits now those of a chance (Guo, Platt)."""
        labels = self.truth.shape[1]
        if not len(self.pixels):
            return Honest(np.ones(labels), np.zeros(labels), Score(np.zeros(0, bool), 0.0))
        logits = self.logits()
        if self.student.multi_label:
            slope, offset = calibration(logits, self.truth)
        else:
            slope = np.full(labels, 1 / temperature(logits, self.truth.argmax(1)))
            offset = np.zeros(labels)
        return Honest(slope, offset, self.score(logits * slope + offset, self.truth))


@dataclass(frozen=True)
class Honest:
    """What to multiply logits by and to add to them, `(labels,)`, and how they then do."""

    slope: Logits
    offset: Logits
    score: Score


def improve(
    first: Choice | None,
    head: Head,
    backbone: Backbone,
    lesson: Lesson,
    journal: Journal,
    room: Callable[[Judge], Room],
) -> tuple[Choice, Result | None]:
    """The choice with trained layers, unless the frozen one is as good; and how that went.

    Raises TrainingError if the loss is lost at once and there is no phase one to fall back on.
    """
    started = time.monotonic()
    student = _student(head, backbone, lesson)
    judged = SquareArray(lesson.judges, backbone.size)
    judge = Judge(student, judged, truth_matrix(lesson.judges, len(lesson.labels)))
    before, start = judge.honest(), student.weights()
    try:
        result = fit(student, lesson.course, room(judge))
    except TrainingError as error:
        if first is None:
            raise
        journal.say(f"{error} The backbone stays frozen.", "WARNING")
        student.restore(start)
        return frozen(first, backbone), None
    after = judge.honest()
    report = _report(backbone, after.score, lesson, time.monotonic() - started, journal)
    if first is not None and not scratch_wins(before.score, after.score):
        journal.say("The trained layers are not better on validation photos: left out.")
        student.restore(start)
        kept = frozen(first, backbone)
        return replace(kept, candidates=(*kept.candidates, report)), result
    return _trained(first, student, after, report, lesson, result), result


def frozen(first: Choice, backbone: Backbone) -> Choice:
    """Phase one's choice, with the backbone as it is now."""
    start = first.classifier
    assert isinstance(start, Classifier)
    made = classifier(
        backbone, (start.weights, start.bias), start.labels, start.mirrored, start.multi_label, 0
    )
    return replace(first, classifier=_exportable(made))


def _student(head: Head, backbone: Backbone, lesson: Lesson) -> KerasStudent:
    width, labels = int(backbone.base.output_shape[-1]), len(lesson.labels)
    return KerasStudent(
        backbone,
        head.for_width(width, labels),
        SquareArray(lesson.training, backbone.size),
        truth_matrix(lesson.training, labels).astype(np.float32),
        lesson.hyper,
        lesson.factors,
        lesson.multi_label,
        head.mirrored,
    )


def _report(
    backbone: Backbone, found: Score, lesson: Lesson, seconds: float, journal: Journal
) -> Candidate:
    name, accuracy = _name(backbone, len(lesson.factors)), round(found.accuracy, 6)
    judges = len(lesson.judges)
    journal.say(f"{name}: {accuracy:.4f} of {judges} validation photos.", accuracy=accuracy)
    loss, photos = round(found.log_loss, 6), len(lesson.training)
    return Candidate(name, accuracy, loss, photos, judges, round(seconds, 2))


def _trained(
    first: Choice | None,
    student: KerasStudent,
    honest: Honest,
    report: Candidate,
    lesson: Lesson,
    result: Result,
) -> Choice:
    weights, bias = student.head()
    head = (weights * honest.slope, bias * honest.slope + honest.offset)
    trained, mirrored = len(lesson.factors), student.mirrored
    made = classifier(student.backbone, head, lesson.labels, mirrored, lesson.multi_label, trained)
    before = first.candidates if first is not None else ()
    cut = first is not None and first.stop_reason == BUDGET
    return Choice(
        _exportable(made),
        report.name,
        (*before, report),
        BUDGET if cut else result.stop_reason,
        len(lesson.training),
        tuple(lesson.judges),
    )


def _name(backbone: Backbone, trained: int) -> str:
    return f"{TRANSFER}, {trained} layers of {backbone.name} trained"


def _exportable(made: Any) -> Classifier:
    """What is exported is asked for nothing but what `Exportable` has."""
    return cast(Classifier, made)
