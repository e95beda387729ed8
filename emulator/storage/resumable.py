"""Resumable uploads: begun, continued, asked for, cancelled; they survive the server's death.

https://cloud.google.com/storage/docs/performing-resumable-uploads
"""

from __future__ import annotations

import asyncio
import fcntl
import hashlib
import os
import re
from dataclasses import asdict, dataclass, replace
from pathlib import Path

from emulator.cloud import Cloud
from emulator.storage import buckets, checksums, encryption, objects, rights, upload_sessions
from emulator.storage.errors import StorageError, invalid
from emulator.storage.http import Call, Reply, json_reply
from emulator.storage.length_range import asked
from emulator.storage.names import check_object
from emulator.storage.object_answers import shown, wants_full
from emulator.storage.preconditions import Preconditions
from emulator.storage.sink import BATCH_BYTES, pieces
from emulator.storage.upload_sessions import IN_QUERY, Session, require
from emulator.store.blobs import MEMORY_BYTES, BlobRef, Digests, write_all

CONTENT_RANGE = re.compile(r"bytes (?:(\d{1,18})-(\d{1,18}|\*)|\*)/(\d{1,18}|\*)")
INCOMPLETE = 308
CANCELLED = 499
# The largest object: ServiceConstants.Values in google-cloud-storage 3.17.
OBJECT_BYTES = 5 << 40
# Of a request that is not the last; fsouza/fake-gcs-server#1080 quotes Google's answer.
CHUNK_BYTES = 256 << 10
SMALL = (
    "Invalid request.  The number of bytes uploaded is required to be equal or greater than "
    f"{CHUNK_BYTES}, except for the final request (it's recommended to be the exact multiple of "
    f"{CHUNK_BYTES}).  The received request contained {{}} bytes, which does not meet this "
    "requirement."
)
AHEAD = (
    "Invalid request.  According to the Content-Range header, the upload offset is {} byte(s), "
    "which exceeds already uploaded size of {} byte(s)."
)
UNLIKE = (
    "Invalid request.  There were {} byte(s) in the request body.  There should have been {} "
    "byte(s) (starting at offset {} and ending at offset {}) according to the Content-Range header."
)
BUSY = "Another request is adding bytes to this upload. Ask for its state and go on from there."


@dataclass(frozen=True)
class Extent:
    """A Content-Range: first and last byte of the body (first None: no body), the whole length."""

    start: int | None
    end: int | None
    total: int | None

    @property
    def is_last(self) -> bool:
        """Whether the body has the object's last byte."""
        return self.total is not None and self.end is not None and self.end + 1 >= self.total


async def initiate(cloud: Cloud, call: Call) -> Reply:
    """Begins a session; its address comes in the Location header."""
    fields = dict(call.fields) if call.fields is not None else await call.json()
    name = str(fields.get("name") or call.query.get("name", ""))
    check_object(name)
    if "x-upload-content-type" in call.headers:
        fields.setdefault("contentType", call.headers["x-upload-content-type"])
    fields |= {key: call.query[key] for key in IN_QUERY if key in call.query}
    seal = encryption.Seal.for_request(call.headers)
    lengths = asked(call.headers)
    session = Session(
        call.names[0], name, fields, dict(call.query), _announced(call),
        seal.secret if seal else None, asdict(call.caller) if call.caller else None,
        asdict(lengths) if lengths else None,
    )  # fmt: skip
    if session.length is not None:
        session.allowed.check(session.length, ended=True)
    await asyncio.to_thread(upload_sessions.check_waiting, cloud)
    with cloud.store.transaction() as db:
        buckets.require(db, session.bucket)
        row = objects.find(db, session.bucket, name)
        rights.require_write(cloud, call.caller, session.bucket, name, old=row is not None)
        Preconditions.of_call(call).check_write(*objects.state(row))
        upload_sessions.begin(cloud, db, session)
    path = f"/upload/storage/v1/b/{session.bucket}/o?uploadType=resumable&upload_id={session.id}"
    headers = [
        (b"location", (call.host() + path).encode()),
        (b"x-guploader-uploadid", session.id.encode()),
    ]
    return Reply(200, b"", headers)


async def proceed(cloud: Cloud, call: Call) -> Reply:
    """`PUT` (or `POST`) to a session: bytes, or the question how many have come (`bytes */N`)."""
    session = require(cloud, call)
    if session.answer is not None:
        return json_reply(session.answer)
    extent = _extent(call, session)
    path = upload_sessions.path(cloud, session)
    descriptor = os.open(path, os.O_RDWR | os.O_CREAT | os.O_APPEND, 0o600)
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        session = require(cloud, call)
        if session.answer is not None:
            path.unlink(missing_ok=True)
            return json_reply(session.answer)
        return await _go_on(cloud, call, session, extent, descriptor)
    except BlockingIOError:
        if extent.start is None:
            return _incomplete(call, upload_sessions.received(cloud, session))
        raise StorageError(503, "backendError", BUSY) from None
    finally:
        os.close(descriptor)


async def _go_on(
    cloud: Cloud, call: Call, session: Session, extent: Extent, descriptor: int
) -> Reply:
    """How far the upload is; the finished object when all has come."""
    key = None
    if extent.start is not None:
        key = encryption.required_key(session.secret, call.headers)
        await _append(cloud, call, session, extent, descriptor, key)
    received = os.fstat(descriptor).st_size
    total = received if "content-range" not in call.headers else extent.total
    if total is None or received < total:
        return _incomplete(call, received)
    if received > total:
        raise invalid(f"The upload has {received} bytes, more than the {total} it announced.")
    key = encryption.required_key(session.secret, call.headers)
    try:
        return await _complete(cloud, call, session, key)
    except StorageError as refusal:
        if refusal.code < 499:
            upload_sessions.refuse(cloud, session, refusal)
        raise


async def cancel(cloud: Cloud, call: Call) -> Reply:
    """`DELETE` of a session: 499, as Google answers; its bytes are forgotten."""
    session = require(cloud, call)
    if session.answer is None:
        gone = StorageError(410, "gone", upload_sessions.GONE)
        upload_sessions.refuse(cloud, session, gone)
    return Reply(CANCELLED)


def sweep(cloud: Cloud) -> int:
    """Removes what is left of uploads that ended or expired; the number of files."""
    return upload_sessions.sweep(cloud)


def _announced(call: Call) -> int | None:
    """The length that X-Upload-Content-Length announces. 400 where it is none."""
    text = call.headers.get("x-upload-content-length")
    if text is None:
        return None
    if not re.fullmatch(r"\d{1,18}", text) or int(text) > OBJECT_BYTES:
        raise invalid(f"Invalid value for X-Upload-Content-Length: '{text}'.")
    return int(text)


def _extent(call: Call, session: Session) -> Extent:
    text = call.headers.get("content-range")
    if text is None:
        return Extent(0, None, session.length)
    found = CONTENT_RANGE.fullmatch(text.strip())
    if found is None:
        raise invalid(f"Failed to parse Content-Range header: '{text}'.")
    start = int(found[1]) if found[1] else None
    end = int(found[2]) if found[2] and found[2] != "*" else None
    total = None if found[3] == "*" else int(found[3])
    if end is not None and start is not None and end < start:
        raise invalid(f"Failed to parse Content-Range header: '{text}'.")
    if total is not None and (total > OBJECT_BYTES or (end is not None and end >= total)):
        raise invalid(f"Invalid request.  The Content-Range header is out of bounds: '{text}'.")
    if None not in (total, session.length) and total != session.length:
        raise invalid(f"The upload announced {session.length} bytes, not {total}.")
    return Extent(start, end, total)


async def _append(
    cloud: Cloud, call: Call, session: Session, extent: Extent, descriptor: int, key: bytes | None
) -> None:
    """Adds a body behind what has come; what is sent twice is written once.

    A body that is not what its Content-Range says is 400, and nothing of it is kept.
    """
    before = os.fstat(descriptor).st_size
    start = extent.start or 0
    if start > before:
        raise StorageError(400, "badRequest", AHEAD.format(start, before))
    seal = encryption.opener(session.secret, key, before)
    skip, length, waiting = before - start, 0, bytearray()
    try:
        async for data in pieces(call.receive):
            length += len(data)
            _check_length(extent, length, whole=False)
            session.allowed.check(start + length, ended=False)
            waiting += seal(data[skip:])
            skip -= min(skip, len(data))
            if len(waiting) >= BATCH_BYTES:
                batch, waiting = bytes(waiting), bytearray()
                await asyncio.to_thread(_write, cloud, descriptor, batch)
        _check_length(extent, length, whole="content-range" in call.headers)
    except StorageError as refusal:
        if refusal.code != CANCELLED:
            os.ftruncate(descriptor, before)
            raise
        _write(cloud, descriptor, bytes(waiting))  # The client went away: what has come is kept.
        raise
    _write(cloud, descriptor, bytes(waiting))


def _check_length(extent: Extent, length: int, *, whole: bool) -> None:
    """Raises 400 for a body that cannot be, or (whole) is not, what its Content-Range says."""
    start = extent.start or 0
    expected = None if extent.end is None else extent.end - start + 1
    if expected is not None and (length > expected or (whole and length != expected)):
        raise invalid(UNLIKE.format(length, expected, start, extent.end))
    if whole and not extent.is_last and length < CHUNK_BYTES:
        raise invalid(SMALL.format(length))


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


async def _complete(cloud: Cloud, call: Call, session: Session, key: bytes | None) -> Reply:
    """Makes the bytes an object; the session's file stays until the row is committed."""
    path = upload_sessions.path(cloud, session)
    reference = await asyncio.to_thread(_digest, path, session, key)
    checksums.check(reference, call.headers, session.fields)
    session.allowed.check(reference.size_bytes, ended=True)
    cloud.blobs.pin(reference.sha256)
    try:
        if not cloud.blobs.holds(reference):
            await asyncio.to_thread(cloud.blobs.place, path, reference, link=True)
        with cloud.store.transaction() as db:
            row = objects.store_object(
                cloud, session.bucket, session.name, reference, session.fields,
                Preconditions.from_query(session.query), caller=session.owner,
                predefined_acl=session.query.get("predefinedAcl"), secret=session.secret,
            )  # fmt: skip
            full = wants_full(session.query, "acl" in session.fields)
            answer = shown(cloud, row, buckets.require(db, session.bucket), full=full)
            upload_sessions.finish(db, session, answer)
    finally:
        cloud.blobs.unpin(reference.sha256)
    path.unlink(missing_ok=True)
    return json_reply(answer, headers=[(b"etag", row.etag.encode())])


def _digest(path: Path, session: Session, key: bytes | None) -> BlobRef:
    """What the bytes are; of encrypted ones the digests are the plain bytes'."""
    plain, stored = Digests(), hashlib.sha256()
    opened = encryption.opener(session.secret, key)
    with path.open("rb") as file:
        while data := file.read(MEMORY_BYTES):
            plain.update(opened(data))
            if session.secret is not None:
                stored.update(data)
    reference = plain.reference()
    return reference if session.secret is None else replace(reference, sha256=stored.hexdigest())


def _incomplete(call: Call, received: int) -> Reply:
    """308 with what has come; 200 for clients that cannot bear a 308 (Go's sends the header)."""
    headers = [(b"range", f"bytes=0-{received - 1}".encode())] if received else []
    if call.headers.get("x-guploader-no-308") == "yes":
        return Reply(200, b"", [*headers, (b"x-http-status-code-override", b"308")])
    return Reply(INCOMPLETE, b"", headers)
