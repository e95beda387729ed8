"""The head of an answer and its body in one write to the socket."""

from __future__ import annotations

import asyncio
from typing import Any

HEAD = b"HTTP/1.1 "


class Corked:
    """A transport that keeps the head of an answer until the body comes, or the loop's next turn.

    uvloop writes at once, and a client that is woken by a head alone is woken twice.
    """

    def __init__(self, transport: asyncio.Transport, loop: asyncio.AbstractEventLoop) -> None:
        self._transport = transport
        self._loop = loop
        self._held = b""

    def write(self, data: bytes) -> None:
        """Sends what was kept and this, or keeps this if it is a head."""
        if self._held:
            held, self._held = self._held, b""
            self._transport.writelines((held, data))
        elif data.startswith(HEAD):
            self._held = data
            self._loop.call_soon(self._flush)
        else:
            self._transport.write(data)

    def writelines(self, pieces: Any) -> None:
        """As `write`, for several."""
        self.write(b"".join(pieces))

    def close(self) -> None:
        """Sends what was kept, then closes."""
        self._flush()
        self._transport.close()

    def get_write_buffer_size(self) -> int:
        """Bytes that are not sent yet."""
        return len(self._held) + self._transport.get_write_buffer_size()

    def _flush(self) -> None:
        if self._held:
            held, self._held = self._held, b""
            if not self._transport.is_closing():
                self._transport.write(held)

    def __getattr__(self, name: str) -> Any:
        return getattr(self._transport, name)


def corked(protocol: type[Any]) -> type[Any]:
    """Uvicorn's httptools protocol on a corked transport."""

    class CorkedProtocol(protocol):  # type: ignore[misc]
        """One connection."""

        def connection_made(self, transport: asyncio.Transport) -> None:
            super().connection_made(Corked(transport, self.loop))

    return CorkedProtocol
