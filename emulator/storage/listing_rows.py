"""The rows that a list reads, in the order of (name, generation), each page by an index."""

from __future__ import annotations

import sqlite3
from dataclasses import dataclass
from datetime import datetime

from emulator.clock import timestamp
from emulator.storage.buckets import BucketRow
from emulator.storage.names import successor
from emulator.storage.object_resource import COLUMNS, ObjectRow, from_columns
from emulator.storage.versions import OLD_COLUMNS, bucket_generation, from_old

# A name and a generation, at or behind which a page starts.
Place = tuple[str, int]
LIVE, VERSIONS, RESTORABLE = "live", "versions", "restorable"


@dataclass(frozen=True)
class Rows:
    """The objects of one bucket that are live, or with noncurrent ones, or softly deleted.

    Names are below `end`, unless it is "".
    """

    db: sqlite3.Connection
    home: BucketRow
    kind: str
    now: datetime
    end: str

    def read(self, place: Place, limit: int) -> list[ObjectRow]:
        """At most `limit` of them from `place` on."""
        if self.end and place[0] >= self.end:
            return []
        if self.kind == LIVE:
            return self._live(place, limit)
        return (
            self._restorable(place, limit) if self.kind == RESTORABLE else self._all(place, limit)
        )

    def at(self, row: ObjectRow) -> Place:
        """The place of an object."""
        return row.name, 0 if self.kind == LIVE else row.generation

    def behind(self, row: ObjectRow) -> Place:
        """The next place behind an object."""
        return (row.name + "\0", 0) if self.kind == LIVE else (row.name, row.generation + 1)

    def next_folder(self, start: str, prefix: str) -> str | None:
        """The first folder of the bucket from a name on, within the prefix and below the end."""
        ends = [end for end in (successor(prefix), self.end) if end]
        condition, values = ("AND name < ?", (min(ends),)) if ends else ("", ())
        row = self.db.execute(
            "SELECT min(name) FROM folders WHERE bucket = ? AND name >= ? AND name > ?"
            f" {condition}",
            (self.home.name, start, prefix, *values),
        ).fetchone()
        return None if row is None else row[0]

    def _live(self, place: Place, limit: int) -> list[ObjectRow]:
        """By name alone, which is the key."""
        condition, values = self._below()
        rows = self.db.execute(
            f"SELECT {COLUMNS} FROM objects WHERE bucket = ? AND name >= ? {condition}"
            " ORDER BY name LIMIT ?",
            (self.home.name, place[0], *values, limit),
        )
        return [from_columns(row) for row in rows]

    def _restorable(self, place: Place, limit: int) -> list[ObjectRow]:
        condition, values = self._below()
        rows = self.db.execute(
            f"SELECT {OLD_COLUMNS} FROM old_objects WHERE bucket = ? AND soft = 1"
            f" AND (name, generation) >= (?, ?) {condition} AND bucket_generation = ?"
            " AND expires > ? ORDER BY name, generation LIMIT ?",
            (
                self.home.name, *place, *values, bucket_generation(self.home),
                timestamp(self.now), limit,
            ),
        )  # fmt: skip
        return [from_old(row) for row in rows]

    def _all(self, place: Place, limit: int) -> list[ObjectRow]:
        """Live and noncurrent ones, both by their key, merged."""
        condition, values = self._below()
        rows = self.db.execute(
            f"SELECT * FROM (SELECT {COLUMNS}, NULL, NULL FROM objects WHERE bucket = ?"
            f" AND name >= ? AND (name > ? OR generation >= ?) {condition}"
            " ORDER BY name LIMIT ?)"
            f" UNION ALL SELECT * FROM (SELECT {OLD_COLUMNS} FROM old_objects WHERE bucket = ?"
            f" AND soft = 0 AND (name, generation) >= (?, ?) {condition}"
            " AND bucket_generation = ? ORDER BY name, generation LIMIT ?)"
            " ORDER BY name, generation LIMIT ?",
            (
                self.home.name, place[0], *place, *values, limit,
                self.home.name, *place, *values, bucket_generation(self.home), limit, limit,
            ),
        )  # fmt: skip
        return [from_old(row) for row in rows]

    def _below(self) -> tuple[str, tuple[str, ...]]:
        return ("AND name < ?", (self.end,)) if self.end else ("", ())
