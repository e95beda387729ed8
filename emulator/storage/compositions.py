"""`compose`: one object of up to 32 others of its bucket, one behind the other."""

from __future__ import annotations

import asyncio
import dataclasses
from typing import Any

from emulator.cloud import Cloud
from emulator.storage import objects
from emulator.storage.encryption import Seal, required_key
from emulator.storage.errors import StorageError, invalid
from emulator.storage.http import Call, Reply
from emulator.storage.joining import Part, join
from emulator.storage.names import check_object
from emulator.storage.object_answers import object_reply
from emulator.storage.object_resource import ObjectRow
from emulator.storage.preconditions import Preconditions, generation_of

Body = dict[str, Any]

# Recorded: "The number of source components provided (33) exceeds the maximum (32)". 5 TiB:
# ServiceConstants.Values in google-cloud-storage 3.17, "or composed from multiple other objects".
COMPOSE_LIMIT = 32
LIMIT_BYTES = 5 << 40


async def compose(cloud: Cloud, call: Call) -> Reply:
    """`POST …/compose`; the answer has a component count and no MD5."""
    bucket, name = call.names
    check_object(name)
    sent = await call.json()
    fields = _object(sent.get("destination"), "destination")
    rows = _sources(cloud, bucket, sent)
    parts = [Part(row, required_key(row.secret, call.headers)) for row in rows]
    count = sum(int(row.body.get("componentCount", 1)) for row in rows)
    seal = Seal.for_request(call.headers)
    with cloud.blobs.writer() as writer:
        reference = await asyncio.to_thread(join, cloud, writer, parts, seal)
        row = objects.store_object(
            cloud, bucket, name, dataclasses.replace(reference, md5=""), fields,
            Preconditions.of_call(call), caller=call.caller,
            predefined_acl=call.query.get("destinationPredefinedAcl"),
            secret=seal.secret if seal else None, computed={"componentCount": count},
        )  # fmt: skip
    if sent.get("deleteSourceObjects") is True:
        _delete_sources(cloud, rows, row)
    return object_reply(cloud, row, call, full="acl" in fields, written=True)


def _sources(cloud: Cloud, bucket: str, sent: Body) -> list[ObjectRow]:
    """The generations to be joined. 400 for how many or how long they are, 404, 412."""
    sources = sent.get("sourceObjects") or []
    if not isinstance(sources, list) or not sources:
        raise StorageError(400, "required", "You must provide at least one source component.")
    if len(sources) > COMPOSE_LIMIT:
        raise invalid(
            f"The number of source components provided ({len(sources)}) exceeds the maximum "
            f"({COMPOSE_LIMIT})"
        )
    rows = [_source(cloud, bucket, _object(source, "sourceObjects")) for source in sources]
    if sum(row.size_bytes for row in rows) > LIMIT_BYTES:
        raise invalid(f"A composed object has at most {LIMIT_BYTES} bytes.")
    return rows


def _source(cloud: Cloud, bucket: str, source: Body) -> ObjectRow:
    if not source.get("name"):
        raise StorageError(400, "required", "Required", ("parameter", "sourceObjects.name"))
    generation = generation_of(_texts(source))
    demands = _texts(_object(source.get("objectPreconditions"), "objectPreconditions"))
    with cloud.store.read() as db:
        row = objects.require(db, bucket, str(source["name"]), generation)
    Preconditions.from_query(demands).check_write(*objects.state(row))
    return row


def _delete_sources(cloud: Cloud, rows: list[ObjectRow], made: ObjectRow) -> None:
    with cloud.store.transaction():
        for row in {row.name: row for row in rows if row.name != made.name}.values():
            objects.delete_object(cloud, row.bucket, row.name)


def _object(value: Any, name: str) -> Body:
    """A JSON object inside a request, {} for none. 400 for something else."""
    if value is None:
        return {}
    if not isinstance(value, dict):
        raise invalid(f"Invalid value for {name}: expected an object.")
    return value


def _texts(fields: Body) -> dict[str, str]:
    return {key: str(value) for key, value in fields.items() if value is not None}
