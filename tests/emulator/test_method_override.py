"""`X-HTTP-Method-Override` on POST, as Google's Java libraries send it."""

from __future__ import annotations

import pytest
from starlette.testclient import TestClient

PLACE = "/v1/projects/p-1/locations/us-central1"


def as_(method: str) -> dict[str, str]:
    """The header."""
    return {"x-http-method-override": method}


@pytest.fixture
def bucket(local_http: TestClient) -> str:
    """The path of a new bucket that holds `x`."""
    local_http.post("/storage/v1/b?project=p-1", json={"name": "over"}).raise_for_status()
    path = "/upload/storage/v1/b/over/o?uploadType=media&name=x"
    local_http.post(path, content=b"x").raise_for_status()
    return "/storage/v1/b/over"


def test_storage_is_patched_and_deleted_by_post(local_http: TestClient, bucket: str) -> None:
    """The method of the header counts, in any case; that of a PUT stays."""
    body = {"metadata": {"a": "1"}}
    patched = local_http.post(f"{bucket}/o/x", json=body, headers=as_("patch"))
    put = local_http.put(f"{bucket}/o/x", json=body, headers=as_("DELETE"))
    deleted = local_http.post(f"{bucket}/o/x", headers=as_("DELETE"))

    assert patched.json()["metadata"] == {"a": "1"}
    assert (put.status_code, deleted.status_code) == (200, 204)


def test_vertex_is_patched_by_post(local_http: TestClient) -> None:
    """As gax sends it, for want of a PATCH in Java's transport."""
    made = local_http.post(f"{PLACE}/endpoints", json={"displayName": "one"}).json()
    name = made["response"]["name"]

    answer = local_http.post(
        f"/v1/{name}?updateMask=displayName", json={"displayName": "two"}, headers=as_("PATCH")
    )

    assert (answer.status_code, answer.json().get("displayName")) == (200, "two")


def test_a_query_too_long_for_an_address_is_the_body(local_http: TestClient, bucket: str) -> None:
    """A GET as a POST: its query comes as a form, and counts with that of the address."""
    asked = {"prefix": "x", "fields": "items(name)"}

    answer = local_http.post(f"{bucket}/o?maxResults=5", data=asked, headers=as_("GET"))

    assert answer.json() == {"items": [{"name": "x"}]}


def test_what_it_is_not_for(local_http: TestClient, bucket: str) -> None:
    """A method that nobody has is 400; the XML API has no such header, and leaves it out."""
    odd = local_http.post(f"{bucket}/o/x", headers=as_("TRACE"))
    xml = local_http.post("/over/x", headers=as_("DELETE"))

    assert (odd.status_code, odd.json()["error"]["status"]) == (400, "INVALID_ARGUMENT")
    assert xml.status_code == 405
    assert local_http.get(f"{bucket}/o/x").status_code == 200


def test_a_part_of_a_batch_has_it_too(local_http: TestClient, bucket: str) -> None:
    """A POST in a batch is what its own header says."""
    part = f"POST {bucket}/o/x HTTP/1.1\r\nX-HTTP-Method-Override: DELETE\r\n\r\n"
    body = f"--z\r\ncontent-type: application/http\r\n\r\n{part}\r\n--z--".encode()
    typed = {"content-type": "multipart/mixed; boundary=z"}

    answer = local_http.post("/batch/storage/v1", headers=typed, content=body)

    assert "HTTP/1.1 204" in answer.text
    assert local_http.get(f"{bucket}/o/x").status_code == 404


def test_other_sites_are_not_let_in_by_it(local_http: TestClient, bucket: str) -> None:
    """A POST that calls itself a GET is no link that somebody follows."""
    navigating = {
        "sec-fetch-site": "cross-site", "sec-fetch-mode": "navigate", "sec-fetch-dest": "document",
    }  # fmt: skip

    assert local_http.post(bucket, headers=as_("GET") | navigating).status_code == 403
