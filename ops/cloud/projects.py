"""Projects, as Resource Manager knows them."""

from __future__ import annotations

from dataclasses import dataclass

from ops.cloud.session import Session


@dataclass(frozen=True)
class Project:
    """A project's id, number (digits) and state (ACTIVE, DELETE_REQUESTED)."""

    id: str
    number: str
    state: str


def get(session: Session, project: str) -> Project:
    """The project with this id; google.api_core NotFound or Forbidden when there is none for us."""
    found = session.call(session.projects().get_project, name=f"projects/{project}")
    return Project(found.project_id, found.name.removeprefix("projects/"), found.state.name)
