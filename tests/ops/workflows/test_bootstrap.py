"""What bootstrap looks at and does itself, before Terraform: no provider is needed."""

import json
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from ops.cloud import permissions, projects, rest, services, standing, state_bucket, storage
from ops.cloud.session import Session
from ops.errors import Code, OpsError
from ops.settings import Target
from ops.workflows import (
    bootstrap_alone,
    bootstrap_checks,
    bootstrap_folder,
    bootstrap_taken_over,
    bootstrap_variables,
    records,
)
from tests.local_cloud import LocalCloud, running_cloud

NO_PROVIDER = OpsError(Code.NO_TERRAFORM, "No provider.", "Get it.")
LOCK = {"Operation": "OperationTypeApply", "Version": "1.11.4"}


def on_google(session: Session) -> Session:
    """A session with the capabilities of Google's, which still asks the local cloud."""
    settings = replace(session.settings, target=Target.GCP)
    return Session(settings, session._credentials, session.base_url)


def bill(session: Session, account: str) -> None:
    """Have a billing account pay for the session's project."""
    path = f"/v1/projects/{session.settings.project}/billingInfo"
    body = json.dumps({"billingAccountName": account}).encode()
    headers = {"content-type": "application/json"}
    assert session.call(session.wire().send, "PUT", path, body, headers).status == 200


def test_a_project_without_billing_is_refused(session: Session) -> None:
    """With the command that links an account; with one, it goes on."""
    google = on_google(session)
    with pytest.raises(OpsError) as caught:
        bootstrap_checks.check(google)
    bill(google, "billingAccounts/012345-6789AB-CDEF01")

    project = bootstrap_checks.check(google).project

    assert caught.value.code is Code.NOT_PREPARED
    assert "gcloud billing projects link local-project" in caught.value.hint
    assert project.id == "local-project"


def test_an_unknown_project_is_refused(tmp_path: Path, session: Session) -> None:
    """It says that there is none, or none for this caller, and how to list those there are."""
    with running_cloud(tmp_path / "other", "--project", "known-project") as cloud:
        elsewhere = Session(session.settings, session._credentials, cloud.url)
        with pytest.raises(OpsError) as caught:
            bootstrap_checks.check(elsewhere)

    assert caught.value.code is Code.DENIED
    assert "There is no project local-project" in caught.value.message
    assert "gcloud projects list" in caught.value.hint


@pytest.mark.parametrize("name", ["local-project-ops-default", "local-project-ops-default-state"])
def test_a_bucket_of_somebody_else_is_refused(session: Session, name: str) -> None:
    """The stack's and the state's: names are unique in the world; it says what to set."""
    other = Session(
        replace(session.settings, project="other-project"), session._credentials, session.base_url
    )
    storage.create_bucket(other, name)

    with pytest.raises(OpsError) as caught:
        bootstrap_checks.check(session)

    assert caught.value.code is Code.CONFLICT
    assert f"The name of bucket {name} is taken" in caught.value.message
    assert "OPS_BUCKET" in caught.value.hint


def test_an_account_that_may_not_change_the_project_is_told_so(session: Session) -> None:
    """The runner may not look at the state's bucket: its name is not taken, its roles are few."""
    from google.oauth2.credentials import Credentials

    number = projects.get(session, "local-project").number
    state = state_bucket.ensure(session, number)
    made = {"accountId": "default-runner"}
    rest.post(session, standing.IAM, "/v1/projects/local-project/serviceAccounts", made)
    runner = "default-runner@local-project.iam.gserviceaccount.com"
    path = f"/v1/projects/-/serviceAccounts/{runner}:generateAccessToken"
    scope = {"scope": ["https://www.googleapis.com/auth/cloud-platform"]}
    token = Credentials(
        rest.post(session, "iamcredentials.googleapis.com", path, scope)["accessToken"]
    )  # type: ignore[no-untyped-call]
    settings = replace(session.settings, impersonate=runner)

    with pytest.raises(OpsError) as caught:
        bootstrap_checks.own(Session(settings, token, session.base_url), state, number)

    assert caught.value.code is Code.DENIED
    assert runner in caught.value.message and "is taken" not in caught.value.message
    assert "Missing: resourcemanager.projects.setIamPolicy" in caught.value.message
    assert "ops bootstrap --read-only" in caught.value.hint
    assert "runner_may_bootstrap = true" in caught.value.hint


def test_a_stack_keeps_the_bucket_that_it_was_bootstrapped_with(session: Session) -> None:
    """Its state lies beside it: with another one everything would be found twice."""
    records.note(session.settings, records.TERRAFORM, {})
    sources = {**session.settings.sources, "bucket": "OPS_BUCKET"}
    settings = replace(session.settings, bucket="another-bucket", sources=sources)

    with pytest.raises(OpsError) as caught:
        bootstrap_checks.check(Session(settings, session._credentials, session.base_url))

    assert caught.value.code is Code.CONFLICT
    assert "with bucket local-project-ops-default" in caught.value.message
    assert "bucket another-bucket (OPS_BUCKET)" in caught.value.message


def test_a_region_without_automl_is_remarked(session: Session) -> None:
    """Custom training works there: it is said, and which regions have it."""
    (said,) = bootstrap_checks.check(session.moved("europe-west1")).remarks

    assert "europe-west1 has no AutoML for images" in said
    assert "--region us-central1" in said
    assert bootstrap_checks.check(session).remarks == ()


def test_services_are_switched_on_and_the_agent_is_made(session: Session) -> None:
    """Once: a second time there is nothing to switch on, and the agent is the same."""
    number = projects.get(session, "local-project").number
    off = "billingbudgets.googleapis.com"
    was_off = permissions.disabled_services(session, [off])

    first = services.enable(session, [off, "iam.googleapis.com"])
    agent = services.make_agent(session, number, "aiplatform.googleapis.com")

    assert first == was_off
    assert services.enable(session, [off]) == []
    assert agent == f"service-{number}@gcp-sa-aiplatform.iam.gserviceaccount.com"
    assert services.make_agent(session, number, "aiplatform.googleapis.com") == agent


def lock(session: Session, who: str, created: datetime) -> int:
    """The generation of a lock on the stack's state."""
    number = projects.get(session, "local-project").number
    bucket = state_bucket.ensure(session, number)
    body = json.dumps({**LOCK, "Who": who, "Created": created.isoformat()})
    return storage.write_text(session, bucket, state_bucket.LOCK, body)


def begin(folder: Path, moment: datetime) -> None:
    """What a Terraform that was begun then left in its folder."""
    folder.mkdir(parents=True)
    body = {"command": "apply", "pid": 1, "began": moment.isoformat()}
    (folder / "running.json").write_text(json.dumps(body))


def test_a_lock_of_a_dead_terraform_of_ours_is_released(session: Session, tmp_path: Path) -> None:
    """This user, this machine, after a start in this folder, and nothing runs any more."""
    from ops.cloud.terraform_process import this_user

    now = datetime.now(UTC)
    begin(tmp_path / "work", now - timedelta(seconds=5))
    lock(session, this_user()[0], now)

    said = bootstrap_folder.unlocked(session, tmp_path / "work", None)

    assert "whose process is dead" in said
    assert state_bucket.lock(session) is None


@pytest.mark.parametrize("who", ["ada@laptop", "us"])
def test_any_other_lock_is_busy_until_it_is_named(
    session: Session, tmp_path: Path, who: str
) -> None:
    """Who, since when, and what to type; even ours, where this folder began nothing before it."""
    from ops.cloud.terraform_process import this_user

    created = datetime(2026, 11, 22, 0, 0, 0, tzinfo=UTC)
    begin(tmp_path / "work", created + timedelta(seconds=5))
    owner = this_user()[0] if who == "us" else who
    generation = lock(session, owner, created)

    with pytest.raises(OpsError) as caught:
        bootstrap_folder.unlocked(session, tmp_path / "work", generation + 1)
    said = bootstrap_folder.unlocked(session, tmp_path / "work", generation)

    assert caught.value.code is Code.BUSY
    assert f"{owner} has held the state of stack default" in caught.value.message
    assert "2026-11-22 00:00:00 UTC" in caught.value.message
    assert f"ops bootstrap --unlock {generation}" in caught.value.hint
    assert "as asked" in said and state_bucket.lock(session) is None
    assert "No lock" in bootstrap_folder.unlocked(session, tmp_path / "work", generation)


def test_without_terraform_only_the_local_cloud_is_prepared(session: Session) -> None:
    """On Google the error stays what it was; so does any other error."""
    with pytest.raises(OpsError) as caught:
        bootstrap_alone.run(on_google(session), NO_PROVIDER)
    with pytest.raises(OpsError, match="Denied"):
        bootstrap_alone.run(session, OpsError(Code.DENIED, "Denied."))

    prepared = bootstrap_alone.run(session, NO_PROVIDER)

    assert caught.value is NO_PROVIDER
    assert caught.value.exit_code == OpsError(Code.NOT_PREPARED, "x").exit_code
    assert (prepared.bucket, prepared.prepared_by) == ("local-project-ops-default", "ops")


def test_what_terraform_prepared_stays_so_where_it_is_gone(session: Session) -> None:
    """Its outputs stay on record too."""
    storage.ensure_bucket(session)
    records.note(session.settings, records.TERRAFORM, {"runner_email": "r@p"})

    assert bootstrap_alone.run(session, NO_PROVIDER).prepared_by == "terraform"
    assert records.output(session.settings, "runner_email") == "r@p"


def test_somebody_else_s_outputs_are_taken_over(session: Session) -> None:
    """From the state alone, and put on record."""
    number = projects.get(session, "local-project").number
    bucket = state_bucket.ensure(session, number)
    outputs = {"runner_email": {"value": "r@p", "type": "string"}}
    text = json.dumps({"version": 4, "serial": 3, "outputs": outputs, "resources": []})
    storage.write_text(session, bucket, state_bucket.STATE, text)

    taken = bootstrap_taken_over.run(session)

    assert taken.outputs == {"runner_email": "r@p"}
    assert records.output(session.settings, "runner_email") == "r@p"


@pytest.mark.parametrize("state", ["", '{"version": 4, "outputs": {}}'])
def test_there_is_nothing_to_take_over_from_an_empty_state(session: Session, state: str) -> None:
    """Nobody has bootstrapped it, or somebody was killed in the middle."""
    if state:
        bucket = state_bucket.ensure(session, projects.get(session, "local-project").number)
        storage.write_text(session, bucket, state_bucket.STATE, state)

    with pytest.raises(OpsError) as caught:
        bootstrap_taken_over.run(session)

    assert caught.value.code is Code.NOT_PREPARED


def test_settings_become_variables_and_the_table_takes_no_place_of_theirs(
    session: Session,
) -> None:
    """What `ops` knows comes from its own settings."""
    settings = replace(session.settings, infra={"bucket_versioning": True})

    values = bootstrap_variables.variables(settings, "42")

    assert values["bucket_versioning"] is True
    assert values["project_number"] == "42"
    assert values["bucket_name"] == "local-project-ops-default"
    assert values["state_bucket"] == "local-project-ops-default-state"


def test_the_folder_gets_a_fresh_copy_and_keeps_the_provider(tmp_path: Path) -> None:
    """What an older version of infra/ or a recovery left is gone; what init fetched stays."""
    folder = tmp_path / "work"
    (folder / ".terraform").mkdir(parents=True)
    for left in ("old.tf", "recovered.tf.json", "saved.tfplan"):
        (folder / left).write_text("")

    bootstrap_folder.fill(folder, {"owner": "ada"})

    names = {path.name for path in folder.iterdir()}
    assert {"main.tf", "modules", ".terraform", bootstrap_variables.FILE} <= names
    assert not {"old.tf", "recovered.tf.json", "saved.tfplan", "tests"} & names


def test_without_infra_it_says_where_it_looked(tmp_path: Path) -> None:
    """An ops that was installed without its checkout has no Terraform files."""
    with pytest.raises(OpsError) as caught:
        bootstrap_folder.fill(tmp_path / "work", {}, infra=tmp_path / "infra")

    assert caught.value.code is Code.NO_TERRAFORM
    assert str(tmp_path) in caught.value.message


def test_the_variables_are_those_of_infra(cloud: LocalCloud, session: Session) -> None:
    """Each that is handed over is declared there."""
    import hcl2

    assert cloud.url == session.base_url
    declared = hcl2.loads((bootstrap_folder.INFRA / "variables.tf").read_text())["variable"]
    known = {name.strip('"') for one in declared for name in one}

    assert set(bootstrap_variables.variables(session.settings, "42")) <= known
