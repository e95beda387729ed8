"""Policies of buckets and managed folders: judged, replaced by etag, shown by version."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

from emulator.iam import conditions, roles
from emulator.storage import acl
from emulator.storage.acl_bindings import CONTROLS
from emulator.storage.bucket_resource import etag
from emulator.storage.errors import StorageError, invalid
from emulator.storage.schema import Kind, fitted

Policy = dict[str, Any]

# https://cloud.google.com/iam/docs/principal-identifiers, as of 2026-05-30.
MEMBER = re.compile(
    r"(user|serviceAccount|group|domain|projectOwner|projectEditor|projectViewer"
    r"|deleted:\w+|principal(Set)?):\S+|allUsers|allAuthenticatedUsers"
)
ROLE = re.compile(r"(projects/[^/\s]+/|organizations/[^/\s]+/)?roles/[\w.]+")
BASIC = frozenset({"roles/owner", "roles/editor", "roles/viewer"})
# cloud.google.com/iam/docs/viewing-grantable-roles: a role can be granted on a kind of resource
# where it has a permission for it.
OF_BUCKETS = tuple(
    f"storage.{kind}."
    for kind in (
        "buckets", "objects", "folders", "managedFolders", "multipartUploads", "anywhereCaches",
        "bucketOperations",
    )
)  # fmt: skip
CONDITIONAL = 3
VERSIONS = ("0", "1", "3")
STALE = "Precondition Failed: the etag of the policy is not that of the policy now."
NOT_UNIFORM = (
    "To set IAM Conditions on a bucket, you must enable uniform bucket-level access on it. "
    + acl.ABOUT_UNIFORM
)
# As github.com/kestra-io/plugin-gcp/issues/318 recorded it.
UNKNOWN_MEMBER = (
    "The member {} is of an unknown type. Please set a valid type prefix for the member."
)
BINDING = {
    "role": Kind.TEXT,
    "members": [Kind.TEXT],
    "condition": {"title": Kind.TEXT, "description": Kind.TEXT, "expression": Kind.TEXT},
}
SENT = {"version": Kind.INTEGER, "etag": Kind.TEXT, "bindings": [BINDING]}


def replaced(before: Policy, sent: Policy, bucket_body: Mapping[str, Any]) -> Policy:
    """The policy after `before`, as sent. 412 for a stale etag, for conditions without uniform
    access and for the public where it is prevented, 400 for what is misshapen."""
    policy = fitted(sent, SENT)
    if policy.get("etag") and policy["etag"] != etag(before["revision"]):
        raise StorageError(412, "conditionNotMet", STALE, ("header", "If-Match"))
    if str(policy.get("version") or 0) not in VERSIONS:
        raise invalid(f"Invalid policy version: {policy['version']}. Expected 0, 1 or 3.")
    bindings = [_checked(one) for one in policy.get("bindings") or [] if one.get("members")]
    if conditional(bindings):
        if not acl.uniform(bucket_body):
            raise StorageError(412, "conditionNotMet", NOT_UNIFORM, ("header", "If-Match"))
        if (policy.get("version") or 1) < CONDITIONAL:
            raise invalid(
                "Policies with conditional role bindings must specify a version of at least 3."
            )
    members = {member for one in bindings for member in one["members"]}
    if acl.prevented(bucket_body) and members & acl.EVERYBODY:
        raise StorageError(412, "conditionNotMet", acl.PREVENTED, ("header", "If-Match"))
    return {"bindings": bindings, "revision": before["revision"] + 1}


def shown(policy: Policy, resource_id: str, query: Mapping[str, str]) -> Policy:
    """The policy as JSON. 400 for a version that has no conditions where there are some."""
    asked = query.get("optionsRequestedPolicyVersion", "0")
    if asked not in VERSIONS:
        raise invalid(f"Invalid requested policy version: '{asked}'. Expected 0, 1 or 3.")
    found = conditional(policy["bindings"])
    if found and int(asked) < CONDITIONAL:
        raise invalid(
            "The policy has conditional role bindings: request it with "
            "optionsRequestedPolicyVersion at least 3."
        )
    return {
        "kind": "storage#policy",
        "resourceId": resource_id,
        "version": CONDITIONAL if found else 1,
        "etag": etag(policy["revision"]),
        **({"bindings": policy["bindings"]} if policy["bindings"] else {}),
    }


def conditional(bindings: list[Policy]) -> bool:
    """Whether a binding has a condition."""
    return any(one.get("condition") for one in bindings)


def _checked(binding: Policy) -> Policy:
    role, condition = binding.get("role") or "", binding.get("condition")
    if not ROLE.fullmatch(role) or not _grantable(role):
        raise invalid(f"Role {role} is not supported for this resource.")
    for member in binding["members"]:
        if not MEMBER.fullmatch(member):
            raise invalid(UNKNOWN_MEMBER.format(member[:100]))
    found = {"role": role, "members": list(dict.fromkeys(binding["members"]))}
    if not condition:
        return found
    if not condition.get("title") or not condition.get("expression"):
        raise invalid("A condition must have a title and an expression.")
    if problem := conditions.problem_of(condition["expression"]):
        raise invalid(f"The condition's expression is no CEL: {problem}")
    if role in CONTROLS or role.startswith("roles/storage.legacyObject"):
        raise invalid(f"Role {role} cannot be granted on a condition.")
    return {**found, "condition": condition}


def _grantable(role: str) -> bool:
    """Whether a bucket's policy may have a role, as far as its permissions are known here."""
    if role in BASIC or roles.is_no_role(role):
        return False
    held = roles.predefined().get(role)
    return held is None or any(permission.startswith(OF_BUCKETS) for permission in held)
