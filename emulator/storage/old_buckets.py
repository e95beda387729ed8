"""Deleted buckets: gone for good, or softly deleted and restorable until they expire."""

from __future__ import annotations

import sqlite3
from datetime import timedelta
from functools import partial

from emulator.clock import timestamp
from emulator.cloud import Cloud
from emulator.resourcemanager import projects
from emulator.storage import buckets
from emulator.storage.buckets import BucketRow
from emulator.storage.errors import StorageError, no_bucket
from emulator.storage.preconditions import Preconditions

NOT_EMPTY = "The bucket you tried to delete is not empty."
COLUMNS = "name, project_id, metageneration, body, deleted, expires"
# What keeps a bucket from being deleted: objects, noncurrent ones too, and folders.
CONTENTS = (
    "SELECT 1 FROM objects WHERE bucket = ?1"
    " UNION ALL SELECT 1 FROM old_objects WHERE bucket = ?1 AND soft = 0"
    " UNION ALL SELECT 1 FROM folders WHERE bucket = ?1 LIMIT 1"
)


def delete_bucket(cloud: Cloud, name: str, conditions: Preconditions) -> None:
    """Deletes an empty bucket, softly where its policy says so. 409 when it holds something."""
    now = cloud.clock.now()
    with cloud.store.transaction() as db:
        row = buckets.require(db, name)
        conditions.check_write(*row.state)
        if db.execute(CONTENTS, (name,)).fetchone():
            raise StorageError(409, "conflict", NOT_EMPTY)
        policy = row.body.get("softDeletePolicy") or {}
        seconds = int(policy.get("retentionDurationSeconds", 0))
        if seconds:
            expires = timestamp(now + timedelta(seconds=seconds))
            db.execute(
                f"INSERT INTO old_buckets ({COLUMNS}, generation, policy)"
                " SELECT name, project_id, metageneration, body, ?, ?, ?, policy FROM buckets"
                " WHERE name = ?",
                (timestamp(now), expires, row.generation, name),
            )
        else:
            _forget_objects(cloud, db, name, row.generation)
        db.execute("DELETE FROM buckets WHERE name = ?", (name,))
        db.execute("DELETE FROM resources WHERE parent = ?", (f"b/{name}",))
    purge(cloud)


def require(cloud: Cloud, db: sqlite3.Connection, name: str, generation: int) -> BucketRow:
    """The softly deleted bucket of that name and generation. 404 when there is none."""
    row = db.execute(
        f"SELECT {COLUMNS} FROM old_buckets WHERE name = ? AND generation = ? AND expires > ?",
        (name, generation, timestamp(cloud.clock.now())),
    ).fetchone()
    if row is None:
        raise no_bucket()
    return buckets.from_columns(row)


def list_buckets(
    cloud: Cloud, project: str, prefix: str, start: str, limit: int
) -> list[BucketRow]:
    """At most `limit` softly deleted buckets of a project from `NAME/GENERATION` on, in order."""
    name, _, number = start.partition("/")
    generation = int(number) if number.isascii() and number.isdigit() and len(number) < 19 else 0
    with cloud.store.read() as db:
        rows = db.execute(
            f"SELECT {COLUMNS} FROM old_buckets WHERE project_id = ? AND expires > ?"
            " AND (name, generation) >= (?, ?) AND substr(name, 1, ?) = ?"
            " ORDER BY name, generation LIMIT ?",
            (
                projects.canonical(cloud, project), timestamp(cloud.clock.now()), name,
                generation, len(prefix), prefix, limit,
            ),
        ).fetchall()  # fmt: skip
    return [buckets.from_columns(row) for row in rows]


def restore(cloud: Cloud, name: str, generation: int) -> BucketRow:
    """The bucket, live again, without objects: those are restored on their own.

    404 when there is none of that generation, 409 when the name has been taken since.
    """
    with cloud.store.transaction() as db:
        row = require(cloud, db, name, generation)
        if buckets.find(db, name):
            raise StorageError(409, "conflict", buckets.OWN)
        body = row.body | {"updated": timestamp(cloud.clock.now())}
        db.execute(
            "INSERT INTO buckets (name, project_id, metageneration, body, policy)"
            " SELECT name, project_id, metageneration + 1, ?, policy FROM old_buckets"
            " WHERE name = ? AND generation = ?",
            (buckets.dump(body), name, generation),
        )
        db.execute("DELETE FROM old_buckets WHERE name = ? AND generation = ?", (name, generation))
        return buckets.require(db, name)


def purge(cloud: Cloud) -> None:
    """Forgets the buckets that can no longer be restored, and what was in them."""
    with cloud.store.transaction() as db:
        expired = db.execute(
            "SELECT name, generation FROM old_buckets WHERE expires <= ?",
            (timestamp(cloud.clock.now()),),
        ).fetchall()
        for name, generation in expired:
            _forget_objects(cloud, db, name, generation)
            db.execute(
                "DELETE FROM old_buckets WHERE name = ? AND generation = ?", (name, generation)
            )


def _forget_objects(cloud: Cloud, db: sqlite3.Connection, name: str, generation: int) -> None:
    """Softly deleted objects go with their bucket, and their bytes with them."""
    rows = db.execute(
        "DELETE FROM old_objects WHERE bucket = ? AND bucket_generation = ? RETURNING sha256",
        (name, generation),
    ).fetchall()
    for (sha256,) in set(rows):
        cloud.store.after_commit(partial(cloud.blobs.release, sha256))
