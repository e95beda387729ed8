"""A model's evaluation as the API gives it, with the class names that the user wrote."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from ops import names
from ops.cloud import models
from ops.errors import Code, OpsError
from ops.ledger import Ledger
from ops.workflows import imported
from ops.workflows.registry import choose_model

DEFAULT_THRESHOLD = 0.5


@dataclass(frozen=True)
class AtThreshold:
    """Precision, recall and F1 where the score of a label is at least `threshold`; all 0-1."""

    threshold: float
    precision: float | None
    recall: float | None
    f1: float | None


@dataclass(frozen=True)
class LabelScores:
    """How one label is told from the others; `photos` are its own in the confusion matrix."""

    label: str
    photos: int | None
    au_prc: float | None
    at: AtThreshold


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
    def accuracy(self) -> float | None:
        """The share of photos on the diagonal; None when there are none."""
        hits = sum(row[index] for index, row in enumerate(self.rows))
        return hits / self.photos if self.photos else None

    def of(self, label: str) -> int | None:
        """How many photos have this true label."""
        if label not in self.labels:
            return None
        return sum(self.rows[self.labels.index(label)])


@dataclass(frozen=True)
class Evaluated:
    """The evaluation of one model on its test photos."""

    model: str
    display_name: str
    evaluation: str
    au_prc: float | None
    log_loss: float | None
    overall: AtThreshold
    labels: tuple[LabelScores, ...]
    confusion: Confusion | None

    def as_json(self) -> dict[str, Any]:
        """Plain JSON."""
        return {
            "model": self.model,
            "display_name": self.display_name,
            "evaluation": self.evaluation,
            **self.headline(),
            "log_loss": self.log_loss,
            "labels": [{**vars(one), "at": vars(one.at)} for one in self.labels],
            "confusion": vars(self.confusion) if self.confusion else None,
        }

    def headline(self) -> dict[str, Any]:
        """The figures that `ops train` ends with."""
        return {
            "au_prc": self.au_prc,
            "accuracy": self.confusion.accuracy if self.confusion else None,
            "photos": self.confusion.photos if self.confusion else None,
            **vars(self.overall),
        }


def run(
    ledger: Ledger,
    *,
    model: str | None = None,
    run: str | None = None,
    threshold: float = DEFAULT_THRESHOLD,
) -> Evaluated:
    """The evaluation of a model, of a run's model, or of the stack's newest.

    NOT_FOUND when there is no such model or it has no evaluation.
    """
    if not 0 <= threshold <= 1:
        raise OpsError(
            Code.USAGE,
            f"--threshold is from 0 to 1. Received: {threshold:g}.",
            "Type --threshold 0.5",
        )
    return of_model(ledger, choose_model(ledger, model=model, run=run), threshold)


def headline(ledger: Ledger, model_name: str) -> dict[str, Any]:
    """The main figures of a model known by its full name."""
    found = models.get(ledger.session, model_name)
    return of_model(ledger, found, DEFAULT_THRESHOLD).headline() if found else {}


def of_model(ledger: Ledger, model: models.Model, threshold: float) -> Evaluated:
    """The newest evaluation of a model."""
    found = models.evaluations(ledger.session, model.name)
    if not found:
        raise OpsError(
            Code.NOT_FOUND,
            f"Model {names.resource_id(model.name)} has no evaluation.",
            "Type: ops runs",
        )
    overall = found[0]
    own = imported.class_names_of(ledger, model.labels)
    confusion = confusion_of(overall.metrics, own)
    slices = models.slices(ledger.session, overall.name)
    return Evaluated(
        model=model.name,
        display_name=model.display_name,
        evaluation=overall.name,
        au_prc=overall.metrics.get("auPrc"),
        log_loss=overall.metrics.get("logLoss"),
        overall=at_threshold(overall.metrics, threshold),
        labels=tuple(label_rows(slices, own, confusion, threshold)),
        confusion=confusion,
    )


def label_rows(
    slices: Sequence[models.Evaluation],
    own: Mapping[str, str],
    confusion: Confusion | None,
    threshold: float,
) -> list[LabelScores]:
    """One row a label, by the user's own name; slices without a label are left out."""
    rows = [
        LabelScores(
            label=own.get(one.label, one.label),
            photos=confusion.of(own.get(one.label, one.label)) if confusion else None,
            au_prc=one.metrics.get("auPrc"),
            at=at_threshold(one.metrics, threshold),
        )
        for one in slices
        if one.label
    ]
    return sorted(rows, key=lambda row: row.label)


def at_threshold(metrics: Mapping[str, Any], threshold: float) -> AtThreshold:
    """The row of the highest threshold that is not above `threshold`; absent means 0."""
    rows = metrics.get("confidenceMetrics") or []
    below = [row for row in rows if row.get("confidenceThreshold", 0.0) <= threshold + 1e-9]
    if not below:
        return AtThreshold(threshold, None, None, None)
    row = max(below, key=lambda one: float(one.get("confidenceThreshold", 0.0)))
    return AtThreshold(
        threshold=float(row.get("confidenceThreshold", 0.0)),
        precision=row.get("precision"),
        recall=row.get("recall"),
        f1=row.get("f1Score"),
    )


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
