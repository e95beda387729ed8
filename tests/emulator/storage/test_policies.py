"""The IAM policy of a bucket."""

from __future__ import annotations

import httpx
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
