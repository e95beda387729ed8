"""Deleted buckets: found and restored until they expire, on the stepped clock."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import httpx

from emulator.clock import SteppedClock

if TYPE_CHECKING:
    from starlette.testclient import TestClient

PROJECT = "test-project"
DAY_SECONDS = 86_400


def made(http: TestClient, name: str = "bucket-one", **fields: Any) -> dict[str, Any]:
    """A new bucket's JSON."""
    answer = http.post(f"/storage/v1/b?project={PROJECT}", json={"name": name, **fields})
    assert answer.status_code == 200, answer.text
    body: dict[str, Any] = answer.json()
    return body


def deleted(http: TestClient, **fields: Any) -> str:
    """The query of a bucket that was made and deleted."""
    bucket = made(http, **fields)
    assert http.delete(f"/storage/v1/b/{bucket['name']}").status_code == 204
    return f"/storage/v1/b/{bucket['name']}?softDeleted=true&generation={bucket['generation']}"


def restored(http: TestClient, query: str) -> httpx.Response:
    """The answer to restoring what `deleted` gave."""
    answer: httpx.Response = http.post(query.replace("?softDeleted=true&", "/restore?"))
    return answer


def test_a_deleted_bucket_is_found_and_restored(local_http: TestClient) -> None:
    """It is 404 by its name, told by its generation with its times, and the same when restored."""
    query = deleted(local_http, labels={"a": "b"})
    path = query.partition("?")[0]

    soft = local_http.get(query).json()
    assert local_http.get(path).status_code == 404
    assert soft["softDeleteTime"] < soft["hardDeleteTime"]
    back = restored(local_http, query).json()
    assert (back["generation"], back["labels"]) == (soft["generation"], {"a": "b"})
    assert "softDeleteTime" not in back
    assert local_http.get(path).status_code == 200
    assert local_http.get(query).status_code == 404


def test_softly_deleted_buckets_are_listed(local_http: TestClient) -> None:
    """They are in a list of their own, each generation of a name, in pages."""
    for _ in range(3):
        deleted(local_http)
    listing = f"/storage/v1/b?project={PROJECT}&softDeleted=true&maxResults=2"

    first = local_http.get(listing).json()
    second = local_http.get(f"{listing}&pageToken={first['nextPageToken']}").json()

    generations = [one["generation"] for one in [*first["items"], *second["items"]]]
    assert generations == sorted(generations) and len(set(generations)) == 3
    assert "items" not in local_http.get(f"/storage/v1/b?project={PROJECT}").json()


def test_a_restore_that_cannot_be(local_http: TestClient) -> None:
    """Without a generation 400, of one that never was 404, with the name taken again 409."""
    query = deleted(local_http)
    path = query.partition("?")[0]

    assert local_http.post(f"{path}/restore").status_code == 400
    assert local_http.get(f"{path}?softDeleted=true").status_code == 400
    assert local_http.post(f"{path}/restore?generation=1").status_code == 404
    made(local_http)
    assert restored(local_http, query).status_code == 409


def test_what_expired_is_gone(local_http: TestClient, clock: SteppedClock) -> None:
    """After the time of its policy a bucket cannot be found, listed or restored."""
    query = deleted(local_http)
    clock.advance(7 * DAY_SECONDS)

    assert local_http.get(query).status_code == 404
    assert restored(local_http, query).status_code == 404
    listed = local_http.get(f"/storage/v1/b?project={PROJECT}&softDeleted=true").json()
    assert "items" not in listed


def test_without_a_policy_nothing_is_kept(local_http: TestClient) -> None:
    """A bucket whose soft deletion is off is gone at once."""
    query = deleted(local_http, softDeletePolicy={"retentionDurationSeconds": "0"})

    assert local_http.get(query).status_code == 404


def test_a_restored_bucket_has_its_deleted_objects(local_http: TestClient) -> None:
    """Softly deleted objects wait in their bucket; one of the same name made since has none."""
    bucket = made(local_http)
    path = f"/storage/v1/b/{bucket['name']}"
    upload = f"/upload{path}/o?uploadType=media&name=o"
    generation = local_http.post(upload, content=b"x").json()["generation"]
    local_http.delete(f"{path}/o/o")
    local_http.delete(path)
    made(local_http)
    assert "items" not in local_http.get(f"{path}/o?softDeleted=true").json()
    local_http.delete(path)

    local_http.post(f"{path}/restore?generation={bucket['generation']}")

    (found,) = local_http.get(f"{path}/o?softDeleted=true").json()["items"]
    assert found["generation"] == generation


def test_noncurrent_objects_keep_a_bucket(local_http: TestClient) -> None:
    """A bucket with noncurrent objects is not empty."""
    path = f"/storage/v1/b/{made(local_http, versioning={'enabled': True})['name']}"
    upload = f"/upload{path}/o?uploadType=media&name=o"
    generation = local_http.post(upload, content=b"x").json()["generation"]
    local_http.delete(f"{path}/o/o")

    assert local_http.delete(path).status_code == 409
    local_http.delete(f"{path}/o/o?generation={generation}")
    assert local_http.delete(path).status_code == 204
