"""The evaluation that a custom training left in its folder, put beside its model in the registry.

Vertex AI evaluates AutoML models only: here `ops` imports what the trainer measured, overall and
for each label. The display name is the run's id, so that a repeat finds what is there.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from ops import names
from ops.cloud import evaluations, storage
from ops.errors import Code, OpsError
from ops.ledger import Ledger, Run, RunState

OUTCOME, EVALUATION = "outcome.json", "model/evaluation.json"


def ensure(ledger: Ledger, run: Run, model_name: str) -> dict[str, Any]:
    """The run's `evaluation.json`, which the model has when this returns.

    JOB_FAILED, on record, when the training left none that can be read.
    """
    document = read_json(ledger, run.id, EVALUATION)
    if document is None or not isinstance(document.get("metrics"), dict):
        raise _broken(ledger, run, model_name)
    with ledger.lock(run.id):
        known = evaluations.find(ledger.session, model_name, run.id)
        name = known or evaluations.import_evaluation(
            ledger.session, model_name, run.id, document["metrics"]
        )
        evaluations.import_slices(ledger.session, name, document.get("slices") or [])
    return document


def _broken(ledger: Ledger, run: Run, model_name: str) -> OpsError:
    where = storage.uri(ledger.session, names.run_object(run.id, EVALUATION))
    why = f"no evaluation that can be read at {where}"
    run.finish({"error": f"left {why}", "model_without_evaluation": model_name}, RunState.FAILED)
    short = names.short_model(model_name)
    return OpsError(
        Code.JOB_FAILED,
        f"The training {run.id} ended well but left {why}: its model {short} is broken.",
        f"Type: ops logs {run.id}   and: ops models delete {short}",
    )


def headline_of(document: Mapping[str, Any]) -> dict[str, Any]:
    """The main figures of an `evaluation.json`: as `ops evaluate` gives them of a model."""
    metrics = document.get("metrics") or {}
    rows = (metrics.get("confusionMatrix") or {}).get("rows") or []
    photos = sum(map(sum, rows))
    hits = sum(row[index] for index, row in enumerate(rows))
    return {
        "au_prc": metrics.get("auPrc"),
        "accuracy": hits / photos if photos else None,
        "photos": photos or None,
    }


def json_file(path: Path) -> dict[str, Any] | None:
    """The JSON object in a file; None when it is not there or is none."""
    try:
        value = json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return None
    return value if isinstance(value, dict) else None


def read_json(ledger: Ledger, run: str, file: str) -> dict[str, Any] | None:
    """A JSON object among a run's files; None when it is not there or is none."""
    bucket = ledger.session.settings.bucket
    found = storage.read_text(ledger.session, bucket, names.run_object(run, file))
    try:
        value = json.loads(found.text) if found else None
    except ValueError:
        return None
    return value if isinstance(value, dict) else None
