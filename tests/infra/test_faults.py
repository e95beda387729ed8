"""What goes wrong under the real provider: survived, or told in words that can be acted on."""

from __future__ import annotations

import json
import os
import re
import signal
import subprocess
from collections.abc import Callable
from pathlib import Path
from typing import Any

import httpx
import pytest

from tests.infra.terraform_stack import Stack, environment, prepare_project
from tests.local_cloud import LocalCloud, wait_until

pytestmark = pytest.mark.usefixtures("provider")
PROJECT, STATE, BILLING = "faulty-project", "faulty-state", "012345-567890-ABCDEF"
HEAD = f"""
terraform {{
  backend "gcs" {{}}
  required_providers {{
    google = {{ source = "hashicorp/google" }}
  }}
}}
provider "google" {{
  project = "{PROJECT}"
  region  = "us-central1"
  batching {{
    enable_batching = true
    send_after      = "200ms"
  }}
}}
"""
BUCKET = """
resource "google_storage_bucket" "one" {
  name                        = "faulty-bucket"
  location                    = "us-central1"
  uniform_bucket_level_access = true
  force_destroy               = true
}
"""
GRANTS = """
resource "google_storage_bucket_iam_member" "ada" {
  bucket = google_storage_bucket.one.name
  role   = "roles/storage.objectViewer"
  member = "user:ada@example.com"
}
resource "google_project_iam_member" "ada" {
  project = "faulty-project"
  role    = "roles/aiplatform.user"
  member  = "user:ada@example.com"
}
"""
SLOW = f"""
resource "google_service_account" "slow" {{
  account_id                   = "slow-account"
  create_ignore_already_exists = true
}}
resource "google_billing_budget" "one" {{
  billing_account = "{BILLING}"
  display_name    = "faulty budget"
  amount {{
    specified_amount {{
      units = "5"
    }}
  }}
}}
"""
Make = Callable[[str], Stack]


@pytest.fixture
def make(cloud: LocalCloud, tmp_path: Path) -> Make:
    """Makes a folder with this configuration, initialised, its state in a bucket of the cloud."""

    def made(configuration: str) -> Stack:
        prepare_project(cloud, PROJECT, STATE)
        folder = tmp_path / "small"
        folder.mkdir()
        (folder / "main.tf").write_text(HEAD + configuration)
        stack = Stack(folder, environment(cloud), {}, cloud)
        stack.init(STATE)
        return stack

    return made


def ask(cloud: LocalCloud, *faults: dict[str, Any]) -> None:
    """The next requests that fit meet these."""
    httpx.post(f"{cloud.url}/_emulator/faults", json=list(faults)).raise_for_status()


def bindings(cloud: LocalCloud) -> list[dict[str, Any]]:
    """Who was given something in the project."""
    policy = httpx.post(f"{cloud.url}/v1/projects/{PROJECT}:getIamPolicy", json={}).json()
    return [one for one in policy["bindings"] if "user:ada@example.com" in one["members"]]


def lock_generation(cloud: LocalCloud) -> str | None:
    """The generation of the state's lock; None when nobody holds it."""
    found = httpx.get(f"{cloud.url}/storage/v1/b/{STATE}/o/infra%2Fdefault.tflock")
    return str(found.json()["generation"]) if found.status_code == 200 else None


def test_policies_that_are_busy_for_a_while(make: Make) -> None:
    """503, 429 and a concurrent change on reading and writing policies are got through."""
    stack = make(BUCKET + GRANTS)
    project, bucket = f"/v1/projects/{PROJECT}", "/storage/v1/b/faulty-bucket/iam"
    ask(
        stack.cloud,
        {"path_prefix": f"{project}:getIamPolicy", "status": 429, "times": 2},
        {"path_prefix": f"{project}:setIamPolicy", "status": 503},
        {"path_prefix": f"{project}:setIamPolicy", "status": 409},
        {"path_prefix": bucket, "method": "PUT", "status": 503},
        {"path_prefix": bucket, "method": "GET", "status": 429},
    )

    stack.apply()

    assert httpx.get(f"{stack.cloud.url}/_emulator/faults").json() in ([], {"faults": []})
    assert [one["role"] for one in bindings(stack.cloud)] == ["roles/aiplatform.user"]
    assert stack.changes() == {}


def test_what_the_organization_forbids_is_named(make: Make) -> None:
    """The error has the constraint, which can be looked up and lifted."""
    stack = make(BUCKET)
    name = f"projects/{PROJECT}/policies/gcp.resourceLocations"
    rules = [{"values": {"allowedValues": ["in:eu-locations"]}}]
    body = {"name": name, "spec": {"rules": rules}}
    httpx.post(f"{stack.cloud.url}/v2/projects/{PROJECT}/policies", json=body).raise_for_status()

    done = stack.ended("apply", "-no-color", "-auto-approve")

    assert done.exit_code == 1
    assert "'us-central1' violates constraint 'constraints/gcp.resourceLocations'" in done.text


def test_a_bucket_of_somebody_else_s_is_told(make: Make) -> None:
    """409 and the name; nothing of theirs is changed."""
    stack = make(BUCKET)
    url = f"{stack.cloud.url}/storage/v1/b"
    body = {"name": "faulty-bucket", "location": "EU"}
    httpx.post(url, params={"project": "others-project"}, json=body).raise_for_status()

    done = stack.ended("apply", "-no-color", "-auto-approve")

    assert done.exit_code == 1
    assert "Error 409" in done.text and "google_storage_bucket.one" in done.text
    assert httpx.get(f"{url}/faulty-bucket").json()["location"] == "EU"


def test_credentials_that_are_over_are_told(make: Make) -> None:
    """A token that no longer counts is 401 in the error, whatever the call."""
    stack = make(BUCKET)
    accounts = f"{stack.cloud.url}/v1/projects/{PROJECT}/serviceAccounts"
    made = httpx.post(accounts, json={"accountId": "somebody"}).raise_for_status().json()
    one = f"{stack.cloud.url}/v1/{made['name']}"
    scope = ["https://www.googleapis.com/auth/cloud-platform"]
    token = httpx.post(f"{one}:generateAccessToken", json={"scope": scope}).json()["accessToken"]
    httpx.post(f"{one}:disable").raise_for_status()

    done = stack.acting_as(GOOGLE_OAUTH_ACCESS_TOKEN=token).ended("plan", "-no-color")

    assert done.exit_code == 1
    assert "401" in done.text, done.text


def test_a_held_lock_says_who_holds_it(make: Make) -> None:
    """Refused at once, with who and since when; the generation that it names releases it."""
    stack = make(BUCKET)
    held = {"ID": "1", "Operation": "OperationTypeApply", "Who": "ada@laptop", "Version": "1.11.4",
            "Created": "2026-11-22T00:00:00Z", "Path": "", "Info": ""}  # fmt: skip
    upload = f"{stack.cloud.url}/upload/storage/v1/b/{STATE}/o"
    query = {"uploadType": "media", "name": "infra/default.tflock", "ifGenerationMatch": "0"}
    httpx.post(upload, params=query, json=held).raise_for_status()

    refused = stack.ended("plan", "-no-color")
    generation = lock_generation(stack.cloud)
    stack.run("force-unlock", "-force", str(generation))

    assert refused.exit_code == 1
    assert "ada@laptop" in refused.text and str(generation) in refused.text
    assert lock_generation(stack.cloud) is None
    assert stack.changes() == {"google_storage_bucket.one": ["create"]}


def test_an_apply_that_was_killed_is_taken_over_by_imports(make: Make) -> None:
    """`kill -9` leaves a lock and a state without what was made; imports make nothing twice."""
    stack = make(BUCKET + SLOW)
    budgets = f"{stack.cloud.url}/v1/billingAccounts/{BILLING}/budgets"

    killed_once_made(stack, budgets)
    stack.run("force-unlock", "-force", str(lock_generation(stack.cloud)))
    assert stack.in_state() == []
    (budget,) = httpx.get(budgets).json()["budgets"]
    imports = {
        "google_storage_bucket.one": f"{PROJECT}/faulty-bucket",
        "google_billing_budget.one": budget["name"],
    }
    blocks = [{"to": address, "id": id_} for address, id_ in imports.items()]
    (stack.folder / "recovered.tf.json").write_text(json.dumps({"import": blocks}))
    told = stack.apply()

    assert re.search(r"2 imported, \d added, \d changed, 0 destroyed", told), told[-500:]
    assert len(httpx.get(budgets).json()["budgets"]) == 1
    assert stack.changes() == {}


def killed_once_made(stack: Stack, budgets: str) -> None:
    """An apply is killed when bucket and budget are there and the account is being waited for."""
    process = subprocess.Popen(
        ["terraform", "apply", "-auto-approve", "-no-color"],
        cwd=stack.folder,
        env=dict(stack.environment),
        stdin=subprocess.DEVNULL,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
        start_new_session=True,
    )
    bucket = f"{stack.cloud.url}/storage/v1/b/faulty-bucket"

    def is_made() -> bool:
        return httpx.get(bucket).status_code == 200 and bool(httpx.get(budgets).json())

    try:
        wait_until(is_made)
    finally:
        os.killpg(process.pid, signal.SIGKILL)
        process.wait()
