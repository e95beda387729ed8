"""kill -9 of the server while a custom job runs: the job goes on, and nothing is lost or twice."""

from __future__ import annotations

import os
import random
import signal
import time
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path

import httpx
import pytest

from tests.emulator.custom import (
    IMAGE,
    begin_pipeline,
    content,
    custom_engines,
    job_spec,
    log,
    objects,
)
from tests.emulator.vertex import Vertex
from tests.local_cloud import LocalCloud, start_cloud, stop_cloud, wait_until

MODEL = {"displayName": "mine", "containerSpec": {"imageUri": IMAGE}}


@pytest.fixture
def server(tmp_path: Path) -> Iterator[LocalCloud]:
    """A server to be killed; whatever is left of it is stopped at the end."""
    cloud = start_cloud(tmp_path / "data", *custom_engines())
    yield cloud
    if cloud.process.poll() is None:
        stop_cloud(cloud)


def kill(cloud: LocalCloud) -> None:
    """SIGKILL, with no chance to tidy up."""
    os.kill(cloud.process.pid, signal.SIGKILL)
    cloud.process.wait()
    if cloud.process.stdout:
        cloud.process.stdout.close()


def test_a_custom_training_goes_on_while_the_server_is_dead(server: LocalCloud) -> None:
    """Files, log lines and the end of the job come to light with the next server, each once."""
    vertex = Vertex(server.url, "kill-nine")
    bucket = vertex.bucket("kill-nine-runs")
    base = f"gs://{bucket}/run"
    args = ("say", "before", "write", f"{base}/checkpoints/1", "one", "wait", "go", "say", "after")
    more = ("remove", f"{base}/checkpoints/1", "write", f"{base}/model/labels.txt", "cat")
    name = begin_pipeline(vertex, job_spec(*args, *more, base=base), modelToUpload=MODEL)
    wait_until(lambda: content(vertex, bucket, "run/checkpoints/1") == "one")
    job = vertex.get(name)["trainingTaskMetadata"]["backingCustomJob"]
    folder = server.data / "jobs" / job.rsplit("/", 1)[1]

    kill(server)
    (folder / "go").touch()
    wait_until((folder / "exit.json").exists)
    seen_dead = datetime.now(UTC)
    again = start_cloud(server.data, *custom_engines())
    try:
        vertex = Vertex(again.url, "kill-nine")
        pipeline = vertex.trained(name)

        assert pipeline["state"] == "PIPELINE_STATE_SUCCEEDED", pipeline
        (usage,) = httpx.get(f"{again.url}/_emulator/usage").json()["usage"]
        end_times = (pipeline["endTime"], vertex.get(job)["endTime"], usage["endTime"])
        assert len(set(end_times)) == 1
        assert datetime.fromisoformat(end_times[0]) <= seen_dead
        assert objects(vertex, bucket) == ["run/model/labels.txt"]
        assert len(vertex.get(f"{vertex.parent}/models")["models"]) == 1
        said = [one["textPayload"] for one in log(vertex, job, 'log_name:"workerpool0"')]
        assert said == ["before", "after"]
        assert len(log(vertex, job, 'textPayload="Job completed successfully."')) == 1
    finally:
        stop_cloud(again)


def test_killed_at_random_instants_everything_is_there_once(server: LocalCloud) -> None:
    """Whenever the server dies: every file is an object, every line an entry, one model."""
    seed = random.randrange(2**32)
    print(f"seed {seed}")
    instants = random.Random(seed)
    vertex = Vertex(server.url, "kill-nine")
    bucket = vertex.bucket("kill-nine-runs")
    base = f"gs://{bucket}/run"
    steps = [f"{number:02d}" for number in range(20)]
    words = [
        word
        for step in steps
        for word in ("say", step, "write", f"{base}/model/{step}", step, "sleep", "0.1")
    ]
    name = begin_pipeline(vertex, job_spec(*words, base=base), modelToUpload=MODEL)
    cloud = server
    for _ in range(4):
        time.sleep(instants.uniform(0, 0.8))  # the instant of the kill, not a wait
        kill(cloud)
        cloud = start_cloud(server.data, *custom_engines())
    try:
        vertex = Vertex(cloud.url, "kill-nine")
        pipeline = vertex.trained(name)

        assert pipeline["state"] == "PIPELINE_STATE_SUCCEEDED", pipeline
        assert objects(vertex, bucket) == [f"run/model/{step}" for step in steps]
        job = pipeline["trainingTaskMetadata"]["backingCustomJob"]
        said = [one["textPayload"] for one in log(vertex, job, 'log_name:"workerpool0"')]
        assert said == steps
        assert len(vertex.get(f"{vertex.parent}/models")["models"]) == 1
    finally:
        stop_cloud(cloud)


def test_a_pipeline_killed_before_its_job_starts_has_one_job(server: LocalCloud) -> None:
    """Killed right after the answer, it is taken up: one job, one model."""
    vertex = Vertex(server.url, "kill-nine")
    bucket = vertex.bucket("kill-nine-runs")
    base = f"gs://{bucket}/run"
    spec = job_spec("write", f"{base}/model/labels.txt", "cat", base=base)
    name = begin_pipeline(vertex, spec, modelToUpload=MODEL)

    kill(server)
    again = start_cloud(server.data, *custom_engines())
    try:
        vertex = Vertex(again.url, "kill-nine")
        pipeline = vertex.trained(name)

        assert pipeline["state"] == "PIPELINE_STATE_SUCCEEDED", pipeline
        assert len(vertex.get(f"{vertex.parent}/customJobs")["customJobs"]) == 1
        assert len(vertex.get(f"{vertex.parent}/models")["models"]) == 1
    finally:
        stop_cloud(again)
