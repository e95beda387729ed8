"""What no policy takes: conditions that are no CEL, roles that Google has not."""

from __future__ import annotations

from typing import Any
from uuid import uuid4

import pytest

from emulator.iam.conditions import problem_of
from emulator.iam.roles import is_no_role
from tests.emulator.iam.conftest import Owned

NO_CEL = ["this is ( not CEL", "resource.name.startsWith('a'", "a &&", "'open", "9" * 4_500, "a b"]
MEMBERS = ["user:a@example.org"]


def binding(role: str, expression: str = "") -> dict[str, Any]:
    """A binding, on a condition where there is an expression."""
    condition = {"condition": {"title": "t", "expression": expression}} if expression else {}
    return {"role": role, "members": MEMBERS, **condition}


@pytest.mark.parametrize("expression", NO_CEL)
def test_what_is_no_cel(expression: str) -> None:
    """The problem is told."""
    assert problem_of(expression)


@pytest.mark.parametrize(
    "expression",
    ["request.time < timestamp('2026-01-01T00:00:00Z')", "a ? true : false", "1 + 1 == 2",
     "x.exists(a, a > 1) && y[0] == 'z'", "true // (", "name.matches(r'\\d(')", "{'a': 1}.a == 1"],
)  # fmt: skip
def test_cel_beyond_what_is_evaluated_is_kept(expression: str) -> None:
    """What Google may take is not refused for being unknown here."""
    assert problem_of(expression) is None


def test_roles() -> None:
    """Google's roles are known where all of a service's are; the others are not judged."""
    for role in (
        "roles/storage.objectViewr",
        "roles/iam.nobody",
        "roles/aiplatform.usr",
        "roles/foo",
    ):
        assert is_no_role(role), role
    for role in (
        "roles/storage.objectViewer", "roles/aiplatform.featurestoreAdmin", "roles/iam.denyAdmin",
        "roles/bigquery.anything", "roles/owner", "roles/writer", "projects/p/roles/storage.mine",
    ):  # fmt: skip
        assert not is_no_role(role), role


@pytest.mark.parametrize(
    ("one", "words"),
    [(binding("roles/storage.objectViewer", NO_CEL[0]), "no CEL"),
     (binding("roles/storage.objectViewr"), "Role roles/storage.objectViewr is not supported")],
)  # fmt: skip
def test_every_policy_refuses_them(owned: Owned, one: dict[str, Any], words: str) -> None:
    """Of a project, a service account, a bucket and a managed folder: 400, and nothing is kept."""
    bucket = f"rules-{uuid4().hex[:8]}"
    uniform = {"uniformBucketLevelAccess": {"enabled": True}}
    owned.http.post(
        f"/storage/v1/b?project={owned.project}",
        json={"name": bucket, "iamConfiguration": uniform},
    )
    owned.http.post(f"/storage/v1/b/{bucket}/managedFolders", json={"name": "m/"})
    account = f"/v1/projects/{owned.project}/serviceAccounts/{owned.account()}"
    policy = {"version": 3, "bindings": [one]}

    for path in (f"/v1/projects/{owned.project}", account):
        answer = owned.http.post(f"{path}:setIamPolicy", json={"policy": policy})
        assert answer.status_code == 400 and words in answer.json()["error"]["message"]
    for path in (f"/storage/v1/b/{bucket}/iam", f"/storage/v1/b/{bucket}/managedFolders/m%2F/iam"):
        answer = owned.http.put(path, json=policy)
        assert answer.status_code == 400 and words in answer.json()["error"]["message"]
        assert MEMBERS[0] not in owned.http.get(path).text
