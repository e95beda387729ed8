"""Managed folders: the methods of all folders, lists of them, and their IAM policies."""

from __future__ import annotations

import json
from typing import Any

from emulator.clock import timestamp
from emulator.cloud import Cloud
from emulator.storage import buckets, folders, pages, policy_rules
from emulator.storage.errors import required
from emulator.storage.folder_methods import require, resource, routes
from emulator.storage.folders import MANAGED, FolderRow
from emulator.storage.http import Call, Reply, json_reply

Body = dict[str, Any]


async def listed(cloud: Cloud, call: Call) -> Reply:
    """`GET b/BUCKET/managedFolders`."""
    start, limit = pages.asked(call.query, "pageSize")
    prefix = call.query.get("prefix", "")
    with cloud.store.read() as db:
        bucket = buckets.require(db, call.names[0]).name
        rows = folders.page(db, bucket, MANAGED, prefix, start, "", limit + 1)
    found = [(row.name, resource(cloud, row)) for row in rows]
    return json_reply(pages.answered("storage#managedFolders", limit, found))


async def get_policy(cloud: Cloud, call: Call) -> Reply:
    """`GET b/BUCKET/managedFolders/FOLDER/iam`."""
    with cloud.store.read() as db:
        row = require(db, MANAGED, call)
    return json_reply(policy_rules.shown(_policy(row), _resource_id(row), call.query))


async def set_policy(cloud: Cloud, call: Call) -> Reply:
    """`PUT b/BUCKET/managedFolders/FOLDER/iam`: read-modify-write by etag."""
    sent = await call.json()
    with cloud.store.transaction() as db:
        home, row = buckets.require(db, call.names[0]), require(db, MANAGED, call)
        policy = policy_rules.replaced(_policy(row), sent, home.body)
        db.execute(
            "UPDATE folders SET policy = ?, metageneration = metageneration + 1, updated = ?"
            " WHERE bucket = ? AND kind = ? AND name = ?",
            (json.dumps(policy), timestamp(cloud.clock.now()), row.bucket, MANAGED, row.name),
        )
    asked = {"optionsRequestedPolicyVersion": str(policy_rules.CONDITIONAL)}
    return json_reply(policy_rules.shown(policy, _resource_id(row), asked))


async def test_permissions(cloud: Cloud, call: Call) -> Reply:
    """`GET b/BUCKET/managedFolders/FOLDER/iam/testPermissions`."""
    from emulator.iam import enforce, targets
    from emulator.tokens import OWNER, Caller

    asked = call.many("permissions")
    if not asked:
        raise required("permissions")
    with cloud.store.read() as db:
        row = require(db, MANAGED, call)
    target = targets.bucket(cloud, row.bucket, prefix=row.name)
    caller = call.caller or Caller(OWNER, owner=True)
    found = enforce.granted(cloud, caller, asked, target)
    answer: Body = {"kind": "storage#testIamPermissionsResponse"}
    return json_reply(answer | ({"permissions": found} if found else {}))


def _policy(row: FolderRow) -> Body:
    found: Body = json.loads(row.policy) if row.policy else {"bindings": [], "revision": 1}
    return found


def _resource_id(row: FolderRow) -> str:
    return f"projects/_/buckets/{row.bucket}/managedFolders/{row.name}"


ROUTES = [
    *routes(MANAGED),
    ("GET", "/storage/v1/", "b/*/managedFolders", listed),
    ("GET", "/storage/v1/", "b/*/managedFolders/*/iam", get_policy),
    ("PUT", "/storage/v1/", "b/*/managedFolders/*/iam", set_policy),
    ("GET", "/storage/v1/", "b/*/managedFolders/*/iam/testPermissions", test_permissions),
]
