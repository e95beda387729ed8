"""Projects, as Resource Manager knows them."""

from __future__ import annotations

from dataclasses import dataclass

from ops.cloud import rest
from ops.cloud.session import Session

HOST = "cloudresourcemanager.googleapis.com"


@dataclass(frozen=True)
class Project:
    """A project's id, number (digits) and state (ACTIVE, DELETE_REQUESTED)."""

    id: str
    number: str
    state: str


def get(session: Session, project: str) -> Project:
    """The project with this id; google.api_core NotFound or Forbidden when there is none for us."""
    found = rest.get(session, HOST, f"/v3/projects/{project}")
    number = str(found["name"]).removeprefix("projects/")
    return Project(str(found["projectId"]), number, str(found["state"]))
