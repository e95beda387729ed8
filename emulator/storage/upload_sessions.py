"""Sessions of resumable uploads: a row says what is wanted, a file has what has come.

An upload ends with an answer that is kept for a week: the object's JSON, or the refusal. A client
that did not hear it asks again and hears the same.
"""

from __future__ import annotations

import json
import os
import sqlite3
from dataclasses import asdict, dataclass, field
from datetime import timedelta
from pathlib import Path
from typing import Any
from uuid import uuid4

from emulator.clock import timestamp
from emulator.cloud import Cloud
from emulator.storage.errors import StorageError
from emulator.storage.http import Call
from emulator.storage.length_range import LengthRange
from emulator.tokens import Caller
from emulator.web import Scope

# https://cloud.google.com/storage/docs/resumable-uploads: a session URI expires after one week.
LIFE = timedelta(days=7)
# Of our own: what a client that never finishes may leave behind (docs/emulator-safety.md).
OPEN_UPLOADS = 10_000
OPEN_UPLOADS_OF_BUCKET = 2_000
WAITING_BYTES = 100 << 30
TOO_MANY = "Too many unfinished uploads ({}). Finish some, or cancel them (DELETE)."
# cloud.google.com/storage/docs/json_api/v1/status-codes, 410: a session "no longer available".
GONE = (
    "You have attempted to use a resumable upload session that is no longer available. Start a "
    "new one."
)
ROOT = "/upload/storage/v1/b/"
# What a client may say of an object beside its media, in the query of an upload.
IN_QUERY = ("contentEncoding", "kmsKeyName")


@dataclass(frozen=True)
class Session:
    """An upload that has been begun; `answer` is how it ended, once it has.

    `length` is what X-Upload-Content-Length announced; `secret` how the bytes are encrypted, in
    the waiting file already; `caller` who began it, whose object it will be; `lengths` the least
    and the most bytes that it may have.
    """

    bucket: str
    name: str
    fields: dict[str, Any]
    query: dict[str, str]
    length: int | None = None
    secret: dict[str, Any] | None = None
    caller: dict[str, Any] | None = None
    lengths: dict[str, int] | None = None
    id: str = field(default_factory=lambda: uuid4().hex)
    answer: dict[str, Any] | None = None

    @property
    def owner(self) -> Caller | None:
        """Who began it."""
        return Caller(**self.caller) if self.caller else None

    @property
    def allowed(self) -> LengthRange:
        """How long the object may be."""
        return LengthRange(**(self.lengths or {}))


def is_session(scope: Scope) -> bool:
    """Whether a request goes to a session's address, which is a secret that lets in who has it.

    https://cloud.google.com/storage/docs/resumable-uploads#session-uris.
    """
    return (
        scope["method"] in ("PUT", "DELETE")
        and scope["path"].startswith(ROOT)
        and b"upload_id=" in scope["query_string"]
    )


def begin(cloud: Cloud, db: sqlite3.Connection, session: Session) -> None:
    """Keeps a new session. 429 where too many are open."""
    _check_number(db, session.bucket)
    kept = ("fields", "query", "length", "secret", "caller", "lengths")
    request = json.dumps({name: value for name, value in asdict(session).items() if name in kept})
    db.execute(
        "INSERT INTO uploads (id, bucket, name, request, created) VALUES (?, ?, ?, ?, ?)",
        (session.id, session.bucket, session.name, request, timestamp(cloud.clock.now())),
    )


def _check_number(db: sqlite3.Connection, bucket: str) -> None:
    """Raises 429 where there are as many open uploads as there may be."""
    statement = "SELECT COUNT(*) FROM uploads WHERE answer IS NULL"
    (total,) = db.execute(statement).fetchone()
    (here,) = db.execute(f"{statement} AND bucket = ?", (bucket,)).fetchone()
    if total >= OPEN_UPLOADS or here >= OPEN_UPLOADS_OF_BUCKET:
        raise StorageError(429, "rateLimitExceeded", TOO_MANY.format(total))


def check_waiting(cloud: Cloud) -> None:
    """Raises 429 where unfinished uploads hold as many bytes as they may together."""
    with os.scandir(folder(cloud)) as found:
        waiting = sum(_size(entry) for entry in found)
    if waiting > WAITING_BYTES:
        raise StorageError(429, "rateLimitExceeded", TOO_MANY.format(f"{waiting} bytes"))


def _size(entry: os.DirEntry[str]) -> int:
    """The bytes of a file, none once its upload has ended meanwhile."""
    try:
        return entry.stat().st_size
    except FileNotFoundError:
        return 0


def require(cloud: Cloud, call: Call) -> Session:
    """The session that a request names. 404 when it was never begun, 410 when it has expired."""
    key = call.query.get("upload_id", "")
    with cloud.store.read() as db:
        row = db.execute(
            "SELECT bucket, name, request, answer, created FROM uploads WHERE id = ?", (key,)
        ).fetchone()
    if row is None or row[0] != call.names[0]:
        raise StorageError(404, "notFound", f"Not Found: there is no upload '{key}'.")
    if row[4] < timestamp(cloud.clock.now() - LIFE):
        raise StorageError(410, "gone", GONE)
    answer = json.loads(row[3]) if row[3] else None
    if answer is not None and "refused" in answer:
        raise StorageError(*answer["refused"])
    return Session(row[0], row[1], **json.loads(row[2]), id=key, answer=answer)


def finish(db: sqlite3.Connection, session: Session, answer: dict[str, Any]) -> None:
    """The upload has ended with this answer."""
    db.execute("UPDATE uploads SET answer = ? WHERE id = ?", (json.dumps(answer), session.id))


def refuse(cloud: Cloud, session: Session, error: StorageError) -> None:
    """The upload has ended with a refusal; its bytes are gone."""
    answer = {"refused": [error.code, error.reason, error.message]}
    with cloud.store.transaction() as db:
        finish(db, session, answer)
    path(cloud, session).unlink(missing_ok=True)


def sweep(cloud: Cloud) -> int:
    """Forgets uploads of over two weeks ago, and bytes of those that ended or expired; how many."""
    now = cloud.clock.now()
    with cloud.store.transaction() as db:
        db.execute("DELETE FROM uploads WHERE created < ?", (timestamp(now - 2 * LIFE),))
        rows = db.execute(
            "SELECT id FROM uploads WHERE answer IS NULL AND created >= ?", (timestamp(now - LIFE),)
        )
        open_ids = {row[0] for row in rows}
    ours = folder(cloud).glob("[0-9a-f]" * 32)
    stale = [found for found in ours if found.name not in open_ids and found.is_file()]
    for found in stale:
        found.unlink()
    return len(stale)


def received(cloud: Cloud, session: Session) -> int:
    """How many bytes have come."""
    try:
        return path(cloud, session).stat().st_size
    except FileNotFoundError:
        return 0


def path(cloud: Cloud, session: Session) -> Path:
    """Where the bytes of a session wait."""
    return folder(cloud) / session.id


def folder(cloud: Cloud) -> Path:
    """Where bytes of unfinished uploads wait."""
    found = cloud.settings.data_dir / "uploads"
    found.mkdir(exist_ok=True, mode=0o700)
    return found
