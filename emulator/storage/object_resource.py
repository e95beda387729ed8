"""What an object looks like: as a row, as JSON, and as headers of its bytes."""

from __future__ import annotations

import json
from dataclasses import dataclass
from datetime import datetime
from email.utils import format_datetime
from typing import Any
from urllib.parse import quote

from emulator.storage.bucket_resource import etag
from emulator.storage.merge import merged
from emulator.web import Header

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
HEADERS = {
    "cacheControl": b"cache-control",
    "contentDisposition": b"content-disposition",
    "contentEncoding": b"content-encoding",
    "contentLanguage": b"content-language",
}


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


def resource(row: ObjectRow, base_url: str) -> Body:
    """The object as JSON; 64-bit numbers are strings, as Google's JSON has them."""
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
        "md5Hash": row.md5,
        "crc32c": row.crc32c,
        "etag": row.etag,
        "timeCreated": row.created,
        "updated": row.updated,
        "timeStorageClassUpdated": row.created,
        "timeFinalized": row.created,
        **row.body,
    }


def media_headers(row: ObjectRow) -> list[Header]:
    """The headers that Cloud Storage sends with an object's bytes."""
    pairs = [
        (b"content-type", row.content_type),
        (b"etag", row.etag),
        (b"last-modified", _http_date(row.updated)),
        (b"accept-ranges", "bytes"),
        (b"x-goog-generation", str(row.generation)),
        (b"x-goog-metageneration", str(row.metageneration)),
        (b"x-goog-hash", f"crc32c={row.crc32c},md5={row.md5}"),
        (b"x-goog-storage-class", str(row.body.get("storageClass", "STANDARD"))),
        (b"x-goog-stored-content-encoding", str(row.body.get("contentEncoding", "identity"))),
        (b"x-goog-stored-content-length", str(row.size_bytes)),
        *((name, str(row.body[key])) for key, name in HEADERS.items() if key in row.body),
    ]
    return [(name, _header_value(value)) for name, value in pairs]


def _header_value(text: str) -> bytes:
    """A header's bytes; line ends cannot leave the header they are in."""
    return text.replace("\r", " ").replace("\n", " ").encode("utf-8")


def _http_date(text: str) -> str:
    return format_datetime(datetime.fromisoformat(text), usegmt=True)


def _dump(value: Any) -> str:
    return json.dumps(value, ensure_ascii=False, separators=(",", ":"))


def _texts(metadata: Any) -> Any:
    if not isinstance(metadata, dict):
        return metadata
    return {key: str(value) for key, value in metadata.items() if value is not None}
