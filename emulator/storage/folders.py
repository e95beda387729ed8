"""Folders of a bucket: managed ones, which carry policies, and those of a hierarchical namespace.

Sources: storage_control_v2 of google-cloud-storage-control 1.17; Terraform's resource
google_storage_managed_folder: "You can nest managed folders up to 15 levels deep".
"""

from __future__ import annotations

import sqlite3
from dataclasses import dataclass
from typing import Any

from emulator.clock import timestamp
from emulator.cloud import Cloud
from emulator.storage import acl
from emulator.storage.buckets import BucketRow
from emulator.storage.errors import StorageError, invalid
from emulator.storage.names import check_object, check_tree_name, successor

Body = dict[str, Any]

MANAGED, TREE = "managed", "folder"
MANAGED_LEVELS = 15
COLUMNS = "bucket, kind, name, metageneration, created, updated, policy"
TAKEN = "The folder you tried to create already exists."
NOT_FOUND = "The specified folder does not exist."
NO_PARENT = "The parent folder does not exist."
NOT_EMPTY = "The folder you tried to delete is not empty."
NO_TREE = "The bucket does not have a hierarchical namespace."
NOT_UNIFORM = (
    "Managed folders are only for buckets with uniform bucket-level access. " + acl.ABOUT_UNIFORM
)


@dataclass(frozen=True)
class FolderRow:
    """A folder as it is stored; its name ends with a slash."""

    bucket: str
    kind: str
    name: str
    metageneration: int
    created: str
    updated: str
    policy: str | None = None


def checked_name(name: Any) -> str:
    """A folder's name, with its slash at the end. 400 for one that no folder may have."""
    if not isinstance(name, str) or not name.strip("/"):
        raise StorageError(400, "required", "Required", ("parameter", "name"))
    full = name if name.endswith("/") else f"{name}/"
    check_object(full)
    if full.startswith("/") or "//" in full:
        raise invalid(f"Invalid folder name: '{name[:100]}'.")
    return full


def check_kind(home: BucketRow, kind: str) -> None:
    """Raises 400 where the bucket cannot have folders of a kind."""
    if kind == MANAGED and not acl.uniform(home.body):
        raise invalid(NOT_UNIFORM)
    if kind == TREE and not has_tree(home):
        raise invalid(NO_TREE)


def has_tree(home: BucketRow) -> bool:
    """Whether a bucket has a hierarchical namespace."""
    return bool((home.body.get("hierarchicalNamespace") or {}).get("enabled"))


def find(db: sqlite3.Connection, bucket: str, kind: str, name: str) -> FolderRow | None:
    """The folder of that kind and name, or None."""
    row = db.execute(
        f"SELECT {COLUMNS} FROM folders WHERE bucket = ? AND kind = ? AND name = ?",
        (bucket, kind, name if name.endswith("/") else f"{name}/"),
    ).fetchone()
    return None if row is None else FolderRow(*row)


def require(db: sqlite3.Connection, bucket: str, kind: str, name: str) -> FolderRow:
    """The folder of that kind and name. 404 when there is none."""
    row = find(db, bucket, kind, name)
    if row is None:
        raise StorageError(404, "notFound", NOT_FOUND)
    return row


def create(
    cloud: Cloud, db: sqlite3.Connection, home: BucketRow, kind: str, name: str, *, parents: bool
) -> FolderRow:
    """A new folder, with `parents` those above it too. 409 when it is there, 412 without them."""
    check_kind(home, kind)
    if kind == TREE:
        check_tree_name(name)
    elif name.count("/") > MANAGED_LEVELS:
        raise invalid(f"Managed folders are nested at most {MANAGED_LEVELS} levels deep.")
    if find(db, home.name, kind, name):
        raise StorageError(409, "conflict", TAKEN)
    above = parent_of(name)
    if kind == TREE and above:
        if parents:
            make_parents(cloud, db, home, name)
        elif find(db, home.name, TREE, above) is None:
            raise StorageError(412, "conditionNotMet", NO_PARENT)
    _insert(cloud, db, home.name, kind, name)
    return require(db, home.name, kind, name)


def make_parents(cloud: Cloud, db: sqlite3.Connection, home: BucketRow, name: str) -> None:
    """Makes the folders that an object or folder of a hierarchical namespace lies in."""
    if not has_tree(home):
        return
    check_tree_name(name)
    place = name.find("/")
    while 0 <= place < len(name) - 1:
        _insert(cloud, db, home.name, TREE, name[: place + 1])
        place = name.find("/", place + 1)


def page(
    db: sqlite3.Connection, bucket: str, kind: str, prefix: str, start: str, end: str, limit: int
) -> list[FolderRow]:
    """At most `limit` folders whose names start with a prefix, from `start` on, in order."""
    ends = [one for one in (end, successor(prefix)) if one]
    condition, values = ("AND name < ?", (min(ends),)) if ends else ("", ())
    rows = db.execute(
        f"SELECT {COLUMNS} FROM folders WHERE bucket = ? AND kind = ? AND name >= ? {condition}"
        " ORDER BY name LIMIT ?",
        (bucket, kind, max(prefix, start), *values, limit),
    )
    return [FolderRow(*row) for row in rows]


def is_empty(db: sqlite3.Connection, row: FolderRow) -> bool:
    """Whether nothing lies in a folder: no live object but itself, and no folder of its kind."""
    end = successor(row.name)
    for table, values in (("objects", (row.bucket,)), ("folders", (row.bucket, row.kind))):
        kind = " AND kind = ?" if table == "folders" else ""
        found = db.execute(
            f"SELECT 1 FROM {table} WHERE bucket = ?{kind} AND name > ? AND name < ? LIMIT 1",
            (*values, row.name, end),
        ).fetchone()
        if found:
            return False
    return True


def remove(db: sqlite3.Connection, row: FolderRow) -> None:
    """Removes a folder; what lies in it stays."""
    db.execute(
        "DELETE FROM folders WHERE bucket = ? AND kind = ? AND name = ?",
        (row.bucket, row.kind, row.name),
    )


def parent_of(name: str) -> str:
    """The name of the folder above, "" at the top."""
    return name[: name.rstrip("/").rfind("/") + 1]


def _insert(cloud: Cloud, db: sqlite3.Connection, bucket: str, kind: str, name: str) -> None:
    moment = timestamp(cloud.clock.now())
    db.execute(
        f"INSERT OR IGNORE INTO folders ({COLUMNS}) VALUES (?, ?, ?, 1, ?, ?, NULL)",
        (bucket, kind, name, moment, moment),
    )
