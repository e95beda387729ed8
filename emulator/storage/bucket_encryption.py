"""Which kinds of encryption a bucket allows for new objects.

Source: the enforcement configs of Bucket.Encryption in google-cloud-storage 3.17 (_storage_v2).
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from emulator.storage.errors import StorageError, invalid

GOOGLE = "googleManagedEncryptionEnforcementConfig"
MANAGED = "customerManagedEncryptionEnforcementConfig"
SUPPLIED = "customerSuppliedEncryptionEnforcementConfig"
NAMES = {
    GOOGLE: "Google-managed",
    MANAGED: "customer-managed",
    SUPPLIED: "customer-supplied",
}


def check_new_object(
    bucket_body: Mapping[str, Any], fields: Mapping[str, Any], secret: Mapping[str, Any] | None
) -> None:
    """Raises 412 where the bucket restricts the kind of encryption that an object would have.

    `secret` is how the bytes are encrypted by a key that the customer supplied, or None.
    """
    encryption = bucket_body.get("encryption")
    if not encryption:
        return
    managed = fields.get("kmsKeyName") or encryption.get("defaultKmsKeyName")
    kind = SUPPLIED if secret else MANAGED if managed else GOOGLE
    if restricts(encryption, kind):
        message = f"New objects with {NAMES[kind]} encryption are restricted by the bucket."
        raise StorageError(412, "conditionNotMet", message, ("header", "If-Match"))


def check_default_key(encryption: Mapping[str, Any]) -> None:
    """Raises 400 for a default key where customer-managed encryption is restricted."""
    if encryption.get("defaultKmsKeyName") and restricts(encryption, MANAGED):
        raise invalid(
            "A bucket with a default Cloud KMS key must allow customer-managed encryption."
        )


def restricts(encryption: Mapping[str, Any], kind: str) -> bool:
    """Whether one kind is fully restricted."""
    return (encryption.get(kind) or {}).get("restrictionMode") == "FullyRestricted"
