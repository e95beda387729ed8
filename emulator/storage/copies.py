"""Objects made of objects, without their bytes leaving the server: rewrite, copy, compose."""

from __future__ import annotations

import asyncio
from typing import Any

from emulator.cloud import Cloud
from emulator.storage import objects
from emulator.storage.errors import invalid
from emulator.storage.handlers import object_reply
from emulator.storage.http import Call, Reply, json_reply
from emulator.storage.names import check_object
from emulator.storage.object_resource import ObjectRow, resource, writable
from emulator.storage.preconditions import Preconditions, generation_of
from emulator.store.blobs import BlobRef

# https://cloud.google.com/storage/docs/composite-objects
COMPOSE_LIMIT = 32


async def rewrite(cloud: Cloud, call: Call) -> Reply:
    """`POST …/rewriteTo/…`: always done in one call, since no bytes move."""
    row = _copy(cloud, call, await call.json())
    size = str(row.size_bytes)
    answer = {
        "kind": "storage#rewriteResponse",
        "totalBytesRewritten": size,
        "objectSize": size,
        "done": True,
        "resource": resource(row, cloud.settings.base_url),
    }
    return json_reply(answer)


async def copy(cloud: Cloud, call: Call) -> Reply:
    """`POST …/copyTo/…`."""
    return object_reply(cloud, _copy(cloud, call, await call.json()))


async def compose(cloud: Cloud, call: Call) -> Reply:
    """`POST …/compose`: one object of up to 32 others of the bucket, one behind the other."""
    bucket, name = call.names
    check_object(name)
    sent = await call.json()
    sources = sent.get("sourceObjects") or []
    if not 1 <= len(sources) <= COMPOSE_LIMIT:
        raise invalid(
            f"The number of source components provided ({len(sources)}) must be from 1 to "
            f"{COMPOSE_LIMIT}."
        )
    rows = [_source(cloud, bucket, source) for source in sources]
    fields = writable(sent.get("destination") or {})
    fields.setdefault("contentType", rows[0].content_type)
    conditions = Preconditions.from_query(call.query)
    with cloud.blobs.writer() as writer:
        for row in rows:
            await asyncio.to_thread(writer.write_file, cloud.blobs.path(row.sha256))
        reference = await asyncio.to_thread(writer.finish)
        made = objects.store_object(cloud, bucket, name, reference, fields, conditions)
    return object_reply(cloud, made)


def _copy(cloud: Cloud, call: Call, sent: dict[str, Any]) -> ObjectRow:
    """One row more for the same bytes, in the transaction that reads the source."""
    bucket, name, to_bucket, to_name = call.names
    check_object(to_name)
    with cloud.store.transaction() as db:
        row = objects.require(db, bucket, name, generation_of(call.query, "sourceGeneration"))
        source = Preconditions.from_query(call.query, "Source")
        source.check_write(row.generation, row.metageneration)
        reference = BlobRef(row.sha256, row.md5, row.crc32c, row.size_bytes)
        fields = writable(sent) or {**row.body}
        fields.setdefault("contentType", row.content_type)
        conditions = Preconditions.from_query(call.query)
        return objects.store_object(cloud, to_bucket, to_name, reference, fields, conditions)


def _source(cloud: Cloud, bucket: str, source: dict[str, Any]) -> ObjectRow:
    generation = source.get("generation")
    demands = source.get("objectPreconditions") or {}
    with cloud.store.read() as db:
        row = objects.require(
            db, bucket, str(source.get("name")), int(generation) if generation else None
        )
    wanted = {key: str(value) for key, value in demands.items()}
    Preconditions.from_query(wanted).check_write(row.generation, row.metageneration)
    return row
