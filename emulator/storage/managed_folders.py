"""The methods of managed folders: made, found, listed, deleted, and their IAM policies."""

from __future__ import annotations

import json
import sqlite3
from typing import Any
from urllib.parse import quote

from emulator.clock import timestamp
from emulator.cloud import Cloud
from emulator.storage import buckets, folders, pages, policy_rules
from emulator.storage.errors import StorageError, required
from emulator.storage.folders import MANAGED, FolderRow
from emulator.storage.http import Call, Reply, flag, json_reply
from emulator.storage.preconditions import Preconditions

Body = dict[str, Any]

KIND = "storage#managedFolder"


async def insert(cloud: Cloud, call: Call) -> Reply:
    """`POST b/BUCKET/managedFolders`."""
    name = folders.checked_name((await call.json()).get("name"))
    with cloud.store.transaction() as db:
        home = buckets.require(db, call.names[0])
        row = folders.create(cloud, db, home, MANAGED, name, parents=False)
    return json_reply(resource(cloud, row))


async def get(cloud: Cloud, call: Call) -> Reply:
    """`GET b/BUCKET/managedFolders/FOLDER`."""
    with cloud.store.read() as db:
        row = _require(db, call)
    Preconditions.of_call(call).check_read(0, row.metageneration)
    return json_reply(resource(cloud, row))


async def listed(cloud: Cloud, call: Call) -> Reply:
    """`GET b/BUCKET/managedFolders`."""
    start, limit = pages.asked(call.query, "pageSize")
    prefix = call.query.get("prefix", "")
    with cloud.store.read() as db:
        bucket = buckets.require(db, call.names[0]).name
        rows = folders.page(db, bucket, MANAGED, prefix, start, "", limit + 1)
    found = [(row.name, resource(cloud, row)) for row in rows]
    return json_reply(pages.answered(f"{KIND}s", limit, found))


async def delete(cloud: Cloud, call: Call) -> Reply:
    """`DELETE b/BUCKET/managedFolders/FOLDER`; with `allowNonEmpty` what lies in it stays."""
    conditions = Preconditions.of_call(call)
    with cloud.store.transaction() as db:
        row = _require(db, call)
        conditions.check_write(0, row.metageneration)
        if not flag(call.query, "allowNonEmpty") and not folders.is_empty(db, row):
            raise StorageError(409, "conflict", folders.NOT_EMPTY)
        folders.remove(db, row)
    return Reply(204)


async def get_policy(cloud: Cloud, call: Call) -> Reply:
    """`GET b/BUCKET/managedFolders/FOLDER/iam`."""
    with cloud.store.read() as db:
        row = _require(db, call)
    return json_reply(policy_rules.shown(_policy(row), _resource_id(row), call.query))


async def set_policy(cloud: Cloud, call: Call) -> Reply:
    """`PUT b/BUCKET/managedFolders/FOLDER/iam`: read-modify-write by etag."""
    sent = await call.json()
    with cloud.store.transaction() as db:
        home, row = buckets.require(db, call.names[0]), _require(db, call)
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
        row = _require(db, call)
    target = targets.bucket(cloud, row.bucket, prefix=row.name)
    caller = call.caller or Caller(OWNER, owner=True)
    found = enforce.granted(cloud, caller, asked, target)
    answer: Body = {"kind": "storage#testIamPermissionsResponse"}
    return json_reply(answer | ({"permissions": found} if found else {}))


def resource(cloud: Cloud, row: FolderRow) -> Body:
    """A managed folder as JSON."""
    path = f"b/{row.bucket}/managedFolders/{quote(row.name, safe='')}"
    return {
        "kind": KIND,
        "id": f"{row.bucket}/{row.name}",
        "selfLink": f"{cloud.settings.base_url}/storage/v1/{path}",
        "bucket": row.bucket,
        "name": row.name,
        "metageneration": str(row.metageneration),
        "createTime": row.created,
        "updateTime": row.updated,
    }


def _require(db: sqlite3.Connection, call: Call) -> FolderRow:
    buckets.require(db, call.names[0])
    return folders.require(db, call.names[0], MANAGED, call.names[1])


def _policy(row: FolderRow) -> Body:
    found: Body = json.loads(row.policy) if row.policy else {"bindings": [], "revision": 1}
    return found


def _resource_id(row: FolderRow) -> str:
    return f"projects/_/buckets/{row.bucket}/managedFolders/{row.name}"


ROUTES = [
    ("POST", "/storage/v1/", "b/*/managedFolders", insert),
    ("GET", "/storage/v1/", "b/*/managedFolders", listed),
    ("GET", "/storage/v1/", "b/*/managedFolders/*", get),
    ("DELETE", "/storage/v1/", "b/*/managedFolders/*", delete),
    ("GET", "/storage/v1/", "b/*/managedFolders/*/iam", get_policy),
    ("PUT", "/storage/v1/", "b/*/managedFolders/*/iam", set_policy),
    ("GET", "/storage/v1/", "b/*/managedFolders/*/iam/testPermissions", test_permissions),
]
