"""The accounts that work for a stack: Vertex AI's own agent, and those that jobs run as."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from ops.cloud import projects, rest
from ops.cloud.session import Session

# docs.cloud.google.com/iam/docs/service-agents, as of 2026-05-30.
DOMAIN = "gcp-sa-aiplatform.iam.gserviceaccount.com"
SERVICE = "aiplatform.googleapis.com"
ROLE = "roles/aiplatform.serviceAgent"
ACT_AS = "iam.serviceAccounts.actAs"


def member(project_number: str) -> str:
    """Vertex AI's service agent of the project, as policies name it."""
    return f"serviceAccount:service-{project_number}@{DOMAIN}"


def may_act_as(session: Session, email: str) -> bool:
    """Whether the caller may have jobs run as this account; NotFound when there is none."""
    path = f"/v1/projects/-/serviceAccounts/{email}:testIamPermissions"
    answer = rest.post(session, "iam.googleapis.com", path, {"permissions": [ACT_AS]})
    return ACT_AS in answer.get("permissions", [])


def roles_in_project(session: Session, who: str) -> frozenset[str]:
    """The roles that the project's own policy gives to the member, without a condition."""
    path = f"/v3/projects/{session.settings.project}:getIamPolicy"
    asked = {"options": {"requestedPolicyVersion": 3}}
    policy = rest.post(session, projects.HOST, path, asked)
    return _roles(policy.get("bindings", []), who)


def roles_in_bucket(session: Session, bucket: str, who: str) -> frozenset[str]:
    """The roles that the bucket's own policy gives to the member, without a condition."""
    path = f"/storage/v1/b/{bucket}/iam?optionsRequestedPolicyVersion=3"
    policy = rest.get(session, "storage.googleapis.com", path)
    return _roles(policy.get("bindings", []), who)


def _roles(bindings: Iterable[Mapping[str, Any]], who: str) -> frozenset[str]:
    return frozenset(
        str(one["role"])
        for one in bindings
        if who in one.get("members", []) and not one.get("condition")
    )
