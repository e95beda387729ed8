"""`POST /batch/storage/v1`: many calls in one, each answered for itself."""

from __future__ import annotations

import re
from collections.abc import Awaitable, Callable
from dataclasses import replace
from http import HTTPStatus
from urllib.parse import unquote_to_bytes, urlsplit
from uuid import uuid4

from emulator.errors import ApiError
from emulator.method_override import HEADER
from emulator.presented import authorization
from emulator.storage.errors import from_api_error, invalid
from emulator.storage.http import Call, Reply, json_reply, parse_query
from emulator.storage.related import boundary_of
from emulator.tokens import Tokens
from emulator.web import Message

# https://cloud.google.com/storage/docs/batch, as of 2026-04-08: not "for uploading or downloading",
# "less than 10MB". No source found for a batch in a batch.
MEDIA = "Media of objects cannot be sent or read in a batch, and a batch has no batches."

Answer = Callable[[Call], Awaitable[Reply]]

# "You should not include more than 100 calls" (the same page); Google's client sends up to 1,000.
CALL_LIMIT = 1000
LIMIT_BYTES = 10_000_000
BLANK = re.compile(rb"\r?\n\r?\n")
CONTENT_ID = re.compile(rb"^content-id:[ \t]*<?([^>\r\n]*)>?", re.IGNORECASE | re.MULTILINE)


async def batch(call: Call, answer: Answer, tokens: Tokens) -> Reply:
    """Answers every part of a multipart/mixed body with `answer`, in order.

    A part is its own caller's where it has credentials of its own, judged by `tokens`.
    """
    boundary = boundary_of(call.headers.get("content-type", ""))
    parts = (await call.body(LIMIT_BYTES)).split(b"--" + boundary)[1:-1]
    if len(parts) > CALL_LIMIT:
        raise invalid(f"A batch has at most {CALL_LIMIT} calls, this one {len(parts)}.")
    mark = f"batch_{uuid4().hex}"
    sections = [await _section(part, call, answer, tokens, mark) for part in parts]
    body = b"".join(sections) + f"--{mark}--\r\n".encode()
    return Reply(200, body, [(b"content-type", f"multipart/mixed; boundary={mark}".encode())])


async def _section(part: bytes, call: Call, answer: Answer, tokens: Tokens, mark: str) -> bytes:
    head, _, request = _halves(part)
    found = CONTENT_ID.search(head)
    inner = _inner_call(request, call)
    reply = await _answered(inner, answer, tokens)
    lines = [f"--{mark}", "Content-Type: application/http"]
    if found:
        lines.append(f"Content-ID: <response-{found[1].decode('latin-1')}>")
    lines += ["", f"HTTP/1.1 {reply.status} {_phrase(reply.status)}"]
    lines += [f"{name.decode()}: {value.decode('latin-1')}" for name, value in reply.headers]
    lines += [f"Content-Length: {len(reply.body)}", "", ""]
    return "\r\n".join(lines).encode("latin-1") + reply.body + b"\r\n"


async def _answered(call: Call, answer: Answer, tokens: Tokens) -> Reply:
    if _has_media(call):
        return json_reply(invalid(MEDIA).body(), 400)
    shown = {
        "headers": [(b"authorization", call.headers["authorization"].encode("latin-1"))]
        if "authorization" in call.headers
        else [],
        "query_string": call.raw_query.encode("latin-1"),
    }
    try:
        said = authorization(shown, unquote_to_bytes(call.raw_query))
        return await answer(call if said is None else replace(call, caller=tokens.caller(said)))
    except ApiError as error:
        return json_reply(from_api_error(error).body(), error.http_code)


def _inner_call(text: bytes, outer: Call) -> Call:
    head, _, body = _halves(text.lstrip(b"\r\n"))
    first, *rest = head.decode("latin-1").splitlines() or [""]
    words = first.split(" ")
    if len(words) < 2:
        raise invalid(f"A part of the batch does not start with a request line: '{first}'.")
    pairs = (line.partition(":") for line in rest)
    headers: dict[str, str] = {}
    for name, _, value in pairs:  # RFC 9110, 5.3: repeated ones are one list
        key = name.strip().lower()
        headers[key] = f"{headers[key]},{value.strip()}" if key in headers else value.strip()
    try:
        target = urlsplit(words[1])
        length = int(headers.get("content-length", len(body)))
    except ValueError:
        raise invalid(f"A part of the batch has no valid head: '{first}'.") from None

    async def receive() -> Message:
        return {"type": "http.request", "body": body[: max(0, length)], "more_body": False}

    query = parse_query(target.query.encode())
    headers = {"host": outer.headers.get("host", ""), **headers}
    method = headers.get(HEADER.decode(), "POST") if words[0] == "POST" else words[0]
    return Call(method, (), query, headers, receive, target.path, target.query, outer.caller)


def _halves(text: bytes) -> tuple[bytes, bytes, bytes]:
    found = BLANK.search(text.lstrip(b"\r\n"))
    text = text.lstrip(b"\r\n")
    if found is None:
        return text, b"", b""
    return text[: found.start()], found[0], text[found.end() :]


def _has_media(call: Call) -> bool:
    roots = ("/upload/", "/download/", "/batch")
    return call.path.startswith(roots) or call.query.get("alt") == "media"


def _phrase(status: int) -> str:
    try:
        return HTTPStatus(status).phrase
    except ValueError:
        return "Answer"
