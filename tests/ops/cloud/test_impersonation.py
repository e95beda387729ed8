"""Acting as a service account: its rights are what counts, and a refusal says what to grant."""

from dataclasses import replace
from pathlib import Path
from typing import Any

import httpx
import pytest
from google.api_core.exceptions import Forbidden
from google.auth.exceptions import RefreshError
from google.auth.transport.requests import Request

from ops import settings
from ops.cloud import impersonation, projects, storage
from ops.cloud.session import Session, connect
from ops.errors import Code, OpsError
from ops.settings import Settings
from tests.local_cloud import LocalCloud

PROJECT = "local-project"
ROLE = "roles/storage.bucketViewer"


def account(cloud: LocalCloud, name: str) -> str:
    """The address of a new account without any right."""
    path = f"{cloud.url}/v1/projects/{PROJECT}/serviceAccounts"
    made = httpx.post(path, json={"accountId": name}).raise_for_status()
    return str(made.json()["email"])


def bucket(session: Session, email: str) -> None:
    """The stack's bucket, which the account may look at."""
    made = storage.ensure_bucket(session)
    binding = {"role": ROLE, "members": [f"serviceAccount:{email}"]}
    path = f"{session.base_url}/storage/v1/b/{made.name}/iam"
    httpx.put(path, json={"version": 3, "bindings": [binding]}).raise_for_status()


def acting(known: Settings, email: str) -> Session:
    """A session of the account."""
    return connect(named(known, email), {})


def named(known: Settings, email: str, by: str = "OPS_IMPERSONATE") -> Settings:
    """The settings with an account to act as."""
    return replace(known, impersonate=email, sources={"impersonate": by})


def test_calls_are_the_account_s_and_so_are_its_rights(
    cloud: LocalCloud, session: Session, cloud_settings: Settings
) -> None:
    """What it was granted works, whatever the caller may; the rest is refused by name."""
    email = account(cloud, "runner")
    bucket(session, email)

    runner = acting(cloud_settings, email)

    assert runner.member == f"serviceAccount:{email}"
    assert runner.capabilities.checks_rights and not session.capabilities.checks_rights
    assert storage.get_bucket(runner, cloud_settings.bucket) is not None
    with pytest.raises(Forbidden, match=r"resourcemanager\.projects\.get"):
        projects.get(runner, PROJECT)
    answer = runner.call(
        runner.wire().send, "GET", f"/storage/v1/b/{cloud_settings.bucket}/o", b"", {}
    )
    assert answer.status == 403 and b"storage.objects.list" in answer.data


def test_nothing_of_it_is_asked_of_google(
    cloud: LocalCloud, cloud_settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Tokens, and where the account may be used from, are the local cloud's to say."""
    monkeypatch.setenv("HTTPS_PROXY", "http://127.0.0.1:1")
    runner = acting(cloud_settings, account(cloud, "runner"))
    credentials: Any = runner._credentials

    asked = credentials._build_regional_access_boundary_lookup_url()
    bounds = credentials._lookup_regional_access_boundary(Request())

    assert asked.startswith(f"{cloud.url}/v1/projects/-/serviceAccounts/runner@")
    assert bounds == {"locations": [], "encodedLocations": "0x0"}


def test_terraform_is_the_account_too(cloud: LocalCloud, cloud_settings: Settings) -> None:
    """On local by its token, with which nothing else can be done than it may do."""
    runner = acting(cloud_settings, account(cloud, "runner"))

    found = runner.terraform_environment(environ={})

    headers = {"authorization": f"Bearer {found['GOOGLE_OAUTH_ACCESS_TOKEN']}"}
    answer = httpx.get(f"{cloud.url}/v1/projects/{PROJECT}", headers=headers)
    assert "GOOGLE_IMPERSONATE_SERVICE_ACCOUNT" not in found
    assert answer.status_code == 403


def test_an_account_that_is_not_there(cloud_settings: Settings) -> None:
    """Said before anything is asked in its name."""
    email = f"nobody@{PROJECT}.iam.gserviceaccount.com"

    with pytest.raises(OpsError) as refused:
        acting(cloud_settings, email)

    assert refused.value.code is Code.NOT_FOUND
    assert refused.value.message == (
        f"There is no service account {email}, which OPS_IMPERSONATE says to act as."
    )
    assert refused.value.hint == "Type: unset OPS_IMPERSONATE && ops bootstrap"
    with pytest.raises(OpsError) as refused:
        connect(named(cloud_settings, email, "ops.toml"), {})
    assert refused.value.hint == "Take impersonate out of ops.toml, then type: ops bootstrap"


def test_an_account_that_is_disabled(cloud_settings: Settings, cloud: LocalCloud) -> None:
    """The command that enables it again."""
    email = account(cloud, "runner")
    httpx.post(f"{cloud.url}/v1/projects/-/serviceAccounts/{email}:disable").raise_for_status()

    with pytest.raises(OpsError) as refused:
        acting(cloud_settings, email)

    assert (refused.value.code, refused.value.hint) == (
        Code.DENIED,
        f"Type: gcloud iam service-accounts enable {email} --project {PROJECT}",
    )


def signed_in(cloud: LocalCloud, email: str) -> Any:
    """Credentials of an account with a right to nothing, by which another is to be acted as."""
    from google.oauth2.credentials import Credentials

    path = f"{cloud.url}/v1/projects/-/serviceAccounts/{email}:generateAccessToken"
    body = {"scope": ["https://www.googleapis.com/auth/cloud-platform"]}
    return Credentials(httpx.post(path, json=body).json()["accessToken"])  # type: ignore[no-untyped-call]


def test_who_may_not_act_as_the_account_is_told_the_role(
    cloud: LocalCloud, cloud_settings: Settings
) -> None:
    """By the grant to type; with it, the same call succeeds."""
    email, other = account(cloud, "runner"), account(cloud, "another")
    source, wanted = signed_in(cloud, other), named(cloud_settings, email)

    with pytest.raises(OpsError) as refused:
        impersonation.credentials(source, wanted, cloud.url)
    binding = {"role": impersonation.ROLE, "members": [f"serviceAccount:{other}"]}
    path = f"{cloud.url}/v1/projects/-/serviceAccounts/{email}:setIamPolicy"
    httpx.post(path, json={"policy": {"bindings": [binding]}}).raise_for_status()
    made = impersonation.credentials(source, wanted, cloud.url)

    assert refused.value.code is Code.DENIED
    assert refused.value.message == (
        f"You may not act as {email} (or there is no such account). "
        "Missing: iam.serviceAccounts.getAccessToken."
    )
    assert refused.value.hint.startswith(
        f"Type: gcloud iam service-accounts add-iam-policy-binding {email} --member="
    )
    assert refused.value.hint.endswith(" --role=roles/iam.serviceAccountTokenCreator")
    assert made.valid and made.service_account_email == email


DISABLED = """{"error": {"code": 403, "status": "PERMISSION_DENIED",
  "message": "IAM Service Account Credentials API has not been used in project 1 before",
  "details": [{"@type": "type.googleapis.com/google.rpc.ErrorInfo", "reason": "SERVICE_DISABLED",
    "metadata": {"service": "iamcredentials.googleapis.com"}}]}}"""


@pytest.mark.parametrize(
    ("arguments", "code", "hint"),
    [
        (
            ("Unable to acquire impersonated credentials", DISABLED),
            Code.NOT_PREPARED,
            "Type: gcloud services enable iamcredentials.googleapis.com --project my-project",
        ),
        (
            ("invalid_grant: Token has been expired or revoked.", {"error": "invalid_grant"}),
            Code.UNAUTHENTICATED,
            "Type: gcloud auth application-default login",
        ),
    ],
    ids=["the API is off", "the caller's own sign-in has run out"],
)
def test_another_reason_has_its_own_words(
    arguments: tuple[Any, ...],
    code: Code,
    hint: str,
    monkeypatch: pytest.MonkeyPatch,
    tmp_path: Path,
) -> None:
    """What Google says of the API, or of the one who asks."""
    monkeypatch.delenv("GOOGLE_APPLICATION_CREDENTIALS", raising=False)
    error = RefreshError(*arguments)  # type: ignore[no-untyped-call]

    asked = settings.read({"target": "gcp", "project": "my-project"}, {}, tmp_path)

    found = impersonation.explain(error, named(asked, "a@b.iam.gserviceaccount.com"), "user:you")

    assert (found.code, found.hint) == (code, hint)
