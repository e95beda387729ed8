"""What Terraform made, taken down and looked for again; no provider is needed."""

import json
from pathlib import Path
from typing import Any

import pytest

from ops.cloud import granted, projects, rest, state_bucket, storage
from ops.cloud.session import Session
from ops.cloud.standing import Standing, Wanted
from ops.cloud.terraform import Resource, Terraform, working_folder
from ops.errors import Code, OpsError
from ops.progress import Silent
from ops.workflows import bootstrap_words, teardown_found, teardown_infrastructure
from ops.workflows.teardown_found import Infrastructure
from tests.ops import terraform_folder
from tests.ops.terraform_folder import needs_terraform

SERVICE = "google_project_service"
BUCKET = Wanted("module.b.this", "google_storage_bucket", {"name": "left-alone"})
GROUP, ROLE = "group:vision@example.com", "roles/aiplatform.user"
MEMBER: dict[str, Any] = {
    "address": f'module.automl.google_project_iam_member.members["{GROUP}"]',
    "mode": "managed",
    "type": granted.PROJECT,
    "change": {
        "actions": ["create"],
        "before": None,
        "after": {"project": "local-project", "role": ROLE, "member": GROUP},
    },
}


@pytest.fixture
def applied(session: Session, tmp_path: Path) -> Terraform:
    """A small configuration in the stack's own folder, applied."""
    folder = working_folder(session.settings)
    terraform_folder.write(folder, session.terraform_environment())
    found = terraform_folder.read(folder, tmp_path / ".ops")
    number = projects.get(session, session.settings.project).number
    found.init(state_bucket.ensure(session, number))
    found.plan()
    found.apply()
    return found


@needs_terraform
def test_destroyed_and_forgotten(session: Session, applied: Terraform) -> None:
    """The state is empty after the destroy; its bucket and the working folder go last."""
    todo = Infrastructure(terraform=applied, there=tuple(applied.resources()))

    teardown_infrastructure.destroy(session, todo, Silent())
    emptied = applied.resources()
    teardown_infrastructure.forget(session, todo)

    assert (len(todo.there), emptied) == (2, [])
    assert storage.list_buckets(session) == []
    assert not working_folder(session.settings).exists()


@needs_terraform
def test_a_destroy_that_fails_says_how_it_goes_on(session: Session, applied: Terraform) -> None:
    """Somebody locked the state meanwhile: nothing is destroyed, and nothing is forgotten."""
    todo = Infrastructure(terraform=applied, there=tuple(applied.resources()))
    who = {"ID": "1", "Who": "ada@laptop", "Operation": "Apply", "Created": "2026-11-22T00:00:00Z"}
    lock = json.dumps(who)
    storage.write_text(session, state_bucket.name(session.settings), state_bucket.LOCK, lock)

    with pytest.raises(OpsError) as refused:
        teardown_infrastructure.destroy(session, todo, Silent())

    assert refused.value.code is Code.BUSY
    assert refused.value.__notes__ == [
        "What is left is in Terraform's state: ops teardown goes on with it."
    ]
    assert len(applied.resources()) == 2


def test_what_still_stands_is_named_and_the_state_stays(session: Session) -> None:
    """A bucket that the destroy left is found by its name; with the state it can be tried again."""
    session.call(session.storage().bucket("left-alone").create, location="us-central1")
    number = projects.get(session, session.settings.project).number
    state_bucket.ensure(session, number)

    with pytest.raises(OpsError) as left:
        teardown_infrastructure.forget(session, Infrastructure(sought=(BUCKET,)))

    assert left.value.code is Code.BILLABLE_LEFT
    assert left.value.message == (
        "After the teardown these are still there:\n  bucket local-project/left-alone"
    )
    assert state_bucket.exists(session)


@pytest.fixture
def given(session: Session) -> str:
    """The id of a person's role in the project, which is in no state."""
    path = "/v3/projects/local-project"
    policy = rest.post(session, projects.HOST, f"{path}:getIamPolicy", {})
    policy["bindings"] = [*policy.get("bindings", []), {"role": ROLE, "members": [GROUP]}]
    rest.post(session, projects.HOST, f"{path}:setIamPolicy", {"policy": policy})
    return f"local-project {ROLE} {GROUP}"


@needs_terraform
def test_a_permission_that_no_state_has_is_taken_over(
    session: Session, given: str, tmp_path: Path
) -> None:
    """A person's, as a killed bootstrap left it: shown, imported, and so destroyed."""
    folder = working_folder(session.settings)
    terraform_folder.write(folder, session.terraform_environment())
    found = terraform_folder.read(folder, tmp_path / ".ops")

    todo = teardown_found.read(session, found, {"resource_changes": [MEMBER]})

    assert todo.lost == (Standing(MEMBER["address"], granted.PROJECT, given),)
    assert todo.held == (MEMBER["address"],)
    assert [one.name for one in todo.given_by_somebody] == [
        "aiplatform.user (project): vision@example.com"
    ]
    assert todo.going == todo.given_by_somebody


def test_a_permission_that_is_left_is_named(session: Session, given: str) -> None:
    """The proof looks for permissions in the project too; the state stays."""
    state_bucket.ensure(session, projects.get(session, session.settings.project).number)
    sought = Wanted(MEMBER["address"], granted.PROJECT, MEMBER["change"]["after"])

    with pytest.raises(OpsError) as left:
        teardown_infrastructure.forget(session, Infrastructure(sought=(sought,)))

    assert left.value.code is Code.BILLABLE_LEFT
    assert left.value.message.endswith(given)
    assert state_bucket.exists(session)


def test_what_goes_and_what_stays() -> None:
    """Quota requests stay, and APIs unless they are to be switched off; the lost go too."""
    there = (
        Resource("module.services.s[0]", SERVICE, {"service": "iam", "disable_on_destroy": False}),
        Resource("module.services.s[1]", SERVICE, {"service": "sts", "disable_on_destroy": True}),
        Resource("module.q.t", "google_cloud_quotas_quota_preference", {"name": "ops-t4"}),
        Resource("module.b.this", BUCKET.type, {"name": "photos"}),
    )
    lost = (Standing("module.x.p", "google_iam_workload_identity_pool", "pools/default-github"),)

    todo = Infrastructure(there=there, lost=lost)

    assert bootstrap_words.grouped(sorted(todo.going, key=lambda one: one.address)) == [
        "1 bucket: photos",
        "1 API: sts",
        "1 identity pool: p",
    ]
    assert bootstrap_words.lines(todo.staying) == [
        "Forgotten, they stay: 2",
        "  1 API: iam",
        "  1 quota request: ops-t4",
    ]
    assert todo.has_pool
