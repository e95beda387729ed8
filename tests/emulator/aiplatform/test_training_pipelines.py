"""AutoML training pipelines, from request to model."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import httpx
import pytest

from tests.emulator.vertex import AUTOML, Body, Vertex, error, fake_engines
from tests.local_cloud import LocalCloud, wait_until


def create(vertex: Vertex, dataset: str, **more: Any) -> httpx.Response:
    """The answer to a request for a training; `more` replaces fields of the pipeline."""
    body = {
        "displayName": "training",
        "trainingTaskDefinition": AUTOML,
        "trainingTaskInputs": {"budgetMilliNodeHours": "8000"},
        "inputDataConfig": {"datasetId": dataset.rsplit("/", 1)[1]},
        **more,
    }
    return vertex.call("POST", f"{vertex.parent}/trainingPipelines", body)


def test_a_training_succeeds_with_model_cost_and_stop_reason(
    trained_project: tuple[Vertex, Body],
) -> None:
    """The finished pipeline names its model, start, end, cost in milli node hours and reason."""
    _, pipeline = trained_project

    assert pipeline["trainingTaskMetadata"] == {
        "costMilliNodeHours": "5500",
        "successfulStopReason": "MODEL_CONVERGED",
    }
    assert pipeline["createTime"] <= pipeline["startTime"] <= pipeline["endTime"]
    assert pipeline["modelToUpload"]["name"].startswith(pipeline["name"].split("/training")[0])
    assert pipeline["trainingTaskInputs"]["budgetMilliNodeHours"] == "8000"


def test_pipelines_are_found_by_state_and_label(trained_project: tuple[Vertex, Body]) -> None:
    """The filters by which a client finds its run again."""
    vertex, pipeline = trained_project

    def found(text: str) -> list[str]:
        path = f"{vertex.parent}/trainingPipelines?filter={text}"
        return [one["name"] for one in vertex.get(path).get("trainingPipelines", [])]

    assert pipeline["name"] in found("labels.team=a")
    assert pipeline["name"] in found('state="PIPELINE_STATE_SUCCEEDED" AND display_name="training"')
    assert found("state=PIPELINE_STATE_FAILED AND labels.team=a") == []


@pytest.mark.parametrize(
    ("inputs", "words"),
    [
        ({"budgetMilliNodeHours": 7999}, "between 8,000 and 800,000"),
        ({"budgetMilliNodeHours": "800001"}, "between 8,000 and 800,000"),
        (
            {"modelType": "MOBILE_TF_VERSATILE_1", "budgetMilliNodeHours": 999},
            "between 1,000 and 100,000",
        ),
        ({"modelType": "HUGE"}, "Unsupported model type"),
        ({"budget": 8000}, 'Unknown name "budget"'),
    ],
)
def test_inputs_that_google_refuses_are_refused(vertex: Vertex, inputs: Body, words: str) -> None:
    """Budgets out of range for the model type, unknown types and unknown names are 400."""
    code, status, message = error(create(vertex, vertex.dataset(), trainingTaskInputs=inputs))

    assert (code, status) == (400, "INVALID_ARGUMENT")
    assert words in message


def test_defaults_are_googles(vertex: Vertex) -> None:
    """Nothing given: the cloud model and 192 node hours."""
    answer = create(vertex, vertex.dataset(), trainingTaskInputs={})

    inputs = answer.json()["trainingTaskInputs"]
    assert (inputs["modelType"], inputs["budgetMilliNodeHours"]) == ("CLOUD", "192000")
    assert answer.json()["state"] == "PIPELINE_STATE_PENDING"


def test_automl_is_refused_in_a_region_without_it(vertex: Vertex) -> None:
    """Only us-central1 and europe-west4 train images."""
    elsewhere = Vertex(vertex.url, vertex.project, "europe-west1")

    code, status, message = error(create(elsewhere, elsewhere.dataset()))

    assert (code, status) == (400, "INVALID_ARGUMENT")
    assert "europe-west1" in message and "europe-west4, us-central1" in message


def test_a_dataset_that_is_not_there_is_refused(vertex: Vertex) -> None:
    """A training of another region's or no dataset is 404."""
    assert create(vertex, f"{vertex.parent}/datasets/1").status_code == 404


def test_fractions_that_do_not_sum_to_one_are_refused(vertex: Vertex) -> None:
    """Three halves are not one."""
    halves = {"trainingFraction": 0.5, "validationFraction": 0.5, "testFraction": 0.5}
    dataset = vertex.dataset()
    config = {"datasetId": dataset.rsplit("/", 1)[1], "fractionSplit": halves}

    code, status, _ = error(create(vertex, dataset, inputDataConfig=config))

    assert (code, status) == (400, "INVALID_ARGUMENT")


def test_too_few_labels_or_photos_fail_the_pipeline(vertex: Vertex, bucket: str) -> None:
    """The request is accepted, as on Google; the pipeline fails and says what is missing."""
    one_label = vertex.filled_dataset(bucket, labels=("cat",))
    pipeline = vertex.trained(vertex.begin_training(one_label))

    assert pipeline["state"] == "PIPELINE_STATE_FAILED"
    assert pipeline["error"]["code"] == 3
    assert "at least 2 labels" in pipeline["error"]["message"]


def test_a_class_absent_from_a_set_fails_the_pipeline(vertex: Vertex, bucket: str) -> None:
    """A filter that leaves a set empty cannot be trained on."""
    dataset = vertex.filled_dataset(bucket)
    use = "labels.aiplatform.googleapis.com/ml_use"
    split = {
        "trainingFilter": f"{use}=training",
        "validationFilter": f"{use}=validation",
        "testFilter": "-",
    }
    config = {"datasetId": dataset.rsplit("/", 1)[1], "filterSplit": split}

    pipeline = vertex.trained(vertex.begin_training(dataset, inputDataConfig=config))

    assert pipeline["state"] == "PIPELINE_STATE_FAILED"
    assert "The test set has no image of: cat, dog." in pipeline["error"]["message"]


def test_a_fraction_split_puts_every_label_in_every_set(vertex: Vertex, bucket: str) -> None:
    """Twelve photos a label are enough for 80/10/10."""
    dataset = vertex.filled_dataset(bucket)
    fractions = {"trainingFraction": 0.8, "validationFraction": 0.1, "testFraction": 0.1}
    config = {"datasetId": dataset.rsplit("/", 1)[1], "fractionSplit": fractions}

    pipeline = vertex.trained(vertex.begin_training(dataset, inputDataConfig=config))

    assert pipeline["state"] == "PIPELINE_STATE_SUCCEEDED", pipeline


def test_a_model_id_that_is_taken_is_refused(trained_project: tuple[Vertex, Body]) -> None:
    """The client's own model id makes a second training of it impossible."""
    vertex, pipeline = trained_project
    dataset = f"{vertex.parent}/datasets/{pipeline['inputDataConfig']['datasetId']}"
    taken = pipeline["modelToUpload"]["name"].rsplit("/", 1)[1]

    assert error(create(vertex, dataset, modelId=taken))[:2] == (409, "ALREADY_EXISTS")


def test_a_cancelled_training_ends_cancelled_and_can_then_be_deleted(
    start: Callable[..., LocalCloud],
) -> None:
    """While it runs it cannot be deleted; cancelled, it ends with code 1, and is billed."""
    server = start(*fake_engines(train_seconds=60))
    vertex = Vertex(server.url, "cancelled")
    pipeline = vertex.begin_training(vertex.filled_dataset(vertex.bucket("cancelled-photos")))
    wait_until(lambda: vertex.get(pipeline)["state"] == "PIPELINE_STATE_RUNNING")
    assert error(vertex.call("DELETE", pipeline))[:2] == (400, "FAILED_PRECONDITION")

    vertex.post(f"{pipeline}:cancel")
    ended = vertex.trained(pipeline)

    assert (ended["state"], ended["error"]["code"]) == ("PIPELINE_STATE_CANCELLED", 1)
    usage = httpx.get(f"{server.url}/_emulator/usage").json()["usage"]
    assert [(one["resource"], one["kind"]) for one in usage] == [(pipeline, "training")]
    assert vertex.call("DELETE", pipeline).json()["done"]
    assert vertex.call("GET", pipeline).status_code == 404


def test_a_cancel_wins_over_an_end_that_comes_at_once(vertex: Vertex, bucket: str) -> None:
    """Cancelled in the moment after its creation, a quick training does not end as a success."""
    pipeline = vertex.begin_training(vertex.filled_dataset(bucket))

    vertex.post(f"{pipeline}:cancel")

    assert vertex.trained(pipeline)["state"] == "PIPELINE_STATE_CANCELLED"
    assert vertex.get(f"{vertex.parent}/models") == {}


def test_a_training_that_fails_says_why(start: Callable[..., LocalCloud]) -> None:
    """The engine's last error is the pipeline's; nothing is left behind and nothing is billed."""
    server = start(*fake_engines(train_seconds=-1))
    vertex = Vertex(server.url, "failing")
    dataset = vertex.filled_dataset(vertex.bucket("failing-photos"))

    pipeline = vertex.trained(vertex.begin_training(dataset))

    assert pipeline["state"] == "PIPELINE_STATE_FAILED"
    assert pipeline["error"]["message"] == "The training ended with exit code 3. asked to fail"
    assert vertex.get(f"{vertex.parent}/models") == {}
    assert httpx.get(f"{server.url}/_emulator/usage").json()["usage"] == []
