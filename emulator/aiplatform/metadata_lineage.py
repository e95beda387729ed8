"""Events between executions and artifacts, and the graphs that they make."""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Iterable
from typing import Any

from emulator.aiplatform import filters, metadata_links, names, resources
from emulator.aiplatform.list_schemas import ListSchema
from emulator.aiplatform.metadata_nouns import ARTIFACT, CONTEXT, EXECUTION, store_of
from emulator.aiplatform.refusals import bad_field
from emulator.cloud import Cloud
from emulator.errors import ApiError

Body = dict[str, Any]
# QueryArtifactLineageSubgraphRequest: FAILED_PRECONDITION where a number "exceeds 1000".
MAX_NODES = 1000


def add_execution_events(cloud: Cloud, request: Body) -> Body:
    """AddExecutionEvents; one that is there already is skipped."""
    execution = request["execution"]
    with cloud.store.transaction() as db:
        EXECUTION.require(cloud, execution)
        for event in request.get("events", []):
            resources.require_fields("events", event, ("artifact", "type"))
            artifact = event["artifact"]
            metadata_links.require_node(cloud, ARTIFACT, artifact, store_of(execution))
            resources.require_label_form("events", event.get("labels", {}))
            db.execute(
                "INSERT OR IGNORE INTO metadata_events VALUES (?, ?, ?, ?, ?)",
                (
                    execution,
                    artifact,
                    event["type"],
                    resources.now(cloud),
                    json.dumps(event.get("labels", {})),
                ),
            )
    return {}


def _events(db: sqlite3.Connection, column: str, name: str) -> list[Body]:
    rows = db.execute(
        f"SELECT execution, artifact, type, time, labels FROM metadata_events WHERE {column} = ?"
        " ORDER BY time, execution, artifact",
        (name,),
    )
    return [
        {
            "execution": execution,
            "artifact": artifact,
            "type": kind,
            "eventTime": moment,
            **({"labels": json.loads(labels)} if labels != "{}" else {}),
        }
        for execution, artifact, kind, moment, labels in rows
    ]


def _graph(
    cloud: Cloud, artifacts: Iterable[str], executions: Iterable[str], events: list[Body]
) -> Body:
    """A LineageSubgraph. FAILED_PRECONDITION where it is over 1000 of a kind."""
    answer: Body = {
        "artifacts": [cloud.resources.require(name) for name in sorted(artifacts)],
        "executions": [cloud.resources.require(name) for name in sorted(executions)],
        "events": events,
    }
    for kind, found in answer.items():
        if len(found) > MAX_NODES:
            message = f"The lineage has {len(found)} {kind}; at most {MAX_NODES} are returned."
            raise ApiError("FAILED_PRECONDITION", message)
    return {kind: found for kind, found in answer.items() if found}


def query_execution(cloud: Cloud, request: Body) -> Body:
    """QueryExecutionInputsAndOutputs: the execution, its events and their artifacts."""
    execution = request["execution"]
    EXECUTION.require(cloud, execution)
    with cloud.store.read() as db:
        events = _events(db, "execution", execution)
    return _graph(cloud, {event["artifact"] for event in events}, [execution], events)


def query_context(cloud: Cloud, request: Body) -> Body:
    """QueryContextLineageSubgraph: what is in the context, and the events between."""
    context = request["context"]
    CONTEXT.require(cloud, context)
    inside = metadata_links.members(cloud, context)
    executions = {name for name in inside if "/executions/" in name}
    with cloud.store.read() as db:
        events = [
            event
            for execution in sorted(executions)
            for event in _events(db, "execution", execution)
            if event["artifact"] in inside
        ]
    return _graph(cloud, inside - executions, executions, events)


def query_artifact(cloud: Cloud, request: Body) -> Body:
    """QueryArtifactLineageSubgraph: everything connected, or so many events away.

    Artifacts that do not pass the filter, and what lies behind them, are left out.
    """
    artifact, hops = request["artifact"], int(request.get("maxHops", MAX_NODES))
    ARTIFACT.require(cloud, artifact)
    if hops < 0:
        raise bad_field("max_hops", f"Must not be negative. Received: {hops}.")
    passes = filters.compiled(request.get("filter", ""), ListSchema(ARTIFACT.key))
    seen, border = {artifact}, {artifact}
    edges: dict[tuple[str, str], Body] = {}
    with cloud.store.read() as db:
        for _ in range(hops):
            found = [event for name in sorted(border) for event in _events(db, _column(name), name)]
            kept = [one for one in found if passes(cloud.resources.require(one["artifact"]))]
            edges |= {(one["execution"], one["artifact"]): one for one in kept}
            border = {one[side] for one in kept for side in ("execution", "artifact")} - seen
            seen |= border
            if not border or len(seen) > 2 * MAX_NODES:
                break
    executions = {name for name in seen if _column(name) == "execution"}
    return _graph(cloud, seen - executions, executions, list(edges.values()))


def _column(name: str) -> str:
    return "execution" if names.parent(name) + "/executions/" in name else "artifact"


HANDLERS = {
    "AddExecutionEvents": add_execution_events,
    "QueryExecutionInputsAndOutputs": query_execution,
    "QueryContextLineageSubgraph": query_context,
    "QueryArtifactLineageSubgraph": query_artifact,
}
