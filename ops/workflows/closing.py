"""Put an end on record for whatever a stack's ledger still shows as going on.

A killed command, or a teardown, leaves runs without a result and deployments without an end.
Their resources still know what was used: asked before those are deleted.
"""

from __future__ import annotations

from typing import Any

from ops import names
from ops.cloud import inventory, training
from ops.cloud.inventory import Found
from ops.ledger import Ledger, RunState
from ops.workflows import check_jobs, cost_report

STATES = {
    "PIPELINE_STATE_SUCCEEDED": RunState.SUCCEEDED,
    "PIPELINE_STATE_FAILED": RunState.FAILED,
}


def close(ledger: Ledger, found: tuple[Found, ...]) -> None:
    """Every run of the stack has a result, and every deployment an end, when this returns.

    `found` is what exists of the stack; its jobs have ended and nothing is deployed any more.
    """
    checks = check_jobs.live(ledger) if any(_is_batch(one) for one in found) else []
    pipelines = {one.labels.get(names.LABEL_RUN): one for one in found if _is_pipeline(one)}
    for record in ledger.records():
        if record.kind == "deploy":
            check_jobs.put_on_record(ledger, record.id, checks)
            _end_deployments(ledger, record.id)
        if record.state is RunState.UNFINISHED:
            state, result = _outcome(ledger, pipelines.get(record.id))
            ledger.write_result(record.id, result, state)


def _is_pipeline(found: Found) -> bool:
    return found.kind is inventory.TRAINING_PIPELINES


def _is_batch(found: Found) -> bool:
    return found.kind.collection == "batchPredictionJobs"


def _end_deployments(ledger: Ledger, run: str) -> None:
    for start, end in cost_report.spans(ledger.events(run)):
        if end is None:
            facts = {key: start.facts.get(key) for key in ("endpoint", "deployed_model")}
            ledger.append_event(run, cost_report.UNDEPLOYED, facts)


def _outcome(ledger: Ledger, pipeline: Found | None) -> tuple[RunState, dict[str, Any]]:
    from google.api_core.exceptions import NotFound

    if pipeline is None:
        return RunState.CANCELLED, {"error": "taken down before it ended"}
    try:
        ended = training.get(ledger.session, pipeline.name)
    except NotFound:
        return RunState.CANCELLED, {"pipeline": pipeline.name, "error": "deleted"}
    result = {
        "pipeline": ended.name,
        "model": ended.model_name,
        "error": ended.error,
        "node_hours": ended.node_hours,
        "seconds": _seconds(ended),
    }
    return STATES.get(ended.state, RunState.CANCELLED), result


def _seconds(ended: training.Pipeline) -> float | None:
    if ended.started is None or ended.ended is None:
        return None
    return round((ended.ended - ended.started).total_seconds(), 1)
