"""What a bucket looks like: its stored form after each change, and its JSON."""

from __future__ import annotations

from base64 import b64encode
from datetime import datetime
from functools import lru_cache
from typing import Any

from emulator.clock import timestamp
from emulator.storage import acl, bucket_rules
from emulator.storage.bucket_schema import writable
from emulator.storage.bucket_settling import settled
from emulator.storage.locations import placed
from emulator.storage.merge import merged

Body = dict[str, Any]

# What a change does not touch, whatever is sent.
FIXED = (
    "location", "locationType", "customPlacementConfig", "objectRetention", "generation",
    "timeCreated", "projectNumber", "acl", "defaultObjectAcl",
)  # fmt: skip
ACCESS_CONTROLS = ("acl", "defaultObjectAcl")
# A list of buckets has no addresses (https://cloud.google.com/storage/docs/ip-filtering-overview).
LISTED_IP_FILTER = ("mode", "allowAllServiceAgentAccess", "allowCrossOrgVpcs")

uniform = acl.uniform


def new_body(
    name: str, sent: Body, now: datetime, generation: int, object_retention: bool = False
) -> Body:
    """The stored form of a bucket as it was asked for, with Google's defaults. 400 for refusals."""
    asked = merged({}, writable(sent, creation=True))
    body: Body = asked | placed(asked)
    if object_retention:
        body["objectRetention"] = {"mode": "Enabled"}
    moment = timestamp(now)
    body |= {"generation": str(generation), "timeCreated": moment, "updated": moment}
    return _finished(name, body, {}, now)


def patched_body(name: str, body: Body, patch: Body, now: datetime) -> Body:
    """The stored form after a merge patch."""
    fields = {key: value for key, value in writable(patch).items() if key not in FIXED}
    return _finished(name, merged(body, fields), body, now)


def replaced_body(name: str, body: Body, sent: Body, now: datetime) -> Body:
    """The stored form after an update: what is not sent falls back to its default."""
    fields = merged({}, writable(sent))
    fields.setdefault("hierarchicalNamespace", body.get("hierarchicalNamespace"))
    kept = {key: body[key] for key in FIXED if key in body}
    return _finished(name, {**fields, **kept}, body, now)


def touched(body: Body, now: datetime) -> Body:
    """The body with the time of its last change."""
    return body | {"updated": timestamp(now)}


def resource(
    name: str, body: Body, metageneration: int, project_number: int, base_url: str
) -> Body:
    """The bucket as JSON, without its access controls."""
    shown = {key: value for key, value in body.items() if key not in ACCESS_CONTROLS}
    return {
        "kind": "storage#bucket",
        "id": name,
        "selfLink": f"{base_url}/storage/v1/b/{name}",
        "name": name,
        "projectNumber": str(project_number),
        "metageneration": str(metageneration),
        "etag": etag(metageneration),
        **shown,
    }


def listed(answer: Body) -> Body:
    """A bucket's JSON as lists have it: of an IP filter they tell only the mode."""
    if "ipFilter" not in answer:
        return answer
    kept = {key: value for key, value in answer["ipFilter"].items() if key in LISTED_IP_FILTER}
    return {**answer, "ipFilter": kept}


@lru_cache(maxsize=1024)
def etag(metageneration: int, generation: int = 0) -> str:
    """Google's entity tag: a protocol buffer in base64, of a bucket (`CAE=`) or of an object."""
    if not generation:
        return b64encode(b"\x08" + _varint(metageneration)).decode()
    return b64encode(b"\x08" + _varint(generation) + b"\x10" + _varint(metageneration)).decode()


def _finished(name: str, body: Body, before: Body, now: datetime) -> Body:
    body = settled(name, body, before, now)
    bucket_rules.check(name, body, before, now)
    return body


def _varint(number: int) -> bytes:
    groups = []
    while number > 0x7F:
        groups.append(number & 0x7F | 0x80)
        number >>= 7
    return bytes([*groups, number])
