"""Generations that are no longer live: noncurrent ones, and those that can still be restored."""

from __future__ import annotations

import dataclasses
import sqlite3
from datetime import datetime, timedelta
from functools import partial
from typing import Any
from uuid import NAMESPACE_URL, uuid5

from emulator.clock import timestamp
from emulator.cloud import Cloud
from emulator.storage import buckets, retention
from emulator.storage.object_resource import (
    COLUMNS,
    NONCURRENT,
    ObjectRow,
    from_columns,
    to_columns,
)

OLD_COLUMNS = f"{COLUMNS}, deleted, expires"
# So many expired rows are removed at once by a request; the rest by the next, or at start.
SWEEP_ROWS = 100
# Google keeps what is softly deleted however much it is; a local disk ends. Beyond this the oldest
# goes before its time. It is counted for large objects, and for one in so many of the others.
KEPT_BYTES = 4 << 30
LARGE_BYTES = 8 << 20
COUNTED_EVERY = 256


def bucket_generation(home: buckets.BucketRow) -> int:
    """What tells a bucket from an earlier one of the same name."""
    return int(home.body.get("generation", 0))


def from_old(row: tuple[object, ...]) -> ObjectRow:
    """The object in a row of OLD_COLUMNS."""
    deleted, expires = row[-2:]
    assert isinstance(deleted, str | None) and isinstance(expires, str | None)
    return dataclasses.replace(from_columns(row[:-2]), deleted=deleted, expires=expires)


def noncurrent(
    db: sqlite3.Connection, home: buckets.BucketRow, name: str, generation: int
) -> ObjectRow | None:
    """A generation that was replaced or deleted while the bucket keeps versions, or None."""
    row = db.execute(
        f"SELECT {OLD_COLUMNS} FROM old_objects WHERE bucket = ? AND soft = 0 AND name = ?"
        " AND generation = ? AND bucket_generation = ?",
        (home.name, name, generation, bucket_generation(home)),
    ).fetchone()
    return None if row is None else from_old(row)


def restorable(
    db: sqlite3.Connection, home: buckets.BucketRow, name: str, generation: int, now: datetime
) -> ObjectRow | None:
    """A softly deleted generation whose time has not run out, or None."""
    row = db.execute(
        f"SELECT {OLD_COLUMNS} FROM old_objects WHERE bucket = ? AND soft = 1 AND name = ?"
        " AND generation = ? AND bucket_generation = ? AND expires > ?",
        (home.name, name, generation, bucket_generation(home), timestamp(now)),
    ).fetchone()
    return None if row is None else from_old(row)


def restorable_names(
    db: sqlite3.Connection, home: buckets.BucketRow, start: str, now: datetime, limit: int
) -> list[str]:
    """At most `limit` names from `start` on that have a softly deleted generation, in order."""
    rows = db.execute(
        "SELECT DISTINCT name FROM old_objects WHERE bucket = ? AND soft = 1 AND name >= ?"
        " AND bucket_generation = ? AND expires > ? ORDER BY name LIMIT ?",
        (home.name, start, bucket_generation(home), timestamp(now), limit),
    )
    return [name for (name,) in rows]


def restorable_of(
    db: sqlite3.Connection, home: buckets.BucketRow, name: str, now: datetime
) -> list[ObjectRow]:
    """The softly deleted generations of one name, oldest first."""
    rows = db.execute(
        f"SELECT {OLD_COLUMNS} FROM old_objects WHERE bucket = ? AND soft = 1 AND name = ?"
        " AND bucket_generation = ? AND expires > ? ORDER BY generation",
        (home.name, name, bucket_generation(home), timestamp(now)),
    )
    return [from_old(row) for row in rows]


def restore_token(row: ObjectRow) -> str:
    """What tells deleted generations apart where folders can be renamed."""
    return str(uuid5(NAMESPACE_URL, f"{row.bucket}/{row.name}#{row.generation} {row.deleted}"))


def retire(
    cloud: Cloud, db: sqlite3.Connection, home: buckets.BucketRow, row: ObjectRow, now: datetime
) -> None:
    """What becomes of a live object that is replaced or deleted; its row is the caller's to go.

    Noncurrent in a bucket that keeps versions, softly deleted in one with such a policy, or gone.
    """
    if retention.versioned(home.body):
        _insert(db, home, dataclasses.replace(row, deleted=timestamp(now)))
    else:
        bury(cloud, db, home, row, now)


def bury(
    cloud: Cloud, db: sqlite3.Connection, home: buckets.BucketRow, row: ObjectRow, now: datetime
) -> None:
    """Makes a generation one that can be restored for a while, or lets go of its bytes."""
    policy = home.body.get("softDeletePolicy") or {}
    seconds = int(policy.get("retentionDurationSeconds") or 0)
    if seconds <= 0:
        cloud.store.after_commit(partial(cloud.blobs.release, row.sha256))
        return
    body = row.body | ({NONCURRENT: row.deleted} if row.deleted else {})
    expires = timestamp(now + timedelta(seconds=seconds))
    _insert(db, home, dataclasses.replace(row, body=body, deleted=timestamp(now), expires=expires))
    sweep(cloud, SWEEP_ROWS)
    if row.size_bytes >= LARGE_BYTES or row.generation % COUNTED_EVERY == 0:
        keep_within(cloud, db, KEPT_BYTES)


def write_noncurrent(db: sqlite3.Connection, home: buckets.BucketRow, row: ObjectRow) -> None:
    """Keeps the changed fields of a noncurrent generation."""
    _insert(db, home, row)


def drop_noncurrent(db: sqlite3.Connection, home: buckets.BucketRow, row: ObjectRow) -> None:
    """Removes a noncurrent generation's row; its bytes are the caller's to let go."""
    db.execute(
        "DELETE FROM old_objects WHERE bucket = ? AND soft = 0 AND name = ? AND generation = ?"
        " AND bucket_generation = ?",
        (home.name, row.name, row.generation, bucket_generation(home)),
    )


def sweep(cloud: Cloud, limit: int = -1) -> int:
    """Removes generations whose time to be restored has run out; their number."""
    with cloud.store.transaction() as db:
        rows = db.execute(
            "SELECT bucket, soft, name, generation, bucket_generation, sha256 FROM old_objects"
            " WHERE expires IS NOT NULL AND expires <= ? LIMIT ?",
            (timestamp(cloud.clock.now()), limit),
        ).fetchall()
        _remove(cloud, db, rows)
    return len(rows)


def reclaim(cloud: Cloud) -> bool:
    """Whether softly deleted bytes were given up, those first that would go first anyway.

    For a full disk: Google has none, and a local one must be freed by deleting.
    """
    with cloud.store.transaction() as db:
        return _give_up(cloud, db) > 0


def keep_within(cloud: Cloud, db: sqlite3.Connection, limit_bytes: int) -> None:
    """Gives up the oldest of what is softly deleted until the rest is that small."""
    query = "SELECT coalesce(sum(size_bytes), 0) FROM old_objects WHERE expires IS NOT NULL"
    (left,) = db.execute(query).fetchone()
    while left > limit_bytes:
        left -= _give_up(cloud, db, left - limit_bytes)


def _give_up(cloud: Cloud, db: sqlite3.Connection, wanted_bytes: int | None = None) -> int:
    """Removes rows that go first, until they are that large (None: a number of them); the size.

    A row counts as one byte at least, so that empty ones go too.
    """
    found = db.execute(
        "SELECT bucket, soft, name, generation, bucket_generation, sha256, max(1, size_bytes)"
        " FROM old_objects WHERE expires IS NOT NULL ORDER BY expires, generation LIMIT ?",
        (SWEEP_ROWS,),
    ).fetchall()
    rows, size = [], 0
    for *row, size_bytes in found:
        if wanted_bytes is not None and size >= wanted_bytes:
            break
        rows.append(tuple(row))
        size += size_bytes
    _remove(cloud, db, rows)
    return size


def _remove(cloud: Cloud, db: sqlite3.Connection, rows: list[tuple[Any, ...]]) -> None:
    for *key, sha256 in rows:
        db.execute(
            "DELETE FROM old_objects WHERE bucket = ? AND soft = ? AND name = ?"
            " AND generation = ? AND bucket_generation = ?",
            key,
        )
        cloud.store.after_commit(partial(cloud.blobs.release, sha256))


def _insert(db: sqlite3.Connection, home: buckets.BucketRow, row: ObjectRow) -> None:
    db.execute(
        f"INSERT OR REPLACE INTO old_objects ({OLD_COLUMNS}, bucket_generation, soft)"
        " VALUES (?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?)",
        (
            *to_columns(row),
            row.deleted,
            row.expires,
            bucket_generation(home),
            int(row.expires is not None),
        ),
    )
