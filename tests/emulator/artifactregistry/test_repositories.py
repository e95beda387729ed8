"""Repositories of images: made, changed, granted, deleted."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from starlette.testclient import TestClient

BASE = "/v1/projects/registry-project/locations/us-central1/repositories"
SENT: dict[str, Any] = {
    "format": "DOCKER",
    "description": "images of the trainer",
    "cleanupPolicies": {"old": {"id": "old", "action": "DELETE"}},
}


def made(http: TestClient, last: str = "ops") -> dict[str, Any]:
    """A repository, made by Terraform's snake_case parameter."""
    operation = http.post(f"{BASE}?repository_id={last}", json=SENT).json()
    assert operation["done"] is True
    assert http.get(f"/v1/{operation['name']}").json() == operation
    found: dict[str, Any] = http.get(f"{BASE}/{last}").json()
    return found


def test_a_repository_comes_back_as_it_was_made(local_http: TestClient) -> None:
    """Every field sent, the default mode, and the address to push to."""
    found = made(local_http)

    assert {key: found[key] for key in SENT} == SENT
    assert found["mode"] == "STANDARD_REPOSITORY"
    assert found["registryUri"] == "us-central1-docker.pkg.dev/registry-project/ops"


def test_the_name_is_taken_once(local_http: TestClient) -> None:
    """409 the second time."""
    made(local_http)

    assert local_http.post(f"{BASE}?repositoryId=ops", json=SENT).status_code == 409


def test_a_mask_changes_what_may_change(local_http: TestClient) -> None:
    """Labels change, the format does not."""
    made(local_http)
    sent = {"labels": {"a": "b"}, "format": "PYTHON"}

    after = local_http.patch(f"{BASE}/ops?updateMask=labels", json=sent).json()
    refused = local_http.patch(f"{BASE}/ops?updateMask=labels,format", json=sent)

    assert (after["labels"], after["format"]) == ({"a": "b"}, "DOCKER")
    assert refused.status_code == 400


def test_a_policy_is_replaced_by_its_etag(local_http: TestClient) -> None:
    """Read, written with the etag that was read, refused with the same etag again."""
    made(local_http)
    policy = local_http.get(f"{BASE}/ops:getIamPolicy").json()
    member = "serviceAccount:trainer@registry-project.iam.gserviceaccount.com"
    binding = {"role": "roles/artifactregistry.reader", "members": [member]}
    sent = {"policy": {**policy, "bindings": [binding]}}

    first = local_http.post(f"{BASE}/ops:setIamPolicy", json=sent)
    second = local_http.post(f"{BASE}/ops:setIamPolicy", json=sent)

    assert first.json()["bindings"] == [binding]
    assert second.status_code == 409
    assert local_http.get(f"{BASE}/ops:getIamPolicy").json() == first.json()


def test_a_deleted_repository_takes_its_policy_along(local_http: TestClient) -> None:
    """Made again under the same name, nobody has rights on it."""
    made(local_http)
    binding = {"role": "roles/artifactregistry.reader", "members": ["allUsers"]}
    local_http.post(f"{BASE}/ops:setIamPolicy", json={"policy": {"bindings": [binding]}})

    assert local_http.delete(f"{BASE}/ops").json()["done"] is True
    assert local_http.get(f"{BASE}/ops").status_code == 404
    made(local_http)

    assert "bindings" not in local_http.get(f"{BASE}/ops:getIamPolicy").json()


def test_a_policy_is_judged_as_any_other(local_http: TestClient) -> None:
    """A misshapen role, and a condition under version 1, are 400 and change nothing."""
    made(local_http)
    role, member = "roles/artifactregistry.reader", "user:a@example.com"
    condition = {"title": "soon", "expression": "request.time < timestamp('2030-01-01T00:00:00Z')"}
    for binding in (
        {"role": "reader", "members": [member]},
        {"role": role, "members": [member], "condition": condition},
    ):
        sent = {"policy": {"version": 1, "bindings": [binding]}}
        assert local_http.post(f"{BASE}/ops:setIamPolicy", json=sent).status_code == 400

    assert "bindings" not in local_http.get(f"{BASE}/ops:getIamPolicy").json()
