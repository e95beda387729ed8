"""The end of a deployment: checked against the evaluation, and taken off when it differs."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from ops import names
from ops.cloud import models
from ops.cloud.endpoints import Endpoint
from ops.cloud.models import Model
from ops.errors import Code, OpsError
from ops.ledger import Ledger, Run, RunState
from ops.progress import Progress
from ops.workflows import evaluate_photos, imported, served_check, serving
from ops.workflows.evaluate import DEFAULT_THRESHOLD
from ops.workflows.evaluate_metrics import confusion_of
from ops.workflows.evaluate_photos import Photos

CHECKED, UNDEPLOYED = "checked", "undeployed"
NOT_CHECKED = "not checked"
SHOWN = 5


def settle(
    ledger: Ledger, run: Run, model: Model, endpoint: Endpoint, progress: Progress
) -> dict[str, Any]:
    """The check of a model that is served: `state` is `passed` or `not checked` (and `why`).

    Once for a run; SERVED_DIFFERS, with the model taken off, when what is served is not what was
    evaluated.
    """
    known = of_run(run)
    if known is None:
        known = _check(ledger, model, endpoint, progress)
        if known["state"] == NOT_CHECKED:
            return known
        run.event(CHECKED, endpoint=endpoint.name, **known)
    if known["state"] == "passed":
        return known
    raise refuse(ledger, run, endpoint.name, known)


def of_run(run: Run) -> dict[str, Any] | None:
    """The check that is on record of a run; None when there is none yet."""
    found = [event.facts for event in run.events() if event.event == CHECKED]
    if not found:
        return None
    return {key: value for key, value in found[-1].items() if key != "endpoint"}


def take_up_refusal(ledger: Ledger, run: Run) -> None:
    """Finish the refusal of a run that was cut off in it; nothing when there is none."""
    failed = [
        event.facts
        for event in run.events()
        if event.event == CHECKED and event.facts["state"] == "failed"
    ]
    if failed and run.state is RunState.UNFINISHED:
        raise refuse(ledger, run, str(failed[-1]["endpoint"]), failed[-1])


def refuse(ledger: Ledger, run: Run, endpoint_name: str, check: Mapping[str, Any]) -> OpsError:
    """The error to raise, once the model is taken off, its endpoint deleted, and all on record."""
    deployed = names.deployed_model_id(run.id)
    serving.take_off(ledger, endpoint_name, deployed)
    if not any(event.event == UNDEPLOYED for event in run.events()):
        run.event(UNDEPLOYED, endpoint=endpoint_name, deployed_model=deployed)
    serving.delete_if_empty(ledger, endpoint_name)
    facts = {key: value for key, value in check.items() if key != "endpoint"}
    error = _error(ledger, run, facts)
    result = {"endpoint": endpoint_name, "check": facts, "error": error.message}
    run.finish(result, RunState.FAILED)
    return error


def _check(ledger: Ledger, model: Model, endpoint: Endpoint, progress: Progress) -> dict[str, Any]:
    reference = evaluate_photos.of_model(ledger, model.labels)
    if reference is None or not reference.rows:
        return {"state": NOT_CHECKED, "why": why_not(model)}
    done = served_check.run(ledger.session, endpoint.name, model.kind, reference, progress)
    if done is None:
        why = f"none of the photos of {reference.source} can be read any more."
        return {"state": NOT_CHECKED, "why": why}
    found = _in_own_names(done.as_json(), imported.class_names_of(ledger, model.labels))
    return {**found, **_accuracies(ledger, model, reference)}


def _accuracies(ledger: Ledger, model: Model, reference: Photos) -> dict[str, Any]:
    """The share of photos that are right, beside what the model's evaluation says (0-1).

    Right as `ops evaluate` counts it: of several labels all of them and no other.
    """
    right = reference.right(DEFAULT_THRESHOLD)
    known = models.evaluations(ledger.session, model.full)
    confusion = confusion_of(known[0].metrics, {}) if known and not reference.multi_label else None
    return {
        "reference_photos": len(reference.rows),
        "multi_label": reference.multi_label,
        "reference_accuracy": round(right / len(reference.rows), 6),
        "evaluated_accuracy": confusion.accuracy if confusion else None,
    }


def _in_own_names(check: dict[str, Any], own: Mapping[str, str]) -> dict[str, Any]:
    """The check with the class names that the user wrote."""
    differing = [
        {**one, **{side: own.get(one[side], one[side]) for side in ("reference", "served")}}
        for one in check["differing"]
    ]
    return {**check, "differing": differing}


def why_not(model: Model) -> str:
    """Why a model without predictions of single photos is not checked, and what to type."""
    if model.kind == "automl":
        return (
            "Google keeps no predictions of an AutoML model for single photos. "
            "Type: ops deploy --check   (asks a batch prediction job, price first)"
        )
    return "no predictions.jsonl was left beside the model."


def _error(ledger: Ledger, run: Run, check: Mapping[str, Any]) -> OpsError:
    photos, differing = int(check["photos"]), list(check["differing"])
    lines = [_line(one) for one in differing[:SHOWN]]
    if len(differing) > SHOWN:
        where = names.gs_uri(ledger.session.settings.bucket, names.run_prefix(run.id))
        lines.append(f"and {len(differing) - SHOWN} more: {where}events.jsonl")
    shown = "".join(f"\n  {line}" for line in lines)
    return OpsError(
        Code.SERVED_DIFFERS,
        f"What is served is not what was evaluated: of {photos} photos {check['same_label']} have "
        f"the same label, and scores differ by {check['mean_difference']:.3f} on average (at most "
        f"{served_check.MOST_MEAN_DIFFERENCE:g}). The model was undeployed. "
        f"The reference is {check['reference']}.{shown}",
        "The model's files may have been replaced. Type: ops models list   and deploy another "
        "version, or: ops train --again",
    )


def _line(one: Mapping[str, Any]) -> str:
    expected = f"{one['reference']} {one['reference_score']:.2f}"
    served = one["problem"] or f"{one['served']} {one['served_score']:.2f}"
    return f"{one['uri']}: evaluated as {expected}, served {served}"
