"""Jobs, schedules and machines of Vertex AI, valid by construction; their images nobody knows."""

from __future__ import annotations

from typing import Any

from hypothesis import strategies as st

from tests.emulator.fuzz.target import Target
from tests.emulator.fuzz.values import Draw, labels, texts
from tests.emulator.fuzz.vertex_calls import PLACES, SCHEMA, display_names, life, name_of
from tests.emulator.pipelines import Pipeline

POOL = {
    "machineSpec": {"machineType": "n1-standard-4"},
    "replicaCount": "1",
    "containerSpec": {"imageUri": "gcr.io/nobody/knows:1"},
}


def tuning(draw: Draw, target: Target) -> None:
    """A tuning job of one parameter, cancelled and deleted."""
    low = draw(st.integers(0, 9))
    parameter = {
        "parameterId": "units",
        "integerValueSpec": {"minValue": str(low), "maxValue": str(low + draw(st.integers(1, 9)))},
    }
    goal = draw(st.sampled_from(["MAXIMIZE", "MINIMIZE"]))
    metrics = [{"metricId": "accuracy", "goal": goal}]
    body = {
        "displayName": draw(display_names),
        "maxTrialCount": draw(st.integers(1, 5)),
        "parallelTrialCount": 1,
        "studySpec": {"metrics": metrics, "parameters": [parameter]},
        "trialJobSpec": {"workerPoolSpecs": [POOL]},
    }
    name = life(draw, target, "hyperparameterTuningJobs", body, "")
    target.good("POST", f"/v1/{name}:cancel", {})


def pipelines(draw: Draw, target: Target) -> None:
    """A pipeline job that is cancelled, and a schedule of such jobs, paused and resumed."""
    bucket = target.name("root")
    target.good("POST", "/storage/v1/b", {"name": bucket}, query={"project": "fuzz-project"})
    job = _pipeline(draw, bucket)
    name = life(draw, target, "pipelineJobs", job, "")
    target.good("POST", f"/v1/{name}:cancel", {})
    request = {"parent": PLACES.removeprefix("/v1/"), "pipelineJob": _pipeline(draw, bucket)}
    body = {
        "displayName": draw(display_names),
        "cron": f"{draw(st.integers(0, 59))} 3 1 1 *",
        "maxConcurrentRunCount": str(draw(st.integers(1, 3))),
        "createPipelineJobRequest": request,
    }
    schedule = life(draw, target, "schedules", body, "displayName")
    target.good("POST", f"/v1/{schedule}:pause", {})
    target.good("POST", f"/v1/{schedule}:resume", {})
    target.good("DELETE", f"/v1/{schedule}")


def _pipeline(draw: Draw, bucket: str) -> dict[str, Any]:
    pipeline = Pipeline()
    pipeline.step("only", draw(texts), image="gcr.io/nobody/knows:1")
    return {**pipeline.job(bucket), "displayName": draw(display_names)}


def machines(draw: Draw, target: Target) -> None:
    """A persistent resource, rebooted and deleted."""
    identifier = target.name("kept")
    body = {
        "displayName": draw(display_names),
        "labels": draw(labels),
        "resourcePools": [{key: POOL[key] for key in ("machineSpec", "replicaCount")}],
    }
    name = life(
        draw, target, "persistentResources", body, "displayName", persistentResourceId=identifier
    )
    target.good("POST", f"/v1/{name}:reboot", {})
    target.good("DELETE", f"/v1/{name}")


def versions(draw: Draw, target: Target) -> None:
    """A version of a data set, read, changed, restored and deleted."""
    body = {
        "displayName": draw(display_names),
        "metadataSchemaUri": f"{SCHEMA}/dataset/metadata/image_1.0.0.yaml",
    }
    dataset = name_of(target, target.good("POST", f"{PLACES}/datasets", body))
    parent = f"/v1/{dataset}"
    version = life(
        draw, target, "datasetVersions", {"displayName": draw(display_names)}, "displayName",
        parent=parent,
    )  # fmt: skip
    name_of(target, target.good("GET", f"/v1/{version}:restore"))
    target.good("DELETE", f"/v1/{version}")


SCENARIOS = [tuning, pipelines, machines, versions]
