"""IAM policies of projects: read, replaced by etag, and what they grant to whom."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any
from uuid import uuid4

import httpx
import pytest
from google.auth import jwt as untyped_jwt

from tests.local_cloud import LocalCloud

if TYPE_CHECKING:
    from google.cloud.resourcemanager_v3 import ProjectsClient

# Google ships this module without types.
jwt: Any = untyped_jwt
ACCOUNT = "serviceAccount:local@local-project.iam.gserviceaccount.com"
ASKED = [
    "aiplatform.datasets.create",
    "storage.objects.get",
    "resourcemanager.projects.get",
    "resourcemanager.projects.setIamPolicy",
]


@pytest.fixture
def project() -> str:
    """A project that no other test uses."""
    return f"policies-{uuid4().hex[:8]}"


@pytest.fixture
def projects(server: LocalCloud) -> ProjectsClient:
    """Google's client for projects, as the owner."""
    from google.auth.credentials import AnonymousCredentials
    from google.cloud.resourcemanager_v3 import ProjectsClient

    return ProjectsClient(
        transport="rest",
        credentials=AnonymousCredentials(),  # type: ignore[no-untyped-call]
        client_options={"api_endpoint": server.url},
    )


@pytest.fixture
def token(server: LocalCloud) -> str:
    """A token of the data folder's account, which has the rights that policies give it."""
    key = server.data / "service-account.json"
    audience = "https://cloudresourcemanager.googleapis.com/"
    credentials = jwt.Credentials.from_service_account_file(key, audience=audience)
    credentials.refresh(None)
    return bytes(credentials.token).decode()


def granted(http: httpx.Client, token: str, project: str, version: str = "v3") -> list[str]:
    """Those of ASKED that the account has."""
    answer = http.post(
        f"/{version}/projects/{project}:testIamPermissions",
        json={"permissions": ASKED},
        headers={"authorization": f"Bearer {token}"},
    )
    assert answer.status_code == 200, answer.text
    return list(answer.json().get("permissions", []))


def test_a_project_begins_with_an_owner(
    projects: ProjectsClient, http: httpx.Client, token: str, project: str
) -> None:
    """The local account owns every project until somebody says otherwise; objects are buckets'."""
    policy = projects.get_iam_policy(resource=f"projects/{project}")

    assert [binding.role for binding in policy.bindings] == ["roles/owner"]
    assert ACCOUNT in policy.bindings[0].members
    owned = [one for one in ASKED if one != "storage.objects.get"]
    assert granted(http, token, project) == owned
    assert granted(http, token, project, "v1") == owned


@pytest.mark.parametrize(
    ("role", "wanted"),
    [
        ("roles/editor", [ASKED[0], ASKED[2]]),
        ("roles/viewer", [ASKED[2]]),
        ("roles/aiplatform.user", [ASKED[0], ASKED[2]]),
        ("roles/storage.objectViewer", [ASKED[1], ASKED[2]]),
        ("roles/unheard.of", []),
    ],
)
def test_the_account_has_what_its_roles_hold(
    http: httpx.Client, token: str, project: str, role: str, wanted: list[str]
) -> None:
    """After the policy is replaced, the answer names the role's permissions and no other."""
    policy = {"bindings": [{"role": role, "members": [ACCOUNT]}]}
    http.post(f"/v1/projects/{project}:setIamPolicy", json={"policy": policy})

    assert granted(http, token, project) == wanted


def test_a_stale_etag_is_refused(projects: ProjectsClient, project: str) -> None:
    """Of two who read the same policy, the second to write it has to read it again."""
    from google.api_core.exceptions import Conflict

    name = f"projects/{project}"
    read = projects.get_iam_policy(resource=name)
    read.bindings.add(role="roles/viewer", members=["user:ann@example.com"])

    written = projects.set_iam_policy(request={"resource": name, "policy": read})

    assert written.etag != read.etag and len(written.bindings) == 2
    with pytest.raises(Conflict):
        projects.set_iam_policy(request={"resource": name, "policy": read})


@pytest.mark.parametrize(
    ("verb", "body"),
    [
        ("setIamPolicy", {}),
        ("setIamPolicy", {"policy": {"bindings": [{"role": "viewer", "members": []}]}}),
        ("setIamPolicy", {"policy": {"bindings": [{"role": "roles/viewer", "members": ["ann"]}]}}),
        ("testIamPermissions", {"permissions": ["aiplatform.*"]}),
        ("testIamPermissions", {"permissions": ["foo.bar"]}),
        ("testIamPermissions", {"permission": ["aiplatform.datasets.get"]}),
    ],
)
def test_what_google_refuses_is_refused(
    http: httpx.Client, project: str, verb: str, body: Any
) -> None:
    """No policy, no role's form, no member's form, a pattern for a permission, another field."""
    assert http.post(f"/v3/projects/{project}:{verb}", json=body).status_code == 400


def test_a_bucket_grants_by_its_own_policy_and_its_project_s(
    http: httpx.Client, token: str, project: str
) -> None:
    """Without a role in the project, the account has what the bucket's policy gives it."""
    bucket = f"bucket-{uuid4().hex[:8]}"
    http.post(f"/storage/v1/b?project={project}", json={"name": bucket})
    http.post(f"/v1/projects/{project}:setIamPolicy", json={"policy": {"bindings": []}})
    asked = {"permissions": ["storage.objects.get", "storage.objects.create"]}

    def mine() -> list[str]:
        path, headers = f"/storage/v1/b/{bucket}/iam", {"authorization": f"Bearer {token}"}
        answer = http.get(f"{path}/testPermissions", params=asked, headers=headers)
        return list(answer.json().get("permissions", []))

    before = mine()
    binding = {"role": "roles/storage.objectCreator", "members": [ACCOUNT]}
    http.put(f"/storage/v1/b/{bucket}/iam", json={"bindings": [binding]})

    assert (before, mine()) == ([], ["storage.objects.create"])
