"""Models copied between regions, checkpoints, and evaluated annotations."""

from __future__ import annotations

from dataclasses import replace

import pytest

from tests.emulator.vertex import Body, Vertex, error


@pytest.mark.parametrize("region", ["us-central1", "europe-west4"])
def test_a_copy_lives_on_without_its_source(
    region: str, trained_project: tuple[Vertex, Body]
) -> None:
    """It is deployed in its own region, says that it is a copy, and deletes only its own files."""
    source, pipeline = trained_project
    elsewhere = replace(source, region=region)
    body = {"sourceModel": pipeline["modelToUpload"]["name"]}

    operation = elsewhere.post(f"{elsewhere.parent}/models:copy", body)
    copy = elsewhere.get(operation["response"]["model"])
    endpoint = elsewhere.endpoint()
    deployed = elsewhere.done(elsewhere.begin_deployment(endpoint, copy["name"], id="1"))

    assert copy["name"].startswith(elsewhere.parent)
    assert copy["modelSourceInfo"] == {"sourceType": "AUTOML", "copy": True}
    assert copy["versionAliases"] == ["default"]
    assert "error" not in deployed, deployed
    elsewhere.post(f"{endpoint}:undeployModel", {"deployedModelId": "1"})
    assert elsewhere.call("DELETE", copy["name"]).json()["done"]
    again = source.endpoint()
    assert "error" not in source.done(source.begin_deployment(again, body["sourceModel"], id="2"))
    source.post(f"{again}:undeployModel", {"deployedModelId": "2"})


def test_what_cannot_be_copied_is_refused(
    vertex: Vertex, trained_project: tuple[Vertex, Body]
) -> None:
    """Another project's model, one that is not there, and none at all."""
    model = trained_project[1]["modelToUpload"]["name"]
    path = f"{vertex.parent}/models:copy"

    answers = [
        vertex.call("POST", path, {"sourceModel": model}),
        vertex.call("POST", path, {"sourceModel": f"{vertex.parent}/models/1"}),
        vertex.call("POST", path, {}),
    ]

    assert [error(one)[0] for one in answers] == [400, 404, 400]


def test_a_photo_model_has_no_checkpoints_and_no_examples(
    trained_project: tuple[Vertex, Body],
) -> None:
    """An empty list, and a refusal that says why."""
    vertex, pipeline = trained_project
    model = pipeline["modelToUpload"]["name"]

    refused = vertex.call("POST", f"{model}:updateExplanationDataset", {"examples": {}})

    assert vertex.get(f"{model}:listCheckpoints") == {}
    assert error(refused)[:2] == (400, "FAILED_PRECONDITION")


def test_evaluated_annotations_are_counted(trained_project: tuple[Vertex, Body]) -> None:
    """As many as were sent; none, or more than fifty, are refused."""
    vertex, pipeline = trained_project
    (evaluation,) = vertex.get(f"{pipeline['modelToUpload']['name']}/evaluations")[
        "modelEvaluations"
    ]
    part = vertex.get(f"{evaluation['name']}/slices")["modelEvaluationSlices"][0]["name"]
    one = {"type": "TRUE_POSITIVE", "predictions": [{"confidence": 0.5}]}

    found = vertex.post(f"{part}:batchImport", {"evaluatedAnnotations": [one, one]})

    assert found == {"importedEvaluatedAnnotationsCount": 2}
    for wrong in ([], [one] * 51):
        answer = vertex.call("POST", f"{part}:batchImport", {"evaluatedAnnotations": wrong})
        assert error(answer)[:2] == (400, "INVALID_ARGUMENT")
