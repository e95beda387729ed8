"""What organization policies forbid here: keys, and buckets in the wrong place or form.

Recorded refusals: github.com/google/create-service-account/issues/21 (keys),
GAM-team/GAM/issues/1678 (uploaded keys), googleapis/java-storage/issues/1240 (HMAC keys),
GoogleCloudDataproc/spark-bigquery-connector/issues/231 (locations),
terraform-google-modules/terraform-google-event-function/pull/41 (buckets); read 2026-11-22.
"""

from __future__ import annotations

from typing import Any
from urllib.parse import quote

from emulator.cloud import Cloud
from emulator.errors import ApiError
from emulator.orgpolicy import policies
from emulator.storage.errors import StorageError

KEY_CREATION = "iam.disableServiceAccountKeyCreation"
KEY_UPLOAD = "iam.disableServiceAccountKeyUpload"
LOCATIONS = "gcp.resourceLocations"
UNIFORM = "storage.uniformBucketLevelAccess"
MANAGED_KEY_CREATION = "iam.managed.disableServiceAccountKeyCreation"
NO_KEYS = "Key creation is not allowed on this service account."
NO_UPLOAD = (
    "Constraint `constraints/{constraint}` violated for service account {name} attempting to "
    "upload public key."
)
# docs.cloud.google.com/organization-policy/defining-locations: Europe is more than the EU.
OUTSIDE_EU = ("europe-west2", "europe-west6")


def check_key(cloud: Cloud, project: str, name: str, email: str, *, uploaded: bool = False) -> None:
    """FAILED_PRECONDITION where no key of a service account may be made, or uploaded."""
    wanted = [KEY_UPLOAD] if uploaded else [KEY_CREATION, MANAGED_KEY_CREATION]
    for constraint in wanted:
        if _enforced(cloud, project, constraint):
            message = NO_UPLOAD.format(constraint=constraint, name=name) if uploaded else NO_KEYS
            violation = {
                "type": f"constraints/{constraint}",
                "subject": f"{name}?configvalue={quote(email)}",
                "description": message,
            }
            failure = "type.googleapis.com/google.rpc.PreconditionFailure"
            details = [{"@type": failure, "violations": [violation]}]
            raise ApiError("FAILED_PRECONDITION", message, details)


def check_hmac_key(cloud: Cloud, project: str) -> None:
    """412 where no key of a service account may be made."""
    if _enforced(cloud, project, KEY_CREATION):
        raise _violates("Request", KEY_CREATION)


def check_bucket(cloud: Cloud, project: str, body: dict[str, Any]) -> None:
    """412 for a new bucket in a place, or of a kind, that the organization does not allow."""
    location = str(body.get("location") or "US").lower()
    if not _allows(policies.effective(cloud, project, LOCATIONS)["spec"]["rules"], location):
        raise _violates(f"'{location}'", LOCATIONS)
    if not _is_uniform(body) and _enforced(cloud, project, UNIFORM):
        raise _violates("Request", UNIFORM)


def _is_uniform(body: dict[str, Any]) -> bool:
    """Whether a bucket as it was sent, whatever its shape, has uniform access."""
    access = body.get("iamConfiguration")
    if not isinstance(access, dict):
        return False
    kinds = [access.get(key) for key in ("uniformBucketLevelAccess", "bucketPolicyOnly")]
    return any(isinstance(one, dict) and one.get("enabled") is True for one in kinds)


def _enforced(cloud: Cloud, project: str, constraint: str) -> bool:
    rules = policies.effective(cloud, project, constraint)["spec"]["rules"]
    return bool(rules[-1]["enforce"])


def _allows(rules: list[dict[str, Any]], location: str) -> bool:
    """Whether no rule denies a location, and one allows it where any does."""
    allowed: list[str] = []
    for rule in rules:
        values = rule.get("values", {})
        denied = values.get("deniedValues", [])
        if rule.get("denyAll") or any(_covers(str(one), location) for one in denied):
            return False
        allowed += values.get("allowedValues", [])
    return not allowed or any(_covers(str(one), location) for one in allowed)


def _covers(value: str, location: str) -> bool:
    """Whether a value of the constraint (`us-central1`, `in:eu-locations`) has a location."""
    group = value.lower().removeprefix("is:")
    if not group.startswith("in:"):
        return group == location
    group = group.removeprefix("in:").removesuffix("-locations")
    if group == "eu":
        european = location.startswith("europe-") and not location.startswith(OUTSIDE_EU)
        return location == "eu" or european
    return location == group or location.startswith(f"{group}-")


def _violates(what: str, constraint: str) -> StorageError:
    message = f"{what} violates constraint 'constraints/{constraint}'"
    return StorageError(412, "conditionNotMet", message, ("header", "If-Match"))
