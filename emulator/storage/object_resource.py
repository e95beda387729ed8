"""What an object looks like: as a row, as JSON, and as headers of its bytes."""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any
from urllib.parse import quote

from emulator.storage.bucket_resource import etag
from emulator.storage.encryption import resource_fields

if TYPE_CHECKING:
    from emulator.storage.buckets import BucketRow

Body = dict[str, Any]

COLUMNS = (
    "bucket, name, generation, metageneration, sha256, md5, crc32c, size_bytes,"
    " created, updated, body, acl, secret"
)
DEFAULT_TYPE = "application/octet-stream"
# Fields of a stored body that no client sees.
HIDDEN = "_"
# When a generation that is now softly deleted had become noncurrent.
NONCURRENT = "_noncurrent"


@dataclass(frozen=True)
class ObjectRow:
    """A generation of an object; digests as Google prints them (base64), sha256 in hex.

    `md5` is "" where there is none (composed objects). `acl` are its access controls, None where
    they follow from the bucket; `secret` is how its bytes are encrypted, None: they are not.
    `deleted` is when it stopped being live, `expires` until when it can be restored: None for a
    live object and for a noncurrent one. `home` is its bucket, where that was read with it.
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
    deleted: str | None = None
    expires: str | None = None
    home: BucketRow | None = field(default=None, compare=False, repr=False)

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
    acl, secret = row[-2], row[-1]
    values = (
        *row[:-3],
        json.loads(row[-3]),
        json.loads(acl) if acl else None,
        json.loads(secret) if secret else None,
    )
    return ObjectRow(*values)


def to_columns(row: ObjectRow) -> tuple[Any, ...]:
    """The values of COLUMNS for an object."""
    return (
        row.bucket, row.name, row.generation, row.metageneration, row.sha256, row.md5, row.crc32c,
        row.size_bytes, row.created, row.updated, _dump(row.body),
        None if row.acl is None else _dump(row.acl),
        None if row.secret is None else _dump(row.secret),
    )  # fmt: skip


def resource(
    row: ObjectRow, base_url: str, *, revealed: bool = False, expiration: str | None = None
) -> Body:
    """The object as JSON; 64-bit numbers are strings, as Google's JSON has them.

    Checksums of bytes under a customer's key are told only with `revealed`: the key was supplied.
    `expiration` is the `retentionExpirationTime`, which depends on the bucket.
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
        "storageClass": "STANDARD",
        "size": str(row.size_bytes),
        **(_checksums(row) if revealed or row.secret is None else {}),
        "etag": row.etag,
        "timeCreated": row.created,
        "updated": row.updated,
        "timeStorageClassUpdated": row.created,
        "timeFinalized": row.created,
        **resource_fields(row.secret),
        **{key: value for key, value in row.body.items() if key[0] != HIDDEN},
        **_ends(row),
        **({"retentionExpirationTime": expiration} if expiration else {}),
    }


def _ends(row: ObjectRow) -> Body:
    """When it became noncurrent, when it was softly deleted, and until when it can be restored."""
    if row.deleted is None:
        return {}
    if row.expires is None:
        return {"timeDeleted": row.deleted}
    ends = {"softDeleteTime": row.deleted, "hardDeleteTime": row.expires}
    return {**ends, **({"timeDeleted": row.body[NONCURRENT]} if NONCURRENT in row.body else {})}


def _checksums(row: ObjectRow) -> Body:
    return {"crc32c": row.crc32c} | ({"md5Hash": row.md5} if row.md5 else {})


def _dump(value: Any) -> str:
    return json.dumps(value, ensure_ascii=False, separators=(",", ":"))
