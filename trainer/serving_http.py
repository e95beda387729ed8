"""HTTP for the prediction server: uvicorn, with an end in its own time and no idle connections."""

from __future__ import annotations

import asyncio
import socket
import time
from concurrent.futures import Future
from types import FrameType
from typing import TYPE_CHECKING

import uvicorn
from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol

if TYPE_CHECKING:
    from trainer.answering import Served
    from trainer.serving_app import App

# uvicorn asks `on_tick` ten times a second; connections are looked at once a second.
TICKS_A_LOOK = 10
MAX_HEAD_BYTES = 65_536
# What is still being written when the server ends has this long.
LAST_SECONDS = 5


def run(app: App, listener: socket.socket, loading: Future[Served]) -> None:
    """Serves until a signal has ended it, or the model could not be loaded."""
    config = uvicorn.Config(
        app,
        loop="asyncio",
        http=Protocol,
        ws="none",
        lifespan="off",
        log_config=None,
        log_level="error",
        access_log=False,
        server_header=False,
        timeout_keep_alive=app.limits.idle_seconds,
        timeout_graceful_shutdown=LAST_SECONDS,
    )
    Server(config, app, loading).run([listener])


class Protocol(HttpToolsProtocol):
    """A connection that knows since when it has had no request under way, and how long its head is.

    uvicorn has no limit to either (0.54, read 2026-11-22).
    """

    idle_since = 0.0
    head_bytes = 0
    in_head = False

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        """Idle until a request's head is complete."""
        super().connection_made(transport)
        self.idle_since = time.monotonic()

    def on_response_complete(self) -> None:
        """Idle until the next request's head is complete."""
        super().on_response_complete()
        self.idle_since = time.monotonic()

    def on_message_begin(self) -> None:
        """A request's head begins."""
        super().on_message_begin()
        self.in_head, self.head_bytes = True, 0

    def on_headers_complete(self) -> None:
        """A request's head is complete."""
        self.in_head = False
        super().on_headers_complete()

    def data_received(self, data: bytes) -> None:
        """Ends a connection whose head has no end."""
        super().data_received(data)
        if self.in_head:
            self.head_bytes += len(data)
            if self.head_bytes > MAX_HEAD_BYTES:
                self.transport.close()

    def close_if_idle(self, seconds: float) -> None:
        """Ends a connection that has sent no whole head, or rest of a refused body, for so long."""
        unasked = self.cycle is None or self.cycle.response_complete
        if unasked and time.monotonic() - self.idle_since > seconds:
            self.transport.close()


class Server(uvicorn.Server):
    """Hands the loaded model to its application; ends when what it has taken on is answered."""

    def __init__(self, config: uvicorn.Config, app: App, loading: Future[Served]) -> None:
        super().__init__(config)
        self._app, self._loading = app, loading
        self._end_by: float | None = None

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        """Listens, and waits for the model beside."""
        await super().startup(sockets)
        loop = asyncio.get_running_loop()
        self._loading.add_done_callback(lambda _: loop.call_soon_threadsafe(self._loaded))

    def _loaded(self) -> None:
        if self._loading.exception() is None:
            self._app.ready(self._loading.result())
        else:
            self.should_exit = True

    def handle_exit(self, sig: int, frame: FrameType | None) -> None:  # noqa: ARG002
        """The first signal asks to end when all is answered, the second ends at once."""
        if self._end_by is None:
            self._end_by = time.monotonic() + self._app.limits.drain_seconds
        else:
            self.should_exit = self.force_exit = True

    async def on_tick(self, counter: int) -> bool:
        """Whether to stop serving; asked ten times a second."""
        if self._end_by is not None:
            self._app.drain()
            if self._app.is_idle or time.monotonic() > self._end_by:
                self.should_exit = True
        if counter % TICKS_A_LOOK == 0:
            for connection in list(self.server_state.connections):
                if isinstance(connection, Protocol):
                    connection.close_if_idle(self._app.limits.idle_seconds)
        return await super().on_tick(counter)
