"""Objects after their upload: names, changes, deletion, copies, batches."""

from __future__ import annotations

import httpx
import pytest
from google.api_core import exceptions
from google.cloud.storage import Bucket, Client

ODD_NAMES = [
    "with space",
    "hash#mark",
    "percent%2Fencoded",
    "question?mark&more=1",
    "日本/写真.jpg",
    "a/../b",
    "a//b/",
    "/leading",
    "tab\tinside",
    "quote\"'\\",
    "emoji 🎓",
    "x" * 1024,
    "+plus+",
    "new o/b/o",
]


@pytest.mark.parametrize("name", ODD_NAMES)
def test_odd_names(bucket: Bucket, name: str) -> None:
    """A name with any character Google allows can be put, listed, read, copied and deleted."""
    bucket.blob(name).upload_from_string(name.encode())

    assert [blob.name for blob in bucket.list_blobs(prefix=name)] == [name]
    assert bucket.blob(name).download_as_bytes() == name.encode()
    copied = bucket.copy_blob(bucket.blob(name), bucket, "copy of it")
    assert copied.download_as_bytes() == name.encode()
    bucket.blob(name).delete()
    assert bucket.get_blob(name) is None


def test_a_patch_merges_metadata(bucket: Bucket, http: httpx.Client) -> None:
    """A patch adds and, with null, removes single keys; metageneration grows, generation stays."""
    blob = bucket.blob("x")
    blob.metadata = {"keep": "1", "drop": "2"}
    blob.upload_from_string("x", content_type="text/plain")
    path = f"/storage/v1/b/{bucket.name}/o/x"
    before = http.get(path).json()

    patch = {"metadata": {"drop": None, "new": "3"}, "contentType": "text/html", "size": "99"}
    after = http.patch(path, json=patch).json()

    assert after["metadata"] == {"keep": "1", "new": "3"}
    assert after["contentType"] == "text/html"
    assert (after["metageneration"], after["generation"]) == ("2", before["generation"])
    assert after["size"] == "1"
    assert after["etag"] != before["etag"]
    assert "metadata" not in http.patch(path, json={"metadata": None}).json()


def test_an_update_replaces(bucket: Bucket) -> None:
    """PUT drops what it does not name, and leaves the bytes."""
    blob = bucket.blob("x")
    blob.metadata = {"a": "b"}
    blob.upload_from_string("bytes")
    blob.metadata = {"c": "d"}

    blob.update()

    found = bucket.get_blob("x")
    assert found is not None
    assert (found.metadata, found.metageneration) == ({"c": "d"}, 2)
    assert found.download_as_bytes() == b"bytes"


def test_deleting_what_is_not_there(bucket: Bucket) -> None:
    """A second delete is 404 and names the object."""
    bucket.blob("x").upload_from_string("x")
    bucket.blob("x").delete()

    with pytest.raises(exceptions.NotFound, match=f"No such object: {bucket.name}/x"):
        bucket.blob("x").delete()


def test_a_copy_has_its_own_life(bucket: Bucket) -> None:
    """Rewrite and copy keep bytes and type; deleting the source leaves the copy readable."""
    blob = bucket.blob("source")
    blob.metadata = {"a": "b"}
    blob.upload_from_string("bytes", content_type="text/csv")

    token, done, total = bucket.blob("rewritten").rewrite(blob)
    copied = bucket.copy_blob(blob, bucket, "copied")
    renamed = bucket.rename_blob(blob, "renamed")

    assert (token, done, total) == (None, 5, 5)
    assert bucket.get_blob("source") is None
    for name in ("rewritten", "copied", "renamed"):
        assert bucket.blob(name).download_as_bytes() == b"bytes"
    assert (copied.content_type, copied.metadata) == ("text/csv", {"a": "b"})
    assert renamed.generation != copied.generation


def test_copies_obey_conditions_on_both_ends(bucket: Bucket) -> None:
    """A copy onto something, or from another generation than asked for, is 412."""
    source, target = bucket.blob("source"), bucket.blob("target")
    source.upload_from_string("s")
    target.upload_from_string("t")

    with pytest.raises(exceptions.PreconditionFailed):
        bucket.copy_blob(source, bucket, "target", if_generation_match=0)
    with pytest.raises(exceptions.PreconditionFailed):
        bucket.copy_blob(source, bucket, "new", if_source_generation_match=1)


def test_compose(bucket: Bucket) -> None:
    """Sources one behind the other, in the order given; the target can be one of them."""
    for name in ("a", "b"):
        bucket.blob(name).upload_from_string(name * 3)

    made = bucket.blob("a")
    made.content_type = "text/plain"
    made.compose([bucket.blob("a"), bucket.blob("b"), bucket.blob("a")])

    assert bucket.blob("a").download_as_bytes() == b"aaabbbaaa"
    assert made.content_type == "text/plain"


def test_a_batch_answers_each_call(client: Client, bucket: Bucket) -> None:
    """Deletes and patches in one request; one that fails does not stop the others."""
    for number in range(5):
        bucket.blob(f"odd name {number}").upload_from_string("x")

    with client.batch(raise_exception=False) as batch:
        for number in (0, 1, 99):
            bucket.blob(f"odd name {number}").delete()
        patched = bucket.blob("odd name 4")
        patched.metadata = {"größe": "groß"}
        patched.patch()

    codes = [response.status_code for response in batch._responses]
    assert codes == [204, 204, 404, 200]
    assert {blob.name for blob in bucket.list_blobs()} == {f"odd name {n}" for n in (2, 3, 4)}
    assert bucket.get_blob("odd name 4").metadata == {"größe": "groß"}


def test_missing_methods_are_named(http: httpx.Client, bucket: Bucket) -> None:
    """What Google has and the local cloud has not is 501, what nobody has 404; both say what."""
    missing = http.post(f"/storage/v1/b/{bucket.name}/o/watch")
    unknown = http.post(f"/storage/v1/b/{bucket.name}/paint")

    assert (missing.status_code, unknown.status_code) == (501, 404)
    assert "/o/watch yet" in missing.json()["error"]["message"]
    assert "no method POST" in unknown.json()["error"]["message"]


def test_the_agent_of_cloud_storage(http: httpx.Client, client: Client) -> None:
    """The service agent's address has the project's number; no bucket has a cache."""
    number = http.get("/v3/projects/test-project").json()["name"].removeprefix("projects/")
    bucket = client.create_bucket("cached-nowhere")

    address = client.get_service_account_email()
    caches = http.get(f"/storage/v1/b/{bucket.name}/anywhereCaches/")

    assert address == f"service-{number}@gs-project-accounts.iam.gserviceaccount.com"
    assert caches.json() == {"kind": "storage#anywhereCaches"}


@pytest.mark.parametrize("body", [b"{", b"[1]", b"\xff"])
def test_a_body_that_is_no_object(http: httpx.Client, bucket: Bucket, body: bytes) -> None:
    """JSON that does not parse, or is no object, is 400."""
    answer = http.patch(f"/storage/v1/b/{bucket.name}", content=body)

    assert answer.status_code == 400
