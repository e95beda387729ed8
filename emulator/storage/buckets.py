"""Rules of buckets: made, found, changed, and deleted only when empty."""

from __future__ import annotations

import json
import sqlite3
from dataclasses import dataclass
from typing import Any

from emulator.cloud import Cloud
from emulator.resourcemanager import projects
from emulator.storage import bucket_resource
from emulator.storage.errors import StorageError, no_bucket
from emulator.storage.names import HIDDEN_PREFIX, check_bucket
from emulator.storage.preconditions import Preconditions

Body = dict[str, Any]

FOREIGN = (
    "The requested bucket name is not available. The bucket namespace is shared by all users of "
    "the system. Please select a different name and try again."
)
OWN = "Your previous request to create the named bucket succeeded and you already own it."
NOT_EMPTY = "The bucket you tried to delete is not empty."


@dataclass(frozen=True)
class BucketRow:
    """A bucket as it is stored."""

    name: str
    project_id: str
    metageneration: int
    body: Body


def find(db: sqlite3.Connection, name: str) -> BucketRow | None:
    """The bucket of that name, or None."""
    row = db.execute(
        "SELECT name, project_id, metageneration, body FROM buckets WHERE name = ?", (name,)
    ).fetchone()
    return None if row is None else BucketRow(row[0], row[1], row[2], json.loads(row[3]))


def require(db: sqlite3.Connection, name: str) -> BucketRow:
    """The bucket of that name. 404 when there is none."""
    row = find(db, name)
    if row is None:
        raise no_bucket()
    return row


def require_bucket(cloud: Cloud, name: str) -> BucketRow:
    """The bucket of that name. 404 when there is none."""
    with cloud.store.read() as db:
        return require(db, name)


def create_bucket(cloud: Cloud, project: str, sent: Body) -> BucketRow:
    """Makes a bucket from what a client sent. 409 when the name is taken."""
    name = str(sent.get("name") or "")
    if not name:
        raise StorageError(400, "required", "Required", ("parameter", "name"))
    check_bucket(name)
    return _insert(cloud, projects.canonical(cloud, project), name, sent)


def hidden_bucket(cloud: Cloud, project: str, name: str) -> BucketRow:
    """A bucket of the server's own, in no list; made when it is not there."""
    assert name.startswith(HIDDEN_PREFIX), name
    with cloud.store.transaction() as db:
        uniform = {"uniformBucketLevelAccess": {"enabled": True}}
        return find(db, name) or _insert(
            cloud, projects.canonical(cloud, project), name, {"iamConfiguration": uniform}
        )


def drop_hidden_bucket(cloud: Cloud, name: str) -> None:
    """Deletes a bucket of the server's own once it is empty; `hidden_bucket` makes it again."""
    if not name.startswith(HIDDEN_PREFIX):
        return
    with cloud.store.transaction() as db:
        db.execute(
            "DELETE FROM buckets WHERE name = ? AND NOT EXISTS"
            " (SELECT 1 FROM objects WHERE bucket = ?)",
            (name, name),
        )


def list_buckets(
    cloud: Cloud, project: str, prefix: str, start: str, limit: int
) -> list[BucketRow]:
    """At most `limit` buckets of a project from name `start` on, in the order of names."""
    project_id = projects.canonical(cloud, project)
    with cloud.store.read() as db:
        rows = db.execute(
            "SELECT name, project_id, metageneration, body FROM buckets WHERE project_id = ?"
            " AND name >= ? AND substr(name, 1, ?) = ? AND substr(name, 1, ?) <> ?"
            " ORDER BY name LIMIT ?",
            (project_id, start, len(prefix), prefix, len(HIDDEN_PREFIX), HIDDEN_PREFIX, limit),
        ).fetchall()
    return [BucketRow(row[0], row[1], row[2], json.loads(row[3])) for row in rows]


def patch_bucket(
    cloud: Cloud, name: str, sent: Body, conditions: Preconditions, *, replace: bool = False
) -> BucketRow:
    """Changes a bucket by merge patch, or with `replace` to what was sent."""
    change = bucket_resource.replaced_body if replace else bucket_resource.patched_body
    with cloud.store.transaction() as db:
        row = require(db, name)
        conditions.check_write(0, row.metageneration)
        body = change(row.body, sent, cloud.clock.now())
        db.execute(
            "UPDATE buckets SET body = ?, metageneration = metageneration + 1 WHERE name = ?",
            (_dump(body), name),
        )
        return BucketRow(name, row.project_id, row.metageneration + 1, body)


def delete_bucket(cloud: Cloud, name: str, conditions: Preconditions) -> None:
    """Deletes an empty bucket. 409 when it holds an object."""
    with cloud.store.transaction() as db:
        row = require(db, name)
        conditions.check_write(0, row.metageneration)
        if db.execute("SELECT 1 FROM objects WHERE bucket = ? LIMIT 1", (name,)).fetchone():
            raise StorageError(409, "conflict", NOT_EMPTY)
        db.execute("DELETE FROM buckets WHERE name = ?", (name,))


def resource(cloud: Cloud, row: BucketRow, *, full: bool = False) -> Body:
    """The bucket as JSON."""
    return bucket_resource.resource(
        row.name,
        row.body,
        row.metageneration,
        projects.number(cloud, row.project_id),
        cloud.settings.base_url,
        full,
    )


def next_generation(db: sqlite3.Connection, cloud: Cloud) -> int:
    """A generation greater than every one before: microseconds, as Google's are."""
    now = int(cloud.clock.now().timestamp() * 1_000_000)
    row = db.execute(
        "INSERT INTO generations (id, last) VALUES (1, ?)"
        " ON CONFLICT (id) DO UPDATE SET last = MAX(last + 1, excluded.last) RETURNING last",
        (now,),
    ).fetchone()
    return int(row[0])


def _insert(cloud: Cloud, project_id: str, name: str, sent: Body) -> BucketRow:
    with cloud.store.transaction() as db:
        taken = find(db, name)
        if taken is not None:
            raise StorageError(409, "conflict", OWN if taken.project_id == project_id else FOREIGN)
        generation = next_generation(db, cloud)
        body = bucket_resource.new_body(sent, cloud.clock.now(), generation)
        db.execute(
            "INSERT INTO buckets (name, project_id, metageneration, body) VALUES (?, ?, 1, ?)",
            (name, project_id, _dump(body)),
        )
    return BucketRow(name, project_id, 1, body)


def _dump(body: Body) -> str:
    return json.dumps(body, ensure_ascii=False, separators=(",", ":"))
