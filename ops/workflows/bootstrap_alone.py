"""Bootstrap where Terraform is not to be had: the local cloud needs a bucket and Vertex's agent."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from ops.cloud import agents, projects, services, storage
from ops.cloud.session import Session
from ops.errors import Code, OpsError
from ops.workflows import records


@dataclass(frozen=True)
class Prepared:
    """The bucket, who prepared the stack (`ops`, or `terraform` before), and why not Terraform."""

    bucket: str
    prepared_by: str
    reason: str
    hint: str

    def as_json(self) -> dict[str, Any]:
        """Plain JSON."""
        return {"prepared_by": self.prepared_by, "bucket": self.bucket, "reason": self.reason}


def run(session: Session, error: OpsError) -> Prepared:
    """The stack, prepared without Terraform; `error` says why that cannot be had.

    The same error again where the target is prepared by Terraform only, or for any other error.
    """
    if error.code is not Code.NO_TERRAFORM or not session.capabilities.prepares_project:
        raise error
    bucket = storage.ensure_bucket(session)
    project = projects.get(session, session.settings.project)
    services.make_agent(session, project.number, agents.SERVICE)
    known = records.found(session.settings)
    by_terraform = known is not None and known.prepared_by == records.TERRAFORM
    if not by_terraform:
        records.note(session.settings, records.OPS)
    who = records.TERRAFORM if by_terraform else records.OPS
    return Prepared(bucket.name, who, error.message, error.hint)
