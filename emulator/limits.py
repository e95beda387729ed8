"""What a request may carry before any API sees it (docs/emulator-safety.md has the whole list)."""

from __future__ import annotations

import re

from emulator.errors import ApiError
from emulator.json_bodies import JsonError, check_json
from emulator.web import App, Message, Receive, Scope, Send, answer_json, header, read_body

# Above the 10 MB of Vertex AI's largest request, which refuses its own; storage streams bodies.
BODY_BYTES = 32 << 20
JSON = re.compile(rb"\s*[{\[]")
TOO_LARGE = f"Request payload size exceeds the limit: {BODY_BYTES} bytes."


def bounded(app: App) -> App:
    """An app whose requests have a whole body of at most 32 MiB, and JSON that can be read."""

    async def pass_on(scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http" or not _has_body(scope):
            await app(scope, receive, send)
            return
        try:
            body = await read_body(receive, BODY_BYTES)
            check(body)
        except ConnectionError:
            return
        except ValueError as problem:
            refusal = ApiError("INVALID_ARGUMENT", _sentence(problem))
            await answer_json(send, refusal.http_code, _form(refusal))
            return
        await app(scope, _replayed(body, receive), send)

    return pass_on


def check(body: bytes) -> None:
    """Raises JsonError for JSON that no API could keep; what is no JSON the APIs refuse."""
    if JSON.match(body):
        check_json(body)


def _has_body(scope: Scope) -> bool:
    length = header(scope, b"content-length")
    return header(scope, b"transfer-encoding") is not None or length not in (None, "0")


def _sentence(problem: ValueError) -> str:
    if isinstance(problem, JsonError):
        return f"Invalid JSON payload received. {problem}"
    return TOO_LARGE


def _form(refusal: ApiError) -> dict[str, object]:
    return {
        "error": {
            "code": refusal.http_code,
            "message": refusal.message,
            "status": refusal.status,
        }
    }


def _replayed(body: bytes, receive: Receive) -> Receive:
    """A body that was read, as it would have come."""
    waiting: list[Message] = [{"type": "http.request", "body": body, "more_body": False}]

    async def next_message() -> Message:
        return waiting.pop() if waiting else await receive()

    return next_message
