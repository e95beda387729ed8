"""`infra/` in a folder of its own, applied by the real provider to a local cloud.

Only the environment leads it there: the variables of the data folder's `env` file, and those by
which nothing else is reached (developer.hashicorp.com/terraform/cli/config/environment-variables).
"""

from __future__ import annotations

import json
import os
import shutil
import subprocess
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import httpx

from tests.local_cloud import ROOT, LocalCloud, clean_environment

INFRA = ROOT / "infra"
PREFIX = "infra"
# Nobody listens there: the provider's look-up of who calls, which has no endpoint of its own,
# ends at once. The local cloud's addresses need no proxy.
NOWHERE = "http://127.0.0.1:1"
QUIET = {"CHECKPOINT_DISABLE": "1", "TF_IN_AUTOMATION": "1", "TF_INPUT": "0"}
KEPT = ("TF_", "PATH", "HOME", "TMPDIR", "LANG")
COMMAND_SECONDS = 300
# As ops has it (ops/cloud/terraform.py).
AT_ONCE = "-parallelism=30"
NOTHING = frozenset({"no-op", "read"})
VERTEX = "aiplatform.googleapis.com"


@dataclass(frozen=True)
class Ended:
    """How a command of Terraform's ended, and what it said."""

    exit_code: int
    text: str


@dataclass(frozen=True)
class Stack:
    """A copy of the root module, the variables it is applied with, and its environment."""

    folder: Path
    environment: Mapping[str, str]
    variables: Mapping[str, Any]
    cloud: LocalCloud = field(repr=False)

    def with_variables(self, **changes: Any) -> Stack:
        """The same stack with other variables, from its next command on."""
        return replace(self, variables={**self.variables, **changes})

    def acting_as(self, **variables: str) -> Stack:
        """The same stack with these in its environment, and no token of the owner's."""
        left = {k: v for k, v in self.environment.items() if k != "GOOGLE_OAUTH_ACCESS_TOKEN"}
        return replace(self, environment={**left, **variables})

    def ended(self, *arguments: str) -> Ended:
        """How a command ended, well or not."""
        file = self.folder / "stack.auto.tfvars.json"
        file.write_text(json.dumps(self.variables, indent=2), encoding="utf-8")
        return run(self.folder, self.environment, *arguments)

    def run(self, *arguments: str) -> str:
        """What a command that must go well said."""
        done = self.ended(*arguments)
        assert done.exit_code == 0, done.text[-6000:]
        return done.text

    def init(self, bucket: str) -> None:
        """Join the state in `gs://BUCKET/infra`, and get the provider."""
        backend = [f"-backend-config=bucket={bucket}", f"-backend-config=prefix={PREFIX}"]
        self.run("init", "-no-color", "-reconfigure", *backend)

    def apply(self) -> str:
        """Everything is as the variables say."""
        return self.run("apply", "-no-color", "-auto-approve", AT_ONCE)

    def destroy(self) -> str:
        """Nothing of it is left, but for what Terraform only forgets."""
        return self.run("destroy", "-no-color", "-auto-approve", AT_ONCE)

    def changes(self) -> dict[str, list[str]]:
        """What an apply would do: address → actions."""
        self.run("plan", "-no-color", "-out=saved.tfplan", AT_ONCE)
        plan = json.loads(self.run("show", "-json", "saved.tfplan"))
        found = {one["address"]: one["change"]["actions"] for one in plan["resource_changes"]}
        return {address: acts for address, acts in found.items() if not set(acts) <= NOTHING}

    def outputs(self) -> dict[str, Any]:
        """The outputs' values."""
        found = json.loads(self.run("output", "-json"))
        return {name: one["value"] for name, one in found.items()}

    def in_state(self) -> list[str]:
        """The addresses of everything in the state."""
        return self.run("state", "list").split()


def run(folder: Path, environment: Mapping[str, str], *arguments: str) -> Ended:
    """One command of Terraform's, in a folder."""
    done = subprocess.run(
        ["terraform", *arguments],
        cwd=folder,
        env=dict(environment),
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        timeout=COMMAND_SECONDS,
        check=False,
    )
    return Ended(done.returncode, done.stdout)


def prepared(cloud: LocalCloud, folder: Path, **variables: Any) -> Stack:
    """The whole stack, initialised and not applied: state bucket and agent are there."""
    copied(folder)
    stack = Stack(folder, environment(cloud), full_variables(cloud) | variables, cloud)
    prepare_project(cloud, str(stack.variables["project_id"]), str(stack.variables["state_bucket"]))
    stack.init(str(stack.variables["state_bucket"]))
    return stack


def copied(folder: Path) -> None:
    """The root module and its modules; no lock file: its hashes would be another machine's."""
    ignored = shutil.ignore_patterns(".terraform*", "*.tfstate*", "*.tfvars*", "*.md")
    shutil.copytree(INFRA, folder, ignore=ignored, dirs_exist_ok=True)


def environment(cloud: LocalCloud) -> dict[str, str]:
    """The variables of a Terraform that acts as the owner of a local cloud.

    Of `env` only the endpoints: with STORAGE_EMULATOR_HOST the `gcs` backend signs in as nobody.
    """
    own = {k: v for k, v in clean_environment().items() if k.startswith(KEPT)}
    led = {k: v for k, v in cloud.variables.items() if k.endswith("_CUSTOM_ENDPOINT")}
    return {**own, **QUIET, **led, "HTTPS_PROXY": NOWHERE, "GOOGLE_OAUTH_ACCESS_TOKEN": "owner"}


def full_variables(cloud: LocalCloud, stack: str = "whole") -> dict[str, Any]:
    """Variables with which every module makes everything that it can."""
    project = "stack-project"
    number = httpx.get(f"{cloud.url}/v1/projects/{project}").json()["projectNumber"]
    return {
        "automl_members": ["user:ada@example.com", "group:vision@example.com"],
        "bucket_name": f"{project}-{stack}",
        "bucket_versioning": True,
        "budget": {
            "billing_account": "012345-567890-ABCDEF",
            "amount": 50,
            "email": "ada@example.com",
        },
        "contact_email": "ada@example.com",
        "deletion_protection": False,
        "github": {"owner_id": "1234", "repository_id": "567890"},
        "gpu_quota": {
            "t4": {"gpu": "NVIDIA_TESLA_T4", "use": "training", "count": 1},
            "spot": {"gpu": "NVIDIA_TESLA_T4", "use": "spot-training", "count": 2},
            "l4": {"gpu": "NVIDIA_L4", "use": "serving", "count": 1, "region": "europe-west4"},
        },
        "owner": "ada",
        "project_id": project,
        "project_number": number,
        "runner_may_bootstrap": True,
        "stack": stack,
        "state_bucket": f"{project}-{stack}-state",
    }


def prepare_project(
    cloud: LocalCloud, project: str, bucket: str, http: httpx.Client | None = None
) -> None:
    """What has to be there before Terraform begins: Vertex AI's agent, and a bucket for the state.

    The calls are those of `ops bootstrap`, in the name of whom `http` signs in as.
    """
    client = http or httpx.Client(base_url=cloud.url, timeout=30)
    path = f"/v1beta1/projects/{project}/services/{VERTEX}:generateServiceIdentity"
    client.post(path, json={}).raise_for_status()
    uniform = {"uniformBucketLevelAccess": {"enabled": True}, "publicAccessPrevention": "enforced"}
    body = {
        "name": bucket,
        "location": "us-central1",
        "versioning": {"enabled": True},
        "iamConfiguration": uniform,
    }
    client.post("/storage/v1/b", params={"project": project}, json=body).raise_for_status()
    if http is None:
        client.close()


def provider_version(folder: Path) -> tuple[str, str]:
    """The provider's version, or "" and why there is none, by Terraform's own configuration.

    A registry, a plug-in cache and a mirror of files are looked for as `terraform init` does.
    """
    if shutil.which("terraform") is None:
        return "", "needs the program terraform (developer.hashicorp.com/terraform/install)"
    shutil.copy(INFRA / "versions.tf", folder)
    wanted = {"TF_REGISTRY_CLIENT_TIMEOUT": "5", "TF_REGISTRY_DISCOVERY_RETRY": "0"}
    variables = {k: v for k, v in os.environ.items() if not k.startswith("TF_CLI_ARGS")}
    environment = {**wanted, **variables, **QUIET}
    done = run(folder, environment, "init", "-backend=false", "-no-color")
    if done.exit_code != 0:
        return "", (
            "needs the provider hashicorp/google, which `terraform init` cannot get: go online, "
            "or name a mirror of it in a file that TF_CLI_CONFIG_FILE names"
        )
    found = json.loads(run(folder, environment, "version", "-json").text)
    chosen: dict[str, str] = found["provider_selections"]
    return next(v for name, v in chosen.items() if name.endswith("hashicorp/google")), ""
