"""What a project has switched on, and what the caller may do in it and in its bucket."""

from __future__ import annotations

from collections.abc import Sequence
from urllib.parse import urlencode

from ops.cloud import projects, rest
from ops.cloud.session import Session

USAGE = "serviceusage.googleapis.com"

# Both are limits of one request: REST references of services.batchGet and testIamPermissions.
MOST_SERVICES, MOST_PERMISSIONS = 30, 100


def disabled_services(session: Session, services: Sequence[str]) -> list[str]:
    """Those of the services that the project has not enabled, in the order given; at most 30."""
    parent = f"projects/{session.settings.project}"
    names = [f"{parent}/services/{service}" for service in services[:MOST_SERVICES]]
    path = f"/v1/{parent}/services:batchGet?{urlencode({'names': names}, doseq=True)}"
    states = (one.get("state", "") for one in rest.get(session, USAGE, path)["services"])
    return [service for service, state in zip(services, states, strict=True) if state != "ENABLED"]


def missing_in_project(session: Session, permissions: Sequence[str]) -> list[str]:
    """Those of the permissions that the caller has not in the project; at most 100."""
    path = f"/v3/projects/{session.settings.project}:testIamPermissions"
    answer = rest.post(session, projects.HOST, path, {"permissions": list(permissions)})
    return [one for one in permissions if one not in answer.get("permissions", [])]


def missing_in_bucket(session: Session, bucket: str, permissions: Sequence[str]) -> list[str]:
    """Those of the permissions that the caller has not in the bucket."""
    granted = session.call(session.storage().bucket(bucket).test_iam_permissions, list(permissions))
    return [one for one in permissions if one not in granted]
