"""Typed JSON rows by full resource name, for any API."""

from __future__ import annotations

import json
import sqlite3
from typing import Any

from emulator.errors import ApiError
from emulator.store.sqlite import Store

Body = dict[str, Any]


class Resources:
    """Rows of (kind, name, parent, JSON body); every method may run inside a transaction."""

    def __init__(self, store: Store) -> None:
        self._store = store

    def insert(self, kind: str, name: str, body: Body, parent: str) -> None:
        """Adds a row. ALREADY_EXISTS when the name is taken."""
        values = (kind, name, parent, _dump(body))
        try:
            with self._store.transaction() as db:
                db.execute(
                    "INSERT INTO resources (kind, name, parent, body) VALUES (?, ?, ?, ?)", values
                )
        except sqlite3.IntegrityError:
            raise ApiError("ALREADY_EXISTS", f"Resource {name} already exists.") from None

    def get(self, name: str) -> Body | None:
        """The body stored under a name, or None."""
        with self._store.read() as db:
            row = db.execute("SELECT body FROM resources WHERE name = ?", (name,)).fetchone()
        return None if row is None else json.loads(row[0])

    def require(self, name: str) -> Body:
        """The body stored under a name. NOT_FOUND, naming it, when there is none."""
        body = self.get(name)
        if body is None:
            raise ApiError("NOT_FOUND", f"The resource {name} is not found.")
        return body

    def replace(self, name: str, body: Body) -> None:
        """Stores another body under an existing name. NOT_FOUND when there is none."""
        with self._store.transaction() as db:
            changed = db.execute(
                "UPDATE resources SET body = ? WHERE name = ?", (_dump(body), name)
            )
            if changed.rowcount == 0:
                raise ApiError("NOT_FOUND", f"The resource {name} is not found.")

    def delete(self, name: str) -> None:
        """Removes a row. NOT_FOUND when there is none."""
        with self._store.transaction() as db:
            if db.execute("DELETE FROM resources WHERE name = ?", (name,)).rowcount == 0:
                raise ApiError("NOT_FOUND", f"The resource {name} is not found.")

    def list(
        self, kind: str, parent: str, *, after: str | None = None, limit: int | None = None
    ) -> list[tuple[str, Body]]:
        """Names and bodies in the order of creation, at most `limit`, from behind name `after`.

        INVALID_ARGUMENT when `after` is no longer there: the page cannot be found again.
        """
        with self._store.read() as db:
            rows = db.execute(
                "SELECT name, body FROM resources WHERE kind = ? AND parent = ? AND seq > ?"
                " ORDER BY seq LIMIT ?",
                (kind, parent, self._position(db, after), -1 if limit is None else limit),
            ).fetchall()
        return [(name, json.loads(body)) for name, body in rows]

    def _position(self, db: sqlite3.Connection, after: str | None) -> int:
        if after is None:
            return 0
        row = db.execute("SELECT seq FROM resources WHERE name = ?", (after,)).fetchone()
        if row is None:
            raise ApiError("INVALID_ARGUMENT", f"The page token is not valid: {after} is gone.")
        return int(row[0])


def _dump(body: Body) -> str:
    return json.dumps(body, ensure_ascii=False, separators=(",", ":"))
