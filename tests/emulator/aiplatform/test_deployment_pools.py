"""Deployment resource pools, raw predictions, and changes of what is deployed."""

from __future__ import annotations

import base64
from typing import Any

import httpx
import pytest

from tests.emulator.aiplatform.test_custom_deployments import MACHINE, deploy, predicted, upload
from tests.emulator.vertex import Body, Vertex, error, photo

POOL = {"deploymentResourcePool": {"dedicatedResources": MACHINE}}


def new_pool(vertex: Vertex, name: str = "pool", **more: Any) -> httpx.Response:
    """The answer to a request for a pool."""
    body = {"deploymentResourcePoolId": name, **POOL, **more}
    return vertex.call("POST", f"{vertex.parent}/deploymentResourcePools", body)


def spans(vertex: Vertex, resource: str) -> list[Body]:
    """What a resource has cost, each span of it."""
    rows: list[Body] = httpx.get(f"{vertex.url}/_emulator/usage").json()["usage"]
    return [one for one in rows if one["resource"].startswith(resource)]


def test_models_share_a_pool_that_is_billed_once(vertex: Vertex, bucket: str) -> None:
    """Two models, two endpoints, one machine; it goes only when no model is left."""
    pool = new_pool(vertex).json()["response"]["name"]
    endpoints = [vertex.endpoint(), vertex.endpoint()]
    for endpoint in endpoints:
        deployed = {"model": upload(vertex, bucket), "sharedResources": pool, "id": "1"}
        body = {"deployedModel": deployed, "trafficSplit": {"0": 100}}
        operation = vertex.done(vertex.post(f"{endpoint}:deployModel", body))
        assert operation["response"]["deployedModel"]["sharedResources"] == pool, operation

    assert [predicted(vertex, endpoint) for endpoint in endpoints] == [("1", "cat")] * 2
    asked = vertex.get(f"{pool}:queryDeployedModels")
    assert asked["totalDeployedModelCount"] == asked["totalEndpointCount"] == 2
    assert {one["endpoint"] for one in asked["deployedModelRefs"]} == set(endpoints)
    (span,) = spans(vertex, pool)
    assert span["endTime"] is None and span["sku"].endswith("n1-standard-2")
    assert error(vertex.call("DELETE", pool))[:2] == (400, "FAILED_PRECONDITION")
    for endpoint in endpoints:
        vertex.post(f"{endpoint}:undeployModel", {"deployedModelId": "1"})
    (span,) = spans(vertex, pool)
    assert span["endTime"] is not None
    assert vertex.call("DELETE", pool).json()["done"]


def test_pools_are_listed_changed_and_refused(vertex: Vertex) -> None:
    """Replicas change, machines do not; ids are Google's form and used once."""
    pool = new_pool(vertex).json()["response"]["name"]
    path = (
        f"{pool}?updateMask=dedicatedResources.minReplicaCount,dedicatedResources.maxReplicaCount"
    )
    more = {"dedicatedResources": {"minReplicaCount": 2, "maxReplicaCount": 3}}
    other = {"dedicatedResources": {"machineSpec": {"machineType": "n1-standard-4"}}}

    vertex.call("PATCH", path, more)
    machine = vertex.call("PATCH", f"{pool}?updateMask=dedicatedResources.machineSpec", other)

    assert vertex.get(pool)["dedicatedResources"]["minReplicaCount"] == 2
    listed = vertex.get(f"{vertex.parent}/deploymentResourcePools")["deploymentResourcePools"]
    assert [one["name"] for one in listed] == [pool]
    assert "immutable" in error(machine)[2]
    assert error(new_pool(vertex))[1] == "ALREADY_EXISTS"
    assert error(new_pool(vertex, "Pool_1"))[1] == "INVALID_ARGUMENT"
    assert error(new_pool(vertex, deploymentResourcePool={}))[1] == "INVALID_ARGUMENT"
    missing = {"model": "x", "sharedResources": f"{vertex.parent}/deploymentResourcePools/none"}
    assert vertex.call("GET", missing["sharedResources"]).status_code == 404


@pytest.fixture
def served(vertex: Vertex, bucket: str) -> str:
    """An endpoint with one custom model."""
    endpoint = vertex.endpoint()
    deploy(vertex, endpoint, upload(vertex, bucket), "7", {"0": 100})
    return endpoint


def test_more_replicas_are_billed_from_now_on(vertex: Vertex, served: str) -> None:
    """MutateDeployedModel ends one span and begins another; the machine stays."""
    wanted = {"id": "7", "dedicatedResources": {"minReplicaCount": 3, "maxReplicaCount": 4}}
    mask = "dedicatedResources.minReplicaCount,dedicatedResources.maxReplicaCount"
    body = {"deployedModel": wanted, "updateMask": mask}

    operation = vertex.post(f"{served}:mutateDeployedModel", body)

    mutated = operation["response"]["deployedModel"]
    assert mutated["dedicatedResources"] == {
        **MACHINE, "minReplicaCount": 3, "maxReplicaCount": 4,
    }  # fmt: skip
    assert vertex.get(served)["deployedModels"][0]["dedicatedResources"]["minReplicaCount"] == 3
    first, second = spans(vertex, served)
    assert first["endTime"] is not None and second["endTime"] is None
    for change, mask in (
        ({"dedicatedResources": {"machineSpec": {"machineType": "n1-standard-8"}}},
         "dedicatedResources.machineSpec"),
        ({"automaticResources": {"minReplicaCount": 2}}, "automaticResources.minReplicaCount"),
        ({"displayName": "x"}, "displayName"),
    ):  # fmt: skip
        body = {"deployedModel": {"id": "7", **change}, "updateMask": mask}
        answer = vertex.call("POST", f"{served}:mutateDeployedModel", body)
        assert error(answer)[:2] == (400, "INVALID_ARGUMENT")


def test_an_endpoints_client_connection_is_changed(vertex: Vertex, served: str) -> None:
    """UpdateEndpointLongRunning takes nothing else."""
    config = {"inferenceTimeout": "30s"}
    body = {"endpoint": {"clientConnectionConfig": config}}

    changed = vertex.post(f"{served}:update", body)
    refused = vertex.call("POST", f"{served}:update", {"endpoint": {"displayName": "other"}})

    assert changed["response"]["clientConnectionConfig"] == config
    assert vertex.get(served)["clientConnectionConfig"] == config
    assert "display_name is not supported" in error(refused)[2]


@pytest.mark.parametrize("verb", ["rawPredict", "streamRawPredict"])
def test_a_raw_prediction_is_the_containers_own_answer(
    vertex: Vertex, served: str, verb: str
) -> None:
    """Body and status as they are, headers that name the model; an error too."""
    instance = {"content": base64.b64encode(photo(0)).decode()}

    good = vertex.call("POST", f"{served}:{verb}", {"instances": [instance]})
    bad = vertex.call("POST", f"{served}:{verb}", {"nothing": 1})

    assert good.json()["predictions"][0]["displayNames"] == ["cat"]
    assert "deployedModelId" not in good.json()
    assert good.headers["X-Vertex-AI-Deployed-Model-Id"] == "7"
    assert good.headers["X-Vertex-AI-Model-Version-Id"] == "1"
    assert good.headers["X-Vertex-AI-Model"] in vertex.get(served)["deployedModels"][0]["model"]
    assert (bad.status_code, bad.json()) == (400, {"error": "instances are missing"})


def test_nothing_explains(vertex: Vertex, served: str) -> None:
    """400 FAILED_PRECONDITION that names the deployed model; 404 for one that is not there."""
    one = vertex.call("POST", f"{served}:explain", {"instances": [{}]})
    other = vertex.call("POST", f"{served}:explain", {"instances": [{}], "deployedModelId": "9"})
    empty = vertex.call("POST", f"{vertex.endpoint()}:rawPredict", {"instances": [{}]})

    assert error(one)[:2] == (400, "FAILED_PRECONDITION") and "7" in error(one)[2]
    assert error(other)[0] == 404
    assert error(empty)[:2] == (400, "FAILED_PRECONDITION")


def test_what_the_local_cloud_never_has_is_listed_as_none(vertex: Vertex) -> None:
    """A clean-up script gets through; a creation is refused by its name."""
    for kind in (
        "specialistPools", "dataLabelingJobs", "nasJobs", "modelDeploymentMonitoringJobs",
    ):  # fmt: skip
        assert vertex.get(f"{vertex.parent}/{kind}") == {}
        answer = vertex.call("POST", f"{vertex.parent}/{kind}", {})
        assert error(answer)[:2] == (501, "UNIMPLEMENTED")
