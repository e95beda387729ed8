"""What Cloud Storage completes in a bucket by itself: defaults, times, two names of one thing."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any

from emulator.clock import timestamp

Body = dict[str, Any]

# https://cloud.google.com/storage/docs/soft-delete, read 2026-11-21: 7 days unless told otherwise.
SOFT_DELETE_SECONDS = "604800"
# https://cloud.google.com/storage/docs/uniform-bucket-level-access: not after 90 consecutive days.
LOCK_DAYS = 90
# Nobody may have access at all: an empty list of controls says something.
CONTROLS = ("acl", "defaultObjectAcl")
ENFORCEMENTS = (
    "googleManagedEncryptionEnforcementConfig",
    "customerManagedEncryptionEnforcementConfig",
    "customerSuppliedEncryptionEnforcementConfig",
)


def settled(name: str, body: Body, before: Body, now: datetime) -> Body:
    """The body as Cloud Storage keeps it; `before` is the bucket until now, {} for a new one."""
    body.setdefault("storageClass", "STANDARD")
    default = {"retentionDurationSeconds": SOFT_DELETE_SECONDS}
    body["softDeletePolicy"] = body.get("softDeletePolicy") or default
    if body["locationType"] != "region":
        body.setdefault("rpo", "DEFAULT")
    _settle_access(body, before, now)
    _settle_duration(body, before, "softDeletePolicy", "retentionDurationSeconds", now)
    _settle_duration(body, before, "retentionPolicy", "retentionPeriod", now)
    _settle_autoclass(body, before, now)
    _settle_encryption(body, before, now)
    if not (body.get("lifecycle") or {}).get("rule", True):
        del body["lifecycle"]
    if body.get("logging"):
        body["logging"] = {"logObjectPrefix": name} | body["logging"]
    return {
        key: value for key, value in body.items() if key in CONTROLS or value not in ({}, [], None)
    }


def _settle_access(body: Body, before: Body, now: datetime) -> None:
    """`bucketPolicyOnly` is the old name of uniform access; Google answers both."""
    access = body["iamConfiguration"] = dict(body.get("iamConfiguration") or {})
    if access.get("publicAccessPrevention") in (None, "unspecified"):
        access["publicAccessPrevention"] = "inherited"
    old = (before.get("iamConfiguration") or {}).get("uniformBucketLevelAccess") or {}
    new = access.get("uniformBucketLevelAccess") or {}
    if bool(new.get("enabled")) == bool(old.get("enabled")) and access.get("bucketPolicyOnly"):
        new = access["bucketPolicyOnly"]
    state: Body = {"enabled": bool(new.get("enabled"))}
    if state["enabled"]:
        state["lockedTime"] = old.get("lockedTime") or timestamp(now + timedelta(days=LOCK_DAYS))
    access["uniformBucketLevelAccess"] = state
    access["bucketPolicyOnly"] = dict(state)


def _settle_duration(body: Body, before: Body, policy: str, field: str, now: datetime) -> None:
    if not body.get(policy):
        return
    seconds = str(body[policy].get(field) or "0")
    old = before.get(policy) or {}
    new = {**old, **body[policy], field: seconds}
    if seconds == "0":
        new.pop("effectiveTime", None)
    elif old.get(field) != seconds or "effectiveTime" not in old:
        new["effectiveTime"] = timestamp(now)
    body[policy] = new


def _settle_autoclass(body: Body, before: Body, now: datetime) -> None:
    if not body.get("autoclass"):
        return
    old, sent = before.get("autoclass") or {}, body["autoclass"]
    enabled, moment = bool(sent.get("enabled")), timestamp(now)
    toggled = old.get("enabled") != enabled
    new = {"enabled": enabled, "toggleTime": moment if toggled else old["toggleTime"]}
    if enabled:
        terminal = sent.get("terminalStorageClass") or "NEARLINE"
        same = terminal == old.get("terminalStorageClass")
        new["terminalStorageClass"] = terminal
        new["terminalStorageClassUpdateTime"] = (
            old["terminalStorageClassUpdateTime"] if same else moment
        )
    body["autoclass"] = new


def _settle_encryption(body: Body, before: Body, now: datetime) -> None:
    """A restriction carries the moment from which it holds."""
    sent, old = body.get("encryption") or {}, before.get("encryption") or {}
    new = dict(sent)
    for field in ENFORCEMENTS:
        config = sent.get(field) or {}
        was = old.get(field) or {}
        if config.get("restrictionMode") == "FullyRestricted":
            same = was.get("restrictionMode") == "FullyRestricted"
            moment = was["effectiveTime"] if same else timestamp(now)
            new[field] = {"restrictionMode": "FullyRestricted", "effectiveTime": moment}
        elif config:
            new[field] = {"restrictionMode": config.get("restrictionMode", "NotRestricted")}
    if new:
        body["encryption"] = new
