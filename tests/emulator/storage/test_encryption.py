"""Keys that customers supply: every way in and out, by Google's client and by raw HTTP."""

from __future__ import annotations

import os
from base64 import b64encode
from collections.abc import Callable
from hashlib import sha256
from typing import Any

import httpx
import pytest
from google.api_core import exceptions
from google.cloud.storage import Bucket, Client
from hypothesis import given, settings
from hypothesis import strategies as st

from emulator.storage.encryption import Seal, opener
from tests.local_cloud import LocalCloud

KEY, OTHER = bytes(range(32)), bytes(32)
DATA = os.urandom((1 << 20) + 77)


def headers(key: bytes, prefix: str = "x-goog-encryption-") -> dict[str, str]:
    """The three headers of a key."""
    return {
        f"{prefix}algorithm": "AES256",
        f"{prefix}key": b64encode(key).decode(),
        f"{prefix}key-sha256": b64encode(sha256(key).digest()).decode(),
    }


def reason(answer: httpx.Response) -> tuple[int, str]:
    """Status and reason of a refusal."""
    return answer.status_code, answer.json()["error"]["errors"][0]["reason"]


@pytest.mark.parametrize("chunk_size", [None, 256 << 10])
def test_google_s_client_round_trip(bucket: Bucket, chunk_size: int | None) -> None:
    """In one request or by chunks, whole or a part; the client's own checksum checks pass."""
    blob = bucket.blob("secret", encryption_key=KEY, chunk_size=chunk_size)

    blob.upload_from_string(DATA)

    assert blob.download_as_bytes() == DATA
    assert blob.download_as_bytes(start=999, end=1_048_600) == DATA[999:1_048_601]
    with pytest.raises(exceptions.BadRequest):
        bucket.blob("secret").download_as_bytes()
    with pytest.raises(exceptions.BadRequest):
        bucket.blob("secret", encryption_key=OTHER).download_as_bytes()


def test_the_bytes_on_disk_are_not_those_of_the_object(
    start: Callable[..., LocalCloud], connect: Callable[[str], Client]
) -> None:
    """Neither the plain bytes nor the key are anywhere in the data folder."""
    cloud, key = start(), os.urandom(32)
    bucket = connect(cloud.url).create_bucket("keys")
    mark = b"a sentence that is nowhere else " * 40
    bucket.blob("plain").upload_from_string(mark + b"1")
    bucket.blob("secret", encryption_key=key).upload_from_string(mark + b"2")

    files = [path for path in cloud.data.rglob("*") if path.is_file()]
    texts = [path.read_bytes() for path in files]
    assert any(mark + b"1" in text for text in texts)
    assert not any(mark + b"2" in text or key in text for text in texts)
    assert not any(b64encode(key) in text for text in texts)


def test_metadata_tells_that_there_is_a_key(http: httpx.Client, bucket: Bucket) -> None:
    """customerEncryption for everybody, checksums for who has the key, a wrong one is refused."""
    path = f"/storage/v1/b/{bucket.name}/o/secret"
    bucket.blob("secret", encryption_key=KEY).upload_from_string(b"x")

    bare, known = http.get(path).json(), http.get(path, headers=headers(KEY)).json()

    described = {
        "encryptionAlgorithm": "AES256",
        "keySha256": b64encode(sha256(KEY).digest()).decode(),
    }
    assert bare["customerEncryption"] == known["customerEncryption"] == described
    assert "md5Hash" not in bare and "crc32c" not in bare
    assert known["md5Hash"] == "ndTkYSaMgDT1yFZOFVxnpg=="
    (listed,) = http.get(f"/storage/v1/b/{bucket.name}/o").json()["items"]
    assert "crc32c" not in listed and listed["size"] == "1"
    wrong = http.get(path, headers=headers(OTHER))
    assert reason(wrong) == (400, "customerEncryptionKeyIsIncorrect")


@pytest.mark.parametrize(
    ("change", "wanted"),
    [({"algorithm": "AES128"}, "customerEncryptionAlgorithmIsInvalid"),
     ({"algorithm": ""}, "customerEncryptionAlgorithmIsInvalid"),
     ({"key": "c2hvcnQ="}, "customerEncryptionKeyFormatIsInvalid"),
     ({"key": "%%"}, "customerEncryptionKeyFormatIsInvalid"),
     ({"key-sha256": "AAAA"}, "customerEncryptionKeySha256IsInvalid")],
)  # fmt: skip
def test_headers_that_do_not_agree(
    http: httpx.Client, bucket: Bucket, change: dict[str, str], wanted: str
) -> None:
    """Each of the three is checked, and its refusal has Google's reason."""
    named = {f"x-goog-encryption-{name}": text for name, text in change.items()}
    path = f"/upload/storage/v1/b/{bucket.name}/o?uploadType=media&name=x"

    assert reason(http.post(path, content=b"x", headers=headers(KEY) | named)) == (400, wanted)


def test_reads_that_need_no_key_or_another(http: httpx.Client, bucket: Bucket) -> None:
    """Without the key, with another one, and with one for bytes that are not encrypted."""
    bucket.blob("secret", encryption_key=KEY).upload_from_string(b"x")
    bucket.blob("plain").upload_from_string(b"x")
    path = f"/storage/v1/b/{bucket.name}/o"

    for name, sent, wanted in (
        ("secret", {}, "is encrypted by a customer-supplied encryption key"),
        ("secret", headers(OTHER), "key is incorrect"),
        ("plain", headers(KEY), "is not encrypted by a customer-supplied encryption key"),
    ):
        answer = http.get(f"{path}/{name}?alt=media", headers=sent)
        assert answer.status_code == 400 and wanted in answer.text


def test_rewrite_and_compose(http: httpx.Client, bucket: Bucket) -> None:
    """A rewrite takes the key off, puts one on or changes it; compose joins under one key."""
    plain = bucket.blob("plain")
    plain.upload_from_string(DATA)
    secret = bucket.blob("secret", encryption_key=KEY)
    other = bucket.blob("other", encryption_key=OTHER)

    for target, source in ((secret, plain), (other, secret), (bucket.blob("bare"), other)):
        token, _, _ = target.rewrite(source)
        assert token is None
        assert target.download_as_bytes() == DATA
    path = f"/storage/v1/b/{bucket.name}/o/both/compose"
    sources = {"sourceObjects": [{"name": "secret"}, {"name": "secret"}]}
    assert reason(http.post(path, json=sources))[0] == 400
    assert http.post(path, json=sources, headers=headers(KEY)).status_code == 200
    joined = bucket.blob("both", encryption_key=KEY).download_as_bytes()
    assert joined == DATA + DATA


def test_the_xml_api(http: httpx.Client, bucket: Bucket) -> None:
    """Put, read, looked at and copied with a key; the refusals have the XML API's codes."""
    path = f"/{bucket.name}/x"

    assert http.put(path, content=DATA, headers=headers(KEY)).status_code == 200

    assert http.get(path, headers=headers(KEY) | {"range": "bytes=5-40"}).content == DATA[5:41]
    head = http.head(path)
    assert (head.status_code, "x-goog-hash" in head.headers) == (200, False)
    assert head.headers["x-goog-encryption-algorithm"] == "AES256"
    assert "x-goog-hash" in http.head(path, headers=headers(KEY)).headers
    bare = http.get(path)
    assert "<Code>ResourceIsEncryptedWithCustomerEncryptionKey</Code>" in bare.text
    source = {"x-goog-copy-source": path} | headers(KEY, "x-goog-copy-source-encryption-")
    assert http.put(f"/{bucket.name}/y", headers=source).status_code == 200
    assert http.get(f"/{bucket.name}/y").content == DATA


def test_the_key_of_a_key_service_is_kept_by_name(bucket: Bucket) -> None:
    """kmsKeyName comes back with a version; the bytes are not encrypted by it."""
    name = "projects/p/locations/us/keyRings/r/cryptoKeys/k"

    blob = bucket.blob("x", kms_key_name=name)
    blob.upload_from_string(b"x")
    blob.reload()

    assert blob.kms_key_name == f"{name}/cryptoKeyVersions/1"
    blob.content_type = "text/x"
    blob.patch()
    assert blob.kms_key_name == f"{name}/cryptoKeyVersions/1"
    assert blob.download_as_bytes() == b"x"


@given(data=st.binary(max_size=100), place=st.integers(0, 120), cut=st.integers(0, 100))
@settings(deadline=None, max_examples=60)
def test_any_place_opens(data: bytes, place: int, cut: int) -> None:
    """Bytes sealed in two pieces open from any place on as what they were."""
    seal = Seal(KEY)
    stored = seal.update(data[:cut]) + seal.update(data[cut:])
    secret: dict[str, Any] = seal.secret

    assert opener(secret, KEY, place)(stored[place:]) == data[place:]
    assert len(data) < 8 or stored != data
