"""Rules of objects: one transaction decides the conditions and makes the write visible."""

from __future__ import annotations

import dataclasses
import sqlite3
from pathlib import Path
from typing import Any

from emulator.clock import timestamp
from emulator.cloud import Cloud
from emulator.storage import buckets
from emulator.storage.errors import no_object
from emulator.storage.names import check_object, successor
from emulator.storage.object_resource import (
    COLUMNS,
    ObjectRow,
    from_columns,
    patched,
    to_columns,
    writable,
)
from emulator.storage.preconditions import ABSENT, Preconditions
from emulator.store.blobs import BlobRef

Body = dict[str, Any]

ANY = Preconditions()


def find(db: sqlite3.Connection, bucket: str, name: str) -> ObjectRow | None:
    """The live object of that name, or None."""
    row = db.execute(
        f"SELECT {COLUMNS} FROM objects WHERE bucket = ? AND name = ?", (bucket, name)
    ).fetchone()
    return None if row is None else from_columns(row)


def require(
    db: sqlite3.Connection, bucket: str, name: str, generation: int | None = None
) -> ObjectRow:
    """The live object, of that generation if one is given. 404 when there is none."""
    row = find(db, bucket, name)
    if row is None:
        buckets.require(db, bucket)
        raise no_object(bucket, name)
    if generation is not None and generation != row.generation:
        raise no_object(bucket, f"{name}#{generation}")
    return row


def get_object(cloud: Cloud, bucket: str, name: str) -> ObjectRow | None:
    """The live object of that name, or None."""
    with cloud.store.read() as db:
        return find(db, bucket, name)


def list_names(cloud: Cloud, bucket: str, prefix: str) -> list[str]:
    """The names of the live objects that start with `prefix`, in order. 404 without the bucket."""
    with cloud.store.read() as db:
        buckets.require(db, bucket)
        where, values = _prefix_clause(bucket, prefix)
        rows = db.execute(f"SELECT name FROM objects WHERE {where} ORDER BY name", values)
        return [row[0] for row in rows]


def put_file(cloud: Cloud, bucket: str, name: str, path: Path, content_type: str) -> ObjectRow:
    """Stores a copy of a file as an object, whatever was there before."""
    check_object(name)
    with cloud.blobs.writer() as writer:
        writer.write_file(path)
        reference = writer.finish()
        return store_object(cloud, bucket, name, reference, {"contentType": content_type})


def store_object(
    cloud: Cloud,
    bucket: str,
    name: str,
    reference: BlobRef,
    fields: Body,
    conditions: Preconditions = ANY,
    *,
    acl: list[Body] | None = None,
    secret: Body | None = None,
) -> ObjectRow:
    """Makes finished bytes the live object. 404 without the bucket, 412 by the conditions.

    Call it while the writer of the bytes is open: they are pinned until the row refers to them.
    """
    with cloud.store.transaction() as db:
        home = buckets.require(db, bucket)
        before = find(db, bucket, name)
        if before is None:
            conditions.check_write(ABSENT, ABSENT)
        else:
            conditions.check_write(before.generation, before.metageneration)
        body = {"storageClass": home.body["storageClass"]} | writable(fields)
        moment = timestamp(cloud.clock.now())
        row = ObjectRow(
            bucket, name, buckets.next_generation(db, cloud), 1, reference.sha256, reference.md5,
            reference.crc32c, reference.size_bytes, moment, moment, body, acl, secret,
        )  # fmt: skip
        _write(db, row)
        if before is not None and before.sha256 != row.sha256:
            _let_go(cloud, before)
    return row


def patch_object(
    cloud: Cloud,
    bucket: str,
    name: str,
    sent: Body,
    conditions: Preconditions,
    *,
    generation: int | None = None,
    replace: bool = False,
) -> ObjectRow:
    """Changes an object's fields by merge patch, or with `replace` to what was sent."""
    with cloud.store.transaction() as db:
        before = require(db, bucket, name, generation)
        conditions.check_write(before.generation, before.metageneration)
        body = writable(sent) if replace else patched(before.body, sent)
        body.setdefault("storageClass", before.body.get("storageClass", "STANDARD"))
        row = dataclasses.replace(
            before,
            metageneration=before.metageneration + 1,
            updated=timestamp(cloud.clock.now()),
            body=body,
        )
        _write(db, row)
    return row


def delete_object(
    cloud: Cloud, bucket: str, name: str, conditions: Preconditions, generation: int | None = None
) -> None:
    """Deletes the live object. 404 when there is none, 412 by the conditions."""
    with cloud.store.transaction() as db:
        row = require(db, bucket, name, generation)
        conditions.check_write(row.generation, row.metageneration)
        db.execute("DELETE FROM objects WHERE bucket = ? AND name = ?", (bucket, name))
        _let_go(cloud, row)


def delete_prefix(cloud: Cloud, bucket: str, prefix: str) -> int:
    """Deletes every object whose name starts with `prefix`; their number."""
    where, values = _prefix_clause(bucket, prefix)
    with cloud.store.transaction() as db:
        rows = db.execute(f"SELECT {COLUMNS} FROM objects WHERE {where}", values).fetchall()
        db.execute(f"DELETE FROM objects WHERE {where}", values)
        for row in rows:
            _let_go(cloud, from_columns(row))
    return len(rows)


def _prefix_clause(bucket: str, prefix: str) -> tuple[str, tuple[str, ...]]:
    end = successor(prefix)
    if end is None:
        return "bucket = ? AND name >= ?", (bucket, prefix)
    return "bucket = ? AND name >= ? AND name < ?", (bucket, prefix, end)


def _write(db: sqlite3.Connection, row: ObjectRow) -> None:
    db.execute(
        f"INSERT OR REPLACE INTO objects ({COLUMNS}) VALUES (?,?,?,?,?,?,?,?,?,?,?,?,?)",
        to_columns(row),
    )


def _let_go(cloud: Cloud, row: ObjectRow) -> None:
    cloud.store.after_commit(lambda: cloud.blobs.release(row.sha256))
