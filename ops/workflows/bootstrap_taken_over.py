"""`ops bootstrap --read-only`: the outputs of a stack that somebody else bootstrapped.

They are read from the state itself: no Terraform, no provider and no right to change anything are
needed. Source of its form (version 4): developer.hashicorp.com/terraform/language/state.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from ops.cloud import state_bucket, storage
from ops.cloud.session import Session
from ops.errors import Code, OpsError
from ops.workflows import records

FORM = 4


@dataclass(frozen=True)
class TakenOver:
    """The outputs that are on record now, and where they were read."""

    outputs: Mapping[str, Any]
    source: str

    def as_json(self) -> dict[str, Any]:
        """Plain JSON."""
        return {
            "prepared_by": records.TERRAFORM,
            "outputs": dict(self.outputs),
            "source": self.source,
        }


def run(session: Session) -> TakenOver:
    """The outputs in the stack's state, put on record. NOT_PREPARED when nobody bootstrapped it."""
    settings = session.settings
    bucket = state_bucket.name(settings)
    found = storage.read_text(session, bucket, state_bucket.STATE)
    outputs = _outputs(found.text) if found else {}
    if not outputs:
        raise OpsError(
            Code.NOT_PREPARED,
            f"Stack {settings.stack} in project {settings.project} has no Terraform state with "
            f"outputs in gs://{bucket}: nobody has bootstrapped it.",
            "Type: ops bootstrap (by somebody who may change the project)",
        )
    records.note(settings, records.TERRAFORM, outputs)
    return TakenOver(outputs, f"gs://{bucket}/{state_bucket.STATE}")


def _outputs(text: str) -> dict[str, Any]:
    state = json.loads(text)
    if state.get("version") != FORM:
        raise OpsError(
            Code.NO_TERRAFORM,
            f"The state has form {state.get('version')}; this ops reads form {FORM}.",
            "Type: ops bootstrap (Terraform reads it), or take a newer ops.",
        )
    return {name: one.get("value") for name, one in state.get("outputs", {}).items()}
