"""How good scores are: the fields of Vertex's `classification_metrics_1.0.0`, from numpy arrays.

Overall figures count every (photo, label) pair (micro average); a slice counts one label against
the rest. Thresholds, names and int64 counts as strings are as Google's JSON has them.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from trainer.artifacts import LIKELY
from trainer.data.manifest import Photo, truth_matrix

THRESHOLDS = (*(round(0.05 * n, 2) for n in range(20)), 0.96, 0.97, 0.98, 0.99)
SMALLEST_SCORE = 1e-7

Numbers = NDArray[np.float64]
Truths = NDArray[np.bool_]
LogLoss = Callable[[Numbers, Truths], float]


@dataclass(frozen=True)
class _Counts:
    """True and false positives by threshold `(thresholds,)`; all positives and negatives."""

    true: Numbers
    false: Numbers
    positives: int
    negatives: int

    @property
    def precision(self) -> Numbers:
        """1.0 where nothing is predicted: no answer is no wrong answer."""
        predicted = self.true + self.false
        return np.where(predicted > 0, self.true / np.maximum(predicted, 1), 1.0)

    @property
    def recall(self) -> Numbers:
        return self.true / max(self.positives, 1)

    @property
    def f1_score(self) -> Numbers:
        total = self.precision + self.recall
        return np.where(total > 0, 2 * self.precision * self.recall / np.maximum(total, 1e-12), 0.0)

    @property
    def false_positive_rate(self) -> Numbers:
        return self.false / max(self.negatives, 1)


def evaluation(scores: NDArray[Any], truth: NDArray[Any], labels: Sequence[str]) -> dict[str, Any]:
    """`{"metrics", "slices"}` of scores `(photos, labels)` and true label indices `(photos,)`.

    A label without a photo has no slice. Raises ValueError without photos.
    """
    if len(truth) == 0:
        raise ValueError("An evaluation needs at least one photo.")
    true = np.zeros(scores.shape, bool)
    true[np.arange(len(truth)), truth] = True
    found = _overall_and_slices(scores, true, labels, _label_log_loss)
    found["metrics"]["confusionMatrix"] = confusion_matrix(scores.argmax(axis=1), truth, labels)
    return found


def evaluate_photos(
    scores: NDArray[Any], photos: Sequence[Photo], labels: Sequence[str], multi_label: bool
) -> tuple[dict[str, Any], float]:
    """The evaluation of scores `(photos, labels)`, and the accuracy, 0–1.

    With `multi_label` the accuracy is the share of photos with exactly the true labels, as
    scikit-learn's `accuracy_score` counts it.
    """
    if multi_label:
        truths = truth_matrix(photos, len(labels))
        exact = ((scores >= LIKELY) == truths).all(axis=1)
        return multi_label_evaluation(scores, truths, labels), float(exact.mean())
    truth = np.array([photo.label for photo in photos])
    content = evaluation(scores, truth, labels)
    return content, float((scores.argmax(axis=1) == truth).mean())


def multi_label_evaluation(
    scores: NDArray[Any], truth: NDArray[np.bool_], labels: Sequence[str]
) -> dict[str, Any]:
    """`{"multiLabel", "metrics", "slices"}` of scores and truth, both `(photos, labels)`.

    There is no confusion matrix: a photo has no one true and no one predicted label. The log loss
    is that of a yes or no for each label. Raises ValueError without photos.
    """
    if len(truth) == 0:
        raise ValueError("An evaluation needs at least one photo.")
    found = _overall_and_slices(scores, truth, labels, _pair_log_loss)
    return {"multiLabel": True} | found


def _overall_and_slices(
    scores: NDArray[Any], true: Truths, labels: Sequence[str], log_loss: LogLoss
) -> dict[str, Any]:
    known = scores.astype(np.float64)
    present = [number for number in range(len(labels)) if true[:, number].any()]
    slices: list[dict[str, Any]] = [
        {"label": labels[number], "metrics": _metrics(known, true, [number], _pair_log_loss)}
        for number in present
    ]
    metrics = _metrics(known, true, list(range(len(labels))), log_loss)
    _add_f1_averages(metrics, [entry["metrics"] for entry in slices])
    return {"metrics": metrics, "slices": slices}


def confusion_matrix(
    predicted: NDArray[Any], truth: NDArray[Any], labels: Sequence[str]
) -> dict[str, Any]:
    """Photos by true label (rows) and predicted label (columns), in the labels' order."""
    rows = np.zeros((len(labels), len(labels)), np.int64)
    np.add.at(rows, (truth, predicted), 1)
    return {
        "annotationSpecs": [{"displayName": label} for label in labels],
        "rows": rows.tolist(),
    }


def average_precision(scores: Numbers, true: Truths) -> float:
    """Area under the precision–recall curve: sum of precision × step in recall, ties one step."""
    hits, predicted = _cumulative(scores, true)
    recall = hits / max(hits[-1], 1)
    return float(np.sum(np.diff(recall, prepend=0.0) * hits / predicted))


def area_under_roc(scores: Numbers, true: Truths) -> float | None:
    """The chance that a true pair scores above a false one, ties half; None if undefined."""
    hits, predicted = _cumulative(scores, true)
    misses = predicted - hits
    if hits[-1] == 0 or misses[-1] == 0:
        return None
    rise = np.concatenate([[0.0], hits / hits[-1]])
    run = np.concatenate([[0.0], misses / misses[-1]])
    return float(np.trapezoid(rise, run))


def _cumulative(scores: Numbers, true: Truths) -> tuple[Numbers, Numbers]:
    """True pairs and all pairs at or above each distinct score, from the highest down."""
    order = np.argsort(-scores, kind="stable")
    ordered = scores[order]
    last_of_ties = np.append(np.diff(ordered) != 0, True)
    hits = np.cumsum(true[order])[last_of_ties].astype(np.float64)
    predicted = (np.flatnonzero(last_of_ties) + 1).astype(np.float64)
    return hits, predicted


def _metrics(
    scores: Numbers, true: Truths, columns: list[int], log_loss: LogLoss
) -> dict[str, Any]:
    first = np.zeros(scores.shape, bool)
    first[np.arange(len(scores)), scores.argmax(axis=1)] = True
    pairs, truths = scores[:, columns].ravel(), true[:, columns].ravel()
    every = _count(pairs, truths, np.ones(len(pairs), bool))
    top = _count(pairs, truths, first[:, columns].ravel())
    metrics: dict[str, Any] = {"auPrc": average_precision(pairs, truths)}
    area = area_under_roc(pairs, truths)
    if area is not None:
        metrics["auRoc"] = area
    metrics["logLoss"] = log_loss(scores[:, columns], true[:, columns])
    metrics["confidenceMetrics"] = [
        _at_threshold(place, every, top) for place in range(len(THRESHOLDS))
    ]
    return metrics


def _count(scores: Numbers, true: Truths, considered: Truths) -> _Counts:
    def at_least(chosen: Truths) -> Numbers:
        ordered = np.sort(scores[chosen])
        return (len(ordered) - np.searchsorted(ordered, THRESHOLDS, side="left")).astype(np.float64)

    positives = int(true.sum())
    return _Counts(
        at_least(true & considered), at_least(~true & considered), positives, len(true) - positives
    )


def _at_threshold(place: int, every: _Counts, top: _Counts) -> dict[str, Any]:
    threshold = THRESHOLDS[place]
    figures: dict[str, Any] = {"confidenceThreshold": threshold} if threshold else {}
    for suffix, counts in (("", every), ("At1", top)):
        figures["recall" + suffix] = float(counts.recall[place])
        figures["precision" + suffix] = float(counts.precision[place])
        figures["f1Score" + suffix] = float(counts.f1_score[place])
        figures["falsePositiveRate" + suffix] = float(counts.false_positive_rate[place])
    true, false = int(every.true[place]), int(every.false[place])
    figures["truePositiveCount"] = str(true)
    figures["falsePositiveCount"] = str(false)
    figures["falseNegativeCount"] = str(every.positives - true)
    figures["trueNegativeCount"] = str(every.negatives - false)
    return figures


def _label_log_loss(scores: Numbers, true: Truths) -> float:
    """Cross-entropy in nats a photo: of the one true label among all."""
    return float(np.log(1 / np.maximum(scores[true], SMALLEST_SCORE)).mean())


def _pair_log_loss(scores: Numbers, true: Truths) -> float:
    """Cross-entropy in nats a (photo, label) pair: of a yes or no."""
    right = np.where(true, scores, 1 - scores)
    return float(np.log(1 / np.maximum(right, SMALLEST_SCORE)).mean())


def _add_f1_averages(metrics: dict[str, Any], slices: Sequence[dict[str, Any]]) -> None:
    for place, figures in enumerate(metrics["confidenceMetrics"]):
        each = [entry["confidenceMetrics"][place]["f1Score"] for entry in slices]
        figures["f1ScoreMicro"] = figures["f1Score"]
        figures["f1ScoreMacro"] = float(np.mean(each))
