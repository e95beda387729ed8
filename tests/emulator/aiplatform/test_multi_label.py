"""Photos with several labels on the local cloud: import, AutoML, evaluation, prediction."""

from __future__ import annotations

import base64
import importlib.util
import json
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.emulator.vertex import MULTI, Body, Vertex, photo
from tests.local_cloud import LocalCloud

USES = ["training"] * 16 + ["validation"] * 4 + ["test"] * 4
LABELS = ("cat", "dog", "owl")
PAIRS = 120


def labels_of(number: int) -> list[str]:
    """Two of three labels, or all of them, in turn."""
    return [label for place, label in enumerate(LABELS) if number % 4 != place]


def csv_row(uri: str, use: str, labels: list[str]) -> str:
    """A row of CSV with a column a label."""
    return ",".join([use, uri, *labels])


def jsonl_row(uri: str, use: str, labels: list[str]) -> str:
    """A row of JSONL with a list of annotations."""
    return json.dumps(
        {
            "imageGcsUri": uri,
            "classificationAnnotations": [{"displayName": label} for label in labels],
            "dataItemResourceLabels": {"aiplatform.googleapis.com/ml_use": use},
        }
    )


def imported(
    vertex: Vertex, bucket: str, row: Callable[[str, str, list[str]], str], suffix: str
) -> str:
    """A data set of 24 photos by an import file of this form."""
    objects = {f"{number}.png": photo(number) for number in range(len(USES))}
    lines = [
        row(f"gs://{bucket}/{number}.png", use, labels_of(number))
        for number, use in enumerate(USES)
    ]
    vertex.upload(bucket, {**objects, f"rows.{suffix}": "\n".join(lines).encode()})
    dataset = vertex.dataset()
    operation = vertex.done(vertex.begin_import(dataset, f"gs://{bucket}/rows.{suffix}", MULTI))
    assert "error" not in operation and "partialFailures" not in str(operation), operation
    return dataset


def labels_by_photo(vertex: Vertex, dataset: str) -> dict[str, list[str]]:
    """The labels of each photo's address."""
    found = {}
    for item in vertex.get(f"{dataset}/dataItems")["dataItems"]:
        listed = vertex.get(f"{item['name']}/annotations")["annotations"]
        names = sorted(one["payload"]["displayName"] for one in listed)
        found[item["payload"]["imageGcsUri"]] = names
    return found


@pytest.mark.parametrize(("row", "suffix"), [(csv_row, "csv"), (jsonl_row, "jsonl")])
def test_a_photo_has_every_label_of_its_row(
    vertex: Vertex, bucket: str, row: Callable[[str, str, list[str]], str], suffix: str
) -> None:
    """Both forms of the import file leave an annotation for each label of each photo."""
    dataset = imported(vertex, bucket, row, suffix)

    expected = {f"gs://{bucket}/{n}.png": labels_of(n) for n in range(len(USES))}
    assert labels_by_photo(vertex, dataset) == expected


def test_from_rows_to_an_answer_with_several_labels(vertex: Vertex, bucket: str) -> None:
    """AutoML gets every label; its evaluation has slices and no matrix; ids come with names."""
    dataset = imported(vertex, bucket, jsonl_row, "jsonl")

    inputs = {"modelType": "CLOUD", "budgetMilliNodeHours": 8000, "multiLabel": True}
    pipeline = vertex.trained(vertex.begin_training(dataset, trainingTaskInputs=inputs))

    assert pipeline["state"] == "PIPELINE_STATE_SUCCEEDED", pipeline
    assert pipeline["trainingTaskInputs"]["multiLabel"] is True
    model = pipeline["modelToUpload"]["name"]
    (evaluation,) = vertex.get(f"{model}/evaluations")["modelEvaluations"]
    assert "confusionMatrix" not in evaluation["metrics"]
    slices = vertex.get(f"{evaluation['name']}/slices")["modelEvaluationSlices"]
    assert sorted(one["slice"]["value"] for one in slices) == list(LABELS)
    prediction = predicted(vertex, model, photo(1))
    assert prediction["displayNames"] == labels_of(1)
    for label, spec in zip(labels_of(1), prediction["ids"], strict=True):
        assert vertex.get(f"{dataset}/annotationSpecs/{spec}")["displayName"] == label


def predicted(vertex: Vertex, model: str, content: bytes, **parameters: float) -> Body:
    """The prediction of one photo through an endpoint of its own."""
    endpoint = vertex.endpoint()
    operation = vertex.done(vertex.begin_deployment(endpoint, model), 120)
    assert "error" not in operation, operation
    instances = [{"content": base64.b64encode(content).decode()}]
    body = {"instances": instances, "parameters": parameters}
    (prediction,) = vertex.post(f"{endpoint}:predict", body)["predictions"]
    return dict(prediction)


@pytest.mark.training
@pytest.mark.skipif(
    importlib.util.find_spec("tensorflow") is None,
    reason="needs TensorFlow: install the package with its extra 'train'",
)
def test_clothing_pairs_are_learned(
    start: Callable[..., LocalCloud], clothing: Path, tmp_path: Path
) -> None:
    """Pairs of clothing photos through the real trainer: both pieces of clothing are found."""
    from examples.clothing_pairs import draw_pairs, write_pairs

    write_pairs(clothing, tmp_path / "pairs", PAIRS, seed=0)
    vertex = Vertex(start("--seconds-per-node-hour", "2").url, "pairs")
    bucket, lines = vertex.bucket("clothing-pairs"), []
    pairs = list(draw_pairs(clothing, PAIRS, seed=0))
    for number, pair in enumerate(pairs):
        name = f"{number:05d}.jpg"
        vertex.upload(bucket, {name: (tmp_path / "pairs/photos" / name).read_bytes()})
        labels = [label.replace("-", "_") for label in pair.labels]
        lines.append(csv_row(f"gs://{bucket}/{name}", pair.split, labels))
    vertex.upload(bucket, {"rows.csv": "\n".join(lines).encode()})
    dataset = vertex.dataset()
    vertex.done(vertex.begin_import(dataset, f"gs://{bucket}/rows.csv", MULTI))

    inputs = {"modelType": "CLOUD", "budgetMilliNodeHours": 8000, "multiLabel": True}
    pipeline = vertex.trained(vertex.begin_training(dataset, trainingTaskInputs=inputs), 300)

    assert pipeline["state"] == "PIPELINE_STATE_SUCCEEDED", pipeline
    model = pipeline["modelToUpload"]["name"]
    (evaluation,) = vertex.get(f"{model}/evaluations")["modelEvaluations"]
    # By chance it would be the share of labels on a photo, two of ten.
    assert evaluation["metrics"]["auPrc"] > 0.6
    assert "confusionMatrix" not in evaluation["metrics"]
