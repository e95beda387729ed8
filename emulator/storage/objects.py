"""Rules of objects: one transaction decides the conditions and makes the write visible."""

from __future__ import annotations

import dataclasses
import sqlite3
from functools import partial
from pathlib import Path
from typing import Any

from emulator.clock import timestamp
from emulator.cloud import Cloud
from emulator.storage import (
    acl,
    bucket_encryption,
    buckets,
    encryption,
    folders,
    object_fields,
    retention,
    rights,
    versions,
)
from emulator.storage.errors import StorageError, no_object
from emulator.storage.names import check_object, successor
from emulator.storage.object_resource import COLUMNS, ObjectRow, from_columns, to_columns
from emulator.storage.preconditions import ABSENT, NONE, Preconditions
from emulator.store.blobs import BlobRef
from emulator.tokens import Caller

Body = dict[str, Any]


def find(db: sqlite3.Connection, bucket: str, name: str) -> ObjectRow | None:
    """The live object of that name, or None."""
    row = db.execute(
        f"SELECT {COLUMNS} FROM objects WHERE bucket = ? AND name = ?", (bucket, name)
    ).fetchone()
    return None if row is None else from_columns(row)


def require(
    db: sqlite3.Connection, bucket: str, name: str, generation: int | None = None
) -> ObjectRow:
    """The live object, or that generation of it, noncurrent ones too. 404 when there is none."""
    row = find(db, bucket, name)
    if row is not None and generation in (None, row.generation):
        return row
    home = buckets.require(db, bucket)
    if generation is None:
        raise no_object(bucket, name)
    old = versions.noncurrent(db, home, name, generation)
    if old is None:
        raise no_object(bucket, f"{name}#{generation}")
    return old


def require_restorable(
    cloud: Cloud, db: sqlite3.Connection, bucket: str, name: str, generation: int
) -> ObjectRow:
    """A softly deleted generation. 404 when there is none, 412 for one that is not deleted."""
    home = buckets.require(db, bucket)
    row = versions.restorable(db, home, name, generation, cloud.clock.now())
    if row is not None:
        return row
    live = find(db, bucket, name)
    here = live is not None and live.generation == generation
    if here or versions.noncurrent(db, home, name, generation):
        raise StorageError(412, "objectNotSoftDeleted", "The object is not soft-deleted.")
    raise no_object(bucket, f"{name}#{generation}")


def state(row: ObjectRow | None) -> tuple[int, int, str]:
    """Generation, metageneration and etag, as preconditions are judged by; none are absent."""
    return (ABSENT, ABSENT, "") if row is None else (row.generation, row.metageneration, row.etag)


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
    conditions: Preconditions = NONE,
    *,
    caller: Caller | None = None,
    predefined_acl: str | None = None,
    secret: Body | None = None,
    computed: Body | None = None,
) -> ObjectRow:
    """Makes finished bytes the live object: 404 without the bucket, 412 by the conditions.

    403 where what is there may not be replaced yet. `fields` are a client's, `acl` among them;
    `computed` are the server's. An object's maker owns it: `caller`, or the local owner.
    Call it while the writer of the bytes is open: they are pinned until the row refers to them.
    """
    with cloud.store.transaction() as db:
        home = buckets.require(db, bucket)
        before = find(db, bucket, name)
        rights.require_write(cloud, caller, bucket, name, old=before is not None)
        conditions.check_write(*state(before))
        now = cloud.clock.now()
        if before is not None:
            retention.check_replacement(home.body, before, now)
        controls = acl.for_new_object(home, caller, predefined_acl, fields.get("acl"))
        body = object_fields.new(home.body, fields, now) | (computed or {})
        body |= encryption.managed_key(home.body, fields, secret)
        bucket_encryption.check_new_object(home.body, body, secret)
        moment = timestamp(now)
        row = ObjectRow(
            bucket, name, buckets.next_generation(db, cloud), 1, reference.sha256, reference.md5,
            reference.crc32c, reference.size_bytes, moment, moment, body, controls, secret,
            home=home,
        )  # fmt: skip
        if before is None:
            folders.make_parents(cloud, db, home, name)
        else:
            versions.retire(cloud, db, home, before, now)
        _write(db, row)
    return row


@dataclasses.dataclass(frozen=True)
class Change:
    """What is to be changed of an object: its fields as sent, or all of them with `replace`."""

    sent: Body
    replace: bool = False
    predefined_acl: str | None = None
    override_retention: bool = False


def change_object(
    cloud: Cloud,
    bucket: str,
    name: str,
    change: Change,
    conditions: Preconditions = NONE,
    generation: int | None = None,
) -> ObjectRow:
    """An object, or a noncurrent generation of it, with its fields changed."""
    sent, settle = change.sent, object_fields.replaced if change.replace else object_fields.patched
    with cloud.store.transaction() as db:
        home = buckets.require(db, bucket)
        before = require(db, bucket, name, generation)
        conditions.check_write(*state(before))
        now = cloud.clock.now()
        body = settle(
            home.body, before.body, sent, now, override_retention=change.override_retention
        )
        controls = before.acl
        if change.predefined_acl or sent.get("acl"):
            controls = acl.changed_object(
                home.body, before.acl, change.predefined_acl, sent.get("acl")
            )
        row = dataclasses.replace(
            before,
            metageneration=before.metageneration + 1,
            updated=timestamp(now),
            body=body,
            acl=controls,
        )
        if row.deleted is None:
            _write(db, row)
        else:
            versions.write_noncurrent(db, home, row)
    return row


def delete_object(
    cloud: Cloud,
    bucket: str,
    name: str,
    conditions: Preconditions = NONE,
    generation: int | None = None,
) -> None:
    """Deletes the live object, or one generation for good. 404 when there is none, 412, 403.

    Without a generation the live object of a bucket that keeps versions becomes noncurrent.
    """
    with cloud.store.transaction() as db:
        home = buckets.require(db, bucket)
        row = require(db, bucket, name, generation)
        conditions.check_write(*state(row))
        now = cloud.clock.now()
        if generation is None:
            retention.check_replacement(home.body, row, now)
            remove_live(db, row)
            versions.retire(cloud, db, home, row, now)
            return
        retention.check_removal(home.body, row, now)
        if row.deleted is None:
            remove_live(db, row)
        else:
            versions.drop_noncurrent(db, home, row)
        versions.bury(cloud, db, home, row, now)


def remove_live(db: sqlite3.Connection, row: ObjectRow) -> None:
    """Removes a live object's row; what becomes of the generation is the caller's to say."""
    db.execute("DELETE FROM objects WHERE bucket = ? AND name = ?", (row.bucket, row.name))


def with_acl(db: sqlite3.Connection, row: ObjectRow, controls: list[Body] | None) -> ObjectRow:
    """A live object with other access controls, in the caller's transaction."""
    changed = dataclasses.replace(row, acl=controls)
    _write(db, changed)
    return changed


def delete_prefix(cloud: Cloud, bucket: str, prefix: str) -> int:
    """Deletes every live object whose name starts with `prefix`, for good; their number."""
    where, values = _prefix_clause(bucket, prefix)
    with cloud.store.transaction() as db:
        rows = db.execute(f"SELECT {COLUMNS} FROM objects WHERE {where}", values).fetchall()
        db.execute(f"DELETE FROM objects WHERE {where}", values)
        for row in rows:
            cloud.store.after_commit(partial(cloud.blobs.release, from_columns(row).sha256))
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
