"""What no bucket may be: fields that contradict each other, or what was there before."""

from __future__ import annotations

import ipaddress
import re
from datetime import datetime
from typing import Any

from emulator.clock import timestamp
from emulator.storage import acl, bucket_encryption
from emulator.storage.errors import StorageError, invalid

Body = dict[str, Any]

DAY_SECONDS = 86_400
# https://cloud.google.com/storage/docs/soft-delete (a copy stored in 2024): "increase the retention
# duration to 90 days or disable it by setting [it] to 0. The minimum [...] is 7 days."
SOFT_DELETE_SECONDS = range(7 * DAY_SECONDS, 90 * DAY_SECONDS + 1)
# https://cloud.google.com/storage/quotas, read 2026-11-21: at most 3,155,760,000 s (100 years).
RETENTION_SECONDS = range(1, 3_155_760_000 + 1)
# ServiceConstants.Values in google-cloud-storage 3.17 (_storage_v2/types/storage.py).
LABELS, LABEL_LENGTH, LABEL_BYTES, RULES = 64, 63, 128, 100
KMS_KEY = re.compile(r"projects/[^/]+/locations/[^/]+/keyRings/[^/]+/cryptoKeys/[^/]+")
ABORT = "AbortIncompleteMultipartUpload"
# No source found for the whole list: google-cloud-storage names only `age`, the notes of 2026-07-20
# the sizes (github.com/takech9203/google-cloud-news-summary).
ABORT_CONDITIONS = frozenset(
    {"age", "matchesPrefix", "matchesSuffix", "sizeAboveBytes", "sizeBelowBytes"}
)
SIZES, MOST_SIZE_BYTES = ("sizeAboveBytes", "sizeBelowBytes"), 5 << 40
# https://cloud.google.com/storage/docs/ip-filtering-overview, as Google's guide to the planning of
# buckets (google-cloud-storage-bucket-architect) repeats it, read 2026-11-21.
IP_RANGES, IP_NETWORKS = 200, 25


def check(name: str, body: Body, before: Body, now: datetime) -> None:
    """Raises what Cloud Storage refuses in `body`; `before` is {} for a new bucket."""
    _check_durations(body)
    _check_locks(name, body, before, now)
    _check_placement(body, before)
    _check_labels(body.get("labels") or {})
    _check_lifecycle((body.get("lifecycle") or {}).get("rule") or [])
    _check_ip_filter(body.get("ipFilter") or {})
    encryption = body.get("encryption") or {}
    key = encryption.get("defaultKmsKeyName")
    if key and not KMS_KEY.fullmatch(key):
        raise invalid(f"Malformed Cloud KMS crypto key: {key}")
    bucket_encryption.check_default_key(encryption)


def _check_durations(body: Body) -> None:
    soft = int(body["softDeletePolicy"]["retentionDurationSeconds"])
    if soft and soft not in SOFT_DELETE_SECONDS:
        raise invalid(
            "Invalid argument: the duration of a soft delete policy is 0 or between 7 and 90 days."
        )
    policy = body.get("retentionPolicy")
    if policy and int(policy["retentionPeriod"]) not in RETENTION_SECONDS:
        raise invalid(
            "Invalid argument: the period of a retention policy is between 1 second and 100 years."
        )


def _check_locks(name: str, body: Body, before: Body, now: datetime) -> None:
    old, new = before.get("retentionPolicy") or {}, body.get("retentionPolicy") or {}
    if old.get("isLocked") and int(new.get("retentionPeriod", 0)) < int(old["retentionPeriod"]):
        message = (
            f"Cannot reduce retention duration of a locked Retention Policy for bucket '{name}'."
        )
        raise StorageError(403, "forbidden", message)
    uniform = (before.get("iamConfiguration") or {}).get("uniformBucketLevelAccess") or {}
    locked = uniform.get("lockedTime")
    if locked and not acl.uniform(body) and locked <= timestamp(now):
        raise invalid(
            "Cannot disable uniform bucket-level access: it has been enabled for 90 days and is "
            f"locked. {acl.ABOUT_UNIFORM}"
        )


def _check_placement(body: Body, before: Body) -> None:
    if body.get("rpo") == "ASYNC_TURBO" and body["locationType"] != "dual-region":
        raise invalid("Invalid argument: ASYNC_TURBO is only for buckets in dual-regions.")
    tree = bool((body.get("hierarchicalNamespace") or {}).get("enabled"))
    was = bool((before.get("hierarchicalNamespace") or {}).get("enabled"))
    if before and tree != was:
        raise invalid("The hierarchical namespace of a bucket is decided when it is created.")
    if tree and not acl.uniform(body):
        raise invalid(
            "Hierarchical namespace buckets must use uniform bucket-level access. "
            + acl.ABOUT_UNIFORM
        )
    if tree and (body.get("versioning") or {}).get("enabled"):
        raise invalid("Object versioning is not supported in hierarchical namespace buckets.")
    if (body.get("autoclass") or {}).get("enabled") and body["storageClass"] != "STANDARD":
        raise invalid("Autoclass needs the default storage class STANDARD.")


def _check_labels(labels: Body) -> None:
    if len(labels) > LABELS:
        raise invalid(f"A bucket has at most {LABELS} labels. Received: {len(labels)}.")
    for key, value in labels.items():
        good = _is_label(key) and _is_label(value)
        if not key or not (key[0].isalpha()) or not good:
            raise invalid(f"Invalid label: '{key[:80]}' = '{value[:80]}'.")


def _is_label(text: str) -> bool:
    plain = all(letter.isalnum() or letter in "_-" for letter in text)
    short = len(text) <= LABEL_LENGTH and len(text.encode()) <= LABEL_BYTES
    return plain and short and text == text.lower()


def _check_lifecycle(rules: list[Body]) -> None:
    if len(rules) > RULES:
        raise invalid(f"A lifecycle configuration has at most {RULES} rules.")
    for rule in rules:
        action, condition = rule.get("action") or {}, rule.get("condition") or {}
        kind = action.get("type")
        if kind is None:
            raise invalid("A lifecycle rule must have an action.")
        if not condition:
            raise invalid("A lifecycle rule must have at least one condition.")
        if kind == "SetStorageClass" and "storageClass" not in action:
            raise invalid("The action SetStorageClass needs a storageClass.")
        if kind == ABORT and not ABORT_CONDITIONS.issuperset(condition):
            raise invalid(
                f"The action {ABORT} has only the conditions {', '.join(sorted(ABORT_CONDITIONS))}."
            )
        for field, value in condition.items():
            if isinstance(value, int) and value < 0:
                raise invalid(f"The lifecycle condition {field} cannot be negative: {value}.")
            if field in SIZES and not 0 <= int(value) <= MOST_SIZE_BYTES:
                raise invalid(f"The lifecycle condition {field} is 0 to 5 TiB, not {value}.")


def _check_ip_filter(ip_filter: Body) -> None:
    if ip_filter and "mode" not in ip_filter:
        raise invalid("An IP filter needs a mode.")
    networks = ip_filter.get("vpcNetworkSources") or []
    if len(networks) > IP_NETWORKS:
        raise invalid(f"An IP filter has at most {IP_NETWORKS} VPC networks.")
    sources = (ip_filter.get("publicNetworkSource") or {}, *networks)
    ranges = [cidr for source in sources for cidr in source.get("allowedIpCidrRanges") or []]
    if len(ranges) > IP_RANGES:
        raise invalid(f"An IP filter has at most {IP_RANGES} CIDR ranges.")
    for cidr in ranges:
        try:
            ipaddress.ip_network(cidr)
        except ValueError:
            raise invalid(f"Invalid CIDR range in the IP filter: '{cidr}'.") from None
