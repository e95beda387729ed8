"""What Terraform made of a stack: shown first, destroyed by Terraform, then looked for again.

Terraform destroys what is in its state, and as the state says: before it does, what a killed
bootstrap made and no state has is taken over, and protection is taken off the state.
"""

from __future__ import annotations

import json
import shutil
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from typing import Any

from ops.cloud import projects, standing, state_bucket, storage, terraform
from ops.cloud.session import Session
from ops.cloud.standing import Standing, Wanted
from ops.cloud.terraform import Resource, Terraform
from ops.errors import Code, OpsError
from ops.progress import Progress
from ops.settings import Settings
from ops.workflows import (
    bootstrap_folder,
    bootstrap_imports,
    bootstrap_progress,
    bootstrap_variables,
    bootstrap_words,
    records,
)
from ops.workflows.bootstrap_words import Action, Change

COMMAND = "teardown"
SERVICE, BUCKET = "google_project_service", "google_storage_bucket"
QUOTA, POOL = "google_cloud_quotas_quota_preference", "google_iam_workload_identity_pool"
GRANT = "google_project_iam_member"
# What a destroy obeys as it is in the state; the resource and its attribute.
OBEYED = {BUCKET: "force_destroy", SERVICE: "disable_on_destroy"}


@dataclass(frozen=True)
class Infrastructure:
    """What Terraform has to do: `there` is in its state, `lost` exists and is in no state.

    `sought` is all that may not be left afterwards, `held` the addresses that are to be brought
    into the state, or whose protection is to be taken off there, before the destroy. `missing`
    says why there is no Terraform to do it.
    """

    terraform: Terraform | None = None
    there: tuple[Resource, ...] = ()
    lost: tuple[Standing, ...] = ()
    sought: tuple[Wanted, ...] = ()
    held: tuple[str, ...] = ()
    missing: OpsError | None = None

    @property
    def going(self) -> list[Change]:
        """What will be deleted; quota preferences stay, and so do APIs unless asked otherwise."""
        found = [(one.type, one.address, one.values) for one in self.there if _goes(one)]
        found += [(one.type, one.address, {}) for one in self.lost]
        return [
            Change(Action.DELETE, type_, address, bootstrap_words.name_of(type_, values, address))
            for type_, address, values in found
        ]

    @property
    def stays(self) -> str:
        """What stays of it, and costs nothing, in words; empty where nothing does."""
        types = {one.type for one in self.there if not _goes(one)}
        words = {SERVICE: "APIs that are on", QUOTA: "quota requests"}
        return " and ".join(word for type_, word in words.items() if type_ in types)

    @property
    def has_pool(self) -> bool:
        """Whether an identity pool goes, whose name Google keeps for 30 days."""
        return any(one.type == POOL for one in self.going)

    def as_json(self) -> list[dict[str, Any]]:
        """Plain JSON."""
        return [one.as_json() for one in self.going]


@contextmanager
def alone(session: Session, keep: bool, progress: Progress) -> Iterator[None]:
    """Terraform's working folder of the stack is held, where Terraform is to destroy something.

    BUSY when another `ops` works there; a Terraform that a killed one left has ended then.
    """
    if keep or not _prepared(session):
        yield
        return
    with bootstrap_folder.alone(session.settings, progress):
        yield


def look(
    session: Session, unprotect: bool, unlock: int | None, progress: Progress
) -> Infrastructure | None:
    """What Terraform made and is to destroy; None where it made nothing. Nothing is deleted.

    REFUSED when deletion protection is on, or when it would delete the account that asks; BUSY
    when somebody else holds the state.
    """
    if not _prepared(session):
        return None
    if _is_nothing(session):
        return Infrastructure()
    if bootstrap_variables.protected(session.settings) and not unprotect:
        raise _protected(session.settings)
    if _own(session.settings, session.member):
        raise _oneself(session)
    folder = terraform.working_folder(session.settings)
    said = bootstrap_folder.unlocked(session, folder, unlock, COMMAND)
    if said:
        progress.note(said)
    try:
        found = terraform.of(session)
        _open(session, found, progress)
        with progress.step("Reading Terraform's state"):
            return _read(session, found, found.plan(refresh=False))
    except OpsError as error:
        if error.code is not Code.NO_TERRAFORM:
            raise
        return Infrastructure(missing=error)


def destroy(session: Session, todo: Infrastructure, progress: Progress) -> None:
    """Terraform has destroyed everything in its state when this returns.

    NO_TERRAFORM where it cannot be had (any more): what it made is left, and on record.
    """
    if todo.missing is not None:
        raise _undone(session.settings, todo.missing)
    if todo.terraform is None or not (todo.going or todo.there):
        return
    _take_over(todo.terraform, todo, progress)
    steps = len(todo.there) + len(todo.lost)
    with progress.step("Destroying", steps, "resources") as step:
        try:
            todo.terraform.destroy(bootstrap_progress.heard(progress, step))
        except OpsError as error:
            error.add_note("What is left is in Terraform's state: ops teardown goes on with it.")
            raise


def forget(session: Session, todo: Infrastructure) -> None:
    """Proved that nothing is left; then the state goes, with its bucket and the working folder.

    BILLABLE_LEFT with what is there: the state stays, for another teardown.
    """
    left = standing.find(session, todo.sought, restore=False)
    if left:
        raise left_behind(
            [bootstrap_words.noun(one.type, one.address) + f" {one.id}" for one in left]
        )
    state_bucket.delete(session)
    if state_bucket.exists(session):
        raise left_behind([f"bucket gs://{state_bucket.name(session.settings)}"])
    shutil.rmtree(terraform.working_folder(session.settings), ignore_errors=True)


def left_behind(things: Sequence[str]) -> OpsError:
    """The error that names what is still there."""
    return OpsError(
        Code.BILLABLE_LEFT,
        "After the teardown these are still there:\n" + "\n".join(f"  {one}" for one in things),
        "Type: ops teardown (it goes on with what is left).",
    )


def _prepared(session: Session) -> bool:
    living = records.found(session.settings)
    on_record = living is not None and living.prepared_by == records.TERRAFORM
    return on_record or state_bucket.exists(session)


def _is_nothing(session: Session) -> bool:
    """Whether Terraform never came to make anything: it was not to be had, or never joined."""
    living = records.found(session.settings)
    if living is not None and living.prepared_by == records.TERRAFORM:
        return False
    state = storage.read_text(session, state_bucket.name(session.settings), state_bucket.STATE)
    if state is None:
        return True
    by_ops = living is not None and living.prepared_by == records.OPS
    return by_ops and not json.loads(state.text).get("resources")


def _open(session: Session, found: Terraform, progress: Progress) -> None:
    """Terraform is joined to the state, with a configuration that protects nothing.

    A state bucket that is gone is made anew: what exists is then found by name.
    """
    number = projects.get(session, session.settings.project).number
    values = bootstrap_variables.variables(session.settings, number)
    bootstrap_folder.fill(found.folder, {**values, bootstrap_variables.PROTECTION: False})
    if not state_bucket.exists(session):
        bootstrap_folder.fetched(found, progress)
    bucket = state_bucket.ensure(session, number)
    bootstrap_folder.joined(found, bucket, progress)


def _read(session: Session, found: Terraform, plan: Mapping[str, Any]) -> Infrastructure:
    """What a plan without refresh tells: it has the state, and what the state does not have."""
    held = _held(plan)
    there = [
        replace(one, values={**one.values, **held.get(one.address, {})})
        for one in terraform.resources_of(plan.get("prior_state", {}))
    ]
    unmade = [one for one in bootstrap_imports.wanted(plan) if one.type != QUOTA]
    lost = standing.find(session, unmade, restore=False)
    in_state = [Wanted(one.address, one.type, one.values) for one in there if one.type != QUOTA]
    grants = _lost_grants(session.settings, unmade) if lost else []
    return Infrastructure(
        terraform=found,
        there=tuple(there),
        lost=tuple(lost),
        sought=(*unmade, *in_state),
        held=(*held, *(one.address for one in lost), *grants),
    )


def _held(plan: Mapping[str, Any]) -> dict[str, dict[str, Any]]:
    """What the state says otherwise than it is to say: the attribute's new value by address."""
    found = {}
    for one in plan.get("resource_changes", []):
        before, after = one["change"].get("before") or {}, one["change"].get("after") or {}
        obeyed = OBEYED.get(one["type"])
        if obeyed and before and after and before.get(obeyed) != after.get(obeyed):
            found[str(one["address"])] = {obeyed: after.get(obeyed)}
    return found


def _lost_grants(settings: Settings, unmade: Sequence[Wanted]) -> list[str]:
    """Grants in the project that the stack's own accounts may have: they outlive the accounts."""
    return [
        one.address
        for one in unmade
        if one.type == GRANT and _own(settings, str(one.values.get("member")))
    ]


def _own(settings: Settings, member: str) -> bool:
    """Whether a member of policies is one of the accounts that Terraform made for the stack."""
    home = f"@{settings.project}.iam.gserviceaccount.com"
    return member.startswith(f"serviceAccount:{settings.stack}-") and member.endswith(home)


def _take_over(found: Terraform, todo: Infrastructure, progress: Progress) -> None:
    """The state has all that there is, without protection; nothing else is made or changed."""
    if not todo.held:
        return
    bootstrap_imports.write(found.folder, todo.lost)
    title = "Taking over what no state has" if todo.lost else "Taking off protection"
    with progress.step(title, len(todo.held), "resources") as step:
        found.plan(targets=todo.held)
        found.apply(bootstrap_progress.heard(progress, step))
    bootstrap_imports.write(found.folder, ())


def _goes(one: Resource) -> bool:
    if one.type == SERVICE:
        return bool(one.values.get("disable_on_destroy"))
    return one.type != QUOTA


def _protected(settings: Settings) -> OpsError:
    said = bootstrap_variables.PROTECTION in settings.infra
    why = "ops.toml, [infra]" if said else f"the default on {settings.target}"
    return OpsError(
        Code.REFUSED,
        f"Deletion protection is on for stack {settings.stack} ({why}): nothing was deleted.",
        "Type: ops teardown --unprotect, or ops teardown --keep-infrastructure (bucket, accounts "
        "and permissions stay).",
    )


def _oneself(session: Session) -> OpsError:
    account = session.member.removeprefix("serviceAccount:")
    return OpsError(
        Code.REFUSED,
        f"You act as {account}, which would be deleted halfway: nothing was deleted.",
        "Type: ops teardown --keep-infrastructure, or sign in as somebody who may delete it.",
    )


def _undone(settings: Settings, missing: OpsError) -> OpsError:
    return OpsError(
        Code.NO_TERRAFORM,
        f"{missing.message} What it made of stack {settings.stack} is left (accounts, permissions, "
        "the empty bucket, its state), and stays on record; all else is deleted.",
        f"{missing.hint.rstrip('.')}. Then type: ops teardown",
    )
