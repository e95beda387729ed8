"""Long-running operations of a bucket; each is over when it is answered."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from emulator.cloud import Cloud
from emulator.storage import buckets, listing, pages
from emulator.storage.errors import StorageError
from emulator.storage.http import Call, Reply, json_reply

Body = dict[str, Any]

TYPES = "type.googleapis.com/google.storage.control.v2"
EMPTY = {"@type": "type.googleapis.com/google.protobuf.Empty"}


def finished(
    cloud: Cloud, bucket: str, kind: str, metadata: Mapping[str, Any], response: Mapping[str, Any]
) -> Body:
    """The JSON of an operation that has just been done; `kind` is that of its metadata."""
    told = {"@type": f"{TYPES}.{kind}", **metadata}
    body = cloud.operations.done(_parent(bucket), told, response)
    return shown(cloud, bucket, body)


def shown(cloud: Cloud, bucket: str, body: Body) -> Body:
    """An operation as Cloud Storage writes it."""
    metadata = dict(body["metadata"])
    generic = metadata.pop("genericMetadata")
    common = {
        "createTime": generic["createTime"],
        "updateTime": generic["updateTime"],
        "endTime": generic["updateTime"],
        "type": metadata["@type"].rpartition(".")[2].removesuffix("Metadata"),
        "requestedCancellation": False,
        "progressPercent": 100,
    }
    name = body["name"].rpartition("/")[2]
    return {
        "kind": "storage#operation",
        "selfLink": f"{cloud.settings.base_url}/storage/v1/b/{bucket}/operations/{name}",
        **body,
        "metadata": {**metadata, "commonMetadata": common},
    }


async def get(cloud: Cloud, call: Call) -> Reply:
    """`GET b/BUCKET/operations/ID`."""
    return json_reply(shown(cloud, call.names[0], _require(cloud, call)))


async def listed(cloud: Cloud, call: Call) -> Reply:
    """`GET b/BUCKET/operations`, oldest first."""
    bucket = buckets.require_bucket(cloud, call.names[0]).name
    start, limit = pages.asked(call.query, "pageSize")
    rows = cloud.operations.children(_parent(bucket), _number(start), limit + 1)
    answer: Body = {"kind": "storage#operations"}
    if len(rows) > limit:
        answer["nextPageToken"] = listing.token(str(rows[limit - 1][0]))
    found = [shown(cloud, bucket, body) for _, body in rows[:limit]]
    return json_reply(answer | ({"operations": found} if found else {}))


async def cancel(cloud: Cloud, call: Call) -> Reply:
    """`POST b/BUCKET/operations/ID/cancel`: it is over already, and stays as it ended."""
    _require(cloud, call)
    return Reply(204)


async def advance(cloud: Cloud, call: Call) -> Reply:
    """`POST b/BUCKET/operations/ID/advanceRelocateBucket`: nothing is left to advance."""
    _require(cloud, call)
    message = "The relocation of the bucket is finished; there is no write downtime to begin."
    raise StorageError(412, "conditionNotMet", message)


def _require(cloud: Cloud, call: Call) -> Body:
    bucket = buckets.require_bucket(cloud, call.names[0]).name
    return cloud.operations.get(f"{_parent(bucket)}/operations/{call.names[1]}")


def _number(token: str) -> int:
    return int(token) if token.isascii() and token.isdigit() and len(token) < 19 else 0


def _parent(bucket: str) -> str:
    return f"projects/_/buckets/{bucket}"


ROUTES = [
    ("GET", "/storage/v1/", "b/*/operations", listed),
    ("GET", "/storage/v1/", "b/*/operations/*", get),
    ("POST", "/storage/v1/", "b/*/operations/*/cancel", cancel),
    ("POST", "/storage/v1/", "b/*/operations/*/advanceRelocateBucket", advance),
]
