"""Keys that customers supply: the bytes are really encrypted, and the key is never kept.

https://cloud.google.com/storage/docs/encryption/customer-supplied-keys: AES-256; the blob is the
bytes under AES-256-CTR with a nonce of its own, so that a range of one is a range of the other.
"""

from __future__ import annotations

import hmac
import os
import re
from base64 import b64decode, b64encode
from collections.abc import Callable, Iterator, Mapping
from dataclasses import replace
from hashlib import sha256
from pathlib import Path
from typing import Any

from emulator.storage.errors import StorageError, invalid
from emulator.store.blobs import MEMORY_BYTES, BlobRef, Digests

ALGORITHM = "AES256"
KEY_BYTES = 32
BLOCK_BYTES = 16
HEADER, SOURCE_HEADER = "x-goog-encryption-", "x-goog-copy-source-encryption-"
# https://cloud.google.com/storage/docs/json_api/v1/status-codes, read 2026-11-21: reasons of 400.
SENTENCES = {
    "customerEncryptionAlgorithmIsInvalid": "Missing an encryption algorithm, or the provided "
    'algorithm is not "AES256."',
    "customerEncryptionKeyFormatIsInvalid": "Missing an encryption key, or it is not Base64 "
    "encoded, or it does not meet the required length of the encryption algorithm.",
    "customerEncryptionKeySha256IsInvalid": "Missing a SHA256 hash of the encryption key, or it "
    "is not Base64 encoded, or it does not match the encryption key.",
    "customerEncryptionKeyIsIncorrect": "The provided encryption key is incorrect.",
    "resourceIsEncryptedWithCustomerEncryptionKey": "The target object is encrypted by a "
    "customer-supplied encryption key.",
    "resourceNotEncryptedWithCustomerEncryptionKey": "The target object is not encrypted by a "
    "customer-supplied encryption key.",
}

# https://cloud.google.com/kms/docs/getting-resource-ids: a key, or a version of it.
MANAGED = re.compile(
    r"projects/[^/]+/locations/[^/]+/keyRings/[^/]+/cryptoKeys/[^/]+(/cryptoKeyVersions/\d+)?"
)
VERSION = "/cryptoKeyVersions/"

Secret = dict[str, Any]
Transform = Callable[[bytes], bytes]


def key_of(headers: Mapping[str, str], prefix: str = HEADER) -> bytes | None:
    """The 32-byte key that a request supplies, or None. 400 where its three headers disagree."""
    algorithm = headers.get(f"{prefix}algorithm", "")
    text, digest = headers.get(f"{prefix}key", ""), headers.get(f"{prefix}key-sha256", "")
    if not algorithm and not text and not digest:
        return None
    if algorithm != ALGORITHM:
        raise _refusal("customerEncryptionAlgorithmIsInvalid")
    key = _decoded(text)
    if len(key) != KEY_BYTES:
        raise _refusal("customerEncryptionKeyFormatIsInvalid")
    if _decoded(digest) != sha256(key).digest():
        raise _refusal("customerEncryptionKeySha256IsInvalid")
    return key


def required_key(
    secret: Secret | None, headers: Mapping[str, str], prefix: str = HEADER
) -> bytes | None:
    """The key of an object's bytes, None where they are not encrypted.

    400 when it is missing, when it is another one, and when the bytes need none.
    """
    key = key_of(headers, prefix)
    if secret is None:
        if key is not None:
            raise _refusal("resourceNotEncryptedWithCustomerEncryptionKey")
        return None
    if key is None:
        raise _refusal("resourceIsEncryptedWithCustomerEncryptionKey")
    if not hmac.compare_digest(key_digest(key), str(secret["sha256"])):
        raise _refusal("customerEncryptionKeyIsIncorrect")
    return key


def revealed(secret: Secret | None, headers: Mapping[str, str]) -> bool:
    """Whether a request for metadata may see the checksums; 400 for a key that is another one."""
    if secret is None or key_of(headers) is None:
        return secret is None
    return required_key(secret, headers) is not None


def key_digest(key: bytes) -> str:
    """The base64 of a key's SHA-256, by which Google and clients name it."""
    return b64encode(sha256(key).digest()).decode()


def resource_fields(secret: Secret | None) -> dict[str, Any]:
    """`customerEncryption` as an object's JSON has it; nothing for bytes that are not encrypted."""
    if secret is None:
        return {}
    described = {"encryptionAlgorithm": ALGORITHM, "keySha256": secret["sha256"]}
    return {"customerEncryption": described}


def managed_key(
    bucket_body: Mapping[str, Any], fields: Mapping[str, Any], secret: Secret | None
) -> dict[str, str]:
    """`kmsKeyName` of a new object, with a version: the one asked for, or the bucket's default.

    It is kept and shown; no key service is asked, and the bytes are not encrypted by it.
    400 for a name that is not a key's, and for one beside a key that the customer supplies.
    """
    asked = str(fields.get("kmsKeyName") or "")
    name = asked or (bucket_body.get("encryption") or {}).get("defaultKmsKeyName", "")
    if asked and not MANAGED.fullmatch(asked):
        raise invalid(f"Malformed Cloud KMS crypto key: {asked}")
    if asked and secret is not None:
        raise invalid("A Cloud KMS key and a customer-supplied encryption key exclude each other.")
    if not name or secret is not None:
        return {}
    return {"kmsKeyName": name if VERSION in name else f"{name}{VERSION}1"}


class Seal:
    """Encrypts one body as it comes, and knows the digests of what it was."""

    def __init__(self, key: bytes) -> None:
        nonce = os.urandom(BLOCK_BYTES)
        self.secret: Secret = {"sha256": key_digest(key), "nonce": b64encode(nonce).decode()}
        self._plain = Digests()
        self._encrypt = _stream(key, nonce, 0)

    @classmethod
    def for_request(cls, headers: Mapping[str, str]) -> Seal | None:
        """The seal for what a request writes: None unless it supplies a key."""
        key = key_of(headers)
        return None if key is None else cls(key)

    def update(self, data: bytes) -> bytes:
        """The next bytes, encrypted."""
        self._plain.update(data)
        return self._encrypt(data)

    def reference(self, stored: BlobRef) -> BlobRef:
        """What the bytes are: digests and length of the plain ones, file of the stored ones."""
        return replace(self._plain.reference(), sha256=stored.sha256)


def opener(secret: Secret | None, key: bytes | None, start: int = 0) -> Transform:
    """What makes stored bytes from position `start` on plain again."""
    if secret is None or key is None:
        return lambda data: data
    return _stream(key, b64decode(secret["nonce"]), start)


def plain_pieces(path: Path, secret: Secret | None, key: bytes | None) -> Iterator[bytes]:
    """The plain bytes of a whole blob, piece by piece."""
    opened = opener(secret, key)
    with path.open("rb") as file:
        while data := file.read(MEMORY_BYTES):
            yield opened(data)


def _stream(key: bytes, nonce: bytes, start: int) -> Transform:
    from cryptography.hazmat.primitives.ciphers import Cipher, algorithms, modes

    blocks, skipped = divmod(start, BLOCK_BYTES)
    counter = (int.from_bytes(nonce, "big") + blocks) % (1 << 8 * BLOCK_BYTES)
    mode = modes.CTR(counter.to_bytes(BLOCK_BYTES, "big"))
    cipher = Cipher(algorithms.AES(key), mode).encryptor()
    cipher.update(bytes(skipped))
    return cipher.update


def _refusal(reason: str) -> StorageError:
    return StorageError(400, reason, SENTENCES[reason])


def _decoded(text: str) -> bytes:
    try:
        return b64decode(text, validate=True)
    except ValueError:
        return b""
