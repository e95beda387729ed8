"""Custom models on machines: deployed, routed by traffic, refused with what to do."""

from __future__ import annotations

import base64
import json
from typing import Any
from uuid import uuid4

import httpx
import pytest

from tests.emulator.vertex import Body, Vertex, error, photo

IMAGE = "us-docker.pkg.dev/p/r/by-heart:1"
MACHINE = {"machineSpec": {"machineType": "n1-standard-2"}, "minReplicaCount": 1}
ROUTES = {"predictRoute": "/predict", "healthRoute": "/health"}


def upload(vertex: Vertex, bucket: str, answer: str = "cat", image: str = IMAGE) -> str:
    """The name of a model that calls every photo `answer`; its files are in the bucket."""
    folder = f"models/{uuid4().hex[:8]}"
    known = json.dumps({"by_heart": {}, "commonest": answer}).encode()
    vertex.upload(bucket, {f"{folder}/known.json": known})
    model = {
        "displayName": answer,
        "artifactUri": f"gs://{bucket}/{folder}",
        "containerSpec": {"imageUri": image, **ROUTES},
    }
    operation = vertex.done(vertex.post(f"{vertex.parent}/models:upload", {"model": model}))
    name: str = operation["response"]["model"]
    return name


def deploy(vertex: Vertex, endpoint: str, model: str, id: str, split: Any = None) -> Body:
    """The operation of a deployment, ended."""
    deployed = {"id": id, "model": model, "dedicatedResources": MACHINE}
    body: Body = {"deployedModel": deployed, **({"trafficSplit": split} if split else {})}
    return vertex.done(vertex.post(f"{endpoint}:deployModel", body))


def predicted(vertex: Vertex, endpoint: str) -> tuple[str, str]:
    """The deployed model that answered, and its answer."""
    instance = {"content": base64.b64encode(photo(0)).decode()}
    answer = vertex.post(f"{endpoint}:predict", {"instances": [instance]})
    return answer["deployedModelId"], answer["predictions"][0]["displayNames"][0]


def test_a_custom_model_is_served_from_the_users_bucket(vertex: Vertex, bucket: str) -> None:
    """Its machine is shown and billed; the answer names model and version."""
    model, endpoint = upload(vertex, bucket), vertex.endpoint()

    operation = deploy(vertex, endpoint, f"{model}@1", "7", {"0": 100})

    resources = operation["response"]["deployedModel"]["dedicatedResources"]
    assert resources == {**MACHINE, "maxReplicaCount": 1}
    assert predicted(vertex, endpoint) == ("7", "cat")
    (shown,) = vertex.get(endpoint)["deployedModels"]
    assert (shown["model"], shown["modelVersionId"]) == (model, "1")
    usage = httpx.get(f"{vertex.url}/_emulator/usage").json()["usage"]
    (span,) = [one for one in usage if one["resource"].startswith(endpoint)]
    assert span["sku"].endswith("n1-standard-2")
    assert span["usd"] == pytest.approx(span["nodeHours"] * 0.10925, abs=1e-6)


def test_two_versions_of_a_model_are_served_side_by_side(vertex: Vertex, bucket: str) -> None:
    """Each deployed model answers with its own version's files."""
    first, other = upload(vertex, bucket, "cat"), upload(vertex, bucket, "dog")
    second = {
        "displayName": "m",
        "artifactUri": vertex.get(other)["artifactUri"],
        "containerSpec": {"imageUri": IMAGE, **ROUTES},
    }
    vertex.post(f"{vertex.parent}/models:upload", {"parentModel": first, "model": second})
    endpoint = vertex.endpoint()
    deploy(vertex, endpoint, first, "1")

    deploy(vertex, endpoint, f"{first}@2", "2", {"0": 0, "1": 100})
    before = predicted(vertex, endpoint)
    moved = vertex.call(
        "PATCH", f"{endpoint}?updateMask=trafficSplit", {"trafficSplit": {"1": 0, "2": 100}}
    )

    assert before == ("1", "cat") and moved.status_code == 200
    assert predicted(vertex, endpoint) == ("2", "dog")
    assert vertex.get(f"{first}@2")["deployedModels"][0]["deployedModelId"] == "2"
    listed = vertex.get(f"{first}:listVersions")["models"]
    assert [one["deployedModels"][0]["deployedModelId"] for one in listed] == ["1", "2"]
    refused = error(vertex.call("DELETE", f"{first}@2:deleteVersion"))
    assert refused[:2] == (400, "FAILED_PRECONDITION") and endpoint in refused[2]


def test_traffic_goes_where_the_split_says(vertex: Vertex, bucket: str) -> None:
    """Half and half reaches both; a split that is not 100, or names a stranger, is refused."""
    endpoint = vertex.endpoint()
    deploy(vertex, endpoint, upload(vertex, bucket, "cat"), "1")
    model = upload(vertex, bucket, "dog")

    for split in ({"0": 50, "1": 40}, {"0": 50, "9": 50}, {"0": 150, "1": -50}):
        deployed = {"model": model, "dedicatedResources": MACHINE}
        body = {"deployedModel": deployed, "trafficSplit": split}
        answer = vertex.call("POST", f"{endpoint}:deployModel", body)
        assert error(answer)[:2] == (400, "INVALID_ARGUMENT")
    deploy(vertex, endpoint, model, "2", {"0": 50, "1": 50})

    # Forty answers of one model alone: once in 2^39.
    assert {predicted(vertex, endpoint) for _ in range(40)} == {("1", "cat"), ("2", "dog")}


def test_a_model_with_traffic_is_not_undeployed_unless_it_is_the_last(
    vertex: Vertex, bucket: str
) -> None:
    """The traffic is moved first, or in the same request; the last one just goes."""
    endpoint = vertex.endpoint()
    for id, answer in (("1", "cat"), ("2", "dog")):
        deploy(vertex, endpoint, upload(vertex, bucket, answer), id, {"0": 100})

    refused = vertex.call("POST", f"{endpoint}:undeployModel", {"deployedModelId": "2"})
    moved = {"deployedModelId": "2", "trafficSplit": {"1": 100}}

    assert error(refused)[:2] == (400, "FAILED_PRECONDITION")
    assert vertex.post(f"{endpoint}:undeployModel", moved)["done"]
    assert predicted(vertex, endpoint) == ("1", "cat")
    assert vertex.post(f"{endpoint}:undeployModel", {"deployedModelId": "1"})["done"]
    assert "trafficSplit" not in vertex.get(endpoint)


def test_a_deployment_without_traffic_leaves_it_as_it_is(vertex: Vertex, bucket: str) -> None:
    """A second model deployed without a split gets none."""
    endpoint = vertex.endpoint()
    deploy(vertex, endpoint, upload(vertex, bucket, "cat"), "1")
    deploy(vertex, endpoint, upload(vertex, bucket, "dog"), "2")

    assert vertex.get(endpoint)["trafficSplit"] == {"1": 100}


def test_an_image_that_nobody_knows_fails_with_the_flag(vertex: Vertex, bucket: str) -> None:
    """The deployment is accepted, as on Google; the operation says which option is missing."""
    model = upload(vertex, bucket, image="us-docker.pkg.dev/p/r/stranger:1")
    endpoint = vertex.endpoint()

    operation = deploy(vertex, endpoint, model, "1")

    message = operation["error"]["message"]
    assert "Failed to pull the image us-docker.pkg.dev/p/r/stranger:1" in message
    assert "--engine 'serve:us-docker.pkg.dev/p/r/stranger=COMMAND'" in message
    assert "deployedModels" not in vertex.get(endpoint)


def test_a_broken_model_folder_fails_with_the_servers_words(vertex: Vertex, bucket: str) -> None:
    """Files that went after the upload: the server ends, and the operation says why."""
    model = upload(vertex, bucket)
    folder = vertex.get(model)["artifactUri"].removeprefix(f"gs://{bucket}/")
    vertex.upload(bucket, {f"{folder}/known.json": b"no json"})

    operation = deploy(vertex, vertex.endpoint(), model, "1")

    assert "ended before it was ready" in operation["error"]["message"]
    assert "JSONDecodeError" in operation["error"]["message"]


@pytest.mark.parametrize(
    ("resources", "words"),
    [
        ({"automaticResources": {"minReplicaCount": 1}}, "Set dedicated_resources"),
        ({}, "no resources"),
        ({"dedicatedResources": {"minReplicaCount": 1}}, "machine_spec.machine_type"),
        ({"dedicatedResources": {**MACHINE, "minReplicaCount": 0}}, "min_replica_count"),
        ({"dedicatedResources": {**MACHINE, "minReplicaCount": 3, "maxReplicaCount": 2}}, "max_"),
        ({"dedicatedResources": {**MACHINE, "machineSpec": {"machineType": "pc"}}}, "'pc'"),
        (
            {
                "dedicatedResources": {
                    "minReplicaCount": 1,
                    "machineSpec": {"machineType": "e2-standard-4", "acceleratorType": "NVIDIA_L4"},
                }
            },
            "NVIDIA_L4 cannot be attached to e2-standard-4",
        ),
    ],
)
def test_machines_are_judged_before_anything_starts(
    vertex: Vertex, bucket: str, resources: Body, words: str
) -> None:
    """A custom model wants a machine type that serves, and at least one of it."""
    body = {"deployedModel": {"model": upload(vertex, bucket), **resources}}

    code, status, message = error(vertex.call("POST", f"{vertex.endpoint()}:deployModel", body))

    assert (code, status) == (400, "INVALID_ARGUMENT") and words in message


def test_an_empty_folder_is_refused_at_upload(vertex: Vertex, bucket: str) -> None:
    """Google looks into the folder before it makes the model."""
    model = {
        "displayName": "m",
        "artifactUri": f"gs://{bucket}/nothing",
        "containerSpec": {"imageUri": IMAGE},
    }

    answer = error(vertex.call("POST", f"{vertex.parent}/models:upload", {"model": model}))

    assert answer[:2] == (400, "FAILED_PRECONDITION") and "There are no files" in answer[2]


def test_googles_sdk_deploys_a_custom_model_and_moves_its_traffic(
    vertex: Vertex, bucket: str
) -> None:
    """Model.deploy, Endpoint.predict, a second model with a share, undeploy_all, delete."""
    from google.auth.credentials import AnonymousCredentials
    from google.cloud import aiplatform

    aiplatform.init(
        project=vertex.project,
        location=vertex.region,
        api_endpoint=vertex.url,
        api_transport="rest",
        credentials=AnonymousCredentials(),  # type: ignore[no-untyped-call]
    )
    cat, dog = (aiplatform.Model(upload(vertex, bucket, answer)) for answer in ("cat", "dog"))
    instances = [{"content": base64.b64encode(photo(0)).decode()}]

    endpoint = cat.deploy(machine_type="n1-standard-2")
    first = endpoint.predict(instances=instances)
    endpoint.deploy(dog, machine_type="n1-standard-4", traffic_percentage=100)
    second = endpoint.predict(instances=instances)

    assert first.predictions[0]["displayNames"] == ["cat"]
    assert second.predictions[0]["displayNames"] == ["dog"]
    assert (second.model_resource_name, second.model_version_id) == (dog.resource_name, "1")
    assert max(endpoint.traffic_split.values()) == 100
    endpoint.undeploy_all()
    endpoint.delete()
    assert vertex.call("GET", endpoint.resource_name).status_code == 404
