"""Who may have the trainer's image built, asked of a server that enforces rights."""

import json
from pathlib import Path
from typing import Any
from urllib.request import Request, urlopen

import pytest
from google.auth.credentials import AnonymousCredentials
from google.oauth2.credentials import Credentials

from ops import settings
from ops.cloud import storage
from ops.cloud.session import Session
from ops.data import trainer_source
from ops.errors import Code, OpsError
from ops.workflows import preflight, prepared, records, trainer_build
from tests.local_cloud import LocalCloud

PROJECT = "rights-project"
# All that the caller needs, but for acting as the account that builds.
NEEDED = (
    "roles/artifactregistry.writer",
    "roles/cloudbuild.builds.editor",
    "roles/serviceusage.serviceUsageConsumer",
    "roles/storage.admin",
)


def post(cloud: LocalCloud, path: str, body: Any) -> dict[str, Any]:
    """What the local cloud answers to its owner."""
    request = Request(cloud.url + path, json.dumps(body).encode())
    request.add_header("Content-Type", "application/json")
    with urlopen(request) as answer:
        found: dict[str, Any] = json.load(answer)
    return found


def account(cloud: LocalCloud, name: str) -> str:
    """The address of a new account."""
    made = post(cloud, f"/v1/projects/{PROJECT}/serviceAccounts", {"accountId": name})
    return str(made["email"])


def grant(cloud: LocalCloud, email: str, *roles: str) -> None:
    """The project's policy: these roles for the account."""
    bindings = [{"role": role, "members": [f"serviceAccount:{email}"]} for role in roles]
    post(cloud, f"/v1/projects/{PROJECT}:setIamPolicy", {"policy": {"bindings": bindings}})


@pytest.fixture
def caller(cloud: LocalCloud, tmp_path: Path) -> Session:
    """A session of an account without a right, in a project that is prepared."""
    environ = {settings.STATE_DIR: str(tmp_path / ".ops")}
    found = settings.read({"target": "gcp", "project": PROJECT}, environ, tmp_path)
    owner = Session(found, AnonymousCredentials(), base_url=cloud.url)  # type: ignore[no-untyped-call]
    storage.create_bucket(owner, found.bucket)
    records.note(found, records.TERRAFORM, {"runner_email": account(cloud, "builder")})
    path = f"/v1/projects/-/serviceAccounts/{account(cloud, 'caller')}:generateAccessToken"
    scope = {"scope": ["https://www.googleapis.com/auth/cloud-platform"]}
    token = post(cloud, path, scope)["accessToken"]
    return Session(found, Credentials(token), base_url=cloud.url)  # type: ignore[no-untyped-call]


def test_what_lacks_is_named_with_what_grants_it(cloud: LocalCloud, caller: Session) -> None:
    """First the role for builds, then that for acting as the account that builds."""
    email = f"caller@{PROJECT}.iam.gserviceaccount.com"
    builder = prepared.builder(caller.settings)
    image = f"us-central1-docker.pkg.dev/{PROJECT}/ops-default/trainer:src-1-cpu"
    grant(cloud, email, "roles/serviceusage.serviceUsageConsumer", "roles/browser")

    with pytest.raises(OpsError) as no_role:
        preflight.check_build(caller)
    grant(cloud, email, *NEEDED, "roles/browser")
    preflight.check_build(caller)
    with pytest.raises(OpsError) as not_the_builder:
        trainer_build.begin(caller, trainer_source.read("cpu"), image)

    assert no_role.value.code is not_the_builder.value.code is Code.DENIED
    assert "--role=roles/cloudbuild.builds.editor" in no_role.value.hint
    assert f"add-iam-policy-binding {builder}" in not_the_builder.value.hint
    assert "roles/iam.serviceAccountUser" in not_the_builder.value.hint
