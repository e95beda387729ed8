"""What Terraform made of a stack: shown first, destroyed by Terraform, then looked for again.

Terraform destroys what is in its state, and as the state says: before it does, what a killed
bootstrap made and no state has is taken over, and protection is taken off the state.
"""

from __future__ import annotations

import json
import shutil
from collections.abc import Iterator, Sequence
from contextlib import contextmanager

from ops.cloud import projects, state_bucket, storage, terraform
from ops.cloud.session import Session
from ops.cloud.terraform import Terraform
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
    teardown_found,
    teardown_protection,
)
from ops.workflows.teardown_found import Infrastructure

COMMAND = "teardown"


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
    teardown_protection.check(session, unprotect)
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
            return teardown_found.read(session, found, found.plan(refresh=False))
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
    going = {one.address for one in todo.going}
    with progress.step("Destroying", len(going), "resources") as step:
        try:
            todo.terraform.destroy(bootstrap_progress.heard(progress, step, going))
        except OpsError as error:
            error.add_note("What is left is in Terraform's state: ops teardown goes on with it.")
            raise


def forget(session: Session, todo: Infrastructure) -> None:
    """Proved that nothing is left; then the state goes, with its bucket and the working folder.

    BILLABLE_LEFT with what is there: the state stays, for another teardown.
    """
    left = teardown_found.standing_of(session, todo.sought)
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
