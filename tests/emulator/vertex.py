"""Vertex AI and a little of Cloud Storage by plain HTTP, for tests that look at every key."""

from __future__ import annotations

import io
import json
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import httpx
from PIL import Image

from tests.local_cloud import wait_until

Body = dict[str, Any]
ENGINE = Path(__file__).parent / "jobs" / "fake_engine.py"
SCHEMA = "gs://google-cloud-aiplatform/schema"
IMAGE_SCHEMA = f"{SCHEMA}/dataset/metadata/image_1.0.0.yaml"
SINGLE = f"{SCHEMA}/dataset/ioformat/image_classification_single_label_io_format_1.0.0.yaml"
MULTI = f"{SCHEMA}/dataset/ioformat/image_classification_multi_label_io_format_1.0.0.yaml"
AUTOML = f"{SCHEMA}/trainingjob/definition/automl_image_classification_1.0.0.yaml"
FINAL = ("PIPELINE_STATE_SUCCEEDED", "PIPELINE_STATE_FAILED", "PIPELINE_STATE_CANCELLED")


def fake_engines(train_seconds: float = 0) -> list[str]:
    """The options of a server whose AutoML learns by heart, in `train_seconds` (below 0: fails)."""
    python = f"{sys.executable} {ENGINE}"
    return [
        "--engine",
        f"train:automl_image_classification={python} train {train_seconds}",
        "--engine",
        f"serve:automl_image_classification={python} serve",
        "--engine",
        f"serve:*/by-heart={python} serve",
    ]


def photo(number: int) -> bytes:
    """A small PNG; each number gives other bytes."""
    image = Image.new("RGB", (8, 8), (number % 256, number // 256 % 256, 7))
    file = io.BytesIO()
    image.save(file, "PNG")
    return file.getvalue()


@dataclass(frozen=True)
class Vertex:
    """One project in one region of a running server."""

    url: str
    project: str
    region: str = "us-central1"

    @property
    def parent(self) -> str:
        """The project and region as a name."""
        return f"projects/{self.project}/locations/{self.region}"

    def call(self, method: str, path: str, body: Any = None, version: str = "v1") -> httpx.Response:
        """The answer to a request under a version; `path` is a name with its verb and query."""
        with httpx.Client(base_url=self.url, timeout=60) as client:
            return client.request(method, f"/{version}/{path}", json=body)

    def get(self, path: str) -> Body:
        """A resource or a list, which is there."""
        return self._good(self.call("GET", path))

    def post(self, path: str, body: Any = None) -> Body:
        """What a request that is fine answers."""
        return self._good(self.call("POST", path, body or {}))

    def _good(self, answer: httpx.Response) -> Body:
        assert answer.status_code == 200, answer.text
        body: Body = answer.json()
        return body

    def done(self, operation: Body, max_seconds: float = 60) -> Body:
        """The operation once it has ended."""
        name = operation["name"]
        wait_until(lambda: bool(self.get(name).get("done")), max_seconds)
        return self.get(name)

    def bucket(self, name: str, location: str = "US-CENTRAL1") -> str:
        """A new bucket."""
        body = {"name": name, "location": location}
        with httpx.Client(base_url=self.url) as client:
            client.post(f"/storage/v1/b?project={self.project}", json=body).raise_for_status()
        return name

    def upload(self, bucket: str, objects: dict[str, bytes]) -> None:
        """Stores objects."""
        with httpx.Client(base_url=self.url) as client:
            for name, content in objects.items():
                path = f"/upload/storage/v1/b/{bucket}/o?uploadType=media&name={name}"
                client.post(path, content=content).raise_for_status()

    def dataset(self, **more: Any) -> str:
        """The name of a new image dataset."""
        body = {"displayName": "photos", "metadataSchemaUri": IMAGE_SCHEMA, **more}
        name: str = self.post(f"{self.parent}/datasets", body)["response"]["name"]
        return name

    def begin_import(self, dataset: str, uri: str, schema: str = SINGLE) -> Body:
        """The operation of an import."""
        config = {"gcsSource": {"uris": [uri]}, "importSchemaUri": schema}
        return self.post(f"{dataset}:import", {"importConfigs": [config]})

    def filled_dataset(self, bucket: str, labels: tuple[str, ...] = ("cat", "dog")) -> str:
        """A dataset of 12 photos a label, with ml_use: eight, two and two."""
        uses = ["training"] * 8 + ["validation"] * 2 + ["test"] * 2
        objects, lines = {}, []
        for place, label in enumerate(labels):
            for number, use in enumerate(uses):
                name = f"{label}/{number}.png"
                objects[name] = photo(1000 * place + number)
                lines.append(f"{use},gs://{bucket}/{name},{label}")
        self.upload(bucket, {**objects, "import.csv": "\n".join(lines).encode()})
        dataset = self.dataset()
        operation = self.done(self.begin_import(dataset, f"gs://{bucket}/import.csv"))
        assert "error" not in operation, operation
        return dataset

    def begin_training(self, dataset: str, **more: Any) -> str:
        """The name of a pipeline that trains with the least budget on the split of the dataset."""
        use = "labels.aiplatform.googleapis.com/ml_use"
        split = {f"{one}Filter": f"{use}={one}" for one in ("training", "validation", "test")}
        body = {
            "displayName": "training",
            "trainingTaskDefinition": AUTOML,
            "trainingTaskInputs": {"modelType": "CLOUD", "budgetMilliNodeHours": 8000},
            "inputDataConfig": {"datasetId": dataset.rsplit("/", 1)[1], "filterSplit": split},
            "modelToUpload": {"displayName": "model"},
            **more,
        }
        name: str = self.post(f"{self.parent}/trainingPipelines", body)["name"]
        return name

    def trained(self, pipeline: str, max_seconds: float = 60) -> Body:
        """The pipeline in its final state."""
        wait_until(lambda: self.get(pipeline)["state"] in FINAL, max_seconds)
        return self.get(pipeline)

    def endpoint(self, **more: Any) -> str:
        """The name of a new endpoint."""
        body = {"displayName": "endpoint", **more}
        name: str = self.post(f"{self.parent}/endpoints", body)["response"]["name"]
        return name

    def begin_deployment(self, endpoint: str, model: str, **more: Any) -> Body:
        """The operation of a deployment."""
        deployed = {"model": model, "automaticResources": {"minReplicaCount": 1}, **more}
        body = {"deployedModel": deployed, "trafficSplit": {"0": 100}}
        return self.post(f"{endpoint}:deployModel", body)


def error(answer: httpx.Response) -> tuple[int, str, str]:
    """Code, status and message of a refusal, which has Google's form."""
    body = json.loads(answer.text)["error"]
    assert body["code"] == answer.status_code
    return body["code"], body["status"], body["message"]
