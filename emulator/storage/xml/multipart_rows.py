"""Uploads in parts, as rows: what an upload is to become, and the blobs that have come for it."""

from __future__ import annotations

import json
import sqlite3
from dataclasses import dataclass
from typing import Any

from emulator.clock import timestamp
from emulator.cloud import Cloud
from emulator.storage import buckets
from emulator.storage.errors import StorageError
from emulator.storage.xml.errors import no_such
from emulator.store.blobs import BlobRef

Body = dict[str, Any]
# Of our own: what clients that never finish may leave behind.
OPEN_UPLOADS = 10_000
TOO_MANY = f"There are {OPEN_UPLOADS} unfinished uploads in parts. Complete or abort some."
GONE = "The requested upload was not found."


@dataclass(frozen=True)
class Upload:
    """An upload that has been begun; `key_sha256` is the customer's key it began with, or ""."""

    id: str
    bucket: str
    name: str
    fields: Body
    query: dict[str, str]
    key_sha256: str
    created: str


@dataclass(frozen=True)
class PartRow:
    """A part that has come; digests and length are those of its plain bytes."""

    number: int
    sha256: str
    md5: str
    crc32c: str
    size_bytes: int
    created: str
    secret: Body | None


def insert(cloud: Cloud, upload: Upload) -> None:
    """Keeps a new upload. 404 without its bucket."""
    request = {"fields": upload.fields, "query": upload.query, "key": upload.key_sha256}
    with cloud.store.transaction() as db:
        buckets.require(db, upload.bucket)
        (open_uploads,) = db.execute("SELECT COUNT(*) FROM multipart_uploads").fetchone()
        if open_uploads >= OPEN_UPLOADS:
            raise StorageError(429, "rateLimitExceeded", TOO_MANY)
        db.execute(
            "INSERT INTO multipart_uploads (id, bucket, name, request, created)"
            " VALUES (?, ?, ?, ?, ?)",
            (upload.id, upload.bucket, upload.name, json.dumps(request), upload.created),
        )


def require(db: sqlite3.Connection, bucket: str, name: str, upload_id: str) -> Upload:
    """The upload of that id. 404 NoSuchUpload when it is not one of this object, or over."""
    row = db.execute(
        "SELECT id, bucket, name, request, created FROM multipart_uploads"
        " WHERE id = ? AND bucket = ? AND name = ?",
        (upload_id, bucket, name),
    ).fetchone()
    if row is None:
        raise no_such("NoSuchUpload", GONE)
    return _upload(row)


def of_bucket(
    db: sqlite3.Connection, bucket: str, prefix: str, start: tuple[str, str], limit: int
) -> list[Upload]:
    """At most `limit` uploads of a bucket behind (name, id), by name and id. 404 without it."""
    buckets.require(db, bucket)
    rows = db.execute(
        "SELECT id, bucket, name, request, created FROM multipart_uploads WHERE bucket = ?"
        " AND (name, id) > (?, ?) AND substr(name, 1, ?) = ? ORDER BY name, id LIMIT ?",
        (bucket, *start, len(prefix), prefix, limit),
    )
    return [_upload(row) for row in rows]


def keep_part(
    cloud: Cloud, upload: Upload, number: int, reference: BlobRef, secret: Body | None
) -> None:
    """Keeps a part, in the place of an earlier one of its number. 404 when the upload is over."""
    with cloud.store.transaction() as db:
        require(db, upload.bucket, upload.name, upload.id)
        before = [part for part in parts(db, upload.id) if part.number == number]
        db.execute(
            "INSERT OR REPLACE INTO multipart_parts (upload, number, sha256, md5, crc32c,"
            " size_bytes, created, secret) VALUES (?, ?, ?, ?, ?, ?, ?, ?)",
            (upload.id, number, reference.sha256, reference.md5, reference.crc32c,
             reference.size_bytes, timestamp(cloud.clock.now()),
             json.dumps(secret) if secret else None),
        )  # fmt: skip
        for part in before:
            _let_go(cloud, part)


def parts(db: sqlite3.Connection, upload_id: str) -> list[PartRow]:
    """The parts that have come, by number."""
    rows = db.execute(
        "SELECT number, sha256, md5, crc32c, size_bytes, created, secret FROM multipart_parts"
        " WHERE upload = ? ORDER BY number",
        (upload_id,),
    )
    return [_part(row) for row in rows]


def drop(cloud: Cloud, upload_id: str) -> None:
    """Forgets an upload and its parts; their bytes go where nothing else refers to them."""
    with cloud.store.transaction() as db:
        for part in parts(db, upload_id):
            _let_go(cloud, part)
        db.execute("DELETE FROM multipart_uploads WHERE id = ?", (upload_id,))


def sweep(cloud: Cloud) -> None:
    """Forgets the uploads of buckets that are gone; for the start of the server."""
    with cloud.store.transaction() as db:
        rows = db.execute(
            "SELECT id FROM multipart_uploads WHERE bucket NOT IN (SELECT name FROM buckets)"
        ).fetchall()
        for (upload_id,) in rows:
            drop(cloud, upload_id)


def _upload(row: tuple[Any, ...]) -> Upload:
    upload_id, bucket, name, request, created = row
    said = json.loads(request)
    return Upload(upload_id, bucket, name, said["fields"], said["query"], said["key"], created)


def _part(row: tuple[Any, ...]) -> PartRow:
    values = (*row[:-1], json.loads(row[-1]) if row[-1] else None)
    return PartRow(*values)


def _let_go(cloud: Cloud, part: PartRow) -> None:
    cloud.store.after_commit(lambda: cloud.blobs.release(part.sha256))
