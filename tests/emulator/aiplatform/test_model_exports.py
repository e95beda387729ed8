"""Models exported to a folder of a bucket, over HTTP."""

from __future__ import annotations

import httpx
import pytest

from tests.emulator.vertex import Body, Vertex, error

IMAGE = "us-docker.pkg.dev/p/r/by-heart:1"


def names_below(vertex: Vertex, uri: str) -> list[str]:
    """The names of the objects in a folder, without the folder."""
    bucket, _, prefix = uri.removeprefix("gs://").partition("/")
    url = f"{vertex.url}/storage/v1/b/{bucket}/o"
    found = httpx.get(url, params={"prefix": f"{prefix}/"}).json().get("items", [])
    return [one["name"].removeprefix(f"{prefix}/") for one in found]


def export(vertex: Vertex, model: str, bucket: str, format_id: str = "") -> httpx.Response:
    """The answer to a request for an export."""
    config: Body = {"artifactDestination": {"outputUriPrefix": f"gs://{bucket}/out/"}}
    config |= {"exportFormatId": format_id} if format_id else {}
    return vertex.call("POST", f"{model}:export", {"outputConfig": config})


def custom_model(vertex: Vertex, bucket: str) -> str:
    """The name of a model of two files, one in a folder of its own."""
    vertex.upload(bucket, {"m/saved_model.pb": b"graph", "m/variables/one": b"weights"})
    container = {"imageUri": IMAGE}
    model = {"displayName": "m", "artifactUri": f"gs://{bucket}/m/", "containerSpec": container}
    operation = vertex.done(vertex.post(f"{vertex.parent}/models:upload", {"model": model}))
    name: str = operation["response"]["model"]
    return name


def test_a_custom_model_is_copied_whole_to_a_new_folder(vertex: Vertex, bucket: str) -> None:
    """Every file with its folders, below a folder that names model and time."""
    model = custom_model(vertex, bucket)

    operation = export(vertex, f"{model}@default", bucket, "custom-trained").json()

    folder = operation["metadata"]["outputInfo"]["artifactOutputUri"]
    assert folder.startswith(f"gs://{bucket}/out/model-export-m-20")
    assert names_below(vertex, folder) == ["saved_model.pb", "variables/one"]


def test_an_edge_model_is_exported_for_phones(vertex: Vertex, bucket: str) -> None:
    """AutoML for devices leaves a LiteRT file, and says so; a format that it has not is refused."""
    pipeline = vertex.begin_training(
        vertex.filled_dataset(bucket),
        trainingTaskInputs={"modelType": "MOBILE_TF_VERSATILE_1", "budgetMilliNodeHours": 1000},
    )
    model = vertex.trained(pipeline)["modelToUpload"]

    operation = export(vertex, model["name"], bucket).json()

    assert [one["id"] for one in model["supportedExportFormats"]] == ["tflite"]
    folder = operation["metadata"]["outputInfo"]["artifactOutputUri"]
    assert names_below(vertex, folder) == ["model.tflite"]
    refused = error(export(vertex, model["name"], bucket, "core-ml"))
    assert refused[:2] == (400, "INVALID_ARGUMENT") and "Supported: tflite." in refused[2]


def test_automl_in_the_cloud_gives_no_files(trained_project: tuple[Vertex, Body]) -> None:
    """As on Google: nothing to export."""
    vertex, pipeline = trained_project

    answer = export(vertex, pipeline["modelToUpload"]["name"], "trained-project-photos")

    assert error(answer)[:2] == (400, "FAILED_PRECONDITION")
    assert "no supported export formats" in error(answer)[2]


@pytest.mark.parametrize(("bucket_name", "code"), [("no-such-bucket-here", 404), ("", 400)])
def test_a_place_that_is_not_there_is_refused(
    vertex: Vertex, bucket: str, bucket_name: str, code: int
) -> None:
    """Nothing is written for a bucket that is missing or not named."""
    assert export(vertex, custom_model(vertex, bucket), bucket_name).status_code == code
