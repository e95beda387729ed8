"""Endpoints, deployments and predictions over HTTP."""

from __future__ import annotations

import base64
from functools import partial

import httpx
import pytest

from tests.emulator.vertex import Body, Vertex, error, photo
from tests.local_cloud import wait_until


@pytest.fixture
def deployed(vertex: Vertex, bucket: str) -> tuple[Vertex, str, Body]:
    """A project, an endpoint with a model that learned `cat` and `dog` by heart, and the model."""
    pipeline = vertex.trained(vertex.begin_training(vertex.filled_dataset(bucket)))
    model = vertex.get(pipeline["modelToUpload"]["name"])
    endpoint = vertex.endpoint()
    operation = vertex.done(vertex.begin_deployment(endpoint, model["name"], id="123"))
    assert operation["response"]["deployedModel"]["id"] == "123", operation
    return vertex, endpoint, model


def instance(content: bytes) -> Body:
    """An AutoML instance."""
    return {"content": base64.b64encode(content).decode()}


def test_an_endpoint_has_the_id_that_the_client_chose(vertex: Vertex) -> None:
    """A second creation under the same id is refused."""
    path = f"{vertex.parent}/endpoints?endpointId=my-endpoint"

    first = vertex.call("POST", path, {"displayName": "x"}).json()

    assert first["response"]["name"] == f"{vertex.parent}/endpoints/my-endpoint"
    again = vertex.call("POST", path, {"displayName": "x"})
    assert error(again)[:2] == (409, "ALREADY_EXISTS")


def test_endpoints_are_updated_and_found_by_label(vertex: Vertex) -> None:
    """A label set by patch is found by filter."""
    name = vertex.endpoint()
    vertex.call("PATCH", f"{name}?updateMask=labels", {"labels": {"expires": "soon"}})

    listed = vertex.get(f"{vertex.parent}/endpoints?filter=labels.expires=soon")

    assert [one["name"] for one in listed["endpoints"]] == [name]


def test_a_deployed_model_predicts_with_ids(deployed: tuple[Vertex, str, Body]) -> None:
    """Photos that the model saw get their labels, each with its annotation spec's id."""
    vertex, endpoint, model = deployed

    answer = vertex.post(
        f"{endpoint}:predict", {"instances": [instance(photo(0)), instance(photo(1000))]}
    )

    assert [one["displayNames"] for one in answer["predictions"]] == [["cat"], ["dog"]]
    assert all(one["ids"][0].isdigit() for one in answer["predictions"])
    assert answer["deployedModelId"] == "123"
    assert (answer["model"], answer["modelVersionId"]) == (model["name"], "1")


def test_the_endpoint_shows_what_is_deployed(deployed: tuple[Vertex, str, Body]) -> None:
    """Deployed model, resources and traffic are on the endpoint; it cannot be deleted."""
    vertex, endpoint, model = deployed

    shown = vertex.get(endpoint)

    (one,) = shown["deployedModels"]
    assert (one["id"], one["model"]) == ("123", model["name"])
    assert one["automaticResources"] == {"minReplicaCount": 1, "maxReplicaCount": 1}
    assert shown["trafficSplit"] == {"123": 100}
    code, status, message = error(vertex.call("DELETE", endpoint))
    assert (code, status) == (400, "FAILED_PRECONDITION")
    assert message.endswith("has deployed or being deployed DeployedModel(s) with ID(s): 123.")


def test_undeploying_ends_traffic_billing_and_the_process(
    deployed: tuple[Vertex, str, Body],
) -> None:
    """After undeploy the endpoint is empty, predicts no more, costs no more and can go."""
    vertex, endpoint, _ = deployed

    operation = vertex.post(f"{endpoint}:undeployModel", {"deployedModelId": "123"})

    assert operation["done"] and "deployedModels" not in vertex.get(endpoint)
    usage = httpx.get(f"{vertex.url}/_emulator/usage").json()["usage"]
    (span,) = [one for one in usage if one["resource"].startswith(endpoint)]
    assert span["kind"] == "deployment" and span["endTime"] is not None
    assert span["usd"] == pytest.approx(span["nodeHours"] * 1.375, abs=1e-6)
    assert vertex.call("DELETE", endpoint).json()["done"]


def test_predictions_without_a_model_are_refused_in_googles_words(vertex: Vertex) -> None:
    """An endpoint on which nothing is deployed."""
    endpoint = vertex.endpoint()

    answer = vertex.call("POST", f"{endpoint}:predict", {"instances": [instance(b"x")]})

    assert error(answer) == (
        400,
        "FAILED_PRECONDITION",
        f"Endpoint {endpoint} doesn't have traffic_split.",
    )


def test_a_request_over_the_limit_is_refused(deployed: tuple[Vertex, str, Body]) -> None:
    """1.5 MB is the most that a shared endpoint takes."""
    vertex, endpoint, _ = deployed

    answer = vertex.call("POST", f"{endpoint}:predict", {"instances": [instance(b"x" * 1_200_000)]})

    code, status, message = error(answer)
    assert (code, status) == (400, "INVALID_ARGUMENT")
    assert "1572864 bytes" in message


def test_what_the_model_refuses_is_the_callers_error(deployed: tuple[Vertex, str, Body]) -> None:
    """The server's 400 comes back as 400 with its words."""
    vertex, endpoint, _ = deployed

    answer = vertex.call("POST", f"{endpoint}:predict", {"wrong": []})

    assert error(answer) == (400, "INVALID_ARGUMENT", "instances are missing")


def test_a_busy_server_and_a_spoilt_photo_have_googles_words(
    deployed: tuple[Vertex, str, Body],
) -> None:
    """Its 503 is UNAVAILABLE, to be tried again; AutoML's answers have no place for one error."""
    vertex, endpoint, _ = deployed
    ask = partial(vertex.call, "POST", f"{endpoint}:predict")

    busy = ask({"instances": [instance(b"busy")]})
    spoilt = ask({"instances": [instance(b"busy"), instance(b"spoilt")]})

    assert error(busy) == (503, "UNAVAILABLE", "too many photos")
    assert error(spoilt) == (400, "INVALID_ARGUMENT", "instance 1: spoilt")


def test_the_same_deployed_id_twice_is_refused(deployed: tuple[Vertex, str, Body]) -> None:
    """A deployment that is repeated under its id does not make a second one."""
    vertex, endpoint, model = deployed
    body = {"id": "123", "model": model["name"], "automaticResources": {}}

    answer = vertex.call("POST", f"{endpoint}:deployModel", {"deployedModel": body})

    assert error(answer)[:2] == (409, "ALREADY_EXISTS")


def test_an_automl_model_wants_automatic_resources(
    trained_project: tuple[Vertex, Body],
) -> None:
    """A machine type is refused, as is a deployment with no resources at all."""
    vertex, pipeline = trained_project
    model = pipeline["modelToUpload"]["name"]
    machine = {"machineSpec": {"machineType": "n1-standard-2"}, "minReplicaCount": 1}
    endpoint = vertex.endpoint()

    for more in ({"dedicatedResources": machine}, {}):
        body = {"deployedModel": {"model": model, **more}}
        answer = vertex.call("POST", f"{endpoint}:deployModel", body)
        code, status, message = error(answer)
        assert (code, status) == (400, "INVALID_ARGUMENT")
        assert "automatic_resources" in message


def test_a_prediction_server_that_is_killed_comes_back(
    deployed: tuple[Vertex, str, Body],
) -> None:
    """Killed from outside, the server is started again and predicts as before."""
    import psutil

    vertex, endpoint, _ = deployed
    body = {"instances": [instance(photo(0))]}
    for process in psutil.process_iter(["environ"]):
        if (process.info["environ"] or {}).get("GOOGLE_CLOUD_PROJECT") == vertex.project:
            process.kill()

    def predicts() -> bool:
        return vertex.call("POST", f"{endpoint}:predict", body).status_code == 200

    wait_until(predicts)
    assert vertex.post(f"{endpoint}:predict", body)["predictions"][0]["displayNames"] == ["cat"]
