"""Notification configurations of a bucket: kept and listed; nothing is published by them."""

from __future__ import annotations

import re
from typing import Any

from emulator.cloud import Cloud
from emulator.storage import buckets
from emulator.storage.errors import StorageError, invalid, required
from emulator.storage.http import Call, Reply, json_reply
from emulator.storage.schema import Kind, fitted

Body = dict[str, Any]

RESOURCE = "storage.Notification"
# cloud.google.com/pubsub/docs/pubsub-basics#resource_names: 3 to 255 characters, a letter first.
TOPIC = re.compile(
    r"//pubsub\.googleapis\.com/projects/[^/\s]+/topics/(?!goog)[A-Za-z][\w.~+%-]{2,254}", re.ASCII
)
# As github.com/googleapis/python-storage/pull/617 recorded it.
NO_TOPIC = (
    "Invalid Google Cloud Pub/Sub topic. It should look like "
    "'//pubsub.googleapis.com/projects/*/topics/*.'"
)
# https://cloud.google.com/storage/quotas, read 2026-11-21: at most 100 on a bucket.
LIMIT = 100
TYPES = frozenset({"OBJECT_FINALIZE", "OBJECT_METADATA_UPDATE", "OBJECT_DELETE", "OBJECT_ARCHIVE"})
SENT = {
    "topic": Kind.TEXT,
    "event_types": [TYPES],
    "custom_attributes": {"*": Kind.TEXT},
    "payload_format": frozenset({"JSON_API_V1", "NONE"}),
    "object_name_prefix": Kind.TEXT,
}


async def insert(cloud: Cloud, call: Call) -> Reply:
    """`POST b/BUCKET/notificationConfigs`."""
    sent = {key: value for key, value in fitted(await call.json(), SENT).items() if value}
    if "payload_format" not in sent:
        raise required("payload_format")
    if not TOPIC.fullmatch(sent.get("topic", "")):
        raise invalid(NO_TOPIC)
    with cloud.store.transaction():
        bucket = buckets.require_bucket(cloud, call.names[0]).name
        kept = cloud.resources.list(RESOURCE, _parent(bucket))
        if len(kept) >= LIMIT:
            raise invalid(f"A bucket has at most {LIMIT} notification configurations.")
        number = max((int(body["id"]) for _, body in kept), default=0) + 1
        body = _body(cloud, bucket, number, sent)
        cloud.resources.insert(RESOURCE, _name(bucket, str(number)), body, _parent(bucket))
    return json_reply(body)


async def listed(cloud: Cloud, call: Call) -> Reply:
    """`GET b/BUCKET/notificationConfigs`: all of them, in the order of creation."""
    bucket = buckets.require_bucket(cloud, call.names[0]).name
    items = [body for _, body in cloud.resources.list(RESOURCE, _parent(bucket))]
    return json_reply({"kind": "storage#notifications", **({"items": items} if items else {})})


async def get(cloud: Cloud, call: Call) -> Reply:
    """`GET b/BUCKET/notificationConfigs/ID`."""
    return json_reply(_require(cloud, call))


async def delete(cloud: Cloud, call: Call) -> Reply:
    """`DELETE b/BUCKET/notificationConfigs/ID`."""
    body = _require(cloud, call)
    cloud.resources.delete(_name(call.names[0], body["id"]))
    return Reply(204)


def _require(cloud: Cloud, call: Call) -> Body:
    bucket = buckets.require_bucket(cloud, call.names[0]).name
    body = cloud.resources.get(_name(bucket, call.names[1]))
    if body is None:
        raise StorageError(404, "notFound", f"Notification {call.names[1]} not found.")
    return body


def _body(cloud: Cloud, bucket: str, number: int, sent: Body) -> Body:
    link = f"{cloud.settings.base_url}/storage/v1/b/{bucket}/notificationConfigs/{number}"
    fixed = {"kind": "storage#notification", "id": str(number), "selfLink": link}
    return fixed | {"etag": str(number)} | sent


def _parent(bucket: str) -> str:
    return f"b/{bucket}"


def _name(bucket: str, number: str) -> str:
    return f"b/{bucket}/notificationConfigs/{number}"


ROUTES = [
    ("POST", "/storage/v1/", "b/*/notificationConfigs", insert),
    ("GET", "/storage/v1/", "b/*/notificationConfigs", listed),
    ("GET", "/storage/v1/", "b/*/notificationConfigs/*", get),
    ("DELETE", "/storage/v1/", "b/*/notificationConfigs/*", delete),
]
