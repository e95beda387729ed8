"""Signatures that others make in an account's name: the IAM API's, and those of HMAC keys."""

from __future__ import annotations

import hmac
import json
from base64 import b64decode, b64encode
from datetime import UTC, datetime
from hashlib import sha256
from typing import TYPE_CHECKING
from uuid import uuid4
from xml.etree.ElementTree import fromstring

import httpx
import pytest
from google.auth.credentials import Signing
from google.cloud.storage import Bucket, Client
from google.cloud.storage._signing import generate_signed_url_v2, generate_signed_url_v4
from google.oauth2.service_account import Credentials

from tests.local_cloud import LocalCloud

if TYPE_CHECKING:
    from collections.abc import Callable

EMAIL = "local@local-project.iam.gserviceaccount.com"
SHORT, LONG = "%Y%m%d", "%Y%m%dT%H%M%SZ"


class Remote(Signing):
    """Credentials whose signatures the IAM Credentials API makes."""

    def __init__(self, http: httpx.Client) -> None:
        self._http = http

    signer_email = EMAIL
    signer = None

    def sign_bytes(self, message: bytes) -> bytes:
        """The API's signature."""
        path = f"/v1/projects/-/serviceAccounts/{EMAIL}:signBlob"
        answer = self._http.post(path, json={"payload": b64encode(message).decode()})
        return b64decode(answer.json()["signedBlob"])


@pytest.mark.parametrize("version", [2, 4])
def test_urls_signed_by_the_iam_api(
    http: httpx.Client, bucket: Bucket, server: LocalCloud, version: int
) -> None:
    """A key that only the server has signs URLs in the account's name."""
    bucket.blob("x").upload_from_string("signed afar")
    path = f"/{bucket.name}/x"

    if version == 2:
        end = int(datetime.now(UTC).timestamp()) + 60
        url = generate_signed_url_v2(Remote(http), path, end, api_access_endpoint=server.url)
    else:
        url = generate_signed_url_v4(Remote(http), path, 60, api_access_endpoint=server.url)

    assert httpx.get(url).text == "signed afar"
    assert httpx.delete(url).status_code == 403


@pytest.fixture
def ask(http: httpx.Client, client: Client) -> Callable[..., httpx.Response]:
    """A request signed by a new HMAC key in its Authorization header, as S3's clients do."""
    key, secret = client.create_hmac_key(EMAIL, project_id="local-project")

    def signed(
        method: str, path: str, data: bytes = b"", kind: str = "aws", **more: str
    ) -> httpx.Response:
        word, prefix, last = {
            "aws": ("AWS4", "x-amz-", "us-east-1/s3/aws4_request"),
            "goog": ("GOOG4", "x-goog-", "auto/storage/goog4_request"),
        }[kind]
        now = datetime.now(UTC)
        scope = f"{now.strftime(SHORT)}/{last}"
        headers = {
            "host": http.base_url.netloc.decode(),
            f"{prefix}content-sha256": sha256(data).hexdigest(),
            f"{prefix}date": now.strftime(LONG),
        } | {name.replace("_", "-"): value for name, value in more.items()}
        names = ";".join(sorted(headers))
        lines = "".join(f"{name}:{headers[name]}\n" for name in sorted(headers))
        digest = headers[f"{prefix}content-sha256"]
        canonical = f"{method}\n{path}\n\n{lines}\n{names}\n{digest}"
        text = f"{word}-HMAC-SHA256\n{now.strftime(LONG)}\n{scope}\n"
        text += sha256(canonical.encode()).hexdigest()
        derived = (word + secret).encode()
        for part in scope.split("/"):
            derived = hmac.digest(derived, part.encode(), "sha256")
        mark = hmac.digest(derived, text.encode(), "sha256").hex()
        said = f"Credential={key.access_id}/{scope},SignedHeaders={names},Signature={mark}"
        headers["authorization"] = f"{word}-HMAC-SHA256 {said}"
        return http.request(method, path, content=data, headers=headers)

    return signed


@pytest.mark.parametrize("kind", ["aws", "goog"])
def test_hmac_keys_sign_requests(
    bucket: Bucket, ask: Callable[..., httpx.Response], kind: str
) -> None:
    """PUT and GET of S3's form and of Google's; Amazon's headers are read as Google's."""
    prefix = {"aws": "x_amz_", "goog": "x_goog_"}[kind]

    put = ask("PUT", f"/{bucket.name}/x", b"data", kind, **{f"{prefix}meta_colour": "red"})

    assert put.status_code == 200
    assert ask("GET", f"/{bucket.name}/x", kind=kind).content == b"data"
    blob = bucket.get_blob("x")
    assert blob is not None
    assert blob.metadata == {"colour": "red"}


def test_hmac_keys_that_are_switched_off(
    http: httpx.Client, client: Client, bucket: Bucket, ask: Callable[..., httpx.Response]
) -> None:
    """An inactive key opens nothing; a body that is not the signed one is not stored."""
    wrong = ask("PUT", f"/{bucket.name}/x", b"data", x_amz_content_sha256=sha256(b"").hexdigest())
    assert fromstring(wrong.text).findtext("Code") == "BadDigest"
    assert bucket.get_blob("x") is None
    for key in client.list_hmac_keys(project_id="local-project"):
        key.state = "INACTIVE"
        key.update()

    refused = ask("GET", f"/{bucket.name}")

    assert refused.status_code == 403
    assert fromstring(refused.text).findtext("Code") == "InvalidAccessKeyId"
    assert http.get(f"/{bucket.name}").status_code == 200


def test_a_signature_has_the_rights_of_its_account(
    http: httpx.Client, bucket: Bucket, server: LocalCloud
) -> None:
    """A URL of an account without rights is 403 and names the permission; a grant makes it hold."""
    bucket.blob("x").upload_from_string("x")
    accounts = "/v1/projects/test-project/serviceAccounts"
    made = http.post(accounts, json={"accountId": f"signer-{uuid4().hex[:8]}"}).json()
    key = http.post(f"/v1/{made['name']}/keys", json={}).json()
    info = json.loads(b64decode(key["privateKeyData"]))
    account = Credentials.from_service_account_info(info)  # type: ignore[no-untyped-call]
    url = generate_signed_url_v4(account, f"/{bucket.name}/x", 60, api_access_endpoint=server.url)

    refused = httpx.get(url)
    policy = bucket.get_iam_policy(requested_policy_version=3)
    member = f"serviceAccount:{made['email']}"
    policy.bindings.append({"role": "roles/storage.objectViewer", "members": {member}})
    bucket.set_iam_policy(policy)

    tree = fromstring(refused.text)
    assert (refused.status_code, tree.findtext("Code")) == (403, "AccessDenied")
    details = tree.findtext("Details") or ""
    assert details.startswith(f"{made['email']} does not have storage.objects.get access")
    assert httpx.get(url).text == "x"
    http.delete(f"/v1/{key['name']}")
    assert httpx.get(url).status_code == 403
