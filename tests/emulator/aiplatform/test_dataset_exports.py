"""ExportData: rows in a bucket, by set where they are for a training."""

from __future__ import annotations

import json

import pytest

from tests.emulator.custom import ANNOTATION, content, objects
from tests.emulator.vertex import Body, Vertex, error, photo


def export(vertex: Vertex, dataset: str, bucket: str, **more: object) -> Body:
    """The ended operation of an export."""
    config = {"gcsDestination": {"outputUriPrefix": f"gs://{bucket}/out"}, **more}
    return vertex.done(vertex.post(f"{dataset}:export", {"exportConfig": config}))


def rows(vertex: Vertex, bucket: str, name: str) -> list[Body]:
    """The rows of an object."""
    return [json.loads(line) for line in (content(vertex, bucket, name) or "").splitlines()]


def test_every_photo_is_a_row_that_can_be_imported_again(vertex: Vertex, bucket: str) -> None:
    """With its label and ml_use; imported, the rows make the same dataset."""
    dataset = vertex.filled_dataset(bucket)

    operation = export(vertex, dataset, bucket)

    (uri,) = operation["response"]["exportedFiles"]
    folder = operation["metadata"]["gcsOutputDirectory"]
    assert folder.startswith(f"gs://{bucket}/out/export-data-photos-") and uri.startswith(folder)
    found = rows(vertex, bucket, uri.removeprefix(f"gs://{bucket}/"))
    assert len(found) == 24
    assert found[0] == {
        "imageGcsUri": f"gs://{bucket}/cat/0.png",
        "classificationAnnotation": {"displayName": "cat"},
        "dataItemResourceLabels": {"aiplatform.googleapis.com/ml_use": "training"},
    }
    again = vertex.dataset()
    ended = vertex.done(vertex.begin_import(again, uri))
    assert "partialFailures" not in ended["metadata"]["genericMetadata"]
    assert vertex.get(again)["dataItemCount"] == "24"


def test_an_export_for_training_has_three_sets_and_counts(vertex: Vertex, bucket: str) -> None:
    """Addresses with wildcards, and how many photos each has."""
    dataset = vertex.filled_dataset(bucket)
    fractions = {"trainingFraction": 0.5, "validationFraction": 0.25, "testFraction": 0.25}

    operation = export(
        vertex,
        dataset,
        bucket,
        exportUse="CUSTOM_CODE_TRAINING",
        annotationSchemaUri=ANNOTATION,
        fractionSplit=fractions,
    )

    response = operation["response"]
    folder = operation["metadata"]["gcsOutputDirectory"]
    assert response["exportedFiles"] == [
        f"{folder}/{use}-*" for use in ("training", "validation", "test")
    ]
    assert response["dataStats"]["trainingDataItemsCount"] == "12"
    assert response["dataStats"]["testAnnotationsCount"] == "6"
    assert len(objects(vertex, bucket, "out/")) == 3


def test_photos_without_a_label_are_exported_too(vertex: Vertex, bucket: str) -> None:
    """A row with an address and no annotation."""
    vertex.upload(bucket, {"a.png": photo(1), "rows.csv": f"gs://{bucket}/a.png".encode()})
    dataset = vertex.dataset()
    vertex.done(vertex.begin_import(dataset, f"gs://{bucket}/rows.csv"))

    (uri,) = export(vertex, dataset, bucket)["response"]["exportedFiles"]

    assert rows(vertex, bucket, uri.removeprefix(f"gs://{bucket}/")) == [
        {"imageGcsUri": f"gs://{bucket}/a.png"}
    ]


def test_a_bucket_that_is_not_there_fails_the_operation(vertex: Vertex) -> None:
    """The request is accepted, the operation fails."""
    operation = export(vertex, vertex.dataset(), "no-such-bucket-here")

    assert operation["error"]["code"] == 5


@pytest.mark.parametrize(
    ("config", "code"),
    [
        ({}, 400),
        ({"gcsDestination": {"outputUriPrefix": "/tmp"}}, 400),
        ({"gcsDestination": {"outputUriPrefix": "gs://b"}, "annotationSchemaUri": "x"}, 400),
        ({"gcsDestination": {"outputUriPrefix": "gs://b"}, "savedQueryId": "1"}, 501),
    ],
)
def test_what_cannot_be_exported_is_refused(vertex: Vertex, config: Body, code: int) -> None:
    """Before anything is written."""
    answer = vertex.call("POST", f"{vertex.dataset()}:export", {"exportConfig": config})

    assert error(answer)[0] == code
