"""The folder in which Terraform works for a stack: a fresh copy of infra/, joined to its state."""

from __future__ import annotations

import shutil
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from functools import partial
from pathlib import Path
from typing import Any

import ops
from ops.cloud import state_bucket, terraform, terraform_process
from ops.cloud.session import Session
from ops.cloud.terraform import Terraform
from ops.cloud.terraform_process import Said
from ops.errors import Code, OpsError
from ops.progress import Progress
from ops.settings import Settings
from ops.workflows import bootstrap_progress, bootstrap_variables

INFRA = Path(ops.__file__).parents[1] / "infra"
LOCK_FILE = ".terraform.lock.hcl"
# Kept from one time to the next: the provider, and what the process of last time left.
KEPT = (".terraform", LOCK_FILE, *terraform_process.FILES)


@contextmanager
def alone(settings: Settings, progress: Progress) -> Iterator[Path]:
    """The stack's working folder, held by this `ops`; a Terraform left over there has ended then.

    BUSY when another `ops` holds it.
    """
    folder = terraform.working_folder(settings)
    with terraform_process.Alone(folder):
        earlier = terraform_process.at_work(folder)
        if earlier:
            progress.note(
                f"Terraform (process {earlier.pid}) goes on with what an earlier ops began; "
                "waiting for its end."
            )
            with progress.step("Waiting for Terraform") as step:
                terraform_process.take_up(folder, bootstrap_progress.heard(progress, step))
        yield folder


def opened(session: Session, values: Mapping[str, Any], progress: Progress) -> Terraform:
    """Terraform in the stack's folder, joined to its state and ready to plan, with these variables.

    NO_TERRAFORM where it, its provider or infra/ is not to be had.
    """
    found = terraform.of(session)
    fill(found.folder, values)
    joined(found, state_bucket.name(session.settings), progress)
    return found


def fetched(found: Terraform, progress: Progress) -> None:
    """Terraform has its provider then; NO_TERRAFORM where that is not to be had."""
    _prepared(found, progress, found.fetch)


def joined(found: Terraform, bucket: str, progress: Progress) -> None:
    """Terraform has its provider and its state then."""
    _prepared(found, progress, partial(found.init, bucket))


def _prepared(found: Terraform, progress: Progress, prepare: Callable[[Said], None]) -> None:
    lock_file = found.folder / LOCK_FILE
    with progress.step("Preparing Terraform") as step:
        heard = bootstrap_progress.heard(progress, step)
        try:
            prepare(heard)
        except OpsError as error:
            # Another mirror's build of the same version has other checksums.
            if error.code is not Code.NO_TERRAFORM or not lock_file.exists():
                raise
            lock_file.unlink()
            prepare(heard)


def fill(folder: Path, values: Mapping[str, Any], infra: Path = INFRA) -> None:
    """Put a fresh copy of infra/ and the variables into the folder. NO_TERRAFORM without infra/."""
    if not (infra / "main.tf").is_file():
        raise OpsError(
            Code.NO_TERRAFORM,
            f"infra/ with the Terraform files is not in {infra.parent}: ops was installed without "
            "its checkout.",
            "Type the command in a checkout, after: make setup",
        )
    folder.mkdir(parents=True, exist_ok=True)
    for old in folder.iterdir():
        if old.name not in KEPT:
            shutil.rmtree(old) if old.is_dir() else old.unlink()
    for new in infra.iterdir():
        if new.suffix == ".tf":
            shutil.copyfile(new, folder / new.name)
    ignored = shutil.ignore_patterns(".terraform*", "*.tfstate*", "tests", "*.md")
    shutil.copytree(infra / "modules", folder / "modules", ignore=ignored)
    bootstrap_variables.write(folder, values)


def unlocked(
    session: Session, folder: Path, generation: int | None, command: str = "bootstrap"
) -> str:
    """What was done about the state's lock; empty when nobody holds it.

    Released by itself is a lock of this user, on this machine, of a Terraform that was begun in
    this folder and is dead. BUSY for any other, unless it is the one of `generation`; `command` is
    the one to type then.
    """
    held = state_bucket.lock(session)
    if held is None:
        return "" if generation is None else f"No lock {generation} is held (any more)."
    ours = _is_of_the_dead(session, held, folder)
    if ours or held.generation == generation:
        state_bucket.release(session, held.generation)
        why = "whose process is dead" if ours else "as asked"
        return f"Released the state's lock of {held.who}, {why} ({held.operation})."
    raise OpsError(
        Code.BUSY,
        f"{held.who} has held the state of stack {session.settings.stack} since "
        f"{held.created:%Y-%m-%d %H:%M:%S} UTC, for {held.operation}.",
        f"Wait for it to end; if it is dead, type: ops {command} --unlock {held.generation}",
    )


def _is_of_the_dead(session: Session, held: state_bucket.Lock, folder: Path) -> bool:
    bucket, server = state_bucket.name(session.settings), session.base_url or ""
    begun = terraform_process.began(folder)
    return (
        begun is not None
        and held.who in terraform_process.this_user()
        and held.created >= begun.began
        and terraform_process.at_work(folder) is None
        and not terraform_process.elsewhere_since(folder, bucket, server, held.created)
    )
