"""`ops bootstrap`: what infra/ describes is made, or taken over, by Terraform; plan first.

Killed at any point and typed again, it finds what exists by name, has Terraform take it over, and
makes the rest; nothing is made twice.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from ops.cloud import services, standing, state_bucket, terraform
from ops.cloud.session import Session
from ops.cloud.standing import Standing
from ops.cloud.terraform import Terraform
from ops.pricing import at_rest
from ops.pricing.at_rest import AtRest
from ops.progress import Progress
from ops.workflows import (
    bootstrap_checks,
    bootstrap_folder,
    bootstrap_imports,
    bootstrap_progress,
    bootstrap_variables,
    bootstrap_words,
    records,
)
from ops.workflows.bootstrap_words import Action, Change

QUOTA = "google_cloud_quotas_quota_preference"
VERTEX = "aiplatform.googleapis.com"
# What Terraform cannot begin without: it reads the project, and lists the services themselves.
FIRST_SERVICES = (
    "serviceusage.googleapis.com",
    "cloudresourcemanager.googleapis.com",
    VERTEX,
    "iam.googleapis.com",
)


@dataclass(frozen=True)
class Plan:
    """What Terraform would do; `remarks` are what was done to get there, and what to know.

    `outputs` are those that the state has now.
    """

    session: Session
    terraform: Terraform
    changes: tuple[Change, ...]
    applies: bool
    at_rest: AtRest
    remarks: tuple[str, ...]
    outputs: Mapping[str, Any]

    @property
    def loses(self) -> bool:
        """Whether something would be deleted; permissions alone are given again at any time."""
        return bool(bootstrap_words.lost(self.changes))

    def as_json(self) -> dict[str, Any]:
        """Plain JSON."""
        return {
            "changes": [change.as_json() for change in self.changes],
            "at_rest": self.at_rest.as_json(),
            "remarks": list(self.remarks),
        }


@dataclass(frozen=True)
class Done:
    """What was done, and Terraform's outputs, which are on record now."""

    plan: Plan
    outputs: Mapping[str, Any]

    def as_json(self) -> dict[str, Any]:
        """Plain JSON."""
        return {
            "prepared_by": records.TERRAFORM,
            **self.plan.as_json(),
            "outputs": dict(self.outputs),
        }


def plan(session: Session, folder: Path, progress: Progress, unlock: int | None = None) -> Plan:
    """What is to be done, after the steps that Terraform itself cannot take.

    `folder` is the one that `bootstrap_folder.alone` gives; `unlock` the generation of a lock to
    release. NO_TERRAFORM where Terraform, its provider or infra/ is not to be had: then nothing
    was begun.
    """
    ready = bootstrap_checks.check(session)
    project = ready.project
    values = bootstrap_variables.variables(session.settings, project.number)
    found = terraform.of(session)
    bootstrap_folder.fill(folder, values)
    if not state_bucket.exists(session):
        bootstrap_folder.fetched(found, progress)
    with progress.step("Preparing the project"):
        enabled = services.enable(session, FIRST_SERVICES)
        services.make_agent(session, project.number, VERTEX)
        bucket = state_bucket.ensure(session, project.number)
    released = bootstrap_folder.unlocked(session, folder, unlock)
    bootstrap_folder.joined(found, bucket, progress)
    shown, stood = _planned(session, found, progress)
    changes = tuple(bootstrap_words.changes(shown))
    remarks = [*ready.remarks, *_remarks(enabled, released, stood)]
    types = [one["type"] for one in _resources(shown)]
    return Plan(
        session=session,
        terraform=found,
        changes=changes,
        applies=bool(shown.get("applyable", changes)),
        at_rest=at_rest.of(types, session.settings.region),
        remarks=tuple(remarks),
        outputs=_outputs(shown),
    )


def run(todo: Plan, progress: Progress) -> Done:
    """The plan carried out; outputs are on record then."""
    if todo.applies:
        progress.goes_on(bootstrap_progress.GOES_ON)
        steps = sum(_steps(change) for change in todo.changes)
        with progress.step("Making it", steps, "resources") as step:
            todo.terraform.apply(bootstrap_progress.heard(progress, step))
    outputs = todo.terraform.outputs() if todo.applies else todo.outputs
    records.note(todo.session.settings, records.TERRAFORM, outputs)
    return Done(todo, outputs)


def _planned(
    session: Session, found: Terraform, progress: Progress
) -> tuple[dict[str, Any], list[Standing]]:
    """The plan, with what exists already taken over, and what that is."""
    with progress.step("Planning") as step:
        heard = bootstrap_progress.heard(progress, step)
        shown = found.plan(heard)
        stood = standing.find(session, bootstrap_imports.wanted(shown))
        if stood:
            bootstrap_imports.write(found.folder, stood)
            shown = found.plan(heard)
    return shown, stood


def _remarks(enabled: list[str], released: str, stood: list[Standing]) -> list[str]:
    restored = [one.id.rpartition("/")[2] for one in stood if one.restored]
    said = [
        f"Switched on: {', '.join(enabled)}." if enabled else "",
        released,
        f"Restored, as it was deleted less than 30 days ago: {', '.join(restored)}."
        if restored
        else "",
        _shared([one.id.rpartition("/")[2] for one in stood if one.type == QUOTA]),
    ]
    return [one for one in said if one]


def _shared(asked: list[str]) -> str:
    """That quota which somebody asked for before is asked for in the same request."""
    words = (
        f"Asked for before, by this stack or another: {', '.join(asked)}. Google has one request "
        "for a quota and region, which all stacks of the project share: taken over, and changed "
        "where gpu_quota says another count."
    )
    return words if asked else ""


def _resources(shown: Mapping[str, Any]) -> list[Mapping[str, Any]]:
    """Everything that exists once the plan is carried out."""
    return [
        one
        for one in shown.get("resource_changes", [])
        if one.get("mode") == "managed" and one["change"].get("actions") != ["delete"]
    ]


def _outputs(shown: Mapping[str, Any]) -> dict[str, Any]:
    """Those of the state that the plan began with."""
    found = shown.get("prior_state", {}).get("values", {}).get("outputs", {})
    return {name: one.get("value") for name, one in found.items()}


def _steps(change: Change) -> int:
    """How many things Terraform does for it: taking over is none."""
    return {Action.TAKE: 0, Action.REPLACE: 2}.get(change.action, 1)
