"""Uploads in parts: what clients join out of pieces, and what they are refused."""

from __future__ import annotations

import os
from base64 import b64encode
from collections.abc import Callable
from hashlib import md5, sha256
from pathlib import Path
from xml.etree.ElementTree import Element, fromstring

import httpx
import pytest
from google.cloud.storage import Bucket, Client, transfer_manager

from tests.local_cloud import LocalCloud, start_cloud, stop_cloud

MIB = 1 << 20
SPACE = "{http://s3.amazonaws.com/doc/2006-03-01/}"
KEY = bytes(range(32))
KEY_HEADERS = {
    "x-goog-encryption-algorithm": "AES256",
    "x-goog-encryption-key": b64encode(KEY).decode(),
    "x-goog-encryption-key-sha256": b64encode(sha256(KEY).digest()).decode(),
}
FIVE = os.urandom(5 * MIB)


class Upload:
    """One upload in parts by raw HTTP."""

    def __init__(self, http: httpx.Client, path: str, headers: dict[str, str]) -> None:
        self.http, self.path, self.headers = http, path, headers
        answer = http.post(f"{path}?uploads", headers=headers)
        self.id = fromstring(answer.text).findtext(f"{SPACE}UploadId") or ""

    def put(self, number: int, data: bytes, **headers: str) -> httpx.Response:
        """Sends one part."""
        named = {name.replace("_", "-"): value for name, value in headers.items()}
        query: dict[str, str | int] = {"partNumber": number, "uploadId": self.id}
        return self.http.put(self.path, params=query, content=data, headers=self.headers | named)

    def complete(self, *parts: tuple[int, str]) -> httpx.Response:
        """Asks for the parts to be joined."""
        listed = "".join(
            f"<Part><PartNumber>{number}</PartNumber><ETag>{tag}</ETag></Part>"
            for number, tag in parts
        )
        body = f"<CompleteMultipartUpload>{listed}</CompleteMultipartUpload>"
        return self.http.post(
            self.path, params={"uploadId": self.id}, content=body, headers=self.headers
        )

    def parts(self) -> Element:
        """The list of what has come."""
        return fromstring(self.http.get(self.path, params={"uploadId": self.id}).text)


@pytest.fixture
def begin(http: httpx.Client, bucket: Bucket) -> Callable[..., Upload]:
    """Begins an upload to the object `x` of the test's bucket."""
    return lambda **headers: Upload(
        http, f"/{bucket.name}/x", {name.replace("_", "-"): said for name, said in headers.items()}
    )


def code(answer: httpx.Response) -> tuple[int, str]:
    """Status and code of a refusal."""
    return answer.status_code, fromstring(answer.text).findtext("Code") or ""


def test_google_s_transfer_manager(bucket: Bucket, tmp_path: Path) -> None:
    """upload_chunks_concurrently of Google's client, whose checksum checks pass."""
    path = tmp_path / "big"
    path.write_bytes(FIVE + b"end")
    blob = bucket.blob("dir/../big é")
    blob.metadata, blob.storage_class = {"a": "b"}, "NEARLINE"

    transfer_manager.upload_chunks_concurrently(
        str(path), blob, chunk_size=5 * MIB, worker_type=transfer_manager.THREAD
    )

    made = bucket.get_blob("dir/../big é")
    assert made is not None
    assert made.download_as_bytes() == FIVE + b"end"
    assert (made.metadata, made.storage_class) == ({"a": "b"}, "NEARLINE")
    assert (made.md5_hash, bool(made.crc32c)) == (None, True)


def test_parts_in_any_order_the_last_of_a_number_counts(begin: Callable[..., Upload]) -> None:
    """Parts come out of order and twice; the answer has the entity tag of their digests."""
    upload = begin(content_type="text/plain")
    last = upload.put(7, b"end").headers["etag"]
    upload.put(2, b"not this")
    first = upload.put(2, FIVE).headers["etag"]

    answer = upload.complete((2, first), (7, last))

    both = md5(md5(FIVE).digest() + md5(b"end").digest()).hexdigest()
    assert fromstring(answer.text).findtext(f"{SPACE}ETag") == f'"{both}-2"'
    read = upload.http.get(upload.path)
    assert (read.content, read.headers["content-type"]) == (FIVE + b"end", "text/plain")
    assert code(upload.complete((2, first), (7, last))) == (404, "NoSuchUpload")


def test_what_is_refused(begin: Callable[..., Upload]) -> None:
    """Wrong tags, order, sizes, numbers, digests and documents, each by Google's code."""
    upload = begin()
    one, two = (upload.put(number, b"small").headers["etag"] for number in (1, 2))

    assert code(upload.complete((1, one), (2, '"0"'))) == (400, "InvalidPart")
    assert code(upload.complete((1, one), (3, two))) == (400, "InvalidPart")
    assert code(upload.complete((2, two), (1, one))) == (400, "InvalidPartOrder")
    assert code(upload.complete((1, one), (2, two))) == (400, "EntityTooSmall")
    assert code(upload.complete()) == (400, "MalformedXML")
    assert code(upload.put(0, b"")) == code(upload.put(10_001, b"")) == (400, "InvalidArgument")
    assert code(upload.put(3, b"x", x_goog_hash="crc32c=AAAAAA==")) == (400, "CrcMismatch")
    entity = '<!DOCTYPE a [<!ENTITY b "c">]><CompleteMultipartUpload>&b;</CompleteMultipartUpload>'
    sent = upload.http.post(upload.path, params={"uploadId": upload.id}, content=entity)
    assert code(sent) == (400, "MalformedXML")
    assert upload.complete((2, two)).status_code == 200


def test_lists_and_abort(begin: Callable[..., Upload], bucket: Bucket) -> None:
    """Open uploads and their parts are listed, page by page, and gone after the abort."""
    upload, other = begin(), begin()
    for number in (1, 2, 3):
        upload.put(number, b"x" * number)

    assert [e.text for e in upload.parts().iter(f"{SPACE}Size")] == ["1", "2", "3"]
    query = f"uploadId={upload.id}&max-parts=1&part-number-marker=1"
    page = fromstring(upload.http.get(f"{upload.path}?{query}").text)
    assert page.findtext(f"{SPACE}NextPartNumberMarker") == "2"
    assert page.findtext(f"{SPACE}IsTruncated") == "true"
    uploads = fromstring(upload.http.get(f"/{bucket.name}?uploads").text)
    assert {e.text for e in uploads.iter(f"{SPACE}UploadId")} == {upload.id, other.id}
    assert upload.http.delete(upload.path, params={"uploadId": upload.id}).status_code == 204
    assert code(upload.http.get(upload.path, params={"uploadId": upload.id})) == (
        404, "NoSuchUpload",
    )  # fmt: skip
    assert code(upload.put(1, b"late")) == (404, "NoSuchUpload")


def test_with_a_customer_s_key(begin: Callable[..., Upload]) -> None:
    """Every step supplies the key; the joined object opens with it alone."""
    upload = begin(**KEY_HEADERS)
    one = upload.put(1, FIVE).headers["etag"]
    two = upload.put(2, b"end").headers["etag"]

    bare = upload.http.put(f"{upload.path}?partNumber=3&uploadId={upload.id}", content=b"x")
    assert code(bare) == (400, "ResourceIsEncryptedWithCustomerEncryptionKey")
    assert upload.complete((1, one), (2, two)).status_code == 200
    assert code(upload.http.get(upload.path))[0] == 400
    ranged = KEY_HEADERS | {"range": f"bytes={5 * MIB - 2}-"}
    assert upload.http.get(upload.path, headers=ranged).content == FIVE[-2:] + b"end"


def test_parts_survive_the_death_of_the_server(
    tmp_path: Path, connect: Callable[[str], Client]
) -> None:
    """Parts that were acknowledged are there after kill -9, and can be joined."""
    cloud: LocalCloud = start_cloud(tmp_path / "data")
    bucket = connect(cloud.url).create_bucket("parts")
    with httpx.Client(base_url=cloud.url) as http:
        upload = Upload(http, "/parts/x", {})
        tags = [upload.put(1, FIVE).headers["etag"], upload.put(2, b"end").headers["etag"]]
    cloud.process.kill()
    cloud.process.wait()

    again = start_cloud(tmp_path / "data")
    try:
        with httpx.Client(base_url=again.url) as http:
            upload.http = http
            assert upload.complete((1, tags[0]), (2, tags[1])).status_code == 200
            assert http.get("/parts/x").content == FIVE + b"end"
            assert bucket.name == "parts"
    finally:
        stop_cloud(again)
