"""`ops teardown` of a stack that is on record as Terraform's, on a machine without Terraform."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path

import pytest

from ops import settings
from ops.cloud import projects, state_bucket, storage
from ops.cloud.session import Session
from ops.workflows import records
from tests.ops.conftest import Ran
from tests.ops.life import Life, living

# Where a machine without Terraform finds its programs.
PATH = "/usr/bin:/bin"
BUCKET, STATE = "local-project-ops-default", "local-project-ops-default-state"
KINDS = ("datasets", "trainingPipelines", "models", "endpoints")


@pytest.fixture
def life(tmp_path: Path) -> Iterator[Life]:
    """A user with photos imported."""
    with living(tmp_path) as user:
        yield user


@pytest.fixture
def session(life: Life) -> Session:
    """The user's own session."""
    from google.auth.credentials import AnonymousCredentials

    state_dir = str(life.home / "state")
    environ = {settings.EMULATOR_DATA: str(life.data), settings.STATE_DIR: state_dir}
    found = settings.read({}, environ, life.home)
    return Session(found, AnonymousCredentials(), base_url=life.cloud.url)  # type: ignore[no-untyped-call]


@pytest.fixture
def prepared(session: Session) -> Session:
    """The stack is on record as Terraform's, and has a state bucket."""
    state_bucket.ensure(session, projects.get(session, "local-project").number)
    records.note(session.settings, records.TERRAFORM, {})
    return session


def teardown(life: Life, *words: str) -> Ran:
    """How it ended, without Terraform to be found."""
    return life.run("teardown", "--yes", *words, PATH=PATH)


def left(life: Life, session: Session) -> dict[str, int]:
    """How many there are of everything that is billed."""
    found = {kind: len(life.listed(kind)) for kind in KINDS}
    for bucket in storage.list_buckets(session):
        found[bucket.name] = len(list(storage.list_objects(session, bucket.name, versions=True)))
    return {name: count for name, count in found.items() if count or name not in KINDS}


def test_a_stack_that_ops_prepared_goes_without_terraform(life: Life, session: Session) -> None:
    """Its record goes too, and a state bucket in which Terraform never wrote anything."""
    life.result("bootstrap", "--yes", PATH=PATH)
    state_bucket.ensure(session, projects.get(session, "local-project").number)
    storage.write_text(session, STATE, state_bucket.STATE, json.dumps({"resources": []}))

    ran = teardown(life)

    assert (ran.code, left(life, session)) == (0, {})
    assert ran.out.endswith("Listed again: nothing of stack default is left.\n")
    assert records.found(session.settings) is None


def test_without_terraform_what_it_made_stays_on_record(life: Life, prepared: Session) -> None:
    """All else is deleted; what is left, what to install and what to type then is said."""
    ran = teardown(life)
    again = teardown(life)

    warning, *_ = (line for line in ran.err.splitlines() if line.startswith("Warning"))
    assert warning == (
        "Warning: what Terraform made will be left. The program terraform was not found."
    )
    assert (ran.code, again.code) == (4, 4)
    assert "stays on record; all else is deleted.\n" in ran.err
    assert ran.err.endswith(". Then type: ops teardown\n")
    assert left(life, prepared) == {BUCKET: 0, STATE: 0}
    living = records.found(prepared.settings)
    assert living is not None and living.prepared_by == records.TERRAFORM
    assert len(list(life.home.rglob("cost-report.json"))) == 1


def test_protection_refuses_before_anything_is_deleted(life: Life, prepared: Session) -> None:
    """The settings protect; what overrides them, and what spares the infrastructure, is named."""
    (life.home / "ops.toml").write_text("[infra]\ndeletion_protection = true\n")
    before = left(life, prepared)

    ran = teardown(life)

    assert (ran.code, left(life, prepared)) == (5, before)
    assert ran.message == (
        "Error: Deletion protection is on for stack default (ops.toml, [infra]): nothing was "
        "deleted.\n"
        "Type: ops teardown --unprotect, or ops teardown --keep-infrastructure (bucket, accounts "
        "and permissions stay).\n"
    )
    assert teardown(life, "--unprotect").code == 4  # protection is off, and Terraform is missing


@pytest.mark.parametrize("settings_say", ["", "[infra]\ndeletion_protection = false\n"])
def test_what_was_applied_protects_wherever_it_is_typed(
    life: Life, prepared: Session, settings_say: str
) -> None:
    """Without the settings that it was applied with, or with newer ones that were not applied."""
    (life.home / "ops.toml").write_text(settings_say)
    instances = [{"attributes": {"name": BUCKET, "force_destroy": False}}]
    made = {"mode": "managed", "type": "google_storage_bucket", "instances": instances}
    storage.write_text(prepared, STATE, state_bucket.STATE, json.dumps({"resources": [made]}))
    before = left(life, prepared)

    ran = teardown(life)

    assert (ran.code, left(life, prepared)) == (5, before)
    assert ran.message == (
        "Error: Deletion protection is on for stack default (as it was applied; that it is off in "
        "these settings is not): nothing was deleted.\n"
        "Type: ops bootstrap (it applies these settings), then ops teardown; or ops teardown "
        "--unprotect, or ops teardown --keep-infrastructure (bucket, accounts and permissions "
        "stay).\n"
    )
    assert teardown(life, "--unprotect").code == 4  # protection is off, and Terraform is missing


def test_a_lock_is_somebody_s(life: Life, prepared: Session) -> None:
    """Who holds it since when, and what releases it; nothing is deleted before."""
    body = {"ID": "1", "Operation": "OperationTypeApply", "Who": "ada@laptop"}
    body["Created"] = "2026-11-22T00:00:00.123456789Z"
    lock = json.dumps(body)
    generation = storage.write_text(prepared, STATE, state_bucket.LOCK, lock)
    before = left(life, prepared)

    ran = teardown(life)

    assert (ran.code, left(life, prepared)) == (5, before)
    assert ran.message == (
        "Error: ada@laptop has held the state of stack default since 2026-11-22 00:00:00 UTC, for "
        "Apply.\n"
        f"Wait for it to end; if it is dead, type: ops teardown --unlock {generation}\n"
    )
    assert "Released" in teardown(life, "--unlock", str(generation)).err
    assert state_bucket.lock(prepared) is None


def test_the_infrastructure_can_be_kept(life: Life, prepared: Session) -> None:
    """Vertex AI's resources and all objects go; the cost report is kept, and another one later."""
    ran = teardown(life, "--keep-infrastructure")
    again = teardown(life, "--keep-infrastructure")
    life.result("import-dataset", "photos")
    third = teardown(life, "--keep-infrastructure")

    assert (ran.code, again.code, third.code) == (0, 0, 0)
    assert ran.out.endswith(
        "Listed again: nothing of stack default is left but its infrastructure, which is kept.\n"
    )
    assert again.out == "Stack default has nothing but its infrastructure, which is kept.\n"
    assert left(life, prepared) == {BUCKET: 0, STATE: 0}
    assert records.found(prepared.settings) is not None
    assert len(list(life.home.rglob("cost-report.json"))) == 2


def test_a_state_bucket_that_nobody_joined_goes_too(life: Life, session: Session) -> None:
    """A bootstrap that was killed right after it made it: nothing else was made."""
    state_bucket.ensure(session, projects.get(session, "local-project").number)

    ran = teardown(life)

    assert (ran.code, left(life, session)) == (0, {})


def test_nobody_deletes_the_account_that_he_acts_as(life: Life, prepared: Session) -> None:
    """The runner would lose its rights halfway: refused before anything is deleted."""
    runner = "default-runner@local-project.iam.gserviceaccount.com"
    life.posted("/v1/projects/local-project/serviceAccounts", {"accountId": "default-runner"})
    policy = life.posted("/v1/projects/local-project:getIamPolicy")
    policy["bindings"] = [
        *policy.get("bindings", []),
        {"role": "roles/owner", "members": [f"serviceAccount:{runner}"]},
    ]
    life.posted("/v1/projects/local-project:setIamPolicy", {"policy": policy})

    ran = life.run("teardown", "--yes", OPS_IMPERSONATE=runner)

    assert ran.code == 5, ran.err
    assert f"You act as {runner}, which would be deleted halfway: nothing was deleted." in ran.err
    assert left(life, prepared)[BUCKET] > 0
