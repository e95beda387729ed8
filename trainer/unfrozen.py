"""Transfer with a tail that is trained on, from the frozen model; kept only if it is better.

The trained tail's features get a head that is solved anew, which knows more than the one that was
trained along (clothing photos, 2026-11-22, validation: 92.4 % against 91.6 %; two other settings
alike); the mean of both sets of logits has the lower log loss of all, and is what is kept.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from trainer.artifacts import Candidate
from trainer.choice import BUDGET, TRANSFER, Choice
from trainer.course import Course, Result, Room
from trainer.data.manifest import Photo, truth_matrix
from trainer.errors import TrainingError
from trainer.fit import fit
from trainer.hyper import Hyper
from trainer.journal import Journal
from trainer.judge import Score, score, score_of_several, scratch_wins
from trainer.maps import MapsEmbedder
from trainer.models.linear import discriminant, log_loss, ridge, temperature
from trainer.models.network import Classifier, Floats, rooted
from trainer.models.one_vs_rest import calibration, heads
from trainer.models.tail import Tail, Views, joined

Logits = NDArray[np.float64]


@dataclass(frozen=True)
class Judge:
    """Judges a tail by the photos that do not teach it."""

    student: Tail
    views: Views
    truth: NDArray[np.bool_]

    def __call__(self) -> tuple[float, float]:
        """Loss in nats a photo, and accuracy 0–1."""
        weights, bias = self.student.head()
        logits = self.embeddings().astype(np.float64) @ weights + bias
        if self.student.multi_label:
            found = score_of_several(logits, self.truth)
            return found.log_loss, found.accuracy
        labels = self.truth.argmax(1)
        return log_loss(logits, labels), float((logits.argmax(1) == labels).mean())

    def embeddings(self) -> Floats:
        """`(photos, width)`: the mean of each photo's views."""
        counts = np.array([len(views) for views in self.views], np.int64)
        rows = self.student.embeddings([view for views in self.views for view in views])
        sums: Floats = np.add.reduceat(rows, counts.cumsum() - counts)
        return (sums / counts[:, None]).astype(np.float32)


@dataclass(frozen=True)
class Improved:
    """What came of a choice, how its training went, and the chosen classifier's score."""

    choice: Choice
    result: Result | None
    score: Score


def improved(
    choice: Choice,
    embedder: MapsEmbedder,
    training: Sequence[Photo],
    judges: Sequence[Photo],
    hyper: Hyper,
    course: Course,
    room: Callable[[Judge], Room],
) -> Improved:
    """The choice with a trained tail, unless the frozen one is as good; and how that went."""
    started, classifier = time.monotonic(), choice.classifier
    assert isinstance(classifier, Classifier)
    labels = len(classifier.labels)
    taught = [photo for photo in training if embedder.views(photo.path)]
    lesson = _Lesson(embedder, taught, truth_matrix(taught, labels), classifier.multi_label)
    student = lesson.student(classifier, hyper)
    views = [_judged_views(embedder, photo, classifier.mirrored) for photo in judges]
    judge = Judge(student, views, truth_matrix(judges, labels))
    here = room(judge)
    frozen = _frozen_score(embedder, judges, classifier, judge.truth)
    try:
        result = fit(student, course, here)
    except TrainingError as error:
        here.journal.say(f"{error} The tail stays frozen.", "WARNING")
        return Improved(choice, None, frozen)
    head = lesson.head(student, judge)
    seconds = round(time.monotonic() - started, 2)
    candidates = (*choice.candidates, _report(head.score, len(taught), seconds, here.journal))
    kept = replace(choice, candidates=candidates)
    if not scratch_wins(frozen, head.score):
        here.journal.say("The trained tail is not better on validation photos: left out.")
        return Improved(kept, result, frozen)
    reason = BUDGET if choice.stop_reason == BUDGET else result.stop_reason
    made = _classifier(student, embedder, classifier, head)
    name = f"{TRANSFER}, tail trained"
    made_choice = replace(kept, classifier=made, name=name, stop_reason=reason)
    return Improved(made_choice, result, head.score)


@dataclass(frozen=True)
class _Head:
    """Calibrated weights `(width, labels)` and bias, and how they do on the photos that judge."""

    weights: NDArray[Any]
    bias: NDArray[Any]
    score: Score


@dataclass(frozen=True)
class _Lesson:
    """The photos that teach a tail; each view of them is one row."""

    embedder: MapsEmbedder
    photos: Sequence[Photo]
    truth: NDArray[np.bool_]
    multi_label: bool

    def student(self, start: Classifier, hyper: Hyper) -> Tail:
        """The tail as it is, with a head that it can learn from."""
        maps = [self.embedder.views(photo.path) for photo in self.photos]
        if not self.multi_label:
            known = [self.embedder.features(photo.path) for photo in self.photos]
            rows = np.concatenate([np.stack(views) for views in known])
            weights, bias = ridge(rows, self._labels(maps), len(start.labels))
            start = replace(start, weights=weights, bias=bias, roots=0)
        targets = self.truth.astype(np.float32)
        return Tail(self.embedder.tail, start, maps, targets, hyper, self.embedder.look_up)

    def head(self, student: Tail, judge: Judge) -> _Head:
        """The mean of the trained head's and the newly solved one's logits, each made honest."""
        rows = student.embeddings([view for views in student.views for view in views])
        judged = judge.embeddings().astype(np.float64)
        made = [
            _honest(weights, bias, judged, judge.truth, self.multi_label)
            for weights, bias in (student.head(), self._solved(rows, student.views, judged, judge))
        ]
        weights = (made[0].weights + made[1].weights) / 2
        bias = (made[0].bias + made[1].bias) / 2
        return _honest(weights, bias, judged, judge.truth, self.multi_label)

    def _solved(
        self, rows: Floats, views: Views, judged: Logits, judge: Judge
    ) -> tuple[NDArray[Any], NDArray[Any]]:
        if not self.multi_label:
            return discriminant(rows, self._labels(views), self.truth.shape[1])
        counts = [len(each) for each in views]
        found = list(heads(rows, np.repeat(self.truth, counts, axis=0)))
        tried = [(weights, bias) for _, weights, bias in found]

        def log_loss_of(head: tuple[NDArray[Any], NDArray[Any]]) -> float:
            return _honest(head[0], head[1], judged, judge.truth, True).score.log_loss

        return min(tried, key=log_loss_of)

    def _labels(self, views: Views) -> NDArray[np.int64]:
        """The label of each view."""
        return np.repeat(
            np.array([photo.label for photo in self.photos], np.int64),
            [len(each) for each in views],
        )


def _honest(
    weights: NDArray[Any],
    bias: NDArray[Any],
    judged: Logits,
    truth: NDArray[np.bool_],
    multi_label: bool,
) -> _Head:
    """The head with logits that are those of a chance, and how it then does."""
    logits = judged @ weights + bias
    if multi_label:
        slope, offset = calibration(logits, truth)
        found = score_of_several(logits * slope + offset, truth)
        return _Head(weights * slope, bias * slope + offset, found)
    labels = truth.argmax(1)
    divisor = temperature(logits, labels)
    return _Head(weights / divisor, bias / divisor, score(logits / divisor, labels))


def _frozen_score(
    embedder: MapsEmbedder,
    judges: Sequence[Photo],
    classifier: Classifier,
    truth: NDArray[np.bool_],
) -> Score:
    """How the frozen classifier does on the photos that judge."""
    every = [embedder.features(photo.path) for photo in judges]
    chosen = [np.stack(views if classifier.mirrored else views[:1]).mean(0) for views in every]
    values = rooted(np.stack(chosen), classifier.roots).astype(np.float64)
    logits = values @ classifier.weights + classifier.bias
    if classifier.multi_label:
        return score_of_several(logits, truth)
    return score(logits, truth.argmax(1))


def _judged_views(embedder: MapsEmbedder, photo: Photo, mirrored: bool) -> list[Any]:
    views = embedder.views(photo.path)
    return views if mirrored else views[:1]


def _report(result: Score, photos: int, seconds: float, journal: Journal) -> Candidate:
    name = f"{TRANSFER}, tail trained"
    accuracy, loss = round(result.accuracy, 6), round(result.log_loss, 6)
    judged = len(result.right)
    journal.say(
        f"Trained tail: {accuracy:.4f} of {judged} validation photos.",
        phase="train",
        candidate=name,
        accuracy=accuracy,
    )
    return Candidate(name, accuracy, loss, photos, judged, seconds)


def _classifier(
    student: Tail, embedder: MapsEmbedder, start: Classifier, head: _Head
) -> Classifier:
    network = joined(embedder.network, embedder.layer, student.network())
    return replace(
        start,
        network=replace(network, architecture=f"{network.architecture}, tail trained"),
        weights=head.weights.astype(np.float32),
        bias=head.bias.astype(np.float32),
        roots=0,
    )
