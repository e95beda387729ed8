"""What a bucket looks like: defaults, computed fields, access controls."""

from __future__ import annotations

from base64 import b64encode
from datetime import datetime, timedelta
from typing import Any

from emulator.clock import timestamp
from emulator.storage.merge import merged

Body = dict[str, Any]

MULTI_REGIONS = frozenset({"US", "EU", "ASIA"})
# https://cloud.google.com/storage/docs/locations: predefined dual-regions, read 2026-11-21.
DUAL_REGIONS = frozenset({"ASIA1", "EUR4", "EUR5", "EUR7", "EUR8", "NAM4"})
SOFT_DELETE_SECONDS = "604800"
# Uniform access can be turned off again for 90 days.
LOCK_DAYS = 90
COMPUTED = frozenset(
    {
        "kind", "id", "selfLink", "name", "projectNumber", "metageneration", "generation", "etag",
        "timeCreated", "updated", "location", "locationType", "owner",
    }
)  # fmt: skip
ACCESS_CONTROLS = ("acl", "defaultObjectAcl", "owner")
TEAMS = (("owners", "OWNER"), ("editors", "OWNER"), ("viewers", "READER"))


def new_body(sent: Body, now: datetime, generation: int) -> Body:
    """The stored form of a bucket as it was asked for, with Google's defaults."""
    location = str(sent.get("location") or "US").upper()
    kind = _location_type(location, sent)
    defaults: Body = {
        "storageClass": "STANDARD",
        "iamConfiguration": {"publicAccessPrevention": "inherited"},
        "softDeletePolicy": {"retentionDurationSeconds": SOFT_DELETE_SECONDS},
    }
    if kind != "region":
        defaults["rpo"] = "DEFAULT"
    body = settled(merged(defaults, _writable(sent)), {}, now)
    return body | {
        "location": location,
        "locationType": kind,
        "generation": str(generation),
        "timeCreated": timestamp(now),
        "updated": timestamp(now),
    }


def patched_body(body: Body, patch: Body, now: datetime) -> Body:
    """The stored form after a merge patch."""
    result = settled(merged(body, _writable(patch, keep_null=True)), body, now)
    return result | {"updated": timestamp(now)}


def replaced_body(body: Body, sent: Body, now: datetime) -> Body:
    """The stored form after an update: what is not sent falls back to its default."""
    fresh = new_body(sent | {"location": body["location"]}, now, int(body["generation"]))
    return fresh | {"timeCreated": body["timeCreated"]}


def settled(body: Body, before: Body, now: datetime) -> Body:
    """Fields that Cloud Storage completes or leaves out, made as it answers them."""
    _settle_access(body, before, now)
    _settle_duration(body, before, "softDeletePolicy", "retentionDurationSeconds", now)
    _settle_duration(body, before, "retentionPolicy", "retentionPeriod", now)
    if not (body.get("lifecycle") or {}).get("rule", True):
        del body["lifecycle"]
    return {key: value for key, value in body.items() if value not in ({}, [], None)}


def resource(
    name: str, body: Body, metageneration: int, project_number: int, base_url: str, full: bool
) -> Body:
    """The bucket as JSON; with `full` also its access controls (projection=full)."""
    answer = {
        "kind": "storage#bucket",
        "id": name,
        "selfLink": f"{base_url}/storage/v1/b/{name}",
        "name": name,
        "projectNumber": str(project_number),
        "metageneration": str(metageneration),
        "etag": etag(metageneration),
        **body,
    }
    if full and not uniform(body):
        answer = _access_controls(name, project_number, answer["selfLink"]) | answer
    if not full:
        for key in ACCESS_CONTROLS:
            answer.pop(key, None)
    return answer


def uniform(body: Body) -> bool:
    """Whether uniform bucket-level access is on: then there are no access controls."""
    access = body.get("iamConfiguration", {}).get("uniformBucketLevelAccess", {})
    return bool(access.get("enabled"))


def etag(metageneration: int, generation: int = 0) -> str:
    """Google's entity tag: generation and metageneration as a protocol buffer in base64."""
    fields = (b"\x08" + _varint(generation)) if generation else b""
    return b64encode(fields + b"\x10" + _varint(metageneration)).decode()


def _varint(number: int) -> bytes:
    groups = []
    while number > 0x7F:
        groups.append(number & 0x7F | 0x80)
        number >>= 7
    return bytes([*groups, number])


def _writable(sent: Body, keep_null: bool = False) -> Body:
    return {
        key: value
        for key, value in sent.items()
        if key not in COMPUTED and (keep_null or value is not None)
    }


def _location_type(location: str, sent: Body) -> str:
    if location in DUAL_REGIONS or sent.get("customPlacementConfig"):
        return "dual-region"
    return "multi-region" if location in MULTI_REGIONS else "region"


def _settle_access(body: Body, before: Body, now: datetime) -> None:
    """`bucketPolicyOnly` is the old name of uniform access; Google answers both."""
    access = body.setdefault("iamConfiguration", {})
    access.setdefault("publicAccessPrevention", "inherited")
    old = (before.get("iamConfiguration") or {}).get("uniformBucketLevelAccess", {})
    new = access.get("uniformBucketLevelAccess") or {}
    if new == old and "bucketPolicyOnly" in access:
        new = access["bucketPolicyOnly"] or new
    state: Body = {"enabled": bool(new.get("enabled"))}
    if state["enabled"]:
        state["lockedTime"] = old.get("lockedTime") or timestamp(now + timedelta(days=LOCK_DAYS))
    access["uniformBucketLevelAccess"] = state
    access["bucketPolicyOnly"] = dict(state)


def _settle_duration(body: Body, before: Body, policy: str, field: str, now: datetime) -> None:
    if not body.get(policy):
        return
    seconds = str(body[policy].get(field, "0"))
    old = before.get(policy) or {}
    settled_policy = {**body[policy], field: seconds}
    if seconds == "0":
        settled_policy.pop("effectiveTime", None)
    elif old.get(field) != seconds or "effectiveTime" not in old:
        settled_policy["effectiveTime"] = timestamp(now)
    body[policy] = settled_policy


def _access_controls(name: str, project_number: int, link: str) -> Body:
    entities = [(f"project-{team}-{project_number}", team, role) for team, role in TEAMS]
    team = [{"projectNumber": str(project_number), "team": team} for _, team, _ in entities]
    return {
        "acl": [
            {
                "kind": "storage#bucketAccessControl",
                "id": f"{name}/{entity}",
                "selfLink": f"{link}/acl/{entity}",
                "bucket": name,
                "entity": entity,
                "role": role,
                "etag": etag(1),
                "projectTeam": team[place],
            }
            for place, (entity, _, role) in enumerate(entities)
        ],
        "defaultObjectAcl": [
            {
                "kind": "storage#objectAccessControl",
                "entity": entity,
                "role": role,
                "etag": etag(1),
                "projectTeam": team[place],
            }
            for place, (entity, _, role) in enumerate(entities)
        ],
        "owner": {"entity": entities[0][0]},
    }
