"""The IAM policy of a bucket: kept and given back; nothing is refused by it yet."""

from __future__ import annotations

import json
from base64 import b64encode
from typing import Any

from emulator.cloud import Cloud
from emulator.iam.rights import granted
from emulator.resourcemanager import policies as project_policies
from emulator.storage import buckets
from emulator.storage.errors import StorageError, required
from emulator.storage.http import Call, Reply, json_reply
from emulator.tokens import OWNER, Caller

Policy = dict[str, Any]

STALE = "Precondition Failed: the etag of the policy is not that of the bucket's policy now."


async def get_policy(cloud: Cloud, call: Call) -> Reply:
    """`GET b/BUCKET/iam`."""
    row = buckets.require_bucket(cloud, call.names[0])
    return json_reply(_resource(row.name, _current(cloud, row)))


async def set_policy(cloud: Cloud, call: Call) -> Reply:
    """`PUT b/BUCKET/iam`: read-modify-write by etag, 412 for a stale one."""
    sent = await call.json()
    with cloud.store.transaction() as db:
        row = buckets.require(db, call.names[0])
        before = _current(cloud, row)
        if sent.get("etag") not in (None, "", before["etag"]):
            raise StorageError(412, "conditionNotMet", STALE, ("header", "If-Match"))
        policy = {
            "version": sent.get("version", 1),
            "etag": _etag(before["revision"] + 1),
            "bindings": sent.get("bindings", []),
            "revision": before["revision"] + 1,
        }
        db.execute("UPDATE buckets SET policy = ? WHERE name = ?", (json.dumps(policy), row.name))
    return json_reply(_resource(row.name, policy))


async def test_permissions(cloud: Cloud, call: Call) -> Reply:
    """`GET b/BUCKET/iam/testPermissions`: what the bucket or its project grants of the asked."""
    row = buckets.require_bucket(cloud, call.names[0])
    asked = call.many("permissions")
    if not asked:
        raise required("permissions")
    answer: dict[str, Any] = {"kind": "storage#testIamPermissionsResponse"}
    found = _granted(cloud, row, call.caller or Caller(OWNER, owner=True), asked)
    return json_reply(answer | ({"permissions": found} if found else {}))


def _granted(cloud: Cloud, row: buckets.BucketRow, caller: Caller, asked: list[str]) -> list[str]:
    teams = project_policies.team(cloud, row.project_id, caller)
    here = granted(_current(cloud, row)["bindings"], caller, asked, teams)
    above = project_policies.granted_to(cloud, row.project_id, caller, asked)
    return [permission for permission in asked if permission in {*here, *above}]


def _current(cloud: Cloud, row: buckets.BucketRow) -> Policy:
    with cloud.store.read() as db:
        (text,) = db.execute("SELECT policy FROM buckets WHERE name = ?", (row.name,)).fetchone()
    if text:
        policy: Policy = json.loads(text)
        return policy
    return {"version": 1, "etag": _etag(1), "bindings": _legacy(row.project_id), "revision": 1}


def _legacy(project_id: str) -> list[dict[str, Any]]:
    """The grants that every new bucket has: its project's owners, editors and viewers."""
    team = [f"projectEditor:{project_id}", f"projectOwner:{project_id}"]
    viewers = [f"projectViewer:{project_id}"]
    return [
        {"role": "roles/storage.legacyBucketOwner", "members": team},
        {"role": "roles/storage.legacyBucketReader", "members": viewers},
    ]


def _resource(bucket: str, policy: Policy) -> Policy:
    answer = {key: value for key, value in policy.items() if key != "revision"}
    return {"kind": "storage#policy", "resourceId": f"projects/_/buckets/{bucket}", **answer}


def _etag(revision: int) -> str:
    return b64encode(b"\x08" + bytes([revision & 0x7F | 0x80, revision >> 7 & 0x7F])).decode()
