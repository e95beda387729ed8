"""Data sets of photos, AutoML, models and endpoints by Google's high-level SDK."""

from __future__ import annotations

import asyncio
import base64
import hashlib
import json
from collections.abc import Callable
from typing import Any
from urllib.parse import urlsplit, urlunsplit

import pytest
import requests

from tests.contract.sdk import REGION
from tests.emulator.vertex import Vertex, photo

SERVING = "us-docker.pkg.dev/p/r/by-heart"


@pytest.fixture
def photos(plain: Vertex) -> str:
    """A bucket with two labels of ten photos, and their import file."""
    bucket = plain.bucket(f"{plain.project}-photos")
    objects = {
        f"{label}/{number}.png": photo(100 * place + number)
        for place, label in enumerate(("cat", "dog"))
        for number in range(10)
    }
    rows = "".join(f"gs://{bucket}/{name},{name.split('/')[0]}\n" for name in objects)
    plain.upload(bucket, {**objects, "import.csv": rows.encode()})
    return bucket


def dataset_of(sdk: Any, bucket: str) -> Any:
    """The photos as a data set."""
    schema = sdk.schema.dataset.ioformat.image.single_label_classification
    return sdk.ImageDataset.create(
        display_name="photos", gcs_source=f"gs://{bucket}/import.csv", import_schema_uri=schema
    )


def instance(number: int) -> dict[str, str]:
    """A photo to be told."""
    return {"content": base64.b64encode(photo(number)).decode()}


class LocalSession(requests.Session):
    """A session that sends every https address to the local cloud (emulation.md, section 3)."""

    def __init__(self, url: str) -> None:
        super().__init__()
        self.local = urlsplit(url)

    def request(self, method: Any, url: Any, *arguments: Any, **named: Any) -> requests.Response:
        """The answer of the same path here."""
        parts = urlsplit(str(url))._replace(scheme=self.local.scheme, netloc=self.local.netloc)
        return super().request(method, urlunsplit(parts), *arguments, **named)


def test_a_data_set_is_made_filled_exported_changed_listed_and_deleted(
    sdk_flow: Any, photos: str, plain: Vertex
) -> None:
    """`ImageDataset`, from import to deletion."""
    dataset = dataset_of(sdk_flow, photos)
    target = plain.bucket(f"{plain.project}-export")

    exported = dataset.export_data(output_dir=f"gs://{target}/out")
    dataset.update(display_name="better", labels={"team": "a"}, description="twenty photos")

    assert exported and all(uri.startswith(f"gs://{target}/out/") for uri in exported)
    (found,) = sdk_flow.ImageDataset.list(filter='display_name="better" AND labels.team=a')
    assert found.resource_name == dataset.resource_name
    assert found.gca_resource.data_item_count == 20
    dataset.delete()
    assert sdk_flow.ImageDataset.list() == []


def state_refused(call: Callable[[], Any], words: str) -> None:
    """A call is refused for the state of things; over REST that is BadRequest with the status."""
    from google.api_core.exceptions import BadRequest

    with pytest.raises(BadRequest, match=words) as caught:
        call()
    assert caught.value.response.json()["error"]["status"] == "FAILED_PRECONDITION"


def test_automl_trains_serves_and_is_cleaned_up(sdk_flow: Any, photos: str) -> None:
    """`AutoMLImageTrainingJob`, its evaluation, an endpoint, predictions, both deletions."""

    job = sdk_flow.AutoMLImageTrainingJob(display_name="train", prediction_type="classification")
    model = job.run(dataset_of(sdk_flow, photos), budget_milli_node_hours=8000)
    (evaluation,) = model.list_model_evaluations()
    endpoint = sdk_flow.Endpoint.create(display_name="endpoint", labels={"a": "b"})
    state_refused(lambda: endpoint.predict(instances=[instance(100)]), "traffic_split")

    model.deploy(endpoint=endpoint, min_replica_count=1, max_replica_count=1)
    answer = endpoint.predict(instances=[instance(100), instance(0)])

    assert [one["displayNames"] for one in answer.predictions] == [["dog"], ["cat"]]
    assert answer.model_resource_name == model.resource_name
    assert evaluation.metrics["auPrc"] == 0.5
    assert model.get_model_evaluation().resource_name == evaluation.resource_name
    endpoint.update(display_name="renamed", labels={"a": "c"})
    (again,) = sdk_flow.Endpoint.list(filter="display_name=renamed AND labels.a=c")
    assert again.resource_name == endpoint.resource_name
    assert [one.id for one in endpoint.list_models()] == [answer.deployed_model_id]
    state_refused(model.delete, "deployed or being deployed")
    endpoint.undeploy_all()
    assert sdk_flow.Endpoint(endpoint.resource_name).list_models() == []
    endpoint.delete(force=True)
    model.delete()
    assert sdk_flow.Model.list() == [] and sdk_flow.Endpoint.list() == []


def uploaded(sdk: Any, plain: Vertex, photos: str, **more: Any) -> Any:
    """A model with a container that learnt the photos by heart, and its files in the bucket."""
    by_heart = {
        hashlib.sha256(photo(100 * place + number)).hexdigest(): [label]
        for place, label in enumerate(("cat", "dog"))
        for number in range(10)
    }
    known = {"labels": ["cat", "dog"], "by_heart": by_heart, "commonest": "cat"}
    plain.upload(photos, {"model/known.json": json.dumps(known).encode()})
    return sdk.Model.upload(
        display_name="mine",
        artifact_uri=f"gs://{photos}/model",
        serving_container_image_uri=SERVING,
        serving_container_predict_route="/predict",
        serving_container_health_route="/health",
        **more,
    )


def test_versions_of_a_model(sdk_flow: Any, photos: str, plain: Vertex) -> None:
    """Uploaded twice, aliases moved, one version deleted, exported."""
    first = uploaded(sdk_flow, plain, photos, version_aliases=["stable"])
    second = uploaded(
        sdk_flow, plain, photos, parent_model=first.resource_name, is_default_version=False
    )

    registry = first.versioning_registry
    registry.add_version_aliases(["candidate"], version="2")
    infos = {one.version_id: one.version_aliases for one in registry.list_versions()}

    assert second.version_id == "2" and second.resource_name == first.resource_name
    assert infos == {"1": ["default", "stable"], "2": ["candidate"]}
    assert sdk_flow.Model(f"{first.resource_name}@candidate").version_id == "2"
    first.update(description="by heart", labels={"team": "a"})
    target = plain.bucket(f"{plain.project}-models")
    output = first.export_model(
        export_format_id="custom-trained", artifact_destination=f"gs://{target}/out"
    )
    assert output["artifactOutputUri"].startswith(f"gs://{target}/out")
    registry.delete_version("candidate")
    assert [one.version_id for one in registry.list_versions()] == ["1"]
    first.delete()


def test_batch_prediction_leaves_its_answers(sdk_flow: Any, photos: str, plain: Vertex) -> None:
    """`Model.batch_predict` over a file of requests; `iter_outputs` finds the answers."""
    rows = "\n".join(
        json.dumps({"content": f"gs://{photos}/dog/{number}.png", "mimeType": "image/png"})
        for number in range(3)
    )
    plain.upload(photos, {"requests.jsonl": rows.encode()})
    job = uploaded(sdk_flow, plain, photos).batch_predict(
        job_display_name="batch",
        gcs_source=f"gs://{photos}/requests.jsonl",
        gcs_destination_prefix=f"gs://{photos}/answers",
        machine_type="n1-standard-2",
    )

    lines = [
        json.loads(line)
        for blob in job.iter_outputs()
        if "/predictions_" in blob.name
        for line in blob.download_as_text().splitlines()
    ]

    assert job.state.name == "JOB_STATE_SUCCEEDED"
    (found,) = sdk_flow.BatchPredictionJob.list(filter='model_display_name="mine"')
    assert found.resource_name == job.resource_name
    assert [line["prediction"]["displayNames"] for line in lines] == [["dog"]] * 3
    job.delete()


def test_raw_predictions_explanations_and_asynchronous_ones(
    sdk_flow: Any, photos: str, plain: Vertex
) -> None:
    """`raw_predict` with the session preset, `predict_async` with its credentials, `explain`."""
    from google.auth.aio.credentials import AnonymousCredentials
    from google.cloud.aiplatform import initializer

    model = uploaded(sdk_flow, plain, photos)
    endpoint = model.deploy(machine_type="n1-standard-2")
    endpoint.authorized_session = LocalSession(plain.url)
    body = {"instances": [instance(100)]}
    initializer._set_async_rest_credentials(
        AnonymousCredentials()  # type: ignore[no-untyped-call]
    )

    raw = endpoint.raw_predict(
        body=json.dumps(body).encode(),
        headers={"Content-Type": "application/json"},
    )
    by_raw = endpoint.predict(instances=[instance(100)], use_raw_predict=True)
    later = asyncio.run(endpoint.predict_async(instances=[instance(100)]))

    assert raw.status_code == 200
    assert raw.json()["predictions"][0]["displayNames"] == ["dog"]
    assert by_raw.predictions == raw.json()["predictions"]
    assert by_raw.deployed_model_id == endpoint.list_models()[0].id
    assert later.predictions == by_raw.predictions
    state_refused(lambda: endpoint.explain(instances=[instance(100)]), "explanation_spec")
    endpoint.delete(force=True)


def test_what_is_not_there_is_not_found(sdk_flow: Any, plain: Vertex) -> None:
    """`get` of each noun raises NotFound."""
    from google.api_core.exceptions import NotFound

    missing = "1234567890123456789"
    for noun in ("ImageDataset", "Model", "BatchPredictionJob", "Tensorboard", "Artifact"):
        with pytest.raises(NotFound, match="not found"):
            getattr(sdk_flow, noun)(missing)
    with pytest.raises(NotFound, match=f'"{plain.parent}/endpoints/{missing}" not found'):
        sdk_flow.Endpoint(missing).list_models()
    with pytest.raises(NotFound):
        sdk_flow.CustomJob.get(f"{plain.parent}/customJobs/{missing}")
    assert sdk_flow.initializer.global_config.location == REGION
