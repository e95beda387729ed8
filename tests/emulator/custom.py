"""Custom jobs for tests: a server whose container does what its arguments say."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Any
from urllib.parse import quote

import httpx

from tests.emulator.vertex import SCHEMA, Body, Vertex
from tests.local_cloud import wait_until

ENGINE = Path(__file__).parent / "jobs" / "custom_engine.py"
CUSTOM = f"{SCHEMA}/trainingjob/definition/custom_task_1.0.0.yaml"
ANNOTATION = f"{SCHEMA}/dataset/annotation/image_classification_1.0.0.yaml"
IMAGE = "us-docker.pkg.dev/p/r/trainer:1"
FINAL = ("JOB_STATE_SUCCEEDED", "JOB_STATE_FAILED", "JOB_STATE_CANCELLED")


def custom_engines() -> list[str]:
    """The options of a server that knows the image, and gives up on others at once."""
    return ["--engine", f"train:*/trainer={sys.executable} {ENGINE}", "--image-pull-seconds", "0.5"]


def job_spec(*args: str, base: str = "", **more: Any) -> Body:
    """One replica of the container with these arguments; `more` are fields of the job spec."""
    container = {"imageUri": IMAGE, "args": list(args)}
    pool = {
        "machineSpec": {"machineType": "n1-standard-4"},
        "replicaCount": "1",
        "containerSpec": container,
    }
    output = {"baseOutputDirectory": {"outputUriPrefix": base}} if base else {}
    return {"workerPoolSpecs": [pool], **output, **more}


def begin_job(vertex: Vertex, *args: str, base: str = "", **more: Any) -> str:
    """The name of a new custom job."""
    body = {"displayName": "job", "jobSpec": job_spec(*args, base=base, **more)}
    name: str = vertex.post(f"{vertex.parent}/customJobs", body)["name"]
    return name


def ended(vertex: Vertex, job: str, max_seconds: float = 60) -> Body:
    """The job in its final state."""
    wait_until(lambda: vertex.get(job)["state"] in FINAL, max_seconds)
    return vertex.get(job)


def begin_pipeline(vertex: Vertex, spec: Body, **more: Any) -> str:
    """The name of a new training pipeline with a custom task."""
    body = {
        "displayName": "training",
        "trainingTaskDefinition": CUSTOM,
        "trainingTaskInputs": spec,
        **more,
    }
    name: str = vertex.post(f"{vertex.parent}/trainingPipelines", body)["name"]
    return name


def objects(vertex: Vertex, bucket: str, prefix: str = "") -> list[str]:
    """The names of a bucket's objects."""
    answer = httpx.get(f"{vertex.url}/storage/v1/b/{bucket}/o", params={"prefix": prefix})
    return [one["name"] for one in answer.json().get("items", [])]


def content(vertex: Vertex, bucket: str, name: str) -> str | None:
    """The text of an object, or None."""
    url = f"{vertex.url}/storage/v1/b/{bucket}/o/{quote(name, safe='')}?alt=media"
    answer = httpx.get(url)
    return answer.text if answer.status_code == 200 else None


def log(vertex: Vertex, job: str, more: str = "") -> list[Body]:
    """The log entries of a custom job, by time."""
    text = f'resource.type="ml_job" AND resource.labels.job_id="{job.rsplit("/", 1)[1]}" {more}'
    body = {"resourceNames": [f"projects/{vertex.project}"], "filter": text, "pageSize": 1000}
    answer = httpx.post(f"{vertex.url}/v2/entries:list", json=body)
    found: list[Body] = answer.raise_for_status().json().get("entries", [])
    return found
