"""An object's bytes: whole or a range, always of one generation."""

from __future__ import annotations

import asyncio
import os
import re
import zlib
from collections.abc import AsyncIterator
from io import FileIO
from sqlite3 import Connection
from typing import Any

from emulator.cloud import Cloud
from emulator.storage import http_conditions, objects
from emulator.storage.encryption import Transform, opener, required_key, revealed
from emulator.storage.errors import StorageError
from emulator.storage.http import Call, Reply
from emulator.storage.media_headers import media_headers, row_etag, xml_headers
from emulator.storage.object_resource import ObjectRow
from emulator.storage.preconditions import NONE, Preconditions, generation_of
from emulator.web import Header

RANGE = re.compile(r"bytes=(\d*)-(\d*)")
# Read at once on the event loop up to here; beyond it, in pieces by a thread.
PIECE_BYTES = 1 << 20
GZIP = re.compile(r"\bgzip\b(?!\s*;\s*q=0(?:\.0*)?\s*(?:,|$))", re.IGNORECASE)
HEAD = "head"  # what an XML request says where it wants headers alone
GZIP_MAGIC = b"\x1f\x8b"


async def download(cloud: Cloud, call: Call) -> Reply:
    """`GET …/o/OBJECT?alt=media`: 200, 206 for a range, 304, 404, 412 or 416."""
    bucket, name = call.names
    # The file is opened while nobody can remove it; what is open stays readable.
    with cloud.store.read() as db:
        row, headers = _found(cloud, db, call, bucket, name)
        if (demanded := _conditions(call)) is not NONE:
            demanded.check_read(*objects.state(row))
        if call.fields is not None:
            http_conditions.check_read(call.fields, row_etag(row), row.updated)
            if HEAD in call.fields:
                return _head(row, call)
        key = required_key(row.secret, call.headers)
        unpacks = _wants_unpacked(row, call.headers.get("accept-encoding", ""))
        text = "" if unpacks else call.headers.get("range", "")
        wanted = requested_range(text, row.size_bytes) if text else None
        start, end = wanted or (0, row.size_bytes)
        opened = opener(row.secret, key, start)
        descriptor = cloud.blobs.descriptor(row.sha256)
    if wanted:
        headers.append((b"content-range", f"bytes {start}-{end - 1}/{row.size_bytes}".encode()))
    status = 206 if wanted else 200
    if end - start <= PIECE_BYTES and not unpacks:
        return Reply(status, opened(_read(descriptor, start, end)), headers)
    file = FileIO(descriptor)
    file.seek(start)
    stream = _pieces(file, end - start, opened)
    if unpacks:
        return Reply(200, headers=_unpacked_headers(headers), stream=_unpacked(stream))
    return Reply(status, headers=headers, stream=stream, length=end - start)


def _found(
    cloud: Cloud, db: Connection, call: Call, bucket: str, name: str
) -> tuple[ObjectRow, list[Header]]:
    """The object and the headers of its bytes; those of a live one are kept until a change."""
    generation = generation_of(call.query)
    known, key = cloud.store.known(), (bucket, name, call.fields is None)
    found: tuple[ObjectRow, list[Header]] | None = known.get(key)
    if found is None or generation not in (None, found[0].generation):
        row = objects.require(db, bucket, name, generation)
        found = (row, media_headers(row) if call.fields is None else xml_headers(row))
        if generation is None:
            known[key] = found
    return found[0], list(found[1])


def _conditions(call: Call) -> Preconditions:
    """What a request demands; the entity tags of the XML API are others than the JSON API's."""
    if call.fields is not None:
        return Preconditions.from_query(call.query)
    return Preconditions.of_call(call)


def _head(row: ObjectRow, call: Call) -> Reply:
    """The headers of `GET` alone; checksums under a customer's key only to who has it."""
    headers = xml_headers(row)
    if not revealed(row.secret, call.headers):
        headers = [pair for pair in headers if pair[0] != b"x-goog-hash"]
    if _wants_unpacked(row, call.headers.get("accept-encoding", "")):
        return Reply(200, headers=_unpacked_headers(headers))
    wanted = requested_range(call.headers.get("range", ""), row.size_bytes)
    start, end = wanted or (0, row.size_bytes)
    if wanted:
        headers.append((b"content-range", f"bytes {start}-{end - 1}/{row.size_bytes}".encode()))
    return Reply(206 if wanted else 200, headers=headers, length=end - start)


def requested_range(text: str, size_bytes: int) -> tuple[int, int] | None:
    """Start and end (exclusive) of a Range header, None for the whole object.

    416 when no byte of the object is in it; a header of another form is ignored (RFC 9110, 14.2).
    """
    found = RANGE.fullmatch(text.strip())
    if found is None or found[0] == "bytes=-":
        return None
    first, last = found[1], found[2]
    if not first:
        start, end = max(0, size_bytes - int(last)), size_bytes
    else:
        start, end = int(first), min(size_bytes, int(last) + 1 if last else size_bytes)
        if last and int(last) < start:
            return None
    if start >= size_bytes or start >= end:
        raise UnsatisfiableError(size_bytes)
    return start, end


class UnsatisfiableError(StorageError):
    """416, with the length that the object has."""

    def __init__(self, size_bytes: int) -> None:
        super().__init__(416, "requestedRangeNotSatisfiable", "Request range not satisfiable")
        self.size_bytes = size_bytes


def _read(descriptor: int, start: int, end: int) -> bytes:
    """The bytes from `start` to `end`; the descriptor is closed."""
    try:
        if start:
            os.lseek(descriptor, start, os.SEEK_SET)
        return os.read(descriptor, end - start)
    finally:
        os.close(descriptor)


def _wants_unpacked(row: ObjectRow, accepted: str) -> bool:
    """Whether gzip is undone on the way (https://cloud.google.com/storage/docs/transcoding)."""
    return (
        row.body.get("contentEncoding") == "gzip"
        and not GZIP.search(accepted)
        and "no-transform" not in str(row.body.get("cacheControl", ""))
    )


def _unpacked_headers(headers: list[Header]) -> list[Header]:
    """Headers of bytes that are unpacked on the way; a Range is not looked at then."""
    kept = [pair for pair in headers if pair[0] not in (b"content-encoding", b"accept-ranges")]
    return [*kept, (b"vary", b"Accept-Encoding"), (b"warning", b"214 UploadServer gunzipped")]


async def _unpacked(pieces: AsyncIterator[bytes]) -> AsyncIterator[bytes]:
    """The plain bytes of a gzip file of one or more members; other bytes come as they are."""
    unpacker: Any = None
    packed: bool | None = None
    async for data in pieces:
        if packed is None:
            packed = data.startswith(GZIP_MAGIC)
        if not packed:
            yield data
            continue
        while data:
            if unpacker is None or unpacker.eof:
                unpacker = zlib.decompressobj(wbits=zlib.MAX_WBITS | 16)
            yield await asyncio.to_thread(unpacker.decompress, data, PIECE_BYTES)
            data = unpacker.unused_data if unpacker.eof else unpacker.unconsumed_tail
    if unpacker is not None:
        yield unpacker.flush()


async def _pieces(file: FileIO, length: int, opened: Transform) -> AsyncIterator[bytes]:
    with file:
        while length > 0:
            data = await asyncio.to_thread(_piece, file, min(PIECE_BYTES, length), opened)
            if not data:
                raise OSError("A blob is shorter than its row says.")
            length -= len(data)
            yield data


def _piece(file: FileIO, size: int, opened: Transform) -> bytes:
    return opened(file.read(size))
