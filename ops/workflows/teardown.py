"""Delete everything of a stack in a safe order, then list again and prove that nothing is left.

Every step may be repeated: killed at any point and typed again, it goes on with what is left.
What Terraform prepared goes last, by Terraform (`teardown_infrastructure.py`), or is kept.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import datetime
from functools import partial
from pathlib import Path
from typing import Any

from ops import names
from ops.cloud import inventory, storage
from ops.cloud.inventory import Deployed, Found
from ops.cloud.session import Session
from ops.errors import Code, OpsError
from ops.ledger import Ledger
from ops.progress import Progress, Silent
from ops.workflows import (
    closing,
    cost_report,
    records,
    teardown_infrastructure,
    teardown_records,
    trainer_build,
)
from ops.workflows.teardown_found import Infrastructure
from ops.workflows.teardown_records import RUNS

CANCEL_SECONDS = 600.0
UNDEPLOY_SECONDS = 1800.0
DELETE_SECONDS = 600.0


@dataclass(frozen=True)
class Wanted:
    """How far to go: with `keep` the bucket and what Terraform made stay.

    `unprotect` overrides deletion protection; `unlock` is the generation of a lock to release.
    """

    keep: bool = False
    unprotect: bool = False
    unlock: int | None = None


EVERYTHING, SILENT = Wanted(), Silent()


@dataclass(frozen=True)
class Plan:
    """What is there: `deployed` pairs each endpoint with what is to be taken off it.

    `infrastructure` is what Terraform is to destroy; None when it made nothing, or all is kept.
    """

    found: tuple[Found, ...]
    deployed: tuple[tuple[Found, Deployed], ...]
    bucket: storage.Bucket | None
    objects: int
    size_bytes: int
    infrastructure: Infrastructure | None = None
    keep: bool = False

    @property
    def empty(self) -> bool:
        """Whether there is nothing at all to delete."""
        rest = self.objects if self.keep else self.bucket or self.infrastructure
        return not self.found and not self.deployed and not rest

    def as_json(self) -> dict[str, Any]:
        """Plain JSON: how many of each kind."""
        return {
            **counted(self.found),
            "deployed models": len(self.deployed),
            "objects": self.objects,
            "bytes": self.size_bytes,
            "bucket": self.bucket.name if self.bucket and not self.keep else None,
            "infrastructure": self.infrastructure.as_json() if self.infrastructure else [],
        }


@dataclass(frozen=True)
class Done:
    """What was deleted, where the ledger's copy lies, and what a second look found (nothing)."""

    plan: Plan
    kept: Path | None
    report: cost_report.Report | None
    soft_deleted_until_seconds: int

    def as_json(self) -> dict[str, Any]:
        """Plain JSON."""
        return {
            "deleted": self.plan.as_json(),
            "kept": str(self.kept) if self.kept else None,
            "cost": self.report.as_json() if self.report else None,
            "left": [],
            "soft_delete_seconds": self.soft_deleted_until_seconds,
        }


def plan(session: Session, wanted: Wanted = EVERYTHING, progress: Progress = SILENT) -> Plan:
    """Everything of the stack that is to go: by label, what is deployed of it, the bucket, and
    what Terraform made.

    REFUSED where deletion protection is on, BUSY where somebody else holds Terraform's state:
    both before anything is deleted.
    """
    seen = _seen(session, wanted.keep)
    if wanted.keep:
        return seen
    made = teardown_infrastructure.look(session, wanted.unprotect, wanted.unlock, progress)
    return replace(seen, infrastructure=made)


def _seen(session: Session, keep: bool) -> Plan:
    everything = inventory.everything(session)
    stack = names.label_value(session.settings.stack)
    ours = tuple(f for f in everything if f.labels.get(names.LABEL_STACK) == stack)
    bucket = _own_bucket(session, stack)
    objects = list(storage.list_objects(session, bucket.name, versions=True)) if bucket else []
    return Plan(
        found=ours,
        deployed=tuple(_deployed(everything, ours)),
        bucket=bucket,
        objects=len(objects),
        size_bytes=sum(one.size_bytes for one in objects),
        keep=keep,
    )


def _own_bucket(session: Session, stack: str) -> storage.Bucket | None:
    bucket = storage.get_bucket(session, session.settings.bucket)
    if bucket is None or bucket.labels.get(names.LABEL_STACK) == stack:
        return bucket
    raise OpsError(
        Code.CONFLICT,
        f"Bucket gs://{bucket.name} has no label {names.LABEL_STACK}={stack}: it was not made for "
        f"stack {stack}, so nothing was deleted.",
        f"Give it that label, or set another bucket ({session.settings.sources['bucket']} now).",
    )


def counted(found: tuple[Found, ...]) -> dict[str, int]:
    """How many of each kind, those that there are."""
    titles = [one.kind.title for one in found]
    return {f"{title}s": titles.count(title) for title in dict.fromkeys(titles)}


def run(ledger: Ledger, todo: Plan, progress: Progress, now: Callable[[], datetime]) -> Done:
    """Delete it all, prove it, and keep the ledger and the cost report in `.ops/<stack>/`.

    BILLABLE_LEFT, with the list, when the second look finds anything that Google would bill;
    NO_TERRAFORM when all is deleted but what only Terraform can.
    """
    session = ledger.session
    _say_what_goes_on(progress)
    trainer_build.cancel_all(session, progress)
    _cancel_jobs(session, todo, progress)
    _undeploy(session, todo, progress)
    if todo.bucket is not None:
        closing.close(ledger, todo.found)
    _delete_resources(session, todo, progress)
    kept, report = None, None
    if todo.bucket is not None:
        kept, report = teardown_records.keep(ledger, todo.bucket, progress, now)
        _delete_objects(session, todo.bucket, progress)
    _end(session, todo, progress)
    if todo.bucket is not None and todo.keep:
        kept = teardown_records.close(session.settings, todo.bucket, now())
    soft = todo.bucket.soft_delete_seconds if todo.bucket else 0
    return Done(todo, kept, report, soft)


def _end(session: Session, todo: Plan, progress: Progress) -> None:
    """The bucket and the infrastructure go, unless they are kept; what went is looked for again."""
    if todo.keep:
        prove(session, keep=True)
        return
    if todo.infrastructure is not None:
        prove(session, keep=True)
        teardown_infrastructure.destroy(session, todo.infrastructure, progress)
    if todo.bucket is not None:
        storage.delete_bucket(session, todo.bucket.name)
    if todo.infrastructure is not None:
        teardown_infrastructure.forget(session, todo.infrastructure)
    else:
        prove(session)
    records.forget(session.settings)


def forget(session: Session, todo: Plan, now: datetime) -> None:
    """What a teardown that was killed at its very end had still to do, where the plan is empty."""
    if not todo.keep:
        records.forget(session.settings)
    elif todo.bucket is not None:
        teardown_records.close(session.settings, todo.bucket, now)


def prove(session: Session, *, keep: bool = False) -> None:
    """Nothing, if nothing of the stack is left; BILLABLE_LEFT with what is.

    With `keep` an empty bucket is no part of it.
    """
    left = _seen(session, keep)
    if left.empty:
        return
    things = [f"{f.kind.title} {f.name}" for f in left.found]
    things += [f"deployed model {d.id} on {e.name}" for e, d in left.deployed]
    if left.bucket is not None:
        held = f" with {left.objects:,} objects" if keep else ""
        things.append(f"bucket gs://{left.bucket.name}{held}")
    raise teardown_infrastructure.left_behind(things)


def _say_what_goes_on(progress: Progress) -> None:
    progress.goes_on("What is not deleted yet goes on, and is billed on Google.")


def _deployed(everything: list[Found], ours: tuple[Found, ...]) -> list[tuple[Found, Deployed]]:
    models = {f.name.partition("@")[0] for f in ours if f.kind.collection == "models"}
    return [
        (endpoint, deployed)
        for endpoint in everything
        for deployed in endpoint.deployed
        if endpoint in ours or deployed.model.partition("@")[0] in models
    ]


def _cancel_jobs(session: Session, todo: Plan, progress: Progress) -> None:
    running = [found for found in todo.found if found.running]
    if not running:
        return
    with progress.step("Cancelling jobs", len(running), "jobs") as step:
        for found in running:
            inventory.cancel(session, found)
        for found in running:
            session.poll(partial(_ended, session, found), CANCEL_SECONDS, what=found.name)
            step.advance()


def _ended(session: Session, job: Found) -> bool:
    now = {one.name: one for one in inventory.listed(session, job.kind)}
    return job.name not in now or not now[job.name].running


def _undeploy(session: Session, todo: Plan, progress: Progress) -> None:
    if todo.deployed:
        with progress.step("Undeploying", len(todo.deployed), "models") as step:
            for endpoint, deployed in todo.deployed:
                inventory.undeploy(session, endpoint, deployed, UNDEPLOY_SECONDS)
                step.advance()


def _delete_resources(session: Session, todo: Plan, progress: Progress) -> None:
    if not todo.found:
        return
    with progress.step("Deleting resources", len(todo.found), "resources") as step:
        for found in todo.found:
            inventory.delete(session, found, DELETE_SECONDS)
            step.advance()


def _delete_objects(session: Session, bucket: storage.Bucket, progress: Progress) -> None:
    """Every version of every object; the runs last, which know what the others cost."""
    listed = list(storage.list_objects(session, bucket.name, versions=True))
    listed.sort(key=lambda one: one.name.startswith(RUNS))
    with progress.step("Deleting objects", len(listed), "objects") as step:
        storage.delete_objects(session, listed, step)
