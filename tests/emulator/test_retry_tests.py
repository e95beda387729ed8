"""storage-testbench's retry tests and forced failures, over real connections."""

from __future__ import annotations

import os
from collections.abc import Callable
from urllib.parse import urlsplit

import httpx
import pytest
from google.cloud.storage import Bucket

from tests.local_cloud import LocalCloud

KIB = 1 << 10


def new_test(http: httpx.Client, instructions: dict[str, list[str]], **more: str) -> str:
    """The id of a new retry test."""
    answer = http.post("/retry_test", json={"instructions": instructions, **more})
    assert answer.status_code == 200, answer.text
    return str(answer.json()["id"])


def is_completed(http: httpx.Client, key: str) -> bool:
    """Whether everything that a retry test asked for has happened."""
    return bool(http.get(f"/retry_test/{key}").json()["completed"])


def test_the_life_of_a_retry_test(http: httpx.Client) -> None:
    """Made, met once by a request with its id, completed, listed, deleted, gone."""
    key = new_test(http, {"storage.buckets.list": ["return-503"]}, transport="http")
    path, named = "/storage/v1/b?project=p-1", {"x-retry-test-id": key}

    without = http.get(path).status_code
    first, second = http.get(path, headers=named), http.get(path, headers=named)

    assert (without, first.status_code, second.status_code) == (200, 503, 200)
    assert first.json()["error"]["message"] == "Retry Test: Caused a 503"
    assert http.get(f"/retry_test/{key}").json() == {
        "id": key,
        "instructions": {"storage.buckets.list": []},
        "completed": True,
        "transport": "HTTP",
    }
    assert key in [test["id"] for test in http.get("/retry_tests").json()["retry_test"]]
    assert http.delete(f"/retry_test/{key}").status_code == 200
    assert http.get(f"/retry_test/{key}").status_code == 404
    assert http.get(path, headers=named).status_code == 404


@pytest.mark.parametrize(
    "body",
    [
        {},
        {"instructions": {"storage.buckets.explode": ["return-503"]}},
        {"instructions": {"storage.buckets.list": ["return-nothing"]}},
        {"instructions": {"storage.buckets.list": "return-503"}},
        {"instructions": {"storage.buckets.list": ["return-503"]}, "transport": "PIGEON"},
        [],
    ],
)
def test_what_is_no_retry_test(http: httpx.Client, body: object) -> None:
    """A method, instruction or transport that nobody knows is 400."""
    assert http.post("/retry_test", json=body).status_code == 400


def test_other_methods_and_transports_are_left_alone(http: httpx.Client) -> None:
    """Instructions are for their own method, and those for gRPC are not for HTTP."""
    list_path = "/storage/v1/b?project=p-1"
    for key in (
        new_test(http, {"storage.buckets.insert": ["return-503"]}),
        new_test(http, {"storage.buckets.list": ["return-503"]}, transport="GRPC"),
        new_test(http, {"storage.buckets.list": ["redirect-send-token-abc"]}),
    ):
        assert http.get(list_path, headers={"x-retry-test-id": key}).status_code == 200
        assert not is_completed(http, key)


def test_a_reset_connection(http: httpx.Client) -> None:
    """`return-reset-connection` ends the connection without an answer."""
    key = new_test(http, {"storage.buckets.list": ["return-reset-connection"]})

    with pytest.raises(httpx.TransportError):
        http.get("/storage/v1/b?project=p-1", headers={"x-retry-test-id": key})

    assert is_completed(http, key)


def test_an_upload_that_fails_after_some_bytes(bucket: Bucket, http: httpx.Client) -> None:
    """`return-503-after-256K`: the first 256 KiB are kept, and the client goes on from there."""
    data = os.urandom(600 * KIB)
    key = new_test(http, {"storage.objects.insert": ["return-503-after-256K"]})
    http.headers["x-retry-test-id"] = key
    session = _begin(http, bucket.name)

    failed = http.put(
        session, content=data, headers={"content-range": f"bytes 0-614399/{len(data)}"}
    )
    asked = http.put(session, headers={"content-range": f"bytes */{len(data)}"})
    rest = http.put(
        session,
        content=data[256 * KIB :],
        headers={"content-range": f"bytes {256 * KIB}-614399/{len(data)}"},
    )

    assert (failed.status_code, asked.status_code) == (503, 308)
    assert asked.headers["range"] == f"bytes=0-{256 * KIB - 1}"
    assert (rest.status_code, is_completed(http, key)) == (200, True)
    assert bucket.blob("x").download_as_bytes() == data


@pytest.mark.parametrize(
    ("instruction", "sent"),
    [("return-broken-stream", 4), ("return-broken-stream-after-256K", 256 * KIB)],
)
def test_an_answer_that_breaks_off(
    bucket: Bucket, http: httpx.Client, instruction: str, sent: int
) -> None:
    """A download stops after so many bytes; Google's client goes on from there by itself."""
    data = os.urandom(600 * KIB)
    bucket.blob("x").upload_from_string(data)
    raw = new_test(http, {"storage.objects.get": [instruction]})
    key = new_test(http, {"storage.objects.get": [instruction]})
    path, got = f"/storage/v1/b/{bucket.name}/o/x?alt=media", bytearray()

    with (
        pytest.raises(httpx.TransportError),
        http.stream("GET", path, headers={"x-retry-test-id": raw}) as answer,
    ):
        for piece in answer.iter_raw():
            got += piece
    bucket.client._http.headers["x-retry-test-id"] = key
    with bucket.blob("x").open("rb") as file:
        whole = file.read()

    assert bytes(got) == data[:sent]
    assert whole == data
    assert is_completed(http, key)


def test_a_last_chunk_whose_answer_is_short(bucket: Bucket, http: httpx.Client) -> None:
    """The upload is done, its answer is cut; asked again, the whole object is told."""
    key = new_test(http, {"storage.objects.insert": ["return-broken-stream-final-chunk-after-20B"]})
    http.headers["x-retry-test-id"] = key
    session = _begin(http, bucket.name)

    chunk, size = bytes(256 * KIB), 256 * KIB + 4
    first = http.put(session, content=chunk, headers={"content-range": "bytes 0-262143/*"})
    end = {"content-range": f"bytes 262144-262147/{size}"}
    last = http.put(session, content=b"more", headers=end)
    asked = http.put(session, headers={"content-range": f"bytes */{size}"})

    assert (first.status_code, last.status_code, len(last.content)) == (308, 200, 20)
    assert (asked.json()["size"], is_completed(http, key)) == (str(size), True)


def test_a_stall(bucket: Bucket, http: httpx.Client) -> None:
    """`stall-for-1s-after-1K` waits on the way in and on the way out, then all is as ever."""
    data = os.urandom(4 * KIB)
    stall = "stall-for-1s-after-1K"
    up, down = (
        new_test(http, {name: [stall]})
        for name in ("storage.objects.insert", "storage.objects.get")
    )
    upload = f"/upload/storage/v1/b/{bucket.name}/o?uploadType=media&name=x"

    sent = http.post(upload, content=data, headers={"x-retry-test-id": up})
    path = f"/storage/v1/b/{bucket.name}/o/x?alt=media"
    got = http.get(path, headers={"x-retry-test-id": down})

    assert (sent.status_code, got.content) == (200, data)
    assert min(sent.elapsed.total_seconds(), got.elapsed.total_seconds()) >= 0.9
    assert is_completed(http, up) and is_completed(http, down)


def test_forced_failures_by_the_older_header(bucket: Bucket, http: httpx.Client) -> None:
    """X-Goog-Emulator-Instructions: corrupted data, a broken stream, a 503 within an upload."""
    data = os.urandom(300 * KIB)
    name = "x-goog-emulator-instructions"
    upload = f"/upload/storage/v1/b/{bucket.name}/o?uploadType=media&name=x"
    path = f"/storage/v1/b/{bucket.name}/o/x?alt=media"

    refused = http.post(upload, content=data, headers={name: "return-503-after-256K"})
    third = http.post(upload, content=data, headers={name: "return-503-after-256K/retry-3"})
    corrupted = http.get(path, headers={name: "return-corrupted-data"})

    assert (refused.status_code, third.status_code) == (503, 200)
    assert corrupted.content != data and corrupted.content[1:] == data[1:]
    with pytest.raises(httpx.TransportError):
        http.get(path, headers={name: "return-503-after-256K"})
    assert http.get(path, headers={name: "nothing-known"}).content == data


def test_a_reset_forgets_them(start: Callable[..., LocalCloud]) -> None:
    """`POST /_emulator/reset` forgets the retry tests too."""
    cloud = start()
    with httpx.Client(base_url=cloud.url) as http:
        new_test(http, {"storage.buckets.list": ["return-503"]})
        http.post("/_emulator/reset")

        assert http.get("/retry_tests").json() == {"retry_test": []}


def _begin(http: httpx.Client, bucket: str) -> str:
    answer = http.post(f"/upload/storage/v1/b/{bucket}/o?uploadType=resumable&name=x")
    address = urlsplit(answer.headers["location"])
    return f"{address.path}?{address.query}"
