"""Downloads: whole, ranges, headers, generations."""

from __future__ import annotations

import gzip
import os

import httpx
import pytest
from google.api_core import exceptions
from google.cloud.storage import Bucket

from emulator.storage.downloads import UnsatisfiableError, requested_range

DATA = bytes(range(256)) * 40


@pytest.fixture
def path(bucket: Bucket) -> str:
    """The path of an object of DATA."""
    blob = bucket.blob("folder/data.bin")
    blob.cache_control = "no-cache"
    blob.upload_from_string(DATA, content_type="application/x-data")
    return f"/storage/v1/b/{bucket.name}/o/folder%2Fdata.bin"


@pytest.mark.parametrize("root", ["/download", ""])
def test_both_addresses_give_the_bytes(http: httpx.Client, path: str, root: str) -> None:
    """`/download/…` and `alt=media` answer alike, with digests, type and generation in headers."""
    meta = http.get(path).json()

    answer = http.get(f"{root}{path}?alt=media")

    assert answer.content == DATA
    assert answer.headers["content-type"] == "application/x-data"
    assert answer.headers["cache-control"] == "no-cache"
    assert answer.headers["x-goog-hash"] == f"crc32c={meta['crc32c']},md5={meta['md5Hash']}"
    assert answer.headers["x-goog-generation"] == meta["generation"]
    assert answer.headers["x-goog-stored-content-length"] == str(len(DATA))
    assert answer.headers["etag"] == meta["etag"]


def test_the_media_link_leads_here(http: httpx.Client, path: str) -> None:
    """`mediaLink` and `selfLink` are addresses of this server that work."""
    meta = http.get(path).json()

    assert http.get(meta["mediaLink"]).content == DATA
    assert http.get(meta["selfLink"]).json() == meta


@pytest.mark.parametrize(
    ("text", "start", "end"),
    [("bytes=0-0", 0, 1), ("bytes=10-19", 10, 20), ("bytes=10000-", 10000, 10240),
     ("bytes=-5", 10235, 10240), ("bytes=10-999999", 10, 10240), ("bytes=-99999", 0, 10240)],
)  # fmt: skip
def test_ranges(http: httpx.Client, path: str, text: str, start: int, end: int) -> None:
    """First and last byte, an open end, the last N: 206 with exactly those bytes."""
    answer = http.get(f"{path}?alt=media", headers={"range": text})

    assert answer.status_code == 206
    assert answer.content == DATA[start:end]
    assert answer.headers["content-range"] == f"bytes {start}-{end - 1}/{len(DATA)}"


@pytest.mark.parametrize("text", ["bytes=10240-", "bytes=20000-20001", "bytes=-0"])
def test_a_range_outside_is_416(http: httpx.Client, path: str, text: str) -> None:
    """A range with no byte of the object is 416, with the length that it has."""
    answer = http.get(f"{path}?alt=media", headers={"range": text})

    assert answer.status_code == 416
    assert answer.headers["content-range"] == f"bytes */{len(DATA)}"
    assert answer.text == "Request range not satisfiable"


@pytest.mark.parametrize("text", ["bytes=5-2", "bytes=-", "rows=1-2", "bytes=0-1,4-5"])
def test_a_range_of_another_form_is_the_whole(http: httpx.Client, path: str, text: str) -> None:
    """What is not one byte range is ignored, as HTTP asks."""
    answer = http.get(f"{path}?alt=media", headers={"range": text})

    assert (answer.status_code, answer.content) == (200, DATA)


def test_an_empty_object_has_no_range() -> None:
    """Any range of nothing is unsatisfiable; no range is the whole of it."""
    assert requested_range("", 0) is None
    with pytest.raises(UnsatisfiableError):
        requested_range("bytes=0-", 0)


def test_google_s_client_reads_parts(bucket: Bucket) -> None:
    """Parts and large objects through the client, whose own checksum checks pass."""
    data = os.urandom((3 << 20) + 11)
    blob = bucket.blob("large")
    blob.upload_from_string(data)

    assert blob.download_as_bytes(checksum="md5") == data
    assert blob.download_as_bytes(checksum="crc32c") == data
    assert blob.download_as_bytes(start=1 << 20, end=(2 << 20) + 1) == data[1 << 20 : (2 << 20) + 2]
    with blob.open("rb") as stream:
        stream.seek(-11, os.SEEK_END)
        assert stream.read() == data[-11:]


def test_gzip_is_undone_for_who_does_not_know_it(bucket: Bucket, http: httpx.Client) -> None:
    """A packed object comes packed to a client that accepts gzip, unpacked to another."""
    text = b"many words, " * 200_000
    small = gzip.compress(text, mtime=0)
    blob = bucket.blob("packed")
    blob.content_encoding = "gzip"
    blob.upload_from_string(small, content_type="text/plain")
    path = f"/storage/v1/b/{bucket.name}/o/packed?alt=media"

    plain = http.get(path, headers={"accept-encoding": "identity"})
    packed = http.get(path, headers={"accept-encoding": "gzip"})

    assert (plain.content, "content-encoding" in plain.headers) == (text, False)
    assert (packed.content, packed.headers["content-encoding"]) == (text, "gzip")
    assert int(packed.headers["content-length"]) < 100_000
    assert blob.download_as_bytes() == text
    assert blob.download_as_bytes(raw_download=True) == small


def test_generations_are_asked_for_exactly(bucket: Bucket) -> None:
    """The live generation is found by number; an older one is 404, since none is kept."""
    blob = bucket.blob("x")
    blob.upload_from_string("one")
    old = blob.generation
    blob.upload_from_string("two")

    assert bucket.blob("x", generation=blob.generation).download_as_bytes() == b"two"
    with pytest.raises(exceptions.NotFound):
        bucket.blob("x", generation=old).download_as_bytes()


def test_a_missing_object_is_googles_404(bucket: Bucket, http: httpx.Client) -> None:
    """Metadata and media say which object there is not: in JSON, and by the sentence alone."""
    path, sentence = f"/storage/v1/b/{bucket.name}/o/a%2Fb", f"No such object: {bucket.name}/a/b"

    answer = http.get(path)
    assert (answer.status_code, answer.json()["error"]["message"]) == (404, sentence)
    assert answer.json()["error"]["errors"][0]["reason"] == "notFound"
    for media in (f"{path}?alt=media", f"/download{path}?alt=media", f"/download{path}"):
        answer = http.get(media)
        assert (answer.status_code, answer.text) == (404, sentence)
        assert answer.headers["content-type"] == "text/html; charset=UTF-8"
