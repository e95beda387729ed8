"""A model's evaluation as the API gives it, and what it said of each photo where that was kept."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from ops import names
from ops.cloud import models
from ops.cloud.instances import ModelKind
from ops.cloud.models import Model
from ops.errors import Code, OpsError
from ops.ledger import Ledger, Record, RunState
from ops.workflows import custom_evaluation, evaluate_photos, imported
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
EVALUATION_FILE = "evaluation.json"
DIGEST = names.DIGEST_CHARACTERS
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
    def short(self) -> str:
        """`ID@VERSION`; of a training with --local, whose model is a folder, the run."""
        is_folder = not self.model.startswith("projects/")
        return self.run if is_folder else self.model.rpartition("/")[2]

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
        several = self.overall.threshold if self.multi_label else None
        return {
            "model": self.model,
            "display_name": self.display_name,
            "run": self.run,
            "evaluation": self.evaluation,
            **self.headline(),
            "log_loss": self.log_loss,
            "thresholds": [vars(row) for row in self.curve],
            "labels": [one.as_json() for one in self.labels],
            "confusion": vars(self.confusion) if self.confusion else None,
            "predictions": self.photos.source if self.photos else None,
            "mistakes": [as_json(row, several) for row in self.mistakes[:MISTAKES_IN_JSON]],
        }

    def headline(self) -> dict[str, Any]:
        """The figures that `ops train` ends with."""
        right, photos = self.right
        return {
            "au_prc": self.au_prc,
            "accuracy": right / photos if photos else None,
            "photos": photos or None,
            "multi_label": self.multi_label,
            **vars(self.overall),
        }

    @property
    def right(self) -> tuple[int, int]:
        """How many photos are right, of how many; (0, 0) where that is not known.

        With several labels a photo is right with all its labels and no other, at the threshold.
        """
        if self.confusion is not None:
            return self.confusion.right, self.confusion.photos
        if self.photos is not None:
            return self.photos.right(self.overall.threshold), len(self.photos.rows)
        return 0, 0


def as_json(row: Judged, threshold: float | None = None) -> dict[str, Any]:
    """One photo as plain JSON; with a `threshold` all that was said of it (multi-label)."""
    said = {
        "uri": row.uri,
        "source": row.source or None,
        "labels": row.true,
        "prediction": row.best,
        "score": row.scores[row.best],
    }
    if threshold is None:
        return said
    wrong = [
        {"label": label, "off_by": round(far, 6)} for far, label in row.wrong_labels(threshold)
    ]
    return {**said, "predictions": row.predicted(threshold), "wrong": wrong}


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
    return chosen(ledger, model, run, threshold)


def chosen(ledger: Ledger, model: str | None, run: str | None, threshold: float) -> Evaluated:
    """The same, of a training with --local too, whose model is a folder and has a run's name."""
    record = _local(ledger, run or model) if not (run and model) else None
    if record is not None:
        return _of_folder(ledger, record, threshold)
    return of_model(ledger, choose_model(ledger, model=model, run=run, newest=True), threshold)


def _local(ledger: Ledger, id: str | None) -> Record | None:
    """The run of this name, if it left its model in a folder."""
    if id is None or names.run_kind(id) != "train":
        return None
    found = [one for one in ledger.records("train") if one.id == id and one.result.get("folder")]
    return found[0] if found and found[0].state is RunState.SUCCEEDED else None


def _of_folder(ledger: Ledger, record: Record, threshold: float) -> Evaluated:
    folder = Path(str(record.result["folder"]))
    document = custom_evaluation.json_file(folder / EVALUATION_FILE)
    if document is None or not isinstance(document.get("metrics"), dict):
        raise OpsError(
            Code.NOT_FOUND,
            f"Run {record.id} was trained with --local, and {folder / EVALUATION_FILE} cannot be "
            "read any more.",
            "Type the command of the training again: it makes the model anew",
        )
    labels = {names.LABEL_RUN: record.id}
    own = imported.class_names_of(ledger, labels)
    slices = document.get("slices") or []
    named = Model(
        name=str(folder),
        version="",
        aliases=(),
        display_name=record.id,
        kind="custom",
        labels={**labels, names.LABEL_DATASET: str(record.plan.get("data_digest", ""))[:DIGEST]},
        pipeline_name="",
        artifact_uri="",
        image_uri="",
        export_formats=(),
        deployed=(),
        created=None,
    )
    return _evaluated(
        named,
        models.Evaluation(str(folder / EVALUATION_FILE), "", document["metrics"]),
        [models.Evaluation("", str(one["label"]), one["metrics"]) for one in slices],
        evaluate_photos.of_folder(ledger, folder, record.id, own),
        own,
        threshold,
    )


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
    own = imported.class_names_of(ledger, model.labels)
    photos = evaluate_photos.of_model(ledger, model.labels, own)
    slices = models.slices(ledger.session, overall.name)
    return _evaluated(model, overall, slices, photos, own, threshold)


def _evaluated(
    model: Model,
    overall: models.Evaluation,
    slices: Sequence[models.Evaluation],
    photos: Photos | None,
    own: Mapping[str, str],
    threshold: float,
) -> Evaluated:
    metrics = overall.metrics
    confusion = None if photos and photos.multi_label else confusion_of(metrics, own)
    counts = _counts(confusion, photos)
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
