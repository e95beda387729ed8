"""What folders of both kinds have in common: insert, get, delete, and their JSON."""

from __future__ import annotations

import sqlite3
from collections.abc import Awaitable, Callable
from typing import Any
from urllib.parse import quote

from emulator.cloud import Cloud
from emulator.storage import buckets, folders
from emulator.storage.errors import StorageError
from emulator.storage.folders import MANAGED, TREE, FolderRow
from emulator.storage.http import Call, Reply, flag, json_reply
from emulator.storage.preconditions import Preconditions

Body = dict[str, Any]
Handler = Callable[[Cloud, Call], Awaitable[Reply]]

# Kind of a row -> the `kind` of its JSON, and its collection in paths.
SHOWN = {
    MANAGED: ("storage#managedFolder", "managedFolders"),
    TREE: ("storage#folder", "folders"),
}


def routes(kind: str) -> list[tuple[str, str, str, Handler]]:
    """The three methods of a kind of folder: method, API root, path, handler.

    Insert has `recursive` (TREE: the folders above it too), delete has `allowNonEmpty` (MANAGED:
    what lies in it stays).
    """

    async def insert(cloud: Cloud, call: Call) -> Reply:
        name = folders.checked_name((await call.json()).get("name"))
        parents = flag(call.query, "recursive")
        with cloud.store.transaction() as db:
            home = buckets.require(db, call.names[0])
            row = folders.create(cloud, db, home, kind, name, parents=parents)
        return json_reply(resource(cloud, row))

    async def get(cloud: Cloud, call: Call) -> Reply:
        with cloud.store.read() as db:
            row = require(db, kind, call)
        Preconditions.of_call(call).check_read(0, row.metageneration)
        return json_reply(resource(cloud, row))

    async def delete(cloud: Cloud, call: Call) -> Reply:
        conditions = Preconditions.of_call(call)
        keeps_all = kind == MANAGED and flag(call.query, "allowNonEmpty")
        with cloud.store.transaction() as db:
            row = require(db, kind, call)
            conditions.check_write(0, row.metageneration)
            if not keeps_all and not folders.is_empty(db, row):
                raise StorageError(409, "conflict", folders.NOT_EMPTY)
            folders.remove(db, row)
        return Reply(204)

    root, path = "/storage/v1/", f"b/*/{SHOWN[kind][1]}"
    return [
        ("POST", root, path, insert),
        ("GET", root, f"{path}/*", get),
        ("DELETE", root, f"{path}/*", delete),
    ]


def require(db: sqlite3.Connection, kind: str, call: Call) -> FolderRow:
    """The folder that a call names. 404 without it, 400 where a bucket has no tree of folders."""
    home = buckets.require(db, call.names[0])
    if kind == TREE:
        folders.check_kind(home, TREE)
    return folders.require(db, home.name, kind, call.names[1])


def resource(cloud: Cloud, row: FolderRow) -> Body:
    """A folder as JSON."""
    kind, collection = SHOWN[row.kind]
    path = f"b/{row.bucket}/{collection}/{quote(row.name, safe='')}"
    return {
        "kind": kind,
        "id": f"{row.bucket}/{row.name}",
        "selfLink": f"{cloud.settings.base_url}/storage/v1/{path}",
        "bucket": row.bucket,
        "name": row.name,
        "metageneration": str(row.metageneration),
        "createTime": row.created,
        "updateTime": row.updated,
    }
