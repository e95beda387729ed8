"""Requests and replies of Cloud Storage, free of ASGI where they can be."""

from __future__ import annotations

import json
import re
from collections.abc import AsyncIterator, Mapping
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import parse_qsl

from emulator.json_bodies import JsonError, parse_json
from emulator.storage.errors import StorageError, invalid
from emulator.tokens import Caller
from emulator.web import JSON_TYPE, Header, Receive, Scope, Send, answer, read_body

JSON_LIMIT_BYTES = 8 << 20
PLAIN_QUERY = re.compile(rb"[\w.~-]+=[\w.~/-]*(?:&[\w.~-]+=[\w.~/-]*)*")


@dataclass(frozen=True)
class Call:
    """One request: the names in its path, its query, its headers (lower case) and its body.

    `fields` is what the headers of an XML request say of the object; None: it is a JSON request.
    """

    method: str
    names: tuple[str, ...]
    query: Mapping[str, str]
    headers: Mapping[str, str]
    receive: Receive
    path: str = ""
    raw_query: str = ""
    caller: Caller | None = None
    fields: dict[str, Any] | None = None

    def named(self, names: tuple[str, ...]) -> Call:
        """This call with the names in its path; `replace` takes ten times as long."""
        call = object.__new__(Call)
        call.__dict__.update(self.__dict__, names=names)
        return call

    async def body(self, limit_bytes: int = JSON_LIMIT_BYTES) -> bytes:
        """The whole body, for those that are small by nature. 413 beyond the limit."""
        try:
            return await read_body(self.receive, limit_bytes)
        except ValueError as error:
            raise StorageError(413, "uploadTooLarge", str(error)) from None

    async def json(self) -> dict[str, Any]:
        """The body as a JSON object; empty is {}. 400 when it is something else."""
        return parse_object(await self.body())

    def many(self, name: str) -> list[str]:
        """Every value of a query parameter that may be repeated."""
        return [value for key, value in parse_qsl(self.raw_query) if key == name]

    def host(self) -> str:
        """The address under which the client knows this server."""
        return "http://" + self.headers.get("host", "127.0.0.1")


@dataclass(frozen=True)
class Reply:
    """An answer: a whole body, or a stream of `length` bytes (None: nobody knows)."""

    status: int = 200
    body: bytes = b""
    headers: list[Header] = field(default_factory=list)
    stream: AsyncIterator[bytes] | None = None
    length: int | None = None


def json_reply(body: Any, status: int = 200, headers: list[Header] | None = None) -> Reply:
    """An answer in JSON."""
    text = json.dumps(body, ensure_ascii=False, separators=(",", ":"))
    return Reply(status, text.encode("utf-8", "replace"), [JSON_TYPE, *(headers or [])])


def parse_object(data: bytes) -> dict[str, Any]:
    """A JSON object from bytes; nothing is {}. 400 (parseError) when it is something else."""
    try:
        value = parse_json(data) if data.strip() else {}
    except JsonError:
        raise StorageError(400, "parseError", "Parse Error") from None
    if not isinstance(value, dict):
        raise invalid("Expected a JSON object in the body of the request.")
    return value


def parse_query(raw: bytes) -> dict[str, str]:
    """The query's names and values; the last value of a name counts. 400 where it is no UTF-8."""
    if PLAIN_QUERY.fullmatch(raw):  # most are, and this takes a quarter of the time
        pairs = (pair.partition("=") for pair in raw.decode("ascii").split("&"))
        return {name: value for name, _, value in pairs}
    try:
        return dict(parse_qsl(raw.decode("latin-1"), keep_blank_values=True, errors="strict"))
    except UnicodeDecodeError:
        raise invalid(f"The query is not valid UTF-8: '{raw.decode('latin-1')}'.") from None


def call_of(scope: Scope, receive: Receive) -> Call:
    """The call in an ASGI request; its path is as it was sent, quoted."""
    headers: dict[str, str] = {}
    for key, value in scope["headers"]:  # RFC 9110, 5.3: repeated ones are one list
        name, said = key.decode("latin-1"), value.decode("latin-1")
        headers[name] = f"{headers[name]},{said}" if name in headers else said
    path = scope["raw_path"].partition(b"?")[0].decode("latin-1")
    raw_query = scope["query_string"]
    return Call(
        scope["method"], (), parse_query(raw_query), headers, receive, path,
        raw_query.decode("latin-1"), scope.get("caller"),
    )  # fmt: skip


async def send_reply(send: Send, reply: Reply, *, head: bool = False) -> None:
    """Sends an answer; with `head` its headers alone, as for HEAD."""
    if reply.stream is None and not head:
        await answer(send, reply.status, reply.body, reply.headers)
        return
    headers = list(reply.headers)
    length = len(reply.body) if reply.stream is None and reply.length is None else reply.length
    if length is not None and reply.status not in (204, 304):
        headers.append((b"content-length", str(length).encode()))
    await send({"type": "http.response.start", "status": reply.status, "headers": headers})
    if reply.stream is not None and not head:
        async for data in reply.stream:
            await send({"type": "http.response.body", "body": data, "more_body": True})
    await send({"type": "http.response.body", "body": b""})


def flag(query: Mapping[str, str], name: str) -> bool:
    """Whether a query parameter says true; Python's clients write it as True."""
    return query.get(name, "").lower() == "true"
