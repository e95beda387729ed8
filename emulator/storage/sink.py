"""Bodies on their way to disk: small ones at once, large ones off the event loop in batches."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator

from emulator.storage.encryption import Seal
from emulator.storage.errors import StorageError
from emulator.store.blobs import BlobRef, BlobWriter
from emulator.web import Receive

# Below this a body is hashed and written in place: a thread would cost more than it saves.
BATCH_BYTES = 256 << 10


class Sink:
    """Feeds one writer from a coroutine."""

    def __init__(self, writer: BlobWriter, slow_disk: bool, seal: Seal | None = None) -> None:
        """`slow_disk`: finishing waits for the disk (fsync), so it never happens on the loop.

        With a `seal` what is written is encrypted; the reference has the plain bytes' digests.
        """
        self._writer = writer
        self._seal = seal
        self._waiting: list[bytes] = []
        self._waiting_bytes = 0
        self._threaded = slow_disk

    async def write(self, data: bytes) -> None:
        """Takes the next bytes."""
        self._waiting.append(data)
        self._waiting_bytes += len(data)
        if self._waiting_bytes >= BATCH_BYTES:
            self._threaded = True
            await asyncio.to_thread(self._flush)

    async def finish(self) -> BlobRef:
        """What the bytes are, once they are in their place."""
        return await asyncio.to_thread(self._end) if self._threaded else self._end()

    def _end(self) -> BlobRef:
        self._flush()
        reference = self._writer.finish()
        return self._seal.reference(reference) if self._seal else reference

    def _flush(self) -> None:
        data = b"".join(self._waiting)
        self._waiting.clear()
        self._waiting_bytes = 0
        self._writer.write(self._seal.update(data) if self._seal else data)


async def pieces(receive: Receive) -> AsyncIterator[bytes]:
    """The body of a request as it comes. 499 when the client goes away before its end."""
    while True:
        message = await receive()
        if message["type"] == "http.disconnect":
            raise StorageError(499, "clientClosed", "The client went away during its upload.")
        if body := message.get("body", b""):
            yield body
        if not message.get("more_body", False):
            return
