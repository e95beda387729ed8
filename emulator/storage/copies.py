"""Objects made of objects, without their bytes leaving the server: rewrite, copy, move."""

from __future__ import annotations

from typing import Any

from emulator.cloud import Cloud
from emulator.storage import buckets, objects, retention
from emulator.storage.errors import invalid
from emulator.storage.http import Call, Reply
from emulator.storage.names import check_object
from emulator.storage.object_answers import object_reply
from emulator.storage.object_resource import ObjectRow
from emulator.storage.preconditions import Preconditions, generation_of
from emulator.store.blobs import BlobRef

NOT_COPIED = ("temporaryHold", "eventBasedHold", "retention", "storageClass", "kmsKeyName")
SAME_NAME = "The source and the destination of a move must have different names."


async def copy(cloud: Cloud, call: Call) -> Reply:
    """`POST …/copyTo/…`."""
    sent = await call.json()
    row = store_copy(cloud, call, sent)
    return object_reply(cloud, row, call, full="acl" in sent, written=True)


async def move(cloud: Cloud, call: Call) -> Reply:
    """`POST …/moveTo/o/…`: another name in the same bucket; nothing stays behind."""
    bucket, name, to_name = call.names
    check_object(to_name)
    if name == to_name:
        raise invalid(SAME_NAME)
    source = Preconditions.from_query(call.query, "Source")
    with cloud.store.transaction() as db:
        row = objects.require(db, bucket, name)
        source.check_write(*objects.state(row))
        home = buckets.require(db, bucket)
        retention.check_removal(home.body, row, cloud.clock.now())
        made = objects.store_object(
            cloud, bucket, to_name, reference_of(row), row.body, Preconditions.of_call(call),
            caller=call.caller, secret=row.secret, computed=computed_of(row),
        )  # fmt: skip
        made = objects.with_acl(db, made, row.acl)
        objects.remove_live(db, row)
    return object_reply(cloud, made, call, written=True)


def source_of(cloud: Cloud, call: Call) -> ObjectRow:
    """The generation that a copy is made of: 404, 412 or 304 where it is not as demanded."""
    bucket, name, _, to_name = call.names
    check_object(to_name)
    with cloud.store.read() as db:
        row = objects.require(db, bucket, name, generation_of(call.query, "sourceGeneration"))
    source = Preconditions.from_query(call.query, "Source")
    source.check_write(*objects.state(row))
    return row


def store_copy(cloud: Cloud, call: Call, sent: dict[str, Any]) -> ObjectRow:
    """One row more for the same bytes, in the transaction that reads the source."""
    _, _, to_bucket, to_name = call.names
    with cloud.store.transaction():
        row = source_of(cloud, call)
        return objects.store_object(
            cloud, to_bucket, to_name, reference_of(row),
            copied_fields(row, sent) | asked_key(call),
            Preconditions.of_call(call), caller=call.caller,
            predefined_acl=call.query.get("destinationPredefinedAcl"),
            secret=row.secret, computed=computed_of(row),
        )  # fmt: skip


def copied_fields(row: ObjectRow, sent: dict[str, Any]) -> dict[str, Any]:
    """The fields of a copy: those that the request sends, or else the source's.

    Holds and retention are the source's alone; the class is the destination's unless it is said.
    """
    if sent:
        return {"contentType": row.body.get("contentType"), **sent}
    return {key: value for key, value in row.body.items() if key not in NOT_COPIED}


def asked_key(call: Call) -> dict[str, Any]:
    """`kmsKeyName` of a copy, where the call asks for one."""
    name = call.query.get("destinationKmsKeyName")
    return {"kmsKeyName": name} if name else {}


def reference_of(row: ObjectRow) -> BlobRef:
    """The bytes of an object."""
    return BlobRef(row.sha256, row.md5, row.crc32c, row.size_bytes)


def computed_of(row: ObjectRow) -> dict[str, Any]:
    """What a copy has of the source's computed fields: of how many parts it was composed."""
    return {key: row.body[key] for key in ("componentCount",) if key in row.body}
