"""Service accounts of a test's own, that sign in with real key files."""

from __future__ import annotations

import json
from base64 import b64decode
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from uuid import uuid4

import google.oauth2.service_account
import httpx
import pytest
from google.auth.transport.requests import Request as HttpRequest
from starlette.routing import Route

from emulator.accounts import account
from emulator.app import api_routes
from emulator.cloud import Cloud
from emulator.retry_tests import RetryTests
from emulator.tokens import Tokens
from tests.local_cloud import LocalCloud

# Google ships this module without types.
service_account: Any = google.oauth2.service_account
SCOPES = ["https://www.googleapis.com/auth/cloud-platform"]


@dataclass(frozen=True)
class Signed:
    """A service account that has signed in: its address, its key file, and HTTP in its name."""

    email: str
    key_file: Path
    http: httpx.Client

    @property
    def member(self) -> str:
        """The account as policies name it."""
        return f"serviceAccount:{self.email}"


@dataclass(frozen=True)
class Owned:
    """A project of a test's own, asked by its owner."""

    project: str
    http: httpx.Client

    def account(self, name: str = "") -> str:
        """The address of a new account."""
        account_id = f"{name or 'account'}-{uuid4().hex[:6]}"
        path = f"/v1/projects/{self.project}/serviceAccounts"
        made = self.http.post(path, json={"accountId": account_id})
        assert made.status_code == 200, made.text
        return str(made.json()["email"])

    def grant(self, *bindings: dict[str, Any]) -> None:
        """The project's policy has these bindings and no other."""
        policy = {"version": 3, "bindings": list(bindings)}
        path = f"/v1/projects/{self.project}:setIamPolicy"
        answer = self.http.post(path, json={"policy": policy})
        assert answer.status_code == 200, answer.text

    def bucket(self, *bindings: dict[str, Any]) -> str:
        """A new bucket that grants this and no more."""
        name = f"bucket-{uuid4().hex[:10]}"
        uniform = {"uniformBucketLevelAccess": {"enabled": True}}
        body = {"name": name, "iamConfiguration": uniform, "location": "US-CENTRAL1"}
        made = self.http.post("/storage/v1/b", params={"project": self.project}, json=body)
        assert made.status_code == 200, made.text
        policy = {"version": 3, "bindings": list(bindings)}
        self.http.put(f"/storage/v1/b/{name}/iam", json=policy).raise_for_status()
        return name

    def put(self, bucket: str, name: str, data: bytes = b"x") -> None:
        """An object of that name."""
        path = f"/upload/storage/v1/b/{bucket}/o"
        params = {"uploadType": "media", "name": name}
        self.http.post(path, params=params, content=data).raise_for_status()


@pytest.fixture
def owned(http: httpx.Client) -> Owned:
    """A project that no other test uses."""
    return Owned(f"iam-{uuid4().hex[:8]}", http)


@pytest.fixture
def sign_in(server: LocalCloud, tmp_path: Path) -> Callable[[str], Signed]:
    """Signs an account of the session's server in, with a new key file and Google's library."""

    def signed(email: str) -> Signed:
        path = f"/v1/projects/-/serviceAccounts/{email}/keys"
        made = httpx.post(server.url + path, json={}).json()
        key_file = tmp_path / f"{email}.json"
        key_file.write_bytes(b64decode(made["privateKeyData"]))
        credentials = service_account.Credentials.from_service_account_file(key_file, scopes=SCOPES)
        credentials.refresh(HttpRequest())
        assert json.loads(key_file.read_text())["client_email"] == email
        headers = {"authorization": f"Bearer {credentials.token}"}
        return Signed(
            email, key_file, httpx.Client(base_url=server.url, headers=headers, timeout=30)
        )

    return signed


@pytest.fixture
def app_routes(local: Cloud) -> list[Route]:
    """Every route of the server that is not Cloud Storage's."""
    own = account(local.settings)
    tokens = Tokens(own, local.clock, local.settings.base_url)
    return [one for one in api_routes(local, tokens, RetryTests()) if isinstance(one, Route)]
