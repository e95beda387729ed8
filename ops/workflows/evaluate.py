"""A model's evaluation as the API gives it, and what it said of each photo where that was kept."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from ops import names
from ops.cloud import models
from ops.cloud.instances import ModelKind
from ops.cloud.models import Model
from ops.errors import Code, OpsError
from ops.ledger import Ledger
from ops.workflows import evaluate_photos, imported
from ops.workflows.evaluate_metrics import (
    AtThreshold,
    Confusion,
    LabelScores,
    at_threshold,
    confusion_of,
    curve,
    label_rows,
)
from ops.workflows.evaluate_photos import Judged, Photos
from ops.workflows.registry import choose_model

DEFAULT_THRESHOLD = 0.5
MISTAKES_IN_JSON = 50
NO_PHOTOS: dict[ModelKind, str] = {
    "automl": "Google keeps no predictions of an AutoML model for single photos. "
    "Type: ops deploy --check   (asks a batch prediction job, price first)",
    "custom": "The training left no predictions.jsonl for single photos.",
}


@dataclass(frozen=True)
class Evaluated:
    """The evaluation of one model on its test photos.

    `curve` has a row for each threshold; `photos` what was said of each photo, None where nobody
    kept it; `run` and `dataset` (the digest's start) are empty for a model not made by `ops`.
    """

    model: str
    display_name: str
    kind: ModelKind
    run: str
    dataset: str
    evaluation: str
    multi_label: bool
    au_prc: float | None
    log_loss: float | None
    overall: AtThreshold
    curve: tuple[AtThreshold, ...]
    labels: tuple[LabelScores, ...]
    confusion: Confusion | None
    photos: Photos | None

    @property
    def mistakes(self) -> list[Judged]:
        """The photos that were not right, the surest mistake first; none where none were kept."""
        return self.photos.mistakes(self.overall.threshold) if self.photos else []

    @property
    def without_photos(self) -> str:
        """Why single photos cannot be shown, and what to type; empty when they can."""
        return "" if self.photos else NO_PHOTOS[self.kind]

    def as_json(self) -> dict[str, Any]:
        """Plain JSON; `mistakes` are the first fifty."""
        return {
            "model": self.model,
            "display_name": self.display_name,
            "run": self.run,
            "evaluation": self.evaluation,
            "multi_label": self.multi_label,
            **self.headline(),
            "log_loss": self.log_loss,
            "thresholds": [vars(row) for row in self.curve],
            "labels": [one.as_json() for one in self.labels],
            "confusion": vars(self.confusion) if self.confusion else None,
            "predictions": self.photos.source if self.photos else None,
            "mistakes": [as_json(row) for row in self.mistakes[:MISTAKES_IN_JSON]],
        }

    def headline(self) -> dict[str, Any]:
        """The figures that `ops train` ends with."""
        counted = len(self.photos.rows) if self.photos else None
        return {
            "au_prc": self.au_prc,
            "accuracy": self.confusion.accuracy if self.confusion else None,
            "photos": self.confusion.photos if self.confusion else counted,
            **vars(self.overall),
        }


def as_json(row: Judged) -> dict[str, Any]:
    """One photo as plain JSON."""
    return {
        "uri": row.uri,
        "source": row.source or None,
        "labels": row.true,
        "prediction": row.best,
        "score": row.scores[row.best],
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
    check_threshold(threshold)
    return of_model(ledger, choose_model(ledger, model=model, run=run, newest=True), threshold)


def check_threshold(threshold: float) -> None:
    """USAGE when it is no score."""
    if not 0 <= threshold <= 1:
        raise OpsError(
            Code.USAGE,
            f"--threshold is from 0 to 1. Received: {threshold:g}.",
            "Type --threshold 0.5",
        )


def headline(ledger: Ledger, model_name: str) -> dict[str, Any]:
    """The main figures of a model known by its full name."""
    found = models.get(ledger.session, model_name)
    return of_model(ledger, found, DEFAULT_THRESHOLD).headline() if found else {}


def of_model(ledger: Ledger, model: Model, threshold: float) -> Evaluated:
    """The newest evaluation of a model."""
    overall = _newest(ledger, model)
    metrics = overall.metrics
    own = imported.class_names_of(ledger, model.labels)
    photos = evaluate_photos.of_model(ledger, model.labels, own)
    confusion = confusion_of(metrics, own)
    counts = _counts(confusion, photos)
    slices = models.slices(ledger.session, overall.name)
    return Evaluated(
        model=model.full,
        display_name=model.display_name,
        kind=model.kind,
        run=model.labels.get(names.LABEL_RUN, ""),
        dataset=model.labels.get(names.LABEL_DATASET, ""),
        evaluation=overall.name,
        multi_label=photos.multi_label if photos else confusion is None,
        au_prc=metrics.get("auPrc"),
        log_loss=metrics.get("logLoss"),
        overall=at_threshold(metrics, threshold),
        curve=curve(metrics),
        labels=tuple(label_rows(slices, own, counts, threshold)),
        confusion=confusion,
        photos=photos,
    )


def _newest(ledger: Ledger, model: Model) -> models.Evaluation:
    found = models.evaluations(ledger.session, model.full)
    if found:
        return found[0]
    raise OpsError(
        Code.NOT_FOUND,
        f"Model {model.short} has no evaluation.",
        "Type: ops runs",
    )


def _counts(confusion: Confusion | None, photos: Photos | None) -> Mapping[str, int]:
    if photos is not None:
        return photos.counts
    if confusion is None:
        return {}
    return {label: confusion.of(label) or 0 for label in confusion.labels}
