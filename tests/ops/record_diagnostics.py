"""Records what Terraform says when it fails: `python -m tests.ops.record_diagnostics [NAME…]`.

Each failure is provoked with the real Terraform (and provider, where it needs one) against a local
cloud, and written to `tests/ops/cloud/diagnostics/NAME.json` with what `ops` must make of it.
"""

from __future__ import annotations

import json
import sys
import tempfile
from collections.abc import Callable, Mapping
from contextlib import ExitStack
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import httpx

from ops import settings
from ops.cloud import terraform_process
from ops.cloud.terraform import Terraform
from ops.errors import OpsError
from tests.infra.terraform_stack import environment
from tests.local_cloud import LocalCloud, running_cloud

FOLDER = Path(__file__).with_name("cloud") / "diagnostics"
PROJECT, STATE, BUCKET = "recorded-project", "recorded-state", "recorded-bucket"
BACKEND = 'terraform {\n  backend "gcs" {}\n}\n'
GOOGLE = (
    BACKEND
    + f"""
terraform {{
  required_providers {{
    google = {{ source = "hashicorp/google" }}
  }}
}}
provider "google" {{
  project = "{PROJECT}"
  region  = "us-central1"
}}
"""
)
A_BUCKET = f"""
resource "google_storage_bucket" "this" {{
  project                     = "{PROJECT}"
  name                        = "{BUCKET}"
  location                    = "us-central1"
  uniform_bucket_level_access = true
}}
"""
AN_ACCOUNT = """
resource "google_service_account" "this" {
  account_id = "recorded-account"
}
"""
A_QUOTA = f"""
resource "google_cloud_quotas_quota_preference" "this" {{
  parent        = "projects/{PROJECT}"
  name          = "recorded-quota"
  service       = "aiplatform.googleapis.com"
  quota_id      = "CustomModelTrainingT4GPUsPerProjectPerRegion"
  dimensions    = {{ region = "us-central1" }}
  contact_email = "ada@example.com"
  quota_config {{
    preferred_value = "1"
  }}
}}
"""
A_PROJECT = """
data "google_project" "this" {
  project_id = "unknown-project"
}
"""
A_VARIABLE = """
variable "days" {
  type    = number
  default = 3
  validation {
    condition     = var.days == 0 || var.days >= 7
    error_message = "days must be 0, or 7 to 90."
  }
}
"""
LOCK = {"ID": "1", "Operation": "OperationTypeApply", "Who": "ada@laptop", "Version": "1.11.4",
        "Created": "2026-11-22T00:00:00.5Z", "Path": "", "Info": ""}  # fmt: skip


@dataclass
class Place:
    """Where a failure is provoked."""

    cloud: LocalCloud
    terraform: Terraform
    http: httpx.Client

    def put(self, bucket: str, name: str, body: Any) -> None:
        """An object of JSON."""
        path, query = f"/upload/storage/v1/b/{bucket}/o", {"uploadType": "media", "name": name}
        self.http.post(path, params=query, json=body).raise_for_status()

    def make_bucket(self, name: str, project: str = PROJECT) -> None:
        """A bucket of some project."""
        body = {"name": name, "location": "us-central1"}
        self.http.post("/storage/v1/b", params={"project": project}, json=body).raise_for_status()

    def ask(self, **fault: Any) -> None:
        """A fault for the next requests that fit."""
        self.http.post("/_emulator/faults", json=[fault]).raise_for_status()


Act = Callable[[Place], object]


def _nothing(_place: Place) -> None:
    """Nothing has to be done."""


@dataclass(frozen=True)
class Case:
    """A configuration, what is done to make it fail, and what `ops` must make of that."""

    code: str
    says: tuple[str, ...]
    configuration: str
    before: Act = _nothing
    fails: Act = lambda place: place.terraform.plan()
    arguments: tuple[str, ...] = ()
    variables: Mapping[str, str] = field(default_factory=dict)
    joins: bool = True


def _applied(place: Place) -> None:
    place.terraform.plan()
    place.terraform.apply()


def _destroyed(place: Place) -> None:
    _applied(place)
    place.put(BUCKET, "photo", {})
    place.terraform.destroy()


def _forbid(place: Place) -> None:
    name = f"projects/{PROJECT}/policies/gcp.resourceLocations"
    rules = [{"values": {"allowedValues": ["in:eu-locations"]}}]
    body = {"name": name, "spec": {"rules": rules}}
    place.http.post(f"/v2/projects/{PROJECT}/policies", json=body).raise_for_status()


CASES: dict[str, Case] = {
    "lock": Case(
        "busy",
        ("ada@laptop has held the state of stack default since 2026-11-22 00:00:00", "--unlock"),
        BACKEND,
        before=lambda place: place.put(STATE, "infra/default.tflock", LOCK),
    ),
    "no-provider": Case(
        "no-terraform",
        ("Terraform could not get the provider", "TF_CLI_CONFIG_FILE"),
        'terraform {\n  required_providers {\n    x = { source = "example/none" }\n  }\n}\n',
        fails=lambda place: place.terraform.fetch(),
        variables={"TF_CLI_CONFIG_FILE": "mirror"},
    ),
    "old-terraform": Case(
        "no-terraform",
        ("This Terraform is too old", "Install Terraform 1.9"),
        'terraform {\n  required_version = ">= 99"\n}\n',
        fails=lambda place: place.terraform.fetch(),
    ),
    "variable": Case(
        "settings", ("days must be 0, or 7 to 90.", "the table [infra]"), BACKEND + A_VARIABLE
    ),
    "no-state-bucket": Case(
        "not-prepared",
        ("The state bucket gs://", "ops bootstrap"),
        BACKEND,
        fails=lambda place: place.terraform.init("nobody-s-bucket"),
    ),
    "bucket-taken": Case(
        "conflict",
        (f"The name of bucket {BUCKET} is taken", "OPS_BUCKET"),
        GOOGLE + A_BUCKET,
        before=lambda place: place.make_bucket(BUCKET, "others-project"),
        fails=_applied,
    ),
    "organisation": Case(
        "denied",
        ("(constraints/gcp.resourceLocations)", "gcloud org-policies describe"),
        GOOGLE + A_BUCKET,
        before=_forbid,
        fails=_applied,
    ),
    "protection": Case(
        "refused",
        ("still holds objects, and deletion protection is on", "deletion_protection = false"),
        GOOGLE + A_BUCKET,
        fails=_destroyed,
    ),
    "quota-refused": Case(
        "quota",
        ("Google refuses the GPU quota that was asked for", "gpu_quota in ops.toml"),
        GOOGLE + A_QUOTA,
        before=lambda place: place.ask(
            path_prefix=f"/v1/projects/{PROJECT}/locations/global/quotaPreferences",
            method="POST",
            status=400,
        ),
        fails=_applied,
    ),
    "quota-asked-before": Case(
        "quota",
        ("already exists", "takes over the request"),
        GOOGLE + A_QUOTA,
        before=lambda place: place.http.post(
            f"/v1/projects/{PROJECT}/locations/global/quotaPreferences",
            params={"quotaPreferenceId": "by-hand"},
            json={
                "service": "aiplatform.googleapis.com",
                "quotaId": "CustomModelTrainingT4GPUsPerProjectPerRegion",
                "dimensions": {"region": "us-central1"},
                "quotaConfig": {"preferredValue": "1"},
                "contactEmail": "ada@example.com",
            },
        ).raise_for_status(),
        fails=_applied,
    ),
    "no-right": Case(
        "denied",
        ("You may not do this", "ops doctor"),
        GOOGLE + AN_ACCOUNT,
        before=lambda place: place.ask(
            path_prefix=f"/v1/projects/{PROJECT}/serviceAccounts", method="POST", status=403
        ),
        fails=_applied,
    ),
    "unknown-project": Case(
        "denied",
        ("There is no project recorded-project", "gcloud projects list"),
        GOOGLE + A_PROJECT,
        arguments=("--project", PROJECT),
    ),
    "expired-credentials": Case(
        "unauthenticated",
        ("does not take Terraform's credentials", "gcloud auth application-default login"),
        GOOGLE + AN_ACCOUNT,
        fails=lambda place: place.terraform.init(STATE),
        arguments=("--require-auth",),
        joins=False,
    ),
}


def record(name: str, case: Case) -> str:
    """What `ops` makes of the failure, which is written down."""
    with tempfile.TemporaryDirectory() as folder, ExitStack() as stack:
        work = Path(folder) / "work"
        work.mkdir()
        (work / "main.tf").write_text(case.configuration)
        (work / "mirror").write_text(
            f'provider_installation {{\n  filesystem_mirror {{\n    path = "{folder}/no"\n  }}\n}}'
        )
        cloud = stack.enter_context(running_cloud(Path(folder) / "cloud", *case.arguments))
        where = settings.read(
            {}, {settings.PROJECT: PROJECT, settings.BUCKET: BUCKET}, Path(folder)
        )
        led = {
            **environment(cloud),
            **{key: str(work / one) for key, one in case.variables.items()},
        }
        headers = _owner(cloud) if "--require-auth" in case.arguments else {}
        http = stack.enter_context(httpx.Client(base_url=cloud.url, timeout=30, headers=headers))
        place = Place(cloud, Terraform(work, led, where), http)
        place.make_bucket(STATE)
        if case.joins and case.configuration.startswith(BACKEND):
            place.terraform.init(STATE)
        case.before(place)
        try:
            case.fails(place)
        except OpsError as error:
            _write(name, case, work)
            return f"{error.code}: {error.message} | {error.hint}"
    raise AssertionError(f"{name} did not fail")


def _owner(cloud: LocalCloud) -> dict[str, str]:
    """The header of somebody who may do everything, also where everybody must sign in."""
    from google.auth.transport.requests import Request
    from google.oauth2 import service_account

    key = cloud.data / "service-account.json"
    scopes = ["https://www.googleapis.com/auth/cloud-platform"]
    kind = service_account.Credentials
    found = kind.from_service_account_file(str(key), scopes=scopes)  # type: ignore[no-untyped-call]
    found.refresh(Request())
    return {"authorization": f"Bearer {found.token}"}


def _write(name: str, case: Case, work: Path) -> None:
    lines = (work / terraform_process.LOG).read_text().splitlines()
    events = [json.loads(line) for line in lines]
    kept = [
        {"type": one["type"], "diagnostic": {**one["diagnostic"], "snippet": None}}
        for one in events
        if one.get("type") == "diagnostic"
    ]
    body = {"code": case.code, "says": list(case.says), "events": kept}
    text = json.dumps(body, indent=2, ensure_ascii=False).replace(str(work.parent), "FOLDER")
    (FOLDER / f"{name}.json").write_text(text + "\n")


def main(names: list[str]) -> None:
    """Record these, or all."""
    for name in names or CASES:
        print(f"{name}: {record(name, CASES[name])}", flush=True)


if __name__ == "__main__":
    main(sys.argv[1:])
