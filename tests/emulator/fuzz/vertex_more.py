"""More calls of Vertex AI that are valid: in one request many, links, lists and clean-up."""

from __future__ import annotations

from typing import Any

from hypothesis import strategies as st

from tests.emulator.fuzz.target import Target
from tests.emulator.fuzz.values import Draw
from tests.emulator.fuzz.vertex_calls import PLACES, SCHEMA, display_names, name_of


def boards(draw: Draw, target: Target) -> None:
    """Runs and series made many at once, written and read many at once, exported, deleted."""
    body = {"displayName": draw(display_names)}
    board = name_of(target, target.good("POST", f"{PLACES}/tensorboards", body))
    made = target.good(
        "POST", f"/v1/{board}/experiments", {}, query={"tensorboardExperimentId": "e"}
    )
    experiment = name_of(target, made)
    one = {"parent": experiment, "tensorboardRun": body, "tensorboardRunId": "r"}
    target.good("POST", f"/v1/{experiment}/runs:batchCreate", {"requests": [one]})
    run = f"{experiment}/runs/r"
    series = {"displayName": "loss", "valueType": "SCALAR"}
    asked = {"parent": run, "tensorboardTimeSeries": series, "tensorboardTimeSeriesId": "loss"}
    target.good("POST", f"/v1/{experiment}:batchCreate", {"requests": [asked]})
    point = {"step": str(draw(st.integers(0, 99))), "wallTime": "2026-01-01T00:00:00Z",
             "scalar": {"value": 1.5}}  # fmt: skip
    data = {"tensorboardTimeSeriesId": "loss", "valueType": "SCALAR", "values": [point]}
    request = {"tensorboardRun": run, "timeSeriesData": [data]}
    target.good("POST", f"/v1/{experiment}:write", {"writeRunDataRequests": [request]})
    path = f"{run}/timeSeries/loss"
    target.good("GET", f"/v1/{board}:batchRead", query={"timeSeries": path})
    target.good("POST", f"/v1/{path}:exportTensorboardTimeSeries", {})
    target.good("PATCH", f"/v1/{path}", {"description": "d"}, query={"updateMask": "description"})
    target.good("GET", f"/v1/{board}:readSize")
    target.good("GET", f"/v1/{board}:readUsage")
    for name in (path, run, experiment, board):
        target.good("DELETE", f"/v1/{name}")


def lineage(draw: Draw, target: Target) -> None:
    """Contexts in contexts, a schema, purges, deletions."""
    query = {"metadataStoreId": target.name("store")}
    store = name_of(target, target.good("POST", f"{PLACES}/metadataStores", {}, query=query))
    target.good("GET", f"/v1/{store}")
    target.good("GET", f"{PLACES}/metadataStores")
    parent = f"/v1/{store}"
    kinds = {"contexts": "system.Experiment", "artifacts": "system.Dataset",
             "executions": "system.Run"}  # fmt: skip
    names: dict[str, list[str]] = {}
    for noun, title in kinds.items():
        body: dict[str, Any] = {"schemaTitle": title, "schemaVersion": "0.0.1"}
        for _ in range(2):
            sent = {**body, "displayName": draw(display_names)}
            made = name_of(target, target.good("POST", f"{parent}/{noun}", sent))
            names.setdefault(noun, []).append(made)
    first, second = names["contexts"]
    target.good("POST", f"/v1/{first}:addContextChildren", {"childContexts": [second]})
    target.good("POST", f"/v1/{first}:removeContextChildren", {"childContexts": [second]})
    target.good("GET", f"/v1/{names['artifacts'][0]}:queryArtifactLineageSubgraph")
    target.good("GET", f"{parent}/metadataSchemas")
    for noun in kinds:
        target.good("POST", f"{parent}/{noun}:purge", {"filter": 'display_name="nobody"'})
        target.good("DELETE", f"/v1/{names[noun][1]}")


def remains(draw: Draw, target: Target) -> None:
    """What an empty project lists, a pool that is changed, an endpoint by a long operation."""
    for noun in ("dataLabelingJobs", "modelDeploymentMonitoringJobs", "deploymentResourcePools"):
        target.good("GET", f"{PLACES}/{noun}")
    body = {"displayName": draw(display_names)}
    endpoint = name_of(target, target.good("POST", f"{PLACES}/endpoints", body))
    changed = {"endpoint": {**body, "name": endpoint}}
    target.good("POST", f"/v1/{endpoint}:update", changed)
    target.good("DELETE", f"/v1/{endpoint}")
    data = {**body, "metadataSchemaUri": f"{SCHEMA}/dataset/metadata/image_1.0.0.yaml"}
    dataset = name_of(target, target.good("POST", f"{PLACES}/datasets", data))
    bucket = target.name("out")
    target.good("POST", "/storage/v1/b", {"name": bucket}, query={"project": "fuzz-project"})
    folder = {"gcsDestination": {"outputUriPrefix": f"gs://{bucket}/out"}}
    target.good("POST", f"/v1/{dataset}:export", {"exportConfig": folder})


SCENARIOS = [boards, lineage, remains]
