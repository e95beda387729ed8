"""Connections of clients that never come to the point: what a head may be, how long it may take.

Uvicorn itself bounds neither; a client that sends a byte a minute would hold a connection for ever.
"""

from __future__ import annotations

import asyncio
from typing import Any

# Google's front end refuses heads above 16 KB or so; signed policies and long names need room.
HEAD_BYTES = 64 << 10
HEAD_SECONDS = 60.0
BODY_SECONDS = 600.0


def limited(
    protocol: type[Any], head_seconds: float = HEAD_SECONDS, body_seconds: float = BODY_SECONDS
) -> type[Any]:
    """Uvicorn's httptools protocol with limits.

    A head is whole within `head_seconds` and 64 KiB; a body that is not read further because the
    client sends nothing for `body_seconds` ends the connection.
    """
    limits = {"head_seconds": head_seconds, "body_seconds": body_seconds}
    return type("Limited", (_Limits, protocol), limits)


_Protocol: Any = object


class _Limits(_Protocol):  # type: ignore[misc]
    """What is laid over a protocol: one connection."""

    head_seconds = HEAD_SECONDS
    body_seconds = BODY_SECONDS
    _timer: asyncio.TimerHandle | None = None
    _in_head = True
    _is_complete = True
    _head_bytes = 0

    def connection_made(self, transport: asyncio.Transport) -> None:
        super().connection_made(transport)
        self._wait(self.head_seconds)

    def connection_lost(self, exc: Exception | None) -> None:
        self._stop_waiting()
        super().connection_lost(exc)

    def data_received(self, data: bytes) -> None:
        started_in_head = self._in_head
        self._head_bytes += len(data) if started_in_head else 0
        super().data_received(data)
        if self._in_head and self._head_bytes > HEAD_BYTES:
            self._stop_waiting()
            self.send_400_response("The head of the request is too long.")
        elif self._in_head and self._head_bytes:
            if not started_in_head or self._timer is None:
                self._wait(self.head_seconds)
        elif not self._is_complete:
            self._wait(self.body_seconds)

    def on_message_begin(self) -> None:
        super().on_message_begin()
        self._in_head, self._is_complete = True, False

    def on_headers_complete(self) -> None:
        self._stop_waiting()
        self._in_head, self._head_bytes = False, 0
        length = len(self.url) + sum(len(name) + len(value) for name, value in self.headers)
        if length > HEAD_BYTES:
            raise ValueError("The head of the request is too long.")
        super().on_headers_complete()

    def on_message_complete(self) -> None:
        super().on_message_complete()
        self._stop_waiting()
        self._in_head, self._head_bytes, self._is_complete = True, 0, True

    def _wait(self, seconds: float) -> None:
        self._stop_waiting()
        self._timer = self.loop.call_later(seconds, self._give_up)

    def _stop_waiting(self) -> None:
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None

    def _give_up(self) -> None:
        if self.flow.read_paused:  # it is the server that is slow
            self._wait(self.body_seconds)
        else:
            self.transport.abort()
