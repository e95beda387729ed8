"""Transfer with a tail that is trained on, from the frozen model; kept only if it is better."""

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
from trainer.models.linear import log_loss, temperature
from trainer.models.network import Classifier
from trainer.models.one_vs_rest import calibration
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
        logits = self.logits()
        if self.student.multi_label:
            found = score_of_several(logits, self.truth)
            return found.log_loss, found.accuracy
        labels = self.truth.argmax(1)
        return log_loss(logits, labels), float((logits.argmax(1) == labels).mean())

    def logits(self) -> Logits:
        """Logits `(photos, labels)`, of the mean of each photo's views."""
        counts = np.array([len(views) for views in self.views], np.int64)
        rows = self.student.embeddings([view for views in self.views for view in views])
        means = np.add.reduceat(rows, counts.cumsum() - counts) / counts[:, None]
        weights, bias = self.student.head()
        logits: Logits = means.astype(np.float64) @ weights + bias
        return logits


def improve(
    choice: Choice,
    embedder: MapsEmbedder,
    training: Sequence[Photo],
    judges: Sequence[Photo],
    hyper: Hyper,
    course: Course,
    room: Callable[[Judge], Room],
) -> tuple[Choice, Result | None]:
    """The choice with a trained tail, unless the frozen one is as good; and how that went."""
    started, classifier = time.monotonic(), choice.classifier
    labels = len(classifier.labels)
    taught = [photo for photo in training if embedder.views(photo.path)]
    student = Tail(
        embedder.tail,
        classifier,
        [embedder.views(photo.path) for photo in taught],
        truth_matrix(taught, labels).astype(np.float32),
        hyper,
    )
    views = [_judged_views(embedder, photo, classifier.mirrored) for photo in judges]
    judge = Judge(student, views, truth_matrix(judges, labels))
    here = room(judge)
    frozen = _honest(judge)
    try:
        result = fit(student, course, here)
    except TrainingError as error:
        here.journal.say(f"{error} The tail stays frozen.", "WARNING")
        return choice, None
    trained = _honest(judge)
    seconds = round(time.monotonic() - started, 2)
    candidates = (*choice.candidates, _report(trained.score, len(taught), seconds, here.journal))
    kept = replace(choice, candidates=candidates)
    if not scratch_wins(frozen.score, trained.score):
        here.journal.say("The trained tail is not better on validation photos: left out.")
        return kept, result
    reason = BUDGET if choice.stop_reason == BUDGET else result.stop_reason
    made = _classifier(student, embedder, classifier, trained)
    name = f"{TRANSFER}, tail trained"
    return replace(kept, classifier=made, name=name, stop_reason=reason), result


@dataclass(frozen=True)
class _Honest:
    """What makes logits those of a chance, and how they then do."""

    slope: Any
    offset: Any
    score: Score


def _honest(judge: Judge) -> _Honest:
    logits, labels = judge.logits(), judge.truth.argmax(1)
    if judge.student.multi_label:
        slope, offset = calibration(logits, judge.truth)
        return _Honest(slope, offset, score_of_several(logits * slope + offset, judge.truth))
    divisor = temperature(logits, labels)
    return _Honest(1 / divisor, 0.0, score(logits / divisor, labels))


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
        accuracy=accuracy,
    )
    return Candidate(name, accuracy, loss, photos, judged, seconds)


def _classifier(
    student: Tail, embedder: MapsEmbedder, start: Classifier, honest: _Honest
) -> Classifier:
    weights, bias = student.head()
    network = joined(embedder.network, embedder.layer, student.network())
    return replace(
        start,
        network=replace(network, architecture=f"{network.architecture}, tail trained"),
        weights=(weights * honest.slope).astype(np.float32),
        bias=(bias * honest.slope + honest.offset).astype(np.float32),
    )
