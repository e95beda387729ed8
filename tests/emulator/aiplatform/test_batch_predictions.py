"""Batch prediction: many photos by a model that is not deployed, results as objects."""

from __future__ import annotations

import json
import os
import signal
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest

from tests.emulator.vertex import Body, Vertex, error, fake_engines, photo
from tests.local_cloud import LocalCloud, start_cloud, stop_cloud, wait_until

FINAL = ("JOB_STATE_SUCCEEDED", "JOB_STATE_FAILED", "JOB_STATE_CANCELLED")
BUCKET = "trained-project-photos"


def batch_body(model: str, source: str, target: str, **more: Any) -> Body:
    """A batch prediction job as clients send it."""
    return {
        "displayName": "many photos",
        "model": model,
        "inputConfig": {"instancesFormat": "jsonl", "gcsSource": {"uris": [source]}},
        "outputConfig": {
            "predictionsFormat": "jsonl",
            "gcsDestination": {"outputUriPrefix": target},
        },
        **more,
    }


def row(uri: str) -> str:
    """A row of AutoML's input."""
    return json.dumps({"content": uri, "mimeType": "image/png"})


def ended(vertex: Vertex, job: str, max_seconds: float = 60) -> Body:
    """The job in its final state."""
    wait_until(lambda: vertex.get(job)["state"] in FINAL, max_seconds)
    return vertex.get(job)


def run(vertex: Vertex, body: Body) -> Body:
    """The job that this body makes, in its final state."""
    return ended(vertex, vertex.post(f"{vertex.parent}/batchPredictionJobs", body)["name"])


def lines(vertex: Vertex, directory: str, name: str) -> list[Body]:
    """The rows of one file of the results."""
    bucket, _, folder = directory.removeprefix("gs://").partition("/")
    path = f"{folder}/{name}".replace("/", "%2F")
    answer = httpx.get(f"{vertex.url}/storage/v1/b/{bucket}/o/{path}?alt=media")
    assert answer.status_code == 200, answer.text
    return [json.loads(line) for line in answer.text.splitlines()]


@pytest.fixture
def model(trained_project: tuple[Vertex, Body]) -> str:
    """The name of a model of two labels."""
    name: str = trained_project[1]["modelToUpload"]["name"]
    return name


def test_every_row_has_its_prediction_or_its_error(
    trained_project: tuple[Vertex, Body], model: str
) -> None:
    """Good photos are predicted in their order; a missing, a broken and a bad row are counted."""
    vertex, _ = trained_project
    vertex.upload(BUCKET, {"broken.png": b"no photo"})
    good = [f"gs://{BUCKET}/{label}/{n}.png" for label in ("cat", "dog") for n in range(5)]
    rows = [row(uri) for uri in good]
    rows.insert(3, row(f"gs://{BUCKET}/missing.png"))
    rows.insert(5, row(f"gs://{BUCKET}/broken.png"))
    rows.append("no json")
    vertex.upload(BUCKET, {"batch.jsonl": "\n".join(rows).encode()})

    source, target = f"gs://{BUCKET}/batch.jsonl", f"gs://{BUCKET}/results/"
    job = run(vertex, batch_body(model, source, target, labels={"team": "b"}))

    assert job["state"] == "JOB_STATE_SUCCEEDED", job
    assert job["completionStats"] == {"successfulCount": "10", "failedCount": "3"}
    directory = job["outputInfo"]["gcsOutputDirectory"]
    assert directory.startswith(f"gs://{BUCKET}/results/prediction-model-20")
    found = lines(vertex, directory, "predictions_0001.jsonl")
    assert [one["instance"]["content"] for one in found] == good
    assert [one["prediction"]["displayNames"] for one in found] == [["cat"]] * 5 + [["dog"]] * 5
    assert all(one["prediction"]["ids"][0].isdigit() for one in found)
    errors = lines(vertex, directory, "errors_0001.jsonl")
    assert [one["error"]["code"] for one in errors] == [3, 3, 3]
    assert "does not exist" in errors[0]["error"]["message"]
    assert errors[1]["error"]["message"] == "not a photo"
    assert (errors[2]["instance"], "not JSON" in errors[2]["error"]["message"]) == ("no json", True)
    assert len(job["partialFailures"]) == 3


def test_an_error_in_place_of_a_prediction_is_its_rows(
    trained_project: tuple[Vertex, Body], model: str
) -> None:
    """The server is busy once and is asked again; one photo's error goes to the errors file."""
    vertex, _ = trained_project
    vertex.upload(BUCKET, {"spoilt.png": b"spoilt", "busy.png": b"busy"})
    names = ["cat/0.png", "spoilt.png", "busy.png", "dog/0.png"]
    rows = "\n".join(row(f"gs://{BUCKET}/{name}") for name in names)
    vertex.upload(BUCKET, {"spoilt.jsonl": rows.encode()})

    job = run(vertex, batch_body(model, f"gs://{BUCKET}/spoilt.jsonl", f"gs://{BUCKET}/spoilt"))

    assert job["completionStats"] == {"successfulCount": "3", "failedCount": "1"}, job
    (failed,) = lines(vertex, job["outputInfo"]["gcsOutputDirectory"], "errors_0001.jsonl")
    assert failed["instance"]["content"] == f"gs://{BUCKET}/spoilt.png"
    assert failed["error"] == {"code": 3, "message": "spoilt"}


def test_a_row_that_ends_the_server_is_an_error_of_its_own(
    trained_project: tuple[Vertex, Body], model: str
) -> None:
    """The model's server dies of one photo; it is started again, and the others are predicted."""
    vertex, _ = trained_project
    vertex.upload(BUCKET, {"deadly.png": photo(1) + b"deadly"})
    names = ["cat/0.png", "cat/1.png", "deadly.png", "dog/0.png"]
    rows = "\n".join(row(f"gs://{BUCKET}/{name}") for name in names)
    vertex.upload(BUCKET, {"deadly.jsonl": rows.encode()})

    job = run(vertex, batch_body(model, f"gs://{BUCKET}/deadly.jsonl", f"gs://{BUCKET}/deadly"))

    assert job["completionStats"] == {"successfulCount": "3", "failedCount": "1"}, job
    (failed,) = lines(vertex, job["outputInfo"]["gcsOutputDirectory"], "errors_0001.jsonl")
    assert failed["instance"]["content"] == f"gs://{BUCKET}/deadly.png"
    assert failed["error"]["message"] == "The model's server ended without an answer."


def test_a_job_whose_bucket_goes_away_ends(
    trained_project: tuple[Vertex, Body], model: str
) -> None:
    """Nowhere to write to any more, whenever that is noticed: FAILED, naming the bucket."""
    vertex, _ = trained_project
    target = vertex.bucket("goes-away")
    vertex.upload(BUCKET, {"away.jsonl": row(f"gs://{BUCKET}/cat/0.png").encode()})
    body = batch_body(model, f"gs://{BUCKET}/away.jsonl", f"gs://{target}/out")
    name = vertex.post(f"{vertex.parent}/batchPredictionJobs", body)["name"]
    httpx.delete(f"{vertex.url}/storage/v1/b/{target}").raise_for_status()

    job = ended(vertex, name)

    assert job["state"] == "JOB_STATE_FAILED", job
    assert "bucket" in job["error"]["message"]


def test_a_batch_is_metered_by_its_time(trained_project: tuple[Vertex, Body], model: str) -> None:
    """The job is in the usage once, with its labels, at the price of batch prediction."""
    vertex, _ = trained_project
    vertex.upload(BUCKET, {"one.jsonl": row(f"gs://{BUCKET}/cat/0.png").encode()})
    source = f"gs://{BUCKET}/one.jsonl"
    job = run(vertex, batch_body(model, source, f"gs://{BUCKET}/metered", labels={"team": "c"}))

    usage = httpx.get(f"{vertex.url}/_emulator/usage").json()

    (found,) = (one for one in usage["usage"] if one["resource"] == job["name"])
    assert (found["kind"], found["labels"]) == ("batch prediction", {"team": "c"})
    assert found["usd"] == pytest.approx(found["nodeHours"] * 2.222, abs=1e-6)
    assert (found["startTime"], found["endTime"]) == (job["startTime"], job["endTime"])


@pytest.mark.parametrize(
    ("source", "content", "sentence"),
    [
        ("gs://trained-project-photos/gone.jsonl", None, "does not exist"),
        ("gs://trained-project-photos/empty.jsonl", b"\n\n", "have no rows"),
        ("gs://trained-project-photos/all-bad.jsonl", b"{}", "No row could be predicted"),
        ("gs://nobody-has-this/rows.jsonl", None, 'bucket "gs://nobody-has-this" does not exist'),
    ],
)
def test_an_input_that_cannot_be_used_fails_the_job(
    trained_project: tuple[Vertex, Body], model: str, source: str, content: bytes, sentence: str
) -> None:
    """A missing file, one without rows, and one without a good row: FAILED, and why."""
    vertex, _ = trained_project
    if content is not None:
        vertex.upload(BUCKET, {source.rsplit("/", 1)[1]: content})

    job = run(vertex, batch_body(model, source, f"gs://{BUCKET}/failed"))

    assert job["state"] == "JOB_STATE_FAILED"
    assert sentence in job["error"]["message"]


def test_a_model_of_another_region_is_refused(
    trained_project: tuple[Vertex, Body], model: str
) -> None:
    """The job has to be where its model is, and the model has to be there at all."""
    vertex, _ = trained_project
    other = Vertex(vertex.url, vertex.project, "europe-west4")
    body = batch_body(model, f"gs://{BUCKET}/rows.jsonl", f"gs://{BUCKET}/far")
    missing = {**body, "model": f"{vertex.parent}/models/none"}

    far = error(other.call("POST", f"{other.parent}/batchPredictionJobs", body))
    gone = error(vertex.call("POST", f"{vertex.parent}/batchPredictionJobs", missing))

    assert far[:2] == (400, "INVALID_ARGUMENT") and "same location" in far[2]
    assert gone[:2] == (404, "NOT_FOUND")


@pytest.mark.parametrize(
    ("change", "sentence"),
    [
        ({"displayName": ""}, "display_name"),
        ({"inputConfig": {"instancesFormat": "jsonl"}}, "gcs_source.uris"),
        (
            {"inputConfig": {"instancesFormat": "jsonl", "gcsSource": {"uris": ["file:///etc/x"]}}},
            "Expected gs://BUCKET/… Received: 'file:///etc/x'",
        ),
        ({"outputConfig": {"predictionsFormat": "jsonl"}}, "output_uri_prefix"),
        ({"dedicatedResources": {"machineSpec": {}}}, "does not support DEDICATED_RESOURCES"),
    ],
)
def test_a_bad_job_is_refused_by_field(
    trained_project: tuple[Vertex, Body], model: str, change: Body, sentence: str
) -> None:
    """What is missing or not for AutoML is named before anything runs."""
    vertex, _ = trained_project
    body = batch_body(model, f"gs://{BUCKET}/rows.jsonl", f"gs://{BUCKET}/bad") | change

    code, status, message = error(vertex.call("POST", f"{vertex.parent}/batchPredictionJobs", body))

    assert (code, status) == (400, "INVALID_ARGUMENT")
    assert sentence in message


def test_a_cancelled_job_keeps_what_it_has_and_can_be_deleted(
    trained_project: tuple[Vertex, Body], model: str
) -> None:
    """Cancelled while its server starts, it ends cancelled; then it can be deleted."""
    vertex, _ = trained_project
    rows = "\n".join([row(f"gs://{BUCKET}/cat/0.png")] * 500)
    vertex.upload(BUCKET, {"long.jsonl": rows.encode()})
    body = batch_body(model, f"gs://{BUCKET}/long.jsonl", f"gs://{BUCKET}/cancelled")
    name = vertex.post(f"{vertex.parent}/batchPredictionJobs", body)["name"]

    refused = error(vertex.call("DELETE", name))
    vertex.post(f"{name}:cancel")
    job = ended(vertex, name)

    assert refused[1] == "FAILED_PRECONDITION"
    assert (job["state"], job["error"]["code"]) == ("JOB_STATE_CANCELLED", 1)
    listed = vertex.get(f"{vertex.parent}/batchPredictionJobs?filter=state=JOB_STATE_CANCELLED")
    assert name in [one["name"] for one in listed["batchPredictionJobs"]]
    assert vertex.call("DELETE", name).json()["done"] is True
    assert vertex.call("GET", name).status_code == 404


@pytest.fixture
def own_image(start: Callable[..., LocalCloud]) -> Vertex:
    """A project of a server that knows what serves the image `by-heart`."""
    serve = fake_engines()[3].partition("=")[2]
    server = start(*fake_engines(), "--engine", f"serve:*/by-heart={serve}")
    return Vertex(server.url, "own-image")


@pytest.mark.parametrize("form", ["jsonl", "file-list", "keyed"])
def test_a_custom_model_is_sent_rows_as_they_are_or_files(own_image: Vertex, form: str) -> None:
    """JSONL reaches the container unchanged or without its key, a list of files as base64."""
    bucket = own_image.bucket("own-image-files")
    uris = [f"gs://{bucket}/{number}.png" for number in range(3)]
    known = {"labels": ["cat"], "by_heart": {}, "commonest": "cat"}
    rows = uris if form == "file-list" else [row(uri) for uri in uris]
    if form == "keyed":
        rows = [json.dumps({"id": uri, "content": uri}) for uri in uris]
    own_image.upload(bucket, {f"{number}.png": photo(number) for number in range(3)})
    own_image.upload(bucket, {"model/known.json": json.dumps(known).encode()})
    own_image.upload(bucket, {"rows.txt": "\n".join(rows).encode()})
    container = {
        "imageUri": "europe-docker.pkg.dev/own-image/images/by-heart:1",
        "predictRoute": "/predict",
        "healthRoute": "/health",
    }
    model = {"displayName": "own", "containerSpec": container}
    upload = {"model": model | {"artifactUri": f"gs://{bucket}/model"}}
    operation = own_image.done(own_image.post(f"{own_image.parent}/models:upload", upload))
    kind = "jsonl" if form == "keyed" else form
    source = {"instancesFormat": kind, "gcsSource": {"uris": [f"gs://{bucket}/row*.txt"]}}
    body = batch_body(
        operation["response"]["model"],
        "",
        f"gs://{bucket}/out",
        inputConfig=source,
        dedicatedResources={"machineSpec": {"machineType": "n1-standard-4"}},
        instanceConfig={"keyField": "id"} if form == "keyed" else {},
    )

    job = run(own_image, body)

    assert job["state"] == "JOB_STATE_SUCCEEDED", job
    found = lines(own_image, job["outputInfo"]["gcsOutputDirectory"], "predictions_0001.jsonl")
    assert [one["key" if form == "keyed" else "instance"] for one in found] == (
        [json.loads(one) for one in rows] if form == "jsonl" else uris
    )
    assert [one["prediction"]["displayNames"] for one in found] == [["cat"]] * 3


@pytest.fixture
def killed(tmp_path: Path) -> Iterator[Callable[[], Vertex]]:
    """Starts a server on one folder; each call kills the one before and starts it again."""
    servers: list[LocalCloud] = []

    def restart() -> Vertex:
        if servers:
            os.kill(servers[-1].process.pid, signal.SIGKILL)
            servers[-1].process.wait()
            if servers[-1].process.stdout:
                servers[-1].process.stdout.close()
        servers.append(start_cloud(tmp_path / "data", *fake_engines()))
        return Vertex(servers[-1].url, "killed")

    yield restart
    stop_cloud(servers[-1])


def test_a_batch_goes_on_after_kill_9(killed: Callable[[], Vertex], tmp_path: Path) -> None:
    """Killed with some of 400 rows done, on another port it brings each row once, in order."""
    vertex = killed()
    dataset = vertex.filled_dataset(vertex.bucket("killed-photos"))
    pipeline = vertex.trained(vertex.begin_training(dataset))
    uris = [f"gs://killed-photos/{'cat' if n % 2 else 'dog'}/{n % 12}.png" for n in range(400)]
    vertex.upload("killed-photos", {"rows.jsonl": "\n".join(row(uri) for uri in uris).encode()})
    model = pipeline["modelToUpload"]["name"]
    body = batch_body(model, "gs://killed-photos/rows.jsonl", "gs://killed-photos/out")
    name = vertex.post(f"{vertex.parent}/batchPredictionJobs", body)["name"]
    wait_until(lambda: any((tmp_path / "data/jobs").glob("batch-*/results.jsonl")), 60)

    job = ended(killed(), name)

    vertex = killed()
    assert job["completionStats"] == {"successfulCount": "400"}, job
    found = lines(vertex, job["outputInfo"]["gcsOutputDirectory"], "predictions_0001.jsonl")
    assert [one["instance"]["content"] for one in found] == uris
    assert not list((tmp_path / "data/jobs").glob("batch-*"))
