"""Pages of other origins: let in by a signature, told by the bucket's rules what they may read."""

from __future__ import annotations

from uuid import uuid4

import httpx
import pytest
from google.cloud.storage import Bucket, Client
from google.oauth2.service_account import Credentials

from tests.local_cloud import LocalCloud

PAGE, STRANGER = "http://page.example", "http://other.example"
RULE = {
    "origin": [PAGE], "method": ["GET", "PUT"], "responseHeader": ["content-type", "etag"],
    "maxAgeSeconds": 60,
}  # fmt: skip


@pytest.fixture
def shared(client: Client) -> Bucket:
    """A bucket with RULE and an object `x`."""
    bucket = client.bucket(f"cors-{uuid4().hex[:12]}")
    bucket.cors = [RULE]
    bucket.create()
    bucket.blob("x").upload_from_string("x")
    return bucket


def asked(origin: str, method: str) -> dict[str, str]:
    """The headers of a preflight."""
    return {"origin": origin, "access-control-request-method": method}


def test_preflight(http: httpx.Client, shared: Bucket) -> None:
    """What a rule allows is told; a stranger, another method and no bucket are told nothing."""
    path = f"/{shared.name}/x"

    answer = http.options(path, headers=asked(PAGE, "PUT"))

    assert answer.status_code == 200
    assert answer.headers["access-control-allow-origin"] == PAGE
    assert answer.headers["access-control-allow-methods"] == "GET,PUT"
    assert answer.headers["access-control-allow-headers"] == "content-type,etag"
    assert answer.headers["access-control-max-age"] == "60"
    for origin, method, where in (
        (STRANGER, "PUT", path), (PAGE, "DELETE", path), (PAGE, "PUT", "/no-bucket-here/x"),
    ):  # fmt: skip
        refused = http.options(where, headers=asked(origin, method))
        assert "access-control-allow-origin" not in refused.headers


def test_answers(http: httpx.Client, shared: Bucket, server: LocalCloud) -> None:
    """A signed answer may be read by the page of the rule alone; an unsigned one is refused."""
    account = Credentials.from_service_account_file(  # type: ignore[no-untyped-call]
        server.data / "service-account.json"
    )
    url = shared.blob("x").generate_signed_url(
        60, credentials=account, version="v4", api_access_endpoint=server.url
    )

    mine, strange = (httpx.get(url, headers={"origin": origin}) for origin in (PAGE, STRANGER))
    unsigned = http.get(f"/{shared.name}/x", headers={"origin": PAGE})

    assert (mine.text, mine.headers["access-control-allow-origin"]) == ("x", PAGE)
    assert mine.headers["access-control-expose-headers"] == "content-type,etag"
    assert "access-control-allow-origin" not in strange.headers
    assert unsigned.status_code == 403
