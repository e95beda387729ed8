"""Which bytes the rows of all tables refer to."""

from __future__ import annotations

from sqlite3 import Connection

# Up to so many digests are looked up one by one.
FEW = 100


def referred_to(db: Connection, folder: str, there: list[str]) -> set[str]:
    """Which of the digests in a folder a row refers to."""
    if len(there) <= FEW:
        query = "SELECT sha256 FROM blob_references WHERE sha256 = ? LIMIT 1"
        return {one for one in there if db.execute(query, (one,)).fetchone()}
    rows = db.execute(
        "SELECT DISTINCT sha256 FROM blob_references WHERE sha256 >= ? AND sha256 < ?",
        (folder, f"{folder}g"),
    )
    return {row[0] for row in rows}
