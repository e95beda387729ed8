"""Clients that hold a connection and never come to the point."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest
import uvicorn
from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol
from uvicorn.server import ServerState

from emulator.connection_limits import limited
from emulator.web import Receive, Scope, Send, answer, read_body

HEAD_SECONDS, BODY_SECONDS = 0.2, 0.5
GOOD = b"POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 2\r\n\r\nok"


async def echo(_: Scope, receive: Receive, send: Send) -> None:
    """An app that answers with the body it got."""
    await answer(send, 200, await read_body(receive, 1 << 20))


async def said(parts: list[bytes]) -> bytes:
    """What a server with short patience answers to these parts, until it ends the connection."""
    config = uvicorn.Config(echo, lifespan="off")
    config.load()
    kind = limited(HttpToolsProtocol, HEAD_SECONDS, BODY_SECONDS)

    def connect() -> Any:
        return kind(config=config, server_state=ServerState(), app_state={})

    server = await asyncio.get_running_loop().create_server(connect, "127.0.0.1", 0)
    async with server:
        port = server.sockets[0].getsockname()[1]
        reader, writer = await asyncio.open_connection("127.0.0.1", port)
        for part in parts:
            writer.write(part)
            await writer.drain()
        try:
            return await asyncio.wait_for(reader.read(), 20)
        except ConnectionResetError:
            return b""
        finally:
            writer.close()


@pytest.mark.parametrize(
    "parts",
    [
        [],
        [b"GET / HT"],
        [b"GET / HTTP/1.1\r\nHost: x\r\n"],
        [b"POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 5\r\n\r\nab"],
    ],
    ids=["nothing", "half a line", "half a head", "half a body"],
)
def test_what_is_never_finished_is_ended(parts: list[bytes]) -> None:
    """No head, half a head and half a body end the connection once patience is over."""
    assert asyncio.run(said(parts)) == b""


def test_a_second_request_has_its_own_patience() -> None:
    """A connection that was used is ended too when its next head never ends."""
    answered = asyncio.run(said([GOOD, b"GET / HTTP/1.1\r\n"]))

    assert answered.startswith(b"HTTP/1.1 200 OK") and answered.endswith(b"ok")
