"""The whole stack by the real provider: there, unchanged when asked again, changed, and gone."""

from __future__ import annotations

import json
from base64 import b64decode
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest

from tests.infra.terraform_stack import Stack, full_variables, prepare_project, prepared
from tests.local_cloud import LocalCloud, running_cloud

pytestmark = pytest.mark.usefixtures("provider")
BILLING = "billingAccounts/012345-567890-ABCDEF"
PROJECT = "projects/stack-project"
LABELLED = {
    "module.bucket.google_storage_bucket.this",
    "module.budget[0].google_monitoring_notification_channel.email[0]",
    "module.registry.google_artifact_registry_repository.this",
}


@pytest.fixture
def keyed(tmp_path: Path) -> Iterator[LocalCloud]:
    """A local cloud that lets service accounts have keys."""
    with running_cloud(tmp_path / "cloud", "--allow-keys") as server:
        yield server


@pytest.fixture
def whole(keyed: LocalCloud, tmp_path: Path) -> Stack:
    """The whole stack, not yet applied."""
    return prepared(keyed, tmp_path / "whole")


def listed(cloud: LocalCloud, path: str, key: str) -> list[dict[str, Any]]:
    """What a list of the cloud has."""
    found: list[dict[str, Any]] = httpx.get(cloud.url + path).raise_for_status().json().get(key, [])
    return found


def left(cloud: LocalCloud, stack: str = "whole") -> list[str]:
    """What is still there of a stack, but for what Google keeps: quotas and marked pools."""
    region = f"/v1/{PROJECT}/locations/us-central1"
    pools = f"/v1/{PROJECT}/locations/global/workloadIdentityPools"
    found = [
        *listed(cloud, f"/v1/{PROJECT}/serviceAccounts", "accounts"),
        *listed(cloud, f"{region}/repositories", "repositories"),
        *listed(cloud, pools, "workloadIdentityPools"),
        *listed(cloud, f"/v1/{BILLING}/budgets", "budgets"),
        *listed(cloud, f"/v3/{PROJECT}/notificationChannels", "notificationChannels"),
        *listed(cloud, "/storage/v1/b?project=stack-project", "items"),
    ]
    policies = [
        httpx.post(f"{cloud.url}/v1/{PROJECT}:getIamPolicy", json={}).text,
        httpx.get(f"{cloud.url}/v1/{BILLING}:getIamPolicy").text,
    ]
    named = [one["name"] for one in found if stack in json.dumps(one)]
    named = [name for name in named if not name.endswith("-state")]
    return named + [text for text in policies if f"{stack}-" in text or "ada@" in text]


def test_the_whole_stack_comes_and_goes(whole: Stack) -> None:
    """Applied, its plan is empty; a label changes what has it; destroyed, nothing is left."""
    whole.apply()
    assert whole.changes() == {}
    assert "0 added, 0 changed, 0 destroyed" in whole.apply()
    assert whole.outputs()["repository"] == "us-central1-docker.pkg.dev/stack-project/ops-whole"

    labelled = whole.with_variables(labels={"team": "vision"})
    assert labelled.changes() == {address: ["update"] for address in LABELLED}
    labelled.apply()
    assert labelled.changes() == {}

    bucket = f"{whole.cloud.url}/storage/v1/b/stack-project-whole"
    httpx.patch(bucket, json={"labels": {"team": "others"}}).raise_for_status()
    assert labelled.changes() == {"module.bucket.google_storage_bucket.this": ["update"]}

    httpx.post(
        f"{whole.cloud.url}/upload/storage/v1/b/stack-project-whole/o?uploadType=media&name=x",
        content=b"x",
    ).raise_for_status()
    assert len(left(whole.cloud)) == 10  # 3 accounts, 2 policies, and one of each of the others
    labelled.destroy()
    assert (labelled.in_state(), left(whole.cloud)) == ([], [])


def signed_in(cloud: LocalCloud, email: str, file: Path) -> httpx.Client:
    """HTTP in the name of an account, whose new key is in `file`."""
    from google.auth.transport.requests import Request
    from google.oauth2.service_account import Credentials

    made = httpx.post(f"{cloud.url}/v1/{PROJECT}/serviceAccounts/{email}/keys", json={})
    file.write_bytes(b64decode(made.raise_for_status().json()["privateKeyData"]))
    scopes = ["https://www.googleapis.com/auth/cloud-platform"]
    found = Credentials.from_service_account_file(file, scopes=scopes)  # type: ignore[no-untyped-call]
    found.refresh(Request())
    headers = {"authorization": f"Bearer {found.token}"}
    return httpx.Client(base_url=cloud.url, headers=headers, timeout=30)


def test_a_runner_that_may_bootstrap_does_it_all(whole: Stack, tmp_path: Path) -> None:
    """With IAM enforced it changes its own stack, and another one comes, changes and goes."""
    from tests.infra.terraform_stack import copied, environment

    whole.apply()
    key = tmp_path / "runner.json"
    http = signed_in(whole.cloud, whole.outputs()["runner_email"], key)
    own = whole.acting_as(GOOGLE_APPLICATION_CREDENTIALS=str(key))
    own = own.with_variables(labels={"team": "vision"})
    assert {*own.changes()} == LABELLED
    own.apply()

    # Grants on the billing account are its administrators', so a runner's runner has none.
    changes: dict[str, Any] = {
        "gpu_quota": {},
        "contact_email": None,
        "runner_may_bootstrap": False,
    }
    variables = full_variables(whole.cloud, "second") | changes
    copied(tmp_path / "second")
    owned = Stack(tmp_path / "second", environment(whole.cloud), variables, whole.cloud)
    second = owned.acting_as(GOOGLE_APPLICATION_CREDENTIALS=str(key))

    prepare_project(whole.cloud, "stack-project", str(variables["state_bucket"]), http)
    second.init(str(variables["state_bucket"]))
    second.apply()
    assert second.changes() == {}
    labelled = second.with_variables(labels={"team": "vision"})
    assert {*labelled.changes()} == LABELLED
    labelled.apply()
    labelled.destroy()

    assert left(whole.cloud, "second") == []
