"""What accounts may do with Vertex AI, and with the APIs around it."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from tests.emulator.iam.conftest import Owned, Signed
from tests.emulator.pipelines import Pipeline

PLACE = "locations/us-central1"
SCHEMA = "gs://google-cloud-aiplatform/schema/dataset/metadata/image_1.0.0.yaml"
DATASET = {"displayName": "d", "metadataSchemaUri": SCHEMA}
IMAGE = "us-docker.pkg.dev/p/r/i"


def test_a_refusal_names_permission_and_resource(
    owned: Owned, sign_in: Callable[[str], Signed]
) -> None:
    """In Google's words and details."""
    account, parent = sign_in(owned.account()), f"projects/{owned.project}/{PLACE}"

    answer = account.http.post(f"/v1/{parent}/datasets", json=DATASET)

    assert (answer.status_code, answer.json()["error"]) == (
        403,
        {
            "code": 403,
            "message": "Permission 'aiplatform.datasets.create' denied on resource "
            f"'//aiplatform.googleapis.com/{parent}' (or it may not exist).",
            "status": "PERMISSION_DENIED",
            "details": [
                {
                    "@type": "type.googleapis.com/google.rpc.ErrorInfo",
                    "reason": "IAM_PERMISSION_DENIED",
                    "domain": "aiplatform.googleapis.com",
                    "metadata": {"permission": "aiplatform.datasets.create", "resource": parent},
                }
            ],
        },
    )


@pytest.mark.parametrize(
    ("role", "may"),
    [
        ("roles/aiplatform.user", [200, 200, 200, 200]),
        ("roles/aiplatform.viewer", [403, 200, 200, 403]),
        ("roles/editor", [200, 200, 200, 200]),
        ("roles/viewer", [403, 200, 200, 403]),
        ("roles/storage.admin", [403, 403, 403, 403]),
    ],
)
def test_roles(owned: Owned, sign_in: Callable[[str], Signed], role: str, may: list[int]) -> None:
    """Create, list, an operation of one that is there, delete."""
    account, parent = sign_in(owned.account()), f"/v1/projects/{owned.project}/{PLACE}"
    owned.grant({"role": role, "members": [account.member]})
    operation = owned.http.post(f"{parent}/datasets", json=DATASET).json()

    answers = [
        account.http.post(f"{parent}/datasets", json=DATASET),
        account.http.get(f"{parent}/datasets"),
        account.http.get(f"/v1/{operation['name']}"),
        account.http.delete(f"/v1/{operation['response']['name']}"),
    ]

    assert [answer.status_code for answer in answers] == may


def test_acting_as_an_account(owned: Owned, sign_in: Callable[[str], Signed]) -> None:
    """A job's account must let its maker act as it; refused in Google's words."""
    account, runner = sign_in(owned.account()), owned.account("runner")
    owned.grant({"role": "roles/aiplatform.user", "members": [account.member]})
    pool = {"machineSpec": {"machineType": "n1-standard-4"}, "replicaCount": 1,
            "containerSpec": {"imageUri": IMAGE}}  # fmt: skip
    spec = {"workerPoolSpecs": [pool], "serviceAccount": runner}
    path = f"/v1/projects/{owned.project}/{PLACE}/customJobs"
    body = {"displayName": "j", "jobSpec": spec}

    refused = account.http.post(path, json=body)
    binding = {"role": "roles/iam.serviceAccountUser", "members": [account.member]}
    own = f"/v1/projects/{owned.project}/serviceAccounts/{runner}:setIamPolicy"
    owned.http.post(own, json={"policy": {"bindings": [binding]}}).raise_for_status()
    taken = account.http.post(path, json=body)
    owned.http.post(f"/v1/{taken.json()['name']}:cancel")

    assert (refused.status_code, taken.status_code) == (400, 200)
    assert refused.json()["error"]["message"] == (
        f"You do not have permission to act as service_account: {runner}. (or it may not exist)."
    )


def test_acting_as_the_default_account_of_pipelines(
    owned: Owned, sign_in: Callable[[str], Signed]
) -> None:
    """A pipeline that names no account runs as Compute Engine's, which not everybody may act as."""
    account = sign_in(owned.account())
    user = {"role": "roles/aiplatform.user", "members": [account.member]}
    owned.grant(user)
    pipeline = Pipeline()
    pipeline.step("one")
    path = f"/v1/projects/{owned.project}/{PLACE}/pipelineJobs"

    refused = account.http.post(path, json=pipeline.job("nowhere"))
    owned.grant(user, {"role": "roles/iam.serviceAccountUser", "members": [account.member]})
    taken = account.http.post(path, json=pipeline.job(owned.bucket()))

    assert (refused.status_code, taken.status_code) == (400, 200)
    assert "-compute@developer.gserviceaccount.com" in refused.json()["error"]["message"]
    owned.http.delete(f"/v1/{taken.json()['name']}")


def test_the_apis_around_it(owned: Owned, sign_in: Callable[[str], Signed]) -> None:
    """Each refuses by its own permission, and lets the role for it in."""
    account, project = sign_in(owned.account()), owned.project
    number = owned.http.get(f"/v1/projects/{project}").json()["projectNumber"]
    asked = [
        ("GET", f"/v1/projects/{project}", "resourcemanager.projects.get"),
        ("GET", f"/v3/projects/{number}", "resourcemanager.projects.get"),
        ("POST", f"/v1/projects/{project}:getIamPolicy", "resourcemanager.projects.getIamPolicy"),
        ("GET", f"/v1/projects/{project}/services", "list services for consumer container"),
        ("GET", f"/v1/projects/{project}/serviceAccounts", "iam.serviceAccounts.list"),
        ("GET", f"/v2/projects/{project}/logs", "logging.logs.list"),
        ("GET", f"/v1/projects/{project}/{PLACE}/repositories",
         "artifactregistry.repositories.list"),
    ]  # fmt: skip

    before = [account.http.request(verb, path) for verb, path, _ in asked]
    owned.grant({"role": "roles/owner", "members": [account.member]})
    after = [account.http.request(verb, path) for verb, path, _ in asked]

    assert [answer.status_code for answer in before] == [403] * len(asked)
    assert all(said in one.text for (*_, said), one in zip(asked, before, strict=True))
    assert [answer.status_code for answer in after] == [200] * len(asked)


def test_log_entries_are_asked_of_their_project(
    owned: Owned, sign_in: Callable[[str], Signed]
) -> None:
    """The project is in the body."""
    account = sign_in(owned.account())
    body = {"resourceNames": [f"projects/{owned.project}"]}

    refused = account.http.post("/v2/entries:list", json=body)
    owned.grant({"role": "roles/logging.viewer", "members": [account.member]})

    assert refused.status_code == 403 and "logging.logEntries.list" in refused.text
    assert account.http.post("/v2/entries:list", json=body).status_code == 200


def test_lists_of_projects_have_those_that_one_may_see(
    owned: Owned, sign_in: Callable[[str], Signed]
) -> None:
    """None at first; then the one where the account has a role."""
    account = sign_in(owned.account())

    def seen() -> list[str]:
        answer = account.http.get("/v1/projects").json()
        return [one["projectId"] for one in answer.get("projects", [])]

    before = seen()
    owned.grant({"role": "roles/browser", "members": [account.member]})

    assert (before, seen()) == ([], [owned.project])
