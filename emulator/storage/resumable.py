"""Resumable uploads: a row says what is wanted, the length of a file says how much has come."""

from __future__ import annotations

import asyncio
import fcntl
import json
import os
import re
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path
from typing import Any
from uuid import uuid4

from emulator.clock import timestamp
from emulator.cloud import Cloud
from emulator.storage import buckets, checksums, objects
from emulator.storage.errors import StorageError, invalid
from emulator.storage.http import Call, Reply, json_reply
from emulator.storage.names import check_object
from emulator.storage.object_answers import shown, wants_full
from emulator.storage.preconditions import Preconditions
from emulator.storage.sink import BATCH_BYTES, pieces
from emulator.store.blobs import MEMORY_BYTES, BlobRef, Digests, write_all

CONTENT_RANGE = re.compile(r"bytes (?:(\d+)-(\d+)|\*)/(\d+|\*)")
INCOMPLETE = 308
CANCELLED = 499
# Google forgets an upload after a week: https://cloud.google.com/storage/docs/resumable-uploads
LIFE = timedelta(days=7)
AHEAD = (
    "Invalid request.  According to the Content-Range header, the upload offset is {} byte(s), "
    "which exceeds already uploaded size of {} byte(s)."
)
BUSY = "Another request is adding bytes to this upload. Ask for its state and go on from there."


@dataclass(frozen=True)
class Session:
    """An upload that has been begun; `answer` is the finished object, once there is one."""

    id: str
    bucket: str
    name: str
    fields: dict[str, Any]
    query: dict[str, str]
    answer: dict[str, Any] | None


@dataclass(frozen=True)
class Extent:
    """A Content-Range: where the body starts (None: no body) and the whole length, if known."""

    start: int | None
    total: int | None


async def initiate(cloud: Cloud, call: Call) -> Reply:
    """Begins a session; its address comes in the Location header."""
    fields = await call.json()
    name = str(fields.get("name") or call.query.get("name", ""))
    check_object(name)
    if "x-upload-content-type" in call.headers:
        fields.setdefault("contentType", call.headers["x-upload-content-type"])
    session = Session(uuid4().hex, call.names[0], name, fields, dict(call.query), None)
    with cloud.store.transaction() as db:
        buckets.require(db, session.bucket)
        row = objects.find(db, session.bucket, name)
        Preconditions.from_query(call.query).check_write(*objects.state(row))
        request = json.dumps({"fields": fields, "query": session.query})
        db.execute(
            "INSERT INTO uploads (id, bucket, name, request, created) VALUES (?, ?, ?, ?, ?)",
            (session.id, session.bucket, name, request, timestamp(cloud.clock.now())),
        )
    path = f"/upload/storage/v1/b/{session.bucket}/o?uploadType=resumable&upload_id={session.id}"
    headers = [
        (b"location", (call.host() + path).encode()),
        (b"x-guploader-uploadid", session.id.encode()),
    ]
    return Reply(200, b"", headers)


async def proceed(cloud: Cloud, call: Call) -> Reply:
    """`PUT` to a session: bytes, or the question how many have come (`bytes */N`)."""
    path = _path(cloud, require(cloud, call))
    extent = _extent(call.headers.get("content-range"))
    descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600)
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        session = require(cloud, call)
        if session.answer is not None:
            path.unlink(missing_ok=True)
            return json_reply(session.answer)
        if extent.start is not None:
            await _append(cloud, call, descriptor, extent.start)
        return await _state(cloud, call, session, extent.total)
    except BlockingIOError:
        if extent.start is None:
            return _incomplete(_received(path))
        raise StorageError(503, "backendError", BUSY) from None
    finally:
        os.close(descriptor)


async def _state(cloud: Cloud, call: Call, session: Session, total: int | None) -> Reply:
    """How far the upload is; the finished object when all has come."""
    path = _path(cloud, session)
    received = _received(path)
    if total is None and "content-range" not in call.headers:
        total = received
    if total is None or received < total:
        return _incomplete(received)
    if received > total:
        raise invalid(f"The upload has {received} bytes, more than the {total} it announced.")
    return await _complete(cloud, call, session, path)


async def cancel(cloud: Cloud, call: Call) -> Reply:
    """`DELETE` of a session: 499, as Google answers; its bytes are forgotten."""
    session = require(cloud, call)
    with cloud.store.transaction() as db:
        db.execute("DELETE FROM uploads WHERE id = ?", (session.id,))
    _path(cloud, session).unlink(missing_ok=True)
    return Reply(CANCELLED)


def require(cloud: Cloud, call: Call) -> Session:
    """The session that a request names. 404 when it was never begun, or was cancelled."""
    key = call.query.get("upload_id", "")
    with cloud.store.read() as db:
        row = db.execute(
            "SELECT bucket, name, request, answer FROM uploads WHERE id = ?", (key,)
        ).fetchone()
    if row is None or row[0] != call.names[0]:
        raise StorageError(404, "notFound", f"Not Found: there is no upload '{key}'.")
    request = json.loads(row[2])
    answer = json.loads(row[3]) if row[3] else None
    return Session(key, row[0], row[1], request["fields"], request["query"], answer)


def sweep(cloud: Cloud) -> int:
    """Removes uploads of over a week ago, and files of those finished or gone; their number."""
    folder = _folder(cloud)
    oldest = timestamp(cloud.clock.now() - LIFE)
    with cloud.store.transaction() as db:
        db.execute("DELETE FROM uploads WHERE created < ?", (oldest,))
        rows = db.execute("SELECT id FROM uploads WHERE answer IS NULL")
        open_ids = {row[0] for row in rows}
    stale = [path for path in folder.glob("*") if path.name not in open_ids]
    for path in stale:
        path.unlink()
    return len(stale)


def _extent(text: str | None) -> Extent:
    if text is None:
        return Extent(0, None)
    found = CONTENT_RANGE.fullmatch(text.strip())
    if found is None:
        raise invalid(f"Failed to parse Content-Range header: '{text}'.")
    start = int(found[1]) if found[1] else None
    return Extent(start, None if found[3] == "*" else int(found[3]))


async def _append(cloud: Cloud, call: Call, descriptor: int, start: int) -> None:
    """Adds a body behind what has come; what is sent twice is written once."""
    received = os.fstat(descriptor).st_size
    if start > received:
        raise StorageError(400, "badRequest", AHEAD.format(start, received))
    skip = received - start
    waiting = b""
    try:
        async for data in pieces(call.receive):
            waiting += data[skip:]
            skip -= min(skip, len(data))
            if len(waiting) >= BATCH_BYTES:
                batch, waiting = waiting, b""
                await asyncio.to_thread(_write, cloud, descriptor, batch)
    except StorageError:
        _write(cloud, descriptor, waiting)  # The client went away: what has come is kept.
        raise
    _write(cloud, descriptor, waiting)


def _write(cloud: Cloud, descriptor: int, data: bytes) -> None:
    """Appends all of `data` or, on a full disk, nothing of it."""
    before = os.fstat(descriptor).st_size
    try:
        cloud.blobs.check_space()
        write_all(descriptor, data)
        if cloud.blobs.fsync:
            os.fsync(descriptor)
    except OSError:
        os.ftruncate(descriptor, before)
        raise


async def _complete(cloud: Cloud, call: Call, session: Session, path: Path) -> Reply:
    """Makes the bytes an object; the session's file stays until the row is committed."""
    reference = await asyncio.to_thread(_digest, path)
    checksums.check(reference, call.headers, session.fields)
    cloud.blobs.pin(reference.sha256)
    try:
        if not cloud.blobs.holds(reference):
            await asyncio.to_thread(cloud.blobs.place, path, reference, link=True)
        with cloud.store.transaction() as db:
            row = objects.store_object(
                cloud, session.bucket, session.name, reference, session.fields,
                Preconditions.from_query(session.query), caller=call.caller,
                predefined_acl=session.query.get("predefinedAcl"),
            )  # fmt: skip
            full = wants_full(session.query, "acl" in session.fields)
            answer = shown(cloud, row, buckets.require(db, session.bucket), full=full)
            db.execute(
                "UPDATE uploads SET answer = ? WHERE id = ?", (json.dumps(answer), session.id)
            )
    finally:
        cloud.blobs.unpin(reference.sha256)
    path.unlink(missing_ok=True)
    return json_reply(answer, headers=[(b"etag", row.etag.encode())])


def _digest(path: Path) -> BlobRef:
    digests = Digests()
    with path.open("rb") as file:
        while data := file.read(MEMORY_BYTES):
            digests.update(data)
    return digests.reference()


def _incomplete(received: int) -> Reply:
    headers = [(b"range", f"bytes=0-{received - 1}".encode())] if received else []
    return Reply(INCOMPLETE, b"", headers)


def _received(path: Path) -> int:
    return path.stat().st_size if path.exists() else 0


def _path(cloud: Cloud, session: Session) -> Path:
    return _folder(cloud) / session.id


def _folder(cloud: Cloud) -> Path:
    folder = cloud.settings.data_dir / "uploads"
    folder.mkdir(exist_ok=True)
    return folder
