"""The IAM policy of a bucket, in step with its access controls; `iam/enforce.py` refuses by it."""

from __future__ import annotations

import json
import sqlite3
from typing import Any

from emulator.cloud import Cloud
from emulator.errors import ApiError
from emulator.iam import members, policy_changes
from emulator.storage import acl, acl_bindings, buckets, policy_rules
from emulator.storage.errors import StorageError, invalid
from emulator.storage.http import Call, Reply, json_reply

Policy = dict[str, Any]

MANAGED_FOLDERS = "SELECT 1 FROM folders WHERE bucket = ? AND kind = 'managed' LIMIT 1"
STILL_FOLDERS = (
    "Cannot disable uniform bucket-level access because the bucket has managed folders. "
    + acl.ABOUT_UNIFORM
)
STILL_CONDITIONAL = (
    "Cannot disable uniform bucket-level access because the bucket's IAM policy has conditions. "
    + acl.ABOUT_UNIFORM
)


async def get_policy(cloud: Cloud, call: Call) -> Reply:
    """`GET b/BUCKET/iam`."""
    with cloud.store.read() as db:
        row = buckets.require(db, call.names[0])
        policy = current(db, row)
    return json_reply(policy_rules.shown(policy, _resource_id(row.name), call.query))


async def set_policy(cloud: Cloud, call: Call) -> Reply:
    """`PUT b/BUCKET/iam`: read-modify-write by etag, 412 for a stale one."""
    sent = await call.json()
    with cloud.store.transaction() as db:
        row = buckets.require(db, call.names[0])
        before = current(db, row)
        _check_version(before, sent)
        policy = policy_rules.replaced(before, sent, row.body)
        members.check_new(cloud, before["bindings"], policy["bindings"])
        entries = acl_bindings.entries_of(policy["bindings"], row.project_id)
        if entries != acl.bucket_entries(row.body):
            buckets.write(cloud, db, row, row.body | {"acl": entries})
        _store(db, row.name, policy)
    asked = {"optionsRequestedPolicyVersion": str(policy_rules.CONDITIONAL)}
    return json_reply(policy_rules.shown(policy, _resource_id(row.name), asked))


def current(db: sqlite3.Connection, row: buckets.BucketRow) -> Policy:
    """The policy as it is: `bindings`, and the `revision` that its etag is made of."""
    (text,) = db.execute("SELECT policy FROM buckets WHERE name = ?", (row.name,)).fetchone()
    if text:
        policy: Policy = json.loads(text)
        return policy
    return {"bindings": acl_bindings.first_bindings(row.body, row.project_id), "revision": 1}


def follow(db: sqlite3.Connection, before: buckets.BucketRow, after: buckets.BucketRow) -> None:
    """Brings the policy in step with a bucket whose controls or kind of access have changed.

    412 for a bucket that is no longer uniform while its policy has conditions or while it has
    managed folders. A bucket that is new comes as both.
    """
    policy = current(db, before)
    opened = acl.uniform(before.body) and not acl.uniform(after.body)
    if opened and policy_rules.conditional(policy["bindings"]):
        raise StorageError(412, "conditionNotMet", STILL_CONDITIONAL, ("header", "If-Match"))
    if opened and db.execute(MANAGED_FOLDERS, (after.name,)).fetchone():
        raise StorageError(412, "conditionNotMet", STILL_FOLDERS, ("header", "If-Match"))
    if before is after or after.body.get("acl") != before.body.get("acl"):
        entries = acl.bucket_entries(after.body)
        bindings = acl_bindings.followed(policy["bindings"], entries, after.project_id)
        _store(db, after.name, {"bindings": bindings, "revision": policy["revision"] + 1})


def _check_version(before: Policy, sent: Policy) -> None:
    """400 for who writes back a policy whose conditions were not shown."""
    try:
        policy_changes.check_version(before["bindings"], sent)
    except ApiError as error:
        raise invalid(error.message) from None


def _store(db: sqlite3.Connection, bucket: str, policy: Policy) -> None:
    text = json.dumps(policy, ensure_ascii=False, separators=(",", ":"))
    db.execute("UPDATE buckets SET policy = ? WHERE name = ?", (text, bucket))


def _resource_id(bucket: str) -> str:
    return f"projects/_/buckets/{bucket}"
