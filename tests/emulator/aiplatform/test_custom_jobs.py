"""Custom jobs: what is refused, what they find, what they leave, how they end."""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from typing import Any

import httpx
import pytest

from tests.emulator.custom import begin_job, content, custom_engines, ended, job_spec, log, objects
from tests.emulator.vertex import Body, Vertex, error
from tests.local_cloud import LocalCloud, wait_until


def create(vertex: Vertex, spec: Body) -> httpx.Response:
    """The answer to a request for a job."""
    body = {"displayName": "job", "jobSpec": spec}
    return vertex.call("POST", f"{vertex.parent}/customJobs", body)


def pool(**changes: Any) -> Body:
    """A job spec whose one pool is changed."""
    spec = job_spec()
    spec["workerPoolSpecs"][0].update(changes)
    return spec


@pytest.mark.parametrize(
    ("spec", "message"),
    [
        ({}, "custom_job.job_spec; Message: Required field is not set."),
        ({"serviceAccount": "a"}, "worker_pool_specs; Message: At least one worker pool"),
        (pool(diskSpec={"bootDiskType": "pd-foo"}), "disk_spec.boot_disk_type"),
        (pool(diskSpec={"bootDiskSizeGb": 5}), "The size must be from 100 to 64000 GB"),
        ({**pool(), "serviceAccount": "notanemail"}, "custom_job.job_spec.service_account"),
        (pool(replicaCount="0"), "worker_pool_specs[0].replica_count"),
        (pool(machineSpec={"machineType": "n1-huge-4"}), 'Machine type "n1-huge-4" is not supp'),
        (
            pool(
                machineSpec={
                    "machineType": "e2-standard-4",
                    "acceleratorType": "NVIDIA_TESLA_T4",
                    "acceleratorCount": 1,
                }
            ),
            'Accelerator "NVIDIA_TESLA_T4" is not supported with machine type "e2-standard-4"',
        ),
        (pool(containerSpec={"args": ["x"]}), "container_spec.image_uri; Message: Required"),
        (pool(containerSpec={"imageUri": "i", "args": ["x" * 100_001]}), "longer than 100,000"),
        (pool(colour="red"), 'Unknown name "colour"'),
        ({**job_spec(), "scheduling": {"timeout": "0s"}}, "The timeout must be positive"),
        (job_spec(base="s3://bucket/x"), "Not a Cloud Storage folder: s3://bucket/x"),
    ],
)
def test_a_spec_that_google_would_refuse_is_refused(
    custom: Vertex, spec: Body, message: str
) -> None:
    """400 with the field and what is wrong with it, before anything starts."""
    answer = create(custom, spec)

    assert error(answer)[:2] == (400, "INVALID_ARGUMENT")
    assert message in error(answer)[2]
    assert custom.get(f"{custom.parent}/customJobs") == {}


def test_more_than_one_replica_is_not_pretended(custom: Vertex) -> None:
    """501 that says how many were asked for."""
    spec = job_spec()
    spec["workerPoolSpecs"].append({**spec["workerPoolSpecs"][0], "replicaCount": "3"})

    assert error(create(custom, spec))[:2] == (501, "UNIMPLEMENTED")


def test_a_tensorboard_is_there_and_in_the_job_s_region(custom: Vertex) -> None:
    """404 for one that is not; 400 for one of another region."""
    elsewhere = f"projects/{custom.project}/locations/europe-west4"
    made = custom.done(custom.post(f"{elsewhere}/tensorboards", {"displayName": "b"}))["response"]

    missing = create(custom, {**pool(), "tensorboard": f"{custom.parent}/tensorboards/1"})
    other = create(custom, {**pool(), "tensorboard": made["name"]})

    assert error(missing)[:2] == (404, "NOT_FOUND")
    assert error(other)[:2] == (400, "INVALID_ARGUMENT")


def test_a_job_finds_what_vertex_ai_sets(custom: Vertex, runs: str) -> None:
    """Folders, ids, cluster and the user's own variables are in the environment."""
    base = f"gs://{runs}/run"
    spec = job_spec("environ", f"{base}/environ.json", base=f"{base}/")
    own = [{"name": "COLOUR", "value": "red"}, {"name": "AIP_MODEL_DIR", "value": "mine"}]
    spec["workerPoolSpecs"][0]["containerSpec"]["env"] = own
    name = create(custom, spec).json()["name"]

    assert ended(custom, name)["state"] == "JOB_STATE_SUCCEEDED"

    found = json.loads(content(custom, runs, "run/environ.json") or "")
    number = httpx.get(f"{custom.url}/v3/projects/{custom.project}").json()["name"].split("/")[1]
    assert found["AIP_MODEL_DIR"] == f"{base}/model/"
    assert found["AIP_CHECKPOINT_DIR"] == f"{base}/checkpoints/"
    assert found["AIP_TENSORBOARD_LOG_DIR"] == f"{base}/logs/"
    assert found["CLOUD_ML_JOB_ID"] == name.rsplit("/", 1)[1]
    assert found["CLOUD_ML_PROJECT_ID"] == number
    assert found["COLOUR"] == "red"
    assert json.loads(found["TF_CONFIG"])["task"] == {"type": "chief", "index": 0}
    assert json.loads(found["CLUSTER_SPEC"])["task"] == {"type": "workerpool0", "index": 0}


def test_a_job_reads_the_buckets_that_it_names(custom: Vertex, runs: str) -> None:
    """An object named in an argument is a file under the mount; its copy becomes an object."""
    custom.upload(runs, {"in/a.txt": b"hello"})

    job = begin_job(custom, "copy", f"gs://{runs}/in/a.txt", f"gs://{runs}/out/b.txt")

    assert ended(custom, job)["state"] == "JOB_STATE_SUCCEEDED"
    assert content(custom, runs, "out/b.txt") == "hello"


def test_a_job_reads_what_a_list_in_its_arguments_names(custom: Vertex, runs: str) -> None:
    """The rows of a manifest may lie in another bucket, which no argument names."""
    photos = custom.bucket(f"{runs}-photos")
    custom.upload(photos, {"a.txt": b"hello"})
    row = json.dumps({"uri": f"gs://{photos}/a.txt", "labels": ["cat"]})
    custom.upload(runs, {"manifest.jsonl": row.encode()})

    args = ["first", f"gs://{runs}/manifest.jsonl", f"gs://{runs}/run/first"]
    job = ended(custom, begin_job(custom, *args))

    assert job["state"] == "JOB_STATE_SUCCEEDED", job
    assert content(custom, runs, "run/first") == "hello"


def test_no_write_goes_through_a_link_into_the_store(custom: Vertex, runs: str) -> None:
    """A job that overwrites an input fails, and the object is as it was."""
    custom.upload(runs, {"in/a.txt": b"hello"})

    job = ended(custom, begin_job(custom, "write", f"gs://{runs}/in/a.txt", "changed"))

    assert job["state"] == "JOB_STATE_FAILED" and "PermissionError" in job["error"]["message"]
    assert content(custom, runs, "in/a.txt") == "hello"


def test_files_are_objects_when_they_are_closed(
    custom: Vertex, custom_server: LocalCloud, runs: str
) -> None:
    """While the job runs: a closed file is there, an open one is not, a renamed one has moved."""
    base = f"gs://{runs}/run"
    job = begin_job(
        custom,
        *("write", f"{base}/checkpoints/1", "one", "hold", f"{base}/checkpoints/2", "half"),
        *("wait", "first", "release", "rename", f"{base}/checkpoints/1", f"{base}/last"),
        *("wait", "second"),
        base=base,
    )
    folder = custom_server.data / "jobs" / job.rsplit("/", 1)[1]
    wait_until(lambda: content(custom, runs, "run/checkpoints/1") == "one")
    wait_until(lambda: (folder / "mount" / runs / "run/checkpoints/2").exists())
    assert content(custom, runs, "run/checkpoints/2") is None

    (folder / "first").touch()

    wait_until(lambda: content(custom, runs, "run/last") == "one")
    wait_until(lambda: content(custom, runs, "run/checkpoints/2") == "half")
    wait_until(lambda: content(custom, runs, "run/checkpoints/1") is None)
    assert custom.get(job)["state"] == "JOB_STATE_RUNNING"
    (folder / "second").touch()
    assert ended(custom, job)["state"] == "JOB_STATE_SUCCEEDED"
    assert objects(custom, runs) == ["run/checkpoints/2", "run/last"]


def test_the_next_job_sees_the_checkpoints_of_the_one_before(custom: Vertex, runs: str) -> None:
    """What lies in the output folder can be read, changed and removed by the next job."""
    base = f"gs://{runs}/run"
    first = begin_job(custom, "write", f"{base}/a", "1", "write", f"{base}/b", "2", base=base)
    ended(custom, first)

    args = ["copy", f"{base}/a", f"{base}/c", "write", f"{base}/a", "3", "remove", f"{base}/b"]
    job = ended(custom, begin_job(custom, *args, base=base))

    assert job["state"] == "JOB_STATE_SUCCEEDED"
    assert objects(custom, runs) == ["run/a", "run/c"]
    assert (content(custom, runs, "run/a"), content(custom, runs, "run/c")) == ("3", "1")


def test_a_script_that_dies_says_why_in_googles_words(custom: Vertex, runs: str) -> None:
    """The exit status, the traceback, and where the log is; what it wrote before is kept."""
    base = f"gs://{runs}/run"
    job = ended(custom, begin_job(custom, "write", f"{base}/a", "x", "raise", "no luck", base=base))

    assert (job["state"], job["error"]["code"]) == ("JOB_STATE_FAILED", 3)
    message = job["error"]["message"]
    assert message.startswith("The replica workerpool0-0 exited with a non-zero status of 1. Term")
    assert "RuntimeError: no luck\n\nTo find out more about why your job exited" in message
    assert objects(custom, runs) == ["run/a"]


def test_a_script_that_is_killed_for_memory_says_so(custom: Vertex) -> None:
    """137 is what a container has that was ended by SIGKILL."""
    job = ended(custom, begin_job(custom, "kill"))

    words = "ran out-of-memory and exited with a non-zero status of 137"
    assert words in job["error"]["message"]


def test_a_job_beyond_its_timeout_is_ended(custom: Vertex) -> None:
    """`scheduling.timeout` is kept; with SPOT as the strategy as well."""
    scheduling = {"timeout": "0.3s", "strategy": "SPOT"}
    job = ended(custom, begin_job(custom, "sleep", "60", scheduling=scheduling))

    assert (job["state"], job["error"]["code"]) == ("JOB_STATE_FAILED", 4)
    assert job["jobSpec"]["scheduling"]["strategy"] == "SPOT"


def test_a_cancelled_job_keeps_what_it_wrote_and_can_then_be_deleted(
    custom: Vertex, runs: str
) -> None:
    """While it runs it cannot be deleted; cancelled, it ends with code 1."""
    base = f"gs://{runs}/run"
    job = begin_job(custom, "write", f"{base}/a", "x", "sleep", "60", base=base)
    wait_until(lambda: content(custom, runs, "run/a") == "x")
    assert error(custom.call("DELETE", job))[:2] == (400, "FAILED_PRECONDITION")

    custom.post(f"{job}:cancel")

    assert (ended(custom, job)["state"], custom.get(job)["error"]["code"]) == (
        "JOB_STATE_CANCELLED",
        1,
    )
    assert custom.call("DELETE", job).json()["done"]
    assert custom.call("GET", job).status_code == 404


def test_an_image_that_nobody_knows_fails_with_what_to_do(custom: Vertex) -> None:
    """Pending first, as on Google; then the error and the log name the option."""
    spec = job_spec("x")
    spec["workerPoolSpecs"][0]["containerSpec"]["imageUri"] = "gcr.io/me/mine:3"
    body = {"displayName": "job", "jobSpec": spec}
    created = custom.post(f"{custom.parent}/customJobs", body)

    job = ended(custom, created["name"])

    assert created["state"] == "JOB_STATE_PENDING"
    assert "--engine 'train:gcr.io/me/mine=COMMAND'" in job["error"]["message"]
    assert any("--engine" in one.get("textPayload", "") for one in log(custom, job["name"]))
    assert "startTime" not in job


def test_a_pending_job_can_be_cancelled(start: Callable[..., LocalCloud]) -> None:
    """Waiting for its image, a job ends as soon as it is told to; it is not billed."""
    server = start(*custom_engines()[:2], "--image-pull-seconds", "600")
    vertex = Vertex(server.url, "waiting")
    package = {
        "executorImageUri": "e",
        "packageUris": ["gs://b/p.tar.gz"],
        "pythonModule": "trainer.task",
    }
    spec = pool(pythonPackageSpec=package)
    del spec["workerPoolSpecs"][0]["containerSpec"]
    name = create(vertex, spec).json()["name"]

    vertex.post(f"{name}:cancel")

    assert ended(vertex, name)["state"] == "JOB_STATE_CANCELLED"
    assert httpx.get(f"{server.url}/_emulator/usage").json()["usage"] == []


def test_the_use_of_machine_and_accelerator_is_metered(custom: Vertex) -> None:
    """Each has a row with its hours; a price that is not on record is not guessed."""
    spec = job_spec("sleep", "0.05")
    machine = {
        "machineType": "n1-standard-4",
        "acceleratorType": "NVIDIA_TESLA_V100",
        "acceleratorCount": 2,
    }
    spec["workerPoolSpecs"][0]["machineSpec"] = machine
    name = create(custom, spec).json()["name"]
    job = ended(custom, name)

    rows = httpx.get(f"{custom.url}/_emulator/usage").json()["usage"]

    mine = {row["kind"]: row for row in rows if row["resource"] == name}
    seconds = mine["custom training"]["nodeHours"] * 3600
    assert mine["custom training"]["usd"] == pytest.approx(seconds / 3600 * 0.21849885, abs=1e-6)
    assert mine["accelerator"]["nodeHours"] == pytest.approx(2 * seconds / 3600)
    assert mine["accelerator"]["usd"] is None
    assert mine["accelerator"]["endTime"] == job["endTime"]


def test_jobs_are_listed_and_filtered(custom: Vertex) -> None:
    """By state and by label, as clients do."""
    labels = {"team": "a"}
    body = {"displayName": "mine", "jobSpec": job_spec("say", "x"), "labels": labels}
    mine = custom.post(f"{custom.parent}/customJobs", body)["name"]
    ended(custom, mine)
    ended(custom, begin_job(custom, "exit", "2"))

    def found(text: str) -> list[str]:
        answer = custom.get(f"{custom.parent}/customJobs?filter={text}")
        return [one["name"] for one in answer.get("customJobs", [])]

    assert found("labels.team%3Da") == [mine]
    assert found('state%3D"JOB_STATE_SUCCEEDED"') == [mine]
    assert len(found("")) == 2
    assert re.fullmatch(r".*/customJobs/\d{19}", mine)
