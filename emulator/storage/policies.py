"""What a caller may do with a bucket, as `testPermissions` answers it."""

from __future__ import annotations

from typing import Any

from emulator.cloud import Cloud
from emulator.iam import enforce, targets
from emulator.storage import buckets
from emulator.storage.errors import required
from emulator.storage.http import Call, Reply, json_reply
from emulator.tokens import OWNER, Caller


async def test_permissions(cloud: Cloud, call: Call) -> Reply:
    """`GET b/BUCKET/iam/testPermissions`: what the bucket or its project grants of the asked."""
    row = buckets.require_bucket(cloud, call.names[0])
    asked = call.many("permissions")
    if not asked:
        raise required("permissions")
    answer: dict[str, Any] = {"kind": "storage#testIamPermissionsResponse"}
    caller = call.caller or Caller(OWNER, owner=True)
    found = enforce.granted(cloud, caller, asked, targets.bucket(cloud, row.name))
    return json_reply(answer | ({"permissions": found} if found else {}))
