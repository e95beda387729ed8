"""Rules of buckets: made, found, changed, and deleted only when empty."""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from emulator.cloud import Cloud
from emulator.resourcemanager import projects
from emulator.storage import acl, bucket_resource
from emulator.storage.errors import StorageError, no_bucket
from emulator.storage.http import flag
from emulator.storage.names import HIDDEN_PREFIX, check_bucket
from emulator.storage.preconditions import Preconditions

Body = dict[str, Any]

FOREIGN = (
    "The requested bucket name is not available. The bucket namespace is shared by all users of "
    "the system. Please select a different name and try again."
)
OWN = "Your previous request to create the named bucket succeeded and you already own it."
HIDDEN = {
    "iamConfiguration": {"uniformBucketLevelAccess": {"enabled": True}},
    "softDeletePolicy": {"retentionDurationSeconds": "0"},
}
COLUMNS = "name, project_id, metageneration, body"


@dataclass(frozen=True)
class BucketRow:
    """A bucket as it is stored; `deleted` and `expires` are set for one that can be restored."""

    name: str
    project_id: str
    metageneration: int
    body: Body
    deleted: str | None = None
    expires: str | None = None

    @property
    def state(self) -> tuple[int, int, str]:
        """What preconditions are judged by; those of buckets know no generation."""
        return 0, self.metageneration, bucket_resource.etag(self.metageneration)

    @property
    def generation(self) -> int:
        """The number that tells this bucket from earlier ones of its name."""
        return int(self.body.get("generation", 0))


@dataclass(frozen=True)
class Options:
    """What the query of a create or change says beside the body."""

    acl: str | None = None
    default_object_acl: str | None = None
    object_retention: bool = False

    @classmethod
    def from_query(cls, query: Mapping[str, str]) -> Options:
        """Reads `predefinedAcl`, `predefinedDefaultObjectAcl` and `enableObjectRetention`."""
        return cls(
            query.get("predefinedAcl"),
            query.get("predefinedDefaultObjectAcl"),
            flag(query, "enableObjectRetention"),
        )


NOTHING = Options()


def find(db: sqlite3.Connection, name: str) -> BucketRow | None:
    """The bucket of that name, or None."""
    row = db.execute(f"SELECT {COLUMNS} FROM buckets WHERE name = ?", (name,)).fetchone()
    return None if row is None else from_columns(row)


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


def create_bucket(cloud: Cloud, project: str, sent: Body, options: Options = NOTHING) -> BucketRow:
    """Makes a bucket from what a client sent. 409 when the name is taken.

    412 where an organization policy forbids it.
    """
    from emulator.orgpolicy import obeyed

    name = str(sent.get("name") or "")
    if not name:
        raise StorageError(400, "required", "Required", ("parameter", "name"))
    check_bucket(name)
    project_id = projects.canonical(cloud, project)
    obeyed.check_bucket(cloud, project_id, sent)
    return _insert(cloud, project_id, name, sent, options)


def hidden_bucket(cloud: Cloud, project: str, name: str) -> BucketRow:
    """A bucket of the server's own, in no list; made when it is not there."""
    assert name.startswith(HIDDEN_PREFIX), name
    with cloud.store.transaction() as db:
        found = find(db, name)
        return found or _insert(cloud, projects.canonical(cloud, project), name, HIDDEN)


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
            f"SELECT {COLUMNS} FROM buckets WHERE project_id = ?"
            " AND name >= ? AND substr(name, 1, ?) = ? AND substr(name, 1, ?) <> ?"
            " ORDER BY name LIMIT ?",
            (project_id, start, len(prefix), prefix, len(HIDDEN_PREFIX), HIDDEN_PREFIX, limit),
        ).fetchall()
    return [from_columns(row) for row in rows]


def patch_bucket(
    cloud: Cloud,
    name: str,
    sent: Body,
    conditions: Preconditions,
    *,
    replace: bool = False,
    options: Options = NOTHING,
) -> BucketRow:
    """Changes a bucket by merge patch, or with `replace` to what was sent."""
    from emulator.storage import bucket_policies

    change = bucket_resource.replaced_body if replace else bucket_resource.patched_body
    now = cloud.clock.now()
    with cloud.store.transaction() as db:
        row = require(db, name)
        conditions.check_write(*row.state)
        body = _controlled(change(name, row.body, sent, now), sent, options)
        changed = write(cloud, db, row, body)
        bucket_policies.follow(db, row, changed)
        return changed


def write(cloud: Cloud, db: sqlite3.Connection, row: BucketRow, body: Body) -> BucketRow:
    """The bucket with another body, one metageneration later."""
    body = bucket_resource.touched(body, cloud.clock.now())
    db.execute(
        "UPDATE buckets SET body = ?, metageneration = metageneration + 1 WHERE name = ?",
        (dump(body), row.name),
    )
    return BucketRow(row.name, row.project_id, row.metageneration + 1, body)


def resource(cloud: Cloud, row: BucketRow, *, full: bool = False) -> Body:
    """The bucket as JSON; with `full` also its access controls (projection=full)."""
    from emulator.storage import acl_resources

    number, url = projects.number(cloud, row.project_id), cloud.settings.base_url
    answer = bucket_resource.resource(row.name, row.body, row.metageneration, number, url)
    if row.deleted:
        answer |= {"softDeleteTime": row.deleted, "hardDeleteTime": row.expires}
    if full:
        answer |= acl_resources.of_bucket(row.name, row.body, row.metageneration, number, url)
    return answer


def next_generation(db: sqlite3.Connection, cloud: Cloud) -> int:
    """A generation greater than every one before: microseconds, as Google's are."""
    now = int(cloud.clock.now().timestamp() * 1_000_000)
    row = db.execute(
        "INSERT INTO generations (id, last) VALUES (1, ?)"
        " ON CONFLICT (id) DO UPDATE SET last = MAX(last + 1, excluded.last) RETURNING last",
        (now,),
    ).fetchone()
    return int(row[0])


def from_columns(row: tuple[Any, ...]) -> BucketRow:
    """The bucket in a row of COLUMNS, and of what an old bucket has besides."""
    return BucketRow(row[0], row[1], row[2], json.loads(row[3]), *row[4:])


def dump(body: Body) -> str:
    """The body as it is stored."""
    return json.dumps(body, ensure_ascii=False, separators=(",", ":"))


def _insert(
    cloud: Cloud, project_id: str, name: str, sent: Body, options: Options = NOTHING
) -> BucketRow:
    from emulator.storage import bucket_policies

    with cloud.store.transaction() as db:
        taken = find(db, name)
        if taken is not None:
            raise StorageError(409, "conflict", OWN if taken.project_id == project_id else FOREIGN)
        generation, now = next_generation(db, cloud), cloud.clock.now()
        body = bucket_resource.new_body(name, sent, now, generation, options.object_retention)
        body["projectNumber"] = str(projects.number(cloud, project_id))
        body = _controlled(body, sent, options)
        db.execute(
            f"INSERT INTO buckets ({COLUMNS}) VALUES (?, ?, 1, ?)",
            (name, project_id, dump(body)),
        )
        row = BucketRow(name, project_id, 1, body)
        if "acl" in body:
            bucket_policies.follow(db, row, row)
    return row


def _controlled(body: Body, sent: Body, options: Options) -> Body:
    """The body with the access controls that were sent or named."""
    for field, predefined in (
        ("acl", options.acl),
        ("defaultObjectAcl", options.default_object_acl),
    ):
        entries = sent.get(field)
        # Under uniform access clients send an empty list for "none".
        if predefined or entries or (entries == [] and not acl.uniform(body)):
            body = body | {field: acl.changed_bucket(body, field, predefined, entries)}
    return body
