"""What every noun of Vertex AI refuses alike: ids, names, labels, masks, lists of operations."""

from __future__ import annotations

from typing import Any

import pytest

from emulator.aiplatform import deployed_resources
from emulator.errors import ApiError
from tests.emulator.vertex import IMAGE_SCHEMA, Vertex, error

DATASET = {"displayName": "x", "metadataSchemaUri": IMAGE_SCHEMA}


def field_of(answer: Any) -> str:
    """The field of the one violation of a 400."""
    assert error(answer)[:2] == (400, "INVALID_ARGUMENT")
    (violation,) = answer.json()["error"]["details"][0]["fieldViolations"]
    return str(violation["field"])


@pytest.mark.parametrize(
    ("collection", "title"),
    [("datasets", "Dataset"), ("customJobs", "CustomJob"), ("trainingPipelines", None)],
)
def test_ids_that_only_google_gives(vertex: Vertex, collection: str, title: str | None) -> None:
    """Anything but a number is no name at all; a number that is not there is not found."""
    bad = vertex.call("GET", f"{vertex.parent}/{collection}/mine")
    missing = vertex.call("GET", f"{vertex.parent}/{collection}/123")

    assert error(bad)[2] == (
        f"List of found errors:\t1.Field: name; "
        f"Message: Invalid {title or 'TrainingPipeline'} resource name.\t"
    )
    assert error(missing)[:2] == (404, "NOT_FOUND")


def test_a_refusal_names_the_project_as_it_was_sent(vertex: Vertex) -> None:
    """With the number where the client wrote the number."""
    number = vertex.get(vertex.dataset())["metadata"]["gcsBucket"].rsplit("-", 1)[1]
    name = f"projects/{number}/locations/us-central1/endpoints/none"

    assert error(vertex.call("GET", name))[2] == f'endpoint "{name}" not found'


@pytest.mark.parametrize(
    ("change", "field"),
    [
        ({"displayName": "x" * 129}, "dataset.display_name"),
        ({"displayName": ""}, "dataset.display_name"),
        ({"metadataSchemaUri": ""}, "dataset.metadata_schema_uri"),
        ({"labels": {"Team": "a"}}, "dataset.labels"),
        ({"labels": {"team": "a b"}}, "dataset.labels"),
        ({"labels": {"": "a"}}, "dataset.labels"),
        ({"labels": {f"k{number}": "" for number in range(65)}}, "dataset.labels"),
    ],
)
def test_a_data_set_that_is_refused(vertex: Vertex, change: dict[str, Any], field: str) -> None:
    """Names of 1 to 128 characters; 64 labels of lowercase letters of any script."""
    good = {**DATASET, "displayName": "ü" * 128, "labels": {"größe_1": "grün-1", "色": ""}}

    assert (
        field_of(vertex.call("POST", f"{vertex.parent}/datasets", {**DATASET, **change})) == field
    )
    assert vertex.call("POST", f"{vertex.parent}/datasets", good).status_code == 200


@pytest.mark.parametrize(
    ("mask", "body"),
    [
        ("", {"displayName": "y"}),
        ("colour", {}),
        ("createTime", {}),
        ("displayName.x", {"displayName": "y"}),
        ("displayName", {}),
    ],
)
def test_masks_that_are_refused(vertex: Vertex, mask: str, body: dict[str, Any]) -> None:
    """None, of an unknown field, of Google's own, into a string, and clearing what is required."""
    name = vertex.dataset()

    answer = vertex.call("PATCH", f"{name}?updateMask={mask}", body)

    assert error(answer)[:2] == (400, "INVALID_ARGUMENT")
    assert vertex.get(name)["displayName"] == "photos"


def test_a_mask_may_name_one_label_or_all_fields(vertex: Vertex) -> None:
    """`labels.a` leaves the others; `*` clears what was not sent; snake case is understood."""
    name = vertex.endpoint(labels={"a": "1", "b_c": "2"}, description="old")

    def patched(mask: str, body: dict[str, Any]) -> Any:
        return vertex.call("PATCH", f"{name}?updateMask={mask}", body).json()

    one = patched("labels.a", {"labels": {"a": "5"}})
    other = patched("labels.bC,description", {"description": "new"})
    snake = patched("display_name", {"displayName": "renamed"})
    whole = patched("*", {"displayName": "last"})

    assert one["labels"] == {"a": "5", "b_c": "2"}
    assert other["labels"] == {"a": "5"} and other["description"] == "new"
    assert snake["displayName"] == "renamed"
    assert "labels" not in whole and "description" not in whole


def test_operations_are_listed_by_page_and_filter(vertex: Vertex) -> None:
    """Pages, `done`, and what is no number, no filter or no time."""
    name = vertex.dataset()
    path = f"{name}/operations"

    first = vertex.get(f"{path}?pageSize=1&filter=done=true")

    assert len(first["operations"]) == 1 and "nextPageToken" not in first
    assert vertex.get(f"{path}?filter=done=false") == {}
    for query in ("pageSize=x", "pageSize=-1", "pageToken=x", "filter=colour=red"):
        answer = vertex.call("GET", f"{path}?{query}")
        assert error(answer)[:2] == (400, "INVALID_ARGUMENT")
    operation = first["operations"][0]["name"]
    for body in ({"timeout": "soon"}, {"colour": 1}, [1]):
        answer = vertex.call("POST", f"{operation}:wait", body)
        assert error(answer)[:2] == (400, "INVALID_ARGUMENT")
    assert vertex.post(f"{operation}:wait", {"timeout": "1.5s"})["done"]


def test_a_name_of_another_collection_is_refused(vertex: Vertex) -> None:
    """A data set is no model, endpoint or pipeline job, wherever its name is sent."""
    dataset = vertex.dataset()
    body = {"deployedModel": {"model": dataset, "automaticResources": {"minReplicaCount": 1}}}

    deployment = vertex.call("POST", f"{vertex.endpoint()}:deployModel", body)
    batch = vertex.call("POST", f"{vertex.parent}/pipelineJobs:batchDelete", {"names": [dataset]})

    assert field_of(deployment) == "name" and "Invalid Model resource" in deployment.text
    assert error(batch)[:2] == (400, "INVALID_ARGUMENT")


@pytest.mark.parametrize("chosen", ["0123", "9a", "A", "a_b", "a-", "12345678901", "a" * 64])
def test_ids_of_endpoints_that_google_refuses(vertex: Vertex, chosen: str) -> None:
    """Letters, digits and hyphens, from a letter on; or a number without leading zeros."""
    path = f"{vertex.parent}/endpoints?endpointId={chosen}"

    answer = vertex.call("POST", path, {"displayName": "e"})

    assert error(answer)[:2] == (400, "INVALID_ARGUMENT")
    assert "endpoint_id must match" in answer.text


def test_the_fields_of_automatic_resources_are_named() -> None:
    """Not those of dedicated ones."""
    model = {"name": "m", "supportedDeploymentResourcesTypes": ["AUTOMATIC_RESOURCES"]}
    sent = {"automaticResources": {"minReplicaCount": 3, "maxReplicaCount": 2}}

    with pytest.raises(ApiError, match=r"automatic_resources\.max_replica_count"):
        deployed_resources.of(model, sent)


def test_one_of_two_fields_is_set(vertex: Vertex) -> None:
    """Both are refused in the words of Google's front end."""
    both: dict[str, Any] = {"automaticResources": {}, "dedicatedResources": {}}

    answer = vertex.call("POST", f"{vertex.endpoint()}:deployModel", {"deployedModel": both})

    assert error(answer)[:2] == (400, "INVALID_ARGUMENT")
    assert error(answer)[2].endswith(
        "Invalid value at 'deployed_model' (oneof), oneof field 'prediction_resources' is already "
        "set. Cannot set 'dedicatedResources'"
    )


def test_locations_are_told_and_policies_refused_by_name(vertex: Vertex) -> None:
    """Every region, by pages too; a policy of an endpoint is 501, with the name of the method."""
    whole = vertex.get(f"projects/{vertex.project}/locations")["locations"]
    first = vertex.get(f"projects/{vertex.project}/locations?pageSize=30")
    token = first["nextPageToken"]
    rest = vertex.get(f"projects/{vertex.project}/locations?pageSize=30&pageToken={token}")

    assert first["locations"] + rest["locations"] == whole and "nextPageToken" not in rest
    assert vertex.get(vertex.parent) in whole
    assert vertex.get(vertex.parent)["locationId"] == "us-central1"
    assert vertex.call("GET", f"projects/{vertex.project}/locations/moon").status_code == 400
    for verb in ("getIamPolicy", "setIamPolicy", "testIamPermissions"):
        code, status, message = error(vertex.call("POST", f"{vertex.endpoint()}:{verb}", {}))
        assert (code, status) == (501, "UNIMPLEMENTED")
        assert verb[1:] in message and "IAMPolicy" in message


def test_a_method_that_is_not_here_is_named_as_it_was_asked(vertex: Vertex) -> None:
    """Under v1beta1 by its name there."""
    answer = vertex.call("POST", f"{vertex.parent}/specialistPools", {}, version="v1beta1")

    assert error(answer)[:2] == (501, "UNIMPLEMENTED")
    assert "google.cloud.aiplatform.v1beta1.SpecialistPoolService" in answer.text
