"""The lock of a bucket's retention policy: for ever, and never shorter again."""

from __future__ import annotations

from emulator.cloud import Cloud
from emulator.storage import buckets
from emulator.storage.buckets import BucketRow
from emulator.storage.errors import invalid
from emulator.storage.preconditions import Preconditions


def lock(cloud: Cloud, name: str, conditions: Preconditions) -> BucketRow:
    """The bucket with its retention policy locked. 400 when it has none, 412 by the conditions."""
    with cloud.store.transaction() as db:
        row = buckets.require(db, name)
        conditions.check_write(*row.state)
        policy = row.body.get("retentionPolicy")
        if not policy:
            raise invalid(f"The bucket '{name}' has no retention policy to lock.")
        body = row.body | {"retentionPolicy": policy | {"isLocked": True}}
        return buckets.write(cloud, db, row, body)
