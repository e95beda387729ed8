"""kill -9 of the server in the middle of things: started again, it carries on."""

from __future__ import annotations

import os
import random
import signal
import time
from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from pathlib import Path

import httpx
import pytest

from tests.emulator.vertex import Body, Vertex, fake_engines, photo
from tests.local_cloud import LocalCloud, start_cloud, stop_cloud, wait_until

PROJECT = "kill-nine"


class Restarted:
    """A server on one folder that is killed and started again on the same port."""

    def __init__(self, data: Path, *arguments: str) -> None:
        self._arguments = arguments
        self.cloud: LocalCloud = start_cloud(data, *arguments)

    @property
    def vertex(self) -> Vertex:
        """The project on the present server."""
        return Vertex(self.cloud.url, PROJECT)

    def kill(self) -> None:
        """SIGKILL, with no chance to tidy up."""
        os.kill(self.cloud.process.pid, signal.SIGKILL)
        self.cloud.process.wait()
        if self.cloud.process.stdout:
            self.cloud.process.stdout.close()

    def start(self) -> None:
        """The server again, on the port it had."""
        port = int(self.cloud.url.rsplit(":", 1)[1])
        self.cloud = start_cloud(self.cloud.data, *self._arguments, port=port)


@pytest.fixture
def restarted(tmp_path: Path) -> Iterator[Callable[..., Restarted]]:
    """Starts servers that can be killed; what is left of them is stopped at the end."""
    made: list[Restarted] = []

    def make(*arguments: str) -> Restarted:
        made.append(Restarted(tmp_path / "data", *arguments))
        return made[-1]

    yield make
    for one in made:
        stop_cloud(one.cloud)


def big_import(vertex: Vertex, photos: int) -> tuple[str, Body]:
    """A dataset and the operation of an import of many rows, two of them bad."""
    bucket = vertex.bucket("many")
    vertex.upload(bucket, {f"{number}.png": photo(number) for number in range(photos)})
    rows = [f"training,gs://{bucket}/{n}.png,label_{n % 3}" for n in range(photos)]
    rows += [f"gs://{bucket}/missing.png,cat", f"gs://{bucket}/0.png,1bad"]
    vertex.upload(bucket, {"rows.csv": "\n".join(rows).encode()})
    dataset = vertex.dataset()
    return dataset, vertex.begin_import(dataset, f"gs://{bucket}/rows.csv")


def all_items(vertex: Vertex, dataset: str) -> list[str]:
    """The addresses of every data item, over all pages."""
    found: list[str] = []
    token = ""
    while True:
        page = vertex.get(f"{dataset}/dataItems?pageSize=1000&pageToken={token}")
        found += [one["payload"]["imageGcsUri"] for one in page.get("dataItems", [])]
        token = page.get("nextPageToken", "")
        if not token:
            return found


def test_an_import_goes_on_after_kill_9(restarted: Callable[..., Restarted]) -> None:
    """Killed again and again at random instants, the import brings every row once."""
    seed = random.randrange(2**32)
    print(f"seed {seed}")
    instants = random.Random(seed)
    server = restarted()
    dataset, operation = big_import(server.vertex, photos=400)
    for _ in range(3):
        time.sleep(instants.uniform(0, 0.05))  # the instant of the kill, not a wait
        server.kill()
        server.start()

    ended = server.vertex.done(operation)

    found = all_items(server.vertex, dataset)
    assert len(found) == len(set(found)) == 400
    assert len(ended["metadata"]["genericMetadata"]["partialFailures"]) == 2
    assert "response" in ended


def test_a_training_goes_on_while_the_server_is_dead(restarted: Callable[..., Restarted]) -> None:
    """The job outlives the server; the next server finds its end and makes one model of it."""
    server = restarted(*fake_engines(train_seconds=1.0))
    vertex = server.vertex
    dataset = vertex.filled_dataset(vertex.bucket("photos"))
    pipeline = vertex.begin_training(dataset)
    wait_until(lambda: vertex.get(pipeline)["state"] == "PIPELINE_STATE_RUNNING")
    job = server.cloud.data / "jobs" / pipeline.rsplit("/", 1)[1]

    server.kill()
    wait_until((job / "exit.json").exists)
    seen_dead = datetime.now(UTC)
    server.start()

    trained = server.vertex.trained(pipeline)
    assert trained["state"] == "PIPELINE_STATE_SUCCEEDED"
    assert datetime.fromisoformat(trained["endTime"]) <= seen_dead
    (usage,) = httpx.get(f"{server.cloud.url}/_emulator/usage").json()["usage"]
    assert usage["endTime"] == trained["endTime"]
    assert len(server.vertex.get(f"{vertex.parent}/models")["models"]) == 1


def test_trainings_killed_at_random_instants_end_once(restarted: Callable[..., Restarted]) -> None:
    """Whether killed before, in or after the job, a pipeline ends well with one model."""
    seed = random.randrange(2**32)
    print(f"seed {seed}")
    instants = random.Random(seed)
    server = restarted(*fake_engines(train_seconds=0.2))
    dataset = server.vertex.filled_dataset(server.vertex.bucket("photos"))
    pipelines = []
    for _ in range(3):
        pipelines.append(server.vertex.begin_training(dataset))
        time.sleep(instants.uniform(0, 0.8))  # the instant of the kill, not a wait
        server.kill()
        server.start()

    states = [server.vertex.trained(one)["state"] for one in pipelines]

    assert states == ["PIPELINE_STATE_SUCCEEDED"] * 3
    models = server.vertex.get(f"{server.vertex.parent}/models")["models"]
    assert sorted(one["trainingPipeline"] for one in models) == sorted(pipelines)


def test_a_job_whose_supervisor_is_lost_fails_honestly(
    restarted: Callable[..., Restarted],
) -> None:
    """Server and supervisor killed, as by a reboot: the pipeline fails and its process is gone."""
    import psutil

    from emulator.jobs.spec import read_json

    server = restarted(*fake_engines(train_seconds=60))
    dataset = server.vertex.filled_dataset(server.vertex.bucket("photos"))
    pipeline = server.vertex.begin_training(dataset)
    folder = server.cloud.data / "jobs" / pipeline.rsplit("/", 1)[1]
    wait_until(lambda: "childPid" in (read_json(folder / "supervisor.json") or {}))
    known = read_json(folder / "supervisor.json") or {}

    server.kill()
    os.kill(known["pid"], signal.SIGKILL)
    server.start()

    ended = server.vertex.trained(pipeline)
    assert ended["state"] == "PIPELINE_STATE_FAILED"
    assert "Its supervisor is gone" in ended["error"]["message"]
    wait_until(lambda: not psutil.pid_exists(known["childPid"]))


def test_a_deployment_goes_on_after_kill_9(restarted: Callable[..., Restarted]) -> None:
    """Killed while deploying and when deployed: one server process, found again, predicts."""
    server = restarted(*fake_engines())
    vertex = server.vertex
    dataset = vertex.filled_dataset(vertex.bucket("photos"))
    model = vertex.trained(vertex.begin_training(dataset))["modelToUpload"]["name"]
    endpoint = vertex.endpoint()

    operation = vertex.begin_deployment(endpoint, model, id="5")
    server.kill()
    server.start()
    assert "response" in server.vertex.done(operation)
    before = serving_pids(server.cloud.data)
    server.kill()
    server.start()

    answer = server.vertex.post(f"{endpoint}:predict", {"instances": [{"content": "AAAA"}]})
    assert answer["deployedModelId"] == "5"
    assert len(before) == 1 and serving_pids(server.cloud.data) == before
    assert len(server.vertex.get(endpoint)["deployedModels"]) == 1


def test_deployments_killed_at_random_instants_end_once(
    restarted: Callable[..., Restarted],
) -> None:
    """Whenever the server dies, each deployment ends well, once, with one process."""
    seed = random.randrange(2**32)
    print(f"seed {seed}")
    instants = random.Random(seed)
    server = restarted(*fake_engines())
    vertex = server.vertex
    dataset = vertex.filled_dataset(vertex.bucket("photos"))
    model = vertex.trained(vertex.begin_training(dataset))["modelToUpload"]["name"]
    endpoint = vertex.endpoint()
    operations = []
    for number in range(3):
        operations.append(server.vertex.begin_deployment(endpoint, model, id=f"{number + 1}"))
        time.sleep(instants.uniform(0, 0.6))  # the instant of the kill, not a wait
        server.kill()
        server.start()

    ended = [server.vertex.done(one) for one in operations]

    assert all("response" in one for one in ended), ended
    deployed = server.vertex.get(endpoint)["deployedModels"]
    assert sorted(one["id"] for one in deployed) == ["1", "2", "3"]
    wait_until(lambda: len(serving_pids(server.cloud.data)) == 3)


def test_a_server_of_a_deployment_that_was_undeployed_is_ended(
    restarted: Callable[..., Restarted],
) -> None:
    """Killed in the moment after undeploy, the next server ends the process that is left."""
    server = restarted(*fake_engines())
    vertex = server.vertex
    dataset = vertex.filled_dataset(vertex.bucket("photos"))
    model = vertex.trained(vertex.begin_training(dataset))["modelToUpload"]["name"]
    endpoint = vertex.endpoint()
    vertex.done(vertex.begin_deployment(endpoint, model, id="5"))

    vertex.post(f"{endpoint}:undeployModel", {"deployedModelId": "5"})
    server.kill()
    server.start()

    wait_until(lambda: serving_pids(server.cloud.data) == set())


def serving_pids(data: Path) -> set[int]:
    """The processes that serve predictions for a data folder."""
    import psutil

    key = str(data / "service-account.json")
    return {
        process.pid
        for process in psutil.process_iter(["cmdline", "environ"])
        if (process.info["environ"] or {}).get("GOOGLE_APPLICATION_CREDENTIALS") == key
        and "serve" in (process.info["cmdline"] or [])
    }
