"""Deleted objects made live again: one by its generation, or all that a request describes."""

from __future__ import annotations

import asyncio
import dataclasses
from collections.abc import Mapping
from datetime import datetime
from typing import Any

from emulator.clock import timestamp
from emulator.cloud import Cloud
from emulator.storage import acl, bucket_operations, buckets, globs, objects, retention, versions
from emulator.storage.copies import computed_of, reference_of
from emulator.storage.errors import StorageError, invalid, no_object, required
from emulator.storage.http import Call, Reply, flag, json_reply
from emulator.storage.object_answers import object_reply
from emulator.storage.object_resource import ObjectRow
from emulator.storage.preconditions import NONE, Preconditions, generation_of
from emulator.storage.schema import Kind, fitted
from emulator.tokens import Caller

Body = dict[str, Any]

NO_POLICY = "The bucket has no soft delete policy."
UNIFORM = "copySourceAcl cannot be true in a bucket with uniform bucket-level access."
REQUEST: Body = {
    "matchGlobs": [Kind.TEXT],
    "softDeletedAfterTime": Kind.TIME,
    "softDeletedBeforeTime": Kind.TIME,
    "createdAfterTime": Kind.TIME,
    "createdBeforeTime": Kind.TIME,
    "allowOverwrite": Kind.BOOLEAN,
    "copySourceAcl": Kind.BOOLEAN,
}
# So many are looked at in one transaction; other requests come between.
STEP_ROWS = 500


async def restore(cloud: Cloud, call: Call) -> Reply:
    """`POST …/o/OBJECT/restore`: a new generation with the bytes and fields of a deleted one."""
    bucket, name = call.names
    generation = generation_of(call.query)
    if generation is None:
        raise required("generation")
    conditions = Preconditions.of_call(call)
    with cloud.store.transaction() as db:
        row = objects.require_restorable(cloud, db, bucket, name, generation)
        if call.query.get("restoreToken", token := versions.restore_token(row)) != token:
            raise no_object(bucket, f"{name}#{generation}")
        same_acl = flag(call.query, "copySourceAcl")
        made = restored(cloud, row, call.caller, conditions, same_acl)
    return object_reply(cloud, made, call, written=True)


async def bulk_restore(cloud: Cloud, call: Call) -> Reply:
    """`POST …/o/bulkRestore`: an operation, which is over when it is answered."""
    home = buckets.require_bucket(cloud, call.names[0])
    if int((home.body.get("softDeletePolicy") or {}).get("retentionDurationSeconds") or 0) <= 0:
        raise StorageError(400, "SoftDeletePolicyRequired", NO_POLICY)
    wish = Wish.of(fitted(await call.json(), REQUEST))
    if wish.same_acl and acl.uniform(home.body):
        raise invalid(UNIFORM)
    count = await asyncio.to_thread(_restore_all, cloud, home, wish, call.caller)
    metadata = {"bucket": home.name, "objectsRestoredCount": str(count)}
    operation = bucket_operations.finished(
        cloud, home.name, "BulkRestoreObjectsMetadata", metadata, bucket_operations.EMPTY
    )
    return json_reply(operation)


@dataclasses.dataclass(frozen=True)
class Wish:
    """Which deleted objects a bulk restore is to take, and how."""

    patterns: tuple[globs.Glob, ...]
    deleted: tuple[datetime | None, datetime | None]
    created: tuple[datetime | None, datetime | None]
    overwrite: bool
    same_acl: bool

    @classmethod
    def of(cls, sent: Mapping[str, Any]) -> Wish:
        """Reads a request. 400 for globs that are none."""
        return cls(
            tuple(globs.pattern(text) for text in sent.get("matchGlobs") or ()),
            (_moment(sent, "softDeletedAfterTime"), _moment(sent, "softDeletedBeforeTime")),
            (_moment(sent, "createdAfterTime"), _moment(sent, "createdBeforeTime")),
            bool(sent.get("allowOverwrite")),
            bool(sent.get("copySourceAcl")),
        )

    def takes(self, row: ObjectRow) -> bool:
        """Whether a deleted object is among those described."""
        named = not self.patterns or any(one.matches(row.name) for one in self.patterns)
        assert row.deleted is not None
        return named and _within(row.deleted, self.deleted) and _within(row.created, self.created)


def _restore_all(cloud: Cloud, home: buckets.BucketRow, wish: Wish, caller: Caller | None) -> int:
    """Restores the latest deleted generation of each name; their number.

    A name that is live is left alone unless it may be overwritten.
    """
    count, start = 0, ""
    while True:
        with cloud.store.transaction() as db:
            names = versions.restorable_names(db, home, start, cloud.clock.now(), STEP_ROWS)
            for name in names:
                rows = versions.restorable_of(db, home, name, cloud.clock.now())
                taken = [row for row in rows if wish.takes(row)]
                free = wish.overwrite or objects.find(db, home.name, name) is None
                if taken and free:
                    restored(cloud, taken[-1], caller, NONE, wish.same_acl)
                    count += 1
        if len(names) < STEP_ROWS:
            return count
        start = names[-1] + "\0"


def restored(
    cloud: Cloud, row: ObjectRow, caller: Caller | None, conditions: Preconditions, same_acl: bool
) -> ObjectRow:
    """A live object with the bytes and fields of a deleted one; the deleted one stays so."""
    with cloud.store.transaction() as db:
        home = buckets.require(db, row.bucket)
        if same_acl and acl.uniform(home.body):
            raise invalid(UNIFORM)
        autoclass = bool((home.body.get("autoclass") or {}).get("enabled"))
        fields = row.body | ({"storageClass": "STANDARD"} if autoclass else {})
        if not _still(cloud, fields.get("retention")):
            fields.pop("retention", None)
        made = objects.store_object(
            cloud, row.bucket, row.name, reference_of(row), fields, conditions,
            caller=caller, secret=row.secret, computed=computed_of(row),
        )  # fmt: skip
        return objects.with_acl(db, made, row.acl) if same_acl else made


def _still(cloud: Cloud, kept: Any) -> bool:
    """Whether an object's retention has not run out yet."""
    until = (kept or {}).get("retainUntilTime")
    return until is not None and datetime.fromisoformat(until) > cloud.clock.now()


def _moment(sent: Mapping[str, Any], field: str) -> datetime | None:
    text = sent.get(field)
    return retention.moment(text, field) if text else None


def _within(text: str, span: tuple[datetime | None, datetime | None]) -> bool:
    after, before = (None if moment is None else timestamp(moment) for moment in span)
    return (after is None or text > after) and (before is None or text < before)
