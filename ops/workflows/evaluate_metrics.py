"""The figures of an evaluation, read from Vertex's `classification_metrics_1.0.0` fields: pure."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from ops.cloud.models import Evaluation

Z_95 = 1.959963984540054
"""Standard deviations on either side of the mean that hold 95 % of a normal distribution."""

COUNTS = ("truePositiveCount", "falsePositiveCount", "falseNegativeCount")
"""Of a row of confidenceMetrics: int64 as strings. Where nothing is predicted the precision there
is 1, which says nothing of the model."""


@dataclass(frozen=True)
class AtThreshold:
    """Precision, recall and F1 where the score of a label is at least `threshold`; all 0-1.

    None where there is nothing to divide by: no precision where nothing is predicted, no recall
    without true photos, no F1 where both is so.
    """

    threshold: float
    precision: float | None
    recall: float | None
    f1: float | None


@dataclass(frozen=True)
class LabelScores:
    """How one label is told from the others; `photos` are its own among the test photos.

    `curve` has a row for every threshold of the evaluation, by rising threshold.
    """

    label: str
    photos: int | None
    au_prc: float | None
    at: AtThreshold
    curve: tuple[AtThreshold, ...] = field(default=(), repr=False)

    def as_json(self) -> dict[str, Any]:
        """Plain JSON."""
        curve = [vars(row) for row in self.curve]
        return {**vars(self), "at": vars(self.at), "curve": curve}


@dataclass(frozen=True)
class Confusion:
    """Photos counted: a row for each true label, a column for each predicted one."""

    labels: tuple[str, ...]
    rows: tuple[tuple[int, ...], ...]

    @property
    def photos(self) -> int:
        """How many photos were judged."""
        return sum(map(sum, self.rows))

    @property
    def right(self) -> int:
        """How many photos are on the diagonal."""
        return sum(row[index] for index, row in enumerate(self.rows))

    @property
    def accuracy(self) -> float | None:
        """The share of photos on the diagonal; None when there are none."""
        return self.right / self.photos if self.photos else None

    def of(self, label: str) -> int | None:
        """How many photos have this true label."""
        if label not in self.labels:
            return None
        return sum(self.rows[self.labels.index(label)])

    def mixed_up(self) -> list[tuple[str, str, int]]:
        """(true, predicted, photos) of every cell off the diagonal that has photos, most first."""
        cells = [
            (self.labels[i], self.labels[j], count)
            for i, row in enumerate(self.rows)
            for j, count in enumerate(row)
            if i != j and count
        ]
        return sorted(cells, key=lambda cell: (-cell[2], cell[0], cell[1]))


def label_rows(
    slices: Sequence[Evaluation],
    own: Mapping[str, str],
    photos: Mapping[str, int],
    threshold: float,
) -> list[LabelScores]:
    """One row a label, by the user's own name; slices without a label are left out.

    `photos` has the number of test photos of each label, by the user's name.
    """
    rows = [
        LabelScores(
            label=own.get(one.label, one.label),
            photos=photos.get(own.get(one.label, one.label)),
            au_prc=one.metrics.get("auPrc"),
            at=at_threshold(one.metrics, threshold),
            curve=curve(one.metrics),
        )
        for one in slices
        if one.label
    ]
    return sorted(rows, key=lambda row: row.label)


def by_f1(rows: Sequence[LabelScores]) -> list[LabelScores]:
    """The labels from the hardest to the easiest; those without a figure last."""
    return sorted(rows, key=lambda row: (math.inf if row.at.f1 is None else row.at.f1, row.label))


def curve(metrics: Mapping[str, Any]) -> tuple[AtThreshold, ...]:
    """Every threshold of an evaluation, rising; a threshold that is left out is 0."""
    rows = [_row(one) for one in metrics.get("confidenceMetrics") or []]
    return tuple(sorted(rows, key=lambda row: row.threshold))


def at_threshold(metrics: Mapping[str, Any], threshold: float) -> AtThreshold:
    """The row of the highest threshold that is not above `threshold`."""
    below = [row for row in curve(metrics) if row.threshold <= threshold + 1e-9]
    return below[-1] if below else AtThreshold(threshold, None, None, None)


def _row(row: Mapping[str, Any]) -> AtThreshold:
    threshold = float(row.get("confidenceThreshold", 0.0))
    precision, recall, f1 = row.get("precision"), row.get("recall"), row.get("f1Score")
    if any(row.get(count) is not None for count in COUNTS):
        hits, wrong, missed = (int(row.get(count) or 0) for count in COUNTS)
        return AtThreshold(
            threshold,
            precision if hits + wrong else None,
            recall if hits + missed else None,
            f1 if hits + wrong + missed else None,
        )
    if precision == 1 and not recall:
        return AtThreshold(threshold, None, recall, f1)
    return AtThreshold(threshold, precision, recall, f1)


def confusion_of(metrics: Mapping[str, Any], own: Mapping[str, str]) -> Confusion | None:
    """The matrix, sorted by the user's names; read by its own annotationSpecs, never by index."""
    matrix = metrics.get("confusionMatrix")
    if not matrix:
        return None
    safe = [str(spec["displayName"]) for spec in matrix["annotationSpecs"]]
    named = [own.get(name, name) for name in safe]
    order = sorted(range(len(named)), key=named.__getitem__)
    rows = matrix["rows"]
    return Confusion(
        labels=tuple(named[index] for index in order),
        rows=tuple(tuple(int(rows[i][j]) for j in order) for i in order),
    )


def wilson(right: int, photos: int) -> tuple[float, float]:
    """Between which shares (0-1) the true one lies with 95 % confidence; `photos` at least 1.

    Wilson, "Probable inference, the law of succession, and statistical inference", 1927.
    """
    share, square = right / photos, Z_95**2
    middle = share + square / (2 * photos)
    reach = Z_95 * math.sqrt(share * (1 - share) / photos + square / (4 * photos**2))
    low, high = (middle - reach) / (1 + square / photos), (middle + reach) / (1 + square / photos)
    return max(0.0, low), min(1.0, high)
