"""Annotations that are labelled when they are imported, and what only some of them are used for."""

from __future__ import annotations

import json
from typing import Any

import pytest

from tests.emulator.custom import content
from tests.emulator.vertex import SINGLE, Vertex, error


@pytest.fixture
def dataset(vertex: Vertex, bucket: str) -> str:
    """Two sets of annotations of the same photos: animals (`first`), and colours (`second`)."""
    name = vertex.filled_dataset(bucket)
    use = {**dict.fromkeys(range(8), "training"), 8: "validation", 9: "validation"}
    for labels, sets in ((("red", "blue"), "second"), (("bird",), "third")):
        rows = [
            f"{use.get(number, 'test')},gs://{bucket}/{animal}/{number}.png,{label}"
            for animal, label in zip(("cat", "dog"), labels, strict=False)
            for number in range(12)
        ]
        vertex.upload(bucket, {f"{sets}.csv": "\n".join(rows).encode()})
        config = {
            "gcsSource": {"uris": [f"gs://{bucket}/{sets}.csv"]},
            "importSchemaUri": SINGLE,
            "annotationLabels": {"set": sets},
        }
        operation = vertex.done(vertex.post(f"{name}:import", {"importConfigs": [config]}))
        assert "error" not in operation, operation
    return name


def exported(vertex: Vertex, dataset: str, bucket: str, **more: Any) -> list[list[str]]:
    """The labels of each row of an export."""
    config = {"gcsDestination": {"outputUriPrefix": f"gs://{bucket}/out"}, **more}
    operation = vertex.done(vertex.post(f"{dataset}:export", {"exportConfig": config}))
    (uri,) = operation["response"]["exportedFiles"]
    text = content(vertex, bucket, uri.removeprefix(f"gs://{bucket}/")) or ""
    rows = [json.loads(line) for line in text.splitlines()]
    return [
        [one["displayName"] for one in row.get("classificationAnnotations", [])]
        or [row["classificationAnnotation"]["displayName"]]
        for row in rows
    ]


def test_an_export_has_only_the_annotations_that_were_asked_for(
    vertex: Vertex, dataset: str, bucket: str
) -> None:
    """All of them without a filter; by their labels, or what they say, with one."""
    split = {"fractionSplit": {"trainingFraction": 1.0}}

    everything = exported(vertex, dataset, bucket)
    second = exported(vertex, dataset, bucket, annotationsFilter="labels.set=second", **split)

    assert sorted({tuple(sorted(row)) for row in everything}) == [
        ("bird", "cat", "red"), ("blue", "dog"),
    ]  # fmt: skip
    assert {tuple(row) for row in second} == {("red",), ("blue",)}


def test_a_training_learns_only_the_annotations_that_were_asked_for(
    vertex: Vertex, dataset: str
) -> None:
    """The model knows colours, and no animals."""
    use = "labels.aiplatform.googleapis.com/ml_use"
    data = {
        "datasetId": dataset.rsplit("/", 1)[1],
        "annotationsFilter": "labels.set=second",
        "filterSplit": {
            f"{one}Filter": f"{use}={one}" for one in ("training", "validation", "test")
        },
    }

    pipeline = vertex.trained(vertex.begin_training(dataset, inputDataConfig=data))

    assert pipeline["state"] == "PIPELINE_STATE_SUCCEEDED", pipeline
    (evaluation,) = vertex.get(f"{pipeline['modelToUpload']['name']}/evaluations")[
        "modelEvaluations"
    ]
    specs = evaluation["metrics"]["confusionMatrix"]["annotationSpecs"]
    assert {one["displayName"] for one in specs} == {"red", "blue"}


def test_annotations_tell_their_labels(vertex: Vertex, dataset: str) -> None:
    """As they were imported; those of an import without any have none."""
    item = vertex.get(f"{dataset}/dataItems")["dataItems"][0]["name"]

    found = vertex.get(f"{item}/annotations")["annotations"]

    assert [one.get("labels") for one in found] == [None, {"set": "second"}, {"set": "third"}]


def test_what_is_no_filter_is_refused(vertex: Vertex, dataset: str) -> None:
    """Before the export begins, or the pipeline is made."""
    config = {"gcsDestination": {"outputUriPrefix": "gs://b/out"}, "annotationsFilter": "a b ="}

    answer = vertex.call("POST", f"{dataset}:export", {"exportConfig": config})

    assert error(answer)[:2] == (400, "INVALID_ARGUMENT")
