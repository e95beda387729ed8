"""A project's IAM policy: read, replaced by etag, and asked what it grants."""

from __future__ import annotations

import re
from base64 import b64encode
from typing import Any

from emulator.accounts import ACCOUNT_NAME
from emulator.cloud import Cloud
from emulator.errors import ApiError
from emulator.iam.rights import concerns, granted
from emulator.resourcemanager import projects
from emulator.tokens import OWNER, Caller

Policy = dict[str, Any]

KIND = "projectPolicy"
# cloud.google.com/iam/docs/principal-identifiers
MEMBER = re.compile(
    r"(user|serviceAccount|group|domain|deleted:\w+|principal(Set)?|projectOwner|projectEditor|"
    r"projectViewer):\S+|allUsers|allAuthenticatedUsers"
)
ROLE = re.compile(r"(projects/[^/]+/|organizations/[^/]+/)?roles/[\w.]+")
# cloud.google.com/storage/docs/access-control/iam#convenience-values
TEAMS = {
    "roles/owner": "projectOwner",
    "roles/editor": "projectEditor",
    "roles/viewer": "projectViewer",
}
STALE = (
    "There were concurrent policy changes. Please retry the whole read-modify-write with "
    "exponential backoff. The request's ETag '{sent}' did not match the current policy's ETag "
    "'{current}'."
)


def get(cloud: Cloud, project: str) -> Policy:
    """The policy with its etag; PERMISSION_DENIED for a project that does not exist."""
    return _shown(_current(cloud, projects.canonical(cloud, project)))


def replace(cloud: Cloud, project: str, policy: Any) -> Policy:
    """The new policy; ABORTED for a stale etag, INVALID_ARGUMENT for a misshapen role or member."""
    if not isinstance(policy, dict):
        raise ApiError("INVALID_ARGUMENT", "The policy is missing.")
    project_id = projects.canonical(cloud, project)
    for binding in policy.get("bindings", []):
        _check(binding)
    with cloud.store.transaction():
        current = _current(cloud, project_id)
        sent, etag = policy.get("etag"), _etag(current["revision"])
        if sent and sent != etag:
            raise ApiError("ABORTED", STALE.format(sent=sent, current=etag))
        new = {
            "version": policy.get("version") or 1,
            "bindings": [one for one in policy.get("bindings", []) if one.get("members")],
            "revision": current["revision"] + 1,
        }
        _write(cloud, project_id, new)
    return _shown(new)


def granted_to(cloud: Cloud, project: str, caller: Caller, permissions: list[str]) -> list[str]:
    """Those of the permissions that the caller has by the project's policy."""
    project_id = projects.canonical(cloud, project)
    return granted(_current(cloud, project_id)["bindings"], caller, permissions)


def team(cloud: Cloud, project_id: str, caller: Caller) -> frozenset[str]:
    """The members that stand for the caller's basic roles in a project (`projectEditor:P`)."""
    bindings = _current(cloud, project_id)["bindings"]
    roles = {one["role"] for one in bindings if concerns(one.get("members", ()), caller)}
    return frozenset(f"{TEAMS[role]}:{project_id}" for role in roles & TEAMS.keys())


def _check(binding: Any) -> None:
    role, members = str(binding.get("role", "")), binding.get("members", [])
    if not ROLE.fullmatch(role):
        raise ApiError("INVALID_ARGUMENT", f"Role {role} is not supported for this resource.")
    for member in members:
        if not MEMBER.fullmatch(str(member)):
            message = f"Invalid member: '{member}'. Members begin with user:, serviceAccount:, …"
            raise ApiError("INVALID_ARGUMENT", message)


def _current(cloud: Cloud, project_id: str) -> Policy:
    return cloud.resources.get(_name(project_id)) or _first(cloud, project_id)


def _first(cloud: Cloud, project_id: str) -> Policy:
    """What every project begins with: the owner, and the account of the data folder, own it."""
    account = f"{ACCOUNT_NAME}@{cloud.settings.default_project}.iam.gserviceaccount.com"
    projects.number(cloud, project_id)
    members = [f"serviceAccount:{account}", f"user:{OWNER}"]
    return {
        "version": 1,
        "bindings": [{"role": "roles/owner", "members": members}],
        "revision": 1,
    }


def _write(cloud: Cloud, project_id: str, policy: Policy) -> None:
    name = _name(project_id)
    if cloud.resources.get(name) is None:
        cloud.resources.insert(KIND, name, policy, f"projects/{project_id}")
    else:
        cloud.resources.replace(name, policy)


def _name(project_id: str) -> str:
    return f"projects/{project_id}:policy"


def _shown(policy: Policy) -> Policy:
    shown = {key: value for key, value in policy.items() if key != "revision" and value != []}
    return {**shown, "etag": _etag(policy["revision"])}


def _etag(revision: int) -> str:
    return b64encode(b"\x07" + revision.to_bytes(7, "big")).decode()
