"""The IAM policy of a bucket."""

from __future__ import annotations

import httpx
import pytest
from google.cloud.storage import Bucket

VIEWER = "roles/storage.objectViewer"


def test_a_new_bucket_has_its_projects_grants(bucket: Bucket) -> None:
    """Owners, editors and viewers of the project have the legacy roles."""
    policy = bucket.get_iam_policy(requested_policy_version=3)

    assert policy["roles/storage.legacyBucketOwner"] == {
        "projectEditor:test-project",
        "projectOwner:test-project",
    }


def test_a_policy_is_read_changed_and_written(bucket: Bucket) -> None:
    """A grant that is written is read again."""
    policy = bucket.get_iam_policy(requested_policy_version=3)
    policy.bindings.append({"role": VIEWER, "members": {"user:a@example.org"}})

    bucket.set_iam_policy(policy)

    assert bucket.get_iam_policy(requested_policy_version=3)[VIEWER] == {"user:a@example.org"}


def test_a_stale_etag_is_refused(bucket: Bucket, http: httpx.Client) -> None:
    """The second of two writers that read the same policy is 412, and the first one's stays."""
    path = f"/storage/v1/b/{bucket.name}/iam"
    policy = http.get(path).json()
    first = {**policy, "bindings": [{"role": VIEWER, "members": ["user:first@example.org"]}]}
    second = {**policy, "bindings": [{"role": VIEWER, "members": ["user:second@example.org"]}]}

    codes = [http.put(path, json=first).status_code, http.put(path, json=second).status_code]

    assert codes == [200, 412]
    assert http.get(path).json()["bindings"] == first["bindings"]


def test_the_owner_may_do_everything(bucket: Bucket) -> None:
    """testPermissions gives back what was asked for."""
    asked = ["storage.buckets.get", "storage.objects.create"]

    assert bucket.test_iam_permissions(asked) == asked


def uniform(bucket: Bucket) -> None:
    """Makes the bucket's access uniform."""
    bucket.iam_configuration.uniform_bucket_level_access_enabled = True
    bucket.patch()


def test_conditions_need_uniform_access_and_version_3(bucket: Bucket, http: httpx.Client) -> None:
    """Without uniform access 412, in an older version 400; then they are kept and hold it fast."""
    path = f"/storage/v1/b/{bucket.name}"
    condition = {"title": "t", "description": "d", "expression": "request.time < timestamp('x')"}
    binding = {"role": VIEWER, "members": ["user:a@example.org"], "condition": condition}

    early = http.put(f"{path}/iam", json={"version": 3, "bindings": [binding]})
    uniform(bucket)
    old = http.put(f"{path}/iam", json={"version": 1, "bindings": [binding]})
    kept = http.put(f"{path}/iam", json={"version": 3, "bindings": [binding]})

    assert (early.status_code, old.status_code, kept.status_code) == (412, 400, 200)
    assert "enable uniform bucket-level access" in early.json()["error"]["message"]
    assert "at least 3" in old.json()["error"]["message"]
    read = http.get(f"{path}/iam?optionsRequestedPolicyVersion=3").json()
    assert (read["version"], read["bindings"]) == (3, [binding])
    assert http.get(f"{path}/iam").status_code == 400
    off = {"iamConfiguration": {"uniformBucketLevelAccess": {"enabled": False}}}
    assert http.patch(path, json=off).status_code == 412


def test_a_policy_without_conditions_has_version_1(bucket: Bucket, http: httpx.Client) -> None:
    """Whatever version is sent or asked for; a version that is none is 400."""
    path = f"/storage/v1/b/{bucket.name}/iam"
    bindings = [{"role": VIEWER, "members": ["user:a@example.org"]}]

    assert http.put(path, json={"version": 3, "bindings": bindings}).json()["version"] == 1
    assert http.get(f"{path}?optionsRequestedPolicyVersion=3").json()["version"] == 1
    assert http.get(f"{path}?optionsRequestedPolicyVersion=2").status_code == 400
    assert "bindings" not in http.put(path, json={"version": 3}).json()


@pytest.mark.parametrize(
    "binding",
    [
        {"role": "viewer", "members": ["user:a@example.org"]},
        {"role": "roles/owner", "members": ["user:a@example.org"]},
        {"members": ["user:a@example.org"]},
        {"role": VIEWER, "members": ["a@example.org"]},
        {"role": VIEWER, "members": "user:a@example.org"},
        {"role": VIEWER, "members": [7]},
        {"role": "roles/foo", "members": ["user:a@example.org"]},
        {"role": "roles/browser", "members": ["user:a@example.org"]},
        {"role": "roles/aiplatform.user", "members": ["user:a@example.org"]},
        {"role": "roles/storage.hmacKeyAdmin", "members": ["user:a@example.org"]},
    ],
)
def test_bindings_that_are_none(
    bucket: Bucket, http: httpx.Client, binding: dict[str, object]
) -> None:
    """A role or member that a bucket cannot have is 400, and the policy stays."""
    path = f"/storage/v1/b/{bucket.name}/iam"
    before = http.get(path).json()

    assert http.put(path, json={"bindings": [binding]}).status_code == 400
    assert http.get(path).json() == before


@pytest.mark.parametrize(
    "role",
    ["roles/storage.admin", "roles/aiplatform.serviceAgent", "roles/iam.securityReviewer",
     "roles/iam.dataScientist", "roles/bigquery.dataViewer", "projects/test-project/roles/mine"],
)  # fmt: skip
def test_roles_that_a_bucket_can_have(bucket: Bucket, http: httpx.Client, role: str) -> None:
    """Those with a permission for buckets, and those whose permissions are not known here."""
    binding = {"role": role, "members": ["user:a@example.org"]}

    answer = http.put(f"/storage/v1/b/{bucket.name}/iam", json={"bindings": [binding]})

    assert answer.json().get("bindings") == [binding]


@pytest.mark.parametrize("version", [2, 4, -1])
def test_versions_that_are_none(bucket: Bucket, http: httpx.Client, version: int) -> None:
    """A policy is of version 0, 1 or 3; of another it is 400, and empties nothing."""
    path = f"/storage/v1/b/{bucket.name}/iam"
    before = http.get(path).json()

    assert http.put(path, json={"version": version}).status_code == 400
    assert http.get(path).json() == before


@pytest.mark.parametrize("permission", ["foo.bar", "foo.bar.baz", "storage.*", "storage.objects"])
def test_what_is_no_permission_is_not_granted(
    bucket: Bucket, http: httpx.Client, permission: str
) -> None:
    """Not to the owner either: 400, as for a project."""
    path = f"/storage/v1/b/{bucket.name}/iam/testPermissions"

    answer = http.get(path, params={"permissions": ["storage.buckets.get", permission]})

    assert answer.status_code == 400
    assert answer.json()["error"]["message"] == (
        f"Permission {permission} is not valid for this resource."
    )


def test_a_uniform_bucket_grants_on_objects_too(bucket: Bucket) -> None:
    """Where there are no access controls, the teams of the project have the roles instead."""
    uniform(bucket)
    policy = bucket.get_iam_policy(requested_policy_version=3)

    assert policy["roles/storage.legacyObjectReader"] == {"projectViewer:test-project"}
