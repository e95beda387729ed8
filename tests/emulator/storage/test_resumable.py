"""Resumable uploads: known and unknown length, questions, cancelling, conditions."""

from __future__ import annotations

import io
import os
from urllib.parse import urlsplit

import httpx
import pytest
from google.cloud.storage import Bucket

CHUNK = 256 << 10


def begin(
    http: httpx.Client, bucket: str, name: str = "big", query: str = "", **headers: str
) -> str:
    """The path of a new session."""
    answer = http.post(
        f"/upload/storage/v1/b/{bucket}/o?uploadType=resumable{query}",
        json={"name": name},
        headers=headers,
    )
    assert answer.status_code == 200, answer.text
    address = urlsplit(answer.headers["location"])
    return f"{address.path}?{address.query}"


def put(http: httpx.Client, session: str, text: str, data: bytes = b"") -> httpx.Response:
    """The answer to bytes, or to a question, with that Content-Range."""
    return http.put(session, content=data, headers={"content-range": text})


def test_chunks_of_a_known_length(bucket: Bucket) -> None:
    """Google's client sends chunks; what arrives is the file, with its type and metadata."""
    data = os.urandom(CHUNK * 3 + 17)
    blob = bucket.blob("known", chunk_size=CHUNK)
    blob.metadata = {"a": "b"}

    blob.upload_from_file(io.BytesIO(data), size=len(data), content_type="video/mp4")

    assert bucket.blob("known").download_as_bytes() == data
    found = bucket.get_blob("known")
    assert found is not None
    assert (found.content_type, found.metadata, found.size) == ("video/mp4", {"a": "b"}, len(data))


@pytest.mark.parametrize("size", [0, 1, CHUNK, CHUNK * 2 + 5])
def test_a_stream_of_unknown_length(bucket: Bucket, size: int) -> None:
    """Written through `blob.open`, whose length nobody knows before its end."""
    data = os.urandom(size)

    with bucket.blob("stream").open("wb", chunk_size=CHUNK) as stream:
        stream.write(data)

    assert bucket.blob("stream").download_as_bytes() == data


def test_the_state_can_be_asked(bucket: Bucket, http: httpx.Client) -> None:
    """`bytes */N` answers 308 with what has come, never ends the upload, and 200 after its end."""
    session = begin(http, bucket.name)

    nothing = put(http, session, "bytes */*")
    first = put(http, session, f"bytes 0-{CHUNK - 1}/*", b"a" * CHUNK)
    asked = put(http, session, f"bytes */{CHUNK + 3}")
    last = put(http, session, f"bytes {CHUNK}-{CHUNK + 2}/{CHUNK + 3}", b"end")
    again = put(http, session, f"bytes */{CHUNK + 3}")

    assert (nothing.status_code, "range" in nothing.headers) == (308, False)
    assert (first.status_code, first.headers["range"]) == (308, f"bytes=0-{CHUNK - 1}")
    assert (asked.status_code, asked.headers["range"]) == (308, f"bytes=0-{CHUNK - 1}")
    assert (last.status_code, last.json()["size"]) == (200, str(CHUNK + 3))
    assert (again.status_code, again.json()) == (200, last.json())
    assert bucket.blob("big").download_as_bytes() == b"a" * CHUNK + b"end"


def test_a_chunk_sent_twice_is_there_once(bucket: Bucket, http: httpx.Client) -> None:
    """A client that did not hear the answer sends again; bytes that overlap are not repeated."""
    session = begin(http, bucket.name)
    put(http, session, "bytes 0-9/*", b"0123456789")

    put(http, session, "bytes 0-9/*", b"0123456789")
    put(http, session, "bytes 5-14/15", b"56789abcde")

    assert bucket.blob("big").download_as_bytes() == b"0123456789abcde"


def test_a_chunk_that_leaves_a_hole_is_refused(bucket: Bucket, http: httpx.Client) -> None:
    """Bytes beyond what has come are 400 with Google's sentence; the upload can go on."""
    session = begin(http, bucket.name)
    put(http, session, "bytes 0-9/*", b"0123456789")

    ahead = put(http, session, "bytes 20-24/25", b"xxxxx")

    assert ahead.status_code == 400
    assert ahead.json()["error"]["message"] == (
        "Invalid request.  According to the Content-Range header, the upload offset is 20 byte(s), "
        "which exceeds already uploaded size of 10 byte(s)."
    )
    assert put(http, session, "bytes 10-11/12", b"ab").status_code == 200


def test_one_body_without_range(bucket: Bucket, http: httpx.Client) -> None:
    """A PUT without Content-Range is the whole object; X-Upload-Content-Type is its type."""
    session = begin(http, bucket.name, **{"x-upload-content-type": "image/png"})

    answer = http.put(session, content=b"all of it")

    assert answer.status_code == 200
    assert answer.json()["contentType"] == "image/png"
    assert bucket.blob("big").download_as_bytes() == b"all of it"


def test_an_empty_object(bucket: Bucket, http: httpx.Client) -> None:
    """`bytes */0` ends an upload of nothing."""
    answer = put(http, begin(http, bucket.name), "bytes */0")

    assert (answer.status_code, answer.json()["size"]) == (200, "0")


def test_cancelling(bucket: Bucket, http: httpx.Client) -> None:
    """DELETE answers 499; the session is gone and no object is there."""
    session = begin(http, bucket.name)
    put(http, session, "bytes 0-9/*", b"0123456789")

    cancelled = http.delete(session)

    assert cancelled.status_code == 499
    assert put(http, session, "bytes */*").status_code == 404
    assert bucket.get_blob("big") is None


def test_wrong_digests_are_refused_at_the_end(bucket: Bucket, http: httpx.Client) -> None:
    """A wrong X-Goog-Hash on the last chunk is 400, and the old object stays."""
    bucket.blob("big").upload_from_string("before")
    session = begin(http, bucket.name)

    answer = http.put(session, content=b"after", headers={"x-goog-hash": "crc32c=AAAAAA=="})

    assert answer.status_code == 400
    assert "Provided CRC32C" in answer.json()["error"]["message"]
    assert bucket.blob("big").download_as_bytes() == b"before"


def test_conditions_hold_at_the_end(bucket: Bucket, http: httpx.Client) -> None:
    """`ifGenerationMatch=0` of a session fails when another writer was first."""
    session = begin(http, bucket.name, query="&ifGenerationMatch=0")
    bucket.blob("big").upload_from_string("first")

    late = http.put(session, content=b"late")
    early = http.post(
        f"/upload/storage/v1/b/{bucket.name}/o?uploadType=resumable&ifGenerationMatch=0",
        json={"name": "big"},
    )

    assert (late.status_code, early.status_code) == (412, 412)
    assert late.json()["error"]["errors"][0]["reason"] == "conditionNotMet"
    assert bucket.blob("big").download_as_bytes() == b"first"


@pytest.mark.parametrize("text", ["bytes 0-x/*", "pages 0-1/2", "bytes 1-2"])
def test_a_range_nobody_can_read(bucket: Bucket, http: httpx.Client, text: str) -> None:
    """A Content-Range of another form is 400 and says what was received."""
    answer = put(http, begin(http, bucket.name), text, b"xx")

    assert answer.status_code == 400
    assert text in answer.json()["error"]["message"]


def test_more_than_was_announced(bucket: Bucket, http: httpx.Client) -> None:
    """More bytes than the announced length is 400, not a longer object."""
    answer = put(http, begin(http, bucket.name), "bytes 0-9/5", b"0123456789")

    assert answer.status_code == 400
    assert bucket.get_blob("big") is None
