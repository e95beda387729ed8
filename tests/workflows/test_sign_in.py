"""What `google-github-actions/auth` leaves for the steps after it is what `ops` signs in with.

The file is as its version 3.0.0 writes it (src/client/workload_identity_federation.ts). The token
services of GitHub and Google are one HTTP server here, Google's behind a proxy that has its names:
no local cloud exchanges GitHub's tokens.
"""

import json
import os
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest
from google.auth.transport.requests import Request

from ops import settings
from ops.cloud import sign_in
from tests.google_proxy import google_proxy

PROJECT = "photos-by-hand"
RUNNER = f"default-runner@{PROJECT}.iam.gserviceaccount.com"
PROVIDER = "projects/12/locations/global/workloadIdentityPools/default-github/providers/github"
IMPERSONATION = f"/v1/projects/-/serviceAccounts/{RUNNER}:generateAccessToken"
ANSWERS = {
    "/github": {"value": "a token of GitHub's"},
    "/v1/token": {
        "access_token": "a federated token",
        "issued_token_type": "urn:ietf:params:oauth:token-type:access_token",
        "token_type": "Bearer",
        "expires_in": 300,
    },
    IMPERSONATION: {"accessToken": "the runner's token", "expireTime": "2099-01-01T00:00:00Z"},
    "/v1/projects/12": {"projectId": PROJECT},
}
# Which service, and on whose authority.
Asked = tuple[str, str | None]


class Tokens(BaseHTTPRequestHandler):
    """The services that hand out tokens; each request goes on record with who asked."""

    asked: list[Asked]

    def answer(self) -> None:
        """The token of the service that the path names."""
        path = self.path.split("?")[0]
        self.rfile.read(int(self.headers.get("Content-Length") or 0))
        # Google's library asks for an account's bounds (allowedLocations) beside, when it likes.
        if path in ANSWERS:
            self.asked.append((path, self.headers.get("Authorization")))
        body = json.dumps(ANSWERS.get(path, {})).encode()
        self.send_response(200 if path in ANSWERS else 404)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, format: str, *args: object) -> None:
        """Say nothing."""

    do_GET = do_POST = answer  # noqa: N815


@pytest.fixture
def asked(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[list[Asked]]:
    """The requests that the token services got; the environment is that of a step after the action.

    The action exports GOOGLE_APPLICATION_CREDENTIALS.
    """
    found: list[Asked] = []
    server = ThreadingHTTPServer(("127.0.0.1", 0), type("Own", (Tokens,), {"asked": found}))
    threading.Thread(target=server.serve_forever, daemon=True).start()
    url = f"http://127.0.0.1:{server.server_address[1]}"
    path = tmp_path / "gha-creds-0123456789abcdef.json"
    path.write_text(json.dumps(credentials(url)))
    with google_proxy(url) as proxy:
        for name, value in {**proxy.variables("step", tmp_path), "NO_PROXY": "127.0.0.1"}.items():
            monkeypatch.setenv(name, value)
        monkeypatch.setenv("GOOGLE_APPLICATION_CREDENTIALS", str(path))
        yield found
    server.shutdown()
    server.server_close()


def credentials(github: str) -> dict[str, object]:
    """The file that the action writes for a provider and an account; `github` issues its tokens."""
    return {
        "type": "external_account",
        "audience": f"//iam.googleapis.com/{PROVIDER}",
        "subject_token_type": "urn:ietf:params:oauth:token-type:jwt",
        "token_url": "https://sts.googleapis.com/v1/token",
        "service_account_impersonation_url": f"https://iamcredentials.googleapis.com{IMPERSONATION}",
        "credential_source": {
            "url": f"{github}/github?audience=https%3A%2F%2Fiam.googleapis.com%2F{PROVIDER}",
            "headers": {"Authorization": "Bearer the run's own"},
            "format": {"type": "json", "subject_token_field_name": "value"},
        },
    }


def test_a_workflow_acts_as_the_runner(asked: list[Asked], tmp_path: Path) -> None:
    """GitHub's token becomes the runner's, and messages name the runner as who is asking."""
    sign_in.check(os.environ)
    found = sign_in.google(settings.read({"target": "gcp", "project": PROJECT}, {}, tmp_path))
    del asked[:]
    found.refresh(Request())

    assert found.token == "the runner's token"
    assert sign_in.member(found) == f"serviceAccount:{RUNNER}"
    assert asked == [
        ("/github", "Bearer the run's own"),
        ("/v1/token", None),
        (IMPERSONATION, "Bearer a federated token"),
    ]
