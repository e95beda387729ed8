"""`rewriteTo`: a copy that may take several calls, and may change how the bytes are encrypted."""

from __future__ import annotations

import asyncio
import json
from base64 import urlsafe_b64decode, urlsafe_b64encode
from typing import Any

from emulator.cloud import Cloud
from emulator.storage import buckets, copies, objects
from emulator.storage.encryption import SOURCE_HEADER, Seal, required_key
from emulator.storage.errors import invalid
from emulator.storage.http import Call, Reply, json_reply
from emulator.storage.joining import Part, join
from emulator.storage.object_answers import shown, wants_full
from emulator.storage.object_resource import ObjectRow
from emulator.storage.preconditions import Preconditions

Body = dict[str, Any]

# RewriteObjectRequest.max_bytes_rewritten_per_call in google-cloud-storage 3.17: "only applies to
# requests where the source and destination span locations and/or storage classes", 1 MiB by 1 MiB.
STEP_UNIT_BYTES = 1 << 20
NOT_A_TOKEN = "Invalid rewriteToken: it belongs to another rewrite, or to none."


async def rewrite(cloud: Cloud, call: Call) -> Reply:
    """`POST …/rewriteTo/…`: at once, or by steps where the caller limits them."""
    sent = await call.json()
    source = copies.source_of(cloud, call)
    key = required_key(source.secret, call.headers, SOURCE_HEADER)
    seal = Seal.for_request(call.headers)
    recoded = key is not None or seal is not None
    done_bytes = _done_bytes(call, source)
    if recoded or _moves(cloud, call, source, sent):
        done_bytes += _step_bytes(call) or source.size_bytes
        if done_bytes < source.size_bytes:
            token = _token(call, source, done_bytes)
            return json_reply(_answer(source, done_bytes, {"done": False, "rewriteToken": token}))
    if recoded:
        row = await _recode(cloud, call, sent, source, key, seal)
    else:
        row = copies.store_copy(cloud, call, sent)
    home = buckets.require_bucket(cloud, row.bucket)
    made = shown(cloud, row, home, full=wants_full(call.query, "acl" in sent))
    return json_reply(_answer(source, source.size_bytes, {"done": True, "resource": made}))


async def _recode(
    cloud: Cloud, call: Call, sent: Body, source: ObjectRow, key: bytes | None, seal: Seal | None
) -> ObjectRow:
    """A copy whose bytes are encrypted otherwise than those of the source."""
    _, _, to_bucket, to_name = call.names
    with cloud.blobs.writer() as writer:
        reference = await asyncio.to_thread(join, cloud, writer, [Part(source, key)], seal)
        return objects.store_object(
            cloud, to_bucket, to_name, reference, copies.copied_fields(source, sent),
            Preconditions.of_call(call), caller=call.caller,
            predefined_acl=call.query.get("destinationPredefinedAcl"),
            secret=seal.secret if seal else None, computed=copies.computed_of(source),
        )  # fmt: skip


def _moves(cloud: Cloud, call: Call, source: ObjectRow, sent: Body) -> bool:
    """Whether the copy has another place or class than its source."""
    with cloud.store.read() as db:
        home = buckets.require(db, source.bucket)
        target = buckets.require(db, call.names[2])
    wanted = sent.get("storageClass") or target.body["storageClass"]
    elsewhere = home.body.get("location") != target.body.get("location")
    return elsewhere or wanted != source.body.get("storageClass", "STANDARD")


def _step_bytes(call: Call) -> int | None:
    text = call.query.get("maxBytesRewrittenPerCall")
    if text is None:
        return None
    size = int(text) if text.isascii() and text.isdigit() and len(text) < 19 else 0
    if size <= 0 or size % STEP_UNIT_BYTES:
        raise invalid(
            f"Invalid value '{text}' for maxBytesRewrittenPerCall. Expected a multiple of "
            f"{STEP_UNIT_BYTES}."
        )
    return size


def _answer(source: ObjectRow, done_bytes: int, end: Body) -> Body:
    return {
        "kind": "storage#rewriteResponse",
        "totalBytesRewritten": str(done_bytes),
        "objectSize": str(source.size_bytes),
        **end,
    }


def _token(call: Call, source: ObjectRow, done_bytes: int) -> str:
    state = [*call.names, source.generation, done_bytes]
    return urlsafe_b64encode(json.dumps(state).encode()).decode()


def _done_bytes(call: Call, source: ObjectRow) -> int:
    """How much earlier calls have done, by their token. 400 for a token of another rewrite."""
    text = call.query.get("rewriteToken")
    if not text:
        return 0
    try:
        *names, generation, done_bytes = json.loads(urlsafe_b64decode(text.encode()))
    except (ValueError, TypeError):
        raise invalid(NOT_A_TOKEN) from None
    if (names, generation) != ([*call.names], source.generation) or type(done_bytes) is not int:
        raise invalid(NOT_A_TOKEN)
    return done_bytes
