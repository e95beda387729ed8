"""What Google refuses of a change of a policy, beside what a policy itself may be."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from emulator.cloud import Cloud
from emulator.errors import ApiError
from emulator.iam import roles

Policy = Mapping[str, Any]

BASIC = frozenset({"roles/owner", "roles/editor", "roles/viewer"})
EVERYBODY = frozenset({"allUsers", "allAuthenticatedUsers"})
# Recorded: github.com/hashicorp/vault-plugin-secrets-gcp/issues/88, read 2026-11-21.
OLDER = (
    "Specified policy version ({sent}) cannot be less than the existing policy version (3). For "
    "more information, please refer to https://cloud.google.com/iam/docs/policies#versions."
)
CONDITIONAL = 3
# cloud.google.com/iam/docs/troubleshooting-withcond: a binding whose condition is not shown.
MARK = "_withcond_"
# The fields of Policy; `google.iam.v1.SetIamPolicyRequest.update_mask`, "bindings, etag" by
# default (google/iam/v1/iam_policy.proto).
MASKABLE = frozenset({"bindings", "etag", "version", "auditConfigs", "audit_configs"})
# A role can be granted on a resource if it has a permission for that type of resource
# (cloud.google.com/iam/docs/viewing-grantable-roles).
ON_ACCOUNTS = "iam.serviceAccount"


def check_version(before: Sequence[Mapping[str, Any]], sent: Any) -> None:
    """INVALID_ARGUMENT for who writes back a policy whose conditions were not shown.

    Without an etag the conditions may be lost, as Policy.version in google/iam/v1/policy.proto
    warns; a marked role is never one that can be granted.
    """
    if not isinstance(sent, dict):
        return
    version = sent.get("version") or 1
    conditional = any(one.get("condition") for one in before)
    if conditional and sent.get("etag") and version != CONDITIONAL:
        raise ApiError("INVALID_ARGUMENT", OLDER.format(sent=version))
    for role in _roles(sent):
        if MARK in role:
            raise _unsupported(role)


def check_project(bindings: Sequence[Mapping[str, Any]]) -> None:
    """INVALID_ARGUMENT for the public in a project, and for a basic role on a condition.

    cloud.google.com/resource-manager/reference/rest/v1/projects/setIamPolicy ("does not support
    allUsers and allAuthenticatedUsers"), cloud.google.com/iam/docs/conditions-overview.
    """
    for binding in bindings:
        role = str(binding["role"])
        if public := EVERYBODY & set(binding.get("members", ())):
            message = f"The member {min(public)} is of an unknown type or is not supported here."
            raise ApiError("INVALID_ARGUMENT", message)
        if binding.get("condition") and role in BASIC:
            message = f"Conditions can't be set on the basic role {role}."
            raise ApiError("INVALID_ARGUMENT", message)


def check_account(cloud: Cloud, bindings: Sequence[Mapping[str, Any]]) -> None:
    """INVALID_ARGUMENT for a role that has no permission on service accounts.

    Of a role without permissions in the table nothing is known.
    """
    for binding in bindings:
        held = roles.permissions(cloud, str(binding["role"]))
        if held and not any(one.startswith(ON_ACCOUNTS) for one in held):
            raise _unsupported(str(binding["role"]))


def check_mask(mask: Any) -> None:
    """INVALID_ARGUMENT for an update mask that names what no policy has."""
    for path in str(mask or "").split(","):
        if path.strip() and path.strip() not in MASKABLE:
            message = f"Invalid update mask: '{path.strip()}' is no field of a policy."
            raise ApiError("INVALID_ARGUMENT", message)


def _roles(sent: Policy) -> list[str]:
    found = sent.get("bindings")
    bindings = found if isinstance(found, list) else []
    return [str(one.get("role", "")) for one in bindings if isinstance(one, dict)]


def _unsupported(role: str) -> ApiError:
    return ApiError("INVALID_ARGUMENT", f"Role {role} is not supported for this resource.")
