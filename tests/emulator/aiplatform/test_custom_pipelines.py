"""Training pipelines with a custom task: data out, job run, model in."""

from __future__ import annotations

import json
import re
from typing import Any

import pytest

from tests.emulator.custom import (
    ANNOTATION,
    CUSTOM,
    IMAGE,
    begin_pipeline,
    content,
    ended,
    job_spec,
    objects,
)
from tests.emulator.vertex import Body, Vertex, error
from tests.local_cloud import wait_until

MODEL = {"displayName": "mine", "containerSpec": {"imageUri": IMAGE, "predictRoute": "/predict"}}


def trained(vertex: Vertex, *args: str, base: str, **more: Any) -> Body:
    """A pipeline in its final state, whose model is wanted."""
    asked = {"modelToUpload": MODEL, **more}
    return vertex.trained(begin_pipeline(vertex, job_spec(*args, base=base), **asked))


def test_a_pipeline_runs_a_job_and_registers_its_model(custom: Vertex, runs: str) -> None:
    """The job is in the list of custom jobs; the model's files are those in `model/`."""
    base = f"gs://{runs}/run"
    pipeline = trained(
        custom, "write", f"{base}/model/labels.txt", "cat", base=base, labels={"team": "a"}
    )

    assert pipeline["state"] == "PIPELINE_STATE_SUCCEEDED", pipeline
    (job,) = custom.get(f"{custom.parent}/customJobs")["customJobs"]
    assert pipeline["trainingTaskMetadata"] == {"backingCustomJob": job["name"]}
    assert (job["displayName"], job["labels"]) == ("training-custom-job", {"team": "a"})
    model = custom.get(pipeline["modelToUpload"]["name"])
    assert model["artifactUri"] == f"{base}/model"
    assert model["containerSpec"] == MODEL["containerSpec"]
    assert model["modelSourceInfo"] == {"sourceType": "CUSTOM"}
    assert model["trainingPipeline"] == pipeline["name"]
    assert model["labels"] == {"team": "a"}


def test_snake_case_inputs_are_understood(custom: Vertex, runs: str) -> None:
    """The SDK sends the task's inputs in snake case; they come back in camelCase."""
    pool = {
        "machine_spec": {"machine_type": "n1-standard-4"},
        "replica_count": 1,
        "container_spec": {"image_uri": IMAGE, "args": ["write", f"gs://{runs}/x", "y"]},
    }
    spec = {
        "worker_pool_specs": [pool],
        "base_output_directory": {"output_uri_prefix": f"gs://{runs}/run"},
        "scheduling": {"timeout": "60s", "strategy": None, "max_wait_duration": None},
    }
    pipeline = custom.trained(begin_pipeline(custom, spec))

    assert pipeline["state"] == "PIPELINE_STATE_SUCCEEDED", pipeline
    inputs = pipeline["trainingTaskInputs"]
    assert inputs["workerPoolSpecs"][0]["containerSpec"]["imageUri"] == IMAGE
    assert inputs["scheduling"] == {"timeout": "60s"}
    assert content(custom, runs, "x") == "y"
    assert "modelToUpload" not in pipeline


def test_a_second_training_is_the_next_version(custom: Vertex, runs: str) -> None:
    """`modelId` makes a model, `parentModel` a version of it."""
    base = f"gs://{runs}/one"
    first = trained(custom, "write", f"{base}/model/a", "1", base=base, modelId="mine")
    name = f"{custom.parent}/models/mine"
    base = f"gs://{runs}/two"
    second = trained(custom, "write", f"{base}/model/a", "2", base=base, parentModel=name)

    assert first["modelToUpload"]["versionId"] == "1"
    assert second["modelToUpload"]["versionId"] == "2"
    assert custom.get(f"{name}@2")["artifactUri"] == f"{base}/model"


@pytest.mark.parametrize(
    ("args", "message"),
    [
        (("say", "nothing"), "There are no files under"),
        (("write", "BASE/model/saved_model.pb", ""), "is broken: saved_model.pb is empty"),
        (("write", "BASE/model/model.json", "{"), "is broken: model.json is not JSON"),
    ],
)
def test_a_model_that_is_missing_or_broken_fails_the_pipeline(
    custom: Vertex, runs: str, args: tuple[str, ...], message: str
) -> None:
    """The job has succeeded, the pipeline has not, and there is no model."""
    base = f"gs://{runs}/run"
    words = [word.replace("BASE", base) for word in args]
    pipeline = trained(custom, *words, base=base)

    assert (pipeline["state"], pipeline["error"]["code"]) == ("PIPELINE_STATE_FAILED", 9)
    assert message in pipeline["error"]["message"]
    assert custom.get(f"{custom.parent}/models") == {}
    assert ended(custom, pipeline["trainingTaskMetadata"]["backingCustomJob"])["state"] == (
        "JOB_STATE_SUCCEEDED"
    )


def test_a_failed_job_fails_its_pipeline(custom: Vertex, runs: str) -> None:
    """With the error of the job."""
    pipeline = trained(custom, "raise", "no luck", base=f"gs://{runs}/run")

    assert pipeline["state"] == "PIPELINE_STATE_FAILED"
    assert "RuntimeError: no luck" in pipeline["error"]["message"]


def test_a_bucket_that_is_not_there_fails_the_pipeline(custom: Vertex) -> None:
    """Before the container starts."""
    pipeline = trained(custom, "say", "x", base="gs://no-such-bucket-anywhere/run")

    assert (pipeline["state"], pipeline["error"]["code"]) == ("PIPELINE_STATE_FAILED", 5)
    assert "bucket does not exist" in pipeline["error"]["message"]


def test_a_cancelled_pipeline_cancels_its_job(custom: Vertex, runs: str) -> None:
    """Both end as cancelled; the job's outputs so far are kept."""
    base = f"gs://{runs}/run"
    spec = job_spec("write", f"{base}/a", "x", "sleep", "60", base=base)
    name = begin_pipeline(custom, spec, modelToUpload=MODEL)
    wait_until(lambda: content(custom, runs, "run/a") == "x")

    custom.post(f"{name}:cancel")
    pipeline = custom.trained(name)

    assert (pipeline["state"], pipeline["error"]["code"]) == ("PIPELINE_STATE_CANCELLED", 1)
    job = custom.get(pipeline["trainingTaskMetadata"]["backingCustomJob"])
    assert job["state"] == "JOB_STATE_CANCELLED"
    assert custom.call("DELETE", name).json()["done"]


def test_data_is_exported_for_the_job(custom: Vertex, runs: str) -> None:
    """Rows by set in the user's bucket, named by variables; photos can be opened."""
    dataset = custom.filled_dataset(custom.bucket(f"{runs}-photos"))
    base = f"gs://{runs}/run"
    use = "labels.aiplatform.googleapis.com/ml_use"
    config = {
        "datasetId": dataset.rsplit("/", 1)[1],
        "annotationSchemaUri": ANNOTATION,
        "gcsDestination": {"outputUriPrefix": f"gs://{runs}/data/"},
        "filterSplit": {f"{one}Filter": f"{use}={one}" for one in ("training", "test")}
        | {"validationFilter": "-"},
    }
    photo = f"gs://{runs}-photos/cat/0.png"
    spec = job_spec("environ", f"{base}/environ", "copy", photo, f"{base}/photo", base=base)

    pipeline = custom.trained(begin_pipeline(custom, spec, inputDataConfig=config))

    assert pipeline["state"] == "PIPELINE_STATE_SUCCEEDED", pipeline
    names = objects(custom, runs, "data/")
    form = r"data/dataset-\d+-image_classification-[\d-]+T[\d:.]+Z/(\w+)-00001-of-00001.jsonl"
    found = [re.fullmatch(form, name) for name in names]
    assert [one.group(1) for one in found if one] == ["test", "training", "validation"]
    environ = json.loads(content(custom, runs, "run/environ") or "")
    assert environ["AIP_DATA_FORMAT"] == "jsonl"
    folder = names[0].rsplit("/", 1)[0]
    assert environ["AIP_TRAINING_DATA_URI"] == f"gs://{runs}/{folder}/training-*.jsonl"
    rows = [json.loads(line) for line in (content(custom, runs, names[1]) or "").splitlines()]
    assert len(rows) == 16 and content(custom, runs, names[2]) == ""
    assert rows[0] == {
        "imageGcsUri": photo,
        "classificationAnnotation": {"displayName": "cat"},
        "dataItemResourceLabels": {"aiplatform.googleapis.com/ml_use": "training"},
    }


@pytest.mark.parametrize(
    ("more", "message"),
    [
        ({"modelToUpload": {"displayName": "x"}}, "container_spec.image_uri; Message: Required"),
        ({"modelToUpload": MODEL}, "base_output_directory; Message: Required when the model"),
        ({"modelId": "x"}, "model_to_upload; Message: Required when model_id"),
        ({"inputDataConfig": {"datasetId": "1"}}, "gcs_destination"),
        ({"trainingTaskInputs": {"workerPoolSpecs": []}}, "At least one worker pool"),
        ({"trainingTaskInputs": {"modelType": "CLOUD"}}, 'Unknown name "modelType"'),
    ],
)
def test_a_pipeline_that_google_would_refuse_is_refused(
    custom: Vertex, more: Body, message: str
) -> None:
    """400, and nothing is made."""
    body = {
        "displayName": "x",
        "trainingTaskDefinition": CUSTOM,
        "trainingTaskInputs": job_spec("say", "x"),
        **more,
    }
    answer = custom.call("POST", f"{custom.parent}/trainingPipelines", body)

    assert error(answer)[:2] == (400, "INVALID_ARGUMENT")
    assert message in error(answer)[2]
    assert custom.get(f"{custom.parent}/trainingPipelines") == {}
