"""Use, metered as Google would bill it: hours of training, node time of deployments."""

from __future__ import annotations

import json
from collections.abc import Mapping
from datetime import datetime
from typing import TYPE_CHECKING, Any

from emulator.aiplatform import machines
from emulator.clock import timestamp

if TYPE_CHECKING:
    from emulator.cloud import Cloud

SECONDS_PER_HOUR = 3600.0

# USD per node hour, image classification, typed from https://cloud.google.com/vertex-ai/pricing as
# quoted on 2026-10-07 (training) and 2026-09-08 (deployment); regions us-central1, europe-west4.
# Kept apart from the prices of `ops` on purpose: two witnesses.
USD_PER_NODE_HOUR: dict[str, float] = {
    "AutoML Image Classification Model Training": 3.465,
    "AutoML Image Classification On-Device Model Training": 18.00,
    "AutoML Image Classification Model Deployment": 1.375,
    # The price page as it was in 2024 and 2025; no later copy names it.
    "AutoML Image Classification Batch Prediction": 2.222,
    # For each run, whatever it takes ("Vertex AI Pipelines" on the price page, read 2026-08-22).
    "Vertex AI Pipelines: Run": 0.03,
}
TRAINING = "AutoML Image Classification Model Training"
MOBILE_TRAINING = "AutoML Image Classification On-Device Model Training"
DEPLOYMENT = "AutoML Image Classification Model Deployment"
BATCH_PREDICTION = "AutoML Image Classification Batch Prediction"
PIPELINE_RUN = "Vertex AI Pipelines: Run"
CUSTOM_SERVING = "Vertex AI: Online/Batch Prediction"
CUSTOM_TRAINING = "Vertex AI: Training/Pipelines on"
SPOT = " (Spot)"


def record_training(
    cloud: Cloud, pipeline: Mapping[str, Any], *, is_mobile: bool, node_hours: float
) -> None:
    """A finished (or cancelled) training is billed once, by its node hours."""
    started = pipeline.get("startTime", pipeline["createTime"])
    ended = pipeline.get("endTime") or timestamp(cloud.clock.now())
    sku = MOBILE_TRAINING if is_mobile else TRAINING
    with cloud.store.transaction() as db:
        db.execute(
            "INSERT OR IGNORE INTO usage (resource, kind, sku, started, ended, quantity, labels)"
            " VALUES (?, 'training', ?, ?, ?, ?, ?)",
            (pipeline["name"], sku, started, ended, node_hours, _labels(pipeline)),
        )


def record_custom_job(cloud: Cloud, job: Mapping[str, Any]) -> None:
    """A custom job that ran is billed once: its machine, and its accelerators, by the second.

    One that never ran is not: "Charged from the time that resources are provisioned".
    """
    if "startTime" not in job or "endTime" not in job:
        return
    if job["jobSpec"].get("persistentResourceId"):
        return  # its machines are billed as long as they are kept
    machine = job["jobSpec"]["workerPoolSpecs"][0]["machineSpec"]
    is_spot = job["jobSpec"].get("scheduling", {}).get("strategy") == "SPOT"
    parts = [("custom training", machine["machineType"], 1)]
    if accelerator := machine.get("acceleratorType"):
        parts.append(("accelerator", accelerator, int(machine["acceleratorCount"])))
    with cloud.store.transaction() as db:
        for kind, name, count in parts:
            values = (
                job["name"], kind, f"{CUSTOM_TRAINING} {name}{SPOT if is_spot else ''}",
                job["startTime"], job["endTime"], count, _labels(job),
            )  # fmt: skip
            db.execute(
                "INSERT OR IGNORE INTO usage (resource, kind, sku, started, ended, nodes, labels)"
                " VALUES (?, ?, ?, ?, ?, ?, ?)",
                values,
            )


def record_batch_prediction(cloud: Cloud, job: Mapping[str, Any]) -> None:
    """A batch prediction that ran is billed once: its nodes, or its machines, by their time."""
    if "startTime" not in job or "endTime" not in job:
        return
    with cloud.store.transaction() as db:
        for kind, sku, count in _batch_parts(job):
            db.execute(
                "INSERT OR IGNORE INTO usage (resource, kind, sku, started, ended, nodes, labels)"
                " VALUES (?, ?, ?, ?, ?, ?, ?)",
                (job["name"], kind, sku, job["startTime"], job["endTime"], count, _labels(job)),
            )


def _batch_parts(job: Mapping[str, Any]) -> list[tuple[str, str, int]]:
    """Kind, SKU and number of what a batch prediction ran on."""
    dedicated = job.get("dedicatedResources")
    if dedicated is None:
        return [("batch prediction", BATCH_PREDICTION, 1)]
    machine, nodes = dedicated["machineSpec"], int(dedicated.get("startingReplicaCount", 1))
    parts = [("batch prediction", f"{CUSTOM_SERVING} {machine['machineType']}", nodes)]
    if accelerator := machine.get("acceleratorType"):
        count = nodes * int(machine.get("acceleratorCount", 1))
        parts.append(("batch accelerator", f"{CUSTOM_SERVING} {accelerator}", count))
    return parts


def record_pipeline_run(cloud: Cloud, job: Mapping[str, Any]) -> None:
    """A run of a pipeline is billed once, beside the jobs of its tasks; `nodeHours` counts runs."""
    now = timestamp(cloud.clock.now())
    with cloud.store.transaction() as db:
        db.execute(
            "INSERT OR IGNORE INTO usage (resource, kind, sku, started, ended, quantity, labels)"
            " VALUES (?, 'pipeline run', ?, ?, ?, 1, ?)",
            (job["name"], PIPELINE_RUN, job["createTime"], now, _labels(job)),
        )


def begin_persistent(cloud: Cloud, body: Mapping[str, Any]) -> None:
    """A persistent resource's machines cost from now on, whether they run a job or not."""
    parts = []
    for pool in body["resourcePools"]:
        machine, count = pool["machineSpec"], int(pool["replicaCount"])
        sku = f"{CUSTOM_TRAINING} {machine['machineType']}"
        parts.append((f"persistent resource {pool['id']}", sku, count))
        if accelerator := machine.get("acceleratorType"):
            number = count * int(machine.get("acceleratorCount", 1))
            sku = f"{CUSTOM_TRAINING} {accelerator}"
            parts.append((f"persistent accelerator {pool['id']}", sku, number))
    _begin(cloud, body["name"], parts, _labels(body))


def begin_pool(cloud: Cloud, pool: Mapping[str, Any]) -> None:
    """The machines of a deployment resource pool cost from now on."""
    parts = _deployed_parts(pool)
    _begin(cloud, pool["name"], parts, _labels(pool))


def end_spans(cloud: Cloud, resource: str) -> None:
    """Whatever of a resource costs, costs no longer."""
    with cloud.store.transaction() as db:
        db.execute(
            "UPDATE usage SET ended = ? WHERE resource = ? AND ended IS NULL",
            (timestamp(cloud.clock.now()), resource),
        )


def _begin(cloud: Cloud, resource: str, parts: list[tuple[str, str, int]], labels: str) -> None:
    now = timestamp(cloud.clock.now())
    with cloud.store.transaction() as db:
        for kind, sku, count in parts:
            db.execute(
                "INSERT OR IGNORE INTO usage (resource, kind, sku, started, nodes, labels)"
                " VALUES (?, ?, ?, ?, ?, ?)",
                (resource, kind, sku, now, count, labels),
            )


def begin_deployment(
    cloud: Cloud, resource: str, endpoint: Mapping[str, Any], deployed: Mapping[str, Any]
) -> None:
    """A deployed model costs from now on, its nodes' time, until `end_deployment`."""
    _begin(cloud, resource, _deployed_parts(deployed), _labels(endpoint))


def _deployed_parts(deployed: Mapping[str, Any]) -> list[tuple[str, str, int]]:
    """Kind, SKU and number of what a deployed model runs on."""
    dedicated = deployed.get("dedicatedResources")
    if dedicated is None:
        return [("deployment", DEPLOYMENT, deployed["automaticResources"]["minReplicaCount"])]
    machine, nodes = dedicated["machineSpec"], dedicated["minReplicaCount"]
    parts = [("deployment", f"{CUSTOM_SERVING} {machine['machineType']}", nodes)]
    if accelerator := machine.get("acceleratorType"):
        count = nodes * int(machine.get("acceleratorCount", 1))
        parts.append(("deployed accelerator", f"{CUSTOM_SERVING} {accelerator}", count))
    return parts


def end_deployment(cloud: Cloud, resource: str) -> None:
    """The deployed model costs no longer. Once is enough, twice does no harm."""
    with cloud.store.transaction() as db:
        db.execute(
            "UPDATE usage SET ended = ? WHERE resource = ? AND ended IS NULL"
            " AND kind IN ('deployment', 'deployed accelerator')",
            (timestamp(cloud.clock.now()), resource),
        )


def usage_rows(cloud: Cloud) -> list[dict[str, Any]]:
    """Every span: resource, kind, sku, start, end (null: goes on), node hours, USD at Google.

    USD is null where the price is not on record.
    """
    with cloud.store.read() as db:
        rows = db.execute(
            "SELECT resource, kind, sku, started, ended, quantity, nodes, labels FROM usage"
            " ORDER BY seq"
        ).fetchall()
    return [_row(cloud, *row) for row in rows]


def _row(
    cloud: Cloud,
    resource: str,
    kind: str,
    sku: str,
    started: str,
    ended: str | None,
    quantity: float | None,
    nodes: int,
    labels: str,
) -> dict[str, Any]:
    end = datetime.fromisoformat(ended) if ended else cloud.clock.now()
    seconds = (end - datetime.fromisoformat(started)).total_seconds()
    node_hours = quantity if quantity is not None else nodes * seconds / SECONDS_PER_HOUR
    return {
        "resource": resource,
        "kind": kind,
        "sku": sku,
        "startTime": started,
        "endTime": ended,
        "nodeHours": node_hours,
        "usd": None if (rate := _usd_per_hour(sku)) is None else round(node_hours * rate, 6),
        "labels": json.loads(labels),
    }


def _usd_per_hour(sku: str) -> float | None:
    """The price of an hour, or None where it is not on record: never guessed."""
    if sku.startswith(CUSTOM_TRAINING):
        return machines.usd_per_hour(sku.removeprefix(CUSTOM_TRAINING).strip())
    if sku.startswith(CUSTOM_SERVING):
        return machines.usd_per_serving_hour(sku.removeprefix(CUSTOM_SERVING).strip())
    return USD_PER_NODE_HOUR[sku]


def _labels(body: Mapping[str, Any]) -> str:
    return json.dumps(body.get("labels", {}))
