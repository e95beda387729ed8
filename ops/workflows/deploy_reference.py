"""What a deployment is compared with: found, read whole and judged before anything is deployed.

A custom model of `ops train` always has it: its training leaves predictions.jsonl beside it. So
where that is gone, somebody took it away, and the model is not deployed unless `--unchecked` says
so. AutoML keeps nothing, and a model of others may never have had it: those are "not checked".
"""

from __future__ import annotations

import math
from dataclasses import dataclass

from ops import names
from ops.cloud.models import Model
from ops.errors import Code, OpsError
from ops.ledger import Ledger
from ops.workflows import evaluate_photos as kept
from ops.workflows import served_check
from ops.workflows.evaluate_photos import Photos

UNCHECKED = "--unchecked was typed. Nobody knows whether it answers as it was evaluated."


@dataclass(frozen=True)
class Reference:
    """The photos to compare with; else `why` there is no check.

    With a `problem` the model must not be deployed: `photos` is None then where they cannot be
    read, and a batch prediction job may be asked anew.
    """

    photos: Photos | None = None
    why: str = ""
    problem: OpsError | None = None


def find(ledger: Ledger, model: Model, unchecked: bool = False) -> Reference:
    """The reference of this model, checked whole; nothing is read when `unchecked`."""
    if unchecked:
        return Reference(why=UNCHECKED)
    try:
        photos = _read(ledger, model)
    except OpsError as error:
        if error.code is not Code.BAD_DATA:
            raise
        return Reference(problem=_broken(model, error))
    if photos is None or not photos.rows:
        return _none(ledger, model)
    if not served_check.has_readable(ledger.session, photos):
        return Reference(photos, problem=gone(model, photos))
    return Reference(photos)


def _read(ledger: Ledger, model: Model) -> Photos | None:
    """The rows of predictions.jsonl; BAD_DATA when it is damaged or not all there."""
    try:
        photos = kept.of_model(ledger, model.labels)
    except UnicodeDecodeError as error:
        raise OpsError(Code.BAD_DATA, f"{_folder(ledger, model)}: not UTF-8 ({error}).") from error
    if photos is None:
        return None
    for row in photos.rows:
        odd = [one for one in row.scores.values() if not (math.isfinite(one) and 0 <= one <= 1)]
        if odd:
            said = f"{photos.source}: a score of {row.uri} is not from 0 to 1: {odd[0]:g}."
            raise OpsError(Code.BAD_DATA, said)
    expected = _expected_rows(ledger, model)
    if photos.rows and expected not in (None, len(photos.rows)):
        said = f"{photos.source}: {len(photos.rows)} rows, and the training evaluated {expected}."
        raise OpsError(Code.BAD_DATA, said)
    return photos


def _expected_rows(ledger: Ledger, model: Model) -> int | None:
    """How many photos a custom training put on record as evaluated; None when it did not."""
    if model.kind != "custom":
        return None
    try:
        result = ledger.get(model.labels.get(names.LABEL_RUN, "")).result
    except OpsError:
        return None
    return (result.get("evaluation") or {}).get("photos")


def _none(ledger: Ledger, model: Model) -> Reference:
    if model.kind == "automl":
        why = "Google keeps no predictions of an AutoML model for single photos. "
        return Reference(
            why=f"{why}Type: ops deploy --check   (asks a batch prediction job, price first)"
        )
    stack = names.label_value(ledger.session.settings.stack)
    own = model.labels.get(names.LABEL_STACK) == stack and names.LABEL_RUN in model.labels
    if not own:
        return Reference(why="no predictions.jsonl was left beside the model.")
    problem = OpsError(
        Code.REFUSED,
        f"What model {model.short} said of its test photos is gone: its training left "
        f"{_folder(ledger, model)}{kept.PREDICTIONS_FILE} and {kept.LABELS_FILE} beside it. "
        "Without them nobody can tell whether what is served is what was evaluated.",
        _hint(model),
    )
    return Reference(problem=problem)


def _broken(model: Model, error: OpsError) -> OpsError:
    said = f"What is served cannot be compared with the evaluation: {error.message}"
    return OpsError(Code.BAD_DATA, said, _hint(model))


def gone(model: Model, photos: Photos) -> OpsError:
    """The error of a reference none of whose photos can be read."""
    return OpsError(
        Code.NOT_FOUND,
        f"What is served cannot be compared with the evaluation: none of the {len(photos.rows)} "
        f"photos of {photos.source} can be read, from {photos.rows[0].uri} on.",
        f"Put the photos back, or without a check: {_unchecked(model)}",
    )


def _hint(model: Model) -> str:
    if model.kind == "automl":
        anew = f"Ask a batch job anew: ops deploy --model {model.short} --check"
    else:
        anew = "Put the files back, or train anew: ops train --mode custom --again"
    return f"{anew}   Or without a check: {_unchecked(model)}"


def _unchecked(model: Model) -> str:
    return f"ops deploy --model {model.short} --unchecked"


def _folder(ledger: Ledger, model: Model) -> str:
    folder = kept.BATCH_FOLDER if model.kind == "automl" else kept.MODEL_FOLDER
    path = names.run_object(model.labels.get(names.LABEL_RUN, ""), folder)
    return names.gs_uri(ledger.session.settings.bucket, path)
