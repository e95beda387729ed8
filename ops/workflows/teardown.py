"""Delete everything of a stack in a safe order, then list again and prove that nothing is left.

Every step may be repeated: killed at any point and typed again, it goes on with what is left.
"""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import dataclass
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
from ops.progress import Progress
from ops.workflows import closing, cost_report, kept_reports, records

RUNS = "runs/"
CANCEL_SECONDS = 600.0
UNDEPLOY_SECONDS = 1800.0
DELETE_SECONDS = 600.0


@dataclass(frozen=True)
class Plan:
    """What is there: `deployed` pairs each endpoint with what is to be taken off it."""

    found: tuple[Found, ...]
    deployed: tuple[tuple[Found, Deployed], ...]
    bucket: storage.Bucket | None
    objects: int
    size_bytes: int

    @property
    def empty(self) -> bool:
        """Whether the stack has nothing at all."""
        return not self.found and not self.deployed and self.bucket is None

    def as_json(self) -> dict[str, Any]:
        """Plain JSON: how many of each kind."""
        return {
            **counted(self.found),
            "deployed models": len(self.deployed),
            "objects": self.objects,
            "bytes": self.size_bytes,
            "bucket": self.bucket.name if self.bucket else None,
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


def plan(session: Session) -> Plan:
    """Everything of the stack: by label, what is deployed of it on any endpoint, and the bucket."""
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

    BILLABLE_LEFT, with the list, when the second look finds anything that Google would bill.
    """
    session = ledger.session
    _say_what_goes_on(progress)
    _cancel_jobs(session, todo, progress)
    _undeploy(session, todo, progress)
    if todo.bucket is not None:
        closing.close(ledger, todo.found)
    _delete_resources(session, todo, progress)
    kept, report = _keep_ledger(ledger, todo, progress, now)
    _delete_bucket(session, todo, progress)
    prove(session)
    records.forget(session.settings)
    soft = todo.bucket.soft_delete_seconds if todo.bucket else 0
    return Done(todo, kept, report, soft)


def prove(session: Session) -> None:
    """Nothing, if nothing of the stack is left; BILLABLE_LEFT with what is."""
    left = plan(session)
    if left.empty:
        return
    things = [f"{f.kind.title} {f.name}" for f in left.found]
    things += [f"deployed model {d.id} on {e.name}" for e, d in left.deployed]
    things += [f"bucket gs://{left.bucket.name}"] if left.bucket else []
    raise OpsError(
        Code.BILLABLE_LEFT,
        "After the teardown these are still there:\n" + "\n".join(f"  {one}" for one in things),
        "Type: ops teardown (it goes on with what is left).",
    )


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


def _keep_ledger(
    ledger: Ledger, todo: Plan, progress: Progress, now: Callable[[], datetime]
) -> tuple[Path | None, cost_report.Report | None]:
    if todo.bucket is None:
        return None, None
    settings = ledger.session.settings
    folder = settings.state_dir / settings.stack / f"{todo.bucket.created:%Y%m%dt%H%M%Sz}"
    listed = storage.list_objects(ledger.session, todo.bucket.name, RUNS)
    on_record = [one for one in listed if _is_record(one.name)]
    with progress.step("Keeping the ledger", len(on_record), "files") as step:
        for one in on_record:
            _keep(ledger.session, one, folder)
            step.advance()
    if not _complete(folder, on_record):
        return folder, None
    report = cost_report.run(ledger, now())
    _write(folder / kept_reports.REPORT, json.dumps(report.as_json(), indent=2))
    return folder, report


def _is_record(name: str) -> bool:
    """Whether it is a run's own JSON, and no part of the model that the run left below it."""
    return name.count("/") == 2 and name.endswith((".json", ".jsonl"))


def _keep(session: Session, one: storage.Object, folder: Path) -> None:
    found = storage.read_text(session, one.bucket, one.name)
    if found is not None:
        _write(folder / one.name, found.text)


def _complete(folder: Path, on_record: list[storage.Object]) -> bool:
    """Whether every run that was kept is still in the bucket: if not, its report was kept too."""
    kept = {path.relative_to(folder).as_posix() for path in (folder / RUNS).rglob("*.json*")}
    return kept <= {one.name for one in on_record}


def _write(path: Path, text: str) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    new = path.with_name(path.name + ".new")
    new.write_text(text, encoding="utf-8")
    new.replace(path)


def _delete_bucket(session: Session, todo: Plan, progress: Progress) -> None:
    if todo.bucket is None:
        return
    listed = list(storage.list_objects(session, todo.bucket.name, versions=True))
    listed.sort(key=lambda one: one.name.startswith(RUNS))
    with progress.step("Deleting objects", len(listed), "objects") as step:
        storage.delete_objects(session, listed, step)
    storage.delete_bucket(session, todo.bucket.name)
