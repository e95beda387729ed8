"""What `infra/` grants to the stack's own accounts, as a table; made and unmade through the API.

Who has no provider has the same grants by hand: a test holds the table equal to the Terraform
files, and where the provider is there, to what it really makes.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any
from urllib.parse import quote

import httpx

from tests.infra.terraform_stack import prepare_project
from tests.local_cloud import LocalCloud

PROJECT, REGION, STACK = "local-project", "us-central1", "default"
BUCKET = f"{PROJECT}-ops-{STACK}"
STATE_BUCKET = f"{BUCKET}-state"
REPOSITORY = f"projects/{PROJECT}/locations/{REGION}/repositories/ops-{STACK}"
ACCOUNTS = ("predictor", "runner", "trainer")
PROJECT_ITSELF, BUCKET_ITSELF, STATE, IMAGES = "project", "bucket", "state", "repository"
BUCKETS = (BUCKET_ITSELF, STATE)
Binding = dict[str, Any]


@dataclass(frozen=True)
class Grant:
    """A role of one account on one resource; `only` is the folder of the bucket it is for."""

    on: str
    role: str
    to: str
    only: str = ""

    @property
    def condition(self) -> dict[str, Any]:
        """The condition as a policy has it, or nothing."""
        if not self.only:
            return {}
        start = f"projects/_/buckets/{BUCKET}/objects/{self.only}"
        return {"expression": f'resource.name.startsWith("{start}")'}


GRANTS = (
    Grant(PROJECT_ITSELF, "roles/aiplatform.user", "runner"),
    Grant(PROJECT_ITSELF, "roles/cloudbuild.builds.editor", "runner"),
    Grant(PROJECT_ITSELF, "roles/cloudquotas.viewer", "runner"),
    Grant(PROJECT_ITSELF, "roles/logging.viewer", "runner"),
    Grant(PROJECT_ITSELF, "roles/serviceusage.serviceUsageConsumer", "runner"),
    Grant(PROJECT_ITSELF, "roles/logging.logWriter", "trainer"),
    Grant("predictor", "roles/iam.serviceAccountUser", "runner"),
    Grant("runner", "roles/iam.serviceAccountUser", "runner"),
    Grant("trainer", "roles/iam.serviceAccountUser", "runner"),
    Grant("predictor", "roles/iam.serviceAccountAdmin", "agent"),
    Grant(BUCKET_ITSELF, "roles/storage.objectViewer", "agent"),
    Grant(BUCKET_ITSELF, "roles/storage.objectViewer", "predictor"),
    Grant(BUCKET_ITSELF, "roles/storage.objectViewer", "runner"),
    Grant(BUCKET_ITSELF, "roles/storage.objectViewer", "trainer"),
    Grant(BUCKET_ITSELF, "roles/storage.objectUser", "trainer", only="runs/"),
    Grant(BUCKET_ITSELF, "roles/storage.legacyBucketWriter", "runner"),
    Grant(STATE, "roles/storage.objectViewer", "runner"),
    Grant(IMAGES, "roles/artifactregistry.writer", "runner"),
)


@dataclass(frozen=True)
class Prepared:
    """A project with the stack's accounts, bucket and repository, asked by its owner."""

    http: httpx.Client

    def email(self, who: str) -> str:
        """The address of one of the stack's accounts, or of Vertex AI's agent."""
        if who != "agent":
            return f"{STACK}-{who}@{PROJECT}.iam.gserviceaccount.com"
        number: str = self.http.get(f"/v1/projects/{PROJECT}").json()["projectNumber"]
        return f"service-{number}@gcp-sa-aiplatform.iam.gserviceaccount.com"

    def policy(self, on: str) -> dict[str, Any]:
        """A resource's policy with its etag."""
        path = self._path(on)
        asked: tuple[str, str, dict[str, int], Any]
        if on in BUCKETS:
            asked = ("GET", f"{path}/iam", {"optionsRequestedPolicyVersion": 3}, None)
        elif on == PROJECT_ITSELF:
            asked = ("POST", f"{path}:getIamPolicy", {}, {"options": {"requestedPolicyVersion": 3}})
        else:
            method = "GET" if on == IMAGES else "POST"
            asked = (method, f"{path}:getIamPolicy", {"options.requestedPolicyVersion": 3}, None)
        method, path, params, body = asked
        answer = self.http.request(method, path, params=params, json=body)
        found: dict[str, Any] = answer.raise_for_status().json()
        return found

    def set_policy(self, on: str, policy: dict[str, Any]) -> None:
        """The resource's policy is this one."""
        path, body = self._path(on), {**policy, "version": 3}
        if on in BUCKETS:
            self.http.put(f"{path}/iam", json=body).raise_for_status()
        else:
            self.http.post(f"{path}:setIamPolicy", json={"policy": body}).raise_for_status()

    def _path(self, on: str) -> str:
        paths = {
            PROJECT_ITSELF: f"/v1/projects/{PROJECT}",
            BUCKET_ITSELF: f"/storage/v1/b/{BUCKET}",
            STATE: f"/storage/v1/b/{STATE_BUCKET}",
            IMAGES: f"/v1/{REPOSITORY}",
        }
        return paths.get(on) or f"/v1/projects/-/serviceAccounts/{self.email(on)}"

    def granted(self, on: str) -> set[Grant]:
        """What a resource's policy grants to accounts of the stack and to the agent."""
        names = {f"serviceAccount:{self.email(who)}": who for who in (*ACCOUNTS, "agent")}
        return {
            Grant(on, binding["role"], names[member], _only(binding))
            for binding in self.policy(on).get("bindings", [])
            for member in binding["members"]
            if member in names
        }

    def grant(self, *grants: Grant) -> None:
        """Each of these, beside what there is."""
        for on in dict.fromkeys(grant.on for grant in grants):
            policy = self.policy(on)
            new = [self._binding(one) for one in grants if one.on == on]
            self.set_policy(on, {**policy, "bindings": [*policy.get("bindings", []), *new]})

    @contextmanager
    def without(self, grant: Grant) -> Iterator[None]:
        """One member of one binding is missing, as long as this lasts."""
        member, whole = f"serviceAccount:{self.email(grant.to)}", self.policy(grant.on)
        left = [
            {**one, "members": [m for m in one["members"] if m != member]}
            if (one["role"], _only(one)) == (grant.role, grant.only)
            else one
            for one in whole["bindings"]
        ]
        self.set_policy(grant.on, {**whole, "bindings": [one for one in left if one["members"]]})
        assert grant not in self.granted(grant.on)
        try:
            yield
        finally:
            self.set_policy(grant.on, {"bindings": whole["bindings"]})

    def _binding(self, grant: Grant) -> Binding:
        members = [f"serviceAccount:{self.email(grant.to)}"]
        condition = {"title": "runs only", **grant.condition}
        return {
            "role": grant.role,
            "members": members,
            **({"condition": condition} if grant.only else {}),
        }


def _only(binding: Binding) -> str:
    """The folder that a binding's condition is for."""
    expression = str(binding.get("condition", {}).get("expression", ""))
    return expression.partition(f"/{BUCKET}/objects/")[2].removesuffix('")')


def by_hand(cloud: LocalCloud, http: httpx.Client) -> Prepared:
    """The accounts, the bucket, the repository and every grant, without Terraform."""
    prepare_project(cloud, PROJECT, STATE_BUCKET)
    found = Prepared(http)
    for name in ACCOUNTS:
        body = {"accountId": f"{STACK}-{name}"}
        http.post(f"/v1/projects/{PROJECT}/serviceAccounts", json=body).raise_for_status()
    bucket = {
        "name": BUCKET,
        "location": REGION,
        "labels": {"ops-stack": STACK, "ops-owner": "you"},
        "iamConfiguration": {"uniformBucketLevelAccess": {"enabled": True}},
    }
    http.post("/storage/v1/b", params={"project": PROJECT}, json=bucket).raise_for_status()
    parent, _, name = REPOSITORY.rpartition("/")
    where = {"repository_id": name}
    http.post(f"/v1/{parent}", params=where, json={"format": "DOCKER"}).raise_for_status()
    found.grant(*GRANTS)
    _leave_state(found)
    return found


def _leave_state(found: Prepared) -> None:
    """Terraform's state as far as `ops bootstrap --read-only` reads it: form and outputs."""
    emails = {f"{who}_email": found.email(who) for who in ACCOUNTS}
    images = f"{REGION}-docker.pkg.dev/{PROJECT}/ops-{STACK}"
    outputs = {**emails, "bucket": BUCKET, "region": REGION, "repository": images}
    state = {"version": 4, "outputs": {name: {"value": one} for name, one in outputs.items()}}
    where = {"uploadType": "media", "name": "infra/default.tfstate"}
    path = f"/upload/storage/v1/b/{quote(STATE_BUCKET)}/o"
    found.http.post(path, params=where, content=json.dumps(state)).raise_for_status()
