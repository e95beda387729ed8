"""What Google refuses of a change of a policy: lost conditions, roles and members out of place."""

from __future__ import annotations

from typing import Any

import pytest

from tests.emulator.iam.conftest import Owned

ANN = "user:ann@example.com"
CONDITION = {"title": "ever", "expression": "request.time > timestamp('2020-01-01T00:00:00Z')"}
CONDITIONAL = {"role": "roles/iam.serviceAccountUser", "members": [ANN], "condition": CONDITION}


def refusal(owned: Owned, path: str, policy: dict[str, Any], **other: str) -> str:
    """What the owner is told who may not set this policy."""
    answer = owned.http.post(f"{path}:setIamPolicy", json={"policy": policy, **other})
    assert answer.status_code == 400, answer.text
    return str(answer.json()["error"]["message"])


@pytest.mark.parametrize("kind", ["project", "account"])
def test_hidden_conditions_are_not_written_over(owned: Owned, kind: str) -> None:
    """Who read the policy without its conditions, and writes it back, loses none of them."""
    path = f"/v1/projects/{owned.project}"
    path += f"/serviceAccounts/{owned.account()}" if kind == "account" else ""
    kept = {"version": 3, "bindings": [CONDITIONAL]}
    owned.http.post(f"{path}:setIamPolicy", json={"policy": kept}).raise_for_status()
    read = owned.http.post(f"{path}:getIamPolicy", json={}).json()

    assert "_withcond_" in read["bindings"][0]["role"]
    assert "cannot be less than the existing policy version (3)" in refusal(owned, path, read)
    del read["etag"]
    assert "is not supported for this resource" in refusal(owned, path, read)
    asked = {"options": {"requestedPolicyVersion": 3}}
    now = owned.http.post(f"{path}:getIamPolicy", json=asked).json()
    assert now["bindings"] == [CONDITIONAL]
    removed = {"version": 3, "bindings": [], "etag": now["etag"]}
    assert owned.http.post(f"{path}:setIamPolicy", json={"policy": removed}).status_code == 200


def test_a_bucket_s_conditions_are_not_written_over(owned: Owned) -> None:
    """The same with 400 of Cloud Storage."""
    binding = {**CONDITIONAL, "role": "roles/storage.objectViewer"}
    path = f"/storage/v1/b/{owned.bucket(binding)}/iam"
    asked = {"optionsRequestedPolicyVersion": 3}
    now = owned.http.get(path, params=asked).json()

    sent = {"version": 1, "bindings": [], "etag": now["etag"]}
    answer = owned.http.put(path, json=sent)

    assert answer.status_code == 400
    assert "cannot be less than" in answer.json()["error"]["message"]
    assert owned.http.get(path, params=asked).json() == now


@pytest.mark.parametrize(
    ("binding", "told"),
    [
        ({"role": "roles/viewer", "members": ["allUsers"]}, "allUsers"),
        ({**CONDITIONAL, "role": "roles/editor"}, "roles/editor"),
    ],
)
def test_what_a_project_cannot_grant(owned: Owned, binding: dict[str, Any], told: str) -> None:
    """The public has no role in a project, and basic roles have no conditions."""
    policy = {"version": 3, "bindings": [binding]}

    assert told in refusal(owned, f"/v1/projects/{owned.project}", policy)


def test_what_an_account_cannot_grant(owned: Owned) -> None:
    """A role of Cloud Storage is none on a service account."""
    path = f"/v1/projects/{owned.project}/serviceAccounts/{owned.account()}"
    policy = {"bindings": [{"role": "roles/storage.objectViewer", "members": [ANN]}]}

    assert "roles/storage.objectViewer is not supported" in refusal(owned, path, policy)


def test_a_mask_names_fields_of_a_policy(owned: Owned) -> None:
    """Others are refused, those of the reference are taken."""
    path = f"/v1/projects/{owned.project}"
    policy: dict[str, Any] = {"bindings": [{"role": "roles/owner", "members": [ANN]}]}

    assert "nothing" in refusal(owned, path, policy, updateMask="bindings,nothing")
    sent = {"policy": policy, "updateMask": "bindings, etag"}
    assert owned.http.post(f"{path}:setIamPolicy", json=sent).status_code == 200


def test_an_access_token_lives_an_hour_at_most(owned: Owned) -> None:
    """Longer takes an organization's policy, and there is none."""
    path = f"/v1/projects/-/serviceAccounts/{owned.account()}:generateAccessToken"
    asked = {"scope": ["https://www.googleapis.com/auth/cloud-platform"], "lifetime": "7200s"}

    answer = owned.http.post(path, json=asked)

    assert answer.status_code == 400
    assert "can not have lifetimes of more than 1 hour" in answer.json()["error"]["message"]
    assert owned.http.post(path, json=asked | {"lifetime": "3600s"}).status_code == 200
