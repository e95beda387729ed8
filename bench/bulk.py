"""Objects by the million: rows written straight into the database of a server that is stopped."""

from __future__ import annotations

import os
import sqlite3
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

# ext4 gives a file at most 65,000 names; each of so many files stands for that many objects.
LINKS_PER_FILE = 60_000


@contextmanager
def database(data: Path) -> Iterator[sqlite3.Connection]:
    """The database of a stopped server; what is written is there at the end."""
    connection = sqlite3.connect(data / "emulator.sqlite")
    try:
        with connection:
            yield connection
        connection.execute("PRAGMA wal_checkpoint(TRUNCATE)")
    finally:
        connection.close()


def copy_object(data: Path, bucket: str, name: str, count: int, names: str, sha256: str) -> None:
    """Adds `count` rows like that of one object.

    `names` and `sha256` are SQL expressions of their names and digests, with `n` from 0.
    """
    with database(data) as db:
        columns = [row[1] for row in db.execute("PRAGMA table_info(objects)")]
        values = [_VALUES.get(column, column) for column in columns]
        text = ", ".join(values).replace("NAME", names).replace("SHA256", sha256)
        db.execute(
            "WITH RECURSIVE numbers (n) AS (SELECT 0 UNION ALL SELECT n + 1 FROM numbers"
            " WHERE n + 1 < ?)"
            f" INSERT INTO objects ({', '.join(columns)}) SELECT {text} FROM numbers,"
            " (SELECT * FROM objects WHERE bucket = ? AND name = ?)",
            (count, bucket, name),
        )


_VALUES = {"name": "NAME", "sha256": "SHA256", "generation": "generation + n + 1"}


def digest_of(number: int) -> str:
    """The made-up SHA-256 of one object, spread over the folders as real ones are."""
    return f"{number % 256:02x}{number:062x}"


DIGEST_SQL = "printf('%02x%062x', n % 256, n)"


def link_blobs(data: Path, body: bytes, count: int) -> None:
    """Files for `count` made-up digests, few files under many names."""
    blobs = data / "blobs"
    for number in range(256):
        (blobs / f"{number:02x}").mkdir(exist_ok=True)
    source = blobs / "source"
    for number in range(count):
        if number % LINKS_PER_FILE == 0:
            source.unlink(missing_ok=True)
            source.write_bytes(body)
            source.chmod(0o400)
        digest = digest_of(number)
        os.link(source, blobs / digest[:2] / digest)
    source.unlink()
