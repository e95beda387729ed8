"""What everybody may read is read without credentials, also where the server asks for some."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from starlette.testclient import TestClient

from emulator.accounts import Account, kept_account, key_file
from emulator.app import build_app, close_cloud, open_cloud
from emulator.clock import SteppedClock
from emulator.cloud import ServerSettings
from emulator.tokens import Tokens

GET, LIST = "storage.objects.get", "storage.objects.list"
DENIED = (
    "Anonymous caller does not have {permission} access to the Google Cloud Storage {noun}. "
    "Permission '{permission}' denied on resource (or it may not exist)."
)
PUBLIC = {"bindings": [{"role": "roles/storage.objectViewer", "members": ["allUsers"]}]}
KNOWN = {"bindings": [{"role": "roles/storage.objectViewer", "members": ["allAuthenticatedUsers"]}]}


@pytest.fixture(scope="module")
def strict(tmp_path_factory: pytest.TempPathFactory) -> Iterator[TestClient]:
    """A server that asks for a token, with the buckets `public`, `known`, `private`, `by-acl`."""
    settings = ServerSettings(
        tmp_path_factory.mktemp("strict"), port=8787, memory=True, require_auth=True
    )
    cloud = open_cloud(settings, SteppedClock())
    with TestClient(build_app(cloud), base_url=settings.base_url) as client:
        own = kept_account(key_file(settings).parent)
        assert isinstance(own, Account)
        token = Tokens(own, cloud.clock, settings.base_url).issue(own.email)
        signed = {"authorization": f"Bearer {token}"}
        for name, policy in (("public", PUBLIC), ("known", KNOWN), ("private", None)):
            _bucket(client, signed, f"{name}-bucket", policy)
        _bucket(client, signed, "by-acl", None, uniform=False)
        acl = {"entity": "allUsers", "role": "READER"}
        client.post("/storage/v1/b/by-acl/o/x/acl", json=acl, headers=signed).raise_for_status()
        yield client
    close_cloud(cloud)


def _bucket(
    client: TestClient, signed: dict[str, str], name: str, policy: object, uniform: bool = True
) -> None:
    body = {
        "name": name, "iamConfiguration": {"uniformBucketLevelAccess": {"enabled": uniform}},
    }  # fmt: skip
    client.post("/storage/v1/b?project=p-1", json=body, headers=signed).raise_for_status()
    path = f"/upload/storage/v1/b/{name}/o?uploadType=media&name=x"
    client.post(path, content=b"for all", headers=signed).raise_for_status()
    if policy:
        client.put(f"/storage/v1/b/{name}/iam", json=policy, headers=signed).raise_for_status()


@pytest.mark.parametrize("path", ["/{}/x", "/storage/v1/b/{}/o/x?alt=media"])
@pytest.mark.parametrize("bucket", ["public-bucket", "by-acl"])
def test_what_is_public_is_read(strict: TestClient, bucket: str, path: str) -> None:
    """By a policy or by a list, over either API."""
    answer = strict.get(path.format(bucket))

    assert (answer.status_code, answer.content) == (200, b"for all")


def test_what_else_a_public_bucket_shows(strict: TestClient) -> None:
    """Its list, and that an object is not there; not its policy, and nothing is written."""
    assert strict.get("/storage/v1/b/public-bucket/o").json()["items"][0]["name"] == "x"
    assert strict.get("/public-bucket/none").status_code == 404
    assert strict.get("/storage/v1/b/public-bucket/iam").status_code == 401
    assert strict.put("/public-bucket/x", content=b"y").status_code == 401
    assert strict.delete("/storage/v1/b/public-bucket/o/x").status_code == 401
    assert strict.get("/storage/v1/b?project=p-1").status_code == 401
    assert strict.get("/v1/projects/p-1/locations/us-central1/datasets").status_code == 401


@pytest.mark.parametrize("bucket", ["private-bucket", "known-bucket"])
def test_what_is_not_is_refused_in_google_s_words(strict: TestClient, bucket: str) -> None:
    """401 in JSON, 403 in XML; `allAuthenticatedUsers` are not everybody."""
    listed = strict.get(f"/storage/v1/b/{bucket}/o")
    read = strict.get(f"/{bucket}/x")

    message = DENIED.format(permission=LIST, noun="bucket")
    assert listed.status_code == 401
    assert listed.json()["error"]["errors"] == [{
        "message": message, "domain": "global", "reason": "required",
        "locationType": "header", "location": "Authorization",
    }]  # fmt: skip
    assert (read.status_code, read.headers["content-type"]) == (
        403,
        "application/xml; charset=UTF-8",
    )
    assert f"<Details>{DENIED.format(permission=GET, noun='object')}</Details>" in read.text


def test_bad_credentials_are_not_none(strict: TestClient) -> None:
    """Who shows some that do not hold is refused even what is public, in the form of the API."""
    for headers in ({"authorization": "Bearer x"}, {"x-emulator-fault": "503"}):
        answer = strict.get("/public-bucket/x", headers=headers)

        assert answer.status_code == 401
        assert "<Code>AuthenticationRequired</Code>" in answer.text
