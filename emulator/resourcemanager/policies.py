"""A project's IAM policy: read, replaced by etag, and asked what it grants."""

from __future__ import annotations

from typing import Any

from emulator.accounts import ACCOUNT_NAME
from emulator.cloud import Cloud
from emulator.iam import members, policy_changes
from emulator.iam import policy as any_policy
from emulator.iam.rights import Bindings, concerns
from emulator.resourcemanager import projects
from emulator.tokens import OWNER, Caller

Policy = dict[str, Any]

KIND = "projectPolicy"
# cloud.google.com/storage/docs/access-control/iam#convenience-values
TEAMS = {
    "roles/owner": "projectOwner",
    "roles/editor": "projectEditor",
    "roles/viewer": "projectViewer",
}


def get(cloud: Cloud, project: str, version: int = 0) -> Policy:
    """The policy with its etag, for who understands up to `version`."""
    return any_policy.shown(_current(cloud, projects.canonical(cloud, project)), version)


def replace(cloud: Cloud, project: str, policy: Any) -> Policy:
    """The new policy; ABORTED for a stale etag, INVALID_ARGUMENT for a misshapen role or member."""
    project_id = projects.canonical(cloud, project)
    with cloud.store.transaction():
        before = _current(cloud, project_id)
        policy_changes.check_version(before["bindings"], policy)
        new = any_policy.replaced(before, policy)
        policy_changes.check_project(new["bindings"])
        members.check_new(cloud, before["bindings"], new["bindings"])
        _write(cloud, project_id, new)
    return any_policy.shown(new, any_policy.CONDITIONAL)


def bindings(cloud: Cloud, project_id: str) -> Bindings:
    """Who has which role in a project."""
    found: Bindings = _current(cloud, project_id)["bindings"]
    return found


def bind(cloud: Cloud, project_id: str, role: str, member: str) -> None:
    """Grants a role as the server does for its own agents, whatever the policy was."""
    with cloud.store.transaction():
        before = _current(cloud, project_id)
        kept = [dict(one) for one in before["bindings"]]
        same = [one for one in kept if one["role"] == role and not one.get("condition")]
        if same:
            same[0]["members"] = sorted({*same[0]["members"], member})
        else:
            kept.append({"role": role, "members": [member]})
        _write(cloud, project_id, before | {"bindings": kept, "revision": before["revision"] + 1})


def team(cloud: Cloud, project_id: str, caller: Caller) -> frozenset[str]:
    """The members that stand for the caller's basic roles in a project (`projectEditor:P`)."""
    here = bindings(cloud, project_id)
    roles = {one["role"] for one in here if concerns(one.get("members", ()), caller)}
    return frozenset(f"{TEAMS[role]}:{project_id}" for role in roles & TEAMS.keys())


def _current(cloud: Cloud, project_id: str) -> Policy:
    """The policy as it is stored; nobody may change what this answers."""
    with cloud.store.read() as db:
        row = db.execute(
            "SELECT body FROM resources WHERE name = ?", (_name(project_id),)
        ).fetchone()
    return any_policy.parsed(row[0]) if row else _first(cloud, project_id)


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
