"""Anywhere Caches of a bucket: kept and switched; reads are no faster by them.

Sources: AnywhereCache and the methods in google-cloud-storage-control 1.17 (storage_control_v2),
and the discovery document of storage v1: "Resumes a paused or disabled Anywhere Cache instance."
"""

from __future__ import annotations

import re
from datetime import timedelta
from typing import Any

from emulator.clock import timestamp
from emulator.cloud import Cloud
from emulator.storage import bucket_operations, buckets, pages
from emulator.storage.errors import StorageError, invalid, required
from emulator.storage.http import Call, Reply, json_reply
from emulator.storage.schema import Kind, fitted

Body = dict[str, Any]

RESOURCE = "storage.AnywhereCache"
ZONE = re.compile(r"[a-z]+-[a-z]+\d+-[a-z]")
# "Anywhere Cache entry's TTL between 1h and 7days"; "Default ttl value (24hrs)".
LEAST_SECONDS, DEFAULT_SECONDS, MOST_SECONDS = 3_600, 86_400, 604_800
# "deleted automatically if it remains in the disabled state for at least one hour".
DISABLED_LIFE = timedelta(hours=1)
POLICIES = frozenset({"admit-on-first-miss", "admit-on-second-miss"})
SENT = {
    "zone": Kind.TEXT,
    "ttl": Kind.TEXT,
    "admissionPolicy": POLICIES,
    "ingestOnWrite": Kind.BOOLEAN,
}
STATES = {"pause": "paused", "resume": "running", "disable": "disabled"}


async def insert(cloud: Cloud, call: Call) -> Reply:
    """`POST b/BUCKET/anywhereCaches`: an operation; the zone is the cache's id."""
    sent = _checked(await call.json())
    zone = sent.get("zone")
    if not zone:
        raise required("zone")
    if not ZONE.fullmatch(zone):
        raise invalid(f"Invalid zone: '{zone[:100]}'.")
    with cloud.store.transaction():
        bucket = buckets.require_bucket(cloud, call.names[0]).name
        name = _name(bucket, zone)
        before = cloud.resources.get(name)
        if before is not None and not _is_gone(cloud, before):
            raise StorageError(409, "conflict", f"The cache in zone {zone} already exists.")
        if before is not None:
            cloud.resources.delete(name)
        body = _new(cloud, bucket, sent)
        cloud.resources.insert(RESOURCE, name, body, f"b/{bucket}")
        answer = _operation(cloud, bucket, "CreateAnywhereCacheMetadata", body)
    return json_reply(answer)


async def get(cloud: Cloud, call: Call) -> Reply:
    """`GET b/BUCKET/anywhereCaches/ID`."""
    return json_reply(_require(cloud, call))


async def listed(cloud: Cloud, call: Call) -> Reply:
    """`GET b/BUCKET/anywhereCaches`, by id."""
    bucket = buckets.require_bucket(cloud, call.names[0]).name
    start, limit = pages.asked(call.query, "pageSize")
    bodies = [body for _, body in cloud.resources.list(RESOURCE, f"b/{bucket}")]
    found = sorted((body["anywhereCacheId"], body) for body in bodies if not _is_gone(cloud, body))
    behind = [(name, body) for name, body in found if name >= start]
    return json_reply(pages.answered("storage#anywhereCaches", limit, behind))


async def update(cloud: Cloud, call: Call) -> Reply:
    """`PATCH b/BUCKET/anywhereCaches/ID`: an operation."""
    sent = _checked(await call.json())
    sent.pop("zone", None)
    with cloud.store.transaction():
        body = _changed(cloud, _require(cloud, call), sent)
        answer = _operation(cloud, body["bucket"], "UpdateAnywhereCacheMetadata", body)
    return json_reply(answer)


async def switch(cloud: Cloud, call: Call) -> Reply:
    """`POST b/BUCKET/anywhereCaches/ID/pause`, `…/resume`, `…/disable`."""
    state = STATES[call.path.rstrip("/").rpartition("/")[2]]
    with cloud.store.transaction():
        body = _require(cloud, call)
        if body["state"] == "disabled" and state == "paused":
            message = "A disabled cache cannot be paused: resume it first."
            raise StorageError(412, "conditionNotMet", message)
        body = _changed(cloud, body, {"state": state})
    return json_reply(body)


def _checked(sent: Body) -> Body:
    found = {key: value for key, value in fitted(sent, SENT).items() if value is not None}
    ttl = found.get("ttl")
    if ttl is not None:
        seconds = ttl.removesuffix("s")
        good = seconds.isascii() and seconds.isdigit() and len(seconds) < 8
        if not good or not LEAST_SECONDS <= int(seconds) <= MOST_SECONDS:
            raise invalid(
                f"Invalid ttl: '{ttl[:40]}'. Expected 3600s (1 hour) to 604800s (7 days)."
            )
    return found


def _new(cloud: Cloud, bucket: str, sent: Body) -> Body:
    moment, zone = timestamp(cloud.clock.now()), sent["zone"]
    return {
        "kind": "storage#anywhereCache",
        "id": f"{bucket}/{zone}",
        "selfLink": f"{cloud.settings.base_url}/storage/v1/{_name(bucket, zone)}",
        "bucket": bucket,
        "anywhereCacheId": zone,
        "zone": zone,
        "state": "running",
        "createTime": moment,
        "updateTime": moment,
        "ttl": sent.get("ttl", f"{DEFAULT_SECONDS}s"),
        "admissionPolicy": sent.get("admissionPolicy", "admit-on-first-miss"),
        "ingestOnWrite": sent.get("ingestOnWrite", False),
        "pendingUpdate": False,
    }


def _changed(cloud: Cloud, body: Body, fields: Body) -> Body:
    changed = body | fields | {"updateTime": timestamp(cloud.clock.now())}
    cloud.resources.replace(_name(body["bucket"], body["anywhereCacheId"]), changed)
    return changed


def _operation(cloud: Cloud, bucket: str, kind: str, body: Body) -> Body:
    about = {key: body[key] for key in ("anywhereCacheId", "zone", "ttl", "admissionPolicy")}
    response = {"@type": f"{bucket_operations.TYPES}.AnywhereCache", **body}
    return bucket_operations.finished(cloud, bucket, kind, about, response)


def _require(cloud: Cloud, call: Call) -> Body:
    bucket = buckets.require_bucket(cloud, call.names[0]).name
    body = cloud.resources.get(_name(bucket, call.names[1]))
    if body is None or _is_gone(cloud, body):
        raise StorageError(404, "notFound", f"The cache {call.names[1]} does not exist.")
    return body


def _is_gone(cloud: Cloud, body: Body) -> bool:
    """Whether a cache was disabled so long ago that Google has deleted it by now."""
    end = timestamp(cloud.clock.now() - DISABLED_LIFE)
    return bool(body["state"] == "disabled" and body["updateTime"] <= end)


def _name(bucket: str, zone: str) -> str:
    return f"b/{bucket}/anywhereCaches/{zone}"


ROUTES = [
    ("POST", "/storage/v1/", "b/*/anywhereCaches", insert),
    ("GET", "/storage/v1/", "b/*/anywhereCaches", listed),
    ("GET", "/storage/v1/", "b/*/anywhereCaches/*", get),
    ("PATCH", "/storage/v1/", "b/*/anywhereCaches/*", update),
    *(("POST", "/storage/v1/", f"b/*/anywhereCaches/*/{verb}", switch) for verb in STATES),
]
