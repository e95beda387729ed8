"""The fields of a bucket that a client may write, and their types.

Sources: Bucket in the discovery document of storage v1 (revision 20240809) and in _storage_v2 of
google-cloud-storage 3.17; Google's release notes of 2026-07-20 for sizes in lifecycle conditions.
"""

from __future__ import annotations

from typing import Any

from emulator.storage.schema import Kind, fitted

BOOLEAN, TEXT, INTEGER, LONG, DATE, OUTPUT = (
    Kind.BOOLEAN,
    Kind.TEXT,
    Kind.INTEGER,
    Kind.LONG,
    Kind.DATE,
    Kind.OUTPUT,
)
STORAGE_CLASSES = frozenset(
    {
        "STANDARD", "NEARLINE", "COLDLINE", "ARCHIVE", "RAPID",
        "MULTI_REGIONAL", "REGIONAL", "DURABLE_REDUCED_AVAILABILITY",
    }
)  # fmt: skip
UNIFORM = {"enabled": BOOLEAN, "lockedTime": OUTPUT}
ENFORCEMENT = {
    "restrictionMode": frozenset({"NotRestricted", "FullyRestricted"}),
    "effectiveTime": OUTPUT,
}
CONDITION = {
    "age": INTEGER,
    "createdBefore": DATE,
    "customTimeBefore": DATE,
    "daysSinceCustomTime": INTEGER,
    "daysSinceNoncurrentTime": INTEGER,
    "isLive": BOOLEAN,
    "matchesPattern": TEXT,
    "matchesPrefix": [TEXT],
    "matchesStorageClass": [STORAGE_CLASSES],
    "matchesSuffix": [TEXT],
    "noncurrentTimeBefore": DATE,
    "numNewerVersions": INTEGER,
    "sizeAboveBytes": LONG,
    "sizeBelowBytes": LONG,
}
ACTION = {
    "type": frozenset({"Delete", "SetStorageClass", "AbortIncompleteMultipartUpload"}),
    "storageClass": STORAGE_CLASSES,
}
BUCKET: dict[str, Any] = {
    "autoclass": {
        "enabled": BOOLEAN,
        "terminalStorageClass": frozenset({"NEARLINE", "ARCHIVE"}),
        "toggleTime": OUTPUT,
        "terminalStorageClassUpdateTime": OUTPUT,
    },
    "billing": {"requesterPays": BOOLEAN},
    "cors": [
        {"maxAgeSeconds": INTEGER, "method": [TEXT], "origin": [TEXT], "responseHeader": [TEXT]}
    ],
    "customPlacementConfig": {"dataLocations": [TEXT]},
    "defaultEventBasedHold": BOOLEAN,
    "encryption": {
        "defaultKmsKeyName": TEXT,
        "googleManagedEncryptionEnforcementConfig": ENFORCEMENT,
        "customerManagedEncryptionEnforcementConfig": ENFORCEMENT,
        "customerSuppliedEncryptionEnforcementConfig": ENFORCEMENT,
    },
    "hierarchicalNamespace": {"enabled": BOOLEAN},
    "iamConfiguration": {
        "uniformBucketLevelAccess": UNIFORM,
        "bucketPolicyOnly": UNIFORM,
        "publicAccessPrevention": frozenset({"inherited", "enforced", "unspecified"}),
    },
    "ipFilter": {
        "mode": frozenset({"Enabled", "Disabled"}),
        "publicNetworkSource": {"allowedIpCidrRanges": [TEXT]},
        "vpcNetworkSources": [{"network": TEXT, "allowedIpCidrRanges": [TEXT]}],
        "allowCrossOrgVpcs": BOOLEAN,
        "allowAllServiceAgentAccess": BOOLEAN,
    },
    "labels": {"*": TEXT},
    "lifecycle": {"rule": [{"action": ACTION, "condition": CONDITION}]},
    "logging": {"logBucket": TEXT, "logObjectPrefix": TEXT},
    "retentionPolicy": {"retentionPeriod": LONG, "effectiveTime": OUTPUT, "isLocked": OUTPUT},
    "rpo": frozenset({"DEFAULT", "ASYNC_TURBO"}),
    "softDeletePolicy": {"retentionDurationSeconds": LONG, "effectiveTime": OUTPUT},
    "storageClass": STORAGE_CLASSES,
    "versioning": {"enabled": BOOLEAN},
    "website": {"mainPageSuffix": TEXT, "notFoundPage": TEXT},
}
# What is said once, when the bucket is made.
AT_CREATION: dict[str, Any] = {"location": TEXT}


def writable(sent: dict[str, Any], *, creation: bool = False) -> dict[str, Any]:
    """The fields of what a client sent that it may write; nulls stay. 400 for a wrong type."""
    found: dict[str, Any] = fitted(sent, BUCKET | AT_CREATION if creation else BUCKET)
    return found
