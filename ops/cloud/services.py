"""Switching APIs on, and having Vertex AI's own account made: what Terraform cannot begin without.

`google_project_service_identity` is in google-beta only; this is the call that it makes.
"""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial
from typing import Any

from ops.cloud import permissions, rest
from ops.cloud.session import Session

HOST = "serviceusage.googleapis.com"
ENABLE_SECONDS = 300.0


def enable(session: Session, services: Sequence[str]) -> list[str]:
    """Those of the services (at most 20) that were off, and are on now."""
    off = permissions.disabled_services(session, services)
    if off:
        path = f"/v1/projects/{session.settings.project}/services:batchEnable"
        _wait(session, rest.post(session, HOST, path, {"serviceIds": off}))
    return off


def make_agent(session: Session, project_number: str, service: str) -> str:
    """The address of the service's own account in the project; made where there is none yet."""
    path = f"/v1beta1/projects/{project_number}/services/{service}:generateServiceIdentity"
    done = _wait(session, rest.post(session, HOST, path, {}))
    return str(done.get("response", {}).get("email", ""))


def _wait(session: Session, operation: dict[str, Any]) -> dict[str, Any]:
    """The operation when it is over; google.api_core's error when it failed."""
    from google.api_core import exceptions

    if not operation.get("done"):
        name = str(operation["name"])
        operation = session.poll(partial(_over, session, name), ENABLE_SECONDS, what=name)
    error = operation.get("error")
    if error:
        refusal: Exception = exceptions.from_grpc_status(  # type: ignore[no-untyped-call]
            int(error.get("code", 2)), str(error.get("message", ""))
        )
        raise refusal
    return operation


def _over(session: Session, name: str) -> dict[str, Any] | None:
    found = rest.get(session, HOST, f"/v1/{name}")
    return found if found.get("done") else None
