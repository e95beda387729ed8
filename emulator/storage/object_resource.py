"""What an object looks like: as a row, as JSON, and as headers of its bytes."""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import Any
from urllib.parse import quote

from emulator.storage.bucket_resource import etag
from emulator.storage.encryption import resource_fields
from emulator.storage.merge import merged

Body = dict[str, Any]

COLUMNS = (
    "bucket, name, generation, metageneration, sha256, md5, crc32c, size_bytes,"
    " created, updated, body, acl, secret"
)
DEFAULT_TYPE = "application/octet-stream"
# What a client may set; everything else in an object is computed.
WRITABLE = frozenset(
    {
        "contentType", "metadata", "cacheControl", "contentDisposition", "contentEncoding",
        "contentLanguage", "customTime", "temporaryHold", "eventBasedHold", "storageClass",
    }
)  # fmt: skip


@dataclass(frozen=True)
class ObjectRow:
    """A generation of an object; digests as Google prints them (base64), sha256 in hex.

    `md5` is "" where there is none (composed objects). `acl` are its access controls, None where
    they follow from the bucket; `secret` is how its bytes are encrypted, None: they are not.
    """

    bucket: str
    name: str
    generation: int
    metageneration: int
    sha256: str
    md5: str
    crc32c: str
    size_bytes: int
    created: str
    updated: str
    body: Body
    acl: list[Body] | None = None
    secret: Body | None = None

    @property
    def content_type(self) -> str:
        """The media type, or Google's default."""
        return str(self.body.get("contentType") or DEFAULT_TYPE)

    @property
    def etag(self) -> str:
        """The entity tag of this generation and metageneration."""
        return etag(self.metageneration, self.generation)


def from_columns(row: tuple[Any, ...]) -> ObjectRow:
    """The object in a row of COLUMNS."""
    acl, secret = (json.loads(text) if text else None for text in row[-2:])
    values = (*row[:-3], json.loads(row[-3]), acl, secret)
    return ObjectRow(*values)


def to_columns(row: ObjectRow) -> tuple[Any, ...]:
    """The values of COLUMNS for an object."""
    return (
        row.bucket, row.name, row.generation, row.metageneration, row.sha256, row.md5, row.crc32c,
        row.size_bytes, row.created, row.updated, _dump(row.body),
        None if row.acl is None else _dump(row.acl),
        None if row.secret is None else _dump(row.secret),
    )  # fmt: skip


def writable(sent: Body) -> Body:
    """The fields of what a client sent that it may set, nulls left out."""
    body = {key: value for key, value in sent.items() if key in WRITABLE and value is not None}
    if "metadata" in body:
        body["metadata"] = _texts(body["metadata"])
    return body


def patched(body: Body, sent: Body) -> Body:
    """The fields after a merge patch; a null removes one, in `metadata` too."""
    patch = {key: value for key, value in sent.items() if key in WRITABLE}
    return writable(merged(body, patch))


def resource(row: ObjectRow, base_url: str, *, revealed: bool = False) -> Body:
    """The object as JSON; 64-bit numbers are strings, as Google's JSON has them.

    Checksums of bytes under a customer's key are told only with `revealed`: the key was supplied.
    """
    path = f"/storage/v1/b/{row.bucket}/o/{quote(row.name, safe='')}"
    return {
        "kind": "storage#object",
        "id": f"{row.bucket}/{row.name}/{row.generation}",
        "selfLink": base_url + path,
        "mediaLink": f"{base_url}/download{path}?generation={row.generation}&alt=media",
        "name": row.name,
        "bucket": row.bucket,
        "generation": str(row.generation),
        "metageneration": str(row.metageneration),
        "contentType": row.content_type,
        "storageClass": "STANDARD",
        "size": str(row.size_bytes),
        **(_checksums(row) if revealed or row.secret is None else {}),
        "etag": row.etag,
        "timeCreated": row.created,
        "updated": row.updated,
        "timeStorageClassUpdated": row.created,
        "timeFinalized": row.created,
        **resource_fields(row.secret),
        **row.body,
    }


def _checksums(row: ObjectRow) -> Body:
    return {"crc32c": row.crc32c} | ({"md5Hash": row.md5} if row.md5 else {})


def _dump(value: Any) -> str:
    return json.dumps(value, ensure_ascii=False, separators=(",", ":"))


def _texts(metadata: Any) -> Any:
    if not isinstance(metadata, dict):
        return metadata
    return {key: str(value) for key, value in metadata.items() if value is not None}
