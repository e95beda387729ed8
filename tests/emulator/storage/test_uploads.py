"""Uploads in one request, and what their bytes are checked against."""

from __future__ import annotations

import hashlib
import json
import os
from base64 import b64encode
from itertools import pairwise

import google_crc32c
import httpx
import pytest
from google.api_core import exceptions
from google.cloud.storage import Bucket
from hypothesis import given
from hypothesis import strategies as st

from emulator.storage.errors import StorageError
from emulator.storage.related import Related, boundary_of


def md5(data: bytes) -> str:
    """The MD5 in Google's form."""
    return b64encode(hashlib.md5(data).digest()).decode()


def crc32c(data: bytes) -> str:
    """The CRC32C in Google's form."""
    return b64encode(google_crc32c.value(data).to_bytes(4, "big")).decode()


RELATED = {"content-type": 'multipart/related; boundary="mark"'}


def related(fields: dict[str, object], media: bytes) -> bytes:
    """The body of a multipart/related upload as Google's clients write it."""
    return (
        b"--mark\r\ncontent-type: application/json; charset=UTF-8\r\n\r\n"
        + json.dumps(fields).encode()
        + b"\r\n--mark\r\ncontent-type: text/plain\r\n\r\n"
        + media
        + b"\r\n--mark--"
    )


def post_related(http: httpx.Client, bucket: str, body: bytes, **headers: str) -> httpx.Response:
    """The answer to a multipart upload."""
    path = f"/upload/storage/v1/b/{bucket}/o?uploadType=multipart"
    return http.post(path, content=body, headers={**RELATED, **headers})


@pytest.mark.parametrize("size", [0, 1, 50_000, 300_000, 5_000_000])
def test_bytes_come_back_with_their_digests(bucket: Bucket, size: int) -> None:
    """What goes in by multipart comes out the same, with md5, crc32c, size and generation."""
    data = os.urandom(size)
    blob = bucket.blob("photo.jpg")

    blob.upload_from_string(data, content_type="image/jpeg")

    assert blob.download_as_bytes() == data
    assert (blob.md5_hash, blob.crc32c, blob.size) == (md5(data), crc32c(data), size)
    assert blob.content_type == "image/jpeg"
    assert (blob.generation or 0) > 10**15
    assert blob.metageneration == 1


def test_media_upload(bucket: Bucket, http: httpx.Client) -> None:
    """A media upload takes its name from the query and its type from the header."""
    answer = http.post(
        f"/upload/storage/v1/b/{bucket.name}/o?uploadType=media&name=a%2Fb.bin",
        content=b"some bytes",
        headers={"content-type": "application/x-test"},
    )

    assert answer.status_code == 200
    assert answer.json()["name"] == "a/b.bin"
    assert answer.json()["contentType"] == "application/x-test"
    assert answer.headers["etag"] == answer.json()["etag"]


def test_metadata_travels_with_the_bytes(bucket: Bucket) -> None:
    """Every field that a client may set at upload is kept."""
    blob = bucket.blob("note")
    blob.metadata = {"source": "camera 1", "größe": "groß"}
    blob.cache_control = "no-store"
    blob.content_disposition = "attachment"
    blob.content_language = "de"
    blob.upload_from_string("x", content_type="text/plain")

    found = bucket.get_blob("note")

    assert found is not None
    assert found.metadata == {"source": "camera 1", "größe": "groß"}
    assert (found.cache_control, found.content_disposition) == ("no-store", "attachment")
    assert found.content_language == "de"


@pytest.mark.parametrize("kind", ["md5", "crc32c"])
@pytest.mark.parametrize("place", ["metadata", "header"])
def test_wrong_digests_are_refused(
    bucket: Bucket, http: httpx.Client, kind: str, place: str
) -> None:
    """A digest that is not the bytes' own is 400 with Google's sentence, and nothing is stored."""
    wrong, right = (md5(b"other"), md5(b"bytes")) if kind == "md5" else (
        crc32c(b"other"), crc32c(b"bytes"))  # fmt: skip
    fields: dict[str, object] = {"name": "refused"}
    headers = {}
    if place == "metadata":
        fields["md5Hash" if kind == "md5" else "crc32c"] = wrong
    else:
        headers["x-goog-hash"] = f"{kind}={wrong}"

    answer = post_related(http, bucket.name, related(fields, b"bytes"), **headers)

    name = "MD5 hash" if kind == "md5" else "CRC32C"
    assert answer.status_code == 400
    assert answer.json()["error"]["message"] == (
        f'Provided {name} "{wrong}" doesn\'t match calculated {name} "{right}".'
    )
    assert answer.json()["error"]["errors"][0]["reason"] == "invalid"
    assert bucket.get_blob("refused") is None


def test_a_wrong_content_md5_is_refused(bucket: Bucket, http: httpx.Client) -> None:
    """Content-MD5 counts too; an object that was there before stays as it was."""
    bucket.blob("kept").upload_from_string("before")

    answer = http.post(
        f"/upload/storage/v1/b/{bucket.name}/o?uploadType=media&name=kept",
        content=b"after",
        headers={"content-md5": md5(b"something else")},
    )

    assert answer.status_code == 400
    assert bucket.blob("kept").download_as_bytes() == b"before"


def test_the_clients_own_checksums_pass(bucket: Bucket) -> None:
    """Google's client sends md5 or crc32c by itself when asked, and is believed when right."""
    for kind in ("md5", "crc32c", None):
        bucket.blob("x").upload_from_string(b"checked", checksum=kind)

    with pytest.raises(exceptions.BadRequest):
        wrong = bucket.blob("x")
        wrong.md5_hash = md5(b"other")
        wrong.upload_from_string(b"checked", checksum=None)


@pytest.mark.parametrize(
    ("name", "sentence"),
    [
        ("é" * 600, "The maximum object length is 1024 characters, but got a name with 1200"),
        ("..", "Invalid object name: '..'"),
        ("a\nb", "Invalid object name: 'a\\nb'"),
        (".well-known/acme-challenge/x", "Invalid object name"),
        ("", "Required"),
    ],
)
def test_names_that_google_refuses(
    bucket: Bucket, http: httpx.Client, name: str, sentence: str
) -> None:
    """Names too long in bytes, reserved, with line ends, or missing are 400."""
    answer = post_related(http, bucket.name, related({"name": name}, b"x"))

    assert answer.status_code == 400
    assert sentence in answer.json()["error"]["message"]


@pytest.mark.parametrize(
    "query", ["", "?uploadType=other", "?uploadType=multipart&name=x", "?uploadType=media"]
)
def test_uploads_that_make_no_sense(bucket: Bucket, http: httpx.Client, query: str) -> None:
    """An unknown type, a multipart without boundary, a media without name: 400."""
    answer = http.post(f"/upload/storage/v1/b/{bucket.name}/o{query}", content=b"x")

    assert answer.status_code == 400


def test_a_multipart_without_its_end_stores_nothing(bucket: Bucket, http: httpx.Client) -> None:
    """A body cut before the closing boundary is 400, not a shorter object."""
    whole = related({"name": "cut"}, b"x" * 100)

    answer = post_related(http, bucket.name, whole[:-20])

    assert answer.status_code == 400
    assert bucket.get_blob("cut") is None


def test_a_body_of_another_bucket_is_refused(bucket: Bucket, http: httpx.Client) -> None:
    """The bucket in the metadata must be the one in the address."""
    answer = post_related(http, bucket.name, related({"name": "x", "bucket": "another"}, b"x"))

    assert answer.status_code == 400


@given(
    media=st.binary(max_size=200)
    | st.just(b"\r\n--mar")
    | st.just(b"\n--\r\n--mark".replace(b"mark", b"m")),
    cuts=st.lists(st.integers(0, 400), max_size=12),
)
def test_a_body_in_any_pieces_is_the_same_body(media: bytes, cuts: list[int]) -> None:
    """However the network cuts a multipart body, metadata and media come out whole."""
    body = related({"name": "x"}, media)
    places = sorted({0, len(body), *(cut for cut in cuts if cut < len(body))})
    parser = Related(b"mark")

    got = b"".join(parser.feed(body[start:end]) for start, end in pairwise(places))
    parser.finish()

    assert (got, parser.fields, parser.media_type) == (media, {"name": "x"}, "text/plain")


def test_a_boundary_is_needed() -> None:
    """Quoted and bare boundaries are read; without one it is 400."""
    assert boundary_of('multipart/related; boundary="a b"') == b"a b"
    assert boundary_of("multipart/related; boundary=ab; x=y") == b"ab"
    with pytest.raises(StorageError):
        boundary_of("multipart/related")
