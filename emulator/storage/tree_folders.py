"""The methods of folders in buckets with a hierarchical namespace."""

from __future__ import annotations

import sqlite3
from typing import Any

from emulator.clock import timestamp
from emulator.cloud import Cloud
from emulator.storage import bucket_operations, buckets, folders, objects, pages, retention
from emulator.storage.errors import StorageError, invalid
from emulator.storage.folder_methods import require, resource, routes
from emulator.storage.folders import TREE, FolderRow
from emulator.storage.http import Call, Reply, json_reply
from emulator.storage.names import check_tree_name, successor
from emulator.storage.object_resource import COLUMNS, from_columns
from emulator.storage.preconditions import Preconditions

Body = dict[str, Any]

INSIDE = "A folder cannot be renamed to a place inside itself."


async def listed(cloud: Cloud, call: Call) -> Reply:
    """`GET b/BUCKET/folders`; with the delimiter `/` only those right under the prefix."""
    start, limit = pages.asked(call.query, "pageSize")
    prefix, delimiter = call.query.get("prefix", ""), call.query.get("delimiter", "")
    if delimiter not in ("", "/"):
        raise invalid("The delimiter of folders can only be '/'.")
    start, end = max(start, call.query.get("startOffset", "")), call.query.get("endOffset", "")
    with cloud.store.read() as db:
        home = buckets.require(db, call.names[0])
        folders.check_kind(home, TREE)
        rows: list[FolderRow] = []
        while len(rows) <= limit:
            found = folders.page(db, home.name, TREE, prefix, start, end, limit + 1)
            near = [row for row in found if not delimiter or _is_near(row.name, prefix)]
            rows += near
            if len(found) <= limit:
                break
            start = found[-1].name + "\0"
    items = [(row.name, resource(cloud, row)) for row in rows]
    return json_reply(pages.answered("storage#folders", limit, items))


async def delete_recursive(cloud: Cloud, call: Call) -> Reply:
    """`POST b/BUCKET/folders/FOLDER/deleteFolderRecursive`: an operation."""
    conditions = Preconditions.of_call(call)
    with cloud.store.transaction() as db:
        row = require(db, TREE, call)
        conditions.check_write(0, row.metageneration)
        for name in objects.list_names(cloud, row.bucket, row.name):
            objects.delete_object(cloud, row.bucket, name)
        values = (row.bucket, row.name, successor(row.name))
        db.execute("DELETE FROM folders WHERE bucket = ? AND name >= ? AND name < ?", values)
        answer = bucket_operations.finished(
            cloud,
            row.bucket,
            "DeleteFolderRecursiveMetadata",
            {"folderId": row.name},
            bucket_operations.EMPTY,
        )
    return json_reply(answer)


async def rename(cloud: Cloud, call: Call) -> Reply:
    """`POST b/BUCKET/folders/FOLDER/renameTo/folders/OTHER`: an operation; all of it moves."""
    conditions = Preconditions.from_query(call.query, "Source")
    target = folders.checked_name(call.names[2])
    check_tree_name(target)
    with cloud.store.transaction() as db:
        row = require(db, TREE, call)
        conditions.check_write(0, row.metageneration)
        if target.startswith(row.name):
            raise invalid(INSIDE)
        above = folders.parent_of(target)
        if above and folders.find(db, row.bucket, TREE, above) is None:
            raise StorageError(412, "conditionNotMet", folders.NO_PARENT)
        if folders.find(db, row.bucket, TREE, target):
            raise StorageError(409, "conflict", folders.TAKEN)
        _move(cloud, db, row, target)
        moved = folders.require(db, row.bucket, TREE, target)
        answer = bucket_operations.finished(
            cloud,
            row.bucket,
            "RenameFolderMetadata",
            {"sourceFolderId": row.name, "destinationFolderId": target},
            {"@type": f"{bucket_operations.TYPES}.Folder", **resource(cloud, moved)},
        )
    return json_reply(answer)


def _move(cloud: Cloud, db: sqlite3.Connection, row: FolderRow, target: str) -> None:
    """Renames the folder, the folders in it, and the live objects; their generations stay."""
    end, cut = successor(row.name), len(row.name) + 1
    _check_retention(cloud, db, row, end)
    try:
        for table in ("objects", "folders"):
            db.execute(
                f"UPDATE {table} SET name = ? || substr(name, ?)"
                " WHERE bucket = ? AND name >= ? AND name < ?",
                (target, cut, row.bucket, row.name, end),
            )
    except sqlite3.IntegrityError:
        raise StorageError(409, "conflict", folders.TAKEN) from None
    db.execute(
        "UPDATE folders SET metageneration = metageneration + 1, updated = ?"
        " WHERE bucket = ? AND kind = ? AND name = ?",
        (timestamp(cloud.clock.now()), row.bucket, TREE, target),
    )


def _check_retention(cloud: Cloud, db: sqlite3.Connection, row: FolderRow, end: str | None) -> None:
    """Raises 403 for a folder with an object that may not leave its name yet."""
    home, now = buckets.require(db, row.bucket), cloud.clock.now()
    for columns in db.execute(
        f"SELECT {COLUMNS} FROM objects WHERE bucket = ? AND name >= ? AND name < ?",
        (row.bucket, row.name, end),
    ):
        retention.check_removal(home.body, from_columns(columns), now)


def _is_near(name: str, prefix: str) -> bool:
    return "/" not in name[len(prefix) :].rstrip("/")


ROUTES = [
    *routes(TREE),
    ("GET", "/storage/v1/", "b/*/folders", listed),
    ("POST", "/storage/v1/", "b/*/folders/*/deleteFolderRecursive", delete_recursive),
    ("POST", "/storage/v1/", "b/*/folders/*/renameTo/folders/*", rename),
]
