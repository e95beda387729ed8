"""Long-running operations: rows that survive, named as Google names them."""

from __future__ import annotations

import json
import secrets
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from emulator.clock import Clock, timestamp
from emulator.errors import ApiError
from emulator.store.sqlite import Store

Body = dict[str, Any]


@dataclass(frozen=True)
class Unfinished:
    """An operation that somebody has to go on with: `work` says who, `payload` with what."""

    name: str
    work: str
    payload: Body
    metadata: Body


class Operations:
    """The one table of operations; a change joins the caller's transaction if there is one."""

    def __init__(self, store: Store, clock: Clock) -> None:
        self._store = store
        self._clock = clock

    def done(self, parent: str, metadata: Mapping[str, Any], response: Mapping[str, Any]) -> Body:
        """An operation that is over when it is answered; both objects carry their `@type`."""
        body = self._new(parent, metadata) | {"done": True, "response": dict(response)}
        self._insert(parent, body)
        return body

    def begin(
        self, parent: str, metadata: Mapping[str, Any], work: str, payload: Mapping[str, Any]
    ) -> Body:
        """An operation that goes on; in the same transaction as what it was started for."""
        body = self._new(parent, metadata)
        self._insert(parent, body, work, payload)
        return body

    def _new(self, parent: str, metadata: Mapping[str, Any]) -> Body:
        now = timestamp(self._clock.now())
        generic = {"createTime": now, "updateTime": now} | metadata.get("genericMetadata", {})
        # 63 random bits, as the numeric ids of Google's; unique over all services.
        name = f"{parent}/operations/{secrets.randbits(62) + (1 << 62)}".removeprefix("/")
        return {"name": name, "metadata": {**metadata, "genericMetadata": generic}}

    def _insert(
        self, parent: str, body: Body, work: str = "", payload: Mapping[str, Any] | None = None
    ) -> None:
        with self._store.transaction() as db:
            db.execute(
                "INSERT INTO operations (name, parent, done, work, payload, body)"
                " VALUES (?, ?, ?, ?, ?, ?)",
                (
                    body["name"],
                    parent,
                    int(body.get("done", False)),
                    work,
                    json.dumps(payload or {}),
                    json.dumps(body),
                ),
            )

    def get(self, name: str) -> Body:
        """The operation as JSON. NOT_FOUND, naming it, when there is none."""
        with self._store.read() as db:
            row = db.execute("SELECT body FROM operations WHERE name = ?", (name,)).fetchone()
        if row is None:
            raise ApiError("NOT_FOUND", f'Operation "{name}" not found')
        body: Body = json.loads(row[0])
        return body

    def children(self, parent: str, after: int = 0, limit: int = 100) -> list[tuple[int, Body]]:
        """Sequence numbers and operations of one parent, oldest first."""
        with self._store.read() as db:
            rows = db.execute(
                "SELECT seq, body FROM operations WHERE parent = ? AND seq > ?"
                " ORDER BY seq LIMIT ?",
                (parent, after, limit),
            ).fetchall()
        return [(seq, json.loads(body)) for seq, body in rows]

    def unfinished(self, work: str) -> list[Unfinished]:
        """What one kind of work has not finished, oldest first."""
        with self._store.read() as db:
            rows = db.execute(
                "SELECT name, payload, body FROM operations WHERE done = 0 AND work = ?"
                " ORDER BY seq",
                (work,),
            ).fetchall()
        return [
            Unfinished(name, work, json.loads(payload), json.loads(body)["metadata"])
            for name, payload, body in rows
        ]

    def finish(
        self, name: str, response: Mapping[str, Any], metadata: Mapping[str, Any] | None = None
    ) -> None:
        """The operation ends well. One that has ended already stays as it is."""
        self._end(name, {"response": dict(response)}, metadata)

    def fail(self, name: str, error: ApiError, metadata: Mapping[str, Any] | None = None) -> None:
        """The operation ends with an error, a google.rpc.Status."""
        self._end(name, {"error": status(error)}, metadata)

    def cancel(self, name: str) -> bool:
        """Whether an unfinished operation ended here as cancelled (code 1)."""
        return self._end(name, {"error": {"code": 1, "message": "CANCELLED"}}, None)

    def _end(self, name: str, end: Body, metadata: Mapping[str, Any] | None) -> bool:
        with self._store.transaction() as db:
            body = self.get(name)
            if body.get("done"):
                return False
            generic = body["metadata"]["genericMetadata"]
            changed = {**body["metadata"], **(metadata or {})}
            changed["genericMetadata"] = {
                **generic,
                **(metadata or {}).get("genericMetadata", {}),
                "updateTime": timestamp(self._clock.now()),
            }
            db.execute(
                "UPDATE operations SET done = 1, body = ? WHERE name = ?",
                (json.dumps({**body, "metadata": changed, "done": True, **end}), name),
            )
        return True

    def begun_by(self, name: str, version: str) -> None:
        """Puts down the version of the API that an operation was begun by."""
        with self._store.transaction() as db:
            db.execute("UPDATE operations SET version = ? WHERE name = ?", (version, name))

    def version(self, name: str) -> str:
        """The version of the API that an operation was begun by; v1 where nothing is known."""
        with self._store.read() as db:
            row = db.execute("SELECT version FROM operations WHERE name = ?", (name,)).fetchone()
        return str(row[0]) if row else "v1"

    def is_done(self, name: str) -> bool:
        """Whether it has ended, was cancelled, or is no longer there."""
        with self._store.read() as db:
            row = db.execute("SELECT done FROM operations WHERE name = ?", (name,)).fetchone()
        return row is None or bool(row[0])

    def delete(self, name: str) -> None:
        """The client is no longer interested. NOT_FOUND when there is none."""
        with self._store.transaction() as db:
            if db.execute("DELETE FROM operations WHERE name = ?", (name,)).rowcount == 0:
                raise ApiError("NOT_FOUND", f'Operation "{name}" not found')


def status(error: ApiError) -> Body:
    """An error as google.rpc.Status in JSON."""
    details = {"details": error.details} if error.details else {}
    return {"code": error.rpc_code, "message": error.message, **details}
