"""An object's bytes: whole or a range, always of one generation."""

from __future__ import annotations

import asyncio
import re
import zlib
from collections.abc import AsyncIterator
from typing import BinaryIO

from emulator.cloud import Cloud
from emulator.storage import objects
from emulator.storage.errors import StorageError
from emulator.storage.http import Call, Reply
from emulator.storage.object_resource import ObjectRow, media_headers
from emulator.storage.preconditions import Preconditions, generation_of

RANGE = re.compile(r"bytes=(\d*)-(\d*)")
# Read at once on the event loop up to here; beyond it, in pieces by a thread.
PIECE_BYTES = 1 << 20


async def download(cloud: Cloud, call: Call) -> Reply:
    """`GET …/o/OBJECT?alt=media`: 200, 206 for a range, 304, 404, 412 or 416."""
    bucket, name = call.names
    # The file is opened while nobody can remove it; what is open stays readable.
    with cloud.store.read() as db:
        row = objects.require(db, bucket, name, generation_of(call.query))
        Preconditions.from_query(call.query).check_read(row.generation, row.metageneration)
        unpacked = _wants_unpacked(row, call.headers.get("accept-encoding", ""))
        asked = "" if unpacked else call.headers.get("range", "")
        wanted = requested_range(asked, row.size_bytes)
        file = cloud.blobs.path(row.sha256).open("rb")
    headers = media_headers(row)
    if unpacked:
        headers = [pair for pair in headers if pair[0] != b"content-encoding"]
        return Reply(200, headers=headers, stream=_unpacked(_pieces(file, row.size_bytes)))
    if wanted is None:
        return await _reply(200, file, 0, row.size_bytes, headers)
    start, end = wanted
    text = f"bytes {start}-{end - 1}/{row.size_bytes}"
    headers.append((b"content-range", text.encode()))
    return await _reply(206, file, start, end - start, headers)


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


async def _reply(
    status: int, file: BinaryIO, start: int, length: int, headers: list[tuple[bytes, bytes]]
) -> Reply:
    file.seek(start)
    if length > PIECE_BYTES:
        return Reply(status, headers=headers, stream=_pieces(file, length), length=length)
    with file:
        return Reply(status, file.read(length), headers)


def _wants_unpacked(row: ObjectRow, accepted: str) -> bool:
    """Whether gzip is undone on the way (https://cloud.google.com/storage/docs/transcoding)."""
    packed = row.body.get("contentEncoding") == "gzip"
    return (
        packed
        and "gzip" not in accepted
        and "no-transform" not in str(row.body.get("cacheControl", ""))
    )


async def _unpacked(pieces: AsyncIterator[bytes]) -> AsyncIterator[bytes]:
    unpacker = zlib.decompressobj(wbits=zlib.MAX_WBITS | 16)
    async for data in pieces:
        while data:
            yield unpacker.decompress(data, PIECE_BYTES)
            data = unpacker.unconsumed_tail
    yield unpacker.flush()


async def _pieces(file: BinaryIO, length: int) -> AsyncIterator[bytes]:
    with file:
        while length > 0:
            data = await asyncio.to_thread(file.read, min(PIECE_BYTES, length))
            if not data:
                raise OSError("A blob is shorter than its row says.")
            length -= len(data)
            yield data
