"""Objects of the XML API: what clients read and write under `/BUCKET/OBJECT`."""

from __future__ import annotations

from collections.abc import Callable
from hashlib import md5
from xml.etree import ElementTree

import httpx
import pytest
from google.cloud.storage import Bucket

DATA = bytes(range(256)) * 8


def error_of(answer: httpx.Response) -> tuple[int, str, str]:
    """Status, code and details of a refusal."""
    tree = ElementTree.fromstring(answer.text)
    return answer.status_code, tree.findtext("Code") or "", tree.findtext("Details") or ""


@pytest.fixture
def put(http: httpx.Client, bucket: Bucket) -> Callable[..., httpx.Response]:
    """Writes an object of the test's bucket by its quoted name."""

    def put_object(name: str, data: bytes = DATA, **headers: str) -> httpx.Response:
        named = {key.replace("_", "-"): value for key, value in headers.items()}
        return http.put(f"/{bucket.name}/{name}", content=data, headers=named)

    return put_object


def test_what_is_put_is_read_by_both_apis(
    http: httpx.Client, bucket: Bucket, put: Callable[..., httpx.Response]
) -> None:
    """Bytes, type and metadata of an XML PUT come back by XML, by JSON and by the public URL."""
    answer = put("a%20dir/%C3%A9.bin", content_type="image/png", x_goog_meta_Colour="red")
    blob = bucket.get_blob("a dir/é.bin")
    assert blob is not None

    read = http.get(f"/{bucket.name}/a%20dir/%C3%A9.bin")

    assert (answer.status_code, answer.content) == (200, b"")
    assert answer.headers["etag"] == read.headers["etag"] == f'"{md5(DATA).hexdigest()}"'
    assert answer.headers["x-goog-generation"] == str(blob.generation)
    assert (read.content, read.headers["content-type"]) == (DATA, "image/png")
    assert read.headers["x-goog-meta-colour"] == "red"
    assert f"md5={blob.md5_hash}" in read.headers["x-goog-hash"]
    assert (blob.content_type, blob.metadata) == ("image/png", {"colour": "red"})
    assert httpx.get(blob.public_url).content == DATA


def test_head_has_the_headers_of_get(
    http: httpx.Client, bucket: Bucket, put: Callable[..., httpx.Response]
) -> None:
    """HEAD: every header of GET, with its length, and no body."""
    put("x", cache_control="public, max-age=60", content_disposition="inline")

    got, head = http.get(f"/{bucket.name}/x"), http.head(f"/{bucket.name}/x")

    assert head.content == b""
    assert head.headers["content-length"] == str(len(DATA))
    assert {**head.headers, "date": ""} == {**got.headers, "date": ""}


def test_ranges(http: httpx.Client, bucket: Bucket, put: Callable[..., httpx.Response]) -> None:
    """A range is 206 with its place; one outside is 416 in XML, with the length."""
    put("x")

    part = http.get(f"/{bucket.name}/x", headers={"range": "bytes=10-19"})
    outside = http.get(f"/{bucket.name}/x", headers={"range": f"bytes={len(DATA)}-"})

    assert (part.status_code, part.content) == (206, DATA[10:20])
    assert part.headers["content-range"] == f"bytes 10-19/{len(DATA)}"
    assert error_of(outside)[:2] == (416, "InvalidRange")
    assert outside.headers["content-range"] == f"bytes */{len(DATA)}"


def test_wrong_checksums_are_refused_and_nothing_is_stored(
    http: httpx.Client, bucket: Bucket, put: Callable[..., httpx.Response]
) -> None:
    """BadDigest and CrcMismatch, each with what was said and what was counted."""
    assert error_of(put("x", content_md5="1B2M2Y8AsgTpgAmY7PhCfg=="))[:2] == (400, "BadDigest")
    assert error_of(put("x", x_goog_hash="crc32c=AAAAAA=="))[:2] == (400, "CrcMismatch")
    both = [("x-goog-hash", "crc32c=AAAAAA=="), ("x-goog-hash", f"md5={'A' * 22}==")]
    assert http.put(f"/{bucket.name}/x", content=DATA, headers=both).status_code == 400
    assert error_of(http.get(f"/{bucket.name}/x"))[:2] == (404, "NoSuchKey")


def test_preconditions(
    http: httpx.Client, bucket: Bucket, put: Callable[..., httpx.Response]
) -> None:
    """x-goog-if-generation-match on writes; entity tags and times on reads."""
    first = put("x", x_goog_if_generation_match="0")
    path, tag = f"/{bucket.name}/x", first.headers["etag"]

    assert error_of(put("x", x_goog_if_generation_match="0"))[:2] == (412, "PreconditionFailed")
    assert http.get(path, headers={"if-none-match": tag}).status_code == 304
    assert http.get(path, headers={"if-match": tag}).status_code == 200
    assert http.get(path, headers={"if-match": '"other"'}).status_code == 412
    later = http.get(path).headers["last-modified"]
    assert http.get(path, headers={"if-modified-since": later}).status_code == 304
    old = {"if-unmodified-since": "Mon, 01 Jan 2001 00:00:00 GMT"}
    assert http.get(path, headers=old).status_code == 412
    assert put("x", b"2", if_match='"other"').status_code == 412
    assert put("x", b"2", if_none_match="*").status_code == 412
    assert put("x", DATA, if_match=tag).status_code == 200
    assert put("y", b"2", if_none_match="*").status_code == 200
    assert http.delete(path, headers={"if-match": '"other"'}).status_code == 412
    stale = {"x-goog-if-generation-match": "12"}
    assert http.delete(path, headers=stale).status_code == 412
    assert http.delete(path).status_code == 204
    assert error_of(http.delete(path))[:2] == (404, "NoSuchKey")


def test_a_copy_keeps_or_replaces_the_metadata(
    http: httpx.Client, bucket: Bucket, put: Callable[..., httpx.Response]
) -> None:
    """x-goog-copy-source copies; the directive REPLACE takes the request's own metadata."""
    put("from%20here", content_type="text/plain", x_goog_meta_one="1")
    source = f"/{bucket.name}/from%20here"

    copied = put("kept", b"", x_goog_copy_source=source)
    put("new", b"", x_goog_copy_source=source, x_goog_metadata_directive="REPLACE",
        content_type="text/css", x_goog_meta_two="2")  # fmt: skip

    assert ElementTree.fromstring(copied.text).findtext("ETag") == f'"{md5(DATA).hexdigest()}"'
    kept, new = bucket.get_blob("kept"), bucket.get_blob("new")
    assert kept is not None and new is not None
    assert (kept.content_type, kept.metadata) == ("text/plain", {"one": "1"})
    assert (new.content_type, new.metadata) == ("text/css", {"two": "2"})
    assert http.get(f"/{bucket.name}/new").content == DATA
    assert error_of(put("no", b"", x_goog_copy_source=f"/{bucket.name}/none"))[1] == "NoSuchKey"


def test_response_overrides(
    http: httpx.Client, bucket: Bucket, put: Callable[..., httpx.Response]
) -> None:
    """response-content-type and -disposition replace what is stored, if credentials are shown."""
    put("x", content_type="text/plain", content_disposition="inline")
    asked = {
        "response-content-type": "image/png",
        "response-content-disposition": 'attachment; filename="a.png"',
    }

    answer = http.get(f"/{bucket.name}/x", params=asked, headers={"authorization": "Bearer me"})
    bare = http.get(f"/{bucket.name}/x", params=asked)
    named = http.get(f"/{bucket.name}/x", params=asked | {"access_token": "me"})

    assert [one.headers["content-type"] for one in (bare, named)] == ["text/plain"] * 2
    assert answer.headers["content-type"] == "image/png"
    assert answer.headers["content-disposition"] == 'attachment; filename="a.png"'


def test_errors_are_google_s_documents(http: httpx.Client, bucket: Bucket) -> None:
    """A missing bucket, a missing object, a name that is too long, a method nobody has."""
    missing = http.get(f"/{bucket.name}/none")
    long = http.put(f"/{bucket.name}/{'x' * 1025}", content=b"")

    assert missing.headers["content-type"] == "application/xml; charset=UTF-8"
    assert error_of(missing) == (404, "NoSuchKey", f"No such object: {bucket.name}/none")
    assert error_of(http.get("/no-such-bucket-here/x"))[:2] == (404, "NoSuchBucket")
    assert error_of(long)[:2] == (400, "KeyTooLong")
    assert error_of(http.put(f"/{bucket.name}/%FF", content=b""))[:2] == (400, "InvalidArgument")
    assert error_of(http.post(f"/{bucket.name}/x"))[:2] == (405, "MethodNotAllowed")
    assert http.head(f"/{bucket.name}/none").status_code == 404


def test_a_resumable_upload_begun_by_xml(http: httpx.Client, bucket: Bucket) -> None:
    """POST with x-goog-resumable starts a session; the PUT to its address ends it."""
    headers = {"x-goog-resumable": "start", "content-type": "text/csv", "x-goog-meta-a": "b"}

    started = http.post(f"/{bucket.name}/sheet", headers=headers)
    ended = http.put(started.headers["location"], content=DATA)

    assert (started.status_code, ended.status_code) == (201, 200)
    blob = bucket.get_blob("sheet")
    assert blob is not None
    assert (blob.content_type, blob.metadata) == ("text/csv", {"a": "b"})
    assert blob.download_as_bytes() == DATA
