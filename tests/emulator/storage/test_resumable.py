"""Resumable uploads: known and unknown length, questions, cancelling, conditions."""

from __future__ import annotations

import io
import os
from base64 import b64encode
from hashlib import sha256
from pathlib import Path
from urllib.parse import urlsplit

import httpx
import pytest
from google.cloud.storage import Bucket
from starlette.testclient import TestClient

from emulator.clock import SteppedClock
from emulator.cloud import Cloud
from emulator.storage import resumable
from emulator.storage.upload_sessions import OPEN_UPLOADS_OF_BUCKET
from tests.local_cloud import LocalCloud

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


def waiting(server: LocalCloud, session: str) -> Path:
    """Where the bytes of a session wait."""
    return server.data / "uploads" / session.rpartition("upload_id=")[2]


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
    session, data = begin(http, bucket.name), os.urandom(CHUNK + 10)
    put(http, session, f"bytes 0-{CHUNK - 1}/*", data[:CHUNK])

    put(http, session, f"bytes 0-{CHUNK - 1}/*", data[:CHUNK])
    put(http, session, f"bytes {CHUNK - 5}-{CHUNK + 9}/{CHUNK + 10}", data[CHUNK - 5 :])

    assert bucket.blob("big").download_as_bytes() == data


def test_a_chunk_that_leaves_a_hole_is_refused(bucket: Bucket, http: httpx.Client) -> None:
    """Bytes beyond what has come are 400 with Google's sentence; the upload can go on."""
    session = begin(http, bucket.name)
    put(http, session, f"bytes 0-{CHUNK - 1}/*", bytes(CHUNK))

    ahead = put(http, session, "bytes 262164-262168/262169", b"xxxxx")

    assert ahead.status_code == 400
    assert ahead.json()["error"]["message"] == (
        "Invalid request.  According to the Content-Range header, the upload offset is 262164 "
        "byte(s), which exceeds already uploaded size of 262144 byte(s)."
    )
    assert put(http, session, "bytes 262144-262145/262146", b"ab").status_code == 200


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


def test_cancelling(bucket: Bucket, http: httpx.Client, server: LocalCloud) -> None:
    """DELETE answers 499; the session is gone, its bytes too, and no object is there."""
    session = begin(http, bucket.name)
    put(http, session, f"bytes 0-{CHUNK - 1}/*", bytes(CHUNK))

    cancelled = http.delete(session)

    assert cancelled.status_code == 499
    assert put(http, session, "bytes */*").status_code == 410
    assert put(http, session.replace("upload_id=", "upload_id=0"), "bytes */*").status_code == 404
    assert not waiting(server, session).exists()
    assert bucket.get_blob("big") is None


def test_wrong_digests_are_refused_at_the_end(
    bucket: Bucket, http: httpx.Client, server: LocalCloud
) -> None:
    """A wrong X-Goog-Hash on the last chunk is 400 for good; the old object stays, nothing else."""
    bucket.blob("big").upload_from_string("before")
    session = begin(http, bucket.name)

    answer = http.put(session, content=b"after", headers={"x-goog-hash": "crc32c=AAAAAA=="})
    again = put(http, session, "bytes */5")

    assert (answer.status_code, again.status_code) == (400, 400)
    assert "Provided CRC32C" in answer.json()["error"]["message"]
    assert again.json()["error"]["message"] == answer.json()["error"]["message"]
    assert not waiting(server, session).exists()
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


@pytest.mark.parametrize(
    ("text", "size", "sentence"),
    [
        ("bytes 0-9/5", 10, "out of bounds"),
        (
            "bytes 0-9/10",
            11,
            "There were 11 byte(s) in the request body.  There should have been 10",
        ),
        ("bytes 0-9/10", 9, "There were 9 byte(s) in the request body.  There should have been 10"),
        ("bytes 0-499/700000", 500, "is required to be equal or greater than 262144, except for"),
        ("bytes 0-499/*", 500, "The received request contained 500 bytes, which does not meet"),
    ],
)
def test_a_body_that_its_range_does_not_allow(
    bucket: Bucket, http: httpx.Client, text: str, size: int, sentence: str
) -> None:
    """Too long, too short, or a small one that is not the last: 400, and nothing of it is kept."""
    session = begin(http, bucket.name)

    answer = put(http, session, text, bytes(size))

    assert answer.status_code == 400
    assert sentence in answer.json()["error"]["message"]
    assert "range" not in put(http, session, "bytes */*").headers
    assert put(http, session, "bytes 0-1/2", b"ok").status_code == 200


def test_chunks_by_post(bucket: Bucket, http: httpx.Client) -> None:
    """gcsfs sends its chunks by POST; Go's client cannot bear a 308 and says so."""
    session, data = begin(http, bucket.name), os.urandom(CHUNK + 1)
    more, last = f"bytes 0-{CHUNK - 1}/*", f"bytes {CHUNK}-{CHUNK}/{CHUNK + 1}"

    first = http.post(session, content=data[:CHUNK], headers={"content-range": more})
    asked = http.put(session, headers={"content-range": "bytes */*", "x-guploader-no-308": "yes"})
    end = http.post(session, content=data[CHUNK:], headers={"content-range": last})

    assert (first.status_code, asked.status_code, end.status_code) == (308, 200, 200)
    assert asked.headers["x-http-status-code-override"] == "308"
    assert asked.headers["range"] == f"bytes=0-{CHUNK - 1}"
    assert bucket.blob("big").download_as_bytes() == data


def test_an_announced_length_holds(bucket: Bucket, http: httpx.Client) -> None:
    """X-Upload-Content-Length is what comes, or the upload is refused."""
    session = begin(http, bucket.name, **{"x-upload-content-length": "4"})

    wrong = put(http, session, "bytes 0-4/5", b"12345")
    right = put(http, session, "bytes 0-3/4", b"1234")

    assert (wrong.status_code, right.status_code) == (400, 200)
    nonsense = http.post(
        f"/upload/storage/v1/b/{bucket.name}/o?uploadType=resumable&name=x",
        headers={"x-upload-content-length": "-1"},
    )
    assert nonsense.status_code == 400


def test_a_customers_key(bucket: Bucket, http: httpx.Client, server: LocalCloud) -> None:
    """Under a customer's key the waiting bytes are encrypted already, and every chunk needs it."""
    key, data = os.urandom(32), os.urandom(CHUNK + 5)
    names = {
        "x-goog-encryption-algorithm": "AES256",
        "x-goog-encryption-key": b64encode(key).decode(),
        "x-goog-encryption-key-sha256": b64encode(sha256(key).digest()).decode(),
    }
    session = begin(http, bucket.name, **names)
    more, last = f"bytes 0-{CHUNK - 1}/*", f"bytes {CHUNK}-{CHUNK + 4}/{CHUNK + 5}"

    bare = http.put(session, content=data[:CHUNK], headers={"content-range": more})
    http.put(session, content=data[:CHUNK], headers={"content-range": more, **names})
    kept = waiting(server, session).read_bytes()
    end = http.put(session, content=data[CHUNK:], headers={"content-range": last, **names})

    assert (bare.status_code, end.status_code, len(kept)) == (400, 200, CHUNK)
    assert kept != data[:CHUNK]
    assert end.json()["customerEncryption"]["keySha256"] == names["x-goog-encryption-key-sha256"]
    assert bucket.blob("big", encryption_key=key).download_as_bytes() == data


def test_a_week_later(local_http: TestClient, clock: SteppedClock, local: Cloud) -> None:
    """After a week a session is 410, its bytes are swept, and after two nobody knows it."""
    local_http.post("/storage/v1/b?project=p-1", json={"name": "aging"})
    answer = local_http.post("/upload/storage/v1/b/aging/o?uploadType=resumable&name=x")
    session = answer.headers["location"]
    local_http.put(session, content=bytes(CHUNK), headers={"content-range": "bytes 0-262143/*"})

    clock.advance(7 * 86_400 + 1)
    late = local_http.put(session, headers={"content-range": "bytes */*"})

    assert late.status_code == 410
    assert resumable.sweep(local) == 1
    clock.advance(7 * 86_400)
    assert resumable.sweep(local) == 0
    gone = local_http.put(session, headers={"content-range": "bytes */*"})
    assert gone.status_code == 404


def test_too_many_unfinished_uploads(local_http: TestClient, local: Cloud) -> None:
    """A bucket has so many unfinished uploads and no more: 429, until one is cancelled."""
    local_http.post("/storage/v1/b?project=p-1", json={"name": "full"})
    path = "/upload/storage/v1/b/full/o?uploadType=resumable&name=x"
    session = local_http.post(path).headers["location"]
    with local.store.transaction() as db:
        db.executemany(
            "INSERT INTO uploads (id, bucket, name, request, created) "
            "VALUES (?, 'full', 'x', '{}', '9')",
            [(str(number),) for number in range(OPEN_UPLOADS_OF_BUCKET - 1)],
        )

    refused = local_http.post(path)
    local_http.delete(session)

    assert refused.status_code == 429
    assert refused.json()["error"]["errors"][0]["reason"] == "rateLimitExceeded"
    assert local_http.post(path).status_code == 200
