"""ASGI plumbing: types, headers, and answers in one message."""

from __future__ import annotations

import json
from collections.abc import Awaitable, Callable, Iterable, MutableMapping
from typing import Any

Scope = MutableMapping[str, Any]
Message = MutableMapping[str, Any]
Receive = Callable[[], Awaitable[Message]]
Send = Callable[[Message], Awaitable[None]]
App = Callable[[Scope, Receive, Send], Awaitable[None]]
Header = tuple[bytes, bytes]

JSON_TYPE = (b"content-type", b"application/json; charset=UTF-8")


class ClientGoneError(ConnectionError):
    """The client ended the connection before its request was whole: nobody waits for an answer."""


def header(scope: Scope, name: bytes) -> str | None:
    """The first header of that (lower-case) name, or None."""
    for key, value in scope["headers"]:
        if key == name:
            return str(value.decode("latin-1"))
    return None


async def answer(
    send: Send, status: int, body: bytes = b"", headers: Iterable[Header] = ()
) -> None:
    """Sends a whole answer with its length, which 204 and 304 must not have (RFC 9110, 8.6)."""
    fields = list(headers)
    if status not in (204, 304):
        fields.append((b"content-length", str(len(body)).encode()))
    await send({"type": "http.response.start", "status": status, "headers": fields})
    await send({"type": "http.response.body", "body": body})


async def answer_json(send: Send, status: int, body: Any, headers: Iterable[Header] = ()) -> None:
    """Sends an object as JSON in UTF-8."""
    text = json.dumps(body, ensure_ascii=False, separators=(",", ":"))
    await answer(send, status, text.encode(), [JSON_TYPE, *headers])


async def read_body(receive: Receive, limit_bytes: int) -> bytes:
    """The whole body of a request; ValueError when it is longer than `limit_bytes`."""
    parts: list[bytes] = []
    size = 0
    while True:
        message = await receive()
        if message["type"] == "http.disconnect":
            raise ClientGoneError("The client went away before its request was complete.")
        parts.append(message.get("body", b""))
        size += len(parts[-1])
        if size > limit_bytes:
            raise ValueError(f"The body is longer than {limit_bytes} bytes.")
        if not message.get("more_body", False):
            return b"".join(parts)
