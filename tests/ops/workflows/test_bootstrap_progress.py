"""Terraform's events as steps; events in the documented form of `terraform apply -json`."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

import pytest

from ops.progress import Silent
from ops.workflows import bootstrap_progress

BUCKET, API = "google_storage_bucket.this", 'google_project_service.this["iam.googleapis.com"]'


@dataclass
class Counted:
    """A step that keeps how far it came."""

    reached: list[float] = field(default_factory=list)

    def advance(self, amount: float = 1) -> None:
        """Nothing here goes one by one."""
        raise AssertionError(amount)

    def reach(self, done: float, note: str = "") -> None:
        """So much is done."""
        assert note is not None
        self.reached.append(done)


def event(kind: str, address: str) -> dict[str, Any]:
    """Something that Terraform says of a resource."""
    resource = {"addr": address, "resource_type": address.partition(".")[0]}
    return {"type": kind, "hook": {"resource": resource}}


@pytest.mark.parametrize(("counted", "done"), [(None, 2), ({BUCKET}, 1)])
def test_only_what_was_announced_is_counted(counted: set[str] | None, done: int) -> None:
    """A destroy forgets APIs that stay on, which the announced number leaves out."""
    step = Counted()
    said = bootstrap_progress.heard(Silent(), step, counted)

    for kind in (bootstrap_progress.BEGUN, bootstrap_progress.DONE):
        for address in (BUCKET, API):
            said(event(kind, address))

    assert step.reached[-1] == done
