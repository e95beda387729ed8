"""gzip on the way out: undone for who does not know it, left alone where it must be."""

from __future__ import annotations

import gzip

import httpx
import pytest
from google.cloud.storage import Bucket

TEXT = b"many words, " * 300_000
PLAIN = {"accept-encoding": "identity"}


@pytest.fixture(params=["json", "xml"])
def path(request: pytest.FixtureRequest, bucket: Bucket) -> str:
    """The address of the object `x` of the test's bucket in either API."""
    if request.param == "xml":
        return f"/{bucket.name}/x"
    return f"/storage/v1/b/{bucket.name}/o/x?alt=media"


def upload(bucket: Bucket, data: bytes, **fields: str) -> None:
    """Stores bytes that say that they are packed."""
    blob = bucket.blob("x")
    blob.content_encoding = "gzip"
    for name, value in fields.items():
        setattr(blob, name, value)
    blob.upload_from_string(data)


def test_unpacked_for_who_does_not_ask_for_gzip(
    http: httpx.Client, bucket: Bucket, path: str
) -> None:
    """The plain bytes, no length and no encoding; what is stored is told beside them."""
    packed = gzip.compress(TEXT, mtime=0)
    upload(bucket, packed)

    answer = http.get(path, headers=PLAIN)

    assert answer.content == TEXT
    assert "content-encoding" not in answer.headers and "content-length" not in answer.headers
    assert answer.headers["x-goog-stored-content-encoding"] == "gzip"
    assert answer.headers["x-goog-stored-content-length"] == str(len(packed))
    assert answer.headers["warning"] == "214 UploadServer gunzipped"


@pytest.mark.parametrize("accepted", ["gzip", "deflate, gzip;q=0.5", "GZIP"])
def test_packed_for_who_does(http: httpx.Client, bucket: Bucket, path: str, accepted: str) -> None:
    """The stored bytes, with their length, and ranges of them."""
    packed = gzip.compress(TEXT, mtime=0)
    upload(bucket, packed)

    with http.stream("GET", path, headers={"accept-encoding": accepted}) as answer:
        raw = b"".join(answer.iter_raw())
    part = {"accept-encoding": accepted, "range": "bytes=0-9"}
    with http.stream("GET", path, headers=part) as answer:
        ten, status = b"".join(answer.iter_raw()), answer.status_code

    assert (raw, ten, status) == (packed, packed[:10], 206)


def test_a_range_of_what_is_unpacked_is_not_looked_at(
    http: httpx.Client, bucket: Bucket, path: str
) -> None:
    """A Range together with the undoing of gzip gives the whole (the page on transcoding)."""
    upload(bucket, gzip.compress(b"0123456789"))

    answer = http.get(path, headers=PLAIN | {"range": "bytes=2-3"})

    assert (answer.status_code, answer.content) == (200, b"0123456789")


def test_no_transform_and_q_0(http: httpx.Client, bucket: Bucket, path: str) -> None:
    """Cache-Control: no-transform keeps the bytes as they are; gzip;q=0 is not gzip."""
    packed = gzip.compress(b"text", mtime=0)
    upload(bucket, packed, cache_control="public, no-transform")
    with http.stream("GET", path, headers=PLAIN) as answer:
        assert b"".join(answer.iter_raw()) == packed

    upload(bucket, packed)
    assert http.get(path, headers={"accept-encoding": "gzip;q=0, identity"}).content == b"text"


def test_several_members_and_bytes_that_are_not_packed(
    http: httpx.Client, bucket: Bucket, path: str
) -> None:
    """Joined gzip files are all undone; bytes that only claim to be packed come as they are."""
    upload(bucket, gzip.compress(TEXT) + gzip.compress(b"end"))
    assert http.get(path, headers=PLAIN).content == TEXT + b"end"

    upload(bucket, b"not packed at all")
    assert http.get(path, headers=PLAIN).content == b"not packed at all"
